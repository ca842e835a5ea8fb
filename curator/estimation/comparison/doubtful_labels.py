"""Cases whose labels are in doubt: better systems fail in them and worse ones pass.

A right label agrees with the rest of the set: systems that are good elsewhere pass more often. The item-rest correlation
(discrimination in classical test theory, Lord and Novick 1968) of a case with a wrong label, or with a question that can be
understood in two ways, is negative. Chance is judged by a permutation test over the systems.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from curator.estimation.comparison.case_weights import Floats
from curator.estimation.comparison.distillation import system_families

FEWEST_SYSTEMS = 6
"""Of five systems at most one order in ten is the worst possible one, so that no case can be beyond chance at .05."""
FEWEST_CASES = 20
"""With fewer cases the rest of the set cannot order the systems."""
LEVEL = 0.05
_MOST_ORDERS = 5040
"""The number of orders of 7 systems, which are all tried; of more systems `_DRAWN_ORDERS` are tried at random."""
_DRAWN_ORDERS = 2000
_SEED = 0


@dataclass(frozen=True, slots=True)
class DoubtfulCase:
    """A case that better systems fail.

    Attributes:
        place: its row in the table of scores.
        correlation: of its scores with the systems' means over all other cases, -1..0.
        p: the share of orders of the systems with such a correlation or a lower one.
    """

    place: int
    correlation: float
    p: float


@dataclass(frozen=True, slots=True)
class LabelDoubts:
    """The cases whose labels are in doubt.

    Attributes:
        cases: the most doubtful ones first.
        by_chance: about so many cases at most would be among them if no case had anything to do with the others.
        systems: the number of systems, near-copies counted once.
        reason: the reason why no case was looked at; "" where they were.
    """

    cases: tuple[DoubtfulCase, ...] = ()
    by_chance: float = 0.0
    systems: int = 0
    reason: str = ""


def doubtful_cases(scores: Floats, *, level: float = LEVEL) -> LabelDoubts:
    """Find cases with a negative item-rest correlation beyond chance.

    Args:
        scores: cases x systems, in 0..1, none missing. Near-copies, such as one prompt at several temperatures, count once, with
            their mean: they are no independent witnesses.
        level: the one-sided error rate of the test of each case.
    """
    table = independent_systems(scores)
    cases, systems = table.shape
    if systems < FEWEST_SYSTEMS or cases < FEWEST_CASES:
        counted = "near-copies counted once, " if systems < scores.shape[1] else ""
        needed = f"at least {FEWEST_SYSTEMS} systems that differ and {FEWEST_CASES} cases are needed"
        return LabelDoubts(
            systems=systems, reason=f"not enough data ({systems} systems, {counted}{cases} cases): {needed}"
        )
    correlations, p = item_rest(table)
    places = [int(i) for i in np.lexsort((correlations, p)) if p[i] <= level and correlations[i] < 0]
    doubts = tuple(DoubtfulCase(i, round(float(correlations[i]), 6), round(float(p[i]), 6)) for i in places)
    differing = int((np.ptp(table, axis=1) > 0).sum())
    return LabelDoubts(doubts, level * differing, systems)


def independent_systems(scores: Floats) -> Floats:
    """Return the mean score of each family of near-copies, cases x families.

    Only cases that do not contradict the rest show families: better systems that all fail in a few wrongly labelled cases are no
    copies of each other.
    """
    if scores.shape[1] < 2 or len(scores) < 2:
        return scores
    deviations = _deviations(scores)
    families = np.array(system_families(scores[(deviations.item * deviations.rest).sum(axis=1) >= 0]))
    return np.stack([scores[:, families == family].mean(axis=1) for family in np.unique(families)], axis=1)


def item_rest(table: Floats) -> tuple[Floats, Floats]:
    """Return the item-rest correlation of each case, and its one-sided p for a negative one.

    The correlation is 0, and p 1, where all systems have the same score.
    """
    item, rest = _deviations(table)
    norm = np.sqrt((item**2).sum(axis=1) * (rest**2).sum(axis=1))
    measured = (item * rest).sum(axis=1)
    lower = np.zeros(len(table))
    orders = _orders(table.shape[1])
    for order in orders:
        lower += (item[:, order] * rest).sum(axis=1) <= measured + 1e-12
    flat = norm < 1e-12
    exact = math.factorial(table.shape[1]) <= _MOST_ORDERS
    p = lower / len(orders) if exact else (lower + 1) / (len(orders) + 1)
    correlations = np.where(flat, 0.0, measured / np.where(flat, 1.0, norm))
    return correlations, np.where(flat, 1.0, p)


class _Deviations(NamedTuple):
    """Scores, and means over all other cases, each less its mean over the systems."""

    item: Floats
    rest: Floats


def _deviations(table: Floats) -> _Deviations:
    rest = (table.sum(axis=0) - table) / (len(table) - 1)
    return _Deviations(table - table.mean(axis=1, keepdims=True), rest - rest.mean(axis=1, keepdims=True))


def _orders(systems: int) -> list[NDArray[np.int64]]:
    if math.factorial(systems) <= _MOST_ORDERS:
        return [np.array(order) for order in itertools.permutations(range(systems))]
    drawn = np.random.default_rng(_SEED)
    return [drawn.permutation(systems) for _ in range(_DRAWN_ORDERS)]
