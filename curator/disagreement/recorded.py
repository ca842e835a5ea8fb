"""Score recorded cases (contract 4 of `docs/architecture.md`) and assess their members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from curator.answers.read import Answer, read_answer
from curator.disagreement.equivalence.comparers import CachedComparer, ComparerFactory, WordComparer
from curator.disagreement.estimators import ESTIMATORS, EstimatorInput
from curator.disagreement.members.health import group_weights, member_health
from curator.disagreement.members.votes import MemberKey, Vote, votes_of
from curator.disagreement.score import DEFAULT, SCORER, Formula, score_case
from curator.disagreement.scoring_model import UNFITTED_MODEL, ScoringModel, fit_tasks, kind_of
from curator.disagreement.signals import Signals, measure
from curator.records import Kind, MemberHealth, Score
from curator.records.recorded import Recorded


def default_scorer(comparer: ComparerFactory) -> str:
    """Return the name of the default score with this comparer."""
    name = comparer("").name
    return f"{SCORER}+{name}" if name else SCORER


def score_record(
    record: Recorded,
    *,
    model: ScoringModel = UNFITTED_MODEL,
    comparer: ComparerFactory = WordComparer,
    formula: Formula = DEFAULT,
) -> Score:
    """Score one record by the fit of its task."""
    return score_case(
        record.id, record.answers, target=record.target, kind=_kind(record, model), labels=record.labels,
        input=record.input, question=record.question, compare=comparer(record.question), weights=model.member_weights,
        mixture=model.of(record.task).mixture, target_logprobs=record.target_logprobs, formula=formula,
    )  # fmt: skip


def measure_record(
    record: Recorded, *, model: ScoringModel = UNFITTED_MODEL, comparer: ComparerFactory = WordComparer
) -> Signals | None:
    """Measure the signals that `score_record` scores; None with fewer than two answers."""
    if len(record.answers) < 2:
        return None
    return measure(
        record.answers, target=record.target, kind=_kind(record, model), labels=record.labels, input=record.input,
        question=record.question, compare=comparer(record.question), weights=model.member_weights,
        mixture=model.of(record.task).mixture, target_logprobs=record.target_logprobs,
    )  # fmt: skip


def estimator_values(
    record: Recorded,
    names: Sequence[str],
    *,
    model: ScoringModel = UNFITTED_MODEL,
    comparer: ComparerFactory = WordComparer,
) -> dict[str, float | None]:
    """Compute the values of estimators, by name, for one record; every answer counts the same.

    None where the record has fewer than two answers or lacks what an estimator needs, such as a target or
    log-probabilities.
    """
    record = model.read_out(record)
    case = EstimatorInput.of(
        record.answers, target=record.target, kind=kind_of(record), labels=record.labels, input=record.input,
        compare=comparer(record.question),
    )  # fmt: skip
    return {name: ESTIMATORS[name].value(case) for name in names}


def fit_scoring(
    records: Sequence[Recorded], comparer: ComparerFactory = WordComparer, *, equal_members: bool = False
) -> tuple[ScoringModel, tuple[MemberHealth, ...]]:
    """Fit the model of a file to sampled records, and assess its members.

    With `equal_members` no member is assessed, and all have the same weight.
    """
    model = ScoringModel(fit_tasks(records))
    if equal_members:
        return model, ()
    health = member_health(
        {str(number): _votes(model.read_out(record), comparer) for number, record in enumerate(records)}
    )
    return replace(model, member_weights=group_weights(health)), health


def _kind(record: Recorded, model: ScoringModel) -> Kind:
    return record.kind or model.of(record.task).kind or kind_of(record)


def _votes(record: Recorded, comparer: ComparerFactory) -> list[Vote]:
    kind = kind_of(record)

    def read(text: str) -> Answer:
        return read_answer(text, kind, labels=record.labels, input=record.input)

    answers = tuple(read(answered.text) for answered in record.answers)
    target = None if record.target is None else read(record.target)
    members = [MemberKey(variant=answered.prompt_id) for answered in record.answers]
    return votes_of(members, answers, kind, CachedComparer(comparer(record.question), answers, target))
