"""Keeps categories the same from night to night: one whose centre holds keeps its id and its name.

A night's clusters are matched one to one to the known categories so that the sum of the cosines of their centres is the
largest (Kuhn 1955, as `scipy.optimize.linear_sum_assignment` solves it). Centres are matched from `SAME_CENTRE` on. Of a
category that fell apart the part nearest to its old centre keeps the id, the others are new and say what they are split
from; of categories that became one, the id of the larger one stays. What is not seen is kept for `NIGHTS_KEPT` nights,
in case it comes back; no id is given twice.
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

SAME_CENTRE = 0.75
"""The least cosine of the centres of one category. With two nights drawn from BANKING77 and CLINC150 (500 or 1,000
questions of 40 or 80 intents each) .75 matched .85-.97 of the pairs rightly, and .87-.96 of the intents that both nights
had as a category; .65 .70-.96 and .83-.98, .85 .89-.97 and .74-.85 (`benchmarks/selection/clustering.py`)."""
NIGHTS_KEPT = 30
OTHER_ENCODER = (
    "the categories of earlier nights are of another encoder, so that their centres cannot be compared: all categories"
    " are new ones"
)


@dataclass(frozen=True, slots=True)
class Centre:
    """The middle of a night's cluster: a unit vector (d,), the mean cosine distance of its cases to it, and their number."""

    centroid: NDArray[np.float32]
    radius: float
    size: int


@dataclass(frozen=True, slots=True)
class KnownCategory:
    """A category as it was last seen; nights count from 1, and `centroid` (d,) is the mean of its nights' centres."""

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
class Memory:
    """What is known after a night.

    Attributes:
        encoder: of the centroids; those of another one cannot be compared.
        night: the number of nights so far.
        key: names the night's cases: a night that is run again has the same one.
        cases: how many cases were clustered that night.
        next_number: of the next new category.
        categories: those that were seen in one of the last `NIGHTS_KEPT` nights, in order of their numbers.
    """

    encoder: str
    night: int
    key: str
    cases: int
    next_number: int
    categories: tuple[KnownCategory, ...]

    @property
    def names(self) -> dict[str, str]:
        """The name of each known category, by id."""
        return {category.id: category.name for category in self.categories}


@dataclass(frozen=True, slots=True)
class Followed:
    """A night's clusters beside what was known, in order of their labels.

    Attributes:
        ids: the id of each cluster.
        known: the category that it is; None for a new one.
        changes: what happened to it since the night before; None where there is none to compare with.
        gone: what was seen the night before and is not any more.
    """

    ids: tuple[str, ...]
    known: tuple[KnownCategory | None, ...]
    changes: tuple[CategoryChange | None, ...]
    gone: tuple[GoneCategory, ...]


def night_key(case_ids: Iterable[str]) -> str:
    """Names a night by its cases, whatever their order: the same logs run again are the same night."""
    return hashlib.sha256("\n".join(sorted(case_ids)).encode()).hexdigest()[:16]


def centres(vectors: NDArray[np.float32], found: Clustering) -> tuple[Centre, ...]:
    """The centre of each cluster, in order of its label; vectors (n, d) are of unit length."""
    made = []
    for label in range(int(found.labels.max(initial=NOISE)) + 1):
        members = found.labels == label
        mean = vectors[members].mean(axis=0)
        radius = 1.0 - float(found.typicality[members].mean())
        made.append(Centre(_unit(mean), radius, int(members.sum())))
    return tuple(made)


def comparable(memory: Memory | None, encoder: str) -> bool:
    """Whether the known centroids are of this encoder; True where nothing is known."""
    return memory is None or memory.encoder == encoder


def follow(memory: Memory | None, found: Sequence[Centre], *, encoder: str, cases: int) -> Followed:
    """Match a night's clusters to the known categories.

    Args:
        memory: what is known after the night before; None on the first one.
        found: the night's clusters.
        encoder: of their centres; with another one than the memory's nothing is matched.
        cases: how many cases were clustered.
    """
    known = memory.categories if memory and comparable(memory, encoder) else ()
    cosine = _cosines(found, known)
    recent = [old for old, c in enumerate(known) if memory and c.last_night == memory.night]
    chosen = _larger_stays(matches(cosine), cosine, known, recent)
    number = memory.next_number if memory else 1
    ids: list[str] = []
    changes: list[CategoryChange | None] = []
    for place, centre in enumerate(found):
        old = chosen.get(place)
        ids.append(known[old].id if old is not None else f"category-{number:02d}")
        number += old is None
        changes.append(_change(memory, centre, known, old, _near(cosine[place]), chosen, cases) if known else None)
    into = {
        known[old].id: ids[int(cosine[:, old].argmax())]
        for old in recent
        if len(found) and old not in chosen.values() and cosine[:, old].max() >= SAME_CENTRE
    }
    changes = [
        c and replace(c, merged=tuple(i for i, to in into.items() if to == id_))
        for c, id_ in zip(changes, ids, strict=True)
    ]
    taken = set(chosen.values())
    gone = tuple(
        GoneCategory(known[old].id, known[old].name, known[old].size, into.get(known[old].id))
        for old in recent
        if old not in taken
    )
    matched = tuple(known[chosen[place]] if place in chosen else None for place in range(len(found)))
    return Followed(tuple(ids), matched, tuple(changes), gone)


