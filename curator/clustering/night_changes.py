"""The trend of a category since the night before, and the likely reason why it lost cases."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from curator.records import Fading, Trend
from curator.stats import NORMAL_QUANTILE_95

_QUANTILE_99 = 2.576
"""Reasons are given at 99%: a dozen categories are looked at every night. 9 cases and then 0 are the least that has one."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The asked cases of a night.

    Attributes:
        cases: their number.
        records: the number of log records behind them.
        by_task: the number of cases of each task; only of the tasks of tracked categories in a history.
    """

    cases: int
    records: int
    by_task: Mapping[str, int]

    def of_task(self, task: str) -> int:
        """Return the number of cases of a task; of all cases for "", which is several tasks."""
        return self.by_task.get(task, 0) if task else self.cases

    def of_tasks(self, tasks: Collection[str]) -> Counts:
        """Return the counts with these tasks only."""
        return Counts(self.cases, self.records, {task: n for task, n in sorted(self.by_task.items()) if task in tasks})


def trend_of(before: int, of_before: Counts, now: int, of_now: Counts) -> Trend:
    """The trend of a category's share of the asked log records.

    `before` and `now` are its records. Those of one case are not independent, so the number of asked cases is that of the
    observations.
    """
    then, share = before / max(1, of_before.records), now / max(1, of_now.records)
    if not _differ(then, of_before.cases, share, of_now.cases):
        return "steady"
    return "grew" if share > then else "shrank"


@dataclass(frozen=True, slots=True)
class Size:
    """The cases of a category: those in it, and all cases of its task that show its difference."""

    cases: int
    shown: int


def fading_of(task: str, before: Size, of_before: Counts, now: Size, of_now: Counts) -> Fading | None:
    """The likely reason why a category has fewer cases.

    `fixed`: the shares of the cases of its task that it has, and that show its difference, both fell: a mode of failure may
    also have fewer cases because others have them, or because it is not beyond noise this night. `not-asked`: the share of
    its task in all cases fell, or the task has no case now. None where no fall is significant.
    """
    asked_before, asked_now = of_before.of_task(task), of_now.of_task(task)
    if not asked_now:
        return "not-asked"
    pairs = ((before.cases, now.cases), (before.shown, now.shown))
    if all(_fell(then, asked_before, later, asked_now) for then, later in pairs):
        return "fixed"
    return "not-asked" if _fell(asked_before, of_before.cases, asked_now, of_now.cases) else None


def _fell(before: int, of_before: int, now: int, of_now: int) -> bool:
    then, share = before / max(1, of_before), now / max(1, of_now)
    return share < then and _differ(then, of_before, share, of_now, quantile=_QUANTILE_99)


def _differ(first: float, of_first: int, second: float, of_second: int, quantile: float = NORMAL_QUANTILE_95) -> bool:
    """The two-proportion test with Yates' correction for continuity (1934).

    Without the correction 4 cases of one night and 0 of the next would differ at 95%; with it, as by the exact conditional
    test, the least such number is 6.
    """
    if not of_first or not of_second:
        return False
    first, second = min(1.0, first), min(1.0, second)
    pooled = (first * of_first + second * of_second) / (of_first + of_second)
    per_case = 1 / of_first + 1 / of_second
    margin = quantile * math.sqrt(pooled * (1 - pooled) * per_case)
    return abs(first - second) > margin + per_case / 2
