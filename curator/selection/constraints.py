"""What every strategy of discovery keeps to: no near-duplicates among the picks, and so many picks a category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_CELLS = 10_000_000
"""So many similarities are held at once: 40 MB."""


class Limits:
    """Which of n candidates may still be picked. It changes with each `take`.

    While a category is short of its minimum and has a candidate left, only such categories may be picked from.

    Args:
        vectors: unit vectors, (n, d); (n, 0) where there are none.
        groups: the near-duplicate group of each candidate.
        categories: the category of each candidate; empty where it has none, which is no category.
        nearest: no two picks have a cosine of this or more.
        least: the fewest picks of each category, as far as it has candidates.
        most: the most picks of a category; None for any number.
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
        """(n,) who may be the next pick."""
        owed = self._free & self.owed
        return owed if owed.any() else self._free

    @property
    def owed(self) -> NDArray[np.bool_]:
        """(n,) whose category is short of its minimum."""
        if not self._least:
            return np.zeros(len(self._free), dtype=bool)
        short = np.array(
            [bool(name) and self._counts[i] < self._least for i, name in enumerate(self._names)], dtype=bool
        )
        return short[self._category_of]

    def take(self, place: int) -> None:
        """Note a pick, and rule out what it forbids."""
        self.rule_out(self._vectors[place : place + 1], [str(self._groups[self._group_of[place]])])
        self._free[place] = False
        category = int(self._category_of[place])
        self._counts[category] += 1
        if self._most is not None and self._names[category] and self._counts[category] >= self._most:
            self._free &= self._category_of != category

    def rule_out(self, vectors: NDArray[np.float32], groups: Sequence[str]) -> None:
        """Rule out all near-duplicates of cases that may not be candidates themselves, such as labelled ones."""
        self._free &= ~np.isin(self._groups, list(groups))[self._group_of]
        if self._vectors.shape[1] and len(vectors):
            self._free &= nearest_cosine(self._vectors, vectors) < self._nearest


def nearest_cosine(vectors: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n,) the greatest cosine of each of n unit vectors, (n, d), with any of m others, (m, d); 0 for none, m = 0."""
    found = np.zeros(len(vectors), dtype=np.float32)
    if not len(others):
        return found
    rows = max(1, _CELLS // len(others))
    for start in range(0, len(vectors), rows):
        found[start : start + rows] = (vectors[start : start + rows] @ others.T).max(axis=1)
    return np.clip(found, 0.0, 1.0)