def remember(  # noqa: PLR0913  one argument for each thing that is remembered
    memory: Memory | None,
    followed: Followed,
    found: Sequence[Centre],
    categories: Sequence[Category],
    *,
    encoder: str,
    key: str,
    cases: int,
    date: str,
) -> Memory:
    """What is known after the night: `categories` are its clusters with their names, in the same order."""
    night = (memory.night if memory else 0) + 1
    seen = [
        KnownCategory(
            id=category.id, name=category.name, keywords=category.keywords,
            centroid=_unit(old.centroid + centre.centroid) if old else centre.centroid,
            radius=centre.radius, size=centre.size,
            first_night=old.first_night if old else night, last_night=night, nights=old.nights + 1 if old else 1,
            first_seen=old.first_seen if old else date, last_seen=date,
        )
        for category, old, centre in zip(categories, followed.known, found, strict=True)
    ]  # fmt: skip
    before = memory.categories if memory and comparable(memory, encoder) else ()
    ids = {category.id for category in seen}
    kept = [c for c in before if c.id not in ids and c.last_night > night - NIGHTS_KEPT]
    new = sum(old is None for old in followed.known)
    number = (memory.next_number if memory else 1) + new
    ordered = sorted([*seen, *kept], key=lambda c: (len(c.id), c.id))
    return Memory(encoder, night, key, cases, number, tuple(ordered))


def _cosines(found: Sequence[Centre], known: Sequence[KnownCategory]) -> NDArray[np.float64]:
    """The cosine of each cluster's centre to each known one: (clusters, known)."""
    if not found or not known:
        return np.zeros((len(found), len(known)))
    now, before = np.stack([c.centroid for c in found]), np.stack([c.centroid for c in known])
    return np.asarray(now.astype(np.float64) @ before.astype(np.float64).T)


def matches(cosine: NDArray[np.float64], least: float = SAME_CENTRE) -> dict[int, int]:
    """The known category of each cluster that has one, by their places in the rows and columns of the cosines."""
    from scipy.optimize import linear_sum_assignment

    gain = np.where(cosine >= least, cosine, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if gain[r, c] > 0}


def _larger_stays(
    chosen: dict[int, int], cosine: NDArray[np.float64], known: Sequence[KnownCategory], recent: Sequence[int]
) -> dict[int, int]:
    """The same, with the largest one where several categories of the night before are nearest to one cluster.

    One that is older has merged already, or is gone: by the size that it had then it would take the id back.
    """
    settled = dict(chosen)
    for old in sorted(set(recent) - set(chosen.values()), key=lambda o: (known[o].size, known[o].id)):
        place = int(cosine[:, old].argmax()) if len(cosine) else -1
        if place in settled and cosine[place, old] >= SAME_CENTRE and known[old].size > known[settled[place]].size:
            settled[place] = old
    return settled


def _near(cosine: NDArray[np.float64]) -> int | None:
    """The known category that is nearest to a cluster, if it is near enough."""
    return int(cosine.argmax()) if len(cosine) and cosine.max() >= SAME_CENTRE else None


def _change(
    memory: Memory | None,
    centre: Centre,
    known: Sequence[KnownCategory],
    old: int | None,
    near: int | None,
    chosen: dict[int, int],
    cases: int,
) -> CategoryChange | None:
    if memory is None:
        return None
    if old is None:
        split = known[near].id if near is not None and near in chosen.values() else None
        return CategoryChange("new", None, 1, split)
    before = known[old]
    if before.last_night < memory.night:
        return CategoryChange("back", None, before.nights + 1)
    return CategoryChange(_trend(before.size, memory.cases, centre.size, cases), before.size, before.nights + 1)


def _trend(before: int, of_before: int, now: int, of_now: int) -> Trend:
    """Whether the share of the clustered cases is another one by more than chance explains (two shares, 95%)."""
    pooled = (before + now) / (of_before + of_now)
    margin = NORMAL_QUANTILE_95 * math.sqrt(pooled * (1 - pooled) * (1 / of_before + 1 / of_now))
    difference = now / of_now - before / of_before
    if abs(difference) <= margin:
        return "steady"
    return "grew" if difference > 0 else "shrank"


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)
