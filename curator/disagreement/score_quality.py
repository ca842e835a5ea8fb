"""The AUROC of a score by labels, beside those of the answers' length and of chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curator.records import PartQuality, Rate, ScoreQuality, ScoreVerdict, TaskQuality
from curator.stats import NORMAL_QUANTILE_95, rounded, survey_wilson

CHANCE = 0.5
"""The AUROC of a ranking that ignores the failures."""
MARGIN = 0.05
"""An AUROC up to this far above chance is not better than chance, unless its whole interval is.

`benchmarks/selection/adapting.py` measures the choice, leaving one family out: margins from .02 to .1 do alike, one of 0 keeps a
misleading score more often, and asking for an interval above chance drops good scores while the labels are few.
"""
LEAST_OF_EACH = 10
"""With fewer failures or passes no AUROC is reported: its interval would be about .4 wide."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class LabelledScore:
    """A scored case whose failure is known.

    Attributes:
        score: 0..1.
        failed: the answer in question is wrong.
        length: the mean length of the answers in characters; None if it is not known.
        task: "" for a case without one.
        group: its near-duplicate group; "" for a case of its own.
        weight: the cases that it represents, such as 1 over its inclusion probability.
    """

    score: float
    failed: bool
    length: float | None = None
    task: str = ""
    group: str = ""
    weight: float = 1.0


def score_quality(
    labelled: Sequence[LabelledScore], *, represents: Literal["all", "rest"] = "all"
) -> ScoreQuality | None:
    """Measure a score on labelled cases, as a whole and by task; None without any."""
    if not labelled:
        return None
    counts = Counter(case.task for case in labelled)
    return ScoreQuality(
        pooled=_quality(labelled, within_tasks=False),
        within=_quality(_comparable(labelled), within_tasks=True) if len(counts) > 1 else None,
        tasks=tuple(
            TaskQuality(task, _quality([case for case in labelled if case.task == task], within_tasks=False))
            for task in sorted(counts, key=lambda task: (-counts[task], task))
        ),
        represents=represents,
    )


def auroc_with_interval(
    values: Floats, failed: Bools, weights: Floats, *, tasks: Ints, groups: Ints
) -> tuple[float, float, float]:
    """Return the AUROC over pairs of a failure and a pass of one task, and its 95% interval.

    Case i has weight n_i in pairs that are in the right order (ties count a half), and d_i in all its pairs, so that A = sum
    n_i / sum d_i over the failures. Its variance is the sum of squares, over groups, of (n_i - A d_i) / sum d_i. With equal
    weights and one task that is the variance of DeLong et al. (Biometrics 44, 1988); with sampling weights it is that of a
    ratio in a survey, linearised as by Woodruff (JASA 66, 1971). The interval is Wilson's for as many labels as have this
    variance. Their number is at most twice that of the smaller class, because perfect separation shows no variance.

    Args:
        values: the score of each case, (n,).
        failed: the cases with a failure, (n,); there must be a task with a failure and a pass.
        weights: the weight of each case, (n,).
        tasks: the number of each case's task, (n,); all 0 to compare all cases.
        groups: the number of each case's near-duplicate group, (n,).
    """
    ordered, pairs = _pair_weights(values, failed, weights, tasks)
    total = pairs[failed].sum()
    area = float(ordered[failed].sum() / total)
    parts = np.bincount(groups, weights=(ordered - area * pairs) / total)
    n = _effective(weights)
    variance = float((parts**2).sum()) * n / max(n - 1, 1.0)
    middle = (area * len(values) + 0.5) / (len(values) + 1)
    most = 2 * min(_effective(weights[failed]), _effective(weights[~failed]))
    low, high = survey_wilson(area, max(variance, middle * (1 - middle) / most), NORMAL_QUANTILE_95, len(values))
    return area, low, high


