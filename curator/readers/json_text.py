"""JSON as logs hold it: strict first, then with the NaN and Infinity that some writers emit."""

from __future__ import annotations

import json
from typing import cast

import orjson

from curator.errors import RecordError
from curator.records import JsonValue

EXACT = 2.0**53
"""From here on a number is not the one that was logged; no count, measure or limit is so large."""
_DEEP = 200
"""orjson writes at most 254 levels; a value with fewer brackets than this surely fits into any record of ours."""


def load_object(data: bytes) -> dict[str, JsonValue]:
    """Parse one line of JSONL: NaN and Infinity become null, the last of equal keys counts.

    Raises:
        RecordError: it is not a JSON object in valid UTF-8.
    """
    value = load_value(data)
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        raise RecordError(
            "a JSON array, not an object", "write one object per line: `jq -c '.[]' FILE > NEW.jsonl` takes it apart"
        )
    raise RecordError(
        f"a JSON {type_name(value)}, not an object", 'each line is one record, as a JSON object: {"messages": [...]}'
    )


def decoded(value: JsonValue) -> JsonValue:
    """The value, or its content where it is the text of a JSON object or array, as in exports."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return load_value(value.encode())
        except RecordError:
            return value
    return value


def as_text(value: JsonValue) -> str | None:
    """A value as an answer is shown: text as it is, anything else as its JSON, None for null."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def type_name(value: JsonValue) -> str:
    """The JSON name of a value's type."""
    names: dict[type, str] = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def load_value(data: bytes) -> JsonValue:
    """Parse any JSON value: NaN and Infinity become null.

    Raises:
        RecordError: it is not JSON in valid UTF-8.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return _load_lenient(data, error)
    if data.count(b"{") + data.count(b"[") >= _DEEP:
        _check_writable(value)
    return cast(JsonValue, value)


def _load_lenient(data: bytes, strict: orjson.JSONDecodeError) -> JsonValue:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise invalid_utf8(error.start) from error
    if "NaN" not in text and "Infinity" not in text and "infinity" not in strict.msg:
        raise _explained(text, strict)
    try:
        value = json.loads(text, parse_constant=lambda _: None, parse_int=_bounded_int)
    except (ValueError, RecursionError) as error:
        raise _explained(text, strict) from error
    _check_writable(value)
    return cast(JsonValue, value)


def _bounded_int(text: str) -> int | float:
    return int(text) if len(text) < 19 else float(text)


def _check_writable(value: object) -> None:
    wrapped = value
    for _ in range(254 - _DEEP):
        wrapped = [wrapped]
    try:
        orjson.dumps(wrapped)
    except orjson.JSONEncodeError as error:
        raise RecordError(
            f"JSON that cannot be written again ({error})",
            "fix the writer of the log: nest less deep, keep text valid",
        ) from error


def invalid_utf8(offset: int) -> RecordError:
    """The error for bytes that are not UTF-8 from `offset` (counted from 0) on."""
    return RecordError(
        f"invalid UTF-8 at byte {offset + 1} of the line",
        "write the file as UTF-8, or name the encoding of the logs: `logs: {encoding: windows-1252}`",
    )


def _explained(text: str, error: orjson.JSONDecodeError) -> RecordError:
    if "\0" in text:
        return RecordError(
            "NUL bytes in the line",
            "log rotation by copy-and-truncate leaves them; take them out: `tr -d '\\000' < FILE > NEW`",
        )
    if "surrogate" in error.msg:
        return RecordError(
            "half a character (an unpaired \\ud8xx escape)",
            "the writer of the log cut a text in the middle of an emoji; let it cut at characters",
        )
    if "unexpected end" in error.msg:
        return RecordError(
            "invalid JSON: the record ends too early",
            "write each record whole and on one line; take out a record that was cut off",
        )
    if "after document" in error.msg:
        return RecordError(
            f"invalid JSON: more follows after the value, at character {error.pos + 1}",
            "write one record per line: `jq -c . FILE > NEW.jsonl`",
        )
    return RecordError(
        f"invalid JSON: {error.msg.split(': line ')[0]}, at character {error.pos + 1}",
        "each line is one whole JSON object; pretty-printed JSON becomes JSONL with `jq -c . FILE > NEW.jsonl`",
    )
