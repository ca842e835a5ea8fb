"""Production's failure rate from the labels of drawn cases, overall and by domain."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from curator.errors import Refused
from curator.estimation.confidence_sequence import sequence_quantile
from curator.estimation.domains import MIN_LABELS_OF_DOMAIN, DomainEstimate, domain_estimates
from curator.estimation.labelled_pool import LabelledPool, label_pool
from curator.estimation.prediction_powered import beyond_predictions
from curator.estimation.sample_design import Stage
from curator.estimation.sampling_frame import Floats, SamplingFrame, SamplingUnit, build_frame
from curator.estimation.stage_estimate import Variance
from curator.estimation.unseen_kinds import unseen_kinds
from curator.records import UnseenKinds
from curator.stats import student_quantile, survey_wilson

MAX_MISSING_SHARE = 0.03
"""Above this share of drawn cases without a label, the estimate also gives the bounds that these could move it to."""
SAMPLE_SIZE_CONFIDENCE = 0.8
"""Of the interval of the effective sample size."""
_NO_SPREAD = 1e-9


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
        uncovered_cases: cases of the pool that the rate says nothing of: they are in no stage, or in stages without labels.
            `cases` are the others.
        uncovered_records: the log records that these represent.
        unseen: failures of kinds that no label shows; None if the kinds are not known, or too few failures are labelled.
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
    uncovered_cases: int = 0
    uncovered_records: float = 0.0
    unseen: UnseenKinds | None = None
    domains: Mapping[str, tuple[DomainEstimate, ...]] = field(default_factory=dict)

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval at another confidence, 0..1."""
        return self._interval(student_quantile(_checked(confidence), self.degrees_of_freedom))

    def _interval(self, quantile: float) -> tuple[float, float]:
        low, high = survey_wilson(self.rate, self.standard_error**2, quantile, self.labels)
        return min(max(low, self.possible[0]), self.rate), max(min(high, self.possible[1]), self.rate)

    def anytime_interval(self, confidence: float) -> tuple[float, float]:
        """The interval of a confidence sequence, which may be looked at after every label.

        Source and assumptions: `confidence_sequence`.
        """
        labels = self.effective_sample_size or float(self.labels)
        quantile = sequence_quantile(_checked(confidence), labels, self.degrees_of_freedom)
        return self._interval(quantile)

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


def estimate(  # noqa: PLR0913  each one is a question about the same labels
    pool: Sequence[SamplingUnit] | SamplingFrame,
    stages: Sequence[Stage],
    labels: Mapping[str, float],
    *,
    confidence: float = 0.95,
    by: Sequence[str] = (),
    predictions: Mapping[str, float] | None = None,
    kinds: Mapping[str, str] | None = None,
    open_values: Mapping[str, Collection[str]] | None = None,
) -> Estimate:
    """Estimate the failure rate over the pool's records.

    Args:
        pool: the cases, or their frame.
        stages: all draws, in their order.
        labels: by id, 0 for a good answer to 1 for a failure.
        confidence: of the intervals.
        by: the categories to report domains of.
        predictions: of failure by id, 0..1, such as a judge's verdicts. They narrow the interval (`prediction_powered`).
        kinds: of failure by id, such as the category of a case: for a bound of the kinds not seen yet.
        open_values: by category, the values that cases without a label may belong to, whatever the pool says.

    Raises:
        Refused: the labels do not support an estimate.
    """
    _checked(confidence)
    labelled = label_pool(pool if isinstance(pool, SamplingFrame) else build_frame(pool), stages, labels)
    frame, y = labelled.frame, labelled.y
    possible = _possible(frame, y)
    spread = labelled.mean(y**2) - labelled.mean(y) ** 2
    values, weight = beyond_predictions(frame, labelled.stages, labelled.weights, y, predictions or {})
    total = labelled.variance(values, y)
    missing = sum(not labelled.labelled[frame.place[i]] for i in labelled.eligible)
    rate = min(max(labelled.mean(values), possible[0]), possible[1])
    size, size_low, size_high = _effective_sample_size(spread, total, len(frame))
    without_interval = Estimate(
        rate=rate,
        low=rate,
        high=rate,
        confidence=confidence,
        standard_error=math.sqrt(total.value),
        labels=int(labelled.labelled.sum()),
        missing=missing,
        bounds=labelled.bounds if missing > MAX_MISSING_SHARE * len(labelled.eligible) else None,
        ignored=labelled.ignored,
        effective_sample_size=size,
        effective_sample_size_low=size_low,
        effective_sample_size_high=size_high,
        cases=len(frame),
        degrees_of_freedom=total.degrees_of_freedom,
        possible=possible,
        prediction_weight=weight,
        uncovered_cases=labelled.uncovered_cases,
        uncovered_records=labelled.uncovered_records,
        domains=_domains(labelled, by, confidence, open_values or {}),
    )
    low, high = without_interval.interval(confidence)
    unseen = None if kinds is None else unseen_kinds(labelled, kinds, rate_high=high, confidence=confidence)
    return replace(without_interval, low=low, high=high, unseen=unseen)


def _domains(
    labelled: LabelledPool, by: Sequence[str], confidence: float, open_values: Mapping[str, Collection[str]]
) -> dict[str, tuple[DomainEstimate, ...]]:
    """Return the rates by value, for each category."""
    return {
        name: domain_estimates(labelled, name, confidence, MIN_LABELS_OF_DOMAIN, open_values=open_values.get(name, ()))
        for name in by
    }


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise Refused(f"the confidence is {confidence!r}", remedy="give a number between 0 and 1, such as 0.95")
    return confidence


def _possible(frame: SamplingFrame, y: Floats) -> tuple[float, float]:
    """The rate if no unlabelled case failed, and if all of them did."""
    records = float(frame.weights.sum())
    failures = float((frame.weights * np.nan_to_num(y)).sum()) / records
    passes = float((frame.weights * np.nan_to_num(1 - y)).sum()) / records
    return failures, 1 - passes


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
