"""Several rows of labels for the same cases, merged into one label a case."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from curator.errors import RecordError
from curator.labels.adjudication import deciding, is_adjudication
from curator.labels.agreement import Agreement, agreement
from curator.records import Label, RejectedRecord
from curator.text.display import one_line

_SHOWN = 60
"""Characters of a label or a name in a message."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """Rows of one case that contradict each other, so that none of them is used.

    Attributes:
        case_id: the case.
        field: what they differ in.
        rows: with their authors, in the order of the files.
    """

    case_id: str
    field: Literal["verdict", "label", "category"]
    rows: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of some files.

    Attributes:
        labels: by case id. A case whose rows contradict each other in everything has none; one that every person was unsure
            of has a label that is `unsure`.
        rejected: the rows that are not used though they were filled in, and those that seem to have been changed.
        agreement: how far people agree; None where no case was labelled by two.
        notes: sentences on the form of the files.
        rows: the judgements that the labels were merged from, those of each person.
        disputes: those of them that contradict each other.
    """

    labels: Mapping[str, Label]
    rejected: tuple[RejectedRecord, ...] = ()
    agreement: Agreement | None = None
    notes: tuple[str, ...] = ()
    rows: tuple[Label, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    @property
    def touched(self) -> bool:
        """Return whether a person filled anything in."""
        return bool(self.labels or self.rejected)

    @property
    def failures(self) -> dict[str, float]:
        """The failure of production's answer, by case id, where a verdict says so."""
        return {case_id: label.failure for case_id, label in self.labels.items() if label.failure is not None}

    @property
    def texts(self) -> dict[str, str]:
        """The right answer, by case id, where it was given."""
        return {case_id: label.text for case_id, label in self.labels.items() if label.text is not None}

    @property
    def unsure(self) -> tuple[str, ...]:
        """The cases that people looked at without giving a verdict or a label."""
        return tuple(case_id for case_id, label in self.labels.items() if label.unsure)


def decided(labels: Mapping[str, Label]) -> set[str]:
    """Return the cases with a verdict or a right answer."""
    return {case_id for case_id, label in labels.items() if not label.unsure}


def merge_rows(rows: Sequence[Label], kept_cases: Mapping[str, str] | None = None) -> LabelSet:
    """Merge rows into one label a case.

    The verdicts of several people are averaged, so that no disputed case is lost. Two different verdicts of one person cancel
    each other out, and so do two different right answers or categories of anybody: none of them is used, the later row is
    rejected, and all stand in `disputes`. An adjudicated row decides its case (`adjudication`). The order of the rows makes no difference to the labels, apart from their places.

    Args:
        rows: in their order.
        kept_cases: the kept case by the id of a near-duplicate that was merged into it. Rows of both are rows of the kept case.
    """
    kept_cases = kept_cases or {}
    by_case: dict[str, list[Label]] = {}
    for row in rows:
        by_case.setdefault(kept_cases.get(row.case_id, row.case_id), []).append(row)
    labels, disputes = {}, []
    verdicts: dict[str, dict[str, float]] = {}
    texts: dict[str, dict[str, str]] = {}
    for case_id, of_case in by_case.items():
        counting = deciding(of_case)
        of_case_disputes = list(_disputes(case_id, counting))
        disputes += of_case_disputes
        verdicts[case_id], texts[case_id] = _by_person(
            [row for row in of_case if not is_adjudication(row)], of_case_disputes
        )
        counted = _by_person(counting, of_case_disputes)[0]
        label = _merge_case(counting, counted, {dispute.field for dispute in of_case_disputes})
        if not label.unsure or all(row.unsure for row in counting):
            labels[case_id] = replace(label, case_id=case_id)
    rejected = [later for dispute in disputes for later in _rejected(dispute)]
    return LabelSet(labels, tuple(rejected), agreement(verdicts, texts), rows=tuple(rows), disputes=tuple(disputes))


def _by_person(rows: Iterable[Label], disputes: Iterable[Dispute]) -> tuple[dict[str, float], dict[str, str]]:
    """Return the verdicts that count, and the right answers, by person."""
    disputed = {row.by for dispute in disputes if dispute.field == "verdict" for row in dispute.rows}
    verdicts: dict[str, float] = {}
    texts: dict[str, str] = {}
    for row in sorted(rows, key=_canonical):
        if row.failure is not None and row.by not in disputed:
            verdicts.setdefault(row.by, row.failure)
        if row.text is not None:
            texts.setdefault(row.by, row.text)
    return verdicts, texts


def _merge_case(rows: Sequence[Label], verdicts: Mapping[str, float], disputed: Collection[str]) -> Label:
    """Merge the rows of a case; place and person are of a row that is used.

    Slice and probability belong together: both are of a row that names a slice, if possible of a row that is used.
    """
    ordered = sorted(rows, key=_canonical)
    text_row = next((row for row in ordered if "label" not in disputed and row.text is not None), None)
    verdict_row = next((row for row in ordered if row.failure is not None and row.by in verdicts), None)
    first = text_row or verdict_row or ordered[0]
    draw = next((row for row in (first, verdict_row, *ordered) if row is not None and row.slice), first)
    times = [row.seconds for row in ordered if row.seconds is not None]
    category = next((row.category for row in ordered if row.category and "category" not in disputed), None)
    return replace(
        first,
        failure=sum(verdicts.values()) / len(verdicts) if verdicts else None,
        text=text_row.text if text_row else None,
        slice=draw.slice,
        probability=draw.probability,
        category=category,
        note=_notes(ordered),
        seconds=sum(times) / len(times) if times else None,
        at=max(row.at for row in ordered),
        people=tuple(sorted({row.by for row in ordered if row.by})),
    )


def _notes(rows: Sequence[Label]) -> str:
    """Join what people wrote, each note once; those of several people with their names."""
    notes = {row.note: row.by for row in reversed(rows) if row.note}
    if len(notes) < 2:
        return next(iter(notes), "")
    return "\n".join(f"{by}: {note}" if by else note for note, by in reversed(notes.items()))


def _canonical(row: Label) -> tuple[str, str, str, str, float, float]:
    """Order the rows of a case by what they say, whatever files they came in."""
    return row.by or "\uffff", row.at, row.text or "", row.slice or "\uffff", row.failure or 0.0, row.probability


def _disputes(case_id: str, rows: Sequence[Label]) -> Iterator[Dispute]:
    """Yield the contradictions of a case: two verdicts of one person, two answers."""
    of_people: dict[str, list[Label]] = {}
    for row in rows:
        if row.failure is not None:
            of_people.setdefault(row.by, []).append(row)
    for of_person in of_people.values():
        if len({row.failure for row in of_person}) > 1:
            yield Dispute(case_id, "verdict", tuple(of_person))
    with_text = tuple(row for row in rows if row.text is not None)
    if len({row.text for row in with_text}) > 1:
        yield Dispute(case_id, "label", with_text)
    with_category = tuple(row for row in rows if row.category is not None)
    if len({row.category for row in with_category}) > 1:
        yield Dispute(case_id, "category", with_category)


def _rejected(dispute: Dispute) -> Iterator[RejectedRecord]:
    """Yield each row of a dispute that differs from the first one, with both authors."""
    first, *others = dispute.rows
    for row in others:
        if _said(row, dispute.field) != _said(first, dispute.field):
            of_duplicate = f", for its near-duplicate {first.case_id!r}" if first.case_id != row.case_id else ""
            values = (
                f": {_author(row)} wrote {_said(row, dispute.field)}, {_author(first)} {_said(first, dispute.field)}"
            )
            authors = values if row.by or first.by else ""
            noun = "corrected category" if dispute.field == "category" else dispute.field
            error = RecordError(
                f"another {noun} for {row.case_id!r} than at {first.source}{of_duplicate}{authors}",
                "agree on one of the two and write it into both rows; until then neither is used",
            )
            yield error.at(row.source.file, row.source.line)


def _said(row: Label, field: str) -> str:
    if field == "verdict":
        return {0.0: "pass", 1.0: "fail"}.get(row.failure or 0.0, f"{1 - (row.failure or 0.0):g}")
    return repr(one_line((row.text if field == "label" else row.category) or "", _SHOWN))


def _author(row: Label) -> str:
    return repr(one_line(row.by, _SHOWN)) if row.by else "a person without a name"
