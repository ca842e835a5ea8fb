"""Production's failure rate from the labels of drawn cases, with an interval, overall and by category."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from curator.errors import Refused
from curator.estimation.sample_design import Stage
from curator.estimation.sampling_frame import Bools, Candidate, Floats, Frame, frame_of
from curator.estimation.stage_estimate import Told, Variance, mean, shares, told, variance
from curator.stats import student_quantile, survey_wilson
from curator.text.display import plural

LEAST_LABELS = 5
"""With fewer labels of drawn cases there is no estimate."""
LEAST_OF_PART = 10
"""With fewer labels in it a part has no estimate of its own."""
MOST_MISSING = 0.03
"""Where more of the drawn cases have no label, the estimate also says what they could do to it."""
MOST_JOINED = 0.5
"""Where strata without any label hold more of the records than this, nothing is estimated."""
WORTH_CONFIDENCE = 0.8
_NO_SPREAD = 1e-9


@dataclass(frozen=True, slots=True)
class Part:
    """The failure rate among the cases of one value of a category.

    Attributes:
        value: of the category.
        share: of the pool's records that have it.
        labels: how many of its cases are labelled.
        rate: its failure rate; None with a `reason`.
        low: the lower end of the interval.
        high: the upper end.
        reason: why there is no rate.
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
        confidence: how often intervals made so cover the rate of the whole pool.
        standard_error: of the rate, over what could have been drawn.
        labels: the labels that were used.
        missing: cases that were drawn, or known before, and have no label.
        bounds: the rate if every one of them were no failure, and if every one were; None where they are few.
        ignored: labelled cases that no stage drew or knew: their labels are not used, as nobody can say how they were chosen.
        worth: how many random labels have the same standard error; None where all labels agree or all cases are labelled.
        worth_low: the lower end of its 80% interval, as the standard error is itself an estimate.
        worth_high: the upper end.
        cases: of the pool.
        freedom: the degrees of freedom of the standard error.
        possible: the least and the highest rate that the labels do not rule out.
        parts: the rates by value, for each category that was asked for.
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
    worth: float | None
    worth_low: float | None
    worth_high: float | None
    cases: int
    freedom: float
    possible: tuple[float, float]
    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval at another confidence."""
        quantile = student_quantile(_checked(confidence), self.freedom)
        low, high = survey_wilson(self.rate, self.standard_error**2, quantile, self.labels)
        return min(max(low, self.possible[0]), self.rate), max(min(high, self.possible[1]), self.rate)

    def labels_needed(self, half_width: float) -> int | None:
        """How many more labels, drawn likewise, make the interval reach so far to each side; None where that is not known.

        The variance falls with the labels as that of a random draw does, 1/n - 1/N.
        """
        if not half_width > 0:
            raise Refused(f"a half width of {half_width!r}", remedy="give one above 0, such as 0.03 for 3 points")
        if (self.high - self.low) / 2 <= half_width:
            return 0
        per_label = self.standard_error**2 / (1 / self.labels - 1 / self.cases)
        wished = (half_width / student_quantile(self.confidence, self.freedom)) ** 2
        return max(0, math.ceil(1 / (wished / per_label + 1 / self.cases)) - self.labels)


def estimate(
    pool: Sequence[Candidate] | Frame,
    stages: Sequence[Stage],
    labels: Mapping[str, float],
    *,
    confidence: float = 0.95,
    by: Sequence[str] = (),
    least: int = LEAST_OF_PART,
) -> Estimate:
    """The failure rate of the pool's records, from `labels` (by id: 0 for a good answer to 1 for a failure).

    `stages` are all that were drawn, in their order. `by` names categories. Parts with fewer than `least` labels get no
    rate.

    Raises:
        Refused: the labels do not support an estimate.
    """
    frame = pool if isinstance(pool, Frame) else frame_of(pool)
    _check(frame, stages, labels, confidence)
    eligible = {i for stage in stages for i in (*stage.known, *stage.drawn)}
    y = np.full(len(frame), np.nan)
    for case_id in eligible & labels.keys():
        y[frame.place[case_id]] = labels[case_id]
    labelled = ~np.isnan(y)
    known = [told(frame, stage, labelled) for stage in stages]
    drawn = {i for stage in stages for i in stage.drawn}
    _check_labels(stages, known, count=sum(i in drawn for i in labels))
    share = shares(known)
    possible = _possible(frame, y)
    rate = _mean(frame, known, share, y)
    spread = _mean(frame, known, share, y**2) - rate**2
    rate = min(max(rate, possible[0]), possible[1])
    found = _combined(share, [variance(frame, s, y, y) for s in known])
    missing = sum(not labelled[frame.place[i]] for i in eligible)
    worth = _worth(spread, found, len(frame))
    without_ends = Estimate(
        rate=rate,
        low=rate,
        high=rate,
        confidence=confidence,
        standard_error=math.sqrt(found.value),
        labels=int(labelled.sum()),
        missing=missing,
        bounds=_bounds(frame, stages, y, eligible) if missing > MOST_MISSING * len(eligible) else None,
        ignored=tuple(sorted(labels.keys() - eligible)),
        worth=worth[0],
        worth_low=worth[1],
        worth_high=worth[2],
        cases=len(frame),
        freedom=found.freedom,
        possible=possible,
        parts={name: _parts(frame, known, share, y, name, confidence, least) for name in by},
    )
    low, high = without_ends.interval(confidence)
    return replace(without_ends, low=low, high=high)


def _check(frame: Frame, stages: Sequence[Stage], labels: Mapping[str, float], confidence: float) -> None:
    _checked(confidence)
    if not any(stage.drawn for stage in stages):
        raise Refused(
            "no case was drawn for an estimate: cases picked for what they can teach fail more often than others",
            remedy="select again with a random part (`random_share` above 0), label it, and give all labels",
        )
    odd = next((i for i, value in labels.items() if not 0 <= value <= 1), None)
    if odd is not None:
        raise Refused(f"the label of {odd!r} is {labels[odd]!r}", remedy="a label is 0 (good) to 1 (failure)")
    for stage in stages:
        _check_stage(frame, stage)


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise Refused(f"a confidence of {confidence!r}", remedy="give one between 0 and 1, such as 0.95")
    return confidence


def _check_stage(frame: Frame, stage: Stage) -> None:
    cases = [*stage.known, *(i for stratum in stage.strata for i in stratum.cases)]
    if len(cases) != len(frame) or set(cases) != frame.place.keys():
        raise Refused(
            f"the design is of another pool: it has {plural(len(cases), 'case')}, the pool {len(frame)}",
            remedy="give the pool that the cases were drawn from, unchanged",
        )


def _check_labels(stages: Sequence[Stage], known: Sequence[Told], *, count: int) -> None:
    drawn = sum(len(stage.drawn) for stage in stages)
    if count < min(LEAST_LABELS, drawn):
        raise Refused(
            f"{count} of {plural(drawn, 'case')} drawn for the estimate labelled",
            remedy=f"label at least {min(LEAST_LABELS, drawn)} of them",
        )
    for stage in known:
        if stage.share and stage.joined > MOST_JOINED:
            raise Refused(
                f"no label tells of {stage.joined:.0%} of the records: their strata have none",
                remedy="label the drawn cases in the order in which they are listed",
            )


def _combined(share: Floats, found: Sequence[Variance]) -> Variance:
    """The variance of the weighted mean of the stages' estimates: given the stages before, each one is uncorrelated."""
    parts = [(w**2 * v.value, v.freedom) for w, v in zip(share, found, strict=True)]
    total = sum(value for value, _ in parts)
    groups = sum(value**2 / freedom for value, freedom in parts)
    return Variance(total, total**2 / groups if groups > 0 else math.inf)


