"""Tokens of answers, and the normal form in which the parts inside frames are compared."""

from __future__ import annotations

import re
from functools import lru_cache

UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Scripts that are written without spaces, or attach particles to words: a character of them is a token."""
NEWLINE = "\n"
TOKEN = re.compile(
    rf"(?:(?<![\w)\]}}])[-\u2212])?\d+(?:,\d{{3}}(?!\d))*(?:\.\d+)?|[{UNSPACED}]|[^\W\d_{UNSPACED}]+|\n|[^\w\s]|_"
)
_NEWLINES = re.compile(r"\s*\n\s*")


def tokens(text: str) -> list[str]:
    """Return the words in small letters, numbers, signs and line breaks of a text.

    Several line breaks are one.
    """
    return TOKEN.findall(_NEWLINES.sub(NEWLINE, text.strip()).lower())


@lru_cache(maxsize=1 << 14)
def is_word(token: str) -> bool:
    """Return True for a word or a number."""
    return token[-1].isalnum()


@lru_cache(maxsize=1 << 14)
def canonical(token: str) -> str:
    """Return a number without separators of thousands and last zeros; else the token."""
    if token[-1].isdigit() and ("," in token or "." in token or token[0] == "\u2212"):
        plain = token.replace(",", "").replace("\u2212", "-")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return token


def inner_key(text: str) -> str:
    """Return the words and numbers of a text in one form, or its signs if it has only signs.

    An empty text has the key "".
    """
    parts = tokens(text)
    words = [canonical(token) for token in parts if is_word(token)]
    return " ".join(words or (token for token in parts if token != NEWLINE))
