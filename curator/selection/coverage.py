"""Regions of the cases and their picks, and the cases that are far from all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curator.selection.constraints import nearest_cosine

OUTLIERS = "outliers"
_NEIGHBOURS = 5
_REFERENCE = 4000  # cases to search neighbours among: the same for every case, so that distances are comparable
_FAR = 0.9  # the quantile of isolation above which a case is an outlier
_ROUNDING = 1e-5
_CASES_PER_CELL = 20
_MAX_CELLS = 50
_PER_CELL = 200

Kind = Literal["category", "cell", "outliers"]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the cases with a vector.

    Attributes:
        name: the category, `like ID` for a k-means cell (the id is its most central case), or `outliers`.
        kind: the source of the region.
        cases: their number.
        share: of all cases with a vector, in 0..1.
        picks: the number of picks in it; 0 is a blind spot of the selection.
        evidence: the reason for the region in words; empty for categories and cells.
        case_ids: the most central cases first; in `outliers` the most isolated first.
    """

    name: str
    kind: Kind
    cases: int
    share: float
    picks: int
    evidence: str
    case_ids: tuple[str, ...]


def isolation(vectors: NDArray[np.float32], labelled: NDArray[np.float32], *, seed: int) -> NDArray[np.float32]:
    """The distance of each vector from the others and from the labelled ones, (n,).

    0 is near, 1 far. It is 1 less the mean cosine with the five nearest others, or 1 less the cosine with the nearest labelled one where
    that is nearer. Neighbours are searched among at most 4,000 cases, which the seed draws.

    Args:
        vectors: unit vectors, (n, d).
        labelled: unit vectors of cases labelled earlier, (m, d).
        seed: of the draw.
    """
    n = len(vectors)
    if n < 2:
        return np.ones(n, dtype=np.float32)
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[:_REFERENCE])
    reference = vectors[chosen]
    count = min(_NEIGHBOURS, len(chosen) - 1)
    distance = np.empty(n, dtype=np.float32)
    place_in_reference = np.full(n, -1)
    place_in_reference[chosen] = np.arange(len(chosen))
    for start in range(0, n, 1024):
        cosine = vectors[start : start + 1024] @ reference.T
        rows = np.flatnonzero(place_in_reference[start : start + 1024] >= 0)
        cosine[rows, place_in_reference[start + rows]] = -1.0  # a case is not its own neighbour
        distance[start : start + 1024] = 1 - np.partition(cosine, -count, axis=1)[:, -count:].mean(axis=1)
    return np.clip(np.minimum(distance, 1 - nearest_cosine(vectors, labelled)), 0.0, 1.0).astype(np.float32)


def far(isolated: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark the most isolated tenth of the cases, (n,); none where all are equally isolated."""
    if not len(isolated):
        return np.zeros(0, dtype=bool)
    return isolated > np.quantile(isolated, _FAR) + _ROUNDING


def regions(
    ids: Sequence[str],
    vectors: NDArray[np.float32],
    picked: Sequence[int],
    isolated: NDArray[np.float32],
    *,
    categories: Mapping[str, str],
    seed: int,
) -> tuple[Region, ...]:
    """The regions of n cases, the largest first; `outliers`, which overlap the others, last.

    Args:
        ids: of the cases.
        vectors: unit vectors, (n, d).
        picked: the places of the picks.
        isolated: see `isolation`, (n,).
        categories: by case id; where there are none, k-means cells replace them.
        seed: of the k-means.
    """
    if not ids:
        return ()
    named = any(categories.get(i) for i in ids)
    labels = [categories.get(i) or "no category" for i in ids] if named else _cells(vectors, seed=seed)
    all_regions: list[Region] = []
    label_of = np.asarray(labels)
    for label in np.unique(label_of):
        places = np.flatnonzero(label_of == label)
        centre = vectors[places].mean(axis=0)
        places = places[np.argsort(-(vectors[places] @ centre), kind="stable")]
        name = str(label) if named else f"like {ids[int(places[0])]}"
        all_regions.append(_region(name, "category" if named else "cell", "", places, ids, picked))
    all_regions.sort(key=lambda region: (-region.cases, region.name))
    outlying = np.flatnonzero(far(isolated))
    if len(outlying):
        outlying = outlying[np.argsort(-isolated[outlying], kind="stable")]
        nearest, median = 1 - float(isolated[outlying].min()), 1 - float(np.median(isolated))
        evidence = f"mean cosine with the nearest cases at most {nearest:.2f}; the median case has {median:.2f}"
        all_regions.append(_region(OUTLIERS, "outliers", evidence, outlying, ids, picked))
    return tuple(all_regions)


def _region(
    name: str, kind: Kind, evidence: str, places: NDArray[np.int64], ids: Sequence[str], picked: Sequence[int]
) -> Region:
    members = tuple(ids[int(place)] for place in places)
    picks = int(np.isin(places, np.asarray(picked, dtype=np.int64)).sum())
    return Region(name, kind, len(members), len(members) / len(ids), picks, evidence, members)


def _cells(vectors: NDArray[np.float32], *, seed: int) -> list[int]:
    sample = np.sort(np.random.default_rng(seed).permutation(len(vectors))[: _MAX_CELLS * _PER_CELL])
    count = min(len(vectors) // _CASES_PER_CELL, _MAX_CELLS, len(np.unique(vectors[sample], axis=0)))
    if count <= 1:
        return [0] * len(vectors)
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(count, n_init=1, random_state=seed, batch_size=1024).fit(vectors[sample])
    return [int(label) for label in model.predict(vectors)]
