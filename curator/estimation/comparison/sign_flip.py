"""The sign-flip test: could the two systems have been swapped, case by case, without anybody seeing a difference?"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from curator.estimation.comparison.case_weights import Floats

MOST_SUMS = 2**17
"""Up to so many different sums they are all gone through; with more the saddlepoint is within a few percent of the truth."""
_TIED = 1e-9


def sign_flip_p(contributions: Floats) -> float:
    """The two-sided mid-p of a sum of signed contributions (weight x difference, one a case) against random signs.

    If the systems were exchangeable within each case, every pattern of signs would be as likely as the one seen. For
    pass and fail with equal weights this is McNemar's exact test with the mid-p correction (Fagerland, Lydersen and
    Laake, BMC Medical Research Methodology 13, 2013). Cases without a difference do not matter.
    """
    sizes = np.abs(contributions[contributions != 0])
    total = float(sizes.sum())
    if not total:
        return 1.0
    sizes, seen = sizes / total, abs(float(contributions.sum())) / total
    if seen >= 1 - _TIED:
        return 0.5 ** len(sizes)
    if seen <= _TIED:
        return 1.0
    distinct, counts = np.unique(np.round(sizes, 12), return_counts=True)
    if np.log(counts + 1.0).sum() <= math.log(MOST_SUMS):
        return _enumerated(distinct, counts, seen)
    return _saddlepoint(sizes, seen)


def _enumerated(distinct: Floats, counts: NDArray[np.int64], seen: float) -> float:
    """The mid-p over all sums: of `counts` coins of one size it only matters how many show heads."""
    sums, chances = np.zeros(1), np.ones(1)
    for size, count in zip(distinct.tolist(), counts.tolist(), strict=True):
        heads = np.arange(count + 1)
        logs = np.array(
            [math.lgamma(count + 1) - math.lgamma(h + 1) - math.lgamma(count - h + 1) for h in range(count + 1)]
        )
        sums = np.add.outer(sums, size * (2 * heads - count)).ravel()
        chances = np.multiply.outer(chances, np.exp(logs - count * math.log(2))).ravel()
    beyond, tied = np.abs(sums) > seen + _TIED, np.abs(np.abs(sums) - seen) <= _TIED
    return min(1.0, float(chances[beyond].sum() + chances[tied].sum() / 2))


def _saddlepoint(sizes: Floats, seen: float) -> float:
    """Twice the upper tail by Lugannani and Rice (1980); K(t) is the sum of log cosh(t size).

    Without a continuity correction it counts half of what is tied, as the mid-p does.
    """
    t = _root(sizes, seen)
    cumulant = float((np.logaddexp(t * sizes, -t * sizes) - math.log(2)).sum())
    curvature = float((sizes**2 * (1 - np.tanh(t * sizes) ** 2)).sum())
    w = math.sqrt(max(2 * (t * seen - cumulant), 0.0))
    u = t * math.sqrt(curvature)
    normal = NormalDist()
    if min(w, u) < 1e-4:  # both terms of the formula go to infinity, and the tail to a half
        return min(1.0, 2 * (1 - normal.cdf(seen / math.sqrt(float((sizes**2).sum())))))
    tail = normal.cdf(-w) + normal.pdf(w) * (1 / u - 1 / w)
    return float(min(1.0, max(2 * tail, 0.5 ** len(sizes))))


def _root(sizes: Floats, seen: float) -> float:
    """The t with K'(t) = seen, by bisection: K' grows from 0 to the sum of the sizes, which is 1."""
    low, high = 0.0, 1.0 / float(sizes.max())
    while float((sizes * np.tanh(high * sizes)).sum()) < seen:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        if float((sizes * np.tanh(middle * sizes)).sum()) < seen:
            low = middle
        else:
            high = middle
    return (low + high) / 2
