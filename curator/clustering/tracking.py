"""Tracking: a category keeps its id, name and sentence from night to night.

The id of a category is made from its signature, so most categories are found again by id. Categories of free text and
rolled-up ones have a slightly different signature each night. Of what is left, those of the same task and aspect are
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

import numpy as np
from numpy.typing import NDArray

from curator.clustering.night_changes import Counts, fading_of, trend_of
from curator.clustering.profiles import blended, cosines
from curator.records import Aspect, CategoryChange, GoneCategory

SAME_PROFILE = 0.75
"""The minimum cosine of the profiles of one category."""
NIGHTS_KEPT = 30
TEMPLATE = "template"
GROUPING_CHANGED = (
    "the categories of earlier nights were made by another method of grouping, so they cannot be compared: all categories"
    " start anew, without a change since the night before"
)


@dataclass(frozen=True, slots=True)
class NightCategory:
    """A category of one night.

    Attributes:
        id: made from its signature; no two categories of a night have the same one.
        name: a few words.
        sentence: what fails.
        keywords: of its inputs.
        parent: the id of the category that it is a part of; None at the top level.
        task: of its cases; "" where they are of several tasks.
        aspect: the respect in which the answers differ; None where several are.
        profile: the weights, 0 or more, of the differences and topics of its cases, such as `field:due_date` or
            `topic:warranty`.
        cases: the number of its cases.
        records: the number of log records behind them.
        named_by: `template`, or the model that wrote name and sentence.
    """

    id: str
    name: str
    sentence: str
    keywords: tuple[str, ...]
    parent: str | None
    task: str
    aspect: Aspect | None
    profile: Mapping[str, float]
    cases: int
    records: int
    named_by: str = TEMPLATE


@dataclass(frozen=True, slots=True)
class TrackedCategory:
    """A category as it was last seen; nights count from 1.

    Attributes:
        category: with the id, name and sentence that it keeps, and the mean profile of its nights.
        signature: the id that its last night alone would have given it.
        first_night: the first night that had it.
        last_night: the last one.
        nights: the number of nights that had it.
        first_seen: the date of the first one, as YYYY-MM-DD.
        last_seen: the date of the last one.
    """

    category: NightCategory
    signature: str
    first_night: int
    last_night: int
    nights: int
    first_seen: str
    last_seen: str


@dataclass(frozen=True, slots=True)
class CategoryHistory:
    """The tracked categories after a night.

    Attributes:
        method: of the grouping; the categories of another method cannot be compared.
        night: the number of nights so far.
        key: names the night's cases; a night that is run again has the same key.
        date: of the night, as YYYY-MM-DD.
        counts: of the night.
        categories: those seen in one of the last `NIGHTS_KEPT` nights, in order of their ids.
    """

    method: str
    night: int
    key: str
    date: str
    counts: Counts
    categories: tuple[TrackedCategory, ...]


@dataclass(frozen=True, slots=True)
class CategoryMatches:
    """A night's categories matched to the history, in their order.

    Attributes:
        categories: with the ids, names and sentences that they keep, and the ids of their parents.
        signatures: the ids that this night alone gives them.
        matched: the tracked category that each one is; None for a new one.
        changes: of each one since the night before; None without a night to compare with.
        gone: categories that were seen the night before and are not seen now, the largest first.
        warnings: the history could not be compared.
        method: of the grouping.
        counts: of the night.
    """

    categories: tuple[NightCategory, ...]
    signatures: tuple[str, ...]
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
) -> CategoryMatches:
    """Match a night's categories to the tracked ones.

    Args:
        history: after the night before; None on the first night.
        night_categories: with ids of this night alone, in any order.
        cases_by_task: the number of asked cases of each task.
        records: the number of log records behind all asked cases.
        method: names the grouping; nothing is matched if the history has another one.
    """
    comparable = history is not None and history.method == method
    counts = Counts(sum(cases_by_task.values()), records, dict(cases_by_task))
    night = _Night(night_categories, history if comparable else None)
    matched = {c.id: night.tracked[night.chosen[i]] for i, c in enumerate(night.categories) if i in night.chosen}
    kept = _renamed(night.categories, matched, night.tracked)
    into = night.mergers({signature: category.id for signature, category in kept.items()})
    changes = {c.id: night.change(i, kept[c.id], into, counts) for i, c in enumerate(night.categories)}
    signatures = tuple(c.id for c in night_categories)
    return CategoryMatches(
        categories=tuple(kept[i] for i in signatures),
        signatures=signatures,
        matched=tuple(matched.get(i) for i in signatures),
        changes=tuple(changes[i] for i in signatures),
        gone=night.gone(into, counts),
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
    for category, signature, old in zip(matches.categories, matches.signatures, matches.matched, strict=True):
        profile = blended(old.category.profile if old else {}, category.profile)
        first = (old.first_night, old.nights + 1, old.first_seen) if old else (night, 1, date)
        now = replace(category, profile=profile)
        seen.append(TrackedCategory(now, signature, first[0], night, first[1], first[2], date))
    before = history.categories if history and history.method == matches.method else ()
    ids = {tracked.category.id for tracked in seen}
    kept = [c for c in before if c.category.id not in ids and c.last_night > night - NIGHTS_KEPT]
    tracked = tuple(sorted([*seen, *kept], key=lambda c: c.category.id))
    tasks = {c.category.task for c in tracked}
    return CategoryHistory(matches.method, night, key, date, matches.counts.of_tasks(tasks), tracked)


def assign(cosine: NDArray[np.float64], least: float = SAME_PROFILE) -> dict[int, int]:
    """The column matched to each row of the cosines, at most one each; not every row has one."""
    from scipy.optimize import linear_sum_assignment

    gain = np.where(cosine >= least, cosine, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if gain[r, c] > 0}


class _Night:
    """The categories of a night in order of their ids, and the tracked ones that they are.

    `cosine` (categories, tracked) is 0 for another task or aspect; `chosen` has the place of the tracked category by that
    of this night's one; `recent` are the places of those that the night before had.
    """

    def __init__(self, categories: Iterable[NightCategory], history: CategoryHistory | None) -> None:
        self.categories = sorted(categories, key=lambda c: c.id)
        self.history = history
        self.tracked = history.categories if history else ()
        self.recent = [place for place, c in enumerate(self.tracked) if history and c.last_night == history.night]
        self.cosine = _comparable_cosines(self.categories, [c.category for c in self.tracked])
        exact = self._exact()
        chosen = exact | self._similar(exact)
        self.chosen = self._larger_stays(chosen, movable=chosen.keys() - exact.keys())

    def _exact(self) -> dict[int, int]:
        """The matches by the tracked id, else by the signature of the last night."""
        by_id = {c.category.id: place for place, c in enumerate(self.tracked)}
        exact = {i: by_id[c.id] for i, c in enumerate(self.categories) if c.id in by_id}
        taken = set(exact.values())
        by_signature = {c.signature: place for place, c in enumerate(self.tracked) if place not in taken}
        return exact | {
            i: by_signature[c.id] for i, c in enumerate(self.categories) if i not in exact and c.id in by_signature
        }

    def _similar(self, exact: Mapping[int, int]) -> dict[int, int]:
        """The best one-to-one matches by profile of the others."""
        rows = [i for i in range(len(self.categories)) if i not in exact]
        taken = set(exact.values())
        columns = [place for place in range(len(self.tracked)) if place not in taken]
        pairs = assign(self.cosine[np.ix_(rows, columns)])
        return {rows[row]: columns[column] for row, column in pairs.items()}

    def _larger_stays(self, chosen: Mapping[int, int], movable: Iterable[int]) -> dict[int, int]:
        """The matches, with the largest category where several merged into one.

        Only categories of the night before count. An older one has merged already, or is gone; by its old size it would
        take the id back.
        """
        matches, movable = dict(chosen), set(movable)
        size = [c.category.cases for c in self.tracked]
        unmatched = set(self.recent) - set(chosen.values())
        for old in sorted(unmatched, key=lambda o: (size[o], self.tracked[o].category.id)):
            place = self._nearest(self.cosine[:, old])
            if place in movable and size[old] > size[matches[place]]:
                matches[place] = old
        return matches

    def mergers(self, ids: Mapping[str, str]) -> dict[int, str]:
        """The id of the category that each lost one is a part of only now; `ids` are by signature."""
        taken = set(self.chosen.values())
        places = {old: self._nearest(self.cosine[:, old]) for old in self.recent if old not in taken}
        into = {old: ids[self.categories[place].id] for old, place in places.items() if place is not None}
        return {old: id_ for old, id_ in into.items() if id_ != self.tracked[old].category.parent}

    def change(
        self, place: int, category: NightCategory, into: Mapping[int, str], counts: Counts
    ) -> CategoryChange | None:
        """The change of a category since the night before; `category` has the id that it keeps."""
        if self.history is None:
            return None
        merged = tuple(sorted(self.tracked[old].category.id for old, id_ in into.items() if id_ == category.id))
        if place not in self.chosen:
            split = self._split_from(place, category)
            return CategoryChange("new", None, 1, split, merged, now=category.cases)
        old = self.tracked[self.chosen[place]]
        nights, renamed = old.nights + 1, old.category.name if old.category.name != category.name else None
        if old.last_night < self.history.night:
            return CategoryChange("back", None, nights, None, merged, category.cases, None, renamed)
        trend = trend_of(old.category.records, self.history.counts, category.records, counts)
        fading = (
            fading_of(old.category.task, old.category.cases, self.history.counts, category.cases, counts)
            if trend == "shrank"
            else None
        )
        return CategoryChange(trend, old.category.cases, nights, None, merged, category.cases, fading, renamed)

    def gone(self, into: Mapping[int, str], counts: Counts) -> tuple[GoneCategory, ...]:
        """The categories of the night before that are gone, the largest first.

        A part of another category counts only if its loss is significant, because small parts come and go by chance.
        """
        taken, lost = set(self.chosen.values()), []
        for place in self.recent:
            old = self.tracked[place].category
            if place in taken or self.history is None:
                continue
            part_of = into.get(place)
            fading = None if part_of else fading_of(old.task, old.cases, self.history.counts, 0, counts)
            if old.parent is None or fading:
                lost.append(GoneCategory(old.id, old.name, old.cases, part_of, fading))
        return tuple(sorted(lost, key=lambda c: (-c.before, c.id)))

    def _split_from(self, place: int, category: NightCategory) -> str | None:
        """The id of the category of this night that had the cases of a new one before."""
        old = self._nearest(self.cosine[place])
        if old is None or old not in self.chosen.values():
            return None
        id_ = self.tracked[old].category.id
        return id_ if id_ != category.parent else None

    @staticmethod
    def _nearest(cosine: NDArray[np.float64]) -> int | None:
        """The place of the highest cosine; None where none is high enough."""
        return int(cosine.argmax()) if len(cosine) and cosine.max() >= SAME_PROFILE else None


def _comparable_cosines(now: Sequence[NightCategory], before: Sequence[NightCategory]) -> NDArray[np.float64]:
    """The cosine of the profiles, (now, before); 0 for another task or aspect."""
    cosine = cosines([c.profile for c in now], [c.profile for c in before])
    kinds_now, kinds_before = [(c.task, c.aspect) for c in now], [(c.task, c.aspect) for c in before]
    same = np.array([[kind == other for other in kinds_before] for kind in kinds_now], dtype=bool)
    return np.where(same.reshape(cosine.shape), cosine, 0.0)


def _renamed(
    categories: Sequence[NightCategory], matched: Mapping[str, TrackedCategory], tracked: Iterable[TrackedCategory]
) -> dict[str, NightCategory]:
    """The categories with the ids, names and sentences that they keep, by signature.

    No new one gets the name of a tracked one.
    """
    ids = {c.id: matched[c.id].category.id if c.id in matched else c.id for c in categories}
    taken = {c.category.name for c in tracked}
    renamed = {}
    for category in categories:
        old = matched[category.id].category if category.id in matched else None
        now = replace(category, id=ids[category.id], parent=ids.get(category.parent or "", category.parent))
        if old is not None and (old.named_by != TEMPLATE or category.named_by == TEMPLATE):
            now = replace(now, name=old.name, sentence=old.sentence, named_by=old.named_by)
        elif old is None or category.name != old.name:
            now = replace(now, name=_unique_name(category, taken))
        taken.add(now.name)
        renamed[category.id] = now
    return renamed


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
