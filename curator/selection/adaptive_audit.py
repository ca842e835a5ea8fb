"""The audit of an adaptive committee, on the random share that got the whole committee."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.records import Score
from curator.selection.adaptive import Cascade, case_progress, posterior_mean
from curator.stats import spearman, wilson

MIN_IN_TOP = 10
"""With fewer cases in the top by the whole committee, no missed share is reported."""


@dataclass(frozen=True, slots=True)
class CascadeAudit:
    """The adaptive committee's ranking against the whole committee's, on the random share.

    This measures the cost of stopping early, not the number of wrong answers missed: the whole committee is noisy as well,
    and would not rank the same cases to the top if it were asked again.

    Attributes:
        cases: the measured cases.
        in_top: those of them that the whole committee ranks to the top.
        share: the share of these that the adaptive committee ranked lower, 0..1; None below `MIN_IN_TOP` of them.
        low: the lower end of its 95% interval (Wilson 1927).
        high: the upper end.
        rank_correlation: Spearman's, between both rankings; None for too few cases.
        calls: that were made, with the other calls of the random share.
        calls_full: the calls of the whole committee.
    """

    cases: int
    in_top: int
    share: float | None
    low: float | None
    high: float | None
    rank_correlation: float | None
    calls: int
    calls_full: int


def audit_cascade(cascade: Cascade, scores: Mapping[str, Score]) -> CascadeAudit:
    """Compare both rankings of the random share after the last call.

    Args:
        cascade: after its last stage.
        scores: of all answers, by case id.
    """
    before = cascade.before or {}
    ids = [
        i for i in sorted(cascade.full) if i in before and before[i].answers and case_progress(scores.get(i)).answers
    ]
    early = np.array([posterior_mean(cascade, before[i]) for i in ids])
    late = np.array([posterior_mean(cascade, case_progress(scores.get(i))) for i in ids])
    in_top = math.ceil(len(ids) * min(1.0, cascade.top / max(len(cascade.asked), 1)))
    share = low = high = None
    if in_top >= MIN_IN_TOP:
        share = max(
            0.0,
            1 - float(np.minimum(_probability_in_top(early, in_top), _probability_in_top(late, in_top)).sum()) / in_top,
        )
        low, high = wilson(share, in_top)
    return CascadeAudit(
        cases=len(ids),
        in_top=in_top,
        share=share,
        low=low,
        high=high,
        rank_correlation=spearman(early, late).value,
        calls=sum(cascade.asked.values()),
        calls_full=cascade.cap * len(cascade.asked),
    )


def _probability_in_top(values: NDArray[np.float64], top: int) -> NDArray[np.float64]:
    """Each case's probability to be among the `top` highest, (n,), with ties drawn at random."""
    cut = np.sort(values)[-top]
    above, tied = values > cut, values == cut
    probability: NDArray[np.float64] = above + tied * ((top - above.sum()) / tied.sum())
    return probability
