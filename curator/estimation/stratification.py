"""Strata of cases that are about as likely to fail, cut so that each is worth the same number of labels."""

from __future__ import annotations

import numpy as np

from curator.estimation.sampling_frame import Floats, Frame, Ints

PER_STRATUM = 2
"""Labels a stratum: the fewest that still show how much its cases differ, so that strata are as fine as can be."""
FLOOR = 0.3
"""The part of every draw that is uniform over records: no weight is above 1 / FLOOR times that of a random draw."""
LEAST_SPREAD = 0.1
"""Added (squared) to the predicted variance of a case: no prediction is so sure that its failures need not be looked for."""
RISK_SHARE = 2 / 3
"""The number of risk groups is that of strata to this power: risk tells more than any one category."""
_CLOSE = 1e-9


def chances(weights: Floats, predicted: Floats, k: int) -> tuple[Floats, Ints]:
    """The wished inclusion probability of each case, (n,), summing to k, and the places of those that are certain.

    Neyman's (1934): proportional to weight x the standard deviation of a failure, sqrt(p (1 - p)), mixed with a uniform
    part. Cases that would be drawn more than once are certain, and the rest share what is left.
    """
    spread = weights * np.sqrt(predicted * (1 - predicted) + LEAST_SPREAD**2)
    chance = np.ones(len(weights))
    free = np.ones(len(weights), dtype=bool)
    while free.any():
        uniform = weights[free] / weights[free].sum()
        chance[free] = (k - (~free).sum()) * (FLOOR * uniform + (1 - FLOOR) * spread[free] / spread[free].sum())
        more = free & (chance >= 1 - _CLOSE)
        if not more.any():
            break
        # Fewer than the labels that are left, unless they are all: what every other case adds to the sum is above 0.
        chance[more], free[more] = 1.0, False
    return chance, np.flatnonzero(~free)


def cut(order: Ints, chance: Floats, k: int) -> list[tuple[Ints, int]]:
    """The ordered cases in strata with how many to draw from each, `PER_STRATUM` or one more, k in all.

    The sum of `chance` in a stratum is what is drawn from it, up to the case at its border (Dalenius & Hodges 1959 cut by
    the same rule). No chance may be 1 or more: so a stratum never holds fewer cases than are drawn from it.
    """
    count = max(1, k // PER_STRATUM)
    # Where k does not divide, the strata with one more are spread evenly.
    borders = np.floor(np.arange(1, count + 1) * k / count + 1e-9).astype(int)
    drawn = np.diff(np.concatenate([[0], borders]))
    upto = np.cumsum(chance[order])
    middle = (upto - chance[order] / 2) * (k / upto[-1])
    number = np.searchsorted(borders[:-1], middle, side="right")
    return [(order[number == i], int(drawn[i])) for i in range(count)]


def ordered(frame: Frame, predicted: Floats, chance: Floats, among: Ints, k: int) -> Ints:
    """The places `among`, so that neighbours are alike: by predicted risk, in a risk group by weight and category.

    The groups are about as many as makes the grid of risk and category even; in every other group the categories run
    backwards, so that a stratum across a border holds like ones. Cases that cannot be told apart are ordered by id.
    """
    by_risk = among[np.argsort(predicted[among], kind="stable")]
    # To a factor of two: cases of one stratum should stand for about as many records.
    keys = [np.floor(np.log2(frame.weights)).astype(int), *frame.levels.values()]
    keys = [key[by_risk] for key in keys if key.min() < key.max()]
    if not keys:
        return by_risk
    groups = max(1, round((k / PER_STRATUM) ** RISK_SHARE))
    upto = np.cumsum(chance[by_risk])
    group = np.minimum((upto - chance[by_risk] / 2) * groups / upto[-1], groups - 1).astype(int)
    # Cases of one predicted risk stay together: the category alone tells them apart.
    _, same = np.unique(np.round(predicted[by_risk], 6), return_inverse=True)
    group = group[np.unique(same, return_index=True)[1]][same]
    keys = [np.where(group % 2, -key, key) for key in reversed(keys)]
    return by_risk[np.lexsort((predicted[by_risk], *keys, group))]
