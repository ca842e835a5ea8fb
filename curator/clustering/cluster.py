"""Clusters of vectors, with noise, and their layout in two dimensions.

The settings were measured with MiniLM vectors of BANKING77 (77 intents) and CLINC150 (150 intents and out-of-scope):
samples of 60, 100, 150 and 300 questions of 6 to 40 intents, of 1,000 and 2,000 of all, and all 3,080 and 3,100. Of 48
combinations, 50 principal components on the unit sphere, excess of mass and `min_samples=1` had the best product of share
clustered and adjusted Rand index (mean .66, against .53-.65 without components and .40-.59 with `min_samples=4`): 60-100
questions are 92-100% clustered with an ARI of .73-.90, 300 questions 79-91% with .64-.84.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from curator.config import ClusteringConfig

NOISE = -1

_COMPONENTS = 50
_BLOCK = 4096
_ONE_TOPIC = 0.7  # see `cluster`
_COHERENT = 0.55
_BELONGS = 0.35
_SAME = 1e-5
_POINTS_PER_CENTRE = 5
_CENTRES_PER_ROOT = 10
_ROUNDS = 25
_LAST_ROUNDS = 5
_MAP_TSNE = range(5, 1001)


@dataclass(frozen=True, slots=True)
class Clustering:
    """Clusters of n vectors.

    Attributes:
        labels: (n,) the cluster of each vector, 0 for the largest one, -1 for noise.
        typicality: (n,) the cosine of each vector to its cluster's centroid, 0 for noise.
    """

    labels: NDArray[np.int64]
    typicality: NDArray[np.float32]


def cluster(vectors: NDArray[np.float32], config: ClusteringConfig, *, seed: int) -> Clustering:
    """Cluster by HDBSCAN over principal components, or over k-means centres of them.

    Above `two_stage_above` vectors there are two stages. The first one is k-means with a centre for 5 vectors, but at most
    10 sqrt(n) centres, as topics grow more slowly than traffic: one for 10 vectors of 10,000, one for 32 of 100,000. The
    clusters are then HDBSCAN's leaves over the centres. Measured by `benchmarks/selection/clustering.py`: share clustered
    and ARI over what is clustered; in brackets with a centre for 5 vectors up to 4,000, from one plain k-means. 3,080 of
    BANKING77 .82 and .59 (.81 and .59), all 13,083 .81 and .42 (.78 and .29); 4,500 of CLINC150 .86 and .76 (.85 and .76),
    12,100 with out-of-scope .85 and .70 (.79 and .60). 100,000 x 384 take 13 processor seconds and 0.6 GB.

    If there are too few vectors for two clusters, or HDBSCAN finds none, they are one cluster if they have one topic, else
    all noise. They have one topic if the length of their mean is at least 0.7 (one intent of BANKING77 or CLINC150:
    .63-.84; a mixed sample of the same size: .30-.66).

    Args:
        vectors: (n, d), rows of unit length.
        config: the minimum size of a cluster, and the number of vectors above which there are two stages.
        seed: of the k-means; the same vectors and seed give the same clusters.

    Returns:
        Clusters numbered by size, the largest first; among equals the one with the earliest vector first.
    """
    n = len(vectors)
    labels = np.full(n, NOISE, dtype=np.int64)
    if n >= 2 * config.min_cluster_size and not _all_equal(vectors):
        with _reproducibly():
            points = _project(vectors)
            if n > config.two_stage_above:
                labels = _two_stages(points, config.min_cluster_size, seed=seed)
            else:
                labels = _hdbscan(points, config.min_cluster_size, "eom")
    if n >= config.min_cluster_size and np.all(labels == NOISE) and _concentration(vectors) >= _ONE_TOPIC:
        labels = np.zeros(n, dtype=np.int64)
    labels = _by_size(_without_leftovers(vectors, labels), config.min_cluster_size)
    return Clustering(labels=labels, typicality=_typicality(vectors, labels))


def layout(vectors: NDArray[np.float32], *, seed: int) -> NDArray[np.float32]:
    """A map of the vectors, (n, 2) in [0, 1], with similar vectors near each other.

    For 5 to 1,000 vectors it is t-SNE, started from the first two principal components; otherwise these components.
    The same vectors and seed give the same map.
    """
    n = len(vectors)
    if n < 2 or _all_equal(vectors):
        return np.full((n, 2), 0.5, dtype=np.float32)
    with _reproducibly():
        points = _project(vectors)
        flat = np.zeros((n, 2))
        width = min(2, points.shape[1])
        flat[:, :width] = points[:, :width]
        if n in _MAP_TSNE:
            flat = _tsne(points, flat, seed=seed)
    span = flat.max(axis=0) - flat.min(axis=0)
    scaled = (flat - flat.min(axis=0)) / np.where(span > 0, span, 1.0)
    return np.where(span > 0, scaled, 0.5).astype(np.float32)


def _project(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """The first 50 principal components, scaled to the unit sphere, (n, min(50, n - 1, d)).

    They are exact, from the eigenvectors of the covariance matrix, in O(n d^2) and without a copy of the vectors. The sign
    of an eigenvector is arbitrary: each is turned so that its largest coordinate is positive.
    """
    from scipy.linalg import eigh

    n, d = vectors.shape
    width = min(_COMPONENTS, n - 1, d)
    mean = vectors.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((d, d))
    for block in _blocks(vectors):
        covariance += (centred := block - mean).T @ centred
    _, axes = eigh(covariance, subset_by_index=(d - width, d - 1))
    axes = axes[:, ::-1] * np.sign(axes[np.abs(axes).argmax(axis=0), range(width)])[::-1]
    points = np.vstack([(block - mean) @ axes for block in _blocks(vectors)])
    return _on_sphere(points)


def _blocks(vectors: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """The rows in blocks."""
    return (vectors[start : start + _BLOCK] for start in range(0, len(vectors), _BLOCK))


def _on_sphere(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return cast("NDArray[np.float64]", points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12))


def _hdbscan(points: NDArray[np.float64], size: int, method: Literal["eom", "leaf"]) -> NDArray[np.int64]:
    from hdbscan import HDBSCAN

    model = HDBSCAN(min_cluster_size=size, min_samples=1, cluster_selection_method=method, core_dist_n_jobs=1)
    return np.asarray(model.fit_predict(points), dtype=np.int64)


def _two_stages(points: NDArray[np.float64], size: int, *, seed: int) -> NDArray[np.int64]:
    """Cluster the k-means centres; each vector has the cluster of its centre."""
    count = round(min(len(points) / _POINTS_PER_CENTRE, _CENTRES_PER_ROOT * math.sqrt(len(points))))
    centres, nearest = _k_means(points, count, seed=seed)
    per_cluster = max(2, round(size * count / len(points)))
    return _hdbscan(_on_sphere(centres), per_cluster, "leaf")[nearest]


def _k_means(points: NDArray[np.float64], count: int, *, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """About `count` centres, and the nearest one of each point.

    The points are split into sqrt(count) groups and each group into its share of the centres: the start then costs
    O(n sqrt(count)) instead of O(n count). A few rounds over all points then correct the borders between groups.
    """
    from sklearn.cluster import KMeans

    groups = KMeans(round(math.sqrt(count)), n_init=1, max_iter=_ROUNDS, random_state=seed).fit(points).labels_
    parts = []
    for members in _members(groups):
        share = max(1, round(count * len(members) / len(points)))
        parts.append(KMeans(share, n_init=1, max_iter=_ROUNDS, random_state=seed).fit(points[members]).cluster_centers_)
    start = np.vstack(parts)
    model = KMeans(len(start), init=start, n_init=1, max_iter=_LAST_ROUNDS).fit(points)
    return model.cluster_centers_, model.labels_.astype(np.int64)


def _tsne(points: NDArray[np.float64], start: NDArray[np.float64], *, seed: int) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(points) - 1) / 3)
    start = start / max(float(np.std(start[:, 0])), 1e-12) * 1e-4
    model = TSNE(init=start, perplexity=perplexity, random_state=seed, n_jobs=1, learning_rate="auto")
    return np.asarray(model.fit_transform(points), dtype=np.float64)


def _without_leftovers(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The labels, with vectors far from their centroid and incoherent clusters as noise.

    Beside dense clusters HDBSCAN makes one more cluster of the leftovers. In the samples above these two limits moved the
    share clustered by .00-.05 and raised the ARI by up to .05.
    """
    kept = np.where(_typicality(vectors, labels) >= _BELONGS, labels, NOISE)
    for members in _members(kept):
        if _concentration(vectors[members]) < _COHERENT:
            kept[members] = NOISE
    return kept


