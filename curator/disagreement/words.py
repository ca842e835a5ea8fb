"""How far the wordings of answers are apart: a kernel over sets of content words, for free text and between the lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import fsum

import numpy as np
from numpy.typing import NDArray

SCALE = 5.0
"""How many differing words make two texts half as far apart as they can be."""
QUESTION_WORD = 0.5
"""What a word counts for that the question holds already: repeating it or leaving it out changes little of an answer."""

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


def word_distances(texts: Sequence[str], *, question: str = "", scale: float = SCALE) -> NDArray[np.float64]:
    """The matrix (n, n) of distances x / (x + s), s = `scale`, x the number of content words that only one of two texts has.

    Words of the `question` count half.
    Symmetric, in 0..1, zeros on the diagonal and between texts of the same words.

    Unlike a share of common words, as Jaccard's, it grows with the length of what differs: on recorded sets that ranks
    wrong answers better (`benchmarks/disagreement.py`). x is a squared Euclidean distance, and s / (s + x) the
    rational quadratic kernel of it (Rasmussen and Williams 2006, eq. 4.19, alpha = 1), which is positive definite: that
    keeps the split of Rao's quadratic entropy non-negative.
    """
    places, distinct = _distinct(texts)
    counted = _Bags(distinct, question, scale)
    small = [[0.0] * len(distinct) for _ in distinct]
    for i, row in enumerate(small):
        for j in range(i):
            row[j] = small[j][i] = counted.distance(i, j)
    matrix = np.array(small, dtype=np.float64)
    return matrix if len(distinct) == len(texts) else matrix[np.ix_(places, places)]


def mean_word_distance(texts: Sequence[str]) -> float:
    """The mean over all pairs of different places of x / (x + min(c, s)), 0 for fewer than two texts.

    c is the number of content words that both texts have, x and s are those of `word_distances`: the larger one of that
    distance and Jaccard's. A bare answer and a paragraph that concludes it are far apart whatever the paragraph's length,
    which would say more of the task than of the answer.
    """
    n = len(texts)
    counts = Counter(texts)
    if len(counts) < 2:
        return 0.0
    weight = [counts[text] for text in counts]
    counted = _Bags(tuple(counts), "", SCALE)
    parts = [counted.difference(i, j) * weight[i] * weight[j] for i in range(len(weight)) for j in range(i)]
    return fsum(parts) / (n * (n - 1) / 2)


class _Bags:
    """Texts as bit masks over the words that occur in them: a distance is a few operations on whole numbers."""

    __slots__ = ("_masks", "_question", "_scale")

    def __init__(self, texts: Sequence[str], question: str, scale: float) -> None:
        self._scale = scale
        bits: dict[str, int] = {}
        self._masks = [_mask(content_words(text), bits) for text in texts]
        self._question = _mask(content_words(question), bits) if question else 0

    def distance(self, i: int, j: int) -> float:
        only_one = self._masks[i] ^ self._masks[j]
        x = only_one.bit_count() - (1 - QUESTION_WORD) * (only_one & self._question).bit_count()
        return x / (x + self._scale)

    def difference(self, i: int, j: int) -> float:
        left, right = self._masks[i], self._masks[j]
        x = (left ^ right).bit_count()
        return x / (x + min((left & right).bit_count(), self._scale)) if x else 0.0


def _mask(words: frozenset[str], bits: dict[str, int]) -> int:
    mask = 0
    for word in words:
        bit = bits.get(word)
        if bit is None:
            bits[word] = bit = 1 << len(bits)
        mask |= bit
    return mask


def _distinct(texts: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """The place of each text among the distinct ones, and these."""
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(text, len(numbers)) for text in texts]
    return places, tuple(numbers)
