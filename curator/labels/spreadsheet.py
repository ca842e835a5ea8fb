"""The label queue as CSV, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from curator.labels.guard import guarded
from curator.labels.queue import QueueRow
from curator.labels.rows import read_label_rows
from curator.labels.sheet import NAMES, cells
from curator.labels.tool import LabelTool
from curator.records import JsonValue

_SMALL, _NOTHING = 0.01, 1e-9
"""Between them four decimals show too little of the chance with which a case of a large pool was drawn."""


def csv_chunks(rows: Iterable[QueueRow]) -> Iterator[bytes]:
    """Encode the rows as CSV with a byte-order mark, by which a spreadsheet recognises UTF-8.

    A cell that a spreadsheet would run as a formula, or change to a number or a date, gets a leading apostrophe (`guarded`),
    and one that is too long for a cell is cut with a note; the JSONL has every text as it is.
    """
    yield "\ufeff".encode()
    yield _csv_line(NAMES)
    for row in rows:
        yield _csv_line([guarded(_cell(value)) for value in cells(row).values()])


def _cell(value: JsonValue) -> str:
    """Return a value as text; numbers have at least four digits."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if _SMALL > value > _NOTHING else f"{value:.4f}".rstrip("0").rstrip(".")
    return str(value)


def _csv_line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode(errors="replace")


CSV = LabelTool(
    "csv", "CSV for a spreadsheet: docs/labelling.md explains its columns.", ".csv", csv_chunks, read_label_rows
)
