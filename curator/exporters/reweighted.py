"""Rows of an eval set with new weights; all other bytes of a row stay as they were."""

from __future__ import annotations

import json
from collections.abc import Mapping

import orjson

from curator.records import JsonValue, dump_line

_DECODER = json.JSONDecoder()


def reweighted(line: bytes, changes: Mapping[str, JsonValue]) -> bytes:
    """Return a line with the values of some keys changed or added, and a line feed.

    Spacing, escapes and digits of all other values stay as they are: the file belongs to another tool.
    """
    text = line.decode().strip()
    pieces: list[str] = []
    done, place = 0, _skip(text, 1)
    seen: set[str] = set()
    while text[place] != "}":
        key, after = _DECODER.raw_decode(text, place)
        start = _skip(text, _skip(text, after) + 1)
        _, end = _DECODER.raw_decode(text, start)
        if key in changes:
            pieces += (text[done:start], _dumped(changes[key]))
            done = end
            seen.add(key)
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)
    pieces.append(text[done:place].rstrip())
    added = [f"{_dumped(key)}:{_dumped(value)}" for key, value in changes.items() if key not in seen]
    if added:
        pieces.append(("" if "".join(pieces).strip() == "{" else ",") + ",".join(added))
    return ("".join(pieces) + text[place:] + "\n").encode()


def from_cells(cells: Mapping[str, JsonValue], changes: Mapping[str, JsonValue]) -> bytes:
    """Return the JSON line of a row that was not JSON, such as one of a CSV file."""
    return dump_line({**cells, **changes})


def _skip(text: str, place: int) -> int:
    while text[place] in " \t\r\n":
        place += 1
    return place


def _dumped(value: JsonValue) -> str:
    return orjson.dumps(value).decode()
