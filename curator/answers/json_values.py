"""JSON in answers: found in code fences and prose, and written in one canonical form."""

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
    """The JSON value of a text: its canonical form and its wording; None where there is none.

    The whole text, else the longest object or array inside it, else a Python literal (`{'a': True}`) or an object with
    trailing commas. In the canonical form keys are sorted, 2.0 is 2, other numbers have 9 digits, and arrays that are
    sets (see `canonical`) are sorted; a numeric string stays a string, and true is not 1.
    """
    found = parse_json(answer_part(text))
    if found is None:
        return None
    value, wording = found
    try:
        return canonical(value), wording
    except RecursionError:
        return None


def parse_json(text: str) -> tuple[JsonValue, str] | None:
    """The JSON value of a text, and the part of the text that it was read from; None too where a number is NaN or 1e999."""
    found = _parsed(text)
    try:
        return (_sound(found[0]), found[1]) if found else None
    except (ValueError, RecursionError):
        return None


def as_json(value: object) -> JsonValue:
    """A Python literal as the JSON value it stands for: tuples become arrays.

    ValueError or TypeError where it holds what JSON does not, such as sets and bytes.
    """
    found: JsonValue = _DECODER.decode(json.dumps(value, allow_nan=False))
    return _sound(found)


def parse_python(text: str, mode: Literal["exec", "eval"] = "exec") -> ast.AST | None:
    """The syntax tree of a text; None where it is not Python. Warnings about an answer's text are nobody's concern."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, mode=mode)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def is_mostly_json(text: str) -> bool:
    """Whether an object or array that is not empty makes up at least half of the text."""
    text = _FENCE.sub("", answer_part(text))
    found = _longest(text)
    if found is not None:
        return 2 * (found[1] - found[0]) >= len(text.strip()) and text[found[0] + 1 : found[1] - 1].strip() != ""
    lenient = _lenient(text)
    return lenient is not None and 2 * len(lenient[1]) >= len(text.strip())


def canonical(value: JsonValue) -> str:
    """One text for all JSON values that are equal: keys sorted, no blanks, arrays that are sets sorted.

    An array is a set if it is an object's value, holds two or more distinct strings and nothing else, and its key
    names no order (`steps`, `ranking` ...).
    """
    return json.dumps(settled(value), sort_keys=True, separators=(",", ":"))


def settled(value: JsonValue, key: str | None = None) -> JsonValue:
    """The value with the arrays in it that are sets sorted; `key` is the one it stands under."""
    if isinstance(value, dict):
        return {name: settled(inner, name) for name, inner in value.items()}
    if not isinstance(value, list):
        return value
    return sorted(value, key=str) if _is_set(value, key) else [settled(inner) for inner in value]


def _is_set(value: list[JsonValue], key: str | None) -> bool:
    if key is None or _ORDERED.search(key):
        return False
    return all(isinstance(item, str) for item in value) and len(set(map(str, value))) == len(value)


def _parsed(text: str) -> tuple[JsonValue, str] | None:
    try:
        return _DECODER.decode(text), text
    except (ValueError, RecursionError):
        pass
    found = _longest(text)
    if found is None:
        return _lenient(text)
    start, end = found
    return _DECODER.decode(text[start:end]), text[start:end]


def _sound(value: JsonValue) -> JsonValue:
    """The value with lone surrogates (half of an escaped pair) replaced, as no UTF-8 holds them.

    ValueError where a number is not finite: all that are too large would be one.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {str(_sound(name)): _sound(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_sound(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no JSON")
    return value


def _longest(text: str) -> tuple[int, int] | None:
    """The span of the longest object or array; the first 64 places where one may begin are tried."""
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
    """What stands between the first and the last brace, as a Python literal or with trailing commas."""
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


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=float)
