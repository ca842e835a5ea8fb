"""Rank cases by the committee's disagreement and a judge's verdicts together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from curator.stats import mean_ranks

GAIN = 4.0
"""The weight of a verdict is this times the correlation of verdicts and ranks that is beyond chance. Chosen without one family of recorded
pools and judged on it (`benchmarks/selection/judged_ranking.py`)."""
CHANCE = 2.0
"""Standard errors of a correlation that chance may give: they are taken off."""
LEAST = 20
"""With fewer judged cases the correlation says nothing."""


@dataclass(frozen=True, slots=True)
class JudgedRanking:
    """A ranking that a judge has changed.

    Attributes:
        ranks: the number that ranks each case, by id; the numbers are those of the ranking before, in another order.
        weight: how far a verdict moves a case, in shares of all cases; 0 where the ranking is as before.
    """

    ranks: Mapping[str, float]
    weight: float


def judged_ranking(ranking: Mapping[str, float], failures: Mapping[str, float]) -> JudgedRanking:
    """Move cases in a ranking by a judge's verdicts, as far as the committee supports them.

    Without labels it is not known how good the judge is. But a judge that recognises failures agrees with a
    committee that does, and one that guesses does not: the weight follows their correlation (as in Dawid & Skene 1979, where the
    agreement of raters tells their quality).

    Args:
        ranking: the disagreement by case id.
        failures: the verdicts by case id, the probability of a failure, 0..1; a case without one stays where it is.
    """
    ids = sorted(ranking)
    judged = [i for i in ids if i in failures]
    before = np.array([ranking[i] for i in ids])
    if len(judged) < LEAST:
        return JudgedRanking(ranking, 0.0)
    places = dict(zip(ids, ((mean_ranks(before) - 0.5) / len(ids)).tolist(), strict=True))
    verdicts = np.array([failures[i] for i in judged])
    of_judged = np.array([places[i] for i in judged])
    if verdicts.std() == 0 or of_judged.std() == 0:
        return JudgedRanking(ranking, 0.0)
    correlation = float(np.corrcoef(verdicts, of_judged)[0, 1])
    weight = GAIN * max(0.0, correlation - CHANCE / math.sqrt(len(judged)))
    if not weight:
        return JudgedRanking(ranking, 0.0)
    moved = {i: places[i] + weight * (failures[i] - float(verdicts.mean())) for i in judged}
    together = np.array([moved.get(i, places[i]) for i in ids])
    order = np.argsort(together, kind="stable")
    ranks = np.empty(len(ids))
    ranks[order] = np.sort(before)
    # Cases that nothing tells apart keep one number.
    _, same = np.unique(together, return_inverse=True)
    means = np.bincount(same, ranks) / np.bincount(same)
    return JudgedRanking(dict(zip(ids, means[same].tolist(), strict=True)), weight)
