"""Labels that came back: a `label_queue.csv` or `.jsonl` whose `verdict` or `label` somebody filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from curator.errors import LogsError, RecordError
from curator.io.lines import expand
from curator.labels.agreement import Agreement, agreement
from curator.labels.merge import Returned, label_texts, labels_of, verdicts_of
from curator.readers.feedback import (
    CASE_ID_KEYS,
    case_id_of,
    nonblank,
    read_verdict,
    read_wrong,
    reference,
    verdict_number,
)
from curator.readers.hints import listed, nearest
from curator.readers.rows import Records, open_records
from curator.readers.table import Row
from curator.records import (
    CUT_NOTE,
    FORMULA_STARTS,
    JsonValue,
    Reference,
    RejectedRecord,
    Slice,
    Source,
    fingerprint_fits,
)
from curator.text.display import plural

_ANSWERS = ("label", "verdict", "wrong")
_WANTED = (*CASE_ID_KEYS, *_ANSWERS)
_MAX_BYTES = 16_000_000
_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What came back.

    Attributes:
        labels: the right answer, by case id.
        problems: the records that give nothing though they should, or that seem to have been changed.
        verdicts: how far production's answer failed, by case id: 0 (it is right) to 1. The queue's column says how good
            it is, so that this is 1 less that; of several people it is the mean.
        unsure: the cases that somebody looked at and nobody could judge.
        agreement: how far people agree; None where no case was judged by two.
        slices: how each case came into the selection, where its record says so.
    """

    labels: Mapping[str, Reference]
    problems: tuple[RejectedRecord, ...]
    verdicts: Mapping[str, float] = field(default_factory=lambda: _NONE)
    unsure: tuple[str, ...] = ()
    agreement: Agreement | None = None
    slices: Mapping[str, Slice] = field(default_factory=dict)

    @property
    def touched(self) -> bool:
        """Whether somebody filled anything in."""
        return bool(self.labels or self.problems or self.verdicts or self.unsure)


def read_labels(paths: Sequence[str]) -> LabelFile:
    """Read what was filled in, in all files. A record without a label and a verdict is one that is still to do.

    Two different labels for one case cancel each other out: neither is used, and the later one is a problem; so do two
    different verdicts of one person. Those of several people are averaged, so that no disputed case is lost.

    Raises:
        LogsError: a path matches nothing, or a CSV file lacks `case_id`, or both `label` and `verdict`.
    """
    rows: list[Returned] = []
    problems: list[RejectedRecord] = []
    places: dict[str, int] = {}
    for place, path in enumerate(expand(paths)):
        places[str(path)] = place
        found, unclear = _read_file(path)
        rows += found
        problems += unclear
    labels, disputes = labels_of(rows)
    verdicts, contradictions = verdicts_of(rows)
    judged = {row.case_id for row in rows if row.label or row.failure is not None}
    return LabelFile(
        labels=labels,
        problems=tuple(
            sorted((*problems, *disputes, *contradictions), key=lambda p: (places[p.source.file], p.source.line))
        ),
        verdicts={case: sum(by.values()) / len(by) for case, by in verdicts.items()},
        unsure=tuple(dict.fromkeys(row.case_id for row in rows if row.case_id not in judged)),
        agreement=agreement(verdicts, label_texts(rows)),
        slices={row.case_id: row.slice for row in rows if row.slice},
    )


def slice_of(cell: JsonValue) -> Slice | None:
    """The slice that the label queue names; None where the column is missing or was changed."""
    return next((name for name in get_args(Slice) if name == cell), None)


def probability_of(cell: JsonValue) -> float:
    """The inclusion probability that the label queue names; 1 where the column is missing or was changed."""
    try:
        found = float(str(cell).replace(",", "."))
    except ValueError:
        return 1.0
    return found if 0 < found <= 1 else 1.0


def beyond_one(rows: Iterable[Row]) -> bool:
    """Whether any verdict of a file is a number above 1, so that its 1 may be the worst of five."""
    cells = (row.cells.get("verdict") for row in rows if not isinstance(row.cells, RecordError))
    return any((verdict_number(cell) or 0) > 1 for cell in cells)


def verdict_of(cell: JsonValue, *, beyond: bool) -> float | Literal["unsure"] | None:
    """What `read_verdict` reads, where no number of the file is `beyond` 1.

    Raises:
        RecordError: it is not clear.
    """
    good = read_verdict(cell)
    if beyond and verdict_number(cell) is not None:
        raise RecordError(
            f"the verdict {nonblank(cell)!r} is not clear, as other numbers of this file are above 1",
            "write pass or fail, or numbers from 0 (production's answer failed) to 1 (it is right) in all of them",
        )
    return good


