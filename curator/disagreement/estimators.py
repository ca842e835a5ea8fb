"""Estimators of disagreement: pure functions of a partition or a matrix of distances, 0 where all answers are one.

Notation: n answers to one input; n_c of them in class c; d_ij the distance of two answers; each answer belongs to a
group v (a model under one prompt variant) of n_v answers, which has the weight w_v = n_v / n.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, log

import numpy as np
from numpy.typing import NDArray

VERSIONS: Mapping[str, int] = {
    "semantic_entropy": 1,
    "rao_entropy": 1,
    "variation_ratio": 1,
    "share_against": 1,
    "mean_distance": 1,
}
"""The version of each estimator, raised whenever a value of it changes."""


@dataclass(frozen=True, slots=True)
class Split:
    """A disagreement in 0..1 and its two parts: `within` the groups (sampling noise) and `between` them."""

    within: float
    between: float

    @property
    def total(self) -> float:
        """The disagreement of all answers."""
        return self.within + self.between


def entropy(classes: Sequence[Hashable]) -> float:
    """Shannon entropy of a partition in nats: H = sum_c p_c ln(1 / p_c), p_c = n_c / n."""
    n = len(classes)
    return fsum(count / n * log(n / count) for count in Counter(classes).values())


def semantic_entropy(classes: Sequence[Hashable], groups: Sequence[str]) -> Split:
    """Discrete semantic entropy over ln n, split into sampling noise and sensitivity to the prompt.

    H = -sum_c p_c ln p_c over the classes of equal meaning (Farquhar et al., Nature 630, 2024), divided by ln n, its
    largest value. Within: sum_v w_v H_v. Between: H - sum_v w_v H_v, the generalised Jensen-Shannon divergence of the
    groups' distributions (Lin 1991), which is never negative. Needs n >= 2.
    """
    n = len(classes)
    within = fsum(len(part) / n * entropy([classes[i] for i in part]) for part in _members(groups))
    return _split(entropy(classes), within, largest=log(n))


def rao_entropy(distances: NDArray[np.float64], groups: Sequence[str]) -> Split:
    """Rao's quadratic entropy with uniform weights over 1 - 1/n, split like the semantic entropy.

    Q = (1 / n^2) sum_ij d_ij (Rao 1982), which is U_Deg = 1 - mean(W) of Lin, Trivedi and Sun (2024) for W = 1 - d;
    it is divided by 1 - 1/n, its largest value for distances up to 1. Within: sum_v w_v Q_v. Between: the rest, the
    Jensen difference of the groups, never negative where 1 - d is a positive definite kernel. Needs n >= 2.
    """
    n = len(distances)
    within = fsum(len(part) / n * mean_distance(distances[np.ix_(part, part)]) for part in _members(groups))
    return _split(mean_distance(distances), within, largest=1 - 1 / n)


def variation_ratio(classes: Sequence[Hashable]) -> float:
    """The share of answers outside the largest class: 1 - max_c n_c / n (Freeman 1965)."""
    return 1 - max(Counter(classes).values()) / len(classes)


def share_against(classes: Sequence[Hashable], target: Hashable) -> float:
    """The share of answers whose class is not the target's: 1 - n_target / n."""
    return sum(c != target for c in classes) / len(classes)


def mean_distance(distances: NDArray[np.float64]) -> float:
    """The mean of all entries, summed exactly, so that their order makes no difference.

    Of the answers' distances (n,) to the target: `share_against` for graded distances. Of a matrix (n, n): Rao's Q.
    """
    return fsum(distances.ravel().tolist()) / distances.size


def _members(groups: Sequence[str]) -> list[list[int]]:
    """The positions of each group's answers."""
    members: dict[str, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    return list(members.values())


def _split(total: float, within: float, *, largest: float) -> Split:
    """The parts over the largest value; rounding may not push them out of 0 <= within <= total <= 1."""
    total = min(total / largest, 1.0)
    within = min(within / largest, total)
    return Split(within=within, between=total - within)
