"""JSON as logs hold it: strict first, then with the NaN and Infinity that some writers emit."""

from __future__ import annotations

import ast
import base64
import json
import re
import zlib
from typing import NoReturn, cast

import orjson

from curator.errors import RecordError
from curator.records import JsonValue

EXACT = 2.0**53
"""From here on a number is not the one that was logged; no count, measure or limit is so large."""
_LONGEST_PREFIX = 500
_PREFIX = re.compile(rb"(?:[\w(<]|\[\w)[^\x00-\x08]*")
_TIME = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?")
_GZIP = "H4sI"
_BASE64 = ("eyJ", "eyA", "ewo", "ew0K", "W3s", "Wwo", _GZIP)
"""How the Base64 of an object, of a list of objects and of a gzip file begin."""
_BASE64_LETTERS = frozenset("eWH")
_BRACKETS = frozenset("{[")
_LARGEST_BODY = 64_000_000
"""Bytes of an unpacked body: requests and responses are smaller, and a small text may be made to unpack to far more."""
_LITERAL = re.compile(r"\s*(?:\[\s*)?\{\s*'|\s*\['")
_OBJECT = re.compile(r"(?=[A-Z])\w*(?:Completion|Message|Response|Result|Content)\w*\(\w+=")
_LONGEST_LITERAL = 1_000_000
_NO_COMMA = re.compile(r"\}\s*\n\s*\{")
_DEEP = 200
"""orjson writes at most 254 levels; a value with fewer brackets than this surely fits into any record of ours."""


def load_object(data: bytes) -> dict[str, JsonValue]:
    """Parse one line of JSONL: NaN and Infinity become null, the last of equal keys counts.

    The object may be encoded twice, or be behind the prefix of a logger.

    Raises:
        RecordError: it is not a JSON object in valid UTF-8.
    """
    try:
        value = load_value(data)
    except RecordError:
        if (behind := behind_prefix(data)) is None:
            raise
        return behind
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and isinstance(inner := decoded(value), dict):  # encoded twice
        return inner
    if isinstance(value, list):
        raise RecordError(
            "a JSON array, not an object", "write one object per line: `jq -c '.[]' FILE > NEW.jsonl` takes it apart"
        )
    raise RecordError(
        f"a JSON {type_name(value)}, not an object", 'each line is one record, as a JSON object: {"messages": [...]}'
    )


def behind_prefix(line: bytes) -> dict[str, JsonValue] | None:
    """The object behind the prefix of a logger; None on any other line.

    Such a line is `2026-01-05 10:00:00 INFO app {...}`. The time in the prefix is that of the record, unless it has one of that name.
    """
    prefix, brace, rest = line.strip().partition(b"{")
    if not brace or len(prefix) > _LONGEST_PREFIX or not _PREFIX.fullmatch(prefix):
        return None
    try:
        value = load_value(brace + rest)
    except RecordError:
        return None
    if not isinstance(value, dict):
        return None
    time = _TIME.search(prefix)
    return {"timestamp": time[0].decode().replace(",", "."), **value} if time else value


def decoded(value: JsonValue) -> JsonValue:
    """The value, or its content where it is the text of an object or array.

    The text is JSON as in exports, JSON in Base64 (also of gzip) as proxies write bodies, or what Python prints of objects, as
    pandas writes them into the cells of a CSV file.
    """
    if not isinstance(value, str):
        return value
    first = value[:1]
    if first in _BASE64_LETTERS and value.startswith(_BASE64):
        return _unpacked(value)
    if first in _BRACKETS or (first.isspace() and value.lstrip()[:1] in _BRACKETS):
        try:
            return load_value(value.encode())
        except RecordError:
            return _of_python(value) if _LITERAL.match(value) else value
    return _of_python(value) if value[-1:] == ")" and _OBJECT.match(value) else value


def _unpacked(text: str) -> JsonValue:
    """The JSON object or array that a text in Base64 holds; the text itself where it holds none."""
    try:
        data = base64.b64decode(text, validate=True)
        if text.startswith(_GZIP):
            unpack = zlib.decompressobj(wbits=31)
            data = unpack.decompress(data, _LARGEST_BODY)
            if not unpack.eof:
                return text
        value = load_value(data)
    except (ValueError, zlib.error, RecordError):
        return text
    return value if isinstance(value, dict | list) else text


def _of_python(text: str) -> JsonValue:
    """The object or array that Python printed so; the text itself where it is none.

    An object of a class, such as `ChatCompletion(id='x', ...)`, is that of its fields. numpy prints the objects of an array
    without commas between their lines.
    """
    if len(text) > _LONGEST_LITERAL:
        return text
    try:
        value = _plain(ast.parse(_NO_COMMA.sub("}, {", text.strip()), mode="eval").body)
        return load_value(orjson.dumps(value))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, RecordError):
        return text


def _plain(node: ast.expr | None) -> object:
    """The value of a literal, or the fields of an object.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(node, ast.Call):
        if not node.args:
            return {field.arg: _plain(field.value) for field in node.keywords}
        return None if not node.keywords else _no_literal()  # such as a date: a fact that is not asked
    if isinstance(node, ast.Dict):
        keys = [ast.literal_eval(key) if key is not None else _no_literal() for key in node.keys]
        return dict(zip(map(str, keys), map(_plain, node.values), strict=True))
    if isinstance(node, ast.List | ast.Tuple):
        return [_plain(item) for item in node.elts]
    if isinstance(node, ast.Name) and node.id in ("nan", "inf"):
        return None
    return ast.literal_eval(node) if node is not None else None


def _no_literal() -> NoReturn:
    raise ValueError("no literal")


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
