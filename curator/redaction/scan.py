"""A text prepared for the rules: cheap views that say where a rule can apply at all.

All views are Latin-1 bytes with one byte a character, so that places in them are places in the text. Searching bytes for a
fixed needle costs about half a microsecond for a kilobyte, a regular expression three to twenty times as much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_LONG = 16
"""No key of a provider has a shorter part without separators."""
_WORD_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_NARROW = bytes(97 if i in _WORD_BYTES else 32 for i in range(256))
_WIDE = bytes(97 if i in _WORD_BYTES + b"+/=.~" else 32 for i in range(256))
_DIGITS = bytes(48 if 48 <= i < 58 else 32 for i in range(256))
_DIGITS_AND_POINTS = bytes(48 if 48 <= i < 58 else i if i in b".:" else 32 for i in range(256))
_GROUPING = b" -.()/\xa0?"  # a question mark is any character beyond Latin-1, such as a thin space
_LONG_NUMBER = re.compile("[0-9](?:[-. ()/\u00a0\u2000-\u2015\u202f]{0,3}[0-9]){6,}")
_LONG_WORD, _NUMBER = b"a" * _LONG, b"0" * 7
_NAMED = re.compile(
    rb"pass|secret|token|auth|bearer|api[ _-]?key|pwd|pin\b|cv[vc]|cookie|kennwort|contrase|senha|wachtwoord|cred"
)


@dataclass(frozen=True)
class Scan:
    """A text and its views, made when a rule asks for them."""

    text: str

    @cached_property
    def plain(self) -> bytes:
        """The text with one byte a character; a question mark for those beyond Latin-1."""
        return self.text.encode("latin-1", "replace")

    @cached_property
    def lower(self) -> bytes:
        """The same in small letters."""
        return self.plain.lower()

    @cached_property
    def has_number(self) -> bool:
        """True if seven digits follow each other, with or without signs that group them."""
        return _NUMBER in self.plain.translate(_DIGITS, _GROUPING)

    @cached_property
    def number_windows(self) -> tuple[tuple[int, int, int], ...]:
        """The places of runs of seven digits and more with their surroundings, and their lengths."""
        if not self.has_number:
            return ()
        size = len(self.text)
        matches = _LONG_NUMBER.finditer(self.text)
        return tuple((max(0, m.start() - 16), min(size, m.end() + 4), m.end() - m.start()) for m in matches)

    @cached_property
    def digits(self) -> bytes:
        """The text with 0 for each digit, and blanks for all else but full stops and colons."""
        return self.plain.translate(_DIGITS_AND_POINTS)

    @cached_property
    def has_digits(self) -> bool:
        """True if two digits follow each other."""
        return b"00" in self.digits

    @cached_property
    def has_secret_name(self) -> bool:
        """True if the text names a secret: password, token ..."""
        return _NAMED.search(self.lower) is not None or not self.text.isascii()

    @cached_property
    def long_words(self) -> tuple[tuple[int, int], ...]:
        """The places of long runs of letters, digits and the signs of base64, URLs and paths."""
        narrow = self.plain.translate(_NARROW)
        return tuple(_runs(narrow, self.plain.translate(_WIDE))) if _LONG_WORD in narrow else ()


def _runs(narrow: bytes, wide: bytes) -> Iterator[tuple[int, int]]:
    at = narrow.find(_LONG_WORD)
    while at >= 0:
        start = wide.rfind(b" ", 0, at) + 1
        end = wide.find(b" ", at)
        end = len(wide) if end < 0 else end
        yield start, end
        at = narrow.find(_LONG_WORD, end)
