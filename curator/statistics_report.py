"""The few statistics of the report. Each one carries the number of values behind it, and is silent on too few."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_FOR_MEAN = 3
LEAST_FOR_CORRELATION = 10
HISTOGRAM_BINS = 10
UNANIMOUS = 1 - 1e-9
"""A share from which on it is all of them: a mean of similarities may miss 1 by rounding."""
_DIGITS = 6  # enough for any reader, few enough that every machine writes the same


@dataclass(frozen=True, slots=True)
class Figure:
    """A number over `n` values; `value` is None where n is too small to say anything."""

    value: float | None
    n: int


def mean(values: Iterable[float | None]) -> Figure:
    """The mean of the values that are there (None: unknown); nothing below three of them."""
    known = [v for v in values if v is not None]
    return Figure(rounded(math.fsum(known) / len(known)) if len(known) >= LEAST_FOR_MEAN else None, len(known))


def share(part: float, whole: float) -> float:
    """`part / whole`, 0 for an empty whole."""
    return rounded(part / whole) if whole else 0.0


def histogram(values: Iterable[float]) -> tuple[int, ...]:
    """Counts of values in 0..1 by ten bins of equal width; 1.0 falls into the last one."""
    counts = [0] * HISTOGRAM_BINS
    for value in values:
        counts[min(HISTOGRAM_BINS - 1, max(0, math.floor(value * HISTOGRAM_BINS + 1e-9)))] += 1
    return tuple(counts)


def pearson(x: Sequence[float], y: Sequence[float]) -> Figure:
    """Pearson's correlation; nothing below ten pairs, or where one side never changes."""
    return Figure(_pearson(np.asarray(x, float), np.asarray(y, float)), len(x))


def spearman(x: Sequence[float], y: Sequence[float]) -> Figure:
    """Spearman's rank correlation: Pearson's over the ranks, ties sharing their mean rank."""
    return Figure(_pearson(_ranks(x), _ranks(y)), len(x))


def rounded(value: float) -> float:
    """The value as the summary writes it."""
    return round(float(value), _DIGITS) + 0.0  # which turns -0.0 into 0.0


def _pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    if len(x) < LEAST_FOR_CORRELATION or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    dx, dy = x - x.mean(), y - y.mean()
    return rounded(float(np.clip((dx @ dy) / math.sqrt((dx @ dx) * (dy @ dy)), -1.0, 1.0)))


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    _, place, counts = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank: NDArray[np.float64] = last - (counts - 1) / 2
    return mean_rank[place]
