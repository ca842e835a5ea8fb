"""Constraints on the picks: no near-duplicates, and a minimum and maximum per category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SIMILARITIES_AT_ONCE = 10_000_000  # 40 MB


class Constraints:
    """Which of n candidates may still be picked; it changes with each `take`.

    While a category is below its minimum and has a candidate left, only such categories may be picked from.

    Args:
        vectors: unit vectors, (n, d); (n, 0) where there are none.
        groups: the near-duplicate group of each candidate.
        categories: the category of each candidate; empty for a candidate without one, which no minimum or maximum limits.
        nearest: no two picks have a cosine of this or more.
        least: the minimum of picks per category, as far as it has candidates.
        most: the maximum of picks per category; None for no maximum.
    """

    def __init__(
        self,
        vectors: NDArray[np.float32],
        groups: Sequence[str],
        categories: Sequence[str],
        *,
        nearest: float,
        least: int = 0,
        most: int | None = None,
    ) -> None:
        self._vectors = vectors
        self._groups, group_of = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
        self._group_of = group_of
        self._names, self._category_of = np.unique(np.asarray(categories, dtype=str), return_inverse=True)
        self._nearest, self._least, self._most = nearest, least, most
        self._free = np.ones(len(groups), dtype=bool)
        self._counts: Counter[int] = Counter()

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """The candidates that may be the next pick, (n,)."""
        owed = self._free & self.owed
        return owed if owed.any() else self._free

    @property
    def owed(self) -> NDArray[np.bool_]:
        """The candidates whose category is below its minimum, (n,)."""
        if not self._least:
            return np.zeros(len(self._free), dtype=bool)
        short = np.array(
            [bool(name) and self._counts[i] < self._least for i, name in enumerate(self._names)], dtype=bool
        )
        return short[self._category_of]

    def take(self, place: int) -> None:
        """Record a pick and exclude the candidates that it forbids."""
        self._free &= self._group_of != self._group_of[place]
        if self._vectors.shape[1]:
            self._free &= nearest_cosine(self._vectors, self._vectors[place : place + 1]) < self._nearest
        self._free[place] = False
        category = int(self._category_of[place])
        self._counts[category] += 1
        if self._most is not None and self._names[category] and self._counts[category] >= self._most:
            self._free &= self._category_of != category


def nearest_cosine(vectors: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """The greatest cosine of each unit vector with any of the others, (n,) in 0..1; 0 for m = 0.

    Args:
        vectors: (n, d).
        others: (m, d).
    """
    greatest = np.zeros(len(vectors), dtype=np.float32)
    if not len(others):
        return greatest
    rows = max(1, _SIMILARITIES_AT_ONCE // len(others))
    for start in range(0, len(vectors), rows):
        greatest[start : start + rows] = (vectors[start : start + rows] @ others.T).max(axis=1)
    return np.clip(greatest, 0.0, 1.0)
