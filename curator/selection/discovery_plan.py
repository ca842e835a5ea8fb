"""The division of discovery's budget over its strategies.

Two strategies share the budget. One picks by disagreement (slice `disagreement`), the other covers the inputs without looking at
the score (slice `diversity`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curator.records import ScoreQuality, Slice, StrategyYield
from curator.text.display import plural

FLOOR = 0.05
"""The least share of discovery for each strategy once there are labels, so that the yield of each stays known.

With .1 in place of .05 discovery has 2.32 instead of 2.38 times the failures of random picks (`benchmarks/selection/adapting.py`).
"""
_BY_SLICE: Mapping[Slice, str] = {
    "random": "at random", "disagreement": "by disagreement", "diversity": "by diversity",
}  # fmt: skip
_GRID = (np.arange(400) + 0.5) / 400


@dataclass(frozen=True, slots=True)
class Arm:
    """A part of discovery's picks that one strategy chooses.

    Attributes:
        slice: `disagreement`, or `diversity` for a choice that does not look at the score.
        k: picks wanted.
        among: the ids to choose from.
    """

    slice: Slice
    k: int
    among: frozenset[str]


@dataclass(frozen=True, slots=True)
class DiscoveryPlan:
    """The parts of discovery's budget, and sentences on why they are not all by disagreement."""

    arms: tuple[Arm, ...]
    messages: tuple[str, ...] = ()

    @property
    def k(self) -> int:
        """All picks."""
        return sum(arm.k for arm in self.arms)


def plan_discovery(
    tasks: Mapping[str, str], k: int, *, quality: ScoreQuality | None = None, yields: Sequence[StrategyYield] = ()
) -> DiscoveryPlan:
    """Divide k picks over the strategies; without labels all are by disagreement.

    Tasks on which the score is not better than chance get their share of the picks, by cases, and all of these cover the
    inputs. Of the other picks `diversity_share` cover the inputs.

    Args:
        tasks: the task of each case, by case id.
        k: picks wanted.
        quality: of the score, by the labels so far; None without.
        yields: of the slices, by the labels so far.
    """
    not_ranked = quality.not_ranked(set(tasks.values())) if quality else frozenset()
    unranked = frozenset(i for i, task in tasks.items() if task in not_ranked)
    ranked = frozenset(tasks) - unranked
    covering = round(k * len(unranked) / len(tasks)) if unranked else 0
    share = diversity_share(yields) if ranked else 0.0
    diverse = round((k - covering) * share)
    if share > 0 and k - covering > 1:
        diverse = min(max(diverse, 1), k - covering - 1)
    arms = (
        Arm("disagreement", k - covering - diverse, ranked),
        Arm("diversity", diverse, ranked),
        Arm("diversity", covering, unranked),
    )
    messages = []
    if covering:
        messages.append(_fallback_message(not_ranked, len(unranked), len(tasks), covering))
    if diverse:
        messages.append(_yield_message(yields, diverse, k - covering))
    return DiscoveryPlan(tuple(arm for arm in arms if arm.k > 0), tuple(messages))


def diversity_share(yields: Sequence[StrategyYield]) -> float:
    """Return the share of discovery that covers the inputs; 0 without labels of disagreement.

    It is the probability that covering the inputs finds failures at a higher rate than disagreement, between `FLOOR` and 1 -
    `FLOOR`. Both rates have Beta posteriors over a uniform prior. Labels of the random slice count for covering the inputs
    too, because both ignore the score. To spend by the probability of being best is Thompson's rule (Biometrika 25, 1933).
    """
    by_slice = {item.slice: item for item in yields}
    if "disagreement" not in by_slice or not by_slice["disagreement"].labels:
        return 0.0
    ranked = _posterior([by_slice["disagreement"]])
    covering = _posterior([by_slice[name] for name in ("diversity", "random") if name in by_slice])
    return float(np.clip(_probability_above(covering, ranked), FLOOR, 1 - FLOOR))


def _posterior(yields: Collection[StrategyYield]) -> tuple[float, float]:
    """Return the parameters of the Beta posterior of a rate, over a uniform prior."""
    failures = sum(item.rate * item.worth for item in yields)
    return 1 + failures, 1 + sum(item.worth for item in yields) - failures


def _probability_above(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return the probability that a rate with the first posterior exceeds one with the second."""
    from scipy.special import betainc, betaincinv

    return float(np.mean(betainc(*second, betaincinv(*first, _GRID))))


def _fallback_message(not_ranked: Collection[str], unranked: int, cases: int, covering: int) -> str:
    where = (
        f" on {plural(len(not_ranked), 'task')} ({unranked:,} of {plural(cases, 'case')})" if unranked < cases else ""
    )
    return (
        f"the labels so far show a score that is not better than chance{where}: {plural(covering, 'discovery pick')}"
        f" {'covers' if covering == 1 else 'cover'} the inputs there instead (slice `diversity`)"
    )


def _yield_message(yields: Sequence[StrategyYield], diverse: int, k: int) -> str:
    labels = "; ".join(
        f"{item.failures:g} of {plural(item.labels, 'label')} {_BY_SLICE[item.slice]}" for item in yields if item.labels
    )
    return (
        f"by the failures among the labels so far ({labels}), {diverse:,} of {plural(k, 'discovery pick')}"
        f" {'covers' if diverse == 1 else 'cover'} the inputs (slice `diversity`), the others are by disagreement"
    )
