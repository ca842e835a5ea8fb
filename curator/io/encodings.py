"""Text of any usual encoding as UTF-8.

An encoding that no byte proves is a guess, and marked as one.
A byte that does not belong to the encoding stays a byte that is not UTF-8, so that it spoils one record.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from curator.errors import RecordError

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
LEGACY = "windows-1252"
"""The 8-bit encoding that is guessed, a superset of Latin-1. Others have to be named."""
HEAD_BYTES = 1 << 18
_LEGACY_LINES, _LEGACY_SHARE = 2, 0.05
"""The least number and share of lines that are not UTF-8 in a legacy file: fewer may as well be damaged."""
_UNIT = re.compile(rb"\n|\},")
"""The end of a line, or of an object where a whole JSON document is one line."""
_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
_NOT_LEGACY = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f\x81\x8d\x8f\x90\x9d]")
"""Control characters, and bytes that are nothing in windows-1252."""
_FEW_ZEROS, _MANY_ZEROS, _ZEROS_SHARE = 4, 20, 0.6
"""Zeros at every other byte are UTF-16 if there are many, as in Chinese text with ASCII punctuation, or a few in a short text."""

NAME_IT = "name its encoding in `logs: {encoding: ...}` if that is wrong"
SAVE_IT = "save it as UTF-8 if that is wrong"
"""Remedies of a guess: of logs, and of files for which the config has no encoding."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding of a text.

    It is `guessed` if neither a byte order mark nor valid UTF-8 proves it and no option names it.
    """

    name: str
    guessed: bool = False
    mark: bytes = b""

    def notes(self) -> tuple[str, ...]:
        """A sentence for the user about a guess."""
        if not self.guessed:
            return ()
        return (f"the text is not UTF-8 and was read as {self.name}; {NAME_IT}",)


def find_encoding(head: bytes) -> Encoding:
    """Return the encoding of a text by its first bytes.

    A byte order mark decides. Without one, zeros at every other byte are UTF-16; lines that are not UTF-8 are
    windows-1252 if they are several, outnumber the other lines with non-ASCII letters by far, and their words look Latin.
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return Encoding(name, mark=mark)
    if b"\0" in head and (utf16 := _utf16_without_mark(head)):
        return Encoding(utf16, guessed=True)
    return Encoding(LEGACY, guessed=True) if _is_legacy(head) else Encoding("utf-8")


def as_utf8(pieces: Iterable[bytes], name: str | None = None) -> tuple[Encoding, Iterator[bytes]]:
    """Return the encoding of a text and its content as UTF-8, without a byte order mark.

    `name` replaces the guess. A byte order mark is stronger than a name.
    """
    head, rest = _head(iter(pieces))
    encoding = find_encoding(head)
    if name is not None and not encoding.mark:
        encoding = Encoding(codecs.lookup(name).name)
    content = chain([head.removeprefix(encoding.mark)], rest)
    return encoding, content if encoding.name == "utf-8" else _transcoded(content, encoding.name)


def _head(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a text, and the rest; damage in the first bytes is raised by the rest."""
    head = bytearray()
    try:
        for piece in pieces:
            head += piece
            if len(head) >= HEAD_BYTES:
                break
    except RecordError as error:
        return bytes(head), _raising(error)
    return bytes(head), pieces


def _raising(error: RecordError) -> Iterator[bytes]:
    yield b""
    raise error


def _transcoded(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(name)(errors=_KEEP)
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogateescape")


def _keep(error: UnicodeError) -> tuple[str, int]:
    """Decode what does not fit to one surrogate.

    It becomes the byte FF, which is never part of UTF-8.
    """
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    raise error


_KEEP = "curator-keep-damage"
codecs.register_error(_KEEP, _keep)


def _utf16_without_mark(head: bytes) -> str | None:
    even, odd = head[::2].count(0), head[1::2].count(0)
    least = max(_FEW_ZEROS, min(_MANY_ZEROS, _ZEROS_SHARE * len(head) / 2))
    if odd >= least and odd > 10 * even:
        return "utf-16-le"
    return "utf-16-be" if even >= least and even > 10 * odd else None


def _is_legacy(head: bytes) -> bool:
    if head.isascii():
        return False
    *whole, last = _UNIT.split(head)
    lines = whole or [last]
    other = [line for line in lines if not line.isascii()]
    bad = [line for line in other if not _is_utf8(line)]
    if len(bad) < max(_LEGACY_LINES, _LEGACY_SHARE * len(lines)) or len(other) - len(bad) > len(bad) // 10:
        return False
    words = [word for line in bad for word in _WORD.findall(line) if not word.isascii()]
    letters = sum(map(len, words))
    high = sum(not byte < 0x80 for word in words for byte in word)
    return 2 * high <= letters and not any(map(_NOT_LEGACY.search, bad))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
