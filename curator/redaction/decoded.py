"""A text with its escapes undone, and the place of each character in the original."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from urllib.parse import quote, unquote

# Characters without width, which split a word invisibly: soft hyphen, zero-width marks, joiners, byte-order mark, variation
# selectors.
ZERO_WIDTH = "\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff"
_ESCAPE = re.compile(
    rf"""\\u[0-9a-fA-F]{{4}} | \\x[0-9a-fA-F]{{2}} | \\+["'/nrtbf\\] | (?:%[0-9a-fA-F]{{2}})+ | &(?:\#[0-9]{{2,6}}|\#x[0-9a-fA-F]{{2,5}}|amp|quot|apos|lt|gt|colon|commat);
    | [{ZERO_WIDTH}]+ """,
    re.VERBOSE,
)
_ZERO_WIDTH = re.compile(f"[{ZERO_WIDTH}]")
_CONTROLS = {"n": "\n", "r": "\n", "t": "\t", "b": " ", "f": "\n"}
_ROUNDS = 3
"""Escapes within escapes are undone so often: JSON in JSON in JSON, or a URL in a query of a URL."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text without escapes.

    `places[i]` is where character i begins in the original; the last one is its length.
    """

    text: str
    places: Sequence[int]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original that holds these characters."""
        return self.places[start], self.places[end]


def may_hold_escapes(text: str) -> bool:
    """Return whether `decoded` may find anything; cheap."""
    return "\\" in text or "%" in text or "&" in text or (not text.isascii() and _ZERO_WIDTH.search(text) is not None)


def decoded(text: str) -> Decoded | None:
    """Undo the escapes of JSON, URLs and HTML; None where there are none.

    Characters without width are left out.
    """
    view = Decoded(text, range(len(text) + 1))
    for _ in range(_ROUNDS):
        once = _undo(view)
        if once is None:
            break
        view = once
    return None if view.text == text else view


def encoded_like(replacement: str, original: str) -> str:
    """Return a replacement in the escapes of the text that it replaces: a URL stays a URL."""
    return quote(replacement, safe="[]:") if re.search("%[0-9a-fA-F]{2}", original) else replacement


def _undo(view: Decoded) -> Decoded | None:
    parts: list[str] = []
    places: list[int] = []
    last = 0
    for match in _ESCAPE.finditer(view.text):
        plain = _plain(match[0])
        if plain is None:
            continue
        start, end = match.span()
        parts += (view.text[last:start], plain)
        places += view.places[last:start]
        place = start
        for character in plain:
            places.append(view.places[place])
            place += 3 * len(character.encode()) if match[0][0] == "%" else 0
        last = end
    if not parts:
        return None
    return Decoded("".join([*parts, view.text[last:]]), [*places, *view.places[last:]])


def _plain(escape: str) -> str | None:
    """The character of an escape, or those of a row of bytes; None where it is not text."""
    first = escape[0]
    if first == "\\":
        kind = escape.lstrip("\\")
        if kind[:1] in ("u", "x") and len(kind) > 1:
            return chr(int(kind[1:], 16))
        return _CONTROLS.get(kind, kind) if kind else "\\"
    if first == "%":
        try:
            text = unquote(escape, errors="strict")
        except UnicodeDecodeError:
            return None
        return text if text.isprintable() or not text.strip() else None
    if first == "&":
        return unescape(escape)
    return ""
