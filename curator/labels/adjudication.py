"""Adjudication: the cases that people disagree on, and the judgements that decide them.

An adjudicated row has a `labelled_by` that begins with `adjudication`. It takes the place of what people said before, in whatever
order the files come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from curator.labels.queue import QueueRow
from curator.labels.returned import ReturnedRow
from curator.labels.shown import by_case
from curator.records import Label

if TYPE_CHECKING:
    from curator.labels.merge import LabelSet

ADJUDICATION = "adjudication"


def is_adjudication(row: Label) -> bool:
    """Return whether a row decides its case."""
    return row.by.casefold().startswith(ADJUDICATION)


def deciding(rows: Sequence[Label]) -> Sequence[Label]:
    """Return the rows of a case that count: the adjudicated ones, if any of them says something."""
    decided = [row for row in rows if is_adjudication(row) and not row.unsure]
    return decided or [row for row in rows if not is_adjudication(row)] or rows


def disputed_cases(labels: LabelSet) -> tuple[str, ...]:
    """Return the cases on which people differ, and that are not decided."""
    of_case: dict[str, list[Label]] = {}
    for row in labels.rows:
        of_case.setdefault(row.case_id, []).append(row)
    decided = {case_id for case_id, rows in of_case.items() if any(is_adjudication(row) for row in deciding(rows))}
    differing = {case_id for case_id, rows in of_case.items() if len({_failed(row) for row in rows} - {None}) > 1}
    return tuple(sorted((differing | {dispute.case_id for dispute in labels.disputes}) - decided))


def adjudication_rows(rows: Sequence[QueueRow], cases: Iterable[str]) -> list[QueueRow]:
    """Return the rows of these cases, each once, for the person who decides."""
    wanted = set(cases)
    return [replace(first, annotator=ADJUDICATION) for first, *_ in by_case(rows).values() if first.case_id in wanted]


def adjudicated(row: ReturnedRow) -> ReturnedRow:
    """Return a returned row as one that decides its case, still with its person."""
    who = f"{ADJUDICATION}: {row.labelled_by}" if row.labelled_by else ADJUDICATION
    return replace(row, labelled_by=who)


def _failed(row: Label) -> bool | None:
    return None if row.failure is None else row.failure >= 0.5
