"""Tokens of many texts in one array, and the keys of spans of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from curator.answers.frames.tokens import NEWLINE, TOKEN, canonical, is_word

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]
HEAD, TAIL = 160, 320
"""Tokens at the start and at the end of an answer that are searched for markers."""
BASE = np.uint64(0x9E3779B97F4A7C15)

_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
_SIGN_ONLY = np.uint64(0x5851F42D4C957F2D)
_NEWLINES = re.compile(r"\s*\n\s*")
_SENTENCE_SIGNS = frozenset(".!?。！？")  # noqa: RUF001


@dataclass
class Streams:
    """The tokens of all texts in one array, with sums of hashes for the keys of spans."""

    texts: Sequence[str]
    names: list[str] = field(default_factory=list)
    token: Places = field(init=False)
    answer: Places = field(init=False)
    starts: Places = field(init=False)
    ends: Places = field(init=False)
    solid: Places = field(init=False)
    end_of: dict[str, Places] = field(init=False)

    def __post_init__(self) -> None:
        ids: dict[str, int] = {}
        stream: list[int] = []
        closes: list[bool] = []
        starts, ends = [], []
        for text in self.texts:
            starts.append(len(stream))
            _append(_NEWLINES.sub(NEWLINE, text.strip()), ids, stream, closes)
            ends.append(len(stream))
            stream.append(ids.setdefault("", len(ids)))
            closes.append(True)
        self.names = list(ids)
        self.token = np.array(stream)
        self.starts, self.ends = np.array(starts), np.array(ends)
        self.answer = np.repeat(np.arange(len(starts)), self.ends - self.starts + 1)
        self._index(np.array(closes))

    def _index(self, closes: NDArray[np.bool_]) -> None:
        size = len(self.token)
        words = np.array([bool(name) and is_word(name) for name in self.names])[self.token]
        newline = np.array([name in {NEWLINE, ""} for name in self.names])[self.token]
        hashes = np.array([token_hash(name) for name in self.names], dtype=np.uint64)[self.token]
        self.is_word = words
        self._words = _Prefix(np.where(words, hashes, np.uint64(0)), np.concatenate(([0], np.cumsum(words))))
        self._signs = _Prefix(np.where(newline, np.uint64(0), hashes), np.concatenate(([0], np.cumsum(~newline))))
        self.grams = _Prefix(hashes, np.arange(size + 1))
        boundary = np.array([not name for name in self.names])[self.token]
        self.solid = _next(~newline | boundary, size)
        word_ends = np.minimum(_next(words, size) + 1, size)
        self.end_of = {
            "text": np.append(_next(boundary, size), size - 1),
            "line": np.append(_next(newline, size), size - 1),
            "sentence": np.append(_next(closes | newline, size), size - 1),
            "word": np.append(word_ends, size),
        }
        self.solid = np.append(self.solid, size - 1)

    def spans(self, begin: Places, end: Places) -> Hashes:
        """Return the keys of the spans of tokens from `begin` to before `end`."""
        words, signs = self._words.of(begin, end), self._signs.of(begin, end) ^ _SIGN_ONLY
        keys: Hashes = np.where(self._words.count[end] > self._words.count[begin], words, signs)
        return keys


class _Prefix:
    """Sums of hashes with powers, so that the hash of a span is a difference."""

    def __init__(self, hashes: Hashes, count: Places) -> None:
        self.count = count
        most = int(count[-1]) + 1
        with np.errstate(over="ignore"):
            powers = _powers(BASE, most)
            self._inverses = _powers(_INVERSE, most)
            self._sums: Hashes = np.concatenate(
                (np.zeros(1, np.uint64), np.cumsum(hashes * powers[count[:-1]], dtype=np.uint64))
            )

    def of(self, begin: Places, end: Places) -> Hashes:
        spans: Hashes = (self._sums[end] - self._sums[begin]) * self._inverses[self.count[begin]]
        return spans


def _powers(base: np.uint64, count: int) -> Hashes:
    return np.cumprod(np.full(count, base, dtype=np.uint64), dtype=np.uint64)


def key_of(text: str) -> int:
    """Return the key of a text: the same as that of a span with its words."""
    parts = TOKEN.findall(_NEWLINES.sub(NEWLINE, text.strip()).lower())
    words = [part for part in parts if is_word(part)]
    total, power = 0, 1
    for part in words or (part for part in parts if part != NEWLINE):
        total += token_hash(canonical(part)) * power
        power = power * int(BASE) % 2**64
    return total % 2**64 if words else total % 2**64 ^ int(_SIGN_ONLY)


@lru_cache(maxsize=1 << 16)
def token_hash(token: str) -> int:
    """Return a hash of 64 bits that is the same in each process."""
    data = canonical(token).encode("utf-8", "surrogatepass") if token else b""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


def _append(text: str, ids: dict[str, int], stream: list[int], closes: list[bool]) -> None:
    """Append the tokens of a text to the stream; of a long text, its start and its end."""
    lower = text.lower()
    matches = list(TOKEN.finditer(lower))
    if len(matches) > HEAD + TAIL:
        matches = [*matches[:HEAD], *matches[-TAIL:]]
    for match in matches:
        sign, end = match[0], match.end()
        stream.append(ids.setdefault(sign, len(ids)))
        closes.append(sign in _SENTENCE_SIGNS and (sign > "\x7f" or end == len(lower) or not lower[end].isalnum()))


def _next(flags: NDArray[np.bool_], size: int) -> Places:
    """Return for each place the next one where the flag is set, else the last place."""
    places = np.where(flags, np.arange(size), size - 1)
    return np.minimum.accumulate(places[::-1])[::-1]
