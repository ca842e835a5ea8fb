"""Generations to scores: read each answer by its prompt variant, compare by its kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from curator.answers.kind_detection import detect_task_kind
from curator.answers.read import Answer, extract, read_answer
from curator.committee.prompts import Variant
from curator.config import Config
from curator.config.logs import kind_of
from curator.disagreement.calibration import formula_for
from curator.disagreement.contrasts.case_contrasts import ContrastInput, contrast_case
from curator.disagreement.diagnosis.answer_pattern import AnswerPattern
from curator.disagreement.diagnosis.blind_spots import blind_share, noise_floor
from curator.disagreement.diagnosis.part_answers import part_pattern
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
from curator.disagreement.recorded import default_scorer, score_record
from curator.disagreement.score import DEFAULT, Formula
from curator.disagreement.scoring_model import REST, Chains, ScoringModel, fit_chains, fit_tasks
from curator.records import (
    BlindShare,
    Case,
    Generation,
    Kind,
    MemberHealth,
    NoiseFloor,
    Score,
    TaskReadings,
    task_name,
)
from curator.records.differences import CaseContrasts
from curator.records.recorded import Answered, Recorded, prompt_id_of
from curator.report.answer_groups import AnswerGroup, GivenAnswer, group_answers
from curator.text.display import plural


@dataclass(frozen=True, slots=True)
class ScoringResult:
    """The scores and the groups of equal answers, and the health of the committee.

    Attributes:
        scores: by case id.
        answers: the groups of answers that mean the same.
        compared: the generations that were compared, each with the text that the rule of its prompt variant reads.
        left_out: the generations of members whose weight is 0.
        health: of each member that was asked.
        patterns: of the answers, for a diagnosis.
        noise: how far repeats of one prompt at temperature 0 differ.
        blind: the known failures that disagreement cannot see.
        failures: how far production failed, 0 to 1, where a person's judgement or a trusted answer says so.
        undecided_labels: the number of labels that do not say whether production failed.
        readings: how the answers of each task are read.
        contrasts: production's answer against a label or the committee, and the committee against itself, by case id.
        inputs: the compared answers from which contrasts and patterns are made, by case id.
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
    readings: tuple[TaskReadings, ...] = ()
    contrasts: Mapping[str, CaseContrasts] = field(default_factory=dict)
    inputs: Mapping[str, ContrastInput] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence on labels that do not say whether production failed."""
        if not self.undecided_labels:
            return ()
        warning = (
            f"{plural(self.undecided_labels, 'label')} cannot be compared with production's answer, as in free text other words"
            " may say the same: the failure rate leaves such cases out; write a verdict beside the label"
        )
        return (warning,)


Generations = Mapping[str, Sequence[Generation]]


@dataclass(frozen=True, slots=True)
class _FittedRecords:
    """The cases as records, and the model that was fitted to them."""

    records: Mapping[str, Recorded]
    model: ScoringModel

    def scores(self, grouped: Mapping[str, CaseAnswers], formula: Formula) -> dict[str, Score]:
        def score(record: Recorded) -> Score:
            return score_record(
                record,
                model=self.model,
                comparer=lambda _: grouped[record.id].compare,
                formula=formula_for(formula, record.task),
            )

        return {case_id: score(record) for case_id, record in self.records.items()}


class Scorer:
    """Score the cases of a run by a formula, again whenever there are more answers.

    The frames around the answers of each task, and a kind that neither log nor config gives, are found in the first answers
    that are scored, and kept: a case must not change its kind between two rounds of a cascade.
    """

    def __init__(
        self, config: Config, cases: Sequence[Case], variants: Sequence[Variant], *, formula: Formula = DEFAULT
    ) -> None:
        self._formula = formula
        self._tasks = config.tasks
        self._cases = cases
        self._rules = {variant.id: variant.read for variant in variants}
        self._kinds: dict[str, Kind] = {}
        self._chains: Chains = {}
        self._comparer: ComparerFactory = WordComparer

    def compare_by(self, comparer: ComparerFactory) -> None:
        """Compare answers by this from now on; the default is `WordComparer`."""
        self._comparer = comparer

    def compared(self, generations: Generations) -> list[ComparableCase]:
        """Return the answers of each case in the form that a comparer needs."""
        return self._compared(self._read_out(generations))

    def score(self, generations: Generations) -> ScoringResult:
        """Score every case, group its answers by meaning, and judge the members."""
        read_out = self._read_out(generations)
        grouped = self._group_answers(read_out)
        health = self._health(grouped, generations)
        compared, left_out = split_by_weight(read_out, health)
        fitted = self._fit(compared, health)
        scores = fitted.scores(grouped, self._formula)
        # Blind spots need the default score: a fitted score is never near 0.
        seen = scores if self._formula is DEFAULT else fitted.scores(grouped, DEFAULT)
        kept = {i: answers.without({member_key(g) for g in left_out.get(i, ())}) for i, answers in grouped.items()}
        failures = failures_of_cases(self._cases, lambda case: grouped[case.id].agrees)
        inputs = {case.id: _contrast_input(case, kept[case.id], compared, failures) for case in self._cases}
        contrasts: dict[str, CaseContrasts] = {}
        patterns: dict[str, AnswerPattern] = {}
        for case_id, case in inputs.items():  # one case after the other: the parts of its answers are kept for a moment
            contrasts[case_id], patterns[case_id] = contrast_case(case), part_pattern(case)
        return ScoringResult(
            scores=scores,
            answers={i: _answers(compared[i], answers) for i, answers in kept.items()},
            compared=compared,
            left_out=left_out,
            health=health,
            patterns=patterns,
            noise=noise_floor({i: answers.votes for i, answers in kept.items()}),
            blind=blind_share(failure_evidence(self._cases, lambda case: grouped[case.id].agrees), seen),
            failures=failures,
            undecided_labels=undecided_labels(self._cases, lambda case: grouped[case.id].agrees),
            readings=fitted.model.readings,
            contrasts=contrasts,
            inputs=inputs,
        )

    def scores(self, generations: Generations) -> dict[str, Score]:
        """Return only the scores, between two rounds of a cascade."""
        read_out = self._read_out(generations)
        grouped = self._group_answers(read_out)
        health = self._health(grouped, generations)
        return self._fit(split_by_weight(read_out, health)[0], health).scores(grouped, self._formula)

    @property
    def default_scorer(self) -> str:
        """The name of the default score here, with the method that compares the answers."""
        return default_scorer(self._comparer)

    def forget(self) -> None:
        """Forget the kinds and the frames, before other answers are scored."""
        self._kinds, self._chains = {}, {}

    def _read_out(self, generations: Generations) -> dict[str, list[Generation]]:
        """Return the generations with an answer, as the rule of their prompt variant reads them."""
        read_out = {case.id: [self._read(g) for g in generations[case.id] if not g.error] for case in self._cases}
        if not self._kinds:
            self._chains = fit_chains(self._record(case, read_out[case.id], None) for case in self._cases)
            self._kinds = self._find_kinds(read_out)
        return read_out

    def _read(self, generation: Generation) -> Generation:
        text = extract(generation.text, self._rules[generation.variant or ""])
        return generation if text == generation.text else replace(generation, text=text)

    def _group_answers(self, read_out: Generations) -> dict[str, CaseAnswers]:
        return {
            case.case_id: group_case_answers(
                case,
                [member_key(g) for g in read_out[case.case_id]],
                self._kinds[case.case_id],
                self._comparer(case.question),
            )
            for case in self._compared(read_out)
        }

    def _health(self, grouped: Mapping[str, CaseAnswers], generations: Generations) -> tuple[MemberHealth, ...]:
        failed = {i: [failed_vote(member_key(g)) for g in answers if g.error] for i, answers in generations.items()}
        every = {i: [*answers.votes, *failed[i]] for i, answers in grouped.items()}
        labels = {i: meaning for i, answers in grouped.items() if (meaning := answers.label_meaning) is not None}
        return member_health(every, truth=random_label_meanings(self._cases, labels))

    def _answer(self, case: Case, text: str) -> Answer:
        return read_answer(
            self._inside(case, text), self._kinds[case.id], labels=self._labels(case), input=_asked(case)
        )

    def _inside(self, case: Case, text: str) -> str:
        """Return the part of an answer inside the frames of its task."""
        task = task_name(case.task, case.system)
        chain = self._chains.get(task) or self._chains.get(REST)
        return text if chain is None else chain.read(text)

    def _fit(self, compared: Generations, health: Sequence[MemberHealth]) -> _FittedRecords:
        records = {case.id: self._record(case, compared[case.id], self._kinds[case.id]) for case in self._cases}
        tasks = fit_tasks(records.values(), chains=self._chains)
        return _FittedRecords(records, ScoringModel(tasks, group_weights(health)))

    def _record(self, case: Case, compared: Sequence[Generation], kind: Kind | None) -> Recorded:
        return Recorded(
            id=case.id,
            answers=tuple(map(_answered, compared)),
            target=case.target,
            kind=kind,
            labels=tuple(self._labels(case)),
            input=_asked(case),
            question=case.user,
            task=task_name(case.task, case.system),
            target_logprobs=case.target_logprobs,
        )

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
        """Return the kind of each case: the log's, else the config's, else detected for its task."""
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
                (
                    [self._inside(case, t) for t in (*(g.text for g in read_out[case.id]), case.target) if t],
                    _asked(case),
                )
                for case in alike
            ]
            kinds |= dict.fromkeys((case.id for case in alike), detect_task_kind(given))
        return kinds


def _answered(generation: Generation) -> Answered:
    """Return a generation as the answer of a record."""
    return Answered(
        generation.text,
        prompt_id=prompt_id_of(generation.model, generation.variant),
        temperature=generation.temperature,
        logprobs=generation.logprobs,
        model=generation.model or "",
        tokens=generation.tokens,
    )


def _asked(case: Case) -> str:
    """Return the system and user messages of a case as one text."""
    return "\n".join(m.content for m in case.messages if m.role in ("system", "user"))


def _contrast_input(
    case: Case, grouped: CaseAnswers, compared: Generations, failures: Mapping[str, float]
) -> ContrastInput:
    return ContrastInput(
        case_id=case.id,
        question=case.user,
        grouped=grouped,
        texts=tuple(generation.text for generation in compared[case.id]),
        target=case.target,
        reference=case.reference.text if case.reference else None,
        failure=failures.get(case.id),
        thumb_down=case.feedback is not None and case.feedback.thumb == "down",
    )


def _answers(compared: Sequence[Generation], grouped: CaseAnswers) -> tuple[AnswerGroup, ...]:
    classes = grouped.compare.classes(grouped.answers, grouped.target)
    return group_answers(
        [
            GivenAnswer(g.text, str(number), g.variant or "", readable=bool(answer.key))
            for g, answer, number in zip(compared, grouped.answers, classes, strict=False)
        ],
        target_key=None if grouped.target is None else str(classes[-1]),
    )
