"""Many systems on the same cases: which differ once all the comparisons are counted, and how sure each one's rank is."""

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
"""Gaussian draws for the joint distribution of all differences: a 95% point is then known to about .03."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems, by their places, with what was found; `found.difference` is that of `second` less `first`.

    Attributes:
        first: the place of the one that is subtracted.
        second: the place of the other.
        found: the difference with its own interval and p.
        adjusted_p: p once all comparisons are counted (Holm 1979).
        low: the lower end of the interval that holds for all pairs at once.
        high: the upper end.
    """

    first: int
    second: int
    found: PairedDifference
    adjusted_p: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One system among the others.

    Attributes:
        score: its weighted mean score, 0..1.
        best_rank: 1 and one more for each system that is significantly better.
        worst_rank: the number of systems, less those that are significantly worse.
    """

    score: float
    best_rank: int
    worst_rank: int


def compare_many(
    scores: Floats, sample: Sample, pairs: Sequence[tuple[int, int]], *, confidence: float = 0.95, seed: int = 0
) -> tuple[Pair, ...]:
    """Compare pairs of columns of `scores` (cases x systems, 0..1, none missing).

    Holm's p-values hold the chance of any false difference at 1 - confidence, whatever the pairs have to do with each
    other. The simultaneous intervals use the joint normal distribution of all differences (Hothorn, Bretz and Westfall,
    Biometrical Journal 50, 2008), which is narrower than Bonferroni's where systems fail on the same cases.
    """
    found = [
        paired_difference(scores[:, second] - scores[:, first], sample, confidence=confidence)
        for first, second in pairs
    ]
    adjusted = holm([one.p for one in found])
    z = _joint_point(scores, sample, pairs, confidence, seed)
    made: list[Pair] = []
    for (first, second), one, p in zip(pairs, found, adjusted, strict=True):
        low, high = one.low, one.high
        if len(pairs) > 1:
            size = typical_size(scores[:, second] - scores[:, first], sample.weights)
            wide = score_interval(one.difference, one.second_moment, size, one.effective_cases, z=z)
            low, high = min(low, wide[0]), max(high, wide[1])
        if p >= 1 - confidence:
            low, high = min(low, 0.0), max(high, 0.0)
        made.append(Pair(first, second, one, p, low, high))
    return tuple(made)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values with the family-wise error held, by Holm's step-down rule (Scandinavian Journal of Statistics 6, 1979)."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def standings(
    scores: Floats, sample: Sample, pairs: Sequence[Pair], *, confidence: float = 0.95
) -> tuple[Standing, ...]:
    """Each system's score and the ranks that the significant differences leave open, all at once at `confidence`."""
    count = scores.shape[1]
    better, worse = [0] * count, [0] * count
    for pair in pairs:
        if pair.adjusted_p < 1 - confidence and pair.found.difference:
            up, down = (pair.second, pair.first) if pair.found.difference > 0 else (pair.first, pair.second)
            better[down] += 1
            worse[up] += 1
    means = sample.weights @ scores / sample.weights.sum()
    return tuple(Standing(float(means[i]), 1 + better[i], count - worse[i]) for i in range(count))


def swapped(pair: Pair) -> Pair:
    """The same pair, seen from the other system."""
    return replace(pair, first=pair.second, second=pair.first, found=pair.found.negated, low=-pair.high, high=-pair.low)


def _joint_point(
    scores: Floats, sample: Sample, pairs: Sequence[tuple[int, int]], confidence: float, seed: int
) -> float:
    """How many standard errors hold all differences at once; at least the point for one of them."""
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
    """The covariance of the systems' weighted sums, of which `spread` is the diagonal, by polarisation."""
    count = expanded.shape[1]
    own = [spread(expanded[:, i], sample) for i in range(count)]
    covariance = np.diag(own)
    for i in range(count):
        for j in range(i):
            both = spread(expanded[:, i] + expanded[:, j], sample)
            covariance[i, j] = covariance[j, i] = (both - own[i] - own[j]) / 2
    return covariance


def _root(covariance: Floats) -> NDArray[np.float64]:
    """A matrix R with R'R the covariance; what rounding made negative is 0."""
    values, vectors = np.linalg.eigh(covariance)
    root: NDArray[np.float64] = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    return root
