"""Categories that people put cases in, in place of those that a program put them in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from curator.estimation.sampling_frame import SamplingUnit
from curator.text.display import one_line

CATEGORY = "category"
"""The domain of a sampling unit that a person can correct."""
_NAME_LIMIT = 80


class NamedCategory(Protocol):
    """A category of a run."""

    @property
    def id(self) -> str:
        """Its id, which stays the same from night to night."""

    @property
    def name(self) -> str:
        """A few words."""

    @property
    def parent(self) -> str | None:
        """The id of the category that it is a part of; None at the top level."""


@dataclass(frozen=True, slots=True)
class CorrectedCategories:
    """The category of each case, by people where they corrected it.

    Attributes:
        by_case: the name of the top-level category by case id; a case in none has no entry.
        moved: those of cases that people put in another category than the program did.
    """

    by_case: Mapping[str, str]
    moved: Mapping[str, str]

    @property
    def open_values(self) -> dict[str, frozenset[str]]:
        """The categories that cases were moved into: unlabelled cases may belong there too."""
        return {CATEGORY: frozenset(self.moved.values())}

    def units(self, pool: Sequence[SamplingUnit]) -> list[SamplingUnit]:
        """Return the pool with these categories as a domain."""
        return [self._unit(unit) for unit in pool]

    def _unit(self, unit: SamplingUnit) -> SamplingUnit:
        others = {name: value for name, value in unit.domains.items() if name != CATEGORY}
        category = self.by_case.get(unit.id)
        return replace(unit, domains=others if category is None else {**others, CATEGORY: category})


NO_CATEGORIES = CorrectedCategories({}, {})


def correct_categories(
    by_program: Mapping[str, str], by_people: Mapping[str, str], categories: Iterable[NamedCategory] = ()
) -> CorrectedCategories:
    """Put the cases in the categories that people named.

    A name or an id of a category means that category, whatever its capitals and spaces, and that of a part means the category that it is
    a part of. Another text is a category of its own.

    Args:
        by_program: the name of the top-level category by case id.
        by_people: what people wrote, by case id.
        categories: those of the program.
    """
    every = {category.id: category for category in categories}
    names = {_key(name): name for name in by_program.values()}
    for category in every.values():
        top = category
        while top.parent in every and top.parent is not None:
            top = every[top.parent]
        names |= {_key(category.id): top.name, _key(category.name): top.name}
    written = {i: names.setdefault(_key(text), one_line(text, _NAME_LIMIT)) for i, text in sorted(by_people.items())}
    moved = {i: name for i, name in written.items() if by_program.get(i) != name}
    return CorrectedCategories({**by_program, **moved}, moved)


def _key(text: str) -> str:
    return " ".join(text.casefold().split())