def _possible(frame: Frame, y: Floats) -> tuple[float, float]:
    """The rate if no case without a label failed, and if every one did."""
    records = float(frame.weights.sum())
    failures = float((frame.weights * np.nan_to_num(y)).sum()) / records
    passes = float((frame.weights * np.nan_to_num(1 - y)).sum()) / records
    return failures, 1 - passes


def _mean(frame: Frame, known: Sequence[Told], share: Floats, values: Floats) -> float:
    """The stages' estimates of the mean of `values` put together."""
    return float(sum(w * mean(frame, s, values) for w, s in zip(share, known, strict=True)))


def _worth(spread: float, found: Variance, cases: int) -> tuple[float | None, float | None, float | None]:
    """The random labels with the same variance, S^2 (1/n - 1/N), and the interval that its chi-square gives.

    `spread` is the variance of a label over the pool: p (1 - p) where labels say pass or fail, less where they are graded.
    """
    if found.value <= 0 or spread <= _NO_SPREAD:
        return None, None, None
    from scipy.special import chdtri

    def of(value: float) -> float:
        return 1 / (value * (cases - 1) / (cases * spread) + 1 / cases)

    free = found.freedom
    tail = (1 - WORTH_CONFIDENCE) / 2
    return (
        of(found.value),
        of(found.value * free / float(chdtri(free, 1 - tail))),
        of(found.value * free / float(chdtri(free, tail))),
    )


