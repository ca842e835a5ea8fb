"""Shares over cases with their intervals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum, hypot

from curator.stats import wilson


@dataclass(frozen=True, slots=True)
class Share:
    """A share in 0..1 with its 95% interval over cases.

    The interval is Wilson's for n independent cases. It is wider than necessary where a case has a share of its own, as
    no variable in 0..1 has a larger variance than one of 0 and 1.

    Attributes:
        value: the share.
        low: the lower end.
        high: the upper end.
        n: the number of cases, or of as many cases as count the same.
    """

    value: float
    low: float
    high: float
    n: float


def share_of(values: Iterable[float | None]) -> Share | None:
    """Return the mean of the shares that are not None, with its interval; None without one."""
    present = [v for v in values if v is not None]
    return share(fsum(present) / len(present), len(present)) if present else None


def share(value: float, n: float) -> Share:
    """Return a share of n cases with its interval; outside 0..1 it becomes the nearer end."""
    inside = min(max(value, 0.0), 1.0)
    low, high = wilson(inside, max(n, 1e-9))  # type: ignore[arg-type]  # any n above 0
    return Share(inside, low, high, n)


def difference(higher: Share | None, lower: Share | None) -> tuple[float, float]:
    """Return the difference of two shares and its lower end (Newcombe 1998, method 10)."""
    if higher is None or lower is None:
        return 0.0, 0.0
    by = higher.value - lower.value
    return by, by - hypot(higher.value - higher.low, lower.high - lower.value)
