"""Candidate readings: simple ways to reduce an answer to a key.

A task uses those under which its answers agree most beyond chance (`disagreement/readings/fit.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from curator.answers.json_values import parse_json
from curator.records import JsonValue

Key = str | None
"""What a reading makes of an answer; None where it cannot be read."""
MOST_FIELDS = 8
"""JSON fields that become readings, the most common ones of the task."""
LEAST_SHARE = 0.05
"""The share of a task's answers that must have a JSON field for it to become a reading."""
TAIL = 2000
"""Characters at the end of an answer in which its last number or letter is searched."""
LOOKED_AT = 20_000
"""Characters of an answer that are read, half at its start and half at its end."""

_WORDS = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"-?\d[\d,]*\.?\d*")
_LETTER = re.compile(r"(?<![\w'’])[A-J](?![\w'’])")  # noqa: RUF001 - the typographic apostrophe is meant


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to reduce an answer to a key: two answers agree under it if their keys are equal."""

    name: str
    read: Callable[[str], Key]


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a text that the plain readings share."""

    text: str
    words: tuple[str, ...]
    lines: tuple[str, ...]


@lru_cache(maxsize=1024)
def _parts(text: str) -> _Parts:
    text = text.strip()
    if len(text) > LOOKED_AT:
        text = text[: LOOKED_AT // 2] + "\n" + text[-LOOKED_AT // 2 :]
    lines = tuple(line for line in text.split("\n") if line.strip()) or ("",)
    return _Parts(text, normal_words(text), lines)


def normal_words(text: str) -> tuple[str, ...]:
    """Return the words of a text in small letters, in Unicode's compatibility form."""
    return tuple(_WORDS.findall(unicodedata.normalize("NFKC", text).casefold()))


def _literal(text: str) -> Key:
    return _parts(text).text or None


def _whole(text: str) -> Key:
    return " ".join(_parts(text).words) or None


def _first_line(text: str) -> Key:
    return _line(_parts(text), 0)


def _last_line(text: str) -> Key:
    return _line(_parts(text), -1)


def _line(parts: _Parts, place: int) -> Key:
    words = parts.words if len(parts.lines) == 1 else normal_words(parts.lines[place])
    return " ".join(words) or None


def _first_word(text: str) -> Key:
    return next(iter(_parts(text).words), None)


def _last_word(text: str) -> Key:
    words = _parts(text).words
    return words[-1] if words else None


def _last_number(text: str) -> Key:
    numbers = _NUMBER.findall(_parts(text).text[-TAIL:])
    return numbers[-1].replace(",", "").rstrip(".") if numbers else None


def _last_letter(text: str) -> Key:
    letters = _LETTER.findall(_parts(text).text[-TAIL:])
    return letters[-1] if letters else None


def _sorted_words(text: str) -> Key:
    return " ".join(sorted(set(_parts(text).words))) or None


WHOLE: tuple[Reading, ...] = (
    Reading("whole text", _whole),
    Reading("literal text", _literal),
    Reading("set of words", _sorted_words),
)
"""Readings of the whole answer."""
PLAIN: tuple[Reading, ...] = (
    *WHOLE,
    Reading("first line", _first_line),
    Reading("last line", _last_line),
    Reading("first word", _first_word),
    Reading("last word", _last_word),
    Reading("last number", _last_number),
    Reading("last option letter", _last_letter),
)
"""Readings that every task tries."""


def field_readings(answers: Sequence[str]) -> tuple[Reading, ...]:
    """Return a reading for each JSON field that answers share, the most common first."""
    counts = Counter(path for answer in answers for path in dict(_fields(answer)))
    fewest = max(2.0, LEAST_SHARE * len(answers))
    common = sorted((path for path in counts if counts[path] >= fewest), key=lambda path: (-counts[path], path))
    return tuple(Reading(f"JSON field {path}", partial(_field, path)) for path in common[:MOST_FIELDS])


def _field(path: str, text: str) -> Key:
    return dict(_fields(text)).get(path)


@lru_cache(maxsize=256)
def _fields(text: str) -> tuple[tuple[str, str], ...]:
    """Return the leaves of the JSON value in a text, at most two levels deep."""
    if "{" not in text:
        return ()
    parsed = parse_json(text[-LOOKED_AT:])
    return tuple(_leaves(parsed[0], "", 2)) if parsed else ()


def _leaves(value: JsonValue, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth:
        items: Iterable[tuple[str, JsonValue]] = value.items()
        for name, part in items:
            yield from _leaves(part, f"{path}.{name}" if path else str(name), depth - 1)
    elif path and value is not None:
        yield path, " ".join(normal_words(str(value))) or str(value)
