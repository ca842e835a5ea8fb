"""A pool with its draws and labels: the sums that every estimate from them consists of."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curator.errors import Refused
from curator.estimation.frame_parts import Coverage, FramePart, find_parts, label_parts
from curator.estimation.sample_design import Stage
from curator.estimation.sampling_frame import Bools, Floats, SamplingFrame
from curator.estimation.stage_estimate import LabelledStage, Variance, mean, variance
from curator.text.display import plural

MIN_LABELS = 3
"""With fewer labels of drawn cases nothing is estimated."""
MAX_COLLAPSED_SHARE = 0.5
"""Above this share of the records in strata without any label, nothing is estimated, unless the labels follow the order."""


@dataclass(frozen=True, slots=True)
class LabelledPool:
    """The covered cases of a pool with their labels.

    Attributes:
        frame: the covered cases.
        y: their labels, (N,), nan where there is none.
        stages: the stages of all parts, with their labels.
        weights: of the stages, summing to 1 in each part.
        eligible: the cases that were drawn, or were certain.
        ignored: labelled cases that are in no stage.
        bounds: the rate's lowest and highest value if the missing labels are all passes, and all failures.
        uncovered_cases: cases of the pool that no label says anything of.
        uncovered_records: the log records that these represent.
    """

    frame: SamplingFrame
    y: Floats
    stages: tuple[LabelledStage, ...]
    weights: Floats
    eligible: frozenset[str]
    ignored: tuple[str, ...]
    bounds: tuple[float, float]
    uncovered_cases: int
    uncovered_records: float

    @property
    def labelled(self) -> Bools:
        """The cases with a label, (N,)."""
        return ~np.isnan(self.y)

    def mean(self, values: Floats) -> float:
        """The estimated mean of `values` over the records, (N,), known at the labelled places."""
        return _mean(self.frame, self.stages, self.weights, values)

    def variance(self, values: Floats, prior: Floats) -> Variance:
        """The variance of `mean`, see `stage_estimate.variance`.

        Given the stages before, the estimate of each is uncorrelated with the others; so are the estimates of the parts.
        """
        variances = [variance(self.frame, stage, values, prior) for stage in self.stages]
        terms = [(w**2 * v.value, v.degrees_of_freedom) for w, v in zip(self.weights, variances, strict=True)]
        total = sum(value for value, _ in terms)
        sum_of_squares = sum(value**2 / degrees for value, degrees in terms)
        return Variance(total, total**2 / sum_of_squares if sum_of_squares > 0 else math.inf)


def label_pool(frame: SamplingFrame, stages: Sequence[Stage], labels: Mapping[str, float]) -> LabelledPool:
    """Join a pool with its draws and its labels.

    Args:
        frame: the pool.
        stages: all draws, in their order.
        labels: by id, 0 for a good answer to 1 for a failure.

    Raises:
        Refused: the labels do not support an estimate.
    """
    _check(frame, stages, labels)
    chosen = frozenset(i for stage in stages for i in (*stage.certain, *stage.drawn))
    coverage = find_parts(frame, stages, labels.keys() & chosen, least=MIN_LABELS)
    covered, inside, parts = _covered(frame, stages, labels.keys() & chosen, coverage)
    y = _labels_of(covered, labels, chosen & covered.place.keys())
    _check_count(inside, labels)
    of_parts, weights = label_parts(covered, inside, parts, ~np.isnan(y))
    _check_order(of_parts)
    return LabelledPool(
        frame=covered,
        y=y,
        stages=tuple(of_parts),
        weights=weights,
        eligible=chosen & covered.place.keys(),
        ignored=tuple(sorted(labels.keys() - chosen)),
        bounds=_bounds(covered, inside, parts, y, chosen & covered.place.keys()),
        uncovered_cases=len(frame) - len(covered),
        uncovered_records=float(frame.weights.sum() - covered.weights.sum()),
    )


def _covered(
    frame: SamplingFrame, stages: Sequence[Stage], labelled: Collection[str], coverage: Coverage
) -> tuple[SamplingFrame, Sequence[Stage], Sequence[FramePart]]:
    """Return the covered cases (all, if none is), the stages among them, and their parts."""
    if not coverage.parts:
        return frame, stages, [FramePart(np.arange(len(frame)), tuple(range(len(stages))))]
    if not len(coverage.uncovered):
        return frame, stages, coverage.parts
    covered = frame.without(coverage.uncovered)
    stages = [stage.among(covered.place) for stage in stages]
    return covered, stages, find_parts(covered, stages, labelled, least=MIN_LABELS).parts


def _labels_of(frame: SamplingFrame, labels: Mapping[str, float], eligible: Collection[str]) -> Floats:
    """The label of each case, (N,), nan where there is none."""
    y = np.full(len(frame), np.nan)
    for case_id in set(eligible) & labels.keys():
        y[frame.place[case_id]] = labels[case_id]
    return y


def _check(frame: SamplingFrame, stages: Sequence[Stage], labels: Mapping[str, float]) -> None:
    if not any(stage.drawn for stage in stages):
        raise Refused(
            "no case was drawn at random for an estimate, and cases picked by score fail more often than others",
            remedy="select again with `random_share` above 0, label the drawn cases, and give all labels",
        )
    odd = next((i for i, value in labels.items() if not 0 <= value <= 1), None)
    if odd is not None:
        raise Refused(f"the label of {odd!r} is {labels[odd]!r}", remedy="give a label of 0 (good) to 1 (failure)")
    for stage in stages:
        _check_stage(frame, stage)


def _check_stage(frame: SamplingFrame, stage: Stage) -> None:
    cases = [*stage.certain, *(i for stratum in stage.strata for i in stratum.cases)]
    if len(cases) != len(set(cases)) or not frame.place.keys() >= set(cases):
        raise Refused(
            f"the design belongs to another pool: it has {plural(len(cases), 'case')}, the pool {len(frame)}",
            remedy="give the pool that the cases were drawn from; it may have grown, but no case may be missing",
        )


def _check_count(stages: Sequence[Stage], labels: Collection[str]) -> None:
    every = {i for stage in stages for i in stage.drawn}
    drawn, count = len(every), len(every & set(labels))
    if count < min(MIN_LABELS, drawn):
        raise Refused(
            f"only {count} of {plural(drawn, 'case')} drawn for the estimate are labelled",
            remedy=f"label at least {min(MIN_LABELS, drawn)} of them",
        )


def _check_order(stages: Sequence[LabelledStage]) -> None:
    for stage in stages:
        if stage.weight and stage.collapsed_share > MAX_COLLAPSED_SHARE and not stage.in_order:
            raise Refused(
                f"the strata of {stage.collapsed_share:.0%} of the records have no label",
                remedy="label the drawn cases in the order in which they are listed",
            )


def _bounds(
    frame: SamplingFrame, stages: Sequence[Stage], parts: Sequence[FramePart], y: Floats, eligible: Collection[str]
) -> tuple[float, float]:
    """The rate if every missing label were a pass, and if every one were a failure."""
    places = np.array([frame.place[i] for i in eligible], dtype=int)
    labelled = np.zeros(len(frame), dtype=bool)
    labelled[places] = True
    complete, weights = label_parts(frame, stages, parts, labelled)
    low, high = (_mean(frame, complete, weights, np.where(np.isnan(y), value, y)) for value in (0.0, 1.0))
    return low, high


def _mean(frame: SamplingFrame, stages: Sequence[LabelledStage], weights: Floats, values: Floats) -> float:
    """The sum over the parts of the weighted means of their stages."""
    return float(sum(w * mean(frame, s, values) for w, s in zip(weights, stages, strict=True)))
