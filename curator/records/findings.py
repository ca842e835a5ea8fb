"""Findings of a run: member health, noise floor, blind spots, failure rate, diagnoses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from curator.records.values import DiagnosisName


@dataclass(frozen=True, slots=True)
class Rate:
    """A share in 0..1 of `n` cases with its 95% interval; None where n is too small."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class MemberHealth:
    """Rates and weight of one member of the committee.

    The rates are means over the cases that the member was asked about, and `n` counts cases: the repeats of one prompt are
    not independent of each other.

    Attributes:
        model: of the member; "" if unknown.
        variant: of the member; "" if unknown.
        temperature: of the member; None if unknown.
        answers: the number of its answers, without failed calls.
        failed: the number of its calls that failed for good.
        unreadable: share of answers in which no answer of the kind could be read, without refusals.
        refused: share of answers that refuse to answer.
        empty: share of empty answers; they are unreadable as well.
        agreement: share of answers that mean the same as the most usual answer of the other members.
        kappa: agreement corrected for chance, at most 1; a constant answer gets 0.
        accuracy: share of answers that mean the same as the label, on labelled cases of the random slice.
        weight: the weight of its answers, 0 (left out) to 1.
        reason: the reason for the weight, in words.
    """

    model: str
    variant: str
    temperature: float | None
    answers: int
    failed: int
    unreadable: Rate
    refused: Rate
    empty: Rate
    agreement: Rate
    kappa: float | None
    accuracy: Rate
    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """The difference between repeats of one prompt at temperature 0: the noise of the provider.

    Attributes:
        floor: the probability that two repeats differ, a mean over the cases; None if these are too few.
        differing: the share of the prompts whose repeats were not all the same; n counts cases.
        spread: the probability that two answers of the whole committee differ, on the same cases.
        cold: every answer was given at temperature 0; the name is the key in `summary.json`.
        one_prompt: every case was asked with one prompt of one model.
    """

    floor: float | None
    differing: Rate
    spread: float | None
    cold: bool
    one_prompt: bool


@dataclass(frozen=True, slots=True)
class BlindShare:
    """The share of the known failures of production whose score is at most `threshold`.

    `by_source` counts the failures by their evidence. `left_out` counts failures that were labelled because the committee
    disagreed: they say nothing about what disagreement misses.
    """

    unseen: Rate
    threshold: float
    by_source: Mapping[str, int]
    left_out: int


@dataclass(frozen=True, slots=True)
class PooledRate:
    """The failure rate of a category, shrunk to the mean of all.

    Attributes:
        rate: 0..1, the mean of the posterior.
        low: the lower end of the interval.
        high: the upper end.
        shrinkage: the weight of the other categories in the rate, 0 (only its own labels) to 1.
    """

    rate: float
    low: float
    high: float
    shrinkage: float


@dataclass(frozen=True, slots=True)
class UnseenKinds:
    """The share of failures whose kind no label shows yet.

    Attributes:
        failures: the labelled failures that it is estimated from.
        kinds: different ones among all labelled failures.
        singletons: those of `kinds` with a single labelled failure.
        share: the estimated share of unseen kinds among all failures, 0..1.
        high: its upper bound.
        guaranteed: the upper bound for any distribution of the kinds, as if the labelled failures were independent draws.
        rate_high: the upper bound for the share of all records that fail in a way not seen yet: `high` times that of the rate.
    """

    failures: int
    kinds: int
    singletons: int
    share: float
    high: float
    guaranteed: float
    rate_high: float


@dataclass(frozen=True, slots=True)
class FailureRate:
    """The failure rate of production, estimated from the labels of a probability sample.

    Attributes:
        rate: share of the log records behind the pool, 0..1; None with a `reason`.
        low: the lower end of the interval.
        high: the upper end.
        confidence: the confidence of the intervals, such as 0.95.
        labels: the number of labels used.
        missing: the number of selected cases without a label.
        worth: the number of random labels with the same precision (effective sample size); None if unknown.
        silent: the rate where the committee agrees with itself and with production; the numbers are None if there
            are too few labels.
        silent_records: the number of log records there.
        reason: the reason why there is not a rate.
        judge_weight: how far a judge's verdicts count in the rate, 0 (not at all) to 1.
        cases: the cases that the rate is about; None with a `reason`.
        new_cases: cases of this run without labels, about which the rate says nothing.
        new_records: the log records that these represent.
        until: the date of the last night with labels, where there are such new cases.
        gone: the rate is that of earlier nights, whose cases are no longer in the logs, or too few of them.
        any_time: the interval of a confidence sequence, which holds after every label; None with a `reason`.
        unseen: failures of kinds that no label shows; None if too few failures are labelled.
        by_category: the pooled rate of each category with enough labels, by its name; "" for cases in none.
    """

    rate: float | None
    low: float | None
    high: float | None
    confidence: float
    labels: int
    missing: int
    worth: float | None
    silent: Rate
    silent_records: int
    reason: str | None = None
    judge_weight: float = 0.0
    cases: int | None = None
    new_cases: int = 0
    new_records: int = 0
    until: str | None = None
    gone: bool = False
    any_time: tuple[float, float] | None = None
    unseen: UnseenKinds | None = None
    by_category: Mapping[str, PooledRate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The cause that the answers to one case or to a group of cases suggest, with advice.

    The three parts are means over the cases, in 0..1, and add up to the disagreement within the committee; None if no case
    had two answers. `certain` is False where the pattern only suggests the name.
    """

    name: DiagnosisName
    advice: str
    evidence: str
    cases: int
    answers: int
    between_models: float | None
    between_variants: float | None
    within: float | None
    certain: bool = True
