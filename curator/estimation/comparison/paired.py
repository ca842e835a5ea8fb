"""The difference of two systems on the same cases: estimate, interval, test and sample size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from curator.estimation.comparison.case_weights import Floats, Sample
from curator.estimation.comparison.sign_flip import sign_flip_p

_EVEN = 1e-9


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The difference of two systems' mean scores over the same cases; scores are in 0..1.

    Attributes:
        difference: the weighted mean of the differences, -1..1.
        low: the lower end of its confidence interval.
        high: the upper end.
        p: of the two-sided test of no difference (`paired_difference`).
        cases: the cases that both have a score for.
        differing: those of them in which the scores differ.
        effective_cases: the simple random cases that would give the same precision.
        second_moment: the weighted mean of the squared differences, for `labels_needed`.
    """

    difference: float
    low: float
    high: float
    p: float
    cases: int
    differing: int
    effective_cases: float
    second_moment: float

    @property
    def negated(self) -> PairedDifference:
        """The difference in the other direction."""
        return PairedDifference(
            -self.difference,
            -self.high,
            -self.low,
            self.p,
            self.cases,
            self.differing,
            self.effective_cases,
            self.second_moment,
        )


def paired_difference(differences: Floats, sample: Sample, *, confidence: float = 0.95) -> PairedDifference:
    """Estimate the mean of differences in -1..1, one for each case of the sample.

    The interval is Tango's score interval (Statistics in Medicine 17, 1998) for the effective number of cases; graded
    scores enter by their first two moments. The test flips signs (`sign_flip_p`). With unequal weights that test is
    anti-conservative: it ignores heavy cases without a difference, though each represents many that may differ. p is
    therefore at least the p of the interval. Where the test does not reject at 1 - confidence, the interval is extended
    to include 0, so that test and interval agree.

    Args:
        differences: (n,).
        sample: the design of the n cases.
        confidence: of the interval.
    """
    weights = sample.weights
    total = float(weights.sum())
    mean = float(weights @ differences) / total
    second = float(weights @ differences**2) / total
    size = typical_size(differences, weights)
    effective = effective_cases(differences, sample)
    low, high = score_interval(mean, second, size, effective, z=NormalDist().inv_cdf((1 + confidence) / 2))
    p = sign_flip_p(weights * differences)
    if np.ptp(weights) > _EVEN * float(weights.max()):
        p = max(p, score_p(mean, second, effective))
    if p >= 1 - confidence:
        low, high = min(low, 0.0), max(high, 0.0)
    return PairedDifference(mean, low, high, p, len(sample), int(np.count_nonzero(differences)), effective, second)


def typical_size(differences: Floats, weights: Floats) -> float:
    """The root mean square of the non-zero differences, as 1 for pass and fail; 1 if all are 0."""
    there = float(weights @ (differences != 0))
    return math.sqrt(float(weights @ differences**2) / there) if there else 1.0


def residuals(values: Floats, sample: Sample) -> Floats:
    """Each case's weighted contribution to the error of the weighted mean, (n,); they sum to 0."""
    weights = sample.weights
    return weights * (values - float(weights @ values) / float(weights.sum()))


def spread(expanded: Floats, sample: Sample) -> float:
    """The variance of a sum of expanded residuals over the traffic that the pool is a sample of.

    It has two parts. The design's is the variance within strata, reduced by the part of the pool that was drawn
    (1 - probability). The pool's own is added; certain cases contribute only to this one. With one stratum and equal
    probabilities the total is the sum of squares, whatever the probability.
    """
    n = len(sample)
    design = np.zeros(n)
    for stratum in range(int(sample.strata.max()) + 1):
        rows = np.flatnonzero(sample.strata == stratum)
        if len(rows) == 1:
            design[rows] = expanded[rows] ** 2
            continue
        within = expanded[rows] - expanded[rows].mean()
        design[rows] = within**2 * (len(rows) / (len(rows) - 1) * (n - 1) / n)
    return float(((1 - sample.probability) * design + sample.probability * expanded**2).sum())


def effective_cases(differences: Floats, sample: Sample) -> float:
    """The number of simple random cases that would estimate the mean difference equally well.

    Two pseudo-cases, one for each direction, make it robust where only a few light cases differ (Bonett and Price,
    Journal of Educational and Behavioral Statistics 37, 2012, add the same to each side). With equal weights it is the
    number of cases, to a thousandth.
    """
    weights = sample.weights
    total, extra, size = float(weights.sum()), sample.typical_weight, typical_size(differences, sample.weights)
    padded = total + 2 * extra
    mean = float(weights @ differences) / padded
    second = (float(weights @ differences**2) + 2 * extra * size**2) / padded
    variance = spread(weights * (differences - mean), sample)
    pseudo = 2 * extra**2 * (size**2 + mean**2)
    return max(1.0, padded**2 * (second - mean**2) / (variance + pseudo) - 2)


def score_interval(mean: float, second: float, size: float, cases: float, *, z: float) -> tuple[float, float]:
    """Tango's interval of a paired difference, from its mean and second moment.

    `size` is the typical size of a difference, 1 for pass and fail.
    """
    share, lean = min(1.0, second / size**2), mean / size
    above, below = (share + lean) / 2, (share - lean) / 2

    def inside(difference: float) -> bool:
        return abs(_tango(above, below, difference, cases)) <= z

    return size * _edge(inside, lean, -1.0), size * _edge(inside, lean, 1.0)


def score_p(mean: float, second: float, cases: float) -> float:
    """The two-sided p of no difference by Tango's score.

    It is below 1 - confidence exactly where the interval excludes 0.
    """
    return 2 * NormalDist().cdf(-abs(mean) * math.sqrt(cases / second)) if second else 1.0


def _tango(above: float, below: float, difference: float, cases: float) -> float:
    """Tango's score: the distance of the data from `difference`, in its standard errors."""
    b = -above - below + (2 - above + below) * difference
    c = -below * difference * (1 - difference)
    root = (math.sqrt(max(b * b - 8 * c, 0.0)) - b) / 4
    variance = max(2 * root + difference * (1 - difference), 1e-300) / cases
    return (above - below - difference) / math.sqrt(variance)


def _edge(inside: Callable[[float], bool], start: float, end: float) -> float:
    """The value nearest to `end` that is inside, by bisection from `start`, which is inside."""
    if inside(end):
        return end
    for _ in range(60):
        middle = (start + end) / 2
        start, end = (middle, end) if inside(middle) else (start, middle)
    return start


def labels_needed(
    observed: PairedDifference, true: float, *, confidence: float = 0.95, power: float = 0.8
) -> int | None:
    """The total number of labelled cases, drawn alike, that makes a true difference significant.

    The formula is Connor's (Biometrics 43, 1987). None where the number is unknown: the difference is 0, or no case
    differs yet.

    Args:
        observed: the difference so far.
        true: the true difference to detect, -1..1.
        confidence: 1 less the significance level.
        power: the probability of detecting it.
    """
    if not true or not observed.differing:
        return None
    normal = NormalDist()
    second = max(observed.second_moment, true**2)
    under_none = normal.inv_cdf((1 + confidence) / 2) * math.sqrt(second)
    under_true = normal.inv_cdf(power) * math.sqrt(second - true**2)
    plain = ((under_none + under_true) / true) ** 2
    return math.ceil(plain * observed.cases / observed.effective_cases)
