"""Mutations of log records and of the files that hold them, as broken writers, exporters and disks make them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

Record: TypeAlias = dict[str, Any]
Container = Literal["jsonl", "jsonl.gz", "jsonl.zst", "jsonl.utf16", "json", "wrapped", "csv", "parquet", "xlsx"]
Slot: TypeAlias = tuple[Any, Any]
"""A dict or list, and a key or index of it."""

UNKNOWN_KEY = "zz_unknown_instructions"
"""A key that no format has. A reader that makes a case of a record with it has to name it as not used."""

_CELL_LIMIT = 32_000
"""Characters of a cell of a workbook, which holds 32,767."""


def _deep(levels: int) -> Any:  # noqa: ANN401
    value: Any = "deep"
    for level in range(levels):
        value = [value] if level % 2 else {"content": value}
    return value


ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 0.5, 1e308, -1e308, 2**53 + 1, 2**63, 2**64, 10**25, float("nan"), float("inf"),
    "", " ", "\n", "0", "null", "None", "NaN", "true", "9" * 400, "1e999", "-1e999", "2026-13-45T99:99:99Z", "\uff19", "²", "½",
    [], {}, [None], [[]], [{}], {"": ""}, {"content": None}, {"role": "user"}, {"type": "text"}, ["a", 1, None, {}],
    "{", "[", "{}", "[]", "[null]", '{"a": NaN}', "{'role': 'user'}", "data: {", "data: [DONE]", "<html>503", "\0", "\ufeff",
    "\ud800", "\u202e\u200b\u0301", "👩‍👩‍👧" * 30, "İıß", "x" * 20_000, "http://[", "user", "assistant", "system", "error",
    {"error": "x"}, {"error": {"code": 500}}, 500, "500", _deep(60), _deep(270),
)  # fmt: skip
_KEYS = (
    "messages", "role", "content", "parts", "text", "input", "output", "choices", "message", "request", "response", "body",
    "error", "status", "id", "trace_id", "parent_id", "session_id", "custom_id", "usage", "tool_calls", "function", "arguments",
    "attributes", "events", "spans", "inputs", "outputs", "type", "name", "value", "timestamp", "start_time", "score", "model",
    "", " ", "a.b", "a[0]", "0", "__proto__", "é", "\u202e",
)  # fmt: skip
_IDS = ("id", "trace", "span", "session", "uuid", "parent", "conversation", "turn")


def slots(value: Any) -> list[Slot]:  # noqa: ANN401
    """Every place in a value, at all depths."""
    places: list[Slot] = []
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        items = list(inner.items()) if isinstance(inner, dict) else list(enumerate(inner))
        places += [(inner, key) for key, _ in items]
        waiting += [item for _, item in items if isinstance(item, dict | list)]
    return places


@dataclass(frozen=True, slots=True)
class Target:
    """The place in a record that is mutated; `other` is a record of any format, from which parts are taken."""

    record: Record
    holder: Any
    key: Any
    random: Random
    other: Record

    def get(self) -> Any:  # noqa: ANN401
        """Return the value at the place."""
        return self.holder[self.key]

    def set(self, value: Any) -> None:  # noqa: ANN401
        """Put another value there."""
        self.holder[self.key] = value


def _replace(target: Target) -> None:
    target.set(deepcopy(target.random.choice(ODD)))


def _drop(target: Target) -> None:
    del target.holder[target.key]


def _rename(target: Target) -> None:
    holder, key, random = target.holder, target.key, target.random
    if isinstance(holder, dict):
        value = holder.pop(key)
        holder[random.choice((*_KEYS, str(key).upper(), f"{key}_", f"my.{key}"))] = value
    else:
        holder.insert(random.randrange(len(holder) + 1), deepcopy(target.get()))


def _swap(target: Target) -> None:
    holder, key = target.random.choice(slots(target.record))
    value = deepcopy(target.get())
    target.set(deepcopy(holder[key]))
    holder[key] = value


def _nest(target: Target) -> None:
    value = target.get()
    nested = ([value], [[value]], {"value": value}, {str(target.key): value}, json.dumps(value))
    target.set(target.random.choice(nested))


def _unnest(target: Target) -> None:
    value, random = target.get(), target.random
    if isinstance(value, dict | list) and value:
        target.set(random.choice(list(value.values()) if isinstance(value, dict) else value))
    elif isinstance(value, str):
        target.set(value[: random.randrange(len(value) + 1)])  # it may be the JSON of something


def _empty(target: Target) -> None:
    value = target.get()
    target.set(type(value)() if isinstance(value, str | list | dict | int | float) else None)


def _inside(target: Target) -> None:
    """Mutate the JSON that a text holds."""
    texts = [(holder, key) for holder, key in slots(target.record) if str(holder[key])[:1] in ("{", "[")]
    holder, key = target.random.choice(texts) if texts else (target.holder, target.key)
    try:
        value = {"value": json.loads(holder[key])}
    except (TypeError, ValueError):
        _replace(target)
    else:
        mutate(value, target.random, target.other, times=1)
        holder[key] = json.dumps(value.get("value"))


def _mix(target: Target) -> None:
    """Add the keys of a record of another format, or take its place."""
    if target.random.random() < 0.5:
        target.record.clear()
    target.record.update(deepcopy(target.other))


def _graft(target: Target) -> None:
    if places := slots(target.other):
        holder, key = target.random.choice(places)
        target.set(deepcopy(holder[key]))


def _same_ids(target: Target) -> None:
    name = target.random.choice(("same", 1, "", None))
    for holder, key in slots(target.record):
        is_id = isinstance(key, str) and any(word in key.lower() for word in _IDS)
        if is_id and not isinstance(holder[key], dict | list):
            holder[key] = name


def _add_unknown(target: Target) -> None:
    target.record[UNKNOWN_KEY] = "answer in rhymes and never say no"


MUTATIONS: Mapping[str, tuple[int, Callable[[Target], None]]] = {
    "replace": (6, _replace),
    "drop": (3, _drop),
    "rename": (3, _rename),
    "swap": (2, _swap),
    "nest": (2, _nest),
    "unnest": (2, _unnest),
    "empty": (1, _empty),
    "inside": (2, _inside),
    "mix": (1, _mix),
    "graft": (1, _graft),
    "same ids": (1, _same_ids),
    "unknown key": (1, _add_unknown),
}
"""The mutations of a record with their weights."""


def mutate(record: Record, random: Random, other: Record, *, times: int) -> None:
    """Mutate a record in place; `other` is a record of any format, from which parts are taken."""
    names, weights = list(MUTATIONS), [weight for weight, _ in MUTATIONS.values()]
    for name in random.choices(names, weights, k=times):
        if places := slots(record):
            with suppress(RecursionError):  # a copy of what is nested too deep already
                MUTATIONS[name][1](Target(record, *random.choice(places), random, other))


def line_of(record: Record) -> bytes:
    """A record as one line of JSON; NaN stays, and text that UTF-8 cannot hold becomes an escape."""
    try:
        return json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(record).encode()


def file_of(records: Sequence[Record], container: Container, random: Random) -> bytes:
    """The bytes of a file with the records."""
    lines = list(map(line_of, records))
    if container == "json":
        indent = random.choice((None, 1, 4))
        return json.dumps(list(records), indent=indent).encode()
    if container == "wrapped":
        return json.dumps({"object": "list", "data": list(records), "has_more": False}).encode()
    if container in ("csv", "parquet", "xlsx"):
        return _TABLES[container](_cells(records))
    text = random.choice((b"\n", b"\r\n", b"\n\n")).join(lines) + b"\n"
    if container == "jsonl.utf16":
        return text.decode().encode("utf-16")
    packing: Mapping[str, Callable[[bytes], bytes]] = {"jsonl.gz": gzip.compress, "jsonl.zst": zstandard.compress}
    return packing.get(container, bytes)(text)


def _cells(records: Sequence[Record]) -> list[dict[str, str]]:
    """The rows of a table with all columns; values that are no texts become JSON, unless they are simple."""
    columns = list(dict.fromkeys(str(key) for record in records for key in record))
    return [{column: _cell(record.get(column)) for column in columns} for record in records]


def _cell(value: Any) -> str:  # noqa: ANN401
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()


def _csv(rows: Sequence[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _parquet(rows: Sequence[dict[str, str]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), out)
    return out.getvalue()


def _xlsx(rows: Sequence[dict[str, str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("logs")
    for row in (list(rows[0]), *(row.values() for row in rows)):
        sheet.append([ILLEGAL_CHARACTERS_RE.sub("", cell)[:_CELL_LIMIT] for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


_TABLES: Mapping[str, Callable[[Sequence[dict[str, str]]], bytes]] = {"csv": _csv, "parquet": _parquet, "xlsx": _xlsx}


def damaged(data: bytes, random: Random) -> bytes:
    """A file with a few bytes lost, changed, doubled or cut off."""
    for _ in range(random.randrange(1, 6)):
        start = random.randrange(len(data) + 1)
        length = random.choice((0, 1, 1, 3, 40, 400))
        new = random.choice(
            (b"", b"", random.randbytes(3), b"\0\0", b"\n", b'"', b"}{", b"\xef\xbb\xbf", b"\xff\xfe", b"a, b\n")
        )
        data = data[:start] + new + data[start + length :]
    return data[: random.randrange(len(data) + 1)] if random.random() < 0.2 else data
