"""The failure rate of the cases with one value of a category, by its own labels."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from curator.errors import Refused
from curator.estimation.labelled_pool import LabelledPool
from curator.estimation.partial_pooling import pooled_rates
from curator.estimation.sampling_frame import Bools
from curator.records import PooledRate
from curator.stats import student_quantile, survey_wilson

MIN_LABELS_OF_DOMAIN = 10
"""With fewer labels in it a domain has no estimate."""


@dataclass(frozen=True, slots=True)
class DomainEstimate:
    """The failure rate among the cases with one value of a category.

    Attributes:
        value: of the category.
        share: of the pool's records that have it.
        labels: the number of its labelled cases.
        rate: its failure rate; None with a `reason`.
        low: the lower end of the interval.
        high: the upper end.
        reason: for a missing rate.
        pooled: the rate that borrows strength from the other values (`partial_pooling`); None with too few labels.
    """

    value: str
    share: float
    labels: int
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    pooled: PooledRate | None = None


def domain_estimates(
    pool: LabelledPool, name: str, confidence: float, least: int, *, open_values: Collection[str] = ()
) -> tuple[DomainEstimate, ...]:
    """Return the rate for each value of a category.

    A value with fewer than `least` labels has none. Cases without a label may belong to the `open_values`, whatever the frame says:
    their size is estimated, and they are never exact.

    Raises:
        Refused: no case has the category.
    """
    levels = pool.frame.levels
    if name not in levels:
        raise Refused(f"no case has {name!r}", remedy=f"use one of {', '.join(sorted(levels)) or 'none'}")
    return tuple(
        replace(
            _domain_estimate(pool, value, levels[name] == number, confidence, least, is_open=value in open_values),
            pooled=pooled,
        )
        for number, (value, pooled) in enumerate(
            zip(pool.frame.names[name], pooled_rates(pool, name, confidence, open_values=open_values), strict=True)
        )
    )


def _domain_estimate(
    pool: LabelledPool, value: str, inside: Bools, confidence: float, least: int, *, is_open: bool
) -> DomainEstimate:
    """The rate in a domain, a ratio of two estimates over the pool.

    The variance is linearised. Source: Cochran (1977), 5A.14.
    """
    y, frame = pool.y, pool.frame
    share = float(frame.weights[inside].sum() / frame.weights.sum())
    labels, cases = int((inside & ~np.isnan(y)).sum()), int(inside.sum())
    if not cases:
        return DomainEstimate(
            value, 0.0, 0, reason="not enough labels: all its cases are new since the labels were drawn"
        )
    if is_open:
        share, cases = max(pool.mean(inside.astype(float)), 0.0), least
    if labels < min(least, cases):
        return DomainEstimate(
            value, share, labels, reason=f"not enough labels: {labels} of at least {min(least, cases)}"
        )
    if labels == cases and not is_open:
        rate = float(np.average(y[inside], weights=frame.weights[inside]))
        return DomainEstimate(value, share, labels, rate, rate, rate)
    failures = pool.mean(np.where(inside, y, 0.0))
    records = pool.mean(inside.astype(float))
    if not records or not share:
        return DomainEstimate(value, share, labels, reason="not enough labels: none that the estimate can use")
    rate = min(max(failures / records, 0.0), 1.0)
    residual = np.where(inside, y - rate, 0.0)
    counted = np.where(inside, y, np.nan)
    total = pool.variance(residual, counted)
    quantile = student_quantile(confidence, total.degrees_of_freedom)
    low, high = survey_wilson(rate, total.value / share**2, quantile, labels)
    return DomainEstimate(value, share, labels, rate, min(low, rate), max(high, rate))
