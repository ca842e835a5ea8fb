"""What several records say of the same cases, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from curator.errors import RecordError
from curator.records import Reference, RejectedRecord, Slice, Source


@dataclass(frozen=True, slots=True)
class Returned:
    """One record that somebody filled in: neither `label` nor `failure` (1 less the verdict) where they were unsure."""

    case_id: str
    by: str
    label: Reference | None
    failure: float | None
    source: Source
    slice: Slice | None = None


def labels_of(rows: Iterable[Returned]) -> tuple[dict[str, Reference], list[RejectedRecord]]:
    """The label of each case, and the problems of those that have two different ones: they get none."""
    found: dict[str, Reference] = {}
    disputed, problems = _conflicts(
        (row for row in rows if row.label), "label", key=lambda r: r.case_id, value=lambda r: r.label and r.label.text
    )
    for row in rows:
        if row.label and row.case_id not in disputed:
            found.setdefault(row.case_id, row.label)
    return found, problems


def verdicts_of(rows: Sequence[Returned]) -> tuple[dict[str, dict[str, float]], list[RejectedRecord]]:
    """The failure of each case by person, and the problems where one person says two things: they then count for nothing."""
    found: dict[str, dict[str, float]] = {}
    disputed, problems = _conflicts(
        (row for row in rows if row.failure is not None),
        "verdict",
        key=lambda r: (r.case_id, r.by),
        value=lambda r: r.failure,
    )
    for row in rows:
        if row.failure is not None and (row.case_id, row.by) not in disputed:
            found.setdefault(row.case_id, {})[row.by] = row.failure
    return found, problems


def label_texts(rows: Iterable[Returned]) -> dict[str, dict[str, str]]:
    """The label's text by case and person, the first that each one gave."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        if row.label:
            found.setdefault(row.case_id, {}).setdefault(row.by, row.label.text)
    return found


def _conflicts(
    rows: Iterable[Returned], what: str, *, key: Callable[[Returned], object], value: Callable[[Returned], object]
) -> tuple[set[object], list[RejectedRecord]]:
    """The keys for which two rows differ, and each row that differs from the first."""
    first: dict[object, Returned] = {}
    disputed: set[object] = set()
    problems = []
    for row in rows:
        before = first.setdefault(key(row), row)
        if value(before) != value(row):
            disputed.add(key(row))
            problem = RecordError(
                f"another {what} for {row.case_id!r} than at {before.source}",
                "keep one of the two; until then neither is used",
            )
            problems.append(problem.at(row.source.file, row.source.line))
    return disputed, problems