def _bounds(frame: Frame, stages: Sequence[Stage], y: Floats, eligible: set[str]) -> tuple[float, float]:
    """The rate with every missing label a pass, and a failure."""
    places = np.array([frame.place[i] for i in eligible], dtype=int)
    labelled = np.zeros(len(frame), dtype=bool)
    labelled[places] = True
    known = [told(frame, stage, labelled) for stage in stages]
    share = shares(known)
    low, high = (_mean(frame, known, share, np.where(np.isnan(y), value, y)) for value in (0.0, 1.0))
    return low, high


def _parts(
    frame: Frame, known: Sequence[Told], share: Floats, y: Floats, name: str, confidence: float, least: int
) -> tuple[Part, ...]:
    if name not in frame.levels:
        raise Refused(f"no case has {name!r}", remedy=f"use one of {', '.join(sorted(frame.levels)) or 'none'}")
    return tuple(
        _part(frame, known, share, y, value, frame.levels[name] == number, confidence, least)
        for number, value in enumerate(frame.names[name])
    )


def _part(  # noqa: PLR0913, PLR0917  a part is of an estimate, whose parts these are
    frame: Frame,
    known: Sequence[Told],
    share: Floats,
    y: Floats,
    value: str,
    inside: Bools,
    confidence: float,
    least: int,
) -> Part:
    """The rate in a domain: a ratio of two estimates over the pool, with its linearised variance (Cochran 1977, 5A.14)."""
    own = float(frame.weights[inside].sum() / frame.weights.sum())
    labels = int((inside & ~np.isnan(y)).sum())
    if labels < min(least, int(inside.sum())):
        return Part(
            value, own, labels, reason=f"not enough labels: {labels} of at least {min(least, int(inside.sum()))}"
        )
    if labels == inside.sum():
        rate = float(np.average(y[inside], weights=frame.weights[inside]))
        return Part(value, own, labels, rate, rate, rate)
    failures = np.where(inside, y, 0.0)
    members = inside.astype(float)
    above, below = _mean(frame, known, share, failures), _mean(frame, known, share, members)
    if not below:
        return Part(value, own, labels, reason="not enough labels: none of those that the estimate rests on")
    rate = min(max(above / below, 0.0), 1.0)
    residual = np.where(inside, y - rate, 0.0)
    counted = np.where(inside, y, np.nan)
    found = _combined(share, [variance(frame, s, residual, counted) for s in known])
    low, high = survey_wilson(rate, found.value / own**2, student_quantile(confidence, found.freedom), labels)
    return Part(value, own, labels, rate, min(low, rate), max(high, rate))
