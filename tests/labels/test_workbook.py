"""The label queue as a workbook: texts stay texts, what is filled in comes back, and the same rows are the same bytes."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curator.labels import XLSX
from curator.labels.queue import QueueRow
from curator.labels.read import read_labels
from curator.labels.sheet import COLUMNS, NAMES, NO_ANSWER
from curator.readers.rows import open_records
from tests.labels.queues import HOSTILE, rows_of


def saved(rows: list[QueueRow]) -> bytes:
    return b"".join(XLSX.write(rows))


def opened(rows: list[QueueRow]) -> Any:
    import openpyxl

    return openpyxl.load_workbook(io.BytesIO(saved(rows)))


def test_every_text_is_a_text_and_never_a_formula() -> None:
    book = opened([replace(row, labels=HOSTILE[:5], category=HOSTILE[1]) for row in rows_of(HOSTILE)])
    values = [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert {cell.data_type for cell in values} == {"s", "n"}
    assert {cell.column_letter for cell in values if cell.data_type == "n"} <= {"G", "X"}
    assert {"=HYPERLINK(1)", "+1", "-1", "@x"} <= {cell.value for cell in book["label queue"]["B"]}


def test_the_sheet_is_made_for_a_person() -> None:
    rows = [replace(row, labels=("a", "b") if n % 3 else (), target=None) for n, row in enumerate(rows_of("abcdefg"))]
    book = opened(rows)
    sheet = book["label queue"]
    assert (sheet.freeze_panes, book.sheetnames) == ("A2", ["label queue", "instructions", "lists"])
    assert [cell.value for cell in sheet[1]] == list(NAMES)
    assert book["lists"].sheet_state == "hidden"
    hidden = {
        NAMES[n]
        for n, column in enumerate(COLUMNS)
        if sheet.column_dimensions[sheet.cell(1, n + 1).column_letter].hidden
    }
    assert hidden == {column.name for column in COLUMNS if column.part == "program"}
    assert sheet["A2"].alignment.wrap_text
    assert sheet["B2"].value == NO_ANSWER
    offers = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert offers == {"C2:C8": "lists!$A$1:$A$3", "D3:D4 D6:D7": "lists!$B$1:$B$2"}
    assert [cell.value for cell in book["lists"]["A"][:3]] == ["pass", "fail", "unsure"]
    assert sheet["C2"].number_format == sheet["D2"].number_format == "@"


def test_the_same_rows_are_the_same_bytes() -> None:
    first = saved(rows_of(HOSTILE))
    time.sleep(1.1)  # the time in the file has whole seconds
    assert saved(rows_of(HOSTILE)) == first


@pytest.mark.parametrize("text", [*HOSTILE, "a\ufffeb", "_x000D_", "\U0001f600" * 20_000])
def test_what_is_shown_reads_back(tmp_path: Path, text: str) -> None:
    path = tmp_path / "label_queue.xlsx"
    (row,) = rows_of([text])
    path.write_bytes(saved([replace(row, case_id="00123")]))
    (back,) = open_records(path, wanted=("case_id",), max_bytes=10**6).rows
    assert isinstance(back.cells, dict)
    assert (back.cells["case_id"], back.cells["inclusion_probability"]) == ("00123", 0.25)
    assert (read_labels([str(path)]).touched, read_labels([str(path)]).notes) == (False, ())
