"""What a run finds out about its committee, about production, and about what nobody sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from curator.records.values import DiagnosisName


@dataclass(frozen=True, slots=True)
class Rate:
    """A share in 0..1 of `n` cases with its 95% interval; the numbers are None where n is too small to say anything."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class MemberHealth:
    """How one member of the committee answers, and what its answers count for.

    The rates are means over the cases that it was asked about, so that `n` counts cases: the repeats of one prompt are
    not independent of each other.

    Attributes:
        model: of the member; "" where it is not known.
        variant: of the member; "" where it is not known.
        temperature: of the member; None where it is not known.
        answers: what it said, failed calls not counted.
        failed: its calls that failed for good.
        unreadable: answers in which no answer of the kind could be read, those that refuse not counted.
        refused: answers that say they give none.
        empty: answers that say nothing; they are among the unreadable ones.
        agreement: answers that mean the same as the most usual answer of the other members.
        kappa: that agreement corrected for chance, at most 1; 0 is what a constant answer gets.
        accuracy: answers that mean the same as the label, on the labelled cases of the random slice.
        weight: what its answers count for, 0 (left out) to 1.
        reason: why, in words.
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
    """How far repeats of one prompt at temperature 0 differ: what the provider's own noise comes to.

    Attributes:
        floor: the chance that two of them differ, in 0..1, a mean over the cases; None where these are too few.
        differing: the share of the prompts whose repeats were not all the same; n counts cases.
        spread: the chance that two answers of the whole committee differ, on the same cases.
        deterministic: every answer was given at temperature 0.
        one_prompt: every case was asked with one prompt of one model.
    """

    floor: float | None
    differing: Rate
    spread: float | None
    deterministic: bool
    one_prompt: bool


@dataclass(frozen=True, slots=True)
class BlindShare:
    """The known failures of production, and the share of them whose score is at most `threshold`: nobody would look.

    `by_source` counts them by how they are known. `left_out` were labelled because the committee disagreed on them, so
    that they cannot tell what it does not see.
    """

    unseen: Rate
    threshold: float
    by_source: Mapping[str, int]
    left_out: int


@dataclass(frozen=True, slots=True)
class FailureRate:
    """How often production fails, by the labels of a selection that was drawn for it.

    Attributes:
        rate: over the log records behind the pool, 0..1; None with a `reason`.
        low: the lower end of the interval.
        high: the upper end.
        confidence: of the intervals.
        labels: the labels that it goes by.
        missing: selected cases without a label.
        worth: how many random labels tell as much; None where that is not known.
        silent: the rate where the committee agrees with itself and with production; the numbers are None where too few
            labels are there.
        silent_records: how many records that are.
        reason: why there is no rate.
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


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the pattern of the answers says about one case, or about a group of them, and what to do about it.

    The three parts are means over the cases, in 0..1, and add up to the committee's own disagreement; None where no case
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
