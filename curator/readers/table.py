"""CSV as a stream of rows with their first lines; a damaged row costs no other row."""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, islice

from curator.errors import RecordError
from curator.io.lines import Line
from curator.readers.json_text import invalid_utf8
from curator.records import JsonValue
from curator.text.display import plural

_DELIMITERS = (",", ";", "\t", "|")
_DELIMITER_BYTES = tuple(map(str.encode, _DELIMITERS))
_NAMED_DELIMITER = re.compile(rb'"?sep=([,;\t|])"?\s*', re.IGNORECASE)
_TITLE_LINES = 5
"""Lines in which a delimiter is looked for: people write titles above their tables."""
_HEAD_ROWS = 20
"""Rows that show which one is the header, and whether it holds names of columns."""
_REPEATED = 2
_VALUE = re.compile(r"[-+]?\d+([.,]\d+)*%?$|\d{4}-\d\d-\d\d|[{\[]|[0-9a-f]{8}-[0-9a-f]{4}-|https?://", re.IGNORECASE)
"""Numbers, dates, JSON, UUIDs and addresses, which are no names of columns."""
_MAX_ROW_LINES = 100_000
"""More lines than this in one row are an open quote: short lines take far more memory than their bytes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record, or the error that rejects it; an empty cell is None.

    Attributes:
        number: its first line, or its row where the file has no lines, counted from 1.
        cells: its values by column or key.
        sheet_row: the number that a spreadsheet shows beside it, counting cells of several lines once; None outside tables.
        part: its place among the records of one line, counted from 1, as in a JSON document on one line; 0 where it is alone.
    """

    number: int
    cells: dict[str, JsonValue] | RecordError
    sheet_row: int | None = None
    part: int = 0


def open_table(
    lines: Iterator[Line], *, wanted: Sequence[str], max_bytes: int, by_hand: bool = False
) -> tuple[tuple[str, ...], Iterator[Row], tuple[str, ...]]:
    """Return the columns, rows and notes of a CSV file.

    No columns are returned where the header cannot be read.

    The delimiter (comma, semicolon, tab or bar) is the one with which the header has most of the `wanted` columns, then the
    one that gives most columns. `lines` are physical ones, blank ones included. A row longer than `max_bytes` is a
    problem. Where the first row is a record, the columns are named `column_1`, `column_2`, ..., and a note says so.
    In a table that people filled in `by_hand`, blank rows are skipped and rows without their last cells are padded.
    """
    # the module's own limit of 128 KiB a field is one setting for the whole process; `_Feed` holds ours
    csv.field_size_limit(sys.maxsize)
    delimiter, top = _top(lines, wanted)
    if not top:
        return (), iter(()), ()
    feed = _Feed(chain(top, lines), max_bytes)
    rows = _rows(feed, delimiter, before=top[0].number - 1)
    head = list(islice(rows, _HEAD_ROWS))
    header, notes = _header(head)
    if isinstance(header.cells, RecordError):
        return (), iter((Row(header.number, header.cells),)), ()
    columns = tuple(name.strip() for name in header.cells)
    below = head[head.index(header) + 1 :]
    rest: Iterator[_RawRow] = chain(below, rows)
    if not by_hand and set(wanted).isdisjoint(columns) and _is_data(header.cells, [row.cells for row in below]):
        columns = tuple(f"column_{place}" for place in range(1, len(columns) + 1))
        rest = chain([header], rest)
        notes = (f"the first row looks like data; its columns are called {columns[0]} to {columns[-1]}",)
    rest = map(_padding(len(columns)), filter(_is_filled, rest)) if by_hand else rest
    return columns, _named(rest, columns), notes


def _top(lines: Iterator[Line], wanted: Sequence[str]) -> tuple[str, list[Line]]:
    """Return the delimiter and the first lines, of which the last one has it.

    There are no lines where the text is blank. Spreadsheet programs name the delimiter in a first line such as `sep=;`, which
    is left out.
    """
    top: list[Line] = []
    for line in lines:
        if not top and line.data is not None and (named := _NAMED_DELIMITER.fullmatch(line.data)):
            return named[1].decode(), list(islice(lines, 1))
        if top or line.data is None or line.data.strip():
            top.append(line)
        if line.data is None or len(top) >= _TITLE_LINES or any(map(line.data.__contains__, _DELIMITER_BYTES)):
            break
    return _delimiter((top[-1].data if top else None) or b"", wanted), top


def _header(head: Sequence[_RawRow]) -> tuple[_RawRow, tuple[str, ...]]:
    """Return the header, which may be below a title, and a note if it is.

    It is the first row with at least half as many filled cells as most rows have.
    """
    filled = [0 if isinstance(row.cells, RecordError) else sum(map(bool, map(str.strip, row.cells))) for row in head]
    usual = Counter(count for count in filled if count).most_common(1)
    if isinstance(head[0].cells, RecordError) or not usual:
        return head[0], ()
    header = next(row for row, count in zip(head, filled, strict=True) if 2 * count >= usual[0][0])
    return header, (f"row {header.sheet_row} was taken for the header",) if header is not head[0] else ()


@dataclass(frozen=True, slots=True)
class _RawRow:
    number: int
    cells: list[str] | RecordError
    sheet_row: int


def _is_filled(row: _RawRow) -> bool:
    return isinstance(row.cells, RecordError) or any(map(str.strip, row.cells))


