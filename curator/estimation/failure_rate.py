"""Production's failure rate from the labels of drawn cases, overall and by domain."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from curator.errors import Refused
from curator.estimation.prediction_powered import beyond_predictions
from curator.estimation.sample_design import Stage
from curator.estimation.sampling_frame import Bools, Floats, SamplingFrame, SamplingUnit, build_frame
from curator.estimation.stage_estimate import LabelledStage, Variance, label_stage, mean, stage_weights, variance
from curator.stats import student_quantile, survey_wilson
from curator.text.display import plural

MIN_LABELS = 3
"""With fewer labels of drawn cases nothing is estimated."""
MIN_LABELS_OF_DOMAIN = 10
"""With fewer labels in it a domain has no estimate."""
MAX_MISSING_SHARE = 0.03
"""Above this share of drawn cases without a label, the estimate also gives the bounds that these could move it to."""
MAX_COLLAPSED_SHARE = 0.5
"""Above this share of the records in strata without any label, nothing is estimated, unless the labels follow the order."""
IN_ORDER = 0.5
"""Labels follow the order of the draw if, up to the last of them, at least this share of the drawn cases has one. A person
labels the cases of a batch in any order."""
SAMPLE_SIZE_CONFIDENCE = 0.8
"""Of the interval of the effective sample size."""
_NO_SPREAD = 1e-9


@dataclass(frozen=True, slots=True)
class DomainEstimate:
    """The failure rate among the cases with one value of a category.

    Attributes:
        value: of the category.
        share: of the pool's records that have it.
        labels: the number of its labelled cases.
        rate: its failure rate; None with a `reason`.
        low: the lower end of the interval.
        high: the upper end.
        reason: for a missing rate.
    """

    value: str
    share: float
    labels: int
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Production's failure rate over its records.

    Attributes:
        rate: 0..1.
        low: the lower end of the interval.
        high: the upper end.
        confidence: the share of such intervals that cover the rate of the whole pool.
        standard_error: of the rate, over the possible draws.
        labels: the number of labels used.
        missing: cases that were drawn, or were certain, and have no label.
        bounds: the rate if all missing labels were passes, and if all were failures; None where few are missing.
        ignored: labelled cases that are in no stage. Their labels are not used: it is unknown how they were chosen.
        effective_sample_size: the number of simple random labels with the same standard error (Kish 1965); None where all
            labels agree or all cases are labelled.
        effective_sample_size_low: the lower end of its 80% interval; the standard error is itself an estimate.
        effective_sample_size_high: the upper end.
        cases: of the pool.
        degrees_of_freedom: of the standard error.
        possible: the lowest and the highest rate that the labels do not rule out.
        prediction_weight: how far the predictions count, 0 (not at all) to 1.
        domains: the rates by value, for each requested category.
    """

    rate: float
    low: float
    high: float
    confidence: float
    standard_error: float
    labels: int
    missing: int
    bounds: tuple[float, float] | None
    ignored: tuple[str, ...]
    effective_sample_size: float | None
    effective_sample_size_low: float | None
    effective_sample_size_high: float | None
    cases: int
    degrees_of_freedom: float
    possible: tuple[float, float]
    prediction_weight: float = 0.0
    domains: Mapping[str, tuple[DomainEstimate, ...]] = field(default_factory=dict)

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval at another confidence, 0..1."""
        quantile = student_quantile(_checked(confidence), self.degrees_of_freedom)
        low, high = survey_wilson(self.rate, self.standard_error**2, quantile, self.labels)
        return min(max(low, self.possible[0]), self.rate), max(min(high, self.possible[1]), self.rate)

    def labels_needed(self, half_width: float) -> int | None:
        """The number of further labels, drawn alike, that an interval of this half width needs.

        0 where the interval is narrow enough; None where the number is unknown. The assumption: with n labels of N cases
        the variance is in proportion to 1/n - 1/N, as in a simple random draw.

        Raises:
            Refused: the half width is not above 0.
        """
        if not half_width > 0:
            raise Refused(
                f"the half width is {half_width!r}", remedy="give a number above 0, such as 0.03 for 3 points"
            )
        if (self.high - self.low) / 2 <= half_width:
            return 0
        per_label = self.standard_error**2 / (1 / self.labels - 1 / self.cases)
        target = (half_width / student_quantile(self.confidence, self.degrees_of_freedom)) ** 2
        return max(0, math.ceil(1 / (target / per_label + 1 / self.cases)) - self.labels)


def estimate(
    pool: Sequence[SamplingUnit] | SamplingFrame,
    stages: Sequence[Stage],
    labels: Mapping[str, float],
    *,
    confidence: float = 0.95,
    by: Sequence[str] = (),
    least: int = MIN_LABELS_OF_DOMAIN,
    predictions: Mapping[str, float] | None = None,
) -> Estimate:
    """Estimate the failure rate over the pool's records.

    Args:
        pool: the cases, or their frame.
        stages: all draws, in their order.
        labels: by id, 0 for a good answer to 1 for a failure.
        confidence: of the intervals.
        by: the categories to report domains of.
        least: a domain with fewer labels has no rate.
        predictions: of failure by id, 0..1, such as a judge's verdicts. They bias nothing (`prediction_powered`).

    Raises:
        Refused: the labels do not support an estimate.
    """
    frame = pool if isinstance(pool, SamplingFrame) else build_frame(pool)
    _check(frame, stages, labels, confidence)
    eligible = {i for stage in stages for i in (*stage.certain, *stage.drawn)}
    y = _labels_of(frame, labels, eligible)
    labelled = ~np.isnan(y)
    labelled_stages = [label_stage(frame, stage, labelled) for stage in stages]
    _check_labels(stages, labelled_stages, labels)
    weights = stage_weights(labelled_stages)
    possible = _possible(frame, y)
    spread = _mean(frame, labelled_stages, weights, y**2) - _mean(frame, labelled_stages, weights, y) ** 2
    values, weight = beyond_predictions(frame, labelled_stages, weights, y, predictions or {})
    rate = min(max(_mean(frame, labelled_stages, weights, values), possible[0]), possible[1])
    total = _combined(weights, [variance(frame, s, values, y) for s in labelled_stages])
    missing = sum(not labelled[frame.place[i]] for i in eligible)
    size, size_low, size_high = _effective_sample_size(spread, total, len(frame))
    without_interval = Estimate(
        rate=rate,
        low=rate,
        high=rate,
        confidence=confidence,
        standard_error=math.sqrt(total.value),
        labels=int(labelled.sum()),
        missing=missing,
        bounds=_bounds(frame, stages, y, eligible) if missing > MAX_MISSING_SHARE * len(eligible) else None,
        ignored=tuple(sorted(labels.keys() - eligible)),
        effective_sample_size=size,
        effective_sample_size_low=size_low,
        effective_sample_size_high=size_high,
        cases=len(frame),
        degrees_of_freedom=total.degrees_of_freedom,
        possible=possible,
        prediction_weight=weight,
        domains={name: _domains(frame, labelled_stages, weights, y, name, confidence, least) for name in by},
    )
    low, high = without_interval.interval(confidence)
    return replace(without_interval, low=low, high=high)


def _labels_of(frame: SamplingFrame, labels: Mapping[str, float], eligible: set[str]) -> Floats:
    """The label of each case, (N,), nan where there is none."""
    y = np.full(len(frame), np.nan)
    for case_id in eligible & labels.keys():
        y[frame.place[case_id]] = labels[case_id]
    return y


def _check(frame: SamplingFrame, stages: Sequence[Stage], labels: Mapping[str, float], confidence: float) -> None:
    _checked(confidence)
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


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise Refused(f"the confidence is {confidence!r}", remedy="give a number between 0 and 1, such as 0.95")
    return confidence


def _check_stage(frame: SamplingFrame, stage: Stage) -> None:
    cases = [*stage.certain, *(i for stratum in stage.strata for i in stratum.cases)]
    if len(cases) != len(frame) or set(cases) != frame.place.keys():
        raise Refused(
            f"the design belongs to another pool: it has {plural(len(cases), 'case')}, the pool {len(frame)}",
            remedy="give the pool that the cases were drawn from, unchanged",
        )


def _check_labels(stages: Sequence[Stage], labelled: Sequence[LabelledStage], labels: Collection[str]) -> None:
    every = {i for stage in stages for i in stage.drawn}
    drawn, count = len(every), len(every & set(labels))
    if count < min(MIN_LABELS, drawn):
        raise Refused(
            f"only {count} of {plural(drawn, 'case')} drawn for the estimate are labelled",
            remedy=f"label at least {min(MIN_LABELS, drawn)} of them",
        )
    for stage, of_stage in zip(stages, labelled, strict=True):
        if of_stage.weight and of_stage.collapsed_share > MAX_COLLAPSED_SHARE and not _in_order(stage, labels):
            raise Refused(
                f"the strata of {of_stage.collapsed_share:.0%} of the records have no label",
                remedy="label the drawn cases in the order in which they are listed",
            )


def _in_order(stage: Stage, labels: Collection[str]) -> bool:
    """Return whether the labelled cases are about the first ones in the order of labelling."""
    has_label = [i in labels for i in stage.drawn]
    count = sum(has_label)
    last = max((place for place, has in enumerate(has_label, start=1) if has), default=0)
    return count >= IN_ORDER * last


def _combined(weights: Floats, variances: Sequence[Variance]) -> Variance:
    """The variance of the weighted mean of the stages' estimates.

    Given the stages before, each estimate is uncorrelated with the others.
    """
    terms = [(w**2 * v.value, v.degrees_of_freedom) for w, v in zip(weights, variances, strict=True)]
    total = sum(value for value, _ in terms)
    sum_of_squares = sum(value**2 / degrees for value, degrees in terms)
    return Variance(total, total**2 / sum_of_squares if sum_of_squares > 0 else math.inf)


def _possible(frame: SamplingFrame, y: Floats) -> tuple[float, float]:
    """The rate if no unlabelled case failed, and if all of them did."""
    records = float(frame.weights.sum())
    failures = float((frame.weights * np.nan_to_num(y)).sum()) / records
    passes = float((frame.weights * np.nan_to_num(1 - y)).sum()) / records
    return failures, 1 - passes


def _mean(frame: SamplingFrame, stages: Sequence[LabelledStage], weights: Floats, values: Floats) -> float:
    """The weighted mean of the stages' estimates of the mean of `values`."""
    return float(sum(w * mean(frame, s, values) for w, s in zip(weights, stages, strict=True)))


