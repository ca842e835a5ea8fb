"""The attributes of a span, and which of them a reader used."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from curator.readers.account import EMPTY
from curator.readers.feedback import nonblank
from curator.readers.json_text import EXACT, decoded
from curator.records import JsonValue, Scalar

_CONTENT_WORDS = frozenset((
    "content", "contents", "prompt", "prompts", "completion", "completions", "message", "messages", "input", "inputs", "output",
    "outputs", "query", "question", "answer", "response", "text", "instructions", "system_prompt", "documents", "document",
    "request", "transcript", "feedback", "comment", "correction", "rating", "score", "label", "reference", "expected_output",
    "expected", "tools", "functions", "data", "body",
))  # fmt: skip
"""Last words of keys that bear content."""
_NO_CONTENT = (
    "exception.",
    "http.",
    "url.",
    "server.",
    "net.",
    "code.",
    "telemetry.",
    "process.",
    "db.",
    "messaging.",
    "rpc.",
    "host.",
    "otel.",
)

_MOST_PYTHON = 1_000_000
"""Characters of a list that Python printed: its syntax tree is much larger than the text."""


class Attributes:
    """Attributes by their dotted keys; it remembers which of them were asked for."""

    def __init__(self, values: Mapping[str, JsonValue]) -> None:
        self._values = values
        self._used: set[str] = set()
        self._roots = {key.partition(".")[0] for key in values}

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def root(self, *names: str) -> bool:
        """Return whether the first part of a key is one of the names."""
        return not self._roots.isdisjoint(names)

    def get(self, *keys: str) -> JsonValue:
        """The first value that is not empty; all the keys count as used."""
        first: JsonValue = None
        for key in keys:
            value = self._values.get(key)
            if value is not None:
                self._used.add(key)
                if first is None and value not in EMPTY:
                    first = value
        return first

    def text(self, *keys: str) -> str | None:
        """The first text that is not blank; all the keys count as used."""
        first: str | None = None
        for key in keys:
            value = self._values.get(key)
            if value is not None:
                self._used.add(key)
                first = first or nonblank(value)
        return first

    def number(self, *keys: str) -> float | int | None:
        """The first number; one that is written as a text counts."""
        first: float | int | None = None
        for key in keys:
            value = self._values.get(key)
            if value is not None:
                self._used.add(key)
                number = _number(value) if isinstance(value, str) else value
                if first is None and isinstance(number, int | float) and not isinstance(number, bool):
                    first = number
        return first

    def tree(self, key: str) -> dict[str, JsonValue]:
        """The object at a key: logged whole, as its JSON text, or as dotted keys below it."""
        value = decoded(self.get(key))
        return value if isinstance(value, dict) else nested(self.below(key))

    def items(self, key: str) -> list[JsonValue]:
        """The list at a key: logged whole, as its JSON text, or as the keys `<key>.0.*`, ..."""
        if key.partition(".")[0] not in self._roots:
            return []
        value = decoded(self._values.get(key))
        if isinstance(value, str) and value.startswith("[{'"):
            value = _python_list(value)
        if isinstance(value, list):
            self._used.add(key)
            return [decoded(item) if isinstance(item, str) else nested_value(item) for item in value]
        below = nested(self.below(key, numbered=True))
        return [below[index] for index in sorted(below, key=int)]

    def below(self, key: str, *, numbered: bool = False) -> dict[str, JsonValue]:
        """The values below a key, by the rest of their keys; with `numbered` those of a list only."""
        rest: dict[str, JsonValue] = {}
        if key.partition(".")[0] not in self._roots:
            return rest
        prefix = f"{key}."
        for name, value in self._values.items():
            if name.startswith(prefix):
                inner = name[len(prefix) :]
                if not numbered or inner.partition(".")[0].isdecimal():
                    rest[inner] = value
                    self._used.add(name)
        return rest

    def has(self, prefix: str) -> bool:
        """Return whether a key begins so."""
        return any(name.startswith(prefix) for name in self._values)

    def use(self, keys: Iterable[str]) -> None:
        """Count keys as used, such as those that repeat what was read elsewhere."""
        self._used.update(keys)

    def unused(self) -> tuple[str, ...]:
        """The keys with content that were not asked for; numbers in lists become `*`."""
        paths = {
            ".".join("*" if part.isdecimal() else part for part in key.split("."))
            for key, value in self._values.items()
            if key not in self._used and value not in EMPTY and _bears_content(key)
        }
        return tuple(sorted(paths))


def nested(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """An object from dotted keys; keys that are numbers below the first level make lists."""
    root: dict[str, JsonValue] = {}
    for key, value in values.items():
        node = root
        *path, last = key.split(".")
        for part in path:
            inner = node.get(part)
            if not isinstance(inner, dict):
                inner = node[part] = {}
            node = inner
        present = node.get(last)
        if not (isinstance(present, dict) and present):
            node[last] = nested_value(value)
    return {key: _as_list(value) for key, value in root.items()}


def nested_value(value: JsonValue) -> JsonValue:
    """A value in which no key of an object is dotted."""
    if isinstance(value, dict):
        return nested(value) if any("." in key for key in value) else value
    return [nested_value(item) for item in value] if isinstance(value, list) else value


def scalars(values: Mapping[str, JsonValue]) -> dict[str, Scalar]:
    """The values that metadata can hold."""
    return {key: value for key, value in values.items() if isinstance(value, str | int | float) and value != ""}


def _as_list(value: JsonValue) -> JsonValue:
    if not isinstance(value, dict):
        return value
    inner = {key: _as_list(item) for key, item in value.items()}
    if inner and all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def _python_list(text: str) -> JsonValue:
    """A list as Python prints it, as in CSV of data frames; other texts as they are."""
    if len(text) > _MOST_PYTHON:
        return text
    try:
        value: JsonValue = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, list) else text


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < EXACT else None


def content_keys(record: Mapping[str, JsonValue], read: Iterable[str] = ()) -> tuple[str, ...]:
    """The keys of a record that bear content, without those that are read."""
    return tuple(key for key, value in record.items() if value not in EMPTY and key not in read and _bears_content(key))


def _bears_content(key: str) -> bool:
    last = key.rpartition(".")[2]
    return not key.startswith(_NO_CONTENT) and (last in _CONTENT_WORDS or last.rpartition("_")[2] in _CONTENT_WORDS)
