"""The match of a night's categories with the tracked ones, and the change of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from curator.clustering.night_changes import Counts, Size, fading_of, trend_of
from curator.clustering.profiles import cosines
from curator.clustering.tracked_categories import CategoryHistory, NightCategory, Role, TrackedCategory, roles
from curator.records import CategoryChange, Fading, GoneCategory

SAME_PROFILE = 0.5
"""The minimum cosine of the profiles of one category. Three nights of four made-up domains had 28 pairs of categories of one
planted mode without an id in common, and 39 of two modes: .65 of the former have at least .5, and none of the latter .3
(`benchmarks/clustering/nights.py`). A category that is wrongly matched gets the name of another failure; one that is not
matched only gets a new id."""


class NightMatching:
    """The categories of a night by signature, and the tracked ones that they are.

    Attributes:
        categories: of the night, with ids of this night alone.
        tracked: the categories of the history.
        roles: of the categories.
        chosen: the place of the tracked category, by that of this night's category.
    """

    def __init__(
        self, categories: Iterable[NightCategory], history: CategoryHistory | None, shown: Mapping[str, int]
    ) -> None:
        self._history = history
        self._shown = shown
        self.categories = sorted(categories, key=lambda c: c.id)
        self.tracked = history.categories if history else ()
        self.roles = roles(self.categories)
        self._recent = [place for place, c in enumerate(self.tracked) if history and c.last_night == history.night]
        self._cosine = _comparable_cosines(self.categories, self.roles, self.tracked)
        exact = self._exact()
        chosen = exact | self._similar(exact)
        self.chosen = self._larger_stays(chosen, movable=chosen.keys() - exact.keys())
        self._taken = frozenset(self.chosen.values())

    def matched(self) -> dict[str, TrackedCategory]:
        """Return the tracked category of each category that has one, by signature."""
        return {self.categories[place].id: self.tracked[old] for place, old in self.chosen.items()}

    def changes(self, kept: Mapping[str, NightCategory], counts: Counts) -> dict[str, CategoryChange | None]:
        """Return the change of each category, by signature; `kept` has the ids that they keep."""
        into = self._mergers(kept)
        return {c.id: self._change(place, kept[c.id], kept, into, counts) for place, c in enumerate(self.categories)}

    def gone(self, kept: Mapping[str, NightCategory], counts: Counts) -> tuple[GoneCategory, ...]:
        """Return the categories of the night before that are gone, the largest first.

        Topics of a category come and go with the wording of the inputs, and joined ones with the number of categories: those
        do not count, and these only if all their parts are gone. A part counts only if its loss is significant and its
        parent is not gone itself.
        """
        if self._history is None:
            return ()
        into, lost = self._mergers(kept), []
        lost_ids = {self.tracked[place].category.id for place in self._recent if place not in self._taken}
        alive = {self.tracked[place].category.parent for place in self._taken}
        for place in self._recent:
            old, role = self.tracked[place].category, self.tracked[place].role
            if place in self._taken or role == "topic" or old.id in alive:
                continue
            part_of = into.get(place)
            fading = None if part_of else self._fading(self.tracked[place], 0, counts)
            whole = old.parent in lost_ids and old.parent not in alive
            if old.parent is None or (fading and not whole):
                lost.append(GoneCategory(old.id, old.name, old.cases, part_of, fading))
        return tuple(sorted(lost, key=lambda c: (-c.before, c.id)))

    def _exact(self) -> dict[int, int]:
        """Return the matches by the tracked id, else by the signature of the last night."""
        by_id = {c.category.id: place for place, c in enumerate(self.tracked)}
        exact = {i: by_id[c.id] for i, c in enumerate(self.categories) if c.id in by_id}
        taken = set(exact.values())
        by_signature = {c.signature: place for place, c in enumerate(self.tracked) if place not in taken}
        return exact | {
            i: by_signature[c.id] for i, c in enumerate(self.categories) if i not in exact and c.id in by_signature
        }

    def _similar(self, exact: Mapping[int, int]) -> dict[int, int]:
        """Return the best one-to-one matches by profile of the others."""
        rows = [i for i in range(len(self.categories)) if i not in exact]
        taken = set(exact.values())
        columns = [place for place in range(len(self.tracked)) if place not in taken]
        pairs = _assign(self._cosine[np.ix_(rows, columns)])
        return {rows[row]: columns[column] for row, column in pairs.items()}

    def _larger_stays(self, chosen: Mapping[int, int], movable: Iterable[int]) -> dict[int, int]:
        """Return the matches, with the largest category where several merged into one.

        Only categories of the night before count. An older one has merged already, or is gone; by its old size it would
        take the id back.
        """
        matches, movable = dict(chosen), set(movable)
        size = [c.category.cases for c in self.tracked]
        unmatched = set(self._recent) - set(chosen.values())
        for old in sorted(unmatched, key=lambda o: (size[o], self.tracked[o].category.id)):
            place = _nearest(self._cosine[:, old])
            if place in movable and size[old] > size[matches[place]]:
                matches[place] = old
        return matches

    def _mergers(self, kept: Mapping[str, NightCategory]) -> dict[int, str]:
        """Return the id of the category that each lost one is a part of now, by its place."""
        places = {old: _nearest(self._cosine[:, old]) for old in self._recent if old not in self._taken}
        into = {old: kept[self.categories[place].id].id for old, place in places.items() if place is not None}
        return {old: id_ for old, id_ in into.items() if id_ != self.tracked[old].category.parent}

    def _change(
        self,
        place: int,
        category: NightCategory,
        kept: Mapping[str, NightCategory],
        into: Mapping[int, str],
        counts: Counts,
    ) -> CategoryChange | None:
        if self._history is None:
            return None
        merged = [self.tracked[old].category.id for old, id_ in into.items() if id_ == category.id]
        if place not in self.chosen:
            merged += self._joined(category, kept)
            split = self._split_from(place, category)
            return CategoryChange("new", None, 1, split, tuple(sorted(merged)), now=category.cases)
        old = self.tracked[self.chosen[place]]
        change = CategoryChange(
            "back", None, old.nights + 1, None, tuple(sorted(merged)), category.cases, None,
            old.category.name if old.category.name != category.name else None,
        )  # fmt: skip
        if old.last_night < self._history.night:
            return change
        before, of_before = old.category, self._history.counts
        trend = trend_of(before.records, of_before, category.records, counts)
        fading = self._fading(old, category.cases, counts) if trend == "shrank" else None
        return replace(change, trend=trend, before=before.cases, fading=fading)

    def _fading(self, old: TrackedCategory, cases: int, counts: Counts) -> Fading | None:
        """Return the reason why a category has only so many cases now.

        A topic may have fewer inputs, and a joined category fewer parts, which says nothing of the reason; it has that of its
        parts if all of them are gone.
        """
        if self._history is None or old.role == "topic" or (old.role == "joined" and cases):
            return None
        category = old.category
        recent = (self.tracked[place] for place in self._recent)
        modes = [old] if old.role == "mode" else [c for c in recent if c.category.parent == category.id]
        now = Size(cases, sum(self._shown.get(mode.signature, cases) for mode in modes))
        before = Size(category.cases, sum(mode.shown for mode in modes))
        return fading_of(category.task, before, self._history.counts, now, counts)

    def _joined(self, category: NightCategory, kept: Mapping[str, NightCategory]) -> list[str]:
        """Return the ids of the parts of a new category that were categories of the night before."""
        parts = (place for place, c in enumerate(self.categories) if kept[c.id].parent == category.id)
        before = {kept[self.categories[p].id].id: self.chosen[p] for p in parts if p in self.chosen}
        return [id_ for id_, old in before.items() if old in self._recent]

    def _split_from(self, place: int, category: NightCategory) -> str | None:
        """Return the id of the category of this night that had the cases of a new one before."""
        old = _nearest(self._cosine[place])
        if old is None or old not in self._taken:
            return None
        id_ = self.tracked[old].category.id
        return id_ if id_ != category.parent else None


def _comparable_cosines(
    now: Sequence[NightCategory], of_now: Mapping[str, Role], before: Sequence[TrackedCategory]
) -> NDArray[np.float64]:
    """Return the cosine of the profiles, (now, before).

    It is 0 for another task, aspect or role, and for topics: the profile of a topic is that of its parent but for one word.
    """
    cosine = cosines([c.profile for c in now], [c.category.profile for c in before])
    rows = [(c.task, c.aspect, of_now[c.id]) for c in now]
    columns = [(c.category.task, c.category.aspect, c.role) for c in before]
    same = [[row == column and row[2] != "topic" for column in columns] for row in rows]
    return np.where(np.array(same, dtype=bool).reshape(cosine.shape), cosine, 0.0)


def _assign(cosine: NDArray[np.float64]) -> dict[int, int]:
    """Return the column matched to each row of the cosines, for the rows that have one."""
    from scipy.optimize import linear_sum_assignment

    gain = np.where(cosine >= SAME_PROFILE, cosine, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if gain[r, c] > 0}


def _nearest(cosine: NDArray[np.float64]) -> int | None:
    """Return the place of the highest cosine; None where none is high enough."""
    return int(cosine.argmax()) if len(cosine) and cosine.max() >= SAME_PROFILE else None
