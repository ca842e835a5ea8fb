"""TF-IDF vectors, for benchmarks without an encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

_NOT_ZERO = 1e-6


class LexicalEncoder:
    """The leading axes of the TF-IDF weights of words and pairs of words, fitted to texts.

    Args:
        texts: to fit.
        dimensions: the most of them.
        least_texts: a word counts if it is in so many of the texts. Above 1, texts that differ in one word are the same.
    """

    def __init__(self, texts: Sequence[str], *, dimensions: int = 150, least_texts: int = 1) -> None:
        self._words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=least_texts)
        weights = self._words.fit_transform(texts)
        self._axes = TruncatedSVD(min(dimensions, min(weights.shape) - 1), random_state=0).fit(weights)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of the texts: (n, d), rows of unit length."""
        vectors = self._axes.transform(self._words.transform(texts))
        return np.asarray(normalize(vectors + _NOT_ZERO), dtype=np.float32)