def _quality(labelled: Sequence[LabelledScore], *, within_tasks: bool) -> PartQuality:
    n, failures = len(labelled), sum(case.failed for case in labelled)
    if min(failures, n - failures) < LEAST_OF_EACH:
        nothing = Rate(None, None, None, n)
        return PartQuality(n, failures, nothing, nothing, "not enough labels", _missing_for_any(failures, n))
    score = _area(labelled, [case.score for case in labelled], within_tasks=within_tasks)
    lengths = [case.length for case in labelled if case.length is not None]
    length = _area(labelled, lengths, within_tasks=within_tasks) if len(lengths) == n else Rate(None, None, None, n)
    verdict = _verdict(score)
    return PartQuality(n, failures, score, length, verdict, _missing_to_settle(score) if verdict == "open" else 0)


def _area(labelled: Sequence[LabelledScore], values: Sequence[float], *, within_tasks: bool) -> Rate:
    area, low, high = auroc_with_interval(
        np.array(values, dtype=float),
        np.array([case.failed for case in labelled]),
        np.array([case.weight for case in labelled]),
        tasks=_numbers([case.task if within_tasks else "" for case in labelled]),
        groups=_numbers([f"group {c.group}" if c.group else f"case {n}" for n, c in enumerate(labelled)]),
    )
    return Rate(rounded(area), rounded(low), rounded(high), len(labelled))


def _comparable(labelled: Sequence[LabelledScore]) -> list[LabelledScore]:
    """Return the cases of tasks that have both a failure and a pass."""
    both = {case.task for case in labelled if case.failed} & {case.task for case in labelled if not case.failed}
    return [case for case in labelled if case.task in both]


def _verdict(score: Rate) -> ScoreVerdict:
    if score.value is None or score.low is None:
        return "not enough labels"
    if score.low > CHANCE:
        return "better than chance"
    return "not better than chance" if score.value < CHANCE + MARGIN else "open"


def _missing_for_any(failures: int, labels: int) -> int:
    """Return about how many more labels give `LEAST_OF_EACH` failures and passes.

    The rarer of the two is taken to be as frequent as among the labels so far, plus one label that is half of each.
    """
    rarer = min(failures, labels - failures)
    return math.ceil((LEAST_OF_EACH - rarer) / ((rarer + 0.5) / (labels + 1)))


def _missing_to_settle(score: Rate) -> int:
    """Return about how many more labels bring the lower end above chance, if the AUROC stays.

    The width of an interval falls with the root of the labels.
    """
    if score.value is None or score.low is None:
        return 0
    ratio = (score.value - score.low) / (score.value - CHANCE)
    return max(1, math.ceil(score.n * (ratio**2 - 1)))


def _numbers(names: Sequence[str]) -> Ints:
    numbers: Ints = np.unique(np.array(names), return_inverse=True)[1]
    return numbers


def _effective(weights: Floats) -> float:
    """Return Kish's effective number of cases."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _pair_weights(values: Floats, failed: Bools, weights: Floats, tasks: Ints) -> tuple[Floats, Floats]:
    """Return for each case the weight of its pairs in the right order, and of all its pairs."""
    ordered, pairs = np.zeros(len(values)), np.zeros(len(values))
    for task in np.unique(tasks):
        bad, good = np.flatnonzero((tasks == task) & failed), np.flatnonzero((tasks == task) & ~failed)
        for cases, others, sign in ((bad, good, 1.0), (good, bad, -1.0)):
            below, tied, total = _weight_below(sign * values[others], weights[others], sign * values[cases])
            ordered[cases] = weights[cases] * (below + tied / 2)
            pairs[cases] = weights[cases] * total
    return ordered, pairs


def _weight_below(values: Floats, weights: Floats, points: Floats) -> tuple[Floats, Floats, float]:
    """Return the weight of the values below each point, of those equal to it, and of all."""
    order = np.argsort(values, kind="stable")
    upto = np.concatenate([[0.0], np.cumsum(weights[order])])
    below = upto[np.searchsorted(values[order], points, side="left")]
    return below, upto[np.searchsorted(values[order], points, side="right")] - below, float(upto[-1])
