"""The stop rules that `stopping.py` compares, from the loop's scores to the round of the stop."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from curator.estimation.gain_forecast import MIN_ROUNDS, forecast_gain
from curator.estimation.learning_curve import ScoreTable
from curator.estimation.stop_rule import StopRule

Floats = NDArray[np.float64]

KAPPA = 0.99
KAPPA_WINDOW = 3
PATIENCE = 3


@dataclass(frozen=True)
class Loop:
    """A loop as a rule sees it.

    Attributes:
        labels: of each round, (k,).
        correct: of each held-out case in each round, (k, cases).
        kappas: of the classes of the stop set in two rounds in a row, (k - 1,); None in the simulation.
    """

    labels: Floats
    correct: Floats
    kappas: Floats | None = None

    @property
    def scores(self) -> Floats:
        """The mean score of each round, (k,)."""
        mean: Floats = self.correct.mean(axis=1)
        return mean


def first(marks: Sequence[bool], in_a_row: int, start: int) -> int | None:
    """The round of the last of so many marks in a row; `start` is the round of the first mark."""
    for i in range(in_a_row - 1, len(marks)):
        if all(marks[i - in_a_row + 1 : i + 1]):
            return start + i
    return None


def upper_ends(loop: Loop, rule: StopRule) -> Floats:
    """The upper end of the gain by our rule after each round from `MIN_ROUNDS` on."""
    table = ScoreTable(loop.labels, loop.correct.T, np.ones(loop.correct.shape[1]), 0)
    scores, covariance = table.scores, table.covariance
    ends = [
        forecast_gain(loop.labels[:k], scores[:k], covariance[:k, :k], step=rule.round_labels, z=rule.z).high
        for k in range(MIN_ROUNDS, len(loop.labels) + 1)
    ]
    return np.array(ends)


def ours(ends: Floats, rule: StopRule) -> int | None:
    """The stop by gain of `stop_view`."""
    return first([end < rule.min_gain for end in ends], rule.rounds, MIN_ROUNDS - 1)


def naive(loop: Loop, rule: StopRule) -> int | None:
    """Two rounds in a row whose score is less than the threshold above the round before."""
    return first([gain < rule.min_gain for gain in np.diff(loop.scores)], rule.rounds, 1)


def patience(loop: Loop, rule: StopRule) -> int | None:
    """Early stopping: no score that exceeds the best by the threshold in three rounds."""
    scores, waited, best = loop.scores, 0, -np.inf
    for k, score in enumerate(scores):
        waited = 0 if score >= best + rule.min_gain else waited + 1
        best = max(best, score) if waited == 0 else best
        if waited == PATIENCE:
            return k
    return None


def kappas_of(classes: NDArray[np.int16]) -> Floats:
    """Cohen's kappa of each round and the one before, over the classes that they give to the stop set, (k, m)."""
    return np.array([cohen_kappa_score(before, after) for before, after in itertools.pairwise(classes)])


def kappa_average(loop: Loop, rule: StopRule) -> int | None:
    """Stabilising predictions (Bloodgood and Vijay-Shanker 2009, Bloodgood and Grothendieck 2013), as in small-text.

    The mean of the last three kappas is at least .99.
    """
    del rule  # it has no threshold of the gain
    if loop.kappas is None:
        return None
    means = np.convolve(loop.kappas, np.ones(KAPPA_WINDOW) / KAPPA_WINDOW, mode="valid")
    return first([bool(mean >= KAPPA) for mean in means], 1, KAPPA_WINDOW)


PEERS: dict[str, Callable[[Loop, StopRule], int | None]] = {
    "difference under the threshold twice": naive,
    "patience of 3 rounds": patience,
    "kappa average .99": kappa_average,
}
