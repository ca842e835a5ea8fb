"""Estimators of disagreement over a partition or a matrix of distances: pure functions, 0 where all answers are one.

Notation: n answers to one input; n_c of them in class c; d_ij the distance of two answers; each answer belongs to a
group v (a model under one prompt variant) of n_v answers, which has the weight w_v = n_v / n.

Weights: where answers have weights, p_i is an answer's share of their sum, and p_c and w_v are sums of p_i; an answer of
weight 0 counts as not there. Without weights p_i = 1 / n, and equal weights give the very same numbers.
`docs/estimators.md` says which estimator fits which answers; the other estimators are in `graph.py`, `lexical.py`,
`meanings.py` and `likelihood.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isfinite, log

import numpy as np
from numpy.typing import NDArray

Weights = Sequence[float] | None
"""One finite number >= 0 for each answer, not all of them 0; None where every answer counts the same."""
NEGLIGIBLE = 1e-9
"""A weight of less than this share of the largest counts as 0: the largest values are differences, which it would drown."""


@dataclass(frozen=True, slots=True)
class Split:
    """A disagreement in 0..1 and its two parts: `within` the groups (sampling noise) and `between` them."""

    within: float
    between: float

    @property
    def total(self) -> float:
        """The disagreement of all answers."""
        return self.within + self.between


def entropy(classes: Sequence[Hashable], *, weights: Weights = None) -> float:
    """Shannon entropy of a partition in nats: H = sum_c p_c ln(1 / p_c), 0 <= H <= ln n."""
    kept, weights = _counted(weights, len(classes))
    masses, total = _masses([classes[i] for i in kept], weights)
    return fsum(mass / total * log(total / mass) for mass in masses.values())


def semantic_entropy(classes: Sequence[Hashable], groups: Sequence[str], *, weights: Weights = None) -> Split:
    """Discrete semantic entropy over its largest value, split into sampling noise and sensitivity to the prompt.

    H = -sum_c p_c ln p_c over the classes of equal meaning (Farquhar et al., Nature 630, 2024), divided by what it would
    be if no two answers meant the same: ln n, or with weights -sum_i p_i ln p_i. Within: sum_v w_v H_v. Between:
    H - sum_v w_v H_v, the generalised Jensen-Shannon divergence of the groups' distributions (Lin 1991), which is never
    negative. Needs n >= 2; where a single answer has any weight, both parts are 0.
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
    """Rao's quadratic entropy over its largest value, split like the semantic entropy.

    Q = sum_ij p_i p_j d_ij (Rao 1982), which without weights is U_Deg = 1 - mean(W) of Lin, Trivedi and Sun (2024) for
    W = 1 - d; it is divided by 1 - sum_i p_i^2 = 1 - 1/n, its largest value for distances up to 1. Within: sum_v w_v Q_v.
    Between: the rest, the Jensen difference of the groups, never negative where 1 - d is a positive definite kernel.
    Needs n >= 2; where a single answer has any weight, both parts are 0.
    """
    kept, weights = _counted(weights, len(distances))
    if len(kept) < 2:
        return Split(0.0, 0.0)
    own = distances if len(kept) == len(distances) else distances[np.ix_(kept, kept)]
    largest = 1 - 1 / len(kept) if weights is None else 1 - fsum(w * w for w in weights) / fsum(weights) ** 2
    within = fsum(
        share * mean_distance(own[np.ix_(part, part)], weights=None if weights is None else [weights[i] for i in part])
        for part, share in _members([groups[i] for i in kept], weights)
    )
    return _split(mean_distance(own, weights=weights), within, largest=largest)


def variation_ratio(classes: Sequence[Hashable], *, weights: Weights = None) -> float:
    """The share of answers outside the largest class: 1 - max_c p_c (Freeman 1965), in 0..1 - 1/n."""
    kept, weights = _counted(weights, len(classes))
    masses, total = _masses([classes[i] for i in kept], weights)
    return 1 - max(masses.values()) / total