def _effective_sample_size(
    spread: float, total: Variance, cases: int
) -> tuple[float | None, float | None, float | None]:
    """The number n of simple random labels with this variance, and its chi-square interval.

    n solves variance = S^2 (1/n - 1/N). `spread` is the variance of a label over the pool: p (1 - p) for pass or fail, less for graded labels.
    """
    if total.value <= 0 or spread <= _NO_SPREAD:
        return None, None, None
    from scipy.special import chdtri

    def size_at(value: float) -> float:
        return 1 / (value * (cases - 1) / (cases * spread) + 1 / cases)

    degrees = total.degrees_of_freedom
    tail = (1 - SAMPLE_SIZE_CONFIDENCE) / 2
    return (
        size_at(total.value),
        size_at(total.value * degrees / float(chdtri(degrees, 1 - tail))),
        size_at(total.value * degrees / float(chdtri(degrees, tail))),
    )


def _bounds(frame: SamplingFrame, stages: Sequence[Stage], y: Floats, eligible: set[str]) -> tuple[float, float]:
    """The rate if every missing label were a pass, and if every one were a failure."""
    places = np.array([frame.place[i] for i in eligible], dtype=int)
    labelled = np.zeros(len(frame), dtype=bool)
    labelled[places] = True
    complete = [label_stage(frame, stage, labelled) for stage in stages]
    weights = stage_weights(complete)
    low, high = (_mean(frame, complete, weights, np.where(np.isnan(y), value, y)) for value in (0.0, 1.0))
    return low, high


