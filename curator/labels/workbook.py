"""The label queue as an Excel workbook, with drop-downs and a fixed header."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from curator.labels.queue import VERDICTS, QueueRow
from curator.labels.rows import read_label_rows
from curator.labels.sheet import COLUMNS, NAMES, QUEUE_SHEET, Part, cells
from curator.labels.shown import category_names
from curator.labels.tool import LabelTool
from curator.records import JsonValue

_HELP, _LISTS = "instructions", "lists"
_COLOURS: Mapping[Part, str] = {"judge": "FFD9E2F3", "fill": "FFFFF2CC", "help": "FFEDEDED", "program": "FFEDEDED"}
"""Of the header: blue to read, yellow to fill in, grey for the rest."""
_TEXT = "@"
"""The format of a text, which keeps a spreadsheet from making a number or a date of what a person types."""
_ROW_HEIGHT = 90
"""Points: six lines; a row as high as its longest text would fill the screen."""
_HEADER_ROWS = 1
_NOT_IN_XML = re.compile("[\ufffe\uffff]")
_SAVED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_EPOCH = "2000-01-01T00:00:00Z"
"""The time in the file: the same queue is the same bytes, whenever it is written."""
_INSTRUCTIONS = (
    "One row is one case: read `question` and `answer`, and fill in the yellow columns.",
    "verdict: pass if the answer is right, fail if it is not, unsure if you looked and cannot tell; or a number, 0 (failed) to 1 (right).",
    "label: the right answer, where you know it; beside a verdict, or without one.",
    "note: what others should know of the case. corrected_category: the category that the case belongs to, where `category` is mistaken.",
    "labelled_by: your name, if several people label. Where a name is filled in already, do the rows with yours.",
    "Do one batch at a time, from 1 on, and finish it. You may stop after each batch.",
    "Leave the other columns as they are. Hidden columns are for the program: do not delete them. Sort whole rows, never a single column.",
    "Save the file as .xlsx or as CSV (UTF-8), and leave it where it is: the next `curator run` on the folder reads it.",
)


def xlsx_chunks(rows: Iterable[QueueRow]) -> Iterator[bytes]:
    """Encode the rows as a workbook; all texts are texts, whatever they begin with."""
    import openpyxl

    queue = list(rows)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = QUEUE_SHEET
    _write_header(sheet, rows=len(queue))
    for number, row in enumerate(queue, 1 + _HEADER_ROWS):
        _write_row(sheet, number, cells(row))
    _write_instructions(book.create_sheet(_HELP))
    _write_lists(sheet, book.create_sheet(_LISTS), queue)
    file = io.BytesIO()
    book.save(file)
    yield _without_times(file)


def _write_header(sheet: Any, *, rows: int) -> None:  # noqa: ANN401
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    for place, column in enumerate(COLUMNS, 1):
        cell = _put(sheet, 1, place, column.name)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", start_color=_COLOURS[column.part])
        dimension = sheet.column_dimensions[get_column_letter(place)]
        dimension.width, dimension.hidden = column.width, column.part == "program"
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{_HEADER_ROWS + rows}"


def _write_row(sheet: Any, number: int, row: Mapping[str, JsonValue]) -> None:  # noqa: ANN401
    from openpyxl.styles import Alignment

    top = Alignment(wrap_text=True, vertical="top")
    for place, column in enumerate(COLUMNS, 1):
        value = row[column.name]
        if value not in (None, "") or column.part == "fill":
            _put(sheet, number, place, value).alignment = top
    sheet.row_dimensions[number].height = _ROW_HEIGHT


def _put(sheet: Any, row: int, column: int, value: JsonValue) -> Any:  # noqa: ANN401
    """Write a cell: a number as a number, anything else as a text that is never a formula."""
    cell = sheet.cell(row, column)
    if isinstance(value, int | float):
        cell.value = value
        return cell
    cell.number_format = _TEXT
    if value not in (None, ""):
        cell.value = _NOT_IN_XML.sub("\ufffd", str(value))
        cell.data_type = "s"
    return cell


def _write_instructions(sheet: Any) -> None:  # noqa: ANN401
    from openpyxl.styles import Alignment

    sheet.column_dimensions["A"].width = 110
    for number, line in enumerate(_INSTRUCTIONS, 1):
        _put(sheet, number, 1, line).alignment = Alignment(wrap_text=True, vertical="top")


def _write_lists(sheet: Any, lists: Any, queue: Sequence[QueueRow]) -> None:  # noqa: ANN401
    """Offer choices for the cells to fill in: the columns of a hidden sheet."""
    lists.sheet_state = "hidden"
    by_labels: dict[tuple[str, ...], list[int]] = {}
    for number, row in enumerate(queue, 1 + _HEADER_ROWS):
        by_labels.setdefault(row.labels, []).append(number)
    everywhere = list(range(1 + _HEADER_ROWS, 1 + _HEADER_ROWS + len(queue)))
    offers = [("verdict", VERDICTS, everywhere), ("corrected_category", category_names(queue), everywhere)]
    offers += [("label", labels, numbers) for labels, numbers in by_labels.items()]
    place = 0
    for name, choices, numbers in offers:
        if not choices or not numbers:
            continue
        place += 1
        for number, choice in enumerate(choices, 1):
            _put(lists, number, place, choice)
        sheet.add_data_validation(_drop_down(name, place, len(choices), numbers))


def _drop_down(name: str, place: int, choices: int, numbers: Sequence[int]) -> Any:  # noqa: ANN401
    """Return the drop-down for rows of a column; another value may be typed all the same."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    source, target = get_column_letter(place), get_column_letter(1 + NAMES.index(name))
    offered = DataValidation("list", formula1=f"{_LISTS}!${source}$1:${source}${choices}", allow_blank=True)
    offered.showErrorMessage = False
    for first, last in _runs(numbers):
        offered.add(f"{target}{first}:{target}{last}")
    return offered


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield first and last of each run of consecutive numbers."""
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def _without_times(file: io.BytesIO) -> bytes:
    """Return the workbook without the time at which it was written."""
    packed = io.BytesIO()
    with zipfile.ZipFile(file) as saved, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in saved.namelist():
            content = saved.read(name)
            if name == "docProps/core.xml":
                content = _SAVED.sub(_EPOCH.encode(), content)
            out.writestr(zipfile.ZipInfo(name), content, compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()


XLSX = LabelTool(
    "xlsx", "Excel workbook with drop-downs and a sheet of instructions.", ".xlsx", xlsx_chunks, read_label_rows
)
