"""Typed access to the JSON rows that curator writes.

A field of another type is a `RecordError` with its remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import orjson

from curator.errors import RecordError
from curator.io.lines import MAX_LINE_BYTES, physical_lines
from curator.records import JsonValue, Scalar

T = TypeVar("T")
RESTORE = "restore the file as curator wrote it, or run the command that wrote it again"


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one row; a method raises `RecordError` where a value has another type."""

    values: Mapping[str, JsonValue]

    @classmethod
    def of(cls, row: object) -> Fields:
        """Check that a JSON value is an object.

        Raises:
            RecordError: it is not.
        """
        if not isinstance(row, dict):
            raise RecordError(f"the row is {_type_name(row)}, not an object", RESTORE)
        return cls(row)

    def value(self, key: str) -> JsonValue:
        """Return a value of any type, or None where the field is absent."""
        return self.values.get(key)

    def text(self, key: str) -> str:
        """Return a text that is there and not empty."""
        value = self.values.get(key)
        if isinstance(value, str) and value:
            return value
        raise self._misfit(key, "a text")

    def optional_text(self, key: str) -> str | None:
        """Return a text, or None where the field is null or absent."""
        value = self.values.get(key)
        if value is None or isinstance(value, str):
            return value
        raise self._misfit(key, "a text or null")

    def number(self, key: str) -> float:
        """Return a number; true and false are not numbers."""
        value = self.optional_number(key)
        if value is None:
            raise self._misfit(key, "a number")
        return value

    def optional_number(self, key: str) -> float | None:
        """Return a number, or None where the field is null or absent."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        raise self._misfit(key, "a number or null")

    def whole(self, key: str, default: int | None = None) -> int:
        """Return a whole number, or `default` where the field is null or absent."""
        value = self.values.get(key, default)
        value = default if value is None else value
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self._misfit(key, "a whole number")

    def optional_whole(self, key: str) -> int | None:
        """Return a whole number, or None where the field is null or absent."""
        return None if self.values.get(key) is None else self.whole(key)

    def one_of(self, key: str, allowed: Collection[str]) -> str:
        """Return one of the allowed texts."""
        value = self.values.get(key)
        if isinstance(value, str) and value in allowed:
            return value
        raise self._misfit(key, f"one of {', '.join(allowed)}")

    def optional_one_of(self, key: str, allowed: Collection[str]) -> str | None:
        """Return one of the allowed texts, or None where the field is null or absent."""
        return None if self.values.get(key) is None else self.one_of(key, allowed)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; () where the field is null or absent."""
        value = self.values.get(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(cast("list[str]", value))
        raise self._misfit(key, "a list of texts")

    def items(self, key: str) -> list[JsonValue]:
        """Return a list that is there."""
        value = self.values.get(key)
        if isinstance(value, list):
            return value
        raise self._misfit(key, "a list")

    def scalars(self, key: str) -> dict[str, Scalar]:
        """Return an object of texts, numbers, true and false; {} where the field is null or absent."""
        value = self.values.get(key)
        if value is None:
            return {}
        if isinstance(value, dict) and all(isinstance(item, str | int | float) for item in value.values()):
            return cast("dict[str, Scalar]", value)
        raise self._misfit(key, "an object of texts and numbers")

    def object(self, key: str) -> dict[str, JsonValue]:
        """Return any object; {} where the field is null or absent."""
        value = self.values.get(key)
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        raise self._misfit(key, "an object")

    def numbers(self, key: str) -> dict[str, float] | None:
        """Return an object of numbers, or None where the field is null or absent."""
        value = self.values.get(key)
        if value is None:
            return None
        return {name: Fields.of(value).number(name) for name in Fields.of(value).values}

    def optional_numbers(self, key: str) -> dict[str, float | None] | None:
        """Return an object of numbers and nulls, or None where the field is null or absent."""
        value = self.values.get(key)
        if value is None:
            return None
        return {name: Fields.of(value).optional_number(name) for name in Fields.of(value).values}

    def _misfit(self, key: str, wanted: str) -> RecordError:
        if key not in self.values:
            return RecordError(f"`{key}` is missing", RESTORE)
        return RecordError(f"`{key}` is {_shown(self.values[key])}, not {wanted}", RESTORE)


def rows_of(path: Path, from_json: Callable[[object], T]) -> Iterator[T]:
    """Read the rows of one of curator's JSONL files.

    Raises:
        RecordError: a line is not a row of the file; the reason begins with the file and the line.
    """
    for line in physical_lines(path, max_bytes=MAX_LINE_BYTES):
        try:
            yield from_json(_parsed(line.data))
        except RecordError as error:
            raise error.inside(f"{str(path)!r}, line {line.number}") from error


def _parsed(data: bytes | None) -> object:
    try:
        return orjson.loads(data or b"null")
    except orjson.JSONDecodeError as error:
        raise RecordError(f"not valid JSON ({error})", RESTORE) from error


def _type_name(value: object) -> str:
    return "null" if value is None else type(value).__name__


def _shown(value: JsonValue) -> str:
    return repr(value) if not isinstance(value, list | dict) else _type_name(value)
