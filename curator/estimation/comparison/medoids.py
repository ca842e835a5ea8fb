"""Weighted k-means clusters, each represented by the point nearest to its centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curator.estimation.comparison.case_weights import Floats

_ROUNDS = 25


def medoids(points: Floats, mass: Floats, k: int, random: np.random.Generator) -> tuple[NDArray[np.int64], Floats]:
    """The k rows nearest to the centres of weighted k-means, and the mass of their clusters.

    Lloyd's algorithm (1982) with k-means++ initialisation. Where there are fewer distinct points than clusters, equal
    points share their mass.

    Args:
        points: (n, d).
        mass: (n,).
        k: the number of clusters.
        random: of the initialisation and of ties.

    Returns:
        The rows in ascending order, (k,), and the mass of each cluster, (k,), summing to 1.
    """
    jittered = points + 1e-6 * (np.abs(points).max(initial=0.0) + 1e-9) * random.random(points.shape)
    centres = _start(jittered, mass, k, random)
    for _ in range(_ROUNDS):
        owner = _distances(jittered, centres).argmin(axis=1)
        total = np.bincount(owner, weights=mass, minlength=k)
        sums = np.zeros_like(centres)
        np.add.at(sums, owner, jittered * mass[:, None])
        moved = np.where(total[:, None] > 0, sums / np.where(total > 0, total, 1.0)[:, None], centres)
        if np.allclose(moved, centres, rtol=0, atol=1e-12):
            break
        centres = moved
    rows = _nearest(_distances(jittered, centres))
    owner = _distances(jittered, jittered[rows]).argmin(axis=1)
    shares = np.bincount(owner, weights=mass, minlength=k)
    order = np.argsort(rows)
    return rows[order], shares[order] / shares.sum()


def _start(points: Floats, mass: Floats, k: int, random: np.random.Generator) -> Floats:
    rows = [int(random.choice(len(points), p=mass / mass.sum()))]
    far = ((points - points[rows[0]]) ** 2).sum(axis=1)
    for _ in range(k - 1):
        probability = mass * far
        probability[rows] = 0.0
        if not probability.sum():
            probability = np.where(np.isin(np.arange(len(points)), rows), 0.0, 1.0)
        rows.append(int(random.choice(len(points), p=probability / probability.sum())))
        far = np.minimum(far, ((points - points[rows[-1]]) ** 2).sum(axis=1))
    return points[rows]


def _nearest(distances: Floats) -> NDArray[np.int64]:
    """For each centre the nearest row that no earlier centre has taken."""
    taken = np.zeros(len(distances), dtype=bool)
    rows = np.zeros(distances.shape[1], dtype=np.int64)
    for centre in range(distances.shape[1]):
        rows[centre] = int(np.where(taken, np.inf, distances[:, centre]).argmin())
        taken[rows[centre]] = True
    return rows


def _distances(points: Floats, centres: Floats) -> Floats:
    squares = (points**2).sum(axis=1)[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1)[None, :]
    distances: Floats = np.maximum(squares, 0.0)
    return distances