def unguarded(cell: str) -> str:
    """A cell without the `'` that keeps spreadsheets from running it as a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell


def _read_file(path: Path) -> tuple[list[Returned], list[RejectedRecord]]:
    """The records that somebody filled in, and the problems of those that cannot be read, in the order of the file."""
    records = open_records(path, wanted=_WANTED, max_bytes=_MAX_BYTES)
    _check_columns(records, path)
    rows = list(records.rows)
    beyond = beyond_one(rows)
    returned: list[Returned] = []
    problems: list[RejectedRecord] = []
    edited: list[Source] = []
    for row in rows:
        source = Source(str(path), row.number)
        try:
            if isinstance(row.cells, RecordError):
                raise row.cells
            cells = row.cells if records.columns is None else {k: _unguarded(v) for k, v in row.cells.items()}
            found, unclear = _read_record(cells, source, beyond=beyond)
            problems += [problem.at(source.file, source.line) for problem in unclear]
            if found:
                if not _is_untouched(cells, found.case_id):
                    edited.append(source)
                returned.append(found)
        except RecordError as problem:
            problems.append(problem.at(source.file, source.line))
    return returned, [*problems, *_edited(edited)]


def _read_record(
    record: Mapping[str, JsonValue], source: Source, *, beyond: bool
) -> tuple[Returned | None, tuple[RecordError, ...]]:
    """What a record says, None where nobody filled it in, and what in it is not clear.

    Raises:
        RecordError: the record names no case.
    """
    case, label = case_id_of(record), nonblank(record.get("label"))
    found = reference(label.strip() if label else None, None, by=record.get("labelled_by"))
    found = found and replace(
        found, slice=slice_of(record.get("slice")), probability=probability_of(record.get("inclusion_probability"))
    )
    good, unclear = _verdict(record.get("verdict"), beyond=beyond)
    wrong = read_wrong(record.get("wrong"))
    if found is None and good is None and wrong is None:
        return None, unclear
    failure = 1.0 - good if isinstance(good, float) else wrong
    by = (nonblank(record.get("labelled_by")) or "").strip()
    return Returned(case, by, found, failure, source, slice_of(record.get("slice"))), unclear


def _verdict(cell: JsonValue, *, beyond: bool) -> tuple[float | str | None, tuple[RecordError, ...]]:
    """How good production's answer is called, and what is not clear."""
    try:
        return verdict_of(cell, beyond=beyond), ()
    except RecordError as problem:
        return None, (problem,)


def _unguarded(cell: JsonValue) -> JsonValue:
    return unguarded(cell) if isinstance(cell, str) else cell


def _is_untouched(record: Mapping[str, JsonValue], case_id: str) -> bool:
    """Whether the input is the one that was written, as far as the record tells.

    Raises:
        RecordError: the fingerprint is another case's, so that cells have moved between rows.
    """
    mark, text = nonblank(record.get("content_hash")), nonblank(record.get("input"))
    if mark is None:
        return True
    of_case, of_text = fingerprint_fits(mark.strip(), case_id, None if text and text.endswith(CUT_NOTE) else text)
    if not of_case:
        raise RecordError(
            f"the `content_hash` beside {case_id!r} is another case's, so that cells have moved between rows",
            "sort whole rows, not single columns; copy what was filled in to the case's own row of the label queue",
        )
    return of_text


def _edited(places: Sequence[Source]) -> Iterator[RejectedRecord]:
    """One problem for all records of a file whose input was edited; what they say is used all the same."""
    if places:
        problem = RecordError(
            f"the input was edited here and in {plural(len(places) - 1, 'more record')}; what they say is used all the same",
            "see whether the input still is what was judged; fill in `verdict`, `label` and `labelled_by` alone",
        )
        yield problem.at(places[0].file, places[0].line)


def _check_columns(records: Records, path: Path) -> None:
    """Raise `LogsError` where a CSV file lacks a column that is needed."""
    if not records.columns:
        return
    missing = None if set(CASE_ID_KEYS) & set(records.columns) else "case_id"
    if missing is None and not set(_ANSWERS) & set(records.columns):
        missing = "label"
    if missing:
        raise LogsError(
            f"{str(path)!r}: there is no column {missing!r}; the columns are {listed(records.columns)}",
            remedy=f"keep the columns of the label queue as they are{nearest(missing, records.columns)}",
        )
