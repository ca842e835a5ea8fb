"""A pool of rows with labels for some of them, as `next_batch` takes it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from curator.selection.training_batch import TrainingBatch, next_batch

SEEDS = 2**31
"""The number of seeds that a random state draws from."""
Rows: TypeAlias = NDArray[Any]
RandomState: TypeAlias = int | np.random.RandomState | None


@dataclass(frozen=True, slots=True)
class LabelledPool:
    """Rows to choose from, among them those with a label.

    Attributes:
        rows: finite numbers, (n, d).
        labels: of the labelled rows, by place.
        candidates: the places that may be chosen; none of them has a label.
        disagreement: of the committee, (n,), in 0..1; None without.
        probabilities: the learner's class probabilities, (n, C); None without.
    """

    rows: Rows
    labels: Mapping[int, Hashable]
    candidates: NDArray[np.int64]
    disagreement: NDArray[np.float64] | None = None
    probabilities: NDArray[np.float64] | None = None

    def batch(self, k: int, seed: int, *, with_gains: bool = False) -> TrainingBatch:
        """Choose k candidates by `next_batch`."""
        return next_batch(
            unit_rows(self.rows), self.labels, k, probabilities=self.probabilities,
            disagreement=self.disagreement, candidates=self.candidates.tolist(), with_gains=with_gains, seed=seed,
        )  # fmt: skip


def unit_rows(rows: Rows) -> NDArray[np.float32]:
    """Divide each row by its length, (n, d + 1).

    All rows of zeros get the direction of the last column, which the others do not have.
    """
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    empty = lengths == 0
    return np.hstack([rows / np.where(empty, 1, lengths), empty]).astype(np.float32)
