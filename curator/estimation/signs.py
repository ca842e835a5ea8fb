"""The sign-flip test: could the two systems have been swapped, case by case, without anybody seeing a difference?"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from curator.estimation.weighting import Floats

EXACT_UP_TO = 16
"""So many differing cases are flipped in every way (65,536 patterns); above that the saddlepoint is within a few percent of it."""
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
    if len(sizes) <= EXACT_UP_TO:
        return _enumerated(sizes, seen)
    if np.ptp(sizes) <= _TIED * float(sizes[0]):
        return _binomial(len(sizes), round(seen * len(sizes)))
    return _saddlepoint(sizes, seen)


def _enumerated(sizes: Floats, seen: float) -> float:
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate((sums - size, sums + size))
    beyond, tied = np.abs(sums) > seen + _TIED, np.abs(np.abs(sums) - seen) <= _TIED
    return float(beyond.mean() + tied.mean() / 2)


def _binomial(n: int, surplus: int) -> float:
    """Twice the upper mid-p tail of n fair coins where heads are `surplus` more than tails."""
    heads = (n + surplus) // 2
    logs = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(heads, n + 1)]
    terms = [math.exp(log - n * math.log(2)) for log in logs]
    return min(1.0, 2 * math.fsum(terms) - terms[0])


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
