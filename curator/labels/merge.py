"""Several rows of labels for the same cases, merged into one label a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from curator.errors import RecordError
from curator.labels.agreement import Agreement, agreement
from curator.records import Label, RejectedRecord


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of some files.

    Attributes:
        labels: by case id. A case whose rows contradict each other in everything has none; one that every person was unsure
            of has a label that is `unsure`.
        rejected: the rows that are not used though they were filled in, and those that seem to have been changed.
        agreement: how far people agree; None where no case was labelled by two.
        notes: sentences on the form of the files.
    """

    labels: Mapping[str, Label]
    rejected: tuple[RejectedRecord, ...] = ()
    agreement: Agreement | None = None
    notes: tuple[str, ...] = ()

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


def merge_rows(rows: Sequence[Label], kept_cases: Mapping[str, str] | None = None) -> LabelSet:
    """Merge rows into one label a case.

    The verdicts of several people are averaged, so that no disputed case is lost. Two different verdicts of one person cancel
    each other out, and so do two different right answers of anybody: none of them is used, and the later row is rejected.

    Args:
        rows: in their order.
        kept_cases: the kept case by the id of a near-duplicate that was merged into it. Rows of both are rows of the kept case.
    """
    kept_cases = kept_cases or {}

    def case_of(row: Label) -> str:
        return kept_cases.get(row.case_id, row.case_id)

    def case_and_person(row: Label) -> tuple[str, str]:
        return case_of(row), row.by

    disputed_verdicts, contradictions = _conflicts(
        (row for row in rows if row.failure is not None), "verdict", key=case_and_person, value=lambda r: r.failure
    )
    disputed_texts, disputes = _conflicts(
        (row for row in rows if row.text is not None), "label", key=case_of, value=lambda r: r.text
    )
    by_case: defaultdict[str, list[Label]] = defaultdict(list)
    verdicts: defaultdict[str, dict[str, float]] = defaultdict(dict)
    texts: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        case_id = case_of(row)
        by_case[case_id].append(row)
        if row.failure is not None and case_and_person(row) not in disputed_verdicts:
            verdicts[case_id].setdefault(row.by, row.failure)
        if row.text is not None:
            texts[case_id].setdefault(row.by, row.text)
    labels = {}
    for case_id, of_case in by_case.items():
        label = _merge_case(of_case, verdicts.get(case_id, {}), text_counts=case_id not in disputed_texts)
        if not label.unsure or all(row.unsure for row in of_case):
            labels[case_id] = replace(label, case_id=case_id)
    return LabelSet(labels, (*disputes, *contradictions), agreement(verdicts, texts))


def corrected(sets: Iterable[LabelSet]) -> dict[str, Label]:
    """Merge sets of labels: the verdicts and texts of a later one replace those of an earlier.

    A later label without a slice or a person keeps those of the earlier one: a file of corrections may lack these columns.
    """
    labels: dict[str, Label] = {}
    for label_set in sets:
        for case_id, label in label_set.labels.items():
            before = labels.get(case_id)
            labels[case_id] = label if before is None else _corrected_label(before, label)
    return labels


def _corrected_label(before: Label, later: Label) -> Label:
    """Correct a label by a later one, field by field.

    The person is the author of the text if there is one.
    """
    draw = later if later.slice is not None or before.slice is None else before
    if before.unsure or later.unsure:
        sure = later if before.unsure else before
        return replace(sure, slice=draw.slice, probability=draw.probability)
    author = before if later.text is None and before.text is not None else later
    return replace(
        later,
        failure=before.failure if later.failure is None else later.failure,
        text=author.text,
        by=author.by or later.by or before.by,
        slice=draw.slice,
        probability=draw.probability,
    )


def _merge_case(rows: Sequence[Label], verdicts: Mapping[str, float], *, text_counts: bool) -> Label:
    """Merge the rows of a case; place and person are of the first row that is used.

    Slice and probability belong together: both are of the first row that names a slice, if possible of a row that is used.
    """
    text_row = next((row for row in rows if text_counts and row.text is not None), None)
    verdict_row = next((row for row in rows if row.failure is not None and row.by in verdicts), None)
    first = text_row or verdict_row or rows[0]
    draw = next((row for row in (first, verdict_row, *rows) if row is not None and row.slice), first)
    return replace(
        first,
        failure=sum(verdicts.values()) / len(verdicts) if verdicts else None,
        text=text_row.text if text_row else None,
        slice=draw.slice,
        probability=draw.probability,
    )


def _conflicts(
    rows: Iterable[Label], noun: str, *, key: Callable[[Label], object], value: Callable[[Label], object]
) -> tuple[set[object], list[RejectedRecord]]:
    """The keys for which two rows differ, and each row that differs from the first."""
    first: dict[object, Label] = {}
    disputed: set[object] = set()
    rejected = []
    for row in rows:
        before = first.setdefault(key(row), row)
        if value(before) != value(row):
            disputed.add(key(row))
            of_duplicate = f", for its near-duplicate {before.case_id!r}" if before.case_id != row.case_id else ""
            error = RecordError(
                f"another {noun} for {row.case_id!r} than at {before.source}{of_duplicate}",
                "keep one of the two; until then neither is used",
            )
            rejected.append(error.at(row.source.file, row.source.line))
    return disputed, rejected
