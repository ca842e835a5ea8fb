"""Many systems on the same cases: pairwise differences and ranks, with multiplicity control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from curator.estimation.comparison.case_weights import Floats, Sample
from curator.estimation.comparison.paired import (
    PairedDifference,
    paired_difference,
    residuals,
    score_interval,
    spread,
    typical_size,
)

DRAWS = 4000
"""Gaussian draws for the joint distribution of all differences: they give the 95% point to about .03."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The comparison of two systems; the difference is that of `second` less `first`.

    Attributes:
        first: the place of the system that is subtracted.
        second: the place of the other.
        single: the difference with the interval and p of this pair only.
        adjusted_p: p adjusted for all comparisons (Holm 1979).
        low: the lower end of the simultaneous interval.
        high: the upper end.
    """

    first: int
    second: int
    single: PairedDifference
    adjusted_p: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SystemRank:
    """A system's score and its possible ranks.

    Attributes:
        score: its weighted mean score, 0..1.
        best_rank: 1 plus the number of significantly better systems.
        worst_rank: the number of systems less the significantly worse ones.
    """

    score: float
    best_rank: int
    worst_rank: int


def compare_many(
    scores: Floats, sample: Sample, pairs: Sequence[tuple[int, int]], *, confidence: float = 0.95, seed: int = 0
) -> tuple[Pair, ...]:
    """Compare pairs of systems.

    Holm's p-values control the probability of any false difference at 1 - confidence, however the pairs depend on each
    other. The simultaneous intervals use the joint normal distribution of all differences (Hothorn, Bretz and Westfall,
    Biometrical Journal 50, 2008). They are narrower than Bonferroni's where systems fail on the same cases.

    Args:
        scores: cases x systems, 0..1, none missing.
        sample: the design of the cases.
        pairs: the columns to compare.
        confidence: of the simultaneous intervals.
        seed: of the Gaussian draws.
    """
    singles = [
        paired_difference(scores[:, second] - scores[:, first], sample, confidence=confidence)
        for first, second in pairs
    ]
    adjusted = holm([single.p for single in singles])
    z = _joint_point(scores, sample, pairs, confidence, seed)
    compared: list[Pair] = []
    for (first, second), single, p in zip(pairs, singles, adjusted, strict=True):
        low, high = single.low, single.high
        if len(pairs) > 1:
            size = typical_size(scores[:, second] - scores[:, first], sample.weights)
            wide = score_interval(single.difference, single.second_moment, size, single.effective_cases, z=z)
            low, high = min(low, wide[0]), max(high, wide[1])
        if p >= 1 - confidence:
            low, high = min(low, 0.0), max(high, 0.0)
        compared.append(Pair(first, second, single, p, low, high))
    return tuple(compared)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted by Holm's step-down rule, which controls the family-wise error.

    Source: Scandinavian Journal of Statistics 6, 1979.
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def rank_systems(
    scores: Floats, sample: Sample, pairs: Sequence[Pair], *, confidence: float = 0.95
) -> tuple[SystemRank, ...]:
    """Each system's score, and the ranks that the significant differences allow.

    All ranks hold simultaneously at `confidence`.
    """
    count = scores.shape[1]
    better, worse = [0] * count, [0] * count
    for pair in pairs:
        if pair.adjusted_p < 1 - confidence and pair.single.difference:
            up, down = (pair.second, pair.first) if pair.single.difference > 0 else (pair.first, pair.second)
            better[down] += 1
            worse[up] += 1
    means = sample.weights @ scores / sample.weights.sum()
    return tuple(SystemRank(float(means[i]), 1 + better[i], count - worse[i]) for i in range(count))


def reversed_pair(pair: Pair) -> Pair:
    """The same pair with first and second exchanged."""
    return replace(
        pair, first=pair.second, second=pair.first, single=pair.single.negated, low=-pair.high, high=-pair.low
    )


def _joint_point(
    scores: Floats, sample: Sample, pairs: Sequence[tuple[int, int]], confidence: float, seed: int
) -> float:
    """The number of standard errors that covers all differences at once; at least that of one."""
    single = NormalDist().inv_cdf((1 + confidence) / 2)
    expanded = np.column_stack([residuals(scores[:, i], sample) for i in range(scores.shape[1])])
    signs = np.zeros((scores.shape[1], len(pairs)))
    for column, (first, second) in enumerate(pairs):
        signs[first, column], signs[second, column] = -1.0, 1.0
    root = _root(_covariance(expanded, sample))
    errors = np.sqrt(((root @ signs) ** 2).sum(axis=0))
    there = errors > 1e-12 * max(1.0, float(errors.max(initial=0.0)))
    if there.sum() < 2:
        return single
    normal = np.random.default_rng(seed).standard_normal((DRAWS, len(root)))
    largest = np.zeros(DRAWS)
    for place in np.flatnonzero(there):  # one at a time: all pairs of a hundred systems would fill the memory
        np.maximum(largest, np.abs(normal @ (root @ signs[:, place])) / errors[place], out=largest)
    return max(single, float(np.quantile(largest, confidence)))


def _covariance(expanded: Floats, sample: Sample) -> Floats:
    """The covariance of the systems' weighted sums; `spread` is its diagonal.

    The other entries follow by polarisation: 2 Cov(a, b) = Var(a + b) - Var(a) - Var(b).
    """
    count = expanded.shape[1]
    variances = [spread(expanded[:, i], sample) for i in range(count)]
    covariance = np.diag(variances)
    for i in range(count):
        for j in range(i):
            both = spread(expanded[:, i] + expanded[:, j], sample)
            covariance[i, j] = covariance[j, i] = (both - variances[i] - variances[j]) / 2
    return covariance


def _root(covariance: Floats) -> NDArray[np.float64]:
    """A matrix R with R'R the covariance; eigenvalues that rounding made negative count as 0."""
    values, vectors = np.linalg.eigh(covariance)
    root: NDArray[np.float64] = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    return root
