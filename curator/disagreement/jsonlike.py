"""JSON in answers: found in code fences and prose, and written in one canonical form."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from curator.disagreement.wording import answer_part
from curator.records import JsonValue

_START = re.compile(r"[{\[]")
_FENCE = re.compile(r"```\w*")
_MAX_STARTS = 64


def read_json(text: str) -> tuple[str, str] | None:
    """The JSON value of a text: its canonical form and its wording; None where there is none.

    The whole text, else the longest object or array inside it. In the canonical form keys are sorted, and 2.0 is 2;
    a numeric string stays a string, and true is not 1.
    """
    text = answer_part(text)
    try:
        return _canonical(_DECODER.decode(text)), text
    except (ValueError, RecursionError):
        pass
    found = _longest(text)
    if found is None:
        return None
    start, end = found
    try:
        return _canonical(_DECODER.decode(text[start:end])), text[start:end]
    except RecursionError:
        return None


def is_mostly_json(text: str) -> bool:
    """Whether an object or array makes up at least half of the text."""
    text = _FENCE.sub("", answer_part(text))
    found = _longest(text)
    return found is not None and 2 * (found[1] - found[0]) >= len(text)


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


def _canonical(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _number(digits: str) -> float | int:
    value = float(digits)
    return int(value) if value.is_integer() else value


def _reject(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_reject)
