"""What the picks stand for: regions of the cases, those without a pick, and the cases far from all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curator.selection.constraints import nearest_cosine

OUTLIERS = "outliers"
_NEIGHBOURS = 5
_REFERENCE = 4000
"""Cases among which neighbours are looked for. The same number for every case, so that distances compare."""
_FAR = 0.9
"""The quantile of isolation from which on a case counts as an outlier."""
_ROUNDING = 1e-5
_CASES_PER_CELL = 20
_MOST_CELLS = 50
_PER_CELL = 200

Kind = Literal["category", "cell", "outliers"]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the cases with a vector.

    Attributes:
        name: the category, `like ID` for a k-means cell (its most central case), or `outliers`.
        kind: where the region comes from.
        cases: how many they are.
        share: of all cases with a vector, in 0..1.
        picks: how many of the picks are in it; 0 is a blind spot of this discovery.
        evidence: in words, what makes it a region, where that is not plain.
        case_ids: the cases, the most central ones first, or the farthest ones in `outliers`.
    """

    name: str
    kind: Kind
    cases: int
    share: float
    picks: int
    evidence: str
    case_ids: tuple[str, ...]


def isolation(vectors: NDArray[np.float32], known: NDArray[np.float32], *, seed: int) -> NDArray[np.float32]:
    """(n,) how far each of n unit vectors, (n, d), is from the others and from known ones, (m, d): 0 close to 1 far.

    1 less the mean cosine with the five nearest of (at most 4,000, drawn by the seed) others, or 1 less the cosine with
    the nearest known one where that is nearer.
    """
    n = len(vectors)
    if n < 2:
        return np.ones(n, dtype=np.float32)
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[:_REFERENCE])
    reference = vectors[chosen]
    count = min(_NEIGHBOURS, len(chosen) - 1)
    found = np.empty(n, dtype=np.float32)
    own = np.full(n, -1)
    own[chosen] = np.arange(len(chosen))
    for start in range(0, n, 1024):
        cosine = vectors[start : start + 1024] @ reference.T
        rows = np.flatnonzero(own[start : start + 1024] >= 0)
        cosine[rows, own[start + rows]] = -1.0
        found[start : start + 1024] = 1 - np.partition(cosine, -count, axis=1)[:, -count:].mean(axis=1)
    return np.clip(np.minimum(found, 1 - nearest_cosine(vectors, known)), 0.0, 1.0).astype(np.float32)


def far(isolated: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) which cases are farther from the others than nine tenths of all: none where all are equally far."""
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
    """The regions of n cases, the largest ones first and `outliers`, which lie in the others as well, last.

    Args:
        ids: of the cases.
        vectors: unit vectors, (n, d).
        picked: the places of the picks.
        isolated: see `isolation`, (n,).
        categories: by case id; where there are none, k-means cells stand in.
        seed: of the k-means.
    """
    if not ids:
        return ()
    named = any(categories.get(i) for i in ids)
    labels = [categories.get(i) or "no category" for i in ids] if named else _cells(vectors, seed=seed)
    found: list[Region] = []
    label_of = np.asarray(labels)
    for label in np.unique(label_of):
        places = np.flatnonzero(label_of == label)
        centre = vectors[places].mean(axis=0)
        places = places[np.argsort(-(vectors[places] @ centre), kind="stable")]
        name = str(label) if named else f"like {ids[int(places[0])]}"
        found.append(_region(name, "category" if named else "cell", "", places, ids, picked))
    found.sort(key=lambda region: (-region.cases, region.name))
    outlying = np.flatnonzero(far(isolated))
    if len(outlying):
        outlying = outlying[np.argsort(-isolated[outlying], kind="stable")]
        least, usual = 1 - float(isolated[outlying].min()), 1 - float(np.median(isolated))
        evidence = f"mean cosine with the nearest cases at most {least:.2f}, the usual case {usual:.2f}"
        found.append(_region(OUTLIERS, "outliers", evidence, outlying, ids, picked))
    return tuple(found)


def _region(
    name: str, kind: Kind, evidence: str, places: NDArray[np.int64], ids: Sequence[str], picked: Sequence[int]
) -> Region:
    members = tuple(ids[int(place)] for place in places)
    picks = int(np.isin(places, np.asarray(picked, dtype=np.int64)).sum())
    return Region(name, kind, len(members), len(members) / len(ids), picks, evidence, members)


def _cells(vectors: NDArray[np.float32], *, seed: int) -> list[int]:
    sample = np.sort(np.random.default_rng(seed).permutation(len(vectors))[: _MOST_CELLS * _PER_CELL])
    count = min(len(vectors) // _CASES_PER_CELL, _MOST_CELLS, len(np.unique(vectors[sample], axis=0)))
    if count <= 1:
        return [0] * len(vectors)
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(count, n_init=1, random_state=seed, batch_size=1024).fit(vectors[sample])
    return [int(label) for label in model.predict(vectors)]
