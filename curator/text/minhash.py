"""Near-duplicate components by MinHash in bands, with exact checks of the candidates only.

A pair of Jaccard similarity s agrees on one of b bands of r rows with probability 1 - (1 - s^r)^b (Leskovec, Rajaraman,
Ullman, "Mining of Massive Datasets", 3.4). Signatures come from rensa, whose seeded hash is the same in every process.
Its LSH index is not used: it lists every candidate of every text at once, which is quadratic if thousands of texts are
similar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from curator.text.shingles import shingles

HEADS = 64
"""The texts per band key that others are compared with; more are rare, and a text has many bands."""

_MISSED = 1e-3
_CHUNK = 4096
_SEED = 7
_MIX = np.uint64(0x9E3779B97F4A7C15)


def components(
    texts: Sequence[str], similar: Callable[[int, int], bool], *, threshold: float, permutations: int
) -> list[list[int]]:
    """Connected components of the texts under `similar`, called for candidate pairs only.

    Args:
        texts: normalised texts.
        similar: the exact check of two texts, by their places i < j.
        threshold: the minimum Jaccard similarity of similar texts; fewer than 1 in 1,000 such pairs are missed.
        permutations: the length of the MinHash signatures.

    Returns:
        The members of each component in ascending order; components in order of their first member.
    """
    sets = _DisjointSets(len(texts))
    if len(texts) > 1:
        rows = rows_per_band(threshold, permutations)
        for band in bands(texts, rows=rows, permutations=permutations).T:
            for bucket in _buckets(band):
                _join(bucket, sets, similar)
    return sets.components()


def rows_per_band(threshold: float, permutations: int) -> int:
    """The most rows per band that miss at most 1 in 1,000 pairs at the threshold; at least 1."""
    rows = 1
    while rows < permutations:
        bands = permutations // (rows + 1)
        if (1.0 - threshold ** (rows + 1)) ** bands > _MISSED:
            break
        rows += 1
    return rows


def bands(texts: Sequence[str], *, rows: int, permutations: int) -> NDArray[np.uint64]:
    """One key per text and band, (n, permutations // rows), the same in every process.

    Colliding keys only cost an additional check.
    """
    from rensa import RMinHash

    count = permutations // rows
    keys = np.zeros((len(texts), count), dtype=np.uint64)
    for start in range(0, len(texts), _CHUNK):
        chunk = [list(shingles(text)) for text in texts[start : start + _CHUNK]]
        digests = np.array(RMinHash.digests_from_token_sets(chunk, permutations, _SEED), dtype=np.uint64)
        part = keys[start : start + _CHUNK]
        for row in range(rows):
            part *= _MIX
            part += digests[:, row : count * rows : rows]
    return keys


def _buckets(band: NDArray[np.uint64]) -> Iterator[list[int]]:
    """Yield the texts of each key that two or more share, ascending."""
    order = np.argsort(band, kind="stable")
    edges = np.flatnonzero(np.diff(band[order])) + 1
    starts, ends = np.append(0, edges), np.append(edges, len(band))
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        yield cast("list[int]", order[start:end].tolist())


def _join(bucket: list[int], sets: _DisjointSets, similar: Callable[[int, int], bool]) -> None:
    if len({sets.find(i) for i in bucket}) == 1:
        return
    heads = bucket[:HEADS]
    for place, i in enumerate(bucket):
        for head in heads[:place]:
            if sets.find(head) != sets.find(i) and similar(head, i):
                sets.union(head, i)


class _DisjointSets:
    """Union-find with path halving; the root of a set is its smallest member."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, i: int) -> int:
        parent = self._parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def union(self, i: int, j: int) -> None:
        low, high = sorted((self.find(i), self.find(j)))
        self._parent[high] = low

    def components(self) -> list[list[int]]:
        members: dict[int, list[int]] = {}
        for i in range(len(self._parent)):
            members.setdefault(self.find(i), []).append(i)
        return list(members.values())
