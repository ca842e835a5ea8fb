"""The loop: rounds of select, label, retrain and evaluate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from curator.records.cases import Case
from curator.records.values import Slice, Split

StopReason = Literal["gain", "labels", "hours", "usd", "precise", "pool"]
"""Why a loop ends: the gain of a round, the labels, hours or dollars spent, the narrow interval, or no case left."""


@dataclass(frozen=True, slots=True)
class LoopCase:
    """A case of the pool of a loop.

    Attributes:
        case: what is asked; without the labels that people give in the loop.
        split: `eval` may be drawn into the held-out set, `train` may be labelled for training.
        text: what is embedded of it, "" for nothing.
        disagreement: of the committee, 0..1; None where it was not asked.
        leaks: it asks a held-out question, though it is of the train split: it is neither labelled nor trained on.
    """

    case: Case
    split: Split
    text: str
    disagreement: float | None = None
    leaks: bool = False

    @property
    def trainable(self) -> bool:
        """Return whether a round may choose the case to train on."""
        return self.split == "train" and not self.leaks


@dataclass(frozen=True, slots=True)
class LoopLabel:
    """The label of a case as a round of the loop uses it.

    Attributes:
        case_id: the case.
        answer: the right answer; None where the people were unsure.
        failure: how far production's answer fails, 0 (it is right) to 1; None where that is not known.
        by: who labelled it.
        at: when, ISO 8601 in UTC; "" where it is not known.
        seconds: the time that it took; None where it was not measured.
        category: the category that a person put it in; None where it was not changed.
        note: of the person, "" for nothing.
    """

    case_id: str
    answer: str | None
    failure: float | None = None
    by: tuple[str, ...] = ()
    at: str = ""
    seconds: float | None = None
    category: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer of a round's model to a case; `error` says why there is none."""

    case_id: str
    answer: str | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SliceErrors:
    """The errors that the model before a round made on the cases of the round.

    Attributes:
        slice: how the cases were chosen.
        task: the part of the application, "" for all.
        errors: cases that the model answered wrongly.
        cases: cases with a label that it answered.
    """

    slice: Slice
    task: str
    errors: int
    cases: int


@dataclass(frozen=True, slots=True)
class LoopRound:
    """A round that has ended.

    Attributes:
        number: from 0, the round of the held-out set and the seed.
        training_labels: the cases that its model was trained on.
        labels: all labels of the loop so far, those of the held-out set included.
        undecided: labelled cases of this round whose right answer people were unsure of.
        excluded: labelled cases that were not trained on, by reason.
        score: the share of held-out cases that the model answers rightly, 0..1.
        low: of the 95% interval of the score.
        high: of the same.
        held_out: the held-out cases behind the score.
        production: the share of the same cases that production answered rightly; None where that is not known.
        undecidable: held-out answers of the model that cannot be compared with the label.
        training_s: seconds of training.
        usd: the price of training; None where it is not known.
        label_s: seconds of labelling in this round: as measured, else estimated.
        slices: the errors of the model before on this round's cases; () in the first round.
        stop: the rule that ends the loop here; None where it goes on.
        view: what the rule to stop says, in words.
        gain: the score less that of the round before, on the cases that every round has in common; None in the first round, and
            in one without more training labels.
        gain_low: of the 95% interval of the gain, paired by case; None where the gain is.
        gain_high: of the same.
    """

    number: int
    training_labels: int
    labels: int
    score: float
    low: float
    high: float
    held_out: int
    label_s: float
    training_s: float
    usd: float | None
    undecided: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    production: float | None = None
    undecidable: int = 0
    slices: tuple[SliceErrors, ...] = ()
    stop: StopReason | None = None
    view: str = ""
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None


@dataclass(frozen=True, slots=True)
class WaitingRound:
    """A round that waits for labels.

    Attributes:
        folder: of the round.
        number: of the round.
        cases: that were picked.
        missing: those that have not come back.
        incomplete: those that were judged wrong without the right answer.
        notes: on the label files.
    """

    folder: Path
    number: int
    cases: int
    missing: int
    incomplete: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedLabels:
    """The training labels that a loop saves at the last score of the random arm.

    Attributes:
        share: of the random arm's labels, 1 at most; below 0 the loop needs more.
        low: of its 95% interval over samples of the held-out cases; None where the loop may not reach the score at all.
        high: of the same.
    """

    share: float
    low: float | None
    high: float
