"""How far the wordings of answers are apart: a kernel over sets of content words, for free text and between the lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from math import fsum

import numpy as np
from numpy.typing import NDArray

SCALE = 5.0
"""How many differing words make two texts half as far apart as they can be."""
QUESTION_WORD = 0.5
"""What a word counts for that the question holds already: repeating it or leaving it out changes little of an answer."""

_SMALL = 512
# Chinese and Japanese are written without blanks: each character is taken as a word.
_WORD = re.compile(r"[぀-ヿ㐀-鿿]|[^\W぀-ヿ㐀-鿿]+(?:[.,]\d+)*")
# Words that say how, not what. Negations and numbers are not among them.
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an the of in on at to for by with from as and or is are was were be been being it its this that these those "
        "which who whom he she they his her their i we you my your our has have had do does did will would can could "
        "may there here so then",
    )
)


def word_list(text: str) -> tuple[str, ...]:
    """The words of a text in small letters and in their order, without function words; all of them if none is left."""
    words: list[str] = _WORD.findall(text.casefold())
    return tuple([word for word in words if word not in _FUNCTION_WORDS]) or tuple(words)


def content_words(text: str) -> frozenset[str]:
    """The words of a text in small letters without function words; all of them, or the text itself, if none is left."""
    return frozenset(word_list(text)) or frozenset((text,))


def word_distances(texts: Sequence[str], *, question: str = "") -> NDArray[np.float64]:
    """The matrix (n, n) of distances x / (x + s), s = `SCALE`, x the number of content words that only one of two texts has.

    Words of the `question` count half.
    Symmetric, in 0..1, zeros on the diagonal and between texts of the same words.

    Unlike a share of common words, as Jaccard's, it grows with the length of what differs: on recorded sets that ranks
    wrong answers better (`benchmarks/signal/disagreement.py`). x is a squared Euclidean distance, and s / (s + x) the
    rational quadratic kernel of it (Rasmussen and Williams 2006, eq. 4.19, alpha = 1), which is positive definite: that
    keeps the split of Rao's quadratic entropy non-negative.
    """
    places, distinct = _distinct(texts)
    return _matrix(places, _Bags(distinct, question).distance)


def overlap_distances(texts: Sequence[str]) -> NDArray[np.float64]:
    """The matrix (n, n) of x / (x + min(c, s)), c the number of content words that two texts share.

    The larger one of the distance of `word_distances` and Jaccard's: 1 between texts that share no word, however short.
    """
    places, distinct = _distinct(texts)
    return _matrix(places, _Bags(distinct).difference)


def mean_overlap_distance(texts: Sequence[str]) -> float:
    """The mean of `overlap_distances` over all pairs of different places, 0 for fewer than two texts."""
    n = len(texts)
    counts = Counter(texts)
    if len(counts) < 2:
        return 0.0
    weight = [counts[text] for text in counts]
    counted = _Bags(tuple(counts))
    parts = [counted.difference(i, j) * weight[i] * weight[j] for i in range(len(weight)) for j in range(i)]
    return fsum(parts) / (n * (n - 1) / 2)


def _matrix(places: list[int], distance: Callable[[int, int], float]) -> NDArray[np.float64]:
    """The distances of all texts from those of the distinct ones."""
    distinct = max(places, default=-1) + 1
    small = [[0.0] * distinct for _ in range(distinct)]
    for i, row in enumerate(small):
        for j in range(i):
            row[j] = small[j][i] = distance(i, j)
    matrix = np.array(small, dtype=np.float64)
    return matrix if distinct == len(places) else matrix[np.ix_(places, places)]


class _Bags:
    """Texts as bit masks over the words that occur in them: a distance is a few operations on whole numbers."""

    __slots__ = ("_masks", "_question")

    def __init__(self, texts: Sequence[str], question: str = "") -> None:
        places: dict[str, int] = {}
        self._masks = [word_mask(content_words(text), places) for text in texts]
        self._question = word_mask(content_words(question), places) if question else 0

    def distance(self, i: int, j: int) -> float:
        only_one = self._masks[i] ^ self._masks[j]
        x = only_one.bit_count() - (1 - QUESTION_WORD) * (only_one & self._question).bit_count()
        return x / (x + SCALE)

    def difference(self, i: int, j: int) -> float:
        left, right = self._masks[i], self._masks[j]
        x = (left ^ right).bit_count()
        return x / (x + min((left & right).bit_count(), SCALE)) if x else 0.0


def word_mask(words: Collection[str], places: dict[str, int]) -> int:
    """The words as the bits of a whole number; `places` says which bit is whose, and takes new words in."""
    own = [places.setdefault(word, len(places)) for word in words]
    if len(places) <= _SMALL:
        mask = 0
        for place in own:
            mask |= 1 << place
        return mask
    bits = bytearray(max(own, default=0) // 8 + 1)  # setting bits in a long number one by one would copy it each time
    for place in own:
        bits[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(bits, "little")


def _distinct(texts: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """The place of each text among the distinct ones, and these."""
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(text, len(numbers)) for text in texts]
    return places, tuple(numbers)
