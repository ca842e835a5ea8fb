"""Failures of kinds that no label shows yet: an upper bound for their share.

Good (1953) and Turing: the probability that the next failure is of a kind not seen so far is about the share of the labelled failures whose
kind was seen only once. Of n failures f are such singletons. Whether the next one is new is bounded like a proportion with f successes of n
(Clopper & Pearson 1934). That bound treats the singletons as independent draws; `benchmarks/estimation/nights.py` measures that it holds.
A bound that holds for any distribution is f/n + (2 sqrt 2 + sqrt 3) sqrt(log(3 / delta) / n) (McAllester & Schapire 2000). Below about 300
failures it is above 1, and says nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from curator.estimation.labelled_pool import LabelledPool
from curator.estimation.partial_pooling import label_weights
from curator.records import UnseenKinds
from curator.records.labels import HALF

MIN_FAILURES = 3
"""With fewer labelled failures no share is estimated."""


def unseen_kinds(
    pool: LabelledPool, kinds: Mapping[str, str], *, rate_high: float, confidence: float
) -> UnseenKinds | None:
    """Bound the failures of unseen kinds; None with too few labelled failures.

    Args:
        pool: with its labels.
        kinds: the kind of failure by case id, such as its category. A failure without one is a kind of its own.
        rate_high: the upper end of the interval of the failure rate.
        confidence: of the bounds.
    """
    weights = label_weights(pool)
    failed = [i for i, y in enumerate(pool.y.tolist()) if y > HALF]
    kind_of = {i: kinds.get(pool.frame.ids[i]) or f"\x00{pool.frame.ids[i]}" for i in failed}
    seen = Counter(kind_of.values())
    total, squares = sum(weights[i] for i in failed), sum(weights[i] ** 2 for i in failed)
    if len(failed) < MIN_FAILURES or total <= 0:
        return None
    size = total**2 / squares
    share = sum(weights[i] for i in failed if seen[kind_of[i]] == 1) / total
    high = upper_bound(share * size, size, confidence)
    return UnseenKinds(
        failures=len(failed),
        kinds=len(seen),
        singletons=sum(count == 1 for count in seen.values()),
        share=float(share),
        high=high,
        guaranteed=distribution_free_bound(share, size, confidence),
        rate_high=float(high * rate_high),
    )


def upper_bound(hits: float, n: float, confidence: float) -> float:
    """The one-sided Clopper-Pearson bound of a proportion; both numbers may be fractions."""
    from scipy.special import betaincinv

    return 1.0 if hits >= n else float(betaincinv(hits + 1, n - hits, confidence))


def distribution_free_bound(share: float, n: float, confidence: float) -> float:
    """The bound of McAllester & Schapire (2000) for the missing mass, at most 1."""
    return min(1.0, share + (2 * math.sqrt(2) + math.sqrt(3)) * math.sqrt(math.log(3 / (1 - confidence)) / n))
