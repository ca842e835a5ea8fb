"""Rows of a CSV or JSONL file to labels.

The file is a filled-in label queue, or has rows of an id with `verdict`, `wrong` or `label`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from curator.errors import LogsError, RecordError
from curator.readers.feedback import CASE_ID_KEYS, case_id_of, nonblank, read_verdict, read_wrong, verdict_number
from curator.readers.hints import listed, nearest
from curator.readers.rows import Records, open_records
from curator.readers.table import Row
from curator.records import CUT_NOTE, FORMULA_STARTS, JsonValue, Label, RejectedRecord, Slice, Source, fingerprint_fits
from curator.text.display import plural

_LABEL_KEYS = ("verdict", "wrong", "label")
_MAX_BYTES = 16_000_000
_MAX_ROWS = 1_000_000


def read_label_rows(path: Path) -> list[Label | RejectedRecord]:
    """Read the filled-in rows of a file and reject those that cannot be read, in their order.

    A row is still to do, and left out, where its `verdict`, `wrong` and `label` are blank. A row whose `verdict`
    and `wrong` contradict each other is rejected; where they do not, the number in `verdict` counts.

    Raises:
        LogsError: a CSV file lacks the column of the case or every column of a label.
    """
    records = open_records(path, wanted=(*CASE_ID_KEYS, *_LABEL_KEYS), max_bytes=_MAX_BYTES)
    _check_columns(records, path)
    rows = list(islice(records.rows, _MAX_ROWS + 1))
    if len(rows) > _MAX_ROWS:
        raise LogsError(
            f"{str(path)!r} has more than {_MAX_ROWS:,} rows, too many for labels",
            remedy="name the file that people filled in",
        )
    beyond = _beyond_one(rows)
    results: list[Label | RejectedRecord] = []
    edited: list[Source] = []
    for row in rows:
        source = Source(str(path), row.number)
        try:
            if isinstance(row.cells, RecordError):
                raise row.cells
            cells = row.cells if records.columns is None else {k: _unguarded(v) for k, v in row.cells.items()}
            label, unclear = _read_row(cells, source, beyond=beyond)
            results += [error.at(source.file, source.line) for error in unclear]
            if label:
                if not _is_untouched(cells, label.case_id):
                    edited.append(source)
                results.append(label)
        except RecordError as error:
            results.append(error.at(source.file, source.line))
    return [*results, *_edited(edited)]


def probability_of(cell: JsonValue) -> float:
    """Read an inclusion probability; 1 where the column is missing or was changed."""
    try:
        probability = float(str(cell).replace(",", "."))
    except ValueError:
        return 1.0
    return probability if 0 < probability <= 1 else 1.0


def _slice_of(cell: JsonValue) -> Slice | None:
    """The slice that the label queue names; None where the column is missing or was changed."""
    return next((name for name in get_args(Slice) if name == cell), None)


def _beyond_one(rows: Iterable[Row]) -> bool:
    """Return whether a verdict of a file is above 1, so that its 1 may be the worst of five."""
    cells = (row.cells.get("verdict") for row in rows if not isinstance(row.cells, RecordError))
    return any((verdict_number(cell) or 0) > 1 for cell in cells)


def _read_row(
    cells: Mapping[str, JsonValue], source: Source, *, beyond: bool
) -> tuple[Label | None, tuple[RecordError, ...]]:
    """The label of a row, None where the row is still to do, and what in it is not clear.

    Raises:
        RecordError: the row names no case, `wrong` is neither true nor false, or `verdict` contradicts it.
    """
    case_id, text = case_id_of(cells), nonblank(cells.get("label"))
    quality, unclear = _read_quality(cells.get("verdict"), beyond=beyond)
    wrong = read_wrong(cells.get("wrong"))
    if text is None and quality is None and wrong is None:
        return None, unclear
    failure = 1.0 - quality if isinstance(quality, float) else wrong
    if wrong is not None and isinstance(quality, float) and (quality > 0.5 if wrong else quality < 0.5):
        raise RecordError(
            f"the verdict {nonblank(cells.get('verdict'))!r} contradicts `wrong: {str(bool(wrong)).lower()}`",
            "keep one of the two",
        )
    label = Label(
        case_id,
        source,
        failure=None if failure is None else float(failure),
        text=text.strip() if text else None,
        by=(nonblank(cells.get("labelled_by")) or "").strip(),
        slice=_slice_of(cells.get("slice")),
        probability=probability_of(cells.get("inclusion_probability")),
    )
    return label, unclear


def _read_quality(cell: JsonValue, *, beyond: bool) -> tuple[float | Literal["unsure"] | None, tuple[RecordError, ...]]:
    """Read a verdict as quality, 0 to 1, and what is not clear in it.

    A file with numbers `beyond` 1 may hold stars.
    """
    try:
        quality = read_verdict(cell)
    except RecordError as error:
        return None, (error,)
    if not beyond or verdict_number(cell) is None:
        return quality, ()
    star = RecordError(
        f"the verdict {nonblank(cell)!r} is not clear, as other numbers of this file are above 1",
        "write pass or fail, or numbers from 0 (production's answer failed) to 1 (it is right) in all of them",
    )
    return None, (star,)


def _unguarded(cell: JsonValue) -> JsonValue:
    """A cell without the `'` that keeps spreadsheets from running it as a formula."""
    guarded = isinstance(cell, str) and cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS)
    return cell[1:] if guarded and isinstance(cell, str) else cell


def _is_untouched(cells: Mapping[str, JsonValue], case_id: str) -> bool:
    """Return whether the input is the one that was written, as far as the row says.

    Raises:
        RecordError: the fingerprint is another case's, so that cells have moved between rows.
    """
    mark, text = nonblank(cells.get("content_hash")), nonblank(cells.get("input"))
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
    """One note for all rows whose input was edited; their labels are used all the same."""
    if places:
        error = RecordError(
            f"the input was edited here and in {plural(len(places) - 1, 'more record')}; the labels are used all the same",
            "check that the input is still the one that was judged; fill in only `verdict`, `label` and `labelled_by`",
        )
        yield error.at(places[0].file, places[0].line)


def _check_columns(records: Records, path: Path) -> None:
    """Check that a CSV file has a column for the case and one for a label.

    Raises:
        LogsError: it lacks one.
    """
    for needed, usual in ((CASE_ID_KEYS, "case_id"), (_LABEL_KEYS, "label")):
        if records.columns and not set(needed) & set(records.columns):
            raise LogsError(
                f"{str(path)!r}: no column {' or '.join(map(repr, needed))}; the columns are {listed(records.columns)}",
                remedy="keep the columns of the label queue, or name them `id` and `wrong` (true or false), `verdict` (pass or"
                f" fail) or `label`{nearest(usual, records.columns)}",
            )
