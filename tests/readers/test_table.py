import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from curator.errors import RecordError
from curator.readers.rows import open_records


def rows(
    path: Path, data: bytes, wanted: Sequence[str] = (), max_bytes: int = 1000
) -> tuple[tuple[str, ...] | None, list[tuple[int, dict[str, object] | str]]]:
    path.write_bytes(data)
    found = open_records(path, wanted=wanted, max_bytes=max_bytes)
    return found.columns, [
        (row.number, row.cells.reason if isinstance(row.cells, RecordError) else dict(row.cells)) for row in found.rows
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(file: Path, delimiter: str) -> None:
    text = f"a{delimiter}b\n1{delimiter}2\n"
    assert rows(file, text.encode()) == (("a", "b"), [(2, {"a": "1", "b": "2"})])


def test_a_wanted_column_decides_the_delimiter(file: Path) -> None:
    assert rows(file, b"a;b,c,d\n", wanted=["b,c,d"])[0] == ("a", "b,c,d")
    assert rows(file, b"a;b,c,d\n")[0] == ("a;b", "c", "d")


def test_one_column(file: Path) -> None:
    assert rows(file, b"text\n\nhello\n") == (("text",), [(3, {"text": "hello"})])


def test_rows_over_several_lines_are_numbered_by_their_first(file: Path) -> None:
    data = b'a,b\r\n"one\r\n\r\ntwo",2\r\n\r\n"x ""y""",\r\n'
    assert rows(file, data)[1] == [(2, {"a": "one\r\n\r\ntwo", "b": "2"}), (6, {"a": 'x "y"', "b": None})]


def test_of_two_columns_with_one_name_the_first_counts(file: Path) -> None:
    assert rows(file, b" a , b,a\n1,2,3\n") == (("a", "b", "a"), [(2, {"a": "1", "b": "2"})])


def test_an_open_quote_spoils_its_own_line_alone(file: Path) -> None:
    found = rows(file, b'a,b\n1,2\n"open,3\n4,5\n6,7\n')[1]
    assert [number for number, _ in found] == [2, 3, 4, 5]
    assert [cells for number, cells in found if number != 3] == [
        {"a": "1", "b": "2"},
        {"a": "4", "b": "5"},
        {"a": "6", "b": "7"},
    ]


def test_an_open_quote_does_not_collect_more_than_the_limit(file: Path) -> None:
    found = rows(file, b'a,b\n"open,3\n' + b"4,5\n" * 500, max_bytes=100)[1]
    assert "longer than 0.0001 MB" in str(found[0][1])
    assert len(found) == 501
    assert all(cells == {"a": "4", "b": "5"} for _, cells in found[1:])


def test_a_line_that_is_too_long_spoils_its_row_alone(file: Path) -> None:
    found = rows(file, b"a,b\n1,2\n" + b"x" * 200 + b",3\n4,5\n", max_bytes=100)[1]
    assert [(number, isinstance(cells, str)) for number, cells in found] == [(2, False), (3, True), (4, False)]


def test_a_line_that_is_too_long_inside_quotes(file: Path) -> None:
    found = rows(file, b'a,b\n"open\n' + b"x" * 200 + b'\nend",2\n4,5\n', max_bytes=100)[1]
    assert "a quote is still open at line 3" in str(found[0][1])
    assert "longer than" in str(found[1][1])
    assert found[-1] == (5, {"a": "4", "b": "5"})


def test_a_field_may_be_longer_than_the_default_limit_of_the_module(file: Path) -> None:
    found = rows(file, b"a,b\n" + b"x" * 200_000 + b",2\n", max_bytes=300_000)[1]
    assert isinstance(found[0][1], dict)


@pytest.mark.parametrize(
    ("line", "reason"), [(b"x\0y,2", "NUL bytes"), (b"caf\xe9,2", "invalid UTF-8"), (b"a\rb,2", "carriage return")]
)
def test_damaged_bytes_are_not_repaired(file: Path, line: bytes, reason: str) -> None:
    found = rows(file, b"a,b\n1,2\n" + line + b"\n3,4\n")[1]
    assert [isinstance(cells, str) for _, cells in found] == [False, True, False]
    assert reason in str(found[1][1])


@pytest.mark.parametrize("header", [b"x" * 200 + b",b", b"caf\xe9,b", b'"open,b', b"a\rb,c"])
def test_a_header_that_cannot_be_read_is_one_problem(file: Path, header: bytes) -> None:
    columns, found = rows(file, header + b"\n1,2\n3,4\n", max_bytes=100)
    assert columns == ()
    assert [isinstance(cells, str) for _, cells in found] == [True]


def test_what_the_csv_module_writes_is_read_back(file: Path) -> None:
    table = [["a", "b"], ['q"uo"te', "x,y;z\tw"], ["two\nlines", " spaced "], ["\ufeffmark", "é🌦"]]
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(table)
    found = rows(file, file.read_bytes())[1]
    assert [list(cells.values()) for _, cells in found if isinstance(cells, dict)] == table[1:]


def test_a_table_that_people_filled_in_may_lack_cells_and_have_blank_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\nid,text,label\na\n,,\n\nb,"two\nlines",x,,\nc,z,x,more\n')
    rows = list(open_records(path, wanted=["id"], max_bytes=1000, by_hand=True).rows)
    assert [row.sheet_row for row in rows] == [3, 6, 7]
    assert [row.number for row in rows] == [3, 6, 8]
    assert rows[0].cells == {"id": "a", "text": None, "label": None}
    assert rows[1].cells == {"id": "b", "text": "two\nlines", "label": "x"}
    assert "4 fields where the header has 3" in str(rows[2].cells)
    strict = [row.cells for row in open_records(path, wanted=["id"], max_bytes=1000).rows]
    assert "1 field where the header has 3" in str(strict[0])


def test_a_line_that_names_the_delimiter_is_not_the_header(file: Path) -> None:
    assert rows(file, b"sep=;\r\na,x;b\r\n1,5;2\r\n") == (("a,x", "b"), [(3, {"a,x": "1,5", "b": "2"})])


@pytest.mark.parametrize("title", ["Export of 2026-11-02", "Export of 2026-11-02,,,", "Export\nof November"])
def test_a_title_above_the_table_is_not_its_header(file: Path, title: str) -> None:
    file.write_text(title + "\n\nid,q,a,s\n" + "1,x,y,z\n" * 3)
    found = open_records(file, wanted=(), max_bytes=1000)
    assert found.columns == ("id", "q", "a", "s")
    assert found.notes == (f"row {2 + title.count(chr(10)) + 1} was taken for the header",)
    assert len([row for row in found.rows if isinstance(row.cells, dict)]) == 3


@pytest.mark.parametrize(
    "data",
    [
        b"1,How are you?,fine\n2,What is it?,that\n",
        b'{"a": 1},x\n{"a": 2},y\n',
        b"billing,x\nbilling,y\nbilling,z\n",
        b"2026-11-02T03:04,x\n2026-11-03T03:04,y\n",
    ],
)
def test_a_missing_header_is_told(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    found = open_records(file, wanted=("question",), max_bytes=1000)
    assert found.columns == tuple(f"column_{n}" for n in range(1, data.split(b"\n")[0].count(b",") + 2))
    assert "the first row looks like data" in found.notes[0]
    assert len(list(found.rows)) == data.count(b"\n")


@pytest.mark.parametrize("data", [b"0,1\nx,y\n", b"2024,2025\na,b\n", b"q,a\n1,2\n", b"q,a\n"])
def test_names_of_columns_are_not_taken_for_data(file: Path, data: bytes) -> None:
    assert rows(file, data)[0] == tuple(data.split(b"\n")[0].decode().split(","))


def test_a_header_that_stands_again_is_not_a_record(file: Path) -> None:
    found = rows(file, b"q,a\nx,y\nq,a\nz,w\nq,a\n")
    assert found[0] == ("q", "a")
    assert [cells for _, cells in found[1] if isinstance(cells, dict)] == [{"q": "x", "a": "y"}, {"q": "z", "a": "w"}]