def vote_margin(classes: Sequence[Hashable], *, weights: Weights = None) -> float:
    """One less the lead of the largest class over the next: 1 - (p_1 - p_2), in 0..1; 1 where two share the lead."""
    kept, weights = _counted(weights, len(classes))
    masses, total = _masses([classes[i] for i in kept], weights)
    first, second = sorted([*masses.values(), 0], reverse=True)[:2]
    return 1 - (first - second) / total


def share_against(classes: Sequence[Hashable], target: Hashable, *, weights: Weights = None) -> float:
    """The share of answers whose class is not the target's: 1 - p_target, in 0..1."""
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
    """`share_against` as the mean of a Beta posterior, `smoothed` with as many answers as the weights are worth."""
    share = share_against(classes, target, weights=weights)
    return smoothed(share, effective_size(len(classes), weights=weights), prior=prior, strength=strength)


def smoothed(share: float, n: float, *, prior: float = 0.5, strength: float = 1.0) -> float:
    """A share seen in n answers, drawn to `prior` as if `strength` more answers had given that: (n x + s m) / (n + s).

    The mean of Beta(s m + n x, s (1 - m) + n (1 - x)); s = 1 and m = 1/2 is the prior of Jeffreys. It is 0 only where
    both the share and the prior are: pass the committee's own disagreement as the prior where that is wanted.
    """
    if not (0 <= prior <= 1 and strength >= 0):
        raise ValueError(f"a prior of 0..1 and a strength >= 0 are needed, found {prior!r} and {strength!r}")
    return (n * share + strength * prior) / (n + strength)


def effective_size(n: int, *, weights: Weights = None) -> float:
    """How many equal answers n weighted ones are worth: (sum w)^2 / sum w^2 (Kish 1965), in 1..n."""
    kept, weights = _counted(weights, n)
    return float(len(kept)) if weights is None else fsum(weights) ** 2 / fsum(w * w for w in weights)


def mean_distance(distances: NDArray[np.float64], *, weights: Weights = None) -> float:
    """The mean of all entries, summed exactly, so that their order makes no difference.

    Of the answers' distances (n,) to the target: `share_against` for graded distances. Of a matrix (n, n): Rao's Q.
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
    """The mean distance (n, n) of two different answers, in 0..1: Rao's Q over its largest value.

    One number has many names: over W = 1 - d it is U_Deg / (1 - 1/n), over ROUGE-L it is one less the "lexical similarity".
    """
    return rao_entropy(distances, [""] * len(distances), weights=weights).total


def _counted(weights: Weights, n: int) -> tuple[Sequence[int], Weights]:
    """The positions of the answers that count, and their weights; None where all of these are equal."""
    if weights is None:
        return range(n), None
    if len(weights) != n or not all(isfinite(w) and w >= 0 for w in weights) or not any(weights):
        raise ValueError(
            f"one finite weight >= 0 is needed for each of {n} answers, and one above 0: {list(weights)!r}"
        )
    largest = max(weights)
    kept = [i for i, w in enumerate(weights) if w / largest >= NEGLIGIBLE]
    own = [weights[i] / largest for i in kept]
    return kept, None if min(own) == 1 else own


def _masses(classes: Sequence[Hashable], weights: Weights) -> tuple[Mapping[Hashable, float], float]:
    """The sum of the weights of each class, exact in any order, and of all."""
    if weights is None:
        return Counter(classes), len(classes)
    members: dict[Hashable, list[float]] = {}
    for c, weight in zip(classes, weights, strict=True):
        members.setdefault(c, []).append(weight)
    return {c: fsum(part) for c, part in members.items()}, fsum(weights)


def _members(groups: Sequence[str], weights: Weights) -> list[tuple[list[int], float]]:
    """The positions of each group's answers, and the group's share of the weights."""
    members: dict[str, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    if weights is None:
        return [(part, len(part) / len(groups)) for part in members.values()]
    total = fsum(weights)
    return [(part, fsum(weights[i] for i in part) / total) for part in members.values()]


def _split(total: float, within: float, *, largest: float) -> Split:
    """The parts over the largest value; rounding may not push them out of 0 <= within <= total <= 1."""
    total = min(total / largest, 1.0)
    within = min(within / largest, total)
    return Split(within=within, between=total - within)
