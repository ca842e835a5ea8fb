"""Rates, intervals, correlations and rounding that the whole product shares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.records import Rate

Values = Sequence[float] | NDArray[np.float64]

MIN_FOR_RATE = 10
"""Below this many cases no rate is reported."""
MIN_FOR_MEAN = 3
"""Below this many values no mean is reported."""
MIN_FOR_CORRELATION = 10
"""Below this many pairs no correlation is reported."""
HISTOGRAM_BINS = 10
UNANIMOUS = 1 - 1e-9
"""A share from here on counts as all: a mean of similarities may miss 1 by rounding."""
NORMAL_QUANTILE_95 = 1.96
"""The two-sided 95% quantile of the normal distribution."""
_DIGITS = 6  # more than a reader needs, few enough that every machine writes the same


@dataclass(frozen=True, slots=True)
class Figure:
    """A number over `n` values; `value` is None where n is too small to report one."""

    value: float | None
    n: int


def rounded(value: float) -> float:
    """The value with six digits, and never -0.0."""
    return round(float(value), _DIGITS) + 0.0  # adding 0.0 turns -0.0 into 0.0


def rounded_or_none(value: float | None) -> float | None:
    """The rounded value; None stays None."""
    return None if value is None else rounded(value)


def share(part: float, whole: float) -> float:
    """`part / whole`, rounded; 0 for an empty whole."""
    return rounded(part / whole) if whole else 0.0


def mean(values: Iterable[float | None]) -> Figure:
    """The mean of the values that are not None; no value below `MIN_FOR_MEAN` of them."""
    present = [v for v in values if v is not None]
    return Figure(rounded(math.fsum(present) / len(present)) if len(present) >= MIN_FOR_MEAN else None, len(present))


def histogram(values: Iterable[float]) -> tuple[int, ...]:
    """Counts of values in 0..1 in ten bins of equal width; 1.0 falls into the last bin."""
    counts = [0] * HISTOGRAM_BINS
    for value in values:
        counts[min(HISTOGRAM_BINS - 1, max(0, math.floor(value * HISTOGRAM_BINS + 1e-9)))] += 1
    return tuple(counts)


def rate(hits: float, n: int) -> Rate:
    """The share `hits / n` with its 95% Wilson interval; only n below `MIN_FOR_RATE` cases.

    `hits` may be a fraction, as a sum of one share for each case. The interval is then wider than necessary.
    """
    if n < MIN_FOR_RATE:
        return Rate(None, None, None, n)
    low, high = wilson(hits / n, n)
    return Rate(rounded(hits / n), rounded(low), rounded(high), n)


def wilson(proportion: float, n: int) -> tuple[float, float]:
    """The 95% score interval (Wilson 1927) of a proportion of n independent cases.

    For a rate estimated from a sample with unequal inclusion probabilities use `survey_wilson`.
    """
    z = NORMAL_QUANTILE_95
    middle, width = proportion + z**2 / (2 * n), z * math.sqrt(proportion * (1 - proportion) / n + (z / (2 * n)) ** 2)
    return max(0.0, (middle - width) / (1 + z**2 / n)), min(1.0, (middle + width) / (1 + z**2 / n))


def survey_wilson(rate: float, variance: float, quantile: float, labels: int) -> tuple[float, float]:
    """Wilson's interval of a rate that a survey sample estimated with this variance.

    The interval is computed for the number of simple random labels that would have the same variance. That number is
    p (1 - p) / variance (Korn & Graubard 1998). At a rate of 0 or 1 it would not exist; p is therefore moved slightly to
    the middle, by one additional label that is half a failure. The interval has no width where the variance is 0.

    Args:
        rate: the estimated rate, 0..1.
        variance: of the estimated rate.
        quantile: of Student's t or the normal distribution (`student_quantile`).
        labels: the number of labels behind the rate.
    """
    if variance <= 0:
        return rate, rate
    middle = (rate * labels + 0.5) / (labels + 1)
    n = middle * (1 - middle) / variance
    square = quantile**2
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = quantile / (1 + square / n) * math.sqrt(max(rate * (1 - rate), 0.0) / n + square / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def student_quantile(confidence: float, degrees_of_freedom: float) -> float:
    """The two-sided quantile of Student's t.

    It is the quantile of the normal distribution where the degrees of freedom are infinite.
    """
    from scipy.special import ndtri, stdtrit

    upper = (1 + confidence) / 2
    if math.isinf(degrees_of_freedom):
        return float(ndtri(upper))
    return float(stdtrit(max(degrees_of_freedom, 1.0), upper))


def sign_test(wins: int, losses: int) -> float:
    """The one-sided p-value of the exact sign test.

    It is the probability of at least so many wins if wins and losses are equally likely. Ties are left out beforehand (Dixon & Mood 1946).
    """
    from scipy.special import bdtrc

    return float(bdtrc(wins - 1, wins + losses, 0.5)) if wins else 1.0


def significantly_above(higher: Rate, lower: Rate) -> bool:
    """True where `higher` exceeds `lower` by more than chance explains.

    False where either rate is unknown. The test: the lower end of the difference's 95% interval by Newcombe's method 10 (Statistics in Medicine 17, 1998) is
    above 0. The method assumes independent rates. For rates over the same cases, which correlate, it is conservative.
    """
    if higher.value is None or higher.low is None or lower.value is None or lower.high is None:
        return False
    return higher.value - lower.value > math.hypot(higher.value - higher.low, lower.high - lower.value)


def pearson(x: Values, y: Values) -> Figure:
    """Pearson's correlation.

    No value below `MIN_FOR_CORRELATION` pairs, or where one side is constant.
    """
    return Figure(_correlation(np.asarray(x, float), np.asarray(y, float)), len(x))


def spearman(x: Values, y: Values) -> Figure:
    """Spearman's rank correlation: Pearson's over the mean ranks."""
    return Figure(_correlation(mean_ranks(x), mean_ranks(y)), len(x))


def mean_ranks(values: Values) -> NDArray[np.float64]:
    """The ranks of the values from 1 up, (n,); equal values share the mean of their ranks."""
    _, place, counts = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    mean_rank: NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return mean_rank[place]


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    if len(x) < MIN_FOR_CORRELATION or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    dx, dy = x - x.mean(), y - y.mean()
    return rounded(float(np.clip((dx @ dy) / math.sqrt((dx @ dx) * (dy @ dy)), -1.0, 1.0)))
