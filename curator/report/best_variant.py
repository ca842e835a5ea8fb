"""The prompt variant that does best on the cases of a category, if that is more than chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import fsum
from typing import Literal

from curator.report.summary_cases import VariantSummary
from curator.stats import MIN_FOR_RATE, rounded, sign_test

Matches = Mapping[str, Mapping[str, float]]
"""By case id, the share of each variant's answers that match."""
CHANCE = 0.05
"""The probability of naming a variant where all do equally well, over all pairs of variants."""


def best_variant(case_ids: Iterable[str], *, labels: Matches, majority: Matches) -> VariantSummary | None:
    """Return the variant whose answers match most often; None if chance explains its lead.

    The reference is the labels where at least `MIN_FOR_RATE` cases have one, else the majority of the whole committee. The
    best variant is compared with the worst one by an exact sign test over the cases that both answered. The two are chosen
    after the fact, so that the p-value is multiplied by the number of ordered pairs (Bonferroni).
    """
    ids = tuple(case_ids)
    labelled = [labels[i] for i in ids if i in labels]
    if len(labelled) >= MIN_FOR_RATE:
        return _ahead(labelled, "labels")
    return _ahead([majority[i] for i in ids if i in majority], "majority")


def _ahead(cases: list[Mapping[str, float]], reference: Literal["labels", "majority"]) -> VariantSummary | None:
    rates: defaultdict[str, list[float]] = defaultdict(list)
    for case in cases:
        for variant, value in case.items():
            rates[variant].append(value)
    means = {variant: fsum(values) / len(values) for variant, values in rates.items()}
    if len(means) < 2:
        return None
    best, *_, worst = sorted(means, key=lambda variant: (-means[variant], variant))
    pairs = [(case[best], case[worst]) for case in cases if best in case and worst in case]
    p = sign_test(sum(a > b for a, b in pairs), sum(a < b for a, b in pairs))
    if p * len(means) * (len(means) - 1) > CHANCE:
        return None
    return VariantSummary(best, rounded(means[best]), reference, len(rates[best]))
