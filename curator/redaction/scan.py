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
    rb"pass|secret(?!s)|token(?!s)|auth|bearer|api[ _-]?key|pwd|pin(?![a-z])|cv[vc]|cookie|kennwort|contrase|senha|wachtwoord|cred"
)
"""A part of each word that names a secret (`named.py`)."""
_NAMED_LONGER = {
    b"key": re.compile(
        rb"(?:access|private|signing|encryption|master|license|account|subscription|service|storage|session|refresh|bot|id)[ _-]?key"
    ),
    b"cid": re.compile(rb"(?<![a-z])cid(?![a-z])"),
    b"security": re.compile(rb"security[ _-]code"),
}
"""The others, by a needle: an expression of all takes five times as long, since most letters could begin a match."""
_NAMED_BEYOND_ASCII = re.compile("(?i)\u043f\u0430\u0440\u043e\u043b\u044c|\u5bc6\u7801|\u5bc6\u78bc|\u30d1\u30b9\u30ef\u30fc\u30c9|\ube44\ubc00\ubc88\ud638")  # fmt: skip
_BEFORE_NAME, _AFTER_NAME = 40, 160
"""So far before its first recognised part the name of a secret may begin, and so far behind it its value begins."""
_LIKE_ASCII = {0x17F: "s", 0x212A: "k", 0x130: "i", 0x131: "i"}
"""Letters that an expression without case takes for letters of ASCII."""


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
    def secret_names(self) -> tuple[tuple[int, int], ...]:
        """The surroundings of words that name a secret (password, token ...), in order and apart."""
        places = sorted(self._secret_names())
        size, windows = len(self.text), list[tuple[int, int]]()
        for place in places:
            start, end = max(0, place - _BEFORE_NAME), min(size, place + _AFTER_NAME)
            if windows and start <= windows[-1][1]:
                start = windows.pop()[0]
            windows.append((start, end))
        return tuple(windows)

    def _secret_names(self) -> Iterator[int]:
        text, lower = self.text, self.lower
        if not text.isascii():
            if self.plain.count(b"?") != text.count("?"):
                yield from (match.start() for match in _NAMED_BEYOND_ASCII.finditer(text))
            if any(chr(letter) in text for letter in _LIKE_ASCII):
                lower = text.translate(_LIKE_ASCII).lower().encode("latin-1", "replace")
        yield from (match.start() for match in _NAMED.finditer(lower))
        for part, name in _NAMED_LONGER.items():
            if part in lower:
                yield from (match.start() for match in name.finditer(lower))

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
