"""Generations to scores: answers are read the way their prompt variant asks for, and compared by their kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from curator.committee.variants import Variant
from curator.config import Config, TaskConfig
from curator.disagreement.answers import Answer, extract, read_answer
from curator.disagreement.detection import detect_task_kind
from curator.disagreement.equivalence import meaning
from curator.disagreement.health import group_weights, member_health, weighed
from curator.disagreement.honesty import blind_share, noise_floor
from curator.disagreement.pattern import pattern
from curator.disagreement.score import score_case
from curator.disagreement.signals import Answered
from curator.disagreement.trusted import known_failures, label_meanings, random_truth
from curator.disagreement.votes import Vote, failed_vote, group_of, seat_of, vote
from curator.records import Case, Generation, Kind, MemberHealth, Score
from curator.report.answers import AnswerGroup, GivenAnswer, group_answers
from curator.results import Scored

Generations = Mapping[str, Sequence[Generation]]


class Scorer:
    """Scores the cases of a run, again whenever more answers are there.

    A kind that has to be found out is found from the first answers that are scored, and kept: a case must not change its
    kind between two rounds of a cascade.
    """

    def __init__(self, config: Config, cases: Sequence[Case], variants: Sequence[Variant]) -> None:
        self._tasks = config.tasks
        self._cases = cases
        self._rules = {variant.id: variant.read for variant in variants}
        self._kinds: dict[str, Kind] = {}

    def score(self, generations: Generations) -> Scored:
        """The score of every case, its answers in groups that mean the same, and what they say of the committee."""
        read_out = self._read_out(generations)
        health = self._health(read_out, generations)
        compared, left_out = weighed(read_out, health)
        scores = self._scores(compared, health)
        labels = label_meanings(self._cases, self._kinds, self._answer)
        votes = self._votes(compared)
        patterns = {
            case.id: pattern(
                votes[case.id],
                against=scores[case.id].against_target,
                labels=[labels[case.id]] if case.id in labels else (),
                question=_asked(case),
            )
            for case in self._cases
        }
        return Scored(
            scores=scores,
            answers=self._answers(compared),
            compared=compared,
            left_out=left_out,
            health=health,
            patterns=patterns,
            noise=noise_floor(votes),
            blind=blind_share(known_failures(self._cases, labels, self._answer), scores),
        )

    def scores(self, generations: Generations) -> dict[str, Score]:
        """The scores alone."""
        read_out = self._read_out(generations)
        health = self._health(read_out, generations)
        return self._scores(weighed(read_out, health)[0], health)

    def forget(self) -> None:
        """Find the kinds anew, from other answers."""
        self._kinds = {}

    def _read_out(self, generations: Generations) -> dict[str, list[Generation]]:
        """The generations with an answer, each with the text that its prompt variant's rule reads."""
        found = {case.id: [self._read(g) for g in generations[case.id] if not g.error] for case in self._cases}
        self._kinds = self._kinds or self._find_kinds(found)
        return found

    def _read(self, generation: Generation) -> Generation:
        text = extract(generation.text, self._rules[generation.variant or ""])
        return generation if text == generation.text else replace(generation, text=text)

    def _health(self, read_out: Generations, generations: Generations) -> tuple[MemberHealth, ...]:
        failed = {i: [failed_vote(seat_of(g)) for g in own if g.error] for i, own in generations.items()}
        votes = {i: [*own, *failed[i]] for i, own in self._votes(read_out).items()}
        labels = label_meanings(self._cases, self._kinds, self._answer)
        return member_health(votes, truth=random_truth(self._cases, labels))

    def _votes(self, read_out: Generations) -> dict[str, list[Vote]]:
        return {
            case.id: [vote(seat_of(g), self._answer(case, g.text), self._kinds[case.id]) for g in read_out[case.id]]
            for case in self._cases
        }

    def _answer(self, case: Case, text: str) -> Answer:
        return read_answer(text, self._kinds[case.id], labels=self._labels(case), input=_asked(case))

    def _scores(self, compared: Generations, health: Sequence[MemberHealth]) -> dict[str, Score]:
        weights = group_weights(health)
        scores = {}
        for case in self._cases:
            answered = [Answered(g.text, group_of(g), g.temperature, g.logprobs) for g in compared[case.id]]
            scores[case.id] = score_case(
                case.id,
                answered,
                target=case.target,
                kind=self._kinds[case.id],
                labels=self._labels(case),
                input=_asked(case),
                weights=weights,
            )
        return scores

    def _answers(self, compared: Generations) -> dict[str, tuple[AnswerGroup, ...]]:
        answers = {}
        for case in self._cases:
            target = None if case.target is None else meaning(self._answer(case, case.target))
            given = [_given(g, self._answer(case, g.text)) for g in compared[case.id]]
            answers[case.id] = group_answers(given, target_key=target)
        return answers

    def _labels(self, case: Case) -> Sequence[str]:
        return self._tasks[case.task].labels if case.task in self._tasks else ()

    def _find_kinds(self, read_out: Generations) -> dict[str, Kind]:
        """The kind of each case: the log's, else the config's, else what the answers to its whole task look like."""
        unknown: defaultdict[str, list[Case]] = defaultdict(list)
        kinds: dict[str, Kind] = {}
        for case in self._cases:
            configured = kind_of(self._tasks[case.task]) if case.task in self._tasks else None
            if kind := case.kind or configured:
                kinds[case.id] = kind
            else:
                unknown[case.task or case.system].append(case)
        for alike in unknown.values():
            given = [
                ([g.text for g in read_out[case.id]] + [t for t in [case.target] if t], _asked(case)) for case in alike
            ]
            kinds |= dict.fromkeys((case.id for case in alike), detect_task_kind(given))
        return kinds


def kind_of(task: TaskConfig) -> Kind | None:
    """The kind that the config says; a task with labels has labels for answers."""
    return task.kind or ("label" if task.labels else None)


def _asked(case: Case) -> str:
    """What the case asks, as one text: its system and user messages."""
    return "\n".join(m.content for m in case.messages if m.role in ("system", "user"))


def _given(generation: Generation, answer: Answer) -> GivenAnswer:
    return GivenAnswer(generation.text, meaning(answer), generation.variant or "", readable=bool(answer.key))
