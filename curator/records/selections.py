"""Selected cases, and the categories of cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from curator.records.differences import AnswerSide, Aspect, Basis
from curator.records.values import Fading, Slice, Split, Trend


def category_names(categories: Iterable[Category]) -> dict[str, str]:
    """Return the name of each case's top-level category, by case id; without cases in none."""
    return {c: category.name for category in categories if category.parent is None for c in category.case_ids}


@dataclass(frozen=True, slots=True)
class Pick:
    """A selected case, and how it was selected.

    Attributes:
        case_id: the case.
        rank: its place in the selection, from 1.
        slice: `disagreement` (discovery, by the score), `diversity` (discovery, by the inputs alone) or `random` (the
            probability sample for estimates).
        inclusion_probability: its probability in the design, among the cases that were left when it was drawn; 1 for
            discovery.
        split: `eval` (held out) or `train`.
        gain: its addition to the objective of discovery; None for a drawn case.
        stage: the round of drawing, from 1.
        stratum: its stratum within the stage; None for discovery.
        draw: its place in the order of drawing, from 1; the first n of this order are a valid smaller sample.
        reason: the reason why discovery picked it, in words.
    """

    case_id: str
    rank: int
    slice: Slice
    inclusion_probability: float
    split: Split
    gain: float | None = None
    stage: int = 1
    stratum: int | None = None
    draw: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CategoryChange:
    """The change of a category since the night before.

    Attributes:
        trend: `back` means that an earlier night had it, and the night before did not.
        before: the number of its cases the night before; None if it was not seen then.
        nights: the number of nights in which it was seen.
        split_from: the id of the category that it was a part of before.
        merged: the ids of categories that are a part of it now.
        now: the number of its cases in this night.
        fading: the likely reason where it shrank; None where it did not, or the cases are too few to tell.
        renamed_from: its name the night before, if a model has replaced the name of a template.
    """

    trend: Trend
    before: int | None
    nights: int
    split_from: str | None = None
    merged: tuple[str, ...] = ()
    now: int = 0
    fading: Fading | None = None
    renamed_from: str | None = None


@dataclass(frozen=True, slots=True)
class GoneCategory:
    """A category of the night before, with `before` cases, that is gone.

    `into` is the id of the category that it is a part of now, if any; `fading` the likely reason, None where the cases are
    too few to tell.
    """

    id: str
    name: str
    before: int
    into: str | None = None
    fading: Fading | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """A named group of cases that fail, or may fail, in one way.

    `id` and `name` stay the same from night to night; `change` is None on the first night.

    Attributes:
        id: made from the task and the difference, so that it does not depend on the other cases.
        name: a few words.
        keywords: the words that tell its inputs from the others of the task.
        case_ids: all its cases, those of its parts included, the most central ones first.
        change: since the night before.
        sentence: what fails, in one sentence without figures.
        parent: the id of the category that it is a part of; None at the top level.
        task: the name of the task; "" where cases of several tasks are in it.
        aspect: the respect in which the answers differ; None where several are.
        basis: the two sides whose difference it is.
        sides: the two or three groups of answers that face each other, the largest first within each `by`.
        border: the case that fits it least; None with fewer than five cases.
        first_seen: the date of the first night that had it, as YYYY-MM-DD; "" where nights are not tracked.
        last_seen: the date of the last one.
        named_by: `template`, or the model that wrote name and sentence.
    """

    id: str
    name: str
    keywords: tuple[str, ...]
    case_ids: tuple[str, ...]
    change: CategoryChange | None = None
    sentence: str = ""
    parent: str | None = None
    task: str = ""
    aspect: Aspect | None = None
    basis: Basis = "production"
    sides: tuple[AnswerSide, ...] = ()
    border: str | None = None
    first_seen: str = ""
    last_seen: str = ""
    named_by: str = "template"
