"""Strata of cases with similar predicted risk, each with the same number of labels."""

from __future__ import annotations

import numpy as np

from curator.estimation.sampling_frame import Floats, Ints, SamplingFrame

PER_STRATUM = 2
"""Labels per stratum: two are the minimum from which a variance can be estimated, so strata are as fine as possible."""
FLOOR = 0.3
"""The uniform part of every draw: no case's weight exceeds 1 / FLOOR times that of a draw uniform over records."""
LEAST_SPREAD = 0.1
"""Its square is added to the predicted variance of a case, so that even confident predictions are sampled."""
RISK_SHARE = 2 / 3
"""The number of risk groups is the number of strata to this power: risk predicts failure better than any domain."""
_CLOSE = 1e-9


def inclusion_probabilities(weights: Floats, predicted: Floats, k: int) -> tuple[Floats, Ints]:
    """The target inclusion probabilities, (n,), and the places of the certain cases.

    The probabilities sum to k.     They follow Neyman (1934): proportional to weight times the standard deviation of a failure, sqrt(p (1 - p)), mixed
    with a uniform part. Cases with a probability of 1 or more become certain; the others share the remaining labels.
    """
    spread = weights * np.sqrt(predicted * (1 - predicted) + LEAST_SPREAD**2)
    probability = np.ones(len(weights))
    free = np.ones(len(weights), dtype=bool)
    while free.any():
        uniform = weights[free] / weights[free].sum()
        probability[free] = (k - (~free).sum()) * (FLOOR * uniform + (1 - FLOOR) * spread[free] / spread[free].sum())
        more = free & (probability >= 1 - _CLOSE)
        if not more.any():
            break
        # Certain cases never use up the labels while others remain: every other case adds more than 0 to the sum.
        probability[more], free[more] = 1.0, False
    return probability, np.flatnonzero(~free)


def stratify(order: Ints, probability: Floats, k: int) -> list[tuple[Ints, int]]:
    """Split the ordered cases into strata, each with the number to draw.

    The number is `PER_STRATUM` or one more; the numbers sum to k.     The probabilities in a stratum sum to the number drawn from it, except for the case at its border (Dalenius & Hodges
    1959 use the same rule). Every probability is below 1, so a stratum has at least as many cases as are drawn from it.
    """
    count = max(1, k // PER_STRATUM)
    # Where k is not a multiple, the strata with one more label are spread evenly.
    borders = np.floor(np.arange(1, count + 1) * k / count + 1e-9).astype(int)
    drawn = np.diff(np.concatenate([[0], borders]))
    upto = np.cumsum(probability[order])
    middle = (upto - probability[order] / 2) * (k / upto[-1])
    number = np.searchsorted(borders[:-1], middle, side="right")
    return [(order[number == i], int(drawn[i])) for i in range(count)]


def order_by_risk(frame: SamplingFrame, predicted: Floats, probability: Floats, among: Ints, k: int) -> Ints:
    """The places `among` by risk group, then by weight and domain: neighbours are similar.

    The number of groups makes the grid of risk and domain about even. In every second group the domains run backwards:
    a stratum across a border then has similar cases. Equal cases are ordered by id.
    """
    by_risk = among[np.argsort(predicted[among], kind="stable")]
    # Weights count to a factor of two: the cases of a stratum should represent similar numbers of records.
    keys = [np.floor(np.log2(frame.weights)).astype(int), *frame.levels.values()]
    keys = [key[by_risk] for key in keys if key.min() < key.max()]
    if not keys:
        return by_risk
    groups = max(1, round((k / PER_STRATUM) ** RISK_SHARE))
    upto = np.cumsum(probability[by_risk])
    group = np.minimum((upto - probability[by_risk] / 2) * groups / upto[-1], groups - 1).astype(int)
    # Cases with the same predicted risk stay in one group: only their domains differ.
    _, same = np.unique(np.round(predicted[by_risk], 6), return_inverse=True)
    group = group[np.unique(same, return_index=True)[1]][same]
    keys = [np.where(group % 2, -key, key) for key in reversed(keys)]
    return by_risk[np.lexsort((predicted[by_risk], *keys, group))]
