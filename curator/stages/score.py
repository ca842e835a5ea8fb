"""Generations to scores: answers are read the way their prompt variant asks for, and compared by their kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from curator.answers.kind_detection import detect_task_kind
from curator.answers.read import Answer, extract, read_answer
from curator.committee.prompts import Variant
from curator.config import Config
from curator.config.logs import kind_of
from curator.disagreement.diagnosis.answer_pattern import AnswerPattern, answer_pattern
from curator.disagreement.diagnosis.blind_spots import blind_share, noise_floor
from curator.disagreement.equivalence.comparers import ComparerFactory, WordComparer
from curator.disagreement.ground_truth import (
    failure_evidence,
    failures_of_cases,
    random_label_meanings,
    undecided_labels,
)
from curator.disagreement.members.case_answers import CaseAnswers, ComparableCase, group_case_answers
from curator.disagreement.members.health import group_weights, member_health, split_by_weight
from curator.disagreement.members.votes import failed_vote, member_key
from curator.disagreement.recorded import default_scorer
from curator.disagreement.score import DEFAULT, Formula, score_case
from curator.records import (
    BlindShare,
    Case,
    Generation,
    Kind,
    MemberHealth,
    NoiseFloor,
    Score,
)
from curator.records.recorded import Answered, prompt_id_of
from curator.report.answer_groups import AnswerGroup, GivenAnswer, group_answers
from curator.text.display import plural


@dataclass(frozen=True, slots=True)
class ScoringResult:
    """The committee's answers as they are compared, by case id: the score, and the groups of equal answers.

    `compared` are the generations whose answers were compared, each with the text that its prompt variant's rule reads;
    `left_out` those of members whose health says that they count for nothing. `patterns` are what a diagnosis is made of.
    `failures` is how far production failed, 0..1, where a person's judgement or a trusted answer tells, and
    `undecided_labels` counts the labels that cannot tell it.
    """

    scores: Mapping[str, Score]
    answers: Mapping[str, tuple[AnswerGroup, ...]]
    compared: Mapping[str, Sequence[Generation]]
    left_out: Mapping[str, Sequence[Generation]]
    health: tuple[MemberHealth, ...]
    patterns: Mapping[str, AnswerPattern]
    noise: NoiseFloor
    blind: BlindShare
    failures: Mapping[str, float]
    undecided_labels: int = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """Labels that cannot tell whether production failed."""
        if not self.undecided_labels:
            return ()
        warning = (
            f"{plural(self.undecided_labels, 'label')} cannot be compared with production's answer, as in free text other words"
            " may say the same: the failure rate leaves such cases out; write a verdict beside the label"
        )
        return (warning,)


Generations = Mapping[str, Sequence[Generation]]


class Scorer:
    """Scores the cases of a run by a formula, again whenever more answers are there.

    A kind that has to be found out is found from the first answers that are scored, and kept: a case must not change its
    kind between two rounds of a cascade.
    """

    def __init__(
        self, config: Config, cases: Sequence[Case], variants: Sequence[Variant], *, formula: Formula = DEFAULT
    ) -> None:
        self._formula = formula
        self._tasks = config.tasks
        self._cases = cases
        self._rules = {variant.id: variant.read for variant in variants}
        self._kinds: dict[str, Kind] = {}
        self._comparer: ComparerFactory = WordComparer

    def compare_by(self, comparer: ComparerFactory) -> None:
        """Compare answers so from now on; it is made for each question. The default is `WordComparer`."""
        self._comparer = comparer

    def compared(self, generations: Generations) -> list[ComparableCase]:
        """What is compared in each case, for those who find out what means the same."""
        return self._compared(self._read_out(generations))

    def score(self, generations: Generations) -> ScoringResult:
        """The score of every case, its answers in groups that mean the same, and what they say of the committee."""
        read_out = self._read_out(generations)
        told = self._told(read_out)
        health = self._health(told, generations)
        compared, left_out = split_by_weight(read_out, health)
        scores = self._scores(compared, told, health, self._formula)
        # How little was seen is asked of the disagreement: a fitted score is never near 0.
        seen = scores if self._formula is DEFAULT else self._scores(compared, told, health, DEFAULT)
        kept = {i: own.without({member_key(g) for g in left_out.get(i, ())}) for i, own in told.items()}
        return ScoringResult(
            scores=scores,
            answers={i: _answers(compared[i], own) for i, own in kept.items()},
            compared=compared,
            left_out=left_out,
            health=health,
            patterns={i: _pattern(own, scores[i]) for i, own in kept.items()},
            noise=noise_floor({i: own.votes for i, own in kept.items()}),
            blind=blind_share(failure_evidence(self._cases, lambda case: told[case.id].agrees), seen),
            failures=failures_of_cases(self._cases, lambda case: told[case.id].agrees),
            undecided_labels=undecided_labels(self._cases, lambda case: told[case.id].agrees),
        )

    def scores(self, generations: Generations) -> dict[str, Score]:
        """The scores alone."""
        read_out = self._read_out(generations)
        told = self._told(read_out)
        health = self._health(told, generations)
        return self._scores(split_by_weight(read_out, health)[0], told, health, self._formula)

    @property
    def default_scorer(self) -> str:
        """The name of the default score as it would be here, with what compares the answers."""
        return default_scorer(self._comparer)

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

    def _told(self, read_out: Generations) -> dict[str, CaseAnswers]:
        return {
            found.case_id: group_case_answers(
                found,
                [member_key(g) for g in read_out[found.case_id]],
                self._kinds[found.case_id],
                self._comparer(found.question),
            )
            for found in self._compared(read_out)
        }

    def _health(self, told: Mapping[str, CaseAnswers], generations: Generations) -> tuple[MemberHealth, ...]:
        failed = {i: [failed_vote(member_key(g)) for g in own if g.error] for i, own in generations.items()}
        every = {i: [*own.votes, *failed[i]] for i, own in told.items()}
        labels = {i: found for i, own in told.items() if (found := own.label_meaning) is not None}
        return member_health(every, truth=random_label_meanings(self._cases, labels))

    def _answer(self, case: Case, text: str) -> Answer:
        return read_answer(text, self._kinds[case.id], labels=self._labels(case), input=_asked(case))

    def _scores(
        self, compared: Generations, told: Mapping[str, CaseAnswers], health: Sequence[MemberHealth], formula: Formula
    ) -> dict[str, Score]:
        weights = group_weights(health)
        scores = {}
        for case in self._cases:
            answered = [
                Answered(g.text, prompt_id_of(g.model, g.variant), g.temperature, g.logprobs) for g in compared[case.id]
            ]
            scores[case.id] = score_case(
                case.id,
                answered,
                target=case.target,
                kind=self._kinds[case.id],
                labels=self._labels(case),
                input=_asked(case),
                compare=told[case.id].compare,
                weights=weights,
                formula=formula,
            )
        return scores

    def _compared(self, read_out: Generations) -> list[ComparableCase]:
        return [
            ComparableCase(
                case.id,
                case.user,
                tuple(self._answer(case, g.text) for g in read_out[case.id]),
                None if case.target is None else self._answer(case, case.target),
                self._label(case),
            )
            for case in self._cases
        ]

    def _label(self, case: Case) -> Answer | None:
        if case.reference is None or self._kinds[case.id] == "text":
            return None
        label = self._answer(case, case.reference.text)
        return label if label.key else None

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


def _asked(case: Case) -> str:
    """What the case asks, as one text: its system and user messages."""
    return "\n".join(m.content for m in case.messages if m.role in ("system", "user"))


def _pattern(told: CaseAnswers, score: Score) -> AnswerPattern:
    label = told.label_meaning
    return answer_pattern(
        told.votes,
        against=score.against_target,
        labels=() if label is None else [label],
        distances=told.compare.distances(told.answers, None) if told.kind == "text" else None,
    )


def _answers(compared: Sequence[Generation], told: CaseAnswers) -> tuple[AnswerGroup, ...]:
    classes = told.compare.classes(told.answers, told.target)
    return group_answers(
        [
            GivenAnswer(g.text, str(number), g.variant or "", readable=bool(answer.key))
            for g, answer, number in zip(compared, told.answers, classes, strict=False)
        ],
        target_key=None if told.target is None else str(classes[-1]),
    )
