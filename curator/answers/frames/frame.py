"""Frames around answers, such as `Answer: ...` or a JSON field, and chains of them."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from typing import Literal

from curator.answers.frames.tokens import NEWLINE, UNSPACED, is_word
from curator.answers.json_values import parse_json
from curator.records import JsonValue

FrameKind = Literal["marker", "field", "enclosure", "block", "place"]
LONGEST_FIELDS = 64
"""Fields of one JSON value that are read."""
LONGEST_INSIDE = 2000
"""Characters inside brackets."""

_SENTENCE_END = re.compile(r"[.!?](?=[\"'”’)*]*(?:\s|$))|[。！？]|\n")  # noqa: RUF001
_WORD = re.compile(rf"[-\u2212]?\d+(?:,\d{{3}}(?!\d))*(?:\.\d+)?|[^\W{UNSPACED}]+|[{UNSPACED}]+")
_FIELD = re.compile(r"[\"'“]?([^\W\d][\w -]{0,40})[\"'”]?\s*[:=]\s*(?=[\"'“\[{\d\-tfnTFN])")
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|“([^”]*)”", re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)
_QUOTES = "\"'“”„«»‚‘’`*"  # noqa: RUF001
_OPENING = {")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "」": "「", "』": "『", "》": "《"}  # noqa: RUF001
_CLOSING = {opening: closing for closing, opening in _OPENING.items()}
_FULL_STOP = re.compile(r"(?<=[\w\"')\]}”*])[.,;!。，；！]$")  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in an answer where the part that counts stands.

    Attributes:
        kind: `marker`: between two strings; `field`: a JSON field; `enclosure`: inside a pair of signs; `block`: behind a
            tagged block, such as a block of thinking; `place`: a line, a sentence or a word of the text.
        opening: the marker's tokens, joined by blanks; the path of the field; the opening sign; the tag; or the place:
            `first`, `last`.
        closing: `word`, `sentence`, `line` or `text` for its own end, else the tokens that close it.
        last: the last occurrence of the opening counts, not the first.
        coverage: the share of the task's sampled answers that have the frame.
    """

    kind: FrameKind
    opening: str
    closing: str = "text"
    last: bool = True
    coverage: float = 0.0

    def read(self, text: str) -> str | None:
        """Return the part of a text inside the frame; None without the frame or the part."""
        inner = self.cut_out(text)
        return trimmed(inner) or None if inner is not None else None

    def cut_out(self, text: str) -> str | None:
        """Return all that is inside the frame, with quotes around it; None without the frame."""
        return _READERS[self.kind](self, text)

    @property
    def name(self) -> str:
        """The frame in words for people."""
        shown = self.opening.replace(NEWLINE, "\\n")
        end = "" if self.closing in ENDS else f' up to "{self.closing.replace(NEWLINE, chr(92) + "n")}"'
        if self.kind == "marker":
            return f'after "{shown}"{end}' if shown else f"from the start{end}"
        if self.kind == "field":
            return f"JSON field {shown}" if shown else "the JSON value"
        if self.kind == "enclosure":
            return f"{'last' if self.last else 'first'} {shown}...{self.closing}"
        return f"after the block {shown}" if self.kind == "block" else f"{shown} {self.closing}"


ENDS = ("line", "sentence", "word", "text")
"""Ends of a frame that are not strings."""


@dataclass(frozen=True, slots=True)
class ReadingChain:
    """Levels of frames, the outer ones first.

    At each level, the first frame that an answer has gives the text of the next level.

    Attributes:
        levels: the frames of each level, the ones to try first at the front.
        agreement: the chance that two sampled answers to one case agree in what is read.
        chance: the same for answers to two different cases.
    """

    levels: tuple[tuple[Frame, ...], ...] = ()
    agreement: float = 0.0
    chance: float = 0.0

    def read(self, text: str) -> str:
        """Return the part of an answer inside its frames; the answer itself where it has none.

        It is empty only where a text is empty or was cut off in a block.
        """
        for level in self.levels:
            text = read_level(level, text)
        return text

    @property
    def frames(self) -> tuple[Frame, ...]:
        """All frames, the outer ones first."""
        return tuple(frame for level in self.levels for frame in level)


def read_level(level: tuple[Frame, ...], text: str) -> str:
    """Return the part of a text in the first of the frames that it has, else the text."""
    for frame in level:
        if frame.kind == "block":
            return behind_block(text, frame.opening)
        if (inner := frame.read(text)) is not None:
            return inner
    return text


def behind_block(text: str, tag: str) -> str:
    """Return the text behind a tagged block at its start.

    A block without its start tag ends at its end tag; of a block without its end nothing is left.
    """
    opening, closing = tag_pair(tag)
    if closing in text:
        return text.rpartition(closing)[2].strip()
    return "" if text.lstrip().startswith(opening) else text


def tag_pair(tag: str) -> tuple[str, str]:
    """Return a start tag with its brackets, such as `<think>`, and its end tag."""
    word = re.search(r"\w", tag)
    place = word.start() if word else len(tag)
    return tag, f"{tag[:place]}/{tag[place:]}"


def trimmed(text: str) -> str:
    """Return a text without blanks, quotes, emphasis, lone brackets and a full stop around it."""
    while True:
        text, before = _FULL_STOP.sub("", text.strip()), text
        if len(text) > 1:
            first, end = text[0], text[-1]
            if first in _QUOTES and end in _QUOTES and (first != "`" or end == "`"):
                text = text[1:-1]
            elif (end in _QUOTES and text.count(end) % 2) or (end in _OPENING and _unopened(text, end)):
                text = text[:-1]
            elif (first in _QUOTES and text.count(first) % 2) or (first in _CLOSING and _unclosed(text, first)):
                text = text[1:]
        if text == before:
            return text


