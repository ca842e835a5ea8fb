"""Excel workbooks as rows: the first visible sheet with a table."""

from __future__ import annotations

import contextlib
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from curator.errors import RecordError
from curator.io import compression
from curator.io.log_file import LogFile
from curator.io.seekable import seekable
from curator.readers.table import Row
from curator.records import JsonValue
from curator.text.display import plural

_HEAD_ROWS = 20
"""Rows in which the header is looked for: people write titles and dates above their tables."""
_LISTED_SHEETS = 5
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, ParseError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError,
    ArithmeticError, RuntimeError,
)  # fmt: skip
"""What openpyxl and the libraries under it raise at damaged workbooks."""


@dataclass(frozen=True, slots=True)
class _Table:
    """The table of a sheet.

    Attributes:
        sheet: the name of the sheet.
        header_row: the row of the header, counted from 1.
        columns: the cells of the header, None where one is empty.
        first_rows: the first rows below it.
    """

    sheet: str
    header_row: int
    columns: tuple[str | None, ...]
    first_rows: tuple[list[JsonValue], ...]


def open_workbook(
    path: LogFile, head: bytes, *, wanted: Sequence[str]
) -> tuple[tuple[str, ...], Iterator[Row], tuple[str, ...]]:
    """Return the columns, the rows (numbered as in the spreadsheet) and the notes of a workbook.

    The sheet is the visible one whose header has most of the `wanted` columns, else the first that holds a table. Whole
    numbers stay whole, dates become ISO text, formulas their stored values, errors such as `#NAME?` their text.

    Raises:
        RecordError: the file is damaged or not a workbook, or no sheet holds a table.
    """
    with _opened(path, head) as book:
        visible = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
        tables = [table for name in visible if (table := _table(book, name))]
        if not tables:
            raise RecordError(
                "the workbook has no visible sheet with a table", "save the table as CSV, or as another sheet"
            )
        table = max(tables, key=lambda each: sum(name in each.columns for name in wanted))
        others = [sheet.title for sheet in book.worksheets if sheet.title != table.sheet]
    notes = [_sheet_note(table.sheet, others)]
    if table.header_row > 1:
        notes.append(f"row {table.header_row} was taken for the header")
    with _opened(path, head, formulas=True) as book:
        notes += _without_values(book, table)
    return tuple(name for name in table.columns if name), _rows(path, head, table), tuple(notes)


def _rows(path: LogFile, head: bytes, table: _Table) -> Iterator[Row]:
    number = table.header_row + 1
    places = {name: table.columns.index(name) for name in table.columns if name}
    try:
        with _opened(path, head) as book:
            for values in _values(book, table.sheet, number):
                cells = {name: values[place] if place < len(values) else None for name, place in places.items()}
                if any(value is not None for value in cells.values()):
                    yield Row(number, cells)
                number += 1
    except RecordError as error:
        yield Row(number, error)


def _values(book: Any, sheet: str, first: int, last: int | None = None) -> Iterator[list[JsonValue]]:  # noqa: ANN401
    worksheet = book[sheet]
    worksheet.reset_dimensions()  # some writers state a wrong size, and openpyxl would read no more than it
    rows = worksheet.iter_rows(min_row=first, max_row=last, values_only=True)
    while True:
        with _quiet():
            row = next(rows, None)
        if row is None:
            return
        yield [_plain(value) for value in row]


def _plain(value: Any) -> JsonValue:  # noqa: ANN401
    """Return the value of a cell as JSON has it; None for an empty one."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()  # a cell with a date has no type of its own
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value) if str(value).strip() else None


def _table(book: Any, sheet: str) -> _Table | None:  # noqa: ANN401
    """Find the header of a sheet: the first row that is at least half as wide as the widest one."""
    rows = list(_values(book, sheet, 1, _HEAD_ROWS))
    filled = [sum(value is not None for value in row) for row in rows]
    for place, count in enumerate(filled):
        if count and 2 * count >= max(filled):
            names = [None if value is None else str(value).strip() for value in rows[place]]
            return _Table(sheet, place + 1, tuple(names), tuple(rows[place + 1 :]))
    return None


def _without_values(formulas: Any, table: _Table) -> Iterator[str]:  # noqa: ANN401
    """Yield a note on columns whose formulas were saved without values."""
    written = _values(formulas, table.sheet, table.header_row + 1, table.header_row + len(table.first_rows))
    columns = {
        name
        for shown, texts in zip(table.first_rows, written, strict=False)
        for name, value, text in zip(table.columns, shown, texts, strict=False)
        if name and value is None and isinstance(text, str) and text.startswith("=")
    }
    if columns:
        yield (
            f"formulas without stored values were read as empty cells, in {', '.join(map(repr, sorted(columns)))}; open the"
            " workbook in a spreadsheet program and save it"
        )


def _sheet_note(sheet: str, others: Sequence[str]) -> str:
    if not others:
        return f"the sheet {sheet!r} was read"
    more = f" and {plural(len(others) - _LISTED_SHEETS, 'more')}" if len(others) > _LISTED_SHEETS else ""
    return f"the sheet {sheet!r} was read, and not {', '.join(map(repr, others[:_LISTED_SHEETS]))}{more}"


@contextlib.contextmanager
def _opened(path: LogFile, head: bytes, *, formulas: bool = False) -> Iterator[Any]:
    """Open a workbook for streaming; what openpyxl raises becomes a RecordError.

    Raises:
        RecordError: the file is damaged, not a workbook or unpacks to too much.
    """
    import openpyxl

    try:
        with seekable(path, head) as file:
            _check_size(file)
            with _quiet():
                book = openpyxl.load_workbook(file, read_only=True, data_only=not formulas)
            with contextlib.closing(book):
                yield book
    except _DAMAGE as error:
        raise RecordError(
            f"the file is not an Excel workbook, or a damaged one ({type(error).__name__}: {str(error)[:200]})",
            "open it in a spreadsheet program, and save it as .xlsx or CSV",
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the warnings of openpyxl back, which are about styles and extensions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _check_size(file: BinaryIO) -> None:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    unpacked, packed = (sum(map(size, members)) for size in (lambda m: m.file_size, lambda m: m.compress_size))
    if unpacked > compression.FREE_BYTES and unpacked > compression.MAX_RATIO * packed:
        raise compression.unpacks_to_too_much()
    file.seek(0)
