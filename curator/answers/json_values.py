"""Read JSON in answers, also in code fences and prose, in one canonical form."""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from typing import Literal

from curator.answers.normalization import answer_part
from curator.records import JsonValue

_START = re.compile(r"[{\[]")
_FENCE = re.compile(r"```\w*")
_MAX_STARTS = 64
_TRAILING_COMMA = re.compile(r",\s*([}\]])")
_LONGEST_LITERAL = 5_000
_ORDERED = re.compile(
    r"order|sort|rank|step|seq|path|route|top|history|timeline|instruction|chain|messages|plan", re.IGNORECASE
)


def read_json(text: str) -> tuple[str, str] | None:
    """Read the JSON value of a text, as canonical form and wording; None without one.

    It is the whole text, else the longest object or array in it, else a Python literal (`{'a': True}`) or an object with
    trailing commas. In the canonical form keys are sorted, 2.0 is 2, other numbers have 9 digits, and arrays that are
    sets (see `canonical`) are sorted. A numeric string stays a string, and true is not 1.
    """
    parsed = parse_json(answer_part(text))
    if parsed is None:
        return None
    value, wording = parsed
    try:
        return canonical(value), wording
    except RecursionError:
        return None


def parse_json(text: str) -> tuple[JsonValue, str] | None:
    """Parse the JSON value of a text; return it with the part of the text that it was read from.

    None without a value, and where a number is not finite (NaN, 1e999).
    """
    parsed = _parsed(text)
    try:
        return (_sound(parsed[0]), parsed[1]) if parsed else None
    except (ValueError, RecursionError):
        return None


def json_values(text: str) -> list[JsonValue]:
    """Parse the value that is all of a text, else its objects and arrays; [] without.

    At most 64 starts are tried. Values with numbers that are not finite are left out.
    """
    if parsed := _whole(text):
        values: list[JsonValue] = [parsed[0]]
    else:
        values, position = [], 0
        for _ in range(_MAX_STARTS):
            match = _START.search(text, position)
            if match is None:
                break
            span = json_span(text, match.start())
            position = match.end() if span is None else span[1]
            values += [] if span is None else [span[0]]
        if not any(values) and (lenient := _lenient(text)):
            values = [lenient[0]]
    try:
        return [_sound(value) for value in values]
    except (ValueError, RecursionError):
        return []


def json_span(text: str, start: int) -> tuple[JsonValue, int] | None:
    """Parse the value that begins at `start`; return it with its end, None if it is not JSON."""
    try:
        value, end = _DECODER.raw_decode(text, start)
        return _sound(value), end
    except (ValueError, RecursionError):
        return None


def _whole(text: str) -> tuple[JsonValue, str] | None:
    try:
        return _DECODER.decode(text), text
    except (ValueError, RecursionError):
        return None


def as_json(value: object) -> JsonValue:
    """Convert a Python literal to a JSON value; tuples become arrays.

    Raises:
        ValueError, TypeError: the literal holds a value that JSON cannot have, such as a set or bytes.
    """
    decoded: JsonValue = _DECODER.decode(json.dumps(value, allow_nan=False))
    return _sound(decoded)


def parse_python(text: str, mode: Literal["exec", "eval"] = "exec") -> ast.AST | None:
    """Parse a text as Python; None if it is not Python. Warnings about the text are not shown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, mode=mode)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def is_mostly_json(text: str) -> bool:
    """Return True if a non-empty object or array is at least half of the text."""
    text = _FENCE.sub("", answer_part(text))
    span = _longest(text)
    if span is not None:
        return 2 * (span[1] - span[0]) >= len(text.strip()) and text[span[0] + 1 : span[1] - 1].strip() != ""
    lenient = _lenient(text)
    return lenient is not None and 2 * len(lenient[1]) >= len(text.strip())


def canonical(value: JsonValue) -> str:
    """Write equal JSON values as the same text: sorted keys, no blanks, sorted sets.

    An array is a set if it is the value of a key, has only distinct strings, and the key does not name an order (`steps`,
    `ranking` ...).
    """
    return json.dumps(with_sorted_sets(value), sort_keys=True, separators=(",", ":"))


def with_sorted_sets(value: JsonValue, key: str | None = None) -> JsonValue:
    """Sort all arrays in a value that are sets; `key` is the key of the value itself."""
    if isinstance(value, dict):
        return {name: with_sorted_sets(inner, name) for name, inner in value.items()}
    if not isinstance(value, list):
        return value
    return sorted(value, key=str) if _is_set(value, key) else [with_sorted_sets(inner) for inner in value]


def _is_set(value: list[JsonValue], key: str | None) -> bool:
    if key is None or _ORDERED.search(key):
        return False
    return all(isinstance(item, str) for item in value) and len(set(map(str, value))) == len(value)


def _parsed(text: str) -> tuple[JsonValue, str] | None:
    if whole := _whole(text):
        return whole
    span = _longest(text)
    if span is None:
        return _lenient(text)
    start, end = span
    return _DECODER.decode(text[start:end]), text[start:end]


def _sound(value: JsonValue) -> JsonValue:
    """Replace lone surrogates (half of an escaped pair), which UTF-8 cannot encode.

    Raises:
        ValueError: a number is not finite; all numbers that are too large would be equal.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {str(_sound(name)): _sound(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_sound(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not JSON")
    return value


def _longest(text: str) -> tuple[int, int] | None:
    """Return the span of the longest object or array; the first 64 possible starts are tried."""
    best: tuple[int, int] | None = None
    position = 0
    for _ in range(_MAX_STARTS):
        match = _START.search(text, position)
        if match is None:
            break
        try:
            _, end = _DECODER.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            position = match.end()
            continue
        if best is None or end - match.start() > best[1] - best[0]:
            best = (match.start(), end)
        position = end
    return best


def _lenient(text: str) -> tuple[JsonValue, str] | None:
    """Parse the text from the first to the last brace: a Python literal, or trailing commas."""
    start, end = text.find("{"), text.rfind("}") + 1
    if start < 0 or not start < end <= start + _LONGEST_LITERAL:
        return None
    part = text[start:end]
    try:
        return _DECODER.decode(_TRAILING_COMMA.sub(r"\1", part)), part
    except (ValueError, RecursionError):
        pass
    tree = parse_python(part, "eval")
    try:
        return (as_json(ast.literal_eval(tree)), part) if tree else None
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None


def _number(digits: str) -> float | int:
    value = float(f"{float(digits):.9g}")
    return int(value) if value.is_integer() else value


# Models write line breaks inside strings as they are, which is not allowed in JSON (`strict`).
_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=float, strict=False)
