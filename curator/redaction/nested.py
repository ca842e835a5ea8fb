"""Texts that are encoded within a text, in base64 or hex."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-f]{2}){12,}|(?:[0-9A-F]{2}){12,}")
_PROBE = 24
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffd]")


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text as it is written in base64 or hex, and decoded; `start` is its place."""

    start: int
    original: str
    text: str
    form: Literal["base64", "base64url", "hex"]

    def with_text(self, text: str) -> str:
        """Return another text in the same encoding."""
        data = text.encode()
        if self.form == "hex":
            encoded = data.hex()
            return encoded.upper() if self.original.isupper() else encoded
        encoded = (base64.urlsafe_b64encode(data) if self.form == "base64url" else base64.b64encode(data)).decode()
        return encoded if len(self.original) % 4 == 0 else encoded.rstrip("=")


def encoded_texts(word: str) -> Iterator[EncodedText]:
    """Yield the texts that are encoded in a long word; images and random keys hold none."""
    for match in _BASE64.finditer(word):
        value = match[0]
        text = _hex(value) if _HEX.fullmatch(value) else None
        if text is not None:
            yield EncodedText(match.start(), value, text, "hex")
            continue
        url = "-" in value or "_" in value
        text = _base64(value, url=url)
        if text is not None:
            yield EncodedText(match.start(), value, text, "base64url" if url else "base64")


def _hex(value: str) -> str | None:
    return _readable(bytes.fromhex(value))


def _base64(value: str, *, url: bool) -> str | None:
    body = value.rstrip("=")
    if len(body) % 4 == 1 or (url and ("+" in body or "/" in body)):
        return None
    signs = b"-_" if url else None
    try:
        probe = base64.b64decode(body[: min(_PROBE, len(body) // 4 * 4)], altchars=signs)
        if _readable(probe, partial=True) is None:
            return None
        return _readable(base64.b64decode(body + "=" * (-len(body) % 4), altchars=signs))
    except (binascii.Error, ValueError):
        return None


def _readable(data: bytes, *, partial: bool = False) -> str | None:
    """The bytes as text; None where they are none. The last character of a part may be cut."""
    try:
        text = data.decode("utf-8", "replace" if partial else "strict")
    except UnicodeDecodeError:
        return None
    return None if _UNPRINTABLE.search(text[:-1] if partial else text) else text
