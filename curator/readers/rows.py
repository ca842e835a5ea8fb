"""A log file of any shape as rows: JSONL or CSV, by its first lines, else by its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from curator.errors import RecordError
from curator.io.lines import Line, bare_suffix, physical_lines
from curator.readers.json_text import load_object
from curator.readers.table import Row, open_table

_Shape = Literal["jsonl", "table", "document"]

_HEAD_LINES = 10
_HEAD_BYTES = 1 << 20
_DOCUMENT = RecordError(
    "one JSON value over the whole file, not JSONL",
    "write one record per line: `jq -c '.[]' FILE > NEW.jsonl` for an array, `jq -c . FILE > NEW.jsonl` for objects",
)


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a file to come; `columns` are those of a CSV file, None for JSONL."""

    columns: tuple[str, ...] | None
    rows: Iterator[Row]


def open_records(path: Path, *, wanted: Sequence[str], max_bytes: int, by_hand: bool = False) -> Records:
    """Open a JSONL or CSV file, packed or not.

    `wanted` are the columns that a delimiter is chosen by. A file that cannot be taken apart line by line (one JSON value over many lines, one array) is one row with a problem. `by_hand`: people
    filled it in, see `open_table`.
    """
    lines = physical_lines(path, max_bytes=max_bytes)
    head, texts = _head(lines)
    shape = _shape(texts, bare_suffix(path))
    everything = chain(head, lines)
    if shape == "document":
        return Records(None, iter((Row(1, _DOCUMENT),)))
    if shape == "table":
        return Records(*open_table(everything, wanted=wanted, max_bytes=max_bytes, by_hand=by_hand))
    return Records(None, _jsonl_rows(everything))


def _jsonl_rows(lines: Iterator[Line]) -> Iterator[Row]:
    for line in lines:
        data = line.data
        if data is None:
            yield Row(line.number, RecordError(line.problem or "", line.remedy))
        elif data and not data.isspace():
            try:
                yield Row(line.number, load_object(data))
            except RecordError as error:
                yield Row(line.number, error)


def _head(lines: Iterator[Line]) -> tuple[list[Line], list[bytes]]:
    """The first lines, and the texts of those that are not blank."""
    head: list[Line] = []
    texts: list[bytes] = []
    size = 0
    for line in lines:
        head.append(line)
        size += len(line.data or b"")
        if line.data is not None and (text := line.data.strip()):
            texts.append(text)
        if len(texts) >= _HEAD_LINES or len(head) >= 10 * _HEAD_LINES or size > _HEAD_BYTES:
            break
    return head, texts


def _shape(texts: list[bytes], suffix: str) -> _Shape:
    if not texts:
        return "jsonl"
    first, *others = texts
    if first.startswith((b"{", b"[")):
        if _is_document(first, others):
            return "document"
        return "table" if suffix == ".csv" and not _is_object(first) else "jsonl"
    if suffix in (".jsonl", ".ndjson") or (suffix != ".csv" and any(map(_is_object, others))):
        return "jsonl"
    return "table"


def _is_document(first: bytes, others: list[bytes]) -> bool:
    """Return whether the first line begins a JSON value over several lines, or is an array.

    One damaged line at the top of a good JSONL file is not a document: then objects follow.
    """
    if _is_object(first):
        return False
    if not others:
        return first.startswith(b"[") and first.endswith(b"]")
    if not first.endswith((b"{", b"[", b",", b":")):
        return False
    return others[-1] in (b"]", b"}") or not any(map(_is_object, others))


def _is_object(text: bytes) -> bool:
    try:
        load_object(text)
    except RecordError:
        return False
    return True
