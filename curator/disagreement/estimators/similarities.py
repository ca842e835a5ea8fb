"""Matrices (n, n) of similarities in 0..1, by words or by vectors.

The estimators of `spectral.py` use them.

The similarity of two texts with the same words in the same order, or of two equal vectors, is exactly 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.equivalence.word_kernel import word_mask

# Chinese and Japanese are written without blanks: each character counts as a word. A number is one word.
_WORD = re.compile(r"[぀-ヿ㐀-鿿]|[^\W_぀-ヿ㐀-鿿]+(?:[.,]\d+)*")

Floats = NDArray[np.float64]
Words = tuple[str, ...]


def words(text: str) -> Words:
    """Return the words of a text in small letters, in order; the text itself where it has none."""
    folded = text.casefold()
    return tuple(_WORD.findall(folded)) or (folded.strip(),)


def rouge_l_similarities(texts: Sequence[str]) -> Floats:
    """Return ROUGE-L F of every two of n texts: (n, n), in 0..1 (Lin 2004).

    2 LCS / (number of words of both), without stemming, in any language. "Lexical similarity" is the mean over two different texts,
    1 - `spectral.deg`. The longest common subsequences of a text with all texts before it are computed at once, by the
    bit-parallel recurrence of Hyyro (2004), on one integer in which every text has its own bits: about 0.1 ms for 10 texts
    of 25 words.
    """
    return _of_distinct([words(text) for text in texts], _rouge_l)


def jaccard_similarities(texts: Sequence[str]) -> Floats:
    """Return the Jaccard index (n, n) of the word sets of every two of n texts, in 0..1.

    |A & B| / |A | B|, as in Lin, Trivedi and Sun (2024). It is a positive definite kernel, so that the split of Rao's
    entropy over it is never negative. The default score compares texts by `word_kernel.word_distances` instead.
    """
    return _of_distinct([words(text) for text in texts], _jaccard)


def cosine_similarities(vectors: Floats) -> Floats:
    """Return (1 + cos) / 2 of every two rows of `vectors` (n, d): (n, n), in 0..1.

    Equal rows have exactly the similarity 1; a row of zeros has 1/2 to every other row. The matrix is a positive definite
    kernel. Setting negative cosines to 0 would not give one.
    """
    order = row_order(vectors)
    rows = np.asarray(vectors, dtype=np.float64)[order]
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(norms > 0, norms, 1.0)
    cosines = unit @ unit.T
    matrix = np.clip((1 + (cosines + cosines.T) / 2) / 2, 0.0, 1.0)
    matrix[(rows[:, None, :] == rows[None, :, :]).all(axis=2)] = 1.0
    back = np.argsort(order)
    return matrix[np.ix_(back, back)]


def row_order(vectors: Floats) -> list[int]:
    """Return the order of the rows by their bytes, which makes sums independent of input order."""
    keys = [row.tobytes() for row in np.asarray(vectors, dtype=np.float64)]
    return sorted(range(len(keys)), key=keys.__getitem__)


def _of_distinct(texts: Sequence[Words], similarities: Callable[[Sequence[Words]], Floats]) -> Floats:
    """Compute the matrix of the distinct texts, and copy it to all texts."""
    numbers: dict[Words, int] = {}
    positions = [numbers.setdefault(text, len(numbers)) for text in texts]
    distinct = similarities(list(numbers))
    return distinct if len(numbers) == len(texts) else distinct[np.ix_(positions, positions)]


def _rouge_l(texts: Sequence[Words]) -> Floats:
    sizes = [len(text) for text in texts]
    return _symmetric(
        [2 * length / (size + other) for length, other in zip(row, sizes, strict=False)]
        for size, row in zip(sizes, _common_lengths(texts), strict=True)
    )


def _common_lengths(texts: Sequence[Words]) -> Iterator[list[int]]:
    """Yield for each text the lengths of its LCS with every text before it."""
    where: dict[str, int] = {}
    lanes: list[slice] = []
    free = offset = 0
    for text in texts:
        left = free
        for word in text:
            if hit := left & where.get(word, 0):
                left = ((left + hit) | (left - hit)) & free
        matched = (free ^ left).to_bytes(offset, "little")
        yield [int.from_bytes(matched[lane], "little").bit_count() for lane in lanes]
        for position, word in enumerate(text, 8 * offset):
            where[word] = where.get(word, 0) | 1 << position
        free |= ((1 << len(text)) - 1) << 8 * offset
        # A text has whole bytes of which at least one bit stays empty: the carry of the addition ends there.
        end = offset + len(text) // 8 + 1
        lanes.append(slice(offset, end))
        offset = end


def _jaccard(texts: Sequence[Words]) -> Floats:
    places: dict[str, int] = {}
    masks = [word_mask(set(text), places) for text in texts]
    return _symmetric(
        [(mask & other).bit_count() / (mask | other).bit_count() for other in masks[:i]] for i, mask in enumerate(masks)
    )


def _symmetric(below: Iterable[Sequence[float]]) -> Floats:
    """Return the symmetric matrix with these values below the diagonal and ones on it."""
    rows = list(below)
    half = np.array([[*row, 0.5, *[0.0] * (len(rows) - i - 1)] for i, row in enumerate(rows)])
    matrix: Floats = (half + half.T).reshape(len(rows), len(rows))
    return matrix