def _unopened(text: str, closing: str) -> bool:
    return text.count(closing) > text.count(_OPENING[closing])


def _unclosed(text: str, opening: str) -> bool:
    return text.count(opening) > text.count(_CLOSING[opening])


def _marker(frame: Frame, text: str) -> str | None:
    start = 0
    if frame.opening:
        lower = _lower(text)
        if _rarest(frame.opening) not in lower:
            return None
        matches = _pattern(frame.opening).finditer(lower)
        match = deque(matches, maxlen=1) if frame.last else list(islice(matches, 1))
        if not match:
            return None
        start = match[0].end()
    return cut(text[start:].lstrip(), frame.closing)


@lru_cache(maxsize=64)
def _lower(text: str) -> str:
    lower = text.lower()  # The lower case of a few letters is longer, so that positions would differ.
    return lower if len(lower) == len(text) else text


@lru_cache(maxsize=1024)
def _rarest(opening: str) -> str:
    return max(opening.split(" "), key=len).strip() or NEWLINE


@lru_cache(maxsize=1024)
def _pattern(opening: str) -> re.Pattern[str]:
    """Compile a pattern for tokens with any blanks between them."""
    parts = opening.split(" ")
    pattern = re.escape(parts[0]) if parts[0] != NEWLINE else r"\n\s*"
    for before, part in pairwise(parts):
        if part == NEWLINE:
            pattern += r"[^\S\n]*\n\s*"
        else:
            pattern += ("" if before == NEWLINE else r"\s*") + re.escape(part)
    start = r"(?<![^\W_])" if _is_spaced_word(parts[0]) else ""
    end = r"(?![^\W_])" if _is_spaced_word(parts[-1]) else ""
    return re.compile(start + pattern + end)


def _is_spaced_word(token: str) -> bool:
    return is_word(token) and not re.match(f"[{UNSPACED}]", token)


def cut(text: str, closing: str) -> str | None:
    """Return the start of a text up to a closing; None without it."""
    if closing == "text":
        return text
    if closing == "line":
        return text.partition(NEWLINE)[0]
    if closing == "sentence":
        return _SENTENCE_END.split(text, maxsplit=1)[0]
    if closing == "word":
        match = _WORD.search(text)
        return match[0] if match else None
    match = _pattern(closing).search(_lower(text), 1)
    return text[: match.start()] if match else None


def _field(frame: Frame, text: str) -> str | None:
    return fields(text).get(frame.opening)


@lru_cache(maxsize=64)
def fields(text: str) -> Mapping[str, str]:
    """Return the fields of the JSON in a text by path, in small letters; "" is the whole value.

    Values that are not strings are written as JSON. Of JSON that cannot be parsed, the fields that can be are read.
    """
    parsed = parse_json(text) if "{" in text else None
    if parsed is None or not isinstance(parsed[0], dict):
        return dict(_loose_fields(text)) if "{" in text and ":" in text else {}
    read: dict[str, str] = {}
    for path, value in _walk("", parsed[0]):
        read.setdefault(path, value)
        if len(read) >= LONGEST_FIELDS:
            break
    return read


def _walk(path: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        for name, inner in value.items():
            step = " ".join(name.lower().split())
            yield from _walk(f"{path}.{step}" if path else step, inner)


def _loose_fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield fields of JSON that cannot be parsed: each name, and the string or value after it."""
    position = text.find("{")
    while match := _FIELD.search(text, position):
        name, start = " ".join(match[1].lower().split()), match.end()
        if quoted := _QUOTED.match(text, start):
            yield name, next(part for part in quoted.groups() if part is not None)
            position = quoted.end()
            continue
        position = start
        try:
            value, position = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        yield name, json.dumps(value, ensure_ascii=False)


def _enclosure(frame: Frame, text: str) -> str | None:
    opening, closing = frame.opening, frame.closing
    if opening == closing:
        parts = text.split(opening)
        if len(parts) < 3:
            return None
        inner = parts[(len(parts) - 1) // 2 * 2 - 1] if frame.last else parts[1]
        return without_language(inner) if opening == "```" else inner
    start = (
        text.rfind(opening)
        if len(opening) > 1
        else _last_opened(text, opening, closing)
        if frame.last
        else text.find(opening)
    )
    if start < 0:
        return None
    depth = 0
    for end in range(start + len(opening) - 1, min(len(text), start + LONGEST_INSIDE)):
        depth += (text[end] == opening[-1]) - (text[end] == closing)
        if not depth:
            return text[start + len(opening) : end]
    return None


def _last_opened(text: str, opening: str, closing: str) -> int:
    """Return where the last bracket of a text that is closed begins; -1 without one."""
    depth, end = 0, text.rfind(closing)
    for start in range(end, max(-1, end - LONGEST_INSIDE), -1):
        depth += (text[start] == closing) - (text[start] == opening)
        if not depth:
            return start
    return -1


def without_language(block: str) -> str:
    """Return a fenced block without the name of its language."""
    name, newline, rest = block.partition(NEWLINE)
    return rest if newline and len(name.split()) <= 1 else block


def _block(frame: Frame, text: str) -> str | None:
    rest = behind_block(text, frame.opening)
    return rest if rest != text else None


def _place(frame: Frame, text: str) -> str | None:
    if frame.closing == "word":
        words = _WORD.findall(text)
        return words[-1 if frame.last else 0] if words else None
    if frame.closing == "line":
        lines = text.strip().split(NEWLINE)
        return lines[-1 if frame.last else 0]
    sentences = [part for part in _SENTENCE_END.split(text) if part.strip(_QUOTES + " ")]
    return sentences[-1 if frame.last else 0] if sentences else None


_READERS = {"marker": _marker, "field": _field, "enclosure": _enclosure, "block": _block, "place": _place}
