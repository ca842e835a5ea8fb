"""JSON over a whole file: every container gives the same records, and damage costs what it hit."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import RecordError
from curator.readers.json_documents import document_rows
from curator.readers.rows import Records, open_records
from curator.readers.table import Row

RECORDS: list[dict[str, Any]] = [
    {"id": 1, "q": 'a "quoted" \\ [text] {x}', "steps": [{"q": "inner"}]},
    {"id": 2, "q": "é🌦\n", "steps": []},
    {"id": 3, "q": "", "deep": [[[{}]]]},
]


def wraps(value: Mapping[str, Any], *, alone: bool) -> bytes:
    return b"{[" if {"data", "runs"} & value.keys() else b""


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def opened(path: Path, max_bytes: int = 10**6, **options: Any) -> Records:
    return open_records(path, wanted=(), max_bytes=max_bytes, **options)


def read(path: Path, **options: Any) -> list[Row]:
    return list(opened(path, **options).rows)


def good(rows: list[Row]) -> list[Any]:
    return [row.cells for row in rows if not isinstance(row.cells, RecordError)]


def problems(rows: list[Row]) -> list[str]:
    return [row.cells.reason for row in rows if isinstance(row.cells, RecordError)]


CONTAINERS = {
    "array": json.dumps(RECORDS),
    "pretty array": json.dumps(RECORDS, indent=2),
    "array of lines": "[" + ",\n".join(map(json.dumps, RECORDS)) + "]\n",
    "lines with commas": "".join(json.dumps(record) + ",\n" for record in RECORDS),
    "objects one after the other": "".join(map(json.dumps, RECORDS)),
    "pretty objects": "\n".join(json.dumps(record, indent=4) for record in RECORDS),
    "wrapped": json.dumps({"object": "list", "data": RECORDS, "has_more": False, "next": None}),
    "pretty wrapped": json.dumps({"meta": {"page": 1, "total": 3}, "runs": RECORDS}, indent=1),
    "windows": json.dumps(RECORDS, indent=2).replace("\n", "\r\n"),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_its_records(tmp_path: Path, container: str) -> None:
    file = opened(write(tmp_path / "a", CONTAINERS[container]))
    rows = list(file.rows)
    assert file.kind == "json"
    assert good(rows) == RECORDS
    places = [(row.number, row.part) for row in rows]
    assert len(set(places)) == 3
    assert [part for _, part in places] == ([1, 2, 3] if len({number for number, _ in places}) == 1 else [0, 0, 0])


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_the_pieces_of_a_file_do_not_matter(container: str, size: int) -> None:
    data = CONTAINERS[container].encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    rows = list(
        document_rows(
            pieces, max_bytes=1000, wraps=lambda value, *, alone: b"{[" if {"data", "runs"} & value.keys() else b""
        )
    )
    assert good(rows) == RECORDS


def test_the_line_of_a_record_is_the_one_where_it_begins(tmp_path: Path) -> None:
    rows = read(write(tmp_path / "a", json.dumps(RECORDS, indent=1)))
    lines = json.dumps(RECORDS, indent=1).split("\n")
    assert [lines[row.number - 1] for row in rows] == [" {"] * 3
    assert [json.loads(lines[row.number].split(":")[1].strip(" ,")) for row in rows] == [1, 2, 3]


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ({"messages": [{"role": "user", "content": "x"}], "response": "y"}, 1),
        ({"resourceSpans": [{"scopeSpans": []}]}, 1),
        ({"trace": {"id": 1}, "observations": [{"id": 2}]}, 1),
        ({"question": "What is it?", "hits": [{"score": 1}, {"score": 2}], "answer": "a"}, 1),
        ({"note": "a sentence of several words", "rows": [{"a": 1}, {"b": 2}]}, 1),
        ({"rows": [{"a": 1}, {"a": 2}], "page": {"n": 1}}, 2),
        ({"status": "ok", "message": "success", "result": [{"a": 1}, {"a": 2}]}, 2),
        ({"left": [{"a": 1}], "right": [{"a": 2}]}, 1),
        ({"left": [{"messages": [{"role": "user", "content": "x"}]}], "right": [{"a": 2}]}, 2),
        ({"rows": [{"a": 1}, 2]}, 1),
        ({"a": 1}, 1),
    ],
)
def test_only_what_wraps_records_is_taken_apart(tmp_path: Path, document: Any, count: int) -> None:
    for indent in (None, 2):
        assert len(good(read(write(tmp_path / "a.json", json.dumps(document, indent=indent))))) == count


def test_a_caller_says_what_a_record_is(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", json.dumps({"rows": [{"a": 1}, {"a": 2}]}))
    assert len(read(file, is_record=lambda value: "rows" in value)) == 1
    assert len(read(file, is_record=lambda value: "a" in value)) == 2


def test_one_object_of_several_in_a_file_is_a_record_unless_a_reader_knows_its_parts(tmp_path: Path) -> None:
    items = "\n".join(json.dumps({"id": n, "items": [{"a": 1}, {"a": 2}]}) for n in range(3))
    assert [opened(write(tmp_path / "a", items)).kind, len(read(tmp_path / "a"))] == ["jsonl", 3]
    chats = [{"messages": [{"role": "user", "content": "x"}]}] * 2
    pages = "\n".join(json.dumps({"data": chats, "page": n}) for n in range(3))
    assert len(good(read(write(tmp_path / "a", pages)))) == 6


def big(records: int, size: int) -> Iterator[bytes]:
    yield b'{"object": "list", "data": ['
    for n in range(records):
        yield (b", " if n else b"") + orjson.dumps({"n": n, "text": "x" * size})
    yield b'], "has_more": false}'


def test_a_document_larger_than_a_record_takes_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.writelines(big(4000, 5000))
    tracemalloc.start()
    try:
        numbers = [
            row.cells["n"] for row in opened(path, max_bytes=10**6).rows if not isinstance(row.cells, RecordError)
        ]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert numbers == list(range(4000))
    assert peak < 8_000_000


def test_elements_that_a_reader_knows_are_not_read_ahead(tmp_path: Path) -> None:
    chats = [{"messages": [{"role": "user", "content": "x" * 5000}], "response": str(n)} for n in range(3000)]
    path = write(tmp_path / "a.json", orjson.dumps({"object": "list", "data": chats, "has_more": True}))
    tracemalloc.start()
    try:
        answers = [row.cells["response"] for row in opened(path, max_bytes=10**8).rows if isinstance(row.cells, dict)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answers == [chat["response"] for chat in chats]
    assert peak < 8_000_000


def chat(number: int, **more: Any) -> dict[str, Any]:
    return {"request": {"messages": [{"role": "user", "content": f"Where is {number}?"}]}, "response": "Here.", **more}


CHATS = [chat(number) for number in range(3)]
ENVELOPES: dict[str, Any] = {
    "by id": {"id1": CHATS[0], "id2": CHATS[1], "7f3a": CHATS[2]},
    "by id, in an object": {"conversations": {"id1": CHATS[0], "id2": CHATS[1], "x": CHATS[2]}, "next": None},
    "a list in an object": {"data": {"items": CHATS}},
    "a list in objects, with counts": {"status": "ok", "result": {"page": {"rows": CHATS, "total": 3}, "took": 4}},
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ENVELOPES)
def test_the_records_inside_of_objects_are_found(tmp_path: Path, name: str, indent: int | None) -> None:
    text = json.dumps(ENVELOPES[name], indent=indent)
    assert good(read(write(tmp_path / "a.json", text))) == CHATS
    assert good(read(write(tmp_path / "a.jsonl", f"{json.dumps(ENVELOPES[name])}\n" * 2))) == [*CHATS, *CHATS]


@pytest.mark.parametrize("name", ENVELOPES)
def test_the_records_inside_of_objects_of_any_size_take_constant_memory(tmp_path: Path, name: str) -> None:
    chats = [chat(number, pad="x" * 5000) for number in range(3000)]
    whole = json.dumps(ENVELOPES[name])
    at = [whole.index(json.dumps(each)) for each in CHATS]
    joined = ", ".join(
        json.dumps(each) if "list" in name else f'"k{n}": {json.dumps(each)}' for n, each in enumerate(chats)
    )
    start = at[0] if "list" in name else whole.rindex('"id1"', 0, at[0])
    path = write(tmp_path / "a.json", whole[:start] + joined + whole[at[2] + len(json.dumps(CHATS[2])) :])
    del joined
    tracemalloc.start()
    try:
        asked = [row.cells["request"] for row in opened(path, max_bytes=10**8).rows if isinstance(row.cells, dict)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert asked == [each["request"] for each in chats]
    assert peak < 9_000_000


@pytest.mark.parametrize(
    "record",
    [
        {"request": CHATS[0]["request"], "response": {"choices": [{"message": {"role": "assistant", "content": "x"}}]}},
        {
            "inputs": {"messages": [{"role": "user", "content": "x"}]},
            "outputs": {"messages": [{"role": "user", "content": "y"}]},
        },
        {"a": {"messages": [{"role": "user", "content": "x"}]}, "b": {"total": 5}},
        {"log": {"body": CHATS[0]}, "meta": {"region": "eu"}},
    ],
)
def test_the_parts_of_one_record_are_not_taken_apart(tmp_path: Path, record: dict[str, Any]) -> None:
    assert good(read(write(tmp_path / "a.json", json.dumps(record)))) == [record]


def test_the_records_before_a_damaged_one_under_an_id_are_read(tmp_path: Path) -> None:
    text = json.dumps(ENVELOPES["by id"], indent=2).replace('"content": "Where is 2?"', '"content": Where is 2?"')
    rows = read(write(tmp_path / "a.json", text))
    assert good(rows) == CHATS[:2]
    assert len(problems(rows)) == 1


@pytest.mark.parametrize("text", ["x" * 30_000_000, "\\n" * 15_000_000], ids=["plain", "escaped"])
def test_a_record_that_is_too_long_is_passed_over_in_constant_memory(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "a.json", '[{"n": 1}, {"t": [["' + text + '"]]}, {"n": 2}]')
    del text
    tracemalloc.start()
    try:
        rows = read(path, max_bytes=100_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert good(rows) == [{"n": 1}, {"n": 2}]
    assert problems(rows) == ["the record is longer than 0.1 MB"]
    assert peak < 8_000_000


PRETTY = json.dumps([{"n": n, "text": "some words", "list": [{"m": n}]} for n in range(20)], indent=2)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"text": "some words"', '"text": some words"', "no partner"),
        ('"text": "some words"', '"text": "some words', "no partner"),
        ('"m": 7\n      }', '"m": 7\n      ', "no partner"),
        ('"m": 7\n', '"m": 7,\n', "invalid JSON"),
        ('"m": 7\n      }', '"m": 7\n      }}}', "no partner"),
    ],
)
def test_a_damaged_record_of_a_pretty_document_costs_only_itself(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    at = PRETTY.index('"n": 7,')
    assert old in PRETTY[at:]
    rows = read(write(tmp_path / "a.json", PRETTY[:at] + PRETTY[at:].replace(old, new, 1)))
    assert [cells["n"] for cells in good(rows)] == [n for n in range(20) if n != 7]
    (problem,) = problems(rows)
    assert reason in problem


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_cut_off_document_gives_what_stands_before_the_cut(tmp_path: Path, indent: int | None, pack: Any) -> None:
    records = [{"n": n, "noise": Random(n).randbytes(30).hex()} for n in range(300)]
    for document in (records, {"data": records, "object": "list"}):
        data = pack(json.dumps(document, indent=indent).encode())
        rows = read(write(tmp_path / "a.json", data[: len(data) * 2 // 3]))
        assert 100 < len(good(rows)) < 250
        assert good(rows) == records[: len(good(rows))]
        (problem,) = problems(rows)
        assert ("cut off" if pack is gzip.compress else "ends inside a value") in problem


def test_a_list_without_its_end_says_so(tmp_path: Path) -> None:
    rows = read(write(tmp_path / "a.json", '[{"a": 1}, {"a": 2}\n'))
    assert (len(good(rows)), len(problems(rows))) == (2, 1)


def test_an_empty_list_has_no_records(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.json", "[]")) == []


@pytest.mark.parametrize("text", ["[1, 2]\n", "[[{}]]", "[\n1,\n2\n]", "[null]", "]", "{]", '["a", {"b": 1}'])
def test_what_is_no_record_is_told(tmp_path: Path, text: str) -> None:
    rows = read(write(tmp_path / "a.json", text))
    assert problems(rows)
    assert len(good(rows)) == text.count('"b"')


@given(data=st.data(), container=st.sampled_from(sorted(CONTAINERS)), seed=st.integers(0, 10**6))
def test_no_damage_raises_or_loops(data: st.DataObject, container: str, seed: int) -> None:
    text = bytearray(CONTAINERS[container].encode() * 3)
    random = Random(seed)
    for _ in range(data.draw(st.integers(1, 4))):
        at = random.randrange(len(text))
        text[at : at + random.randrange(3)] = random.choice(
            [b"", b'"', b"{", b"}", b"[", b"]", b"\n", b"\\", b"\xff", b"\0"]
        )
    rows = list(document_rows([bytes(text)], max_bytes=500, wraps=wraps))
    assert rows
    assert all(row.cells.remedy for row in rows if isinstance(row.cells, RecordError))
    assert [row.number for row in rows] == sorted(row.number for row in rows)
