"""Estimators over a partition or a matrix of distances; 0 where all answers are the same.

Notation: n answers to one input; n_c of them in class c; d_ij the distance of two answers. Each answer belongs to a group v
(a model with one prompt variant) of n_v answers, which has the weight w_v = n_v / n.

Weights: p_i is an answer's share of the sum of the weights, and p_c and w_v are sums of p_i. An answer of weight 0 does not
count. Without weights p_i = 1 / n; equal weights give exactly the same numbers as no weights.
`docs/estimators.md` says which estimator fits which answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isfinite, log

import numpy as np
from numpy.typing import NDArray

Weights = Sequence[float] | None
"""One finite number >= 0 for each answer, at least one above 0; None where every answer counts the same."""
NEGLIGIBLE = 1e-9
"""A weight below this share of the largest one counts as 0.

The largest possible values are small differences of sums, in which so small a weight is lost to rounding.
"""


@dataclass(frozen=True, slots=True)
class Split:
    """A disagreement in 0..1 in two parts: within groups (sampling noise) and between them."""

    within: float
    between: float

    @property
    def total(self) -> float:
        """The disagreement of all answers."""
        return self.within + self.between


def entropy(classes: Sequence[Hashable], *, weights: Weights = None) -> float:
    """Return the Shannon entropy of a partition in nats: H = sum_c p_c ln(1 / p_c), in 0..ln n."""
    kept, weights = _counted(weights, len(classes))
    masses, total = _masses([classes[i] for i in kept], weights)
    return fsum(mass / total * log(total / mass) for mass in masses.values())


def semantic_entropy(classes: Sequence[Hashable], groups: Sequence[str], *, weights: Weights = None) -> Split:
    """Return the discrete semantic entropy, scaled to 0..1, split within and between groups.

    H = -sum_c p_c ln p_c over the meaning classes (Farquhar et al., Nature 630, 2024), divided by its value if no two
    answers meant the same: ln n, or with weights -sum_i p_i ln p_i. Within groups (sampling noise): sum_v w_v H_v. Between
    groups (sensitivity to model and prompt): H - sum_v w_v H_v, the generalised Jensen-Shannon divergence of the groups'
    distributions (Lin 1991), which is never negative.

    Args:
        classes: the class of each answer, n >= 2.
        groups: the group of each answer.
        weights: the weight of each answer; where only one is above 0, both parts are 0.
    """
    kept, weights = _counted(weights, len(classes))
    if len(kept) < 2:
        return Split(0.0, 0.0)
    classes, groups = [classes[i] for i in kept], [groups[i] for i in kept]
    largest = log(len(kept)) if weights is None else entropy(range(len(kept)), weights=weights)
    within = fsum(
        share * entropy([classes[i] for i in part], weights=None if weights is None else [weights[i] for i in part])
        for part, share in _members(groups, weights)
    )
    return _split(entropy(classes, weights=weights), within, largest=largest)


def rao_entropy(distances: NDArray[np.float64], groups: Sequence[str], *, weights: Weights = None) -> Split:
    """Return Rao's quadratic entropy, scaled to 0..1, split within and between groups.

    Q = sum_ij p_i p_j d_ij (Rao 1982), divided by its largest value for distances up to 1, 1 - sum_i p_i^2 = 1 - 1/n.
    Without weights Q is U_Deg = 1 - mean(W) of Lin, Trivedi and Sun (2024) for W = 1 - d. Within groups: sum_v w_v Q_v.
    Between groups: the rest, the Jensen difference, which is never negative where 1 - d is a positive definite kernel.

    Args:
        distances: matrix (n, n) of distances in 0..1, n >= 2.
        groups: the group of each answer.
        weights: the weight of each answer; where only one is above 0, both parts are 0.
    """
    kept, weights = _counted(weights, len(distances))
    if len(kept) < 2:
        return Split(0.0, 0.0)
    of_kept = distances if len(kept) == len(distances) else distances[np.ix_(kept, kept)]
    largest = 1 - 1 / len(kept) if weights is None else 1 - fsum(w * w for w in weights) / fsum(weights) ** 2
    within = fsum(
        share
        * mean_distance(of_kept[np.ix_(part, part)], weights=None if weights is None else [weights[i] for i in part])
        for part, share in _members([groups[i] for i in kept], weights)
    )
    return _split(mean_distance(of_kept, weights=weights), within, largest=largest)


def variation_ratio(classes: Sequence[Hashable], *, weights: Weights = None) -> float:
    """Return the share of answers outside the largest class, in 0..1 - 1/n (Freeman 1965)."""
    kept, weights = _counted(weights, len(classes))
    masses, total = _masses([classes[i] for i in kept], weights)
    return 1 - max(masses.values()) / total


def vote_margin(classes: Sequence[Hashable], *, weights: Weights = None) -> float:
    """Return 1 - (p_1 - p_2) of the two largest classes, in 0..1; 1 where they are equal."""
    kept, weights = _counted(weights, len(classes))
    masses, total = _masses([classes[i] for i in kept], weights)
    first, second = sorted([*masses.values(), 0], reverse=True)[:2]
    return 1 - (first - second) / total


def share_against(classes: Sequence[Hashable], target: Hashable, *, weights: Weights = None) -> float:
    """Return the share of answers outside the target's class: 1 - p_target, in 0..1."""
    kept, weights = _counted(weights, len(classes))
    masses, total = _masses([classes[i] != target for i in kept], weights)
    return masses.get(True, 0) / total


