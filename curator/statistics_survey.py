"""Intervals of a rate in 0..1 from its estimate and variance, for few labels and rare failures."""

from __future__ import annotations

import math


def student(confidence: float, freedom: float) -> float:
    """The two-sided quantile of Student's t; the normal one where the degrees of freedom are infinite."""
    from scipy.special import ndtri, stdtrit

    upper = (1 + confidence) / 2
    return float(ndtri(upper) if math.isinf(freedom) else stdtrit(max(freedom, 1.0), upper))


def wilson(rate: float, variance: float, quantile: float, labels: int) -> tuple[float, float]:
    """Wilson's (1927) interval of a rate, for the number of random labels that would have the same variance.

    That number is p (1 - p) / variance, as for surveys (Korn & Graubard 1998), with p drawn a little to the middle by
    one more label that is half a failure: at 0 and 1 it would not exist. No width where the variance is 0.
    """
    if variance <= 0:
        return rate, rate
    middle = (rate * labels + 0.5) / (labels + 1)
    n = middle * (1 - middle) / variance
    square = quantile**2
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = quantile / (1 + square / n) * math.sqrt(max(rate * (1 - rate), 0.0) / n + square / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
