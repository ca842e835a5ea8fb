"""What was selected, and the categories that cases are grouped in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from curator.records.values import Slice, Split, Trend


def category_names(categories: Iterable[Category]) -> dict[str, str]:
    """The name of each case's category, by case id; unclustered cases are not in it."""
    return {case_id: category.name for category in categories for case_id in category.case_ids}


@dataclass(frozen=True, slots=True)
class Pick:
    """A selected case, and how it came in.

    Attributes:
        case_id: the case.
        rank: its place in the selection, from 1.
        slice: `disagreement` (discovery) or `random` (the probability sample that an estimate goes by).
        inclusion_probability: the chance with which the design drew it, among the cases that were left when it was
            drawn; 1 for discovery.
        split: `eval` (held out) or `train`.
        gain: what it added to discovery's objective; None for a drawn case.
        stage: the round of drawing, from 1.
        stratum: of the stage; None for discovery.
        draw: its place in the order of drawing, from 1: labelling the first ones of it is a smaller sample.
        reason: why discovery took it, in words.
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
    """What became of a category since the night before.

    Attributes:
        trend: `back` where it was known and not seen the night before.
        before: its cases the night before; None where it was not seen then.
        nights: in how many nights it was seen.
        split_from: the id of the category that a new one was a part of.
        merged: the ids of those that are a part of it now.
    """

    trend: Trend
    before: int | None
    nights: int
    split_from: str | None = None
    merged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GoneCategory:
    """A category that was seen the night before, with `before` cases, and is not any more; `into` names what it is a part of."""

    id: str
    name: str
    before: int
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """A named group of unstable cases: `case_ids` are ordered from the most typical on.

    `id` and `name` stay from night to night while its centre holds; `change` is None on the first night.
    """

    id: str
    name: str
    keywords: tuple[str, ...]
    case_ids: tuple[str, ...]
    change: CategoryChange | None = None
