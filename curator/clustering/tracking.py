"""Tracking: a category keeps its id, name and sentence from night to night.

The id of a category is made from its signature, so most categories are found again by id. Categories of free text and
joined ones have a slightly different signature each night. Of what is left, those of the same task and aspect are
matched one to one so that the sum of the cosines of their profiles is maximal (Kuhn 1955, as
`scipy.optimize.linear_sum_assignment` solves it); only cosines from `SAME_PROFILE` count. If a category splits, the part
most similar to it keeps the id; the others are new and name the category they split from. If categories merge, the id of
the largest one stays. A category that is not seen is kept for `NIGHTS_KEPT` nights, in case it comes back. Nothing
depends on the order of the categories.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from curator.clustering.night_changes import Counts
from curator.clustering.night_matching import NightMatching
from curator.clustering.profiles import blended
from curator.clustering.tracked_categories import (
    NIGHTS_KEPT,
    TEMPLATE,
    CategoryHistory,
    NightCategory,
    Role,
    TrackedCategory,
)
from curator.records import CategoryChange, GoneCategory

GROUPING_CHANGED = (
    "the categories of earlier nights were made by another method of grouping, so they cannot be compared: all categories"
    " start anew, without a change since the night before"
)
_NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CategoryMatches:
    """A night's categories matched to the history, in their order.

    Attributes:
        categories: with the ids, names and sentences that they keep, and the ids of their parents.
        signatures: the ids that this night alone gives them.
        roles: theirs.
        shown: the number of asked cases that show the difference of each.
        matched: the tracked category that each one is; None for a new one.
        changes: of each one since the night before; None without a night to compare with.
        gone: categories that were seen the night before and are not seen now, the largest first.
        warnings: the history could not be compared.
        method: of the grouping.
        counts: of the night.
    """

    categories: tuple[NightCategory, ...]
    signatures: tuple[str, ...]
    roles: tuple[Role, ...]
    shown: tuple[int, ...]
    matched: tuple[TrackedCategory | None, ...]
    changes: tuple[CategoryChange | None, ...]
    gone: tuple[GoneCategory, ...]
    warnings: tuple[str, ...]
    method: str
    counts: Counts

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of each category."""
        return tuple(category.id for category in self.categories)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each category."""
        return tuple(category.name for category in self.categories)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentence of each category."""
        return tuple(category.sentence for category in self.categories)

    def first_seen(self, date: str) -> tuple[str, ...]:
        """Return the date of the first night of each category; this night has `date`."""
        return tuple(old.first_seen if old else date for old in self.matched)


def night_key(case_ids: Iterable[str]) -> str:
    """The key of a night, from its cases in any order: the same cases have the same key."""
    return hashlib.sha256("\n".join(sorted(case_ids)).encode()).hexdigest()[:16]


def match_categories(
    history: CategoryHistory | None,
    night_categories: Sequence[NightCategory],
    *,
    cases_by_task: Mapping[str, int],
    records: int,
    method: str,
    shown: Mapping[str, int] = _NOTHING,
) -> CategoryMatches:
    """Match a night's categories to the tracked ones.

    Args:
        history: after the night before; None on the first night.
        night_categories: with ids of this night alone, in any order.
        cases_by_task: the number of asked cases of each task.
        records: the number of log records behind all asked cases.
        method: names the grouping; nothing is matched if the history has another one.
        shown: the number of asked cases that show a difference, in a category or not, by the id that its category would have;
            without it, the cases of the category.
    """
    comparable = history is not None and history.method == method
    counts = Counts(sum(cases_by_task.values()), records, dict(cases_by_task))
    night = NightMatching(night_categories, history if comparable else None, shown)
    matched = night.matched()
    kept = _renamed(night.categories, matched, night.tracked)
    changes = night.changes(kept, counts)
    signatures = tuple(c.id for c in night_categories)
    return CategoryMatches(
        categories=tuple(kept[i] for i in signatures),
        signatures=signatures,
        roles=tuple(night.roles[i] for i in signatures),
        shown=tuple(shown.get(c.id, c.cases) for c in night_categories),
        matched=tuple(matched.get(i) for i in signatures),
        changes=tuple(changes[i] for i in signatures),
        gone=night.gone(kept, counts),
        warnings=() if history is None or comparable else (GROUPING_CHANGED,),
        method=method,
        counts=counts,
    )


def update_history(
    history: CategoryHistory | None, matches: CategoryMatches, *, key: str, date: str
) -> CategoryHistory:
    """The history after the matched night; `key` is its `night_key`."""
    night = (history.night if history else 0) + 1
    seen = []
    m = matches
    for category, signature, role, shown, old in zip(
        m.categories, m.signatures, m.roles, m.shown, m.matched, strict=True
    ):
        profile = blended(old.category.profile if old else {}, category.profile)
        first = (old.first_night, old.nights + 1, old.first_seen) if old else (night, 1, date)
        now = replace(category, profile=profile)
        seen.append(TrackedCategory(now, signature, role, shown, first[0], night, first[1], first[2], date))
    before = history.categories if history and history.method == matches.method else ()
    ids = {tracked.category.id for tracked in seen}
    kept = [c for c in before if c.category.id not in ids and c.last_night > night - NIGHTS_KEPT]
    tracked = tuple(sorted([*seen, *kept], key=lambda c: c.category.id))
    tasks = {c.category.task for c in tracked}
    return CategoryHistory(matches.method, night, key, date, matches.counts.of_tasks(tasks), tracked)


def _renamed(
    categories: Sequence[NightCategory], matched: Mapping[str, TrackedCategory], tracked: Iterable[TrackedCategory]
) -> dict[str, NightCategory]:
    """The categories with the ids, names and sentences that they keep, by signature.

    No new one gets the name of a tracked one.
    """
    ids = {c.id: matched[c.id].category.id if c.id in matched else c.id for c in categories}
    taken = {c.category.name for c in tracked}
    by_id = {c.id: c for c in categories}
    renamed: dict[str, NightCategory] = {}
    for category in sorted(categories, key=lambda c: (c.parent is not None, c.id)):
        old = matched[category.id].category if category.id in matched else None
        now = replace(category, id=ids[category.id], parent=ids.get(category.parent or "", category.parent))
        if old is not None and (old.named_by != TEMPLATE or category.named_by == TEMPLATE):
            now = replace(now, name=old.name, sentence=old.sentence, named_by=old.named_by)
        elif old is None or category.name != old.name:
            if parent := renamed.get(category.parent or ""):
                now = _named_after(now, by_id[category.parent or ""], parent)
            now = replace(now, name=_unique_name(now, taken))
        taken.add(now.name)
        renamed[category.id] = now
    return renamed


def _named_after(part: NightCategory, parent: NightCategory, kept: NightCategory) -> NightCategory:
    """The part, with the name that its parent keeps where its own begins with the parent's."""
    if not part.name.startswith(parent.name):
        return part
    return replace(part, name=kept.name + part.name.removeprefix(parent.name))


def _unique_name(category: NightCategory, taken: set[str]) -> str:
    """The name, with one of its keywords or a number where another category has the name."""
    words = [word for word in category.keywords if word not in category.name]
    names = [category.name, *(f"{category.name} ({word})" for word in words)]
    free = next((name for name in names if name not in taken), None)
    number = 2
    while free is None:
        candidate = f"{category.name} ({number})"
        free, number = (candidate if candidate not in taken else None), number + 1
    return free
