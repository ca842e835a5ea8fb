"""Whatever happens to a log: every record is a case or set aside, and nothing is raised."""

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.config import FieldMapping, LogsConfig
from curator.labels.read import read_labels
from curator.readers.read import read
from curator.records import Case, RejectedRecord

GOOD = orjson.dumps({"messages": [{"role": "user", "content": "Where is it?"}], "response": "Thére.", "thumb": 1})
ALMOST_ANY_BYTES = st.binary(max_size=6).map(lambda data: data.replace(b"\n", b""))

KEYS = ["messages", "role", "content", "request", "response", "input", "output", "body", "choices", "message", "text"]
KEYS += ["type", "tool_calls", "function", "name", "arguments", "delta", "feedback", "thumb", "rating", "correction"]
KEYS += ["metadata", "task", "kind", "error", "status", "finish_reason", "label", "id", "model", "max_tokens", "stop"]
WORDS = [
    "user",
    "assistant",
    "system",
    "tool",
    "text",
    "image_url",
    "stop",
    "length",
    "up",
    "5",
    "{}",
    "[]",
    "",
    " ",
    "x",
]
WORDS += ['[{"role": "user", "content": "x"}]', '{"role": "assistant", "content": "y"}', "failure", "json", "\0", "é🌦"]

values = st.recursive(
    st.sampled_from(WORDS) | st.none() | st.booleans() | st.integers(-2, 6) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool"]), "content": st.text(max_size=5) | values}
    )
    | values,
    max_size=4,
)
log_records = st.fixed_dictionaries({}, optional={**dict.fromkeys(KEYS, values), "messages": messages})


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name)


def read_all(path: Path, data: bytes, **config: Any) -> list[Case | RejectedRecord]:
    path.write_bytes(data)
    found = list(read(LogsConfig(**config), paths=[str(path)]))
    for record in found:
        assert record.source.file == str(path)
        if isinstance(record, Case):
            assert any(message.role == "user" and message.content.strip() for message in record.messages)
            assert record.id.startswith("c")
            orjson.dumps(record)
        else:
            assert record.reason
            assert record.remedy
    return found


@st.composite
def damaged_lines(draw: st.DrawFn) -> list[bytes]:
    lines = []
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(GOOD)))
        lines.append(GOOD[:at] + draw(ALMOST_ANY_BYTES) + GOOD[at + draw(st.integers(0, 40)) :])
    return lines


@settings(max_examples=150, deadline=None)
@given(lines=damaged_lines(), mapped=st.booleans(), packing=st.sampled_from([bytes, gzip.compress, zstandard.compress]))
def test_damaged_jsonl_adds_up(folder: Path, lines: list[bytes], mapped: bool, packing: Any) -> None:
    mapping = FieldMapping(input="messages", target="response") if mapped else None
    found = read_all(folder / "a.jsonl", packing(b"\n".join([GOOD, *lines])), mapping=mapping)
    numbers = [number for number, line in enumerate([GOOD, *lines], start=1) if line and not line.isspace()]
    assert [record.source.line for record in found] == numbers
    assert isinstance(found[0], Case)


@settings(max_examples=120, deadline=None)
@given(records=st.lists(log_records, min_size=1, max_size=3), mapped=st.booleans())
def test_records_of_every_shape_add_up(folder: Path, records: list[dict[str, Any]], mapped: bool) -> None:
    mapping = FieldMapping(input="input", target="output", thumb="rating", metadata=("metadata",)) if mapped else None
    data = b"\n".join(map(orjson.dumps, records))
    found = read_all(folder / "b.jsonl", data, mapping=mapping, format="mapped" if mapped else "chat")
    # one object alone may wrap several records
    assert sorted({record.source.line for record in found}) == list(range(1, len(records) + 1))


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=200), name=st.sampled_from(["c.jsonl", "c.csv", "c.log"]))
def test_any_bytes_are_read_without_an_exception(folder: Path, data: bytes, name: str) -> None:
    text = data.replace(b"\0", b"")
    assert len(read_all(folder / name, data)) <= sum(map(text.count, (b"\n", b"{", b"[", b"]"))) + 1


table_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)


@settings(max_examples=150, deadline=None)
@given(cells=st.lists(st.tuples(table_text, table_text), max_size=6), delimiter=st.sampled_from([",", ";", "\t"]))
def test_a_table_comes_back_as_it_was_written(folder: Path, cells: list[tuple[str, str]], delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([("question", "note"), *cells])
    mapping = FieldMapping(input="question", metadata=("note",))
    found = read_all(folder / "d.csv", out.getvalue().encode(), mapping=mapping)
    assert len(found) == len(cells)
    for record, (question, note) in zip(found, cells, strict=True):
        if isinstance(record, Case):
            assert record.metadata.get("note", "") == note
            assert record.user == question or question.lstrip()[:1] in ("{", "[")
        else:
            assert not question.strip()


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"")), max_size=6))
def test_a_damaged_table_is_read_without_an_exception(folder: Path, lines: list[bytes]) -> None:
    data = b"\n".join([b"q,a", b"one,two", *lines])
    found = read_all(folder / "e.csv", data, mapping=FieldMapping(input="q", target="a"))
    assert len(found) <= len(lines) + 1
    assert isinstance(found[0], Case) or b'"' in data
    numbers = [record.source.line for record in found]
    assert numbers == sorted(set(numbers))


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=120))
def test_damaged_labels_are_read_without_an_exception(folder: Path, data: bytes) -> None:
    path = folder / "labels.csv"
    path.write_bytes(b"case_id,label\nc1,x\n" + data)
    found = read_labels([str(path)])
    assert len(found.labels) + len(found.rejected) <= data.count(b"\n") + 2
