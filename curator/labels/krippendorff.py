"""Krippendorff's alpha for nominal values: agreement of people who each judge some cases.

Krippendorff, K. (2011). Computing Krippendorff's alpha-reliability. https://repository.upenn.edu/handle/20.500.14332/2089
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.stats import rounded, wilson

RESAMPLES = 2000
"""Bootstrap samples: the ends of the interval then vary by less than 0.01 from seed to seed."""
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Alpha:
    """Agreement beyond chance with a 95% interval.

    The interval is that of a bootstrap over the cases. Of few cases, or few disagreements, it is too short, as no sample has a
    disagreement that was not seen; its lower end is therefore at most that of the Wilson interval of the disagreement
    (`benchmarks/estimation/agreement.py` prints how often it covers). 1 is full agreement, 0 that of values dealt at random, and below 0 people differ systematically.
    """

    value: float
    low: float
    high: float


def krippendorff_alpha(cases: Sequence[Sequence[Hashable]], *, seed: int = 0) -> Alpha | None:
    """Measure the agreement on the values of each case; None where it is not defined.

    It is not defined without a case of two values, and where all values are equal: nothing shows then that people would
    notice a difference.

    Args:
        cases: the values of each case, one a person. A case with fewer than two counts for nothing.
        seed: of the bootstrap.
    """
    shared = [values for values in cases if len(values) > 1]
    names = {value: place for place, value in enumerate(dict.fromkeys(value for values in shared for value in values))}
    if len(names) < 2:
        return None
    counts = np.zeros((len(shared), len(names)))
    for row, values in enumerate(shared):
        for value in values:
            counts[row, names[value]] += 1
    every = np.ones((1, len(shared)))
    (value,), (disagreement,), (by_chance,) = _alphas(every, counts)
    low, high = _interval(counts, seed)
    _, most = wilson(float(disagreement), len(shared))
    return Alpha(rounded(value), rounded(max(-1.0, min(low, 1 - most / by_chance))), rounded(high))


def _alphas(weights: NDArray[np.float64], counts: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return alpha, disagreement and that by chance, for each row of weights of the cases.

    Alpha is 1 where all values of the weighted cases are equal. `counts` holds how often each value was given to each case.
    """
    values = counts.sum(axis=1)
    agreeing = (counts * (counts - 1)).sum(axis=1) / (values - 1)
    n = weights @ values
    observed = 1 - weights @ agreeing / n
    marginals = weights @ counts
    expected = 1 - (marginals * (marginals - 1)).sum(axis=1) / (n * (n - 1))
    alphas = np.where(expected > 1e-12, 1 - observed / np.where(expected > 1e-12, expected, 1), 1.0)
    return alphas, observed, expected


def _interval(counts: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Return the 95% interval: percentiles over samples of the cases, drawn with replacement."""
    cases = len(counts)
    random = np.random.default_rng(seed)
    even = np.full(cases, 1 / cases)
    samples = (random.multinomial(cases, even, size=_AT_ONCE).astype(float) for _ in range(RESAMPLES // _AT_ONCE))
    low, high = np.percentile(np.concatenate([_alphas(sample, counts)[0] for sample in samples]), [2.5, 97.5])
    return float(low), float(high)
