"""Text out of logs made safe to show: it is written by strangers, and may be long or hide what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NEWLINES = re.compile("\r\n?|[\u2028\u2029\x85]")
# Control characters, the marks that turn the direction of text around, and halves of surrogate pairs.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text, and how many characters of it are left out."""

    text: str
    omitted: int = 0


def clean(text: str) -> str:
    """The text with plain newlines, and U+FFFD for each character that could hide or reorder what is shown."""
    return _UNSAFE.sub("\ufffd", _NEWLINES.sub("\n", text))


def cut(text: str, limit: int) -> Excerpt:
    """The first `limit` characters of a text."""
    return Excerpt(text[:limit], max(0, len(text) - limit))


def excerpt(text: str, limit: int) -> Excerpt:
    """The beginning of a text, made safe to show."""
    return cut(clean(text).strip(), limit)


def one_line(text: str, limit: int) -> str:
    """A text made safe to show on one line of at most `limit` characters; an ellipsis ends one that was cut."""
    flat = " ".join(clean(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "\u2026"
