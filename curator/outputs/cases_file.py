"""`cases.jsonl`: every case of a run or a selection with what is known of it, which an estimate later takes as its pool."""

from __future__ import annotations

from dataclasses import fields

from curator.records import Case, JsonValue, Score, Slice, Split

CASES = "cases.jsonl"
_OF_SCORE = tuple(field.name for field in fields(Score) if field.name not in {"id", "fields"})


def case_row(
    case: Case, score: Score | None, *, split: Split, category: str | None, slice: Slice | None
) -> dict[str, JsonValue]:
    """The row of one case; `fields` of the score only where there are some, and the fields of it that need no score."""
    return {
        "id": case.id,
        "log_id": case.log_id,
        "source": str(case.source),
        "task": case.task,
        "weight": case.weight,
        "group": case.group,
        "split": split,
        "category": category,
        "slice": slice,
        "characters": None if case.target is None else len(case.target),
        "thumb": case.feedback.thumb if case.feedback else None,
        "metadata": dict(case.metadata),
        **score_fields(score),
    }


def score_fields(score: Score | None) -> dict[str, JsonValue]:
    """The score without its id, and without `fields` where the answers are not structured."""
    if score is None:
        return {}
    found: dict[str, JsonValue] = {
        name: getattr(score, name) for name in _OF_SCORE
    }  # asdict copies deeply: ten times slower
    return found if score.fields is None else {**found, "fields": dict(score.fields)}
