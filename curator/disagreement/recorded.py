"""Score recorded cases (contract 4 of `docs/architecture.md`) and assess their members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from curator.answers.read import Answer, read_answer
from curator.disagreement.equivalence.comparers import CachedComparer, ComparerFactory, WordComparer
from curator.disagreement.estimators import ESTIMATORS, EstimatorInput
from curator.disagreement.members.health import member_health
from curator.disagreement.members.votes import MemberKey, Vote, votes_of
from curator.disagreement.score import DEFAULT, SCORER, Formula, score_case
from curator.disagreement.signals import Signals, measure
from curator.records import MemberHealth, Score
from curator.records.recorded import Recorded


def default_scorer(comparer: ComparerFactory) -> str:
    """Return the name of the default score with this comparer."""
    name = comparer("").name
    return f"{SCORER}+{name}" if name else SCORER


def score_record(
    record: Recorded,
    *,
    comparer: ComparerFactory = WordComparer,
    weights: Mapping[str, float] | None = None,
    formula: Formula = DEFAULT,
) -> Score:
    """Score one record; `weights` maps each prompt identity to its weight, 1 by default."""
    return score_case(
        record.id, record.answers, target=record.target, kind=record.kind, labels=record.labels, input=record.input,
        compare=comparer(record.question), weights=weights, formula=formula,
    )  # fmt: skip


def measure_record(
    record: Recorded, *, comparer: ComparerFactory = WordComparer, weights: Mapping[str, float] | None = None
) -> Signals | None:
    """Measure the signals that `score_record` scores; None with fewer than two answers."""
    if len(record.answers) < 2:
        return None
    return measure(
        record.answers, target=record.target, kind=record.kind, labels=record.labels, input=record.input,
        compare=comparer(record.question), weights=weights,
    )  # fmt: skip


def estimator_values(
    record: Recorded, names: Sequence[str], *, comparer: ComparerFactory = WordComparer
) -> dict[str, float | None]:
    """Compute the values of estimators, by name, for one record; every answer counts the same.

    None where the record has fewer than two answers or lacks what an estimator needs, such as a target or
    log-probabilities.
    """
    case = EstimatorInput.of(
        record.answers, target=record.target, kind=record.kind, labels=record.labels, input=record.input,
        compare=comparer(record.question),
    )  # fmt: skip
    return {name: ESTIMATORS[name].value(case) for name in names}


def recorded_health(records: Iterable[Recorded], comparer: ComparerFactory = WordComparer) -> tuple[MemberHealth, ...]:
    """Assess the members of recorded cases; a member is a prompt identity at any temperature."""
    return member_health({str(number): _votes(record, comparer) for number, record in enumerate(records)})


def _votes(record: Recorded, comparer: ComparerFactory) -> list[Vote]:
    def read(text: str) -> Answer:
        return read_answer(text, record.kind, labels=record.labels, input=record.input)

    answers = tuple(read(answered.text) for answered in record.answers)
    target = None if record.target is None else read(record.target)
    members = [MemberKey(variant=answered.prompt_id) for answered in record.answers]
    return votes_of(members, answers, record.kind, CachedComparer(comparer(record.question), answers, target))
