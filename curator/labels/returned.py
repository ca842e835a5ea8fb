"""Labels that come back from a server: one row for each person and case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from curator.labels.columns import by_role
from curator.labels.doubts import quoted
from curator.labels.queue import UNSURE, QueueRow
from curator.readers.feedback import nonblank
from curator.records import JsonValue

DONE = ".done.jsonl"
"""The end of the name of a file of returned rows, as the label page saves one too."""


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """The judgement of one person on one case.

    Attributes:
        case_id: the case.
        content_hash: of the queue's row, "" where it is not known.
        slice: of the queue's row, "" where it is not known.
        inclusion_probability: of the queue's row; None where it is not known.
        kind: of the answers, "" where it is not known.
        verdict: pass, fail or unsure, or the text that came in its place; "" without one.
        label: the right answer, "" where it was not given.
        corrected_category: the category that the person put the case in, "" where it was not changed.
        note: of the person, "" for nothing.
        labelled_by: the person, "" where it is not known.
        seconds: the time that it took; None where it was not measured.
        labelled_at: the last change, ISO 8601 in UTC, "" where it is not known.
    """

    case_id: str
    content_hash: str = ""
    slice: str = ""
    inclusion_probability: float | None = None
    kind: str = ""
    verdict: str = ""
    label: str = ""
    corrected_category: str = ""
    note: str = ""
    labelled_by: str = ""
    seconds: float | None = None
    labelled_at: str = ""

    @property
    def is_empty(self) -> bool:
        """The person filled nothing in: not even a remark on a case that cannot be judged."""
        return not (self.verdict or self.label or self.corrected_category or self.note)

    @property
    def is_decided(self) -> bool:
        """The person gave a verdict other than `unsure`, or the right answer."""
        return bool(self.label) or self.verdict not in ("", UNSURE)

    def to_json(self) -> dict[str, JsonValue]:
        """Return the row by column."""
        return {**asdict(self)}

    @classmethod
    def of(cls, cells: Mapping[str, JsonValue], *, allowed: Iterable[str] = (), at: float | None = None) -> ReturnedRow:
        """Make the row of cells by column, with the columns' usual names.

        Args:
            cells: what the server knows of the case, and what the person filled in.
            allowed: labels that the person chose among. Such a label is an answer even where it reads like a placeholder.
            at: the time of the last change, in seconds since 1970; None where it is not known.
        """
        roles = by_role(cells)
        probability, seconds = roles.get("inclusion_probability"), roles.get("seconds")
        label = _text(roles.get("label"))
        return cls(
            case_id=_text(roles.get("case_id")),
            content_hash=_text(roles.get("content_hash")),
            slice=_text(roles.get("slice")),
            inclusion_probability=probability if isinstance(probability, int | float) else None,
            kind=_text(roles.get("kind")),
            verdict=_text(roles.get("verdict")),
            label=quoted(label) if label in set(allowed) else label,
            corrected_category=_text(roles.get("corrected_category")),
            note=_text(roles.get("note")),
            labelled_by=_text(roles.get("labelled_by")),
            seconds=round(float(seconds), 1) if isinstance(seconds, int | float) else None,
            labelled_at=datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else "",
        )


def context_of(row: QueueRow) -> dict[str, JsonValue]:
    """Return the cells of a queue's row that come back with its label."""
    return {
        "case_id": row.case_id,
        "content_hash": row.content_hash,
        "slice": row.slice,
        "inclusion_probability": row.inclusion_probability,
        "kind": row.kind or "",
    }


def judgements(rows: Iterable[ReturnedRow]) -> tuple[list[ReturnedRow], Counter[str]]:
    """Return the rows that judge a case, and the numbers of those that do not, by reason."""
    kept: list[ReturnedRow] = []
    left_out: Counter[str] = Counter()
    for row in rows:
        if not row.case_id:
            left_out["of records without a `case_id`, which curator did not make"] += 1
        elif row.is_empty:
            left_out["empty: nothing is filled in"] += 1
        else:
            kept.append(row)
    return kept, left_out


def last_judgements(rows: Iterable[ReturnedRow]) -> tuple[list[ReturnedRow], int]:
    """Return the last judgement of each person on each case, and the number of earlier ones.

    The rows are in a fixed order. A verdict or a right answer is never replaced by `unsure` or by remarks. A later judgement
    without a note or a corrected category takes that of the earlier one.
    """
    ordered = sorted(rows, key=lambda row: (row.case_id, row.labelled_by, row.labelled_at, row.verdict, row.label))
    last: dict[tuple[str, str], ReturnedRow] = {}
    for row in ordered:
        key = (row.case_id, row.labelled_by)
        last[key] = _later(last[key], row) if key in last else row
    return list(last.values()), len(ordered) - len(last)


def _later(before: ReturnedRow, later: ReturnedRow) -> ReturnedRow:
    last = before if before.is_decided and not later.is_decided else later
    category = later.corrected_category or before.corrected_category
    return replace(last, note=later.note or before.note, corrected_category=category)


def _text(value: JsonValue) -> str:
    return (nonblank(value) or "").strip()
