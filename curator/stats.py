"""Shares with their intervals, and when one is above another for certain."""

from __future__ import annotations

import math

from curator.records import Rate

LEAST_FOR_RATE = 10
"""Of fewer cases no share is told."""
_Z = 1.96


def rate(hits: float, n: int) -> Rate:
    """The share `hits / n` with its 95% interval (Wilson 1927); nothing but n below `LEAST_FOR_RATE` cases.

    `hits` may be a fraction: the sum of a share for each case. The interval is then wider than it need be.
    """
    if n < LEAST_FOR_RATE:
        return Rate(None, None, None, n)
    low, high = wilson(hits / n, n)
    return Rate(rounded(hits / n), rounded(low), rounded(high), n)


def rounded(value: float) -> float:
    """The value with six digits: more than anybody reads, and the same on every machine."""
    return round(value, 6) + 0.0  # which turns -0.0 into 0.0


def wilson(share: float, n: int) -> tuple[float, float]:
    """The ends of the 95% score interval (Wilson 1927) of a share of n."""
    middle, width = share + _Z**2 / (2 * n), _Z * math.sqrt(share * (1 - share) / n + (_Z / (2 * n)) ** 2)
    return max(0.0, (middle - width) / (1 + _Z**2 / n)), min(1.0, (middle + width) / (1 + _Z**2 / n))


def surely_above(one: Rate, other: Rate) -> bool:
    """Whether `one` is above `other` by more than chance explains; False where either of them is not known.

    The lower end of the difference's 95% interval by Newcombe's method 10 (Statistics in Medicine 17, 1998) is above 0.
    It takes the two for independent: for shares of the same cases, which go together, it is the cautious side.
    """
    if one.value is None or one.low is None or other.value is None or other.high is None:
        return False
    return one.value - other.value > math.hypot(one.value - one.low, other.high - other.value)