def _domains(
    frame: SamplingFrame,
    stages: Sequence[LabelledStage],
    weights: Floats,
    y: Floats,
    name: str,
    confidence: float,
    least: int,
) -> tuple[DomainEstimate, ...]:
    if name not in frame.levels:
        raise Refused(f"no case has {name!r}", remedy=f"use one of {', '.join(sorted(frame.levels)) or 'none'}")
    return tuple(
        _domain_estimate(frame, stages, weights, y, value, frame.levels[name] == number, confidence, least)
        for number, value in enumerate(frame.names[name])
    )


def _domain_estimate(  # noqa: PLR0913, PLR0917  it shares every intermediate result of the estimate
    frame: SamplingFrame,
    stages: Sequence[LabelledStage],
    weights: Floats,
    y: Floats,
    value: str,
    inside: Bools,
    confidence: float,
    least: int,
) -> DomainEstimate:
    """The rate in a domain, a ratio of two estimates over the pool.

    The variance is linearised. Source: Cochran (1977), 5A.14.
    """
    share = float(frame.weights[inside].sum() / frame.weights.sum())
    labels, cases = int((inside & ~np.isnan(y)).sum()), int(inside.sum())
    if labels < min(least, cases):
        return DomainEstimate(
            value, share, labels, reason=f"not enough labels: {labels} of at least {min(least, cases)}"
        )
    if labels == cases:
        rate = float(np.average(y[inside], weights=frame.weights[inside]))
        return DomainEstimate(value, share, labels, rate, rate, rate)
    failures = _mean(frame, stages, weights, np.where(inside, y, 0.0))
    records = _mean(frame, stages, weights, inside.astype(float))
    if not records:
        return DomainEstimate(value, share, labels, reason="not enough labels: none that the estimate can use")
    rate = min(max(failures / records, 0.0), 1.0)
    residual = np.where(inside, y - rate, 0.0)
    counted = np.where(inside, y, np.nan)
    total = _combined(weights, [variance(frame, s, residual, counted) for s in stages])
    quantile = student_quantile(confidence, total.degrees_of_freedom)
    low, high = survey_wilson(rate, total.value / share**2, quantile, labels)
    return DomainEstimate(value, share, labels, rate, min(low, rate), max(high, rate))