def _padding(width: int) -> Callable[[_RawRow], _RawRow]:
    """Return the function that pads a row with its missing last cells, or cuts empty ones off."""

    def padded(row: _RawRow) -> _RawRow:
        if isinstance(row.cells, RecordError) or any(map(str.strip, row.cells[width:])):
            return row
        return replace(row, cells=[*row.cells[:width], *[""] * (width - len(row.cells))])

    return padded


class _Feed:
    """Hands lines to `csv.reader`, and keeps those of the present row to read them again."""

    def __init__(self, lines: Iterator[Line], max_bytes: int) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self._max_bytes = max_bytes
        self._row: list[Line] = []
        self._size = 0
        self._damage: RecordError | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._row.append(line)
        if line.data is None:
            raise _open_quote(line) if len(self._row) > 1 else RecordError(line.problem or "", line.remedy)
        if len(self._row) > _MAX_ROW_LINES:
            raise RecordError(f"the row has more than {_MAX_ROW_LINES:,} lines", "close the quotes where it begins")
        self._size += len(line.data) + 1
        if self._size > self._max_bytes + 1:
            raise RecordError(
                f"the row is longer than {self._max_bytes / 1e6:g} MB",
                "close the quotes where it begins, or raise `logs: {max_record_mb: ...}` if it is real",
            )
        if b"\0" in line.data:
            self._damage = RecordError("NUL bytes in the row", "take them out: `tr -d '\\000' < FILE > NEW`")
        try:
            return line.data.decode() + "\n"
        except UnicodeDecodeError as error:
            self._damage = invalid_utf8(error.start)
            return line.data.decode(errors="replace") + "\n"

    @property
    def number(self) -> int:
        """The first line of the row at hand, 0 before any was handed out."""
        return self._row[0].number if self._row else 0

    @property
    def damage(self) -> RecordError | None:
        """Why the row at hand, well-formed as it may be, is not the one that was written."""
        return self._damage

    def next_row(self) -> None:
        """Begin a row."""
        self._row, self._size, self._damage = [], 0, None

    def reread(self) -> None:
        """Hand the lines of the row at hand out again, all but the first."""
        self._again.extendleft(reversed(self._row[1:]))


def _rows(feed: _Feed, delimiter: str, *, before: int = 0) -> Iterator[_RawRow]:
    """Yield the rows; after a quote that is not closed, the next lines are read again.

    So it costs only its own line. The reader is strict, else such a quote would swallow rows without a word. `before` counts the
    rows of a sheet up to here.
    """
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    for sheet_row in count(before + 1):
        feed.next_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = _explained(error)
        except RecordError as error:
            problem = error
        else:
            if any(cells) or len(cells) > 1:
                yield _RawRow(feed.number, feed.damage or cells, sheet_row)
            continue
        feed.reread()
        yield _RawRow(feed.number, problem, sheet_row)


def _explained(error: csv.Error) -> RecordError:
    if "new-line" in str(error):
        return RecordError(
            "a carriage return in a cell without quotes",
            "put the cell in quotes; a file with carriage returns alone as line ends: `tr '\\r' '\\n' < FILE > NEW`",
        )
    return RecordError(
        f"broken quoting ({error})", 'put a cell that holds quotes in quotes and double those inside: "a ""b"" c"'
    )


def _open_quote(line: Line) -> RecordError:
    return RecordError(f"a quote is still open at line {line.number}: {line.problem}", f"close it; {line.remedy}")


def _named(rows: Iterator[_RawRow], columns: tuple[str, ...]) -> Iterator[Row]:
    """Rows by column; of two columns with one name the first counts."""
    places = {name: columns.index(name) for name in columns}
    for row in rows:
        cells = row.cells
        if isinstance(cells, RecordError):
            yield Row(row.number, cells, row.sheet_row)
        elif tuple(map(str.strip, cells)) == columns:
            again = RecordError(
                "the header stands here again", "nothing is lost; files are best joined without their headers"
            )
            yield Row(row.number, again, row.sheet_row)
        elif len(cells) != len(columns):
            yield Row(
                row.number,
                RecordError(
                    f"{plural(len(cells), 'field')} where the header has {len(columns)}",
                    "put a cell that holds the delimiter or a line feed in quotes",
                ),
                row.sheet_row,
            )
        else:
            yield Row(row.number, {name: cells[place] or None for name, place in places.items()}, row.sheet_row)


def _is_data(first: Sequence[str], others: Sequence[list[str] | RecordError]) -> bool:
    """Return whether the first row holds values, as the rows below it do.

    The names of columns are never repeated below, and are no numbers where the values are.
    """
    rows = [row for row in others if not isinstance(row, RecordError) and len(row) == len(first) and row != first]
    if not rows:
        return False
    for place, cell in enumerate(first):
        column = [row[place] for row in rows]
        if _VALUE.match(cell) and all(_VALUE.match(value) or not value for value in column) and any(column):
            return True
        if cell and column.count(cell) >= max(_REPEATED, len(column) / 10):
            return True
    return False


def _delimiter(header: bytes, wanted: Sequence[str]) -> str:
    text = header.decode(errors="replace").replace("\r", " ")

    def fitness(delimiter: str) -> tuple[int, int]:
        columns = [name.strip() for name in next(csv.reader([text], delimiter=delimiter), [])]
        return sum(name in columns for name in wanted), len(columns)

    return max(_DELIMITERS, key=fitness)
