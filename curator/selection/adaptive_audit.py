"""What a cascade misses, measured on the random share of the cases that got the whole committee all the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.records import Score
from curator.selection.adaptive import Cascade, mean, standing
from curator.stats import spearman, wilson

LEAST_IN_TOP = 10
"""With fewer of them in the top by the whole committee, their share that is missed is not told."""


@dataclass(frozen=True, slots=True)
class Missed:
    """How well the cascade ranked, against the whole committee; None where the random share is too small to say.

    The cascade's answers are among the whole committee's, and the whole committee has noise of its own: asked anew, it
    would not pick the same top either. So this tells what stopping early cost, not how many wrong answers were missed.

    Attributes:
        cases: the random share that was measured.
        in_top: how many of them the whole committee ranks into the top, of the share's own ranking.
        share: the share of those that the cascade ranked out of it, 0..1.
        low: the lower end of its 95% interval (Wilson 1927).
        high: the upper end.
        rank_correlation: Spearman's, between the cascade's ranking and the whole committee's.
        calls: what was asked, the random share's rest included.
        calls_full: what the whole committee would have been asked.
    """

    cases: int
    in_top: int
    share: float | None
    low: float | None
    high: float | None
    rank_correlation: float | None
    calls: int
    calls_full: int


def missed(cascade: Cascade, scores: Mapping[str, Score]) -> Missed:
    """Compare the two rankings of the random share, once the cascade is done; `scores` are those of all answers."""
    before = cascade.before or {}
    ids = [i for i in sorted(cascade.full) if i in before and before[i].answers and standing(scores.get(i)).answers]
    early = np.array([mean(cascade, before[i]) for i in ids])
    late = np.array([mean(cascade, standing(scores.get(i))) for i in ids])
    in_top = math.ceil(len(ids) * min(1.0, cascade.top / max(len(cascade.asked), 1)))
    share = low = high = None
    if in_top >= LEAST_IN_TOP:
        share = max(
            0.0, 1 - float(np.minimum(_chance_in_top(early, in_top), _chance_in_top(late, in_top)).sum()) / in_top
        )
        low, high = wilson(share, in_top)
    return Missed(
        cases=len(ids),
        in_top=in_top,
        share=share,
        low=low,
        high=high,
        rank_correlation=spearman(early, late).value,
        calls=sum(cascade.asked.values()),
        calls_full=cascade.cap * len(cascade.asked),
    )


def _chance_in_top(values: NDArray[np.float64], top: int) -> NDArray[np.float64]:
    """The chance of each to be among the `top` highest, ties at the cut drawn at random (and in both rankings alike)."""
    cut = np.sort(values)[-top]
    above, tied = values > cut, values == cut
    chance: NDArray[np.float64] = above + tied * ((top - above.sum()) / tied.sum())
    return chance
