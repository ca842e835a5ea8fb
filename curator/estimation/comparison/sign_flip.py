"""The sign-flip test of a paired difference: are the systems exchangeable in each case?"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from curator.estimation.comparison.case_weights import Floats

MAX_SUMS = 2**17
"""Up to this many distinct sums, all are enumerated; above, the saddlepoint is within a few percent of the exact p."""
_TIED = 1e-9


def sign_flip_p(contributions: Floats) -> float:
    """The two-sided mid-p of a sum of signed contributions against random signs.

    If the systems were exchangeable within each case, every pattern of signs would be equally likely. For pass and fail
    with equal weights this is McNemar's exact test with the mid-p correction (Fagerland, Lydersen and Laake, BMC Medical
    Research Methodology 13, 2013). Cases without a difference have no effect.

    Args:
        contributions: weight times difference of each case, (n,).
    """
    sizes = np.abs(contributions[contributions != 0])
    total = float(sizes.sum())
    if not total:
        return 1.0
    sizes, observed = sizes / total, abs(float(contributions.sum())) / total
    if observed >= 1 - _TIED:
        return 0.5 ** len(sizes)
    if observed <= _TIED:
        return 1.0
    distinct, counts = np.unique(np.round(sizes, 12), return_counts=True)
    if np.log(counts + 1.0).sum() <= math.log(MAX_SUMS):
        return _enumerated(distinct, counts, observed)
    return _saddlepoint(sizes, observed)


def _enumerated(distinct: Floats, counts: NDArray[np.int64], observed: float) -> float:
    """The mid-p over all sums: among coins of one size only the number of heads matters."""
    sums, probabilities = np.zeros(1), np.ones(1)
    for size, count in zip(distinct.tolist(), counts.tolist(), strict=True):
        heads = np.arange(count + 1)
        logs = np.array(
            [math.lgamma(count + 1) - math.lgamma(h + 1) - math.lgamma(count - h + 1) for h in range(count + 1)]
        )
        sums = np.add.outer(sums, size * (2 * heads - count)).ravel()
        probabilities = np.multiply.outer(probabilities, np.exp(logs - count * math.log(2))).ravel()
    beyond, tied = np.abs(sums) > observed + _TIED, np.abs(np.abs(sums) - observed) <= _TIED
    return min(1.0, float(probabilities[beyond].sum() + probabilities[tied].sum() / 2))


def _saddlepoint(sizes: Floats, observed: float) -> float:
    """Twice the upper tail by Lugannani and Rice (1980); K(t) is the sum of log cosh(t size).

    Without a continuity correction it counts half of the ties, as the mid-p does.
    """
    t = _root(sizes, observed)
    cumulant = float((np.logaddexp(t * sizes, -t * sizes) - math.log(2)).sum())
    curvature = float((sizes**2 * (1 - np.tanh(t * sizes) ** 2)).sum())
    w = math.sqrt(max(2 * (t * observed - cumulant), 0.0))
    u = t * math.sqrt(curvature)
    normal = NormalDist()
    if min(w, u) < 1e-4:  # both terms of the formula go to infinity and their difference to a half
        return min(1.0, 2 * (1 - normal.cdf(observed / math.sqrt(float((sizes**2).sum())))))
    tail = normal.cdf(-w) + normal.pdf(w) * (1 / u - 1 / w)
    return float(min(1.0, max(2 * tail, 0.5 ** len(sizes))))


def _root(sizes: Floats, observed: float) -> float:
    """The t with K'(t) = observed, by bisection: K' increases from 0 to the sum of the sizes, 1."""
    low, high = 0.0, 1.0 / float(sizes.max())
    while float((sizes * np.tanh(high * sizes)).sum()) < observed:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        if float((sizes * np.tanh(middle * sizes)).sum()) < observed:
            low = middle
        else:
            high = middle
    return (low + high) / 2
