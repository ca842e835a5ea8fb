"""The label queue as CSV, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from curator.labels.queue import COLUMNS, QueueRow
from curator.labels.rows import read_label_rows
from curator.labels.tool import LabelTool
from curator.records import CUT_NOTE, FORMULA_STARTS, JsonValue
from curator.text.display import clean, cut

CELL_LIMIT = 32_000  # a spreadsheet cell holds 32,767 characters and spoils the row beyond that
_ALTERNATIVE_LIMIT = 300
_SMALL, _NOTHING = 0.01, 1e-9
"""Between them four decimals show too little of the chance with which a case of a large pool was drawn."""


def csv_chunks(rows: Iterable[QueueRow]) -> Iterator[bytes]:
    """Encode the rows as CSV with a byte-order mark, by which a spreadsheet recognises UTF-8.

    A cell that a spreadsheet would run as a formula gets a leading apostrophe (`guarded`), and one that is too long for a cell
    is cut with a note; the JSONL has every text as it is.
    """
    yield "\ufeff".encode()
    yield _csv_line(COLUMNS)
    for row in rows:
        cells = row.to_json()
        yield _csv_line([guarded(_cell(cells[column])) for column in COLUMNS])


def guarded(cell: str) -> str:
    """Guard a cell from being run: `'` before a leading = + - @, tab or carriage return.

    Taking away a `'` that stands before one of these gives the cell back.
    """
    return "'" + cell if cell.startswith(FORMULA_STARTS) else cell


def _cell(value: JsonValue) -> str:
    """A value as text: numbers with at least four digits, the alternatives one a line."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if _SMALL > value > _NOTHING else f"{value:.4f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        value = "\n".join(_alternative(item) for item in value if isinstance(item, dict))
    cell = cut(clean(str(value)), CELL_LIMIT)
    return f"{cell.text} [{cell.omitted}{CUT_NOTE}" if cell.omitted else cell.text


def _alternative(answer: Mapping[str, JsonValue]) -> str:
    shown = cut(str(answer["text"]), _ALTERNATIVE_LIMIT)
    return f"{answer['count']} x {shown.text}" + (" ..." if shown.omitted else "")


def _csv_line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode(errors="replace")


CSV = LabelTool(
    "csv", "CSV for a spreadsheet: docs/labelling.md explains its columns.", ".csv", csv_chunks, read_label_rows
)
