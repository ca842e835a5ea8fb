"""Tracking: a category keeps its id and name from night to night while its centroid holds.

A night's clusters are matched one to one to the tracked categories so that the sum of the cosines of their centroids is
maximal (Kuhn 1955, as `scipy.optimize.linear_sum_assignment` solves it); only cosines from `SAME_CENTROID` count. If a
category splits, the part nearest to its old centroid keeps the id; the others are new and name the category they split
from. If categories merge, the id of the largest one stays. A category that is not seen is kept for `NIGHTS_KEPT` nights, in
case it comes back. No id is given twice.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from curator.clustering.cluster import NOISE, Clustering
from curator.records import Category, CategoryChange, GoneCategory, Trend
from curator.stats import NORMAL_QUANTILE_95

SAME_CENTROID = 0.75
"""The minimum cosine of the centroids of one category. With two nights drawn from BANKING77 and CLINC150 (500 or 1,000
questions of 40 or 80 intents each) .75 matched .85-.97 of the pairs rightly, and .87-.96 of the intents that both nights
had as a category; .65 .70-.96 and .83-.98, .85 .89-.97 and .74-.85 (`benchmarks/selection/clustering.py`)."""
NIGHTS_KEPT = 30
OTHER_ENCODER = (
    "the categories of earlier nights were made with another encoder, so their centroids cannot be compared: all"
    " categories are new"
)


@dataclass(frozen=True, slots=True)
class Centroid:
    """The centre of a night's cluster.

    Attributes:
        vector: of unit length, (d,).
        radius: the mean cosine distance of the cases to it.
        size: the number of cases.
    """

    vector: NDArray[np.float32]
    radius: float
    size: int


@dataclass(frozen=True, slots=True)
class TrackedCategory:
    """A category as it was last seen.

    Nights count from 1. `centroid`, (d,), is the running mean of its nights' centroids.
    """

    id: str
    name: str
    keywords: tuple[str, ...]
    centroid: NDArray[np.float32]
    radius: float
    size: int
    first_night: int
    last_night: int
    nights: int
    first_seen: str
    last_seen: str


@dataclass(frozen=True, slots=True)
class CategoryHistory:
    """The tracked categories after a night.

    Attributes:
        encoder: of the centroids; those of another encoder cannot be compared.
        night: the number of nights so far.
        key: names the night's cases; a night that is run again has the same key.
        cases: the number of cases clustered in that night.
        next_number: of the next new category.
        categories: those seen in one of the last `NIGHTS_KEPT` nights, in order of their numbers.
    """

    encoder: str
    night: int
    key: str
    cases: int
    next_number: int
    categories: tuple[TrackedCategory, ...]

    @property
    def names(self) -> dict[str, str]:
        """The name of each tracked category, by id."""
        return {category.id: category.name for category in self.categories}


@dataclass(frozen=True, slots=True)
class CategoryMatches:
    """A night's clusters matched to the history, in order of their labels.

    Attributes:
        ids: the id of each cluster.
        matched: the category that each cluster is; None for a new one.
        changes: of each cluster since the night before; None on the first night.
        gone: categories that were seen the night before and are not seen now.
    """

    ids: tuple[str, ...]
    matched: tuple[TrackedCategory | None, ...]
    changes: tuple[CategoryChange | None, ...]
    gone: tuple[GoneCategory, ...]


def night_key(case_ids: Iterable[str]) -> str:
    """The key of a night, from its cases in any order: the same cases have the same key."""
    return hashlib.sha256("\n".join(sorted(case_ids)).encode()).hexdigest()[:16]


def centroids(vectors: NDArray[np.float32], clustering: Clustering) -> tuple[Centroid, ...]:
    """The centroid of each cluster of n unit vectors, (n, d), in order of its label."""
    of_clusters = []
    for label in range(int(clustering.labels.max(initial=NOISE)) + 1):
        members = clustering.labels == label
        mean = vectors[members].mean(axis=0)
        radius = 1.0 - float(clustering.typicality[members].mean())
        of_clusters.append(Centroid(_unit(mean), radius, int(members.sum())))
    return tuple(of_clusters)


def comparable(history: CategoryHistory | None, encoder: str) -> bool:
    """True where the tracked centroids are of this encoder, or nothing is tracked."""
    return history is None or history.encoder == encoder


def match_categories(
    history: CategoryHistory | None, clusters: Sequence[Centroid], *, encoder: str, cases: int
) -> CategoryMatches:
    """Match a night's clusters to the tracked categories.

    Args:
        history: after the night before; None on the first night.
        clusters: of this night.
        encoder: of their centroids; nothing is matched if the history has another one.
        cases: the number of cases clustered.
    """
    tracked = history.categories if history and comparable(history, encoder) else ()
    cosine = _cosines(clusters, tracked)
    recent = [old for old, c in enumerate(tracked) if history and c.last_night == history.night]
    chosen = _larger_stays(match_centroids(cosine), cosine, tracked, recent)
    number = history.next_number if history else 1
    ids: list[str] = []
    changes: list[CategoryChange | None] = []
    for place, cluster in enumerate(clusters):
        old = chosen.get(place)
        ids.append(tracked[old].id if old is not None else f"category-{number:02d}")
        number += old is None
        near = _near(cosine[place])
        changes.append(_change(history, cluster, tracked, old, near, chosen, cases) if tracked else None)
    into = {
        tracked[old].id: ids[int(cosine[:, old].argmax())]
        for old in recent
        if len(clusters) and old not in chosen.values() and cosine[:, old].max() >= SAME_CENTROID
    }
    changes = [
        c and replace(c, merged=tuple(i for i, to in into.items() if to == id_))
        for c, id_ in zip(changes, ids, strict=True)
    ]
    taken = set(chosen.values())
    gone = tuple(
        GoneCategory(tracked[old].id, tracked[old].name, tracked[old].size, into.get(tracked[old].id))
        for old in recent
        if old not in taken
    )
    matched = tuple(tracked[chosen[place]] if place in chosen else None for place in range(len(clusters)))
    return CategoryMatches(tuple(ids), matched, tuple(changes), gone)


def update_history(  # noqa: PLR0913  one argument for each part of the history
    history: CategoryHistory | None,
    matches: CategoryMatches,
    clusters: Sequence[Centroid],
    categories: Sequence[Category],
    *,
    encoder: str,
    key: str,
    cases: int,
    date: str,
) -> CategoryHistory:
    """The history after the night; `categories` are its named clusters, in the same order."""
    night = (history.night if history else 0) + 1
    seen = [
        TrackedCategory(
            id=category.id, name=category.name, keywords=category.keywords,
            centroid=_unit(old.centroid + cluster.vector) if old else cluster.vector,
            radius=cluster.radius, size=cluster.size,
            first_night=old.first_night if old else night, last_night=night, nights=old.nights + 1 if old else 1,
            first_seen=old.first_seen if old else date, last_seen=date,
        )
        for category, old, cluster in zip(categories, matches.matched, clusters, strict=True)
    ]  # fmt: skip
    before = history.categories if history and comparable(history, encoder) else ()
    ids = {category.id for category in seen}
    kept = [c for c in before if c.id not in ids and c.last_night > night - NIGHTS_KEPT]
    new = sum(old is None for old in matches.matched)
    number = (history.next_number if history else 1) + new
    ordered = sorted([*seen, *kept], key=lambda c: (len(c.id), c.id))
    return CategoryHistory(encoder, night, key, cases, number, tuple(ordered))


def _cosines(clusters: Sequence[Centroid], tracked: Sequence[TrackedCategory]) -> NDArray[np.float64]:
    """The cosine of each cluster's centroid with each tracked one, (clusters, tracked)."""
    if not clusters or not tracked:
        return np.zeros((len(clusters), len(tracked)))
    now, before = np.stack([c.vector for c in clusters]), np.stack([c.centroid for c in tracked])
    return np.asarray(now.astype(np.float64) @ before.astype(np.float64).T)