def _by_size(labels: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """The labels renumbered by size, then by first member; too small clusters are noise."""
    large = [members for members in _members(labels) if len(members) >= size]
    renumbered = np.full_like(labels, NOISE)
    for number, members in enumerate(sorted(large, key=lambda members: (-len(members), members[0]))):
        renumbered[members] = number
    return renumbered


def _typicality(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    typicality = np.zeros(len(vectors), dtype=np.float32)
    for members in _members(labels):
        centroid = vectors[members].mean(axis=0)
        typicality[members] = vectors[members] @ (centroid / max(float(np.linalg.norm(centroid)), 1e-12))
    return np.clip(typicality, -1.0, 1.0)


def _members(labels: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The places of each label's vectors, in order, without noise."""
    order = np.argsort(labels, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return [part for part in parts if len(part) and labels[part[0]] != NOISE]


def _concentration(vectors: NDArray[np.float32]) -> float:
    """The length of the mean of unit vectors: 1 if all are equal, near 0 for a uniform spread."""
    return float(np.linalg.norm(vectors.mean(axis=0)))


def _all_equal(vectors: NDArray[np.float32]) -> bool:
    return bool(np.all(np.ptp(vectors, axis=0) <= _SAME))


@contextmanager
def _reproducibly() -> Iterator[None]:
    """Run on one thread, without warnings on equal vectors.

    Sums over several threads differ in their last bits.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