def smoothed_share_against(
    classes: Sequence[Hashable],
    target: Hashable,
    *,
    prior: float = 0.5,
    strength: float = 1.0,
    weights: Weights = None,
) -> float:
    """Return `share_against` as the mean of a Beta posterior, with n = `effective_size`."""
    share = share_against(classes, target, weights=weights)
    return smoothed(share, effective_size(len(classes), weights=weights), prior=prior, strength=strength)


def smoothed(share: float, n: float, *, prior: float = 0.5, strength: float = 1.0) -> float:
    """Shrink the share x of n answers towards `prior`: (n x + s m) / (n + s), in 0..1.

    The prior m counts as s = `strength` answers. This is the mean of Beta(s m + n x, s (1 - m) + n (1 - x)); s = 1 and
    m = 1/2 is Jeffreys' prior. The result is 0 only where both the share and the prior are 0; pass the committee's own
    disagreement as the prior to keep 0 for cases without any disagreement.

    Raises:
        ValueError: the prior is outside 0..1, or the strength is negative.
    """
    if not (0 <= prior <= 1 and strength >= 0):
        raise ValueError(f"the prior must be in 0..1 and the strength >= 0, found {prior!r} and {strength!r}")
    return (n * share + strength * prior) / (n + strength)


def effective_size(n: int, *, weights: Weights = None) -> float:
    """Return the effective number of answers: (sum w)^2 / sum w^2, in 1..n (Kish 1965)."""
    kept, weights = _counted(weights, n)
    return float(len(kept)) if weights is None else fsum(weights) ** 2 / fsum(w * w for w in weights)


def mean_distance(distances: NDArray[np.float64], *, weights: Weights = None) -> float:
    """Return the mean of all entries, summed exactly, so that their order does not matter.

    For the distances (n,) of the answers to the target it is the graded `share_against`; for a matrix (n, n) it is Rao's Q.
    """
    kept, weights = _counted(weights, len(distances))
    if len(kept) < len(distances):
        distances = distances[np.ix_(*[kept] * distances.ndim)]
    if weights is None:
        return fsum(distances.ravel().tolist()) / distances.size
    w = np.array(weights)
    products = distances * (w if distances.ndim == 1 else np.outer(w, w))
    return fsum(products.ravel().tolist()) / fsum(weights) ** distances.ndim


def mean_pairwise_distance(distances: NDArray[np.float64], *, weights: Weights = None) -> float:
    """Return the mean distance of two different answers, in 0..1, from a matrix (n, n).

    It is Rao's Q divided by its largest value. In terms of W = 1 - d it is U_Deg / (1 - 1/n), and with ROUGE-L
    similarities 1 minus the "lexical similarity".
    """
    return rao_entropy(distances, [""] * len(distances), weights=weights).total


def _counted(weights: Weights, n: int) -> tuple[Sequence[int], Weights]:
    """Return the positions of the answers that count, and their weights; None for equal weights."""
    if weights is None:
        return range(n), None
    if len(weights) != n or not all(isfinite(w) and w >= 0 for w in weights) or not any(weights):
        raise ValueError(
            f"one finite weight >= 0 is needed for each of {n} answers, and at least one above 0: {list(weights)!r}"
        )
    largest = max(weights)
    kept = [i for i, w in enumerate(weights) if w / largest >= NEGLIGIBLE]
    scaled = [weights[i] / largest for i in kept]
    return kept, None if min(scaled) == 1 else scaled


def _masses(classes: Sequence[Hashable], weights: Weights) -> tuple[Mapping[Hashable, float], float]:
    """Return the sum of the weights of each class, exact in any order, and of all answers."""
    if weights is None:
        return Counter(classes), len(classes)
    members: dict[Hashable, list[float]] = {}
    for c, weight in zip(classes, weights, strict=True):
        members.setdefault(c, []).append(weight)
    return {c: fsum(part) for c, part in members.items()}, fsum(weights)


def _members(groups: Sequence[str], weights: Weights) -> list[tuple[list[int], float]]:
    """Return the positions of each group's answers, and the group's share of the weights."""
    members: dict[str, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    if weights is None:
        return [(part, len(part) / len(groups)) for part in members.values()]
    total = fsum(weights)
    return [(part, fsum(weights[i] for i in part) / total) for part in members.values()]


def _split(total: float, within: float, *, largest: float) -> Split:
    """Scale both parts by the largest value; rounding cannot break 0 <= within <= total <= 1."""
    total = min(total / largest, 1.0)
    within = min(within / largest, total)
    return Split(within=within, between=total - within)