def match_centroids(cosine: NDArray[np.float64], least: float = SAME_CENTROID) -> dict[int, int]:
    """The column matched to each row of the cosines, at most one each; not every row has one."""
    from scipy.optimize import linear_sum_assignment

    gain = np.where(cosine >= least, cosine, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if gain[r, c] > 0}


def _larger_stays(
    chosen: dict[int, int], cosine: NDArray[np.float64], tracked: Sequence[TrackedCategory], recent: Sequence[int]
) -> dict[int, int]:
    """The matches, with the largest category where several merged into one cluster.

    Only categories of the night before count. An older one has merged already, or is gone; by its old size it would take the
    id back.
    """
    matches = dict(chosen)
    for old in sorted(set(recent) - set(chosen.values()), key=lambda o: (tracked[o].size, tracked[o].id)):
        place = int(cosine[:, old].argmax()) if len(cosine) else -1
        if (
            place in matches
            and cosine[place, old] >= SAME_CENTROID
            and tracked[old].size > tracked[matches[place]].size
        ):
            matches[place] = old
    return matches


def _near(cosine: NDArray[np.float64]) -> int | None:
    """The tracked category nearest to a cluster; None where none is near enough."""
    return int(cosine.argmax()) if len(cosine) and cosine.max() >= SAME_CENTROID else None


def _change(
    history: CategoryHistory | None,
    cluster: Centroid,
    tracked: Sequence[TrackedCategory],
    old: int | None,
    near: int | None,
    chosen: dict[int, int],
    cases: int,
) -> CategoryChange | None:
    if history is None:
        return None
    if old is None:
        split = tracked[near].id if near is not None and near in chosen.values() else None
        return CategoryChange("new", None, 1, split)
    before = tracked[old]
    if before.last_night < history.night:
        return CategoryChange("back", None, before.nights + 1)
    return CategoryChange(_trend(before.size, history.cases, cluster.size, cases), before.size, before.nights + 1)


def _trend(before: int, of_before: int, now: int, of_now: int) -> Trend:
    """The trend of a category's share of the clustered cases: a two-proportion test at 95%."""
    pooled = (before + now) / (of_before + of_now)
    margin = NORMAL_QUANTILE_95 * math.sqrt(pooled * (1 - pooled) * (1 / of_before + 1 / of_now))
    difference = now / of_now - before / of_before
    if abs(difference) <= margin:
        return "steady"
    return "grew" if difference > 0 else "shrank"


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)
