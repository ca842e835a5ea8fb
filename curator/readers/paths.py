"""Paths of keys into records, such as `choices.0.text` and `attributes[key=a.b].value`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from curator.readers.json_text import as_text, decoded
from curator.records import JsonValue

_INDEX = re.compile(r"-?\d{1,9}")
_TYPED = (
    "stringValue",
    "intValue",
    "doubleValue",
    "boolValue",
    "string_value",
    "int_value",
    "double_value",
    "bool_value",
)
"""The keys under which OTLP keeps one value; a path leads through them by itself."""


@dataclass(frozen=True, slots=True)
class _Where:
    """The items of a list whose `key` is `value`; the first one counts."""

    key: str
    value: str


Step: TypeAlias = str | _Where


def lookup(value: JsonValue, path: str) -> JsonValue:
    """Return the value at a path, None if nothing is there.

    A path is the keys from the outside to the inside, joined by dots. In a list `0` is the first item, `-1` the last one, and
    `[key=text]` the first item whose `key` is the text. A key that has dots of its own is found too, and so is a path into a
    text that holds JSON.
    """
    value = decoded(value)
    if isinstance(value, dict) and path in value:
        return value[path]
    return _walk(value, parse_path(path))


@lru_cache(maxsize=4096)
def parse_path(path: str) -> tuple[Step, ...]:
    """The steps of a path; a bracket that is not a step is a part of its key."""
    steps: list[Step] = []
    for part in re.findall(r"(?:[^.\[]|\[(?![^\]]*\]))+|\[[^\]]*\]|\.(?=\.|$)", path):
        if not part.startswith("[") or not part.endswith("]"):
            steps.append("" if part == "." else part)
            continue
        key, equals, text = part[1:-1].partition("=")
        steps.append(_Where(key.strip(), text.strip().strip("\"'")) if equals else key.strip().strip("\"'"))
    return tuple(steps)


def _walk(value: JsonValue, steps: tuple[Step, ...]) -> JsonValue:
    if not steps:
        return _untyped(value)
    value = decoded(value)
    head = steps[0]
    if isinstance(value, list):
        return _walk(_item(value, head), steps[1:])
    if not isinstance(value, dict):
        return None
    if isinstance(head, _Where):
        return _walk(value.get(head.value), steps[1:])  # the list of keys and values as an object
    key = ""
    for at, step in enumerate(steps):
        if not isinstance(step, str):
            break
        key = f"{key}.{step}" if at else step
        if key in value and (inner := _walk(value[key], steps[at + 1 :])) is not None:
            return inner
    plain = _untyped(value)
    return None if plain is value else _walk(plain, steps)


def _item(items: list[JsonValue], step: Step) -> JsonValue:
    if isinstance(step, _Where):
        return next((item for item in items if as_text(lookup(item, step.key)) == step.value), None)
    index = int(step) if _INDEX.fullmatch(step) else len(items)
    return items[index] if -len(items) <= index < len(items) else None


def _untyped(value: JsonValue) -> JsonValue:
    """A value of OTLP without the key of its type, any other one as it is."""
    if isinstance(value, dict) and len(value) == 1:
        ((key, inner),) = value.items()
        return inner if key in _TYPED else value
    return value


def lookup_key(record: Mapping[str, JsonValue], key: str) -> JsonValue:
    """The value of a key, which may be a path into the record."""
    value = record.get(key)
    return lookup(dict(record), key) if value is None and ("." in key or "[" in key) else value


def beginnings(key: str) -> list[str]:
    """The keys that a path may begin with: itself, and each part before a dot or bracket."""
    return [key, *(key[:at] for at, character in enumerate(key) if character in ".[")]
