"""Measures of categories against the failure modes that were planted in a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.clustering.made_up import Mode

FIRST = 15
"""Only so many categories count: a reader looks at no more."""
PURITY = 0.8
RECALL = 0.5


@dataclass(frozen=True, slots=True)
class Named:
    """A category as it is measured: its id, name, sentence and the ids of its cases."""

    id: str
    name: str
    sentence: str
    case_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A mode, and the category that has most of its cases.

    Attributes:
        mode: the planted mode.
        cases: the number of its cases.
        place: the place of the category in their order, from 1; None if none of the first has a case of the mode.
        name: the name and the sentence of the category.
        purity: the share of the category's cases that are of the mode.
        recall: the share of the mode's cases that are in the category.
    """

    mode: Mode
    cases: int
    place: int | None
    name: str
    purity: float
    recall: float

    @property
    def pure(self) -> bool:
        """Return whether the category is one of the mode's own."""
        return self.purity >= PURITY

    @property
    def complete(self) -> bool:
        """Return whether it is one of the mode's own, and holds half of the mode's cases."""
        return self.pure and self.recall >= RECALL

    @property
    def named(self) -> bool:
        """Return whether a telling word of the mode is in the name or the sentence of the category."""
        text = self.name.lower()
        return any(word.lower() in text for word in self.mode.words)


def findings(modes: Sequence[Mode], modes_of: Mapping[str, str | None], categories: Sequence[Named]) -> list[Finding]:
    """Return the best of the first categories for each mode: a complete one, else a pure one, else the one with most cases.

    `modes_of` has the mode of every case, by case id; a case that is not in it counts nowhere.
    """
    return [_finding(mode, modes_of, categories[:FIRST]) for mode in modes]


def _finding(mode: Mode, modes_of: Mapping[str, str | None], categories: Sequence[Named]) -> Finding:
    members = {case_id for case_id, of in modes_of.items() if of == mode.id}
    best = Finding(mode, len(members), None, "", 0.0, 0.0)
    for place, category in enumerate(categories, 1):
        cases = category.case_ids & modes_of.keys()
        if not (inside := members & cases):
            continue
        name = f"{category.name}: {category.sentence}"
        candidate = Finding(mode, len(members), place, name, len(inside) / len(cases), len(inside) / len(members))
        best = max(best, candidate, key=lambda f: (f.complete, f.pure, f.recall))
    return best


def kept_share(before: Sequence[Named], after: Sequence[Named], weights: Mapping[str, int]) -> float:
    """Return the share of the earlier categories, by the records of their cases, whose id and sentence stay."""
    standing = {(category.id, category.sentence) for category in after}
    sizes = {category: sum(weights.get(i, 1) for i in category.case_ids) for category in before}
    total = sum(sizes.values())
    return sum(n for category, n in sizes.items() if (category.id, category.sentence) in standing) / max(total, 1)
