"""Workbooks: the right sheet and header, the values that people see, and damage told."""

from __future__ import annotations

import gzip
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from curator.errors import RecordError
from curator.readers.rows import Records, open_records


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if title.startswith("hidden"):
            sheet.sheet_state = "hidden"
    book.save(path)
    return path


def opened(path: Path, wanted: tuple[str, ...] = ()) -> Records:
    return open_records(path, wanted=wanted, max_bytes=10**6)


def test_the_values_are_those_that_people_see(tmp_path: Path) -> None:
    row = [
        "x",
        3,
        3.0,
        3.5,
        True,
        datetime(2026, 11, 2),  # noqa: DTZ001  (a workbook has no time zones)
        datetime(2026, 11, 2, 3, 4),  # noqa: DTZ001
        time(3, 4),
        date(2026, 1, 2),
        " ",
    ]
    path = workbook(tmp_path / "a.xlsx", Tickets=[list("abcdefghij"), row, [None] * 10, ["last"]])
    file = opened(path)
    rows = list(file.rows)
    assert (file.kind, file.columns) == ("xlsx", tuple("abcdefghij"))
    values = ["x", 3, 3, 3.5, True, "2026-11-02", "2026-11-02T03:04:00", "03:04:00", "2026-01-02", None]
    assert [(row.number, list(row.cells.values())) for row in rows if isinstance(row.cells, dict)] == [
        (2, values),
        (4, ["last", *[None] * 9]),
    ]


def test_the_first_visible_sheet_with_a_table_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    table = [["q", "a"], ["x", "y"]]
    path = workbook(tmp_path / "a.xlsx", hidden1=table, Empty=[], Tickets=table, Notes=[["n"], ["z"]])
    file = opened(path)
    assert [row.cells for row in file.rows] == [{"q": "x", "a": "y"}]
    assert file.notes == ("the sheet 'Tickets' was read, and not 'hidden1', 'Empty', 'Notes'",)
    assert [row.cells for row in opened(path, wanted=("n",)).rows] == [{"n": "z"}]


def test_a_title_above_the_table_is_not_its_header(tmp_path: Path) -> None:
    rows = [["Export of 2026-11-02"], [], ["id", "q", "a"], [1, "x", "y"]]
    file = opened(workbook(tmp_path / "a.xlsx", S=rows))
    assert file.columns == ("id", "q", "a")
    assert file.notes == ("the sheet 'S' was read", "row 3 was taken for the header")
    assert [(row.number, row.cells) for row in file.rows] == [(4, {"id": 1, "q": "x", "a": "y"})]


def test_formulas_without_values_are_told_and_error_cells_are_text(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", S=[["q", "sum", "bad"], ["x", "=1+1", "#NAME?"]])
    file = opened(path)
    assert [row.cells for row in file.rows] == [{"q": "x", "sum": None, "bad": "#NAME?"}]
    assert "formulas without stored values were read as empty cells, in 'sum'" in file.notes[1]


def test_a_wrong_size_in_the_file_does_not_hide_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", S=[["q", "a"], *[[f"x{n}", "y"] for n in range(30)]])
    wrong = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(wrong, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<dimension ref="A1:B31"', b'<dimension ref="A1"'))
    assert len(list(opened(wrong).rows)) == 30


def test_a_packed_workbook_is_unpacked(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", S=[["q"], ["x"]])
    (tmp_path / "b.xlsx.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert [row.cells for row in opened(tmp_path / "b.xlsx.gz").rows] == [{"q": "x"}]


def test_a_workbook_without_a_table_or_another_document_is_one_problem(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", S=[], hidden=[["q"], ["x"]])
    other = tmp_path / "b.docx"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    for file, reason in ((path, "no visible sheet with a table"), (other, "not an Excel workbook")):
        (row,) = opened(file).rows
        assert isinstance(row.cells, RecordError)
        assert reason in row.cells.reason


@pytest.mark.parametrize("seed", range(25))
def test_no_damage_ends_the_program(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    path = workbook(tmp_path / "a.xlsx", S=[["q", "a"], *[[f"text {n}", n] for n in range(40)]], T=[["x"]])
    if seed % 2:  # damage in the unpacked content, which no checksum shows
        with zipfile.ZipFile(path) as archive:
            members = {name: bytearray(archive.read(name)) for name in archive.namelist()}
        name = random.choice(sorted(members))
        for _ in range(random.randrange(1, 5)):
            members[name][random.randrange(len(members[name]))] = random.randrange(256)
        with zipfile.ZipFile(path, "w") as archive:
            for member, data in members.items():
                archive.writestr(member, bytes(data))
    else:
        data = bytearray(path.read_bytes())
        for _ in range(random.randrange(1, 8)):
            data[random.randrange(4, len(data))] = random.randrange(256)
        path.write_bytes(data[: len(data) if seed % 3 else len(data) // 2])
    rows = list(opened(path).rows)
    assert rows
    assert all(row.cells.remedy for row in rows if isinstance(row.cells, RecordError))
