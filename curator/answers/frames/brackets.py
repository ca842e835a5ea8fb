"""Brackets and quotes around content: they tell a frame from structured content."""

from __future__ import annotations

import re

from curator.answers.frames.frame import ENDS, Frame
from curator.answers.frames.tokens import NEWLINE, is_word

_SINGLE_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)")
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))


def is_balanced(text: str, without: str = "") -> bool:
    """Return True if a text has its brackets of each sort and its double quotes in pairs.

    Those of `without`, which is a part of the text, are not counted.
    """
    return (text.count('"') - without.count('"')) % 2 == 0 and all(
        text.count(left) - without.count(left) == text.count(right) - without.count(right) for left, right in _BRACKETS
    )


def has_paired_quotes(part: str) -> bool:
    """Return True if the single quotes of a part are in pairs, apostrophes aside."""
    return len(_SINGLE_QUOTE.findall(part)) % 2 == 0


def is_glued(marker: str, before: str, after: str, *, closes: bool = False) -> bool:
    """Return True if a marker of one sign stands inside a word: `get_weather`, `10:30`.

    `before` and `after` are the texts on both sides of the start of what is read; with `closes`, of its end.
    """
    if len(marker) != 1 or is_word(marker):
        return False
    left, right = (before, after[1:]) if closes else (before.rstrip()[:-1], after)
    return bool(left and right) and (closes or before[-1:] == marker) and left[-1].isalnum() and right[0].isalnum()


def enters_brackets(opening: str) -> bool:
    """Return True if a marker ends behind a word in brackets that it opens: `( city =`.

    That is a part of structured content.
    """
    parts = opening.split(" ")
    opened = [
        place
        for place, part in enumerate(parts)
        if part in {"(", "[", "{"} and not is_balanced(" ".join(parts[place:]))
    ]
    return any(is_word(part) for part in parts[opened[0] :] if part) if opened else False


def is_explicit(frame: Frame) -> bool:
    """Return True for a frame that may stand in the middle of a text.

    It is a field, a tag, a fence, or a label with its own line.
    """
    if frame.kind == "field":
        return True
    if frame.kind == "enclosure":
        return len(frame.opening) > 1 or frame.opening > "\x7f"
    if frame.kind != "marker" or not frame.opening:
        return False
    opening, closing = frame.opening.split(" "), frame.closing.split(" ")
    ends_with_sign = not is_word(opening[-1]) and len(opening) > 1
    if frame.closing == "line":
        return ends_with_sign and NEWLINE in opening
    return frame.closing not in ENDS and ends_with_sign and not is_word(closing[0]) and len(closing) > 1
