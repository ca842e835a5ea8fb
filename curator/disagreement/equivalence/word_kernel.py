"""Distances of texts by a kernel over their sets of content words; they need no model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from math import fsum

import numpy as np
from numpy.typing import NDArray

SCALE = 5.0
"""The number of differing words at which the distance of two texts is 1/2."""
QUESTION_WORD = 0.5
"""The weight of a word of the question: repeating it or leaving it out changes little in an answer."""

_SMALL = 512
"""Words up to which a mask is built bit by bit."""
# Chinese and Japanese are written without blanks: each character counts as a word.
_WORD = re.compile(r"[぀-ヿ㐀-鿿]|[^\W぀-ヿ㐀-鿿]+(?:[.,]\d+)*")
# Negations and numbers are not function words: they change the meaning.
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an the of in on at to for by with from as and or is are was were be been being it its this that these those "
        "which who whom he she they his her their i we you my your our has have had do does did will would can could "
        "may there here so then",
    )
)


def word_list(text: str) -> tuple[str, ...]:
    """Return the content words of a text in small letters, in order; all words if none is."""
    words: list[str] = _WORD.findall(text.casefold())
    return tuple([word for word in words if word not in _FUNCTION_WORDS]) or tuple(words)


def content_words(text: str) -> frozenset[str]:
    """Return the set of `word_list`; the text itself if it has no words."""
    return frozenset(word_list(text)) or frozenset((text,))


def word_distances(texts: Sequence[str], *, question: str = "") -> NDArray[np.float64]:
    """Return the distances (n, n) of n texts: x / (x + s), with s = `SCALE`.

    x is the number of content words that only one of the two texts has; words of the `question` count half. The matrix is
    symmetric, in 0..1, and 0 on the diagonal and between texts with the same words.

    Unlike the share of common words (Jaccard), the distance grows with the number of differing words. On recorded sets that
    ranks wrong answers better (`benchmarks/signal/disagreement.py`). x is a squared Euclidean distance, and s / (s + x) is
    its rational quadratic kernel (Rasmussen and Williams 2006, eq. 4.19, alpha = 1). That kernel is positive definite,
    which keeps the split of Rao's quadratic entropy non-negative.
    """
    places, distinct = _distinct(texts)
    return _matrix(places, _Bags(distinct, question).distance)


def overlap_distances(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the distances (n, n) of n texts: x / (x + min(c, s)).

    x and s are those of `word_distances`; c is the number of content words that both texts have. This is the larger of the `word_distances` and the Jaccard distance. Texts without a common word have the distance 1,
    however short they are.
    """
    places, distinct = _distinct(texts)
    return _matrix(places, _Bags(distinct).difference)


def mean_overlap_distance(texts: Sequence[str]) -> float:
    """Return the mean of `overlap_distances` over all pairs of texts; 0 for fewer than two."""
    n = len(texts)
    counts = Counter(texts)
    if len(counts) < 2:
        return 0.0
    weight = [counts[text] for text in counts]
    counted = _Bags(tuple(counts))
    parts = [counted.difference(i, j) * weight[i] * weight[j] for i in range(len(weight)) for j in range(i)]
    return fsum(parts) / (n * (n - 1) / 2)


def _matrix(places: list[int], distance: Callable[[int, int], float]) -> NDArray[np.float64]:
    """Compute the distances of the distinct texts and copy them to all texts."""
    distinct = max(places, default=-1) + 1
    small = [[0.0] * distinct for _ in range(distinct)]
    for i, row in enumerate(small):
        for j in range(i):
            row[j] = small[j][i] = distance(i, j)
    matrix = np.array(small, dtype=np.float64)
    return matrix if distinct == len(places) else matrix[np.ix_(places, places)]


class _Bags:
    """Texts as bit masks over their words, so that a distance takes a few integer operations."""

    __slots__ = ("_masks", "_question")

    def __init__(self, texts: Sequence[str], question: str = "") -> None:
        places: dict[str, int] = {}
        self._masks = [word_mask(content_words(text), places) for text in texts]
        self._question = word_mask(content_words(question), places) if question else 0

    def distance(self, i: int, j: int) -> float:
        differing = self._masks[i] ^ self._masks[j]
        x = differing.bit_count() - (1 - QUESTION_WORD) * (differing & self._question).bit_count()
        return x / (x + SCALE)

    def difference(self, i: int, j: int) -> float:
        left, right = self._masks[i], self._masks[j]
        x = (left ^ right).bit_count()
        return x / (x + min((left & right).bit_count(), SCALE)) if x else 0.0


def word_mask(words: Collection[str], places: dict[str, int]) -> int:
    """Encode words as the bits of an integer.

    `places` maps each word to its bit; new words are added to it.
    """
    bits_of_words = [places.setdefault(word, len(places)) for word in words]
    if len(places) <= _SMALL:
        mask = 0
        for place in bits_of_words:
            mask |= 1 << place
        return mask
    # Setting the bits of a long integer one by one would copy it each time.
    bits = bytearray(max(bits_of_words, default=0) // 8 + 1)
    for place in bits_of_words:
        bits[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(bits, "little")


def _distinct(texts: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """Return the position of each text among the distinct texts, and the distinct texts."""
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(text, len(numbers)) for text in texts]
    return places, tuple(numbers)
