from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from curator.clustering.cluster import Clustering, _k_means, _project, cluster, layout
from curator.config import ClusteringConfig

CONFIG = ClusteringConfig(min_cluster_size=4, two_stage_above=3000)


def clouds(
    sizes: list[int], *, spread: float = 0.03, noise: int = 0, d: int = 32, seed: int = 0
) -> NDArray[np.float32]:
    """Unit vectors about as many random directions as there are sizes, then `noise` others."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(sizes), d))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    points = np.repeat(centres, sizes, axis=0) + rng.normal(scale=spread, size=(sum(sizes), d))
    vectors = np.vstack([points, rng.normal(size=(noise, d))])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def sizes_of(found: Clustering) -> list[int]:
    return np.bincount(found.labels[found.labels >= 0]).tolist() if np.any(found.labels >= 0) else []


def test_separate_clouds_are_found_largest_first() -> None:
    sizes = [40, 90, 60]
    found = cluster(clouds(sizes), CONFIG, seed=0)
    truth = np.repeat([2, 0, 1], sizes)
    assert np.all(found.labels == truth)


def test_two_stages_keep_clouds_apart() -> None:
    sizes = [40] * 20
    found = cluster(clouds(sizes), ClusteringConfig(two_stage_above=200), seed=0)
    clustered = found.labels >= 0
    assert clustered.mean() > 0.8
    truth = np.repeat(np.arange(20), sizes)
    labels = [set(found.labels[(truth == t) & clustered]) for t in range(20)]
    assert all(labels)
    assert sum(map(len, labels)) == found.labels.max() + 1


def test_principal_components_are_those_of_a_full_decomposition() -> None:
    """Over several blocks, up to the sign of each one, and then on the unit sphere."""
    vectors = clouds([3000, 2500], noise=300, d=60)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:50].T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = _project(vectors)
    np.testing.assert_allclose(np.abs(found[:, :5]), np.abs(expected[:, :5]), atol=1e-6)
    np.testing.assert_allclose(found @ found[:20].T, expected @ expected[:20].T, atol=1e-6)
    assert found.shape == (5800, 50)


def test_k_means_in_parts_is_about_as_good_as_in_one() -> None:
    from sklearn.cluster import KMeans

    points = clouds([30] * 40, spread=0.1, d=20).astype(np.float64)
    centres, nearest = _k_means(points, 120, seed=0)
    assert abs(len(centres) - 120) <= 15
    assert set(nearest) == set(range(len(centres)))
    whole = KMeans(len(centres), n_init=1, random_state=0).fit(points)
    assert ((points - centres[nearest]) ** 2).sum() < 1.1 * whole.inertia_


def test_of_equal_sizes_the_earlier_one_comes_first() -> None:
    found = cluster(clouds([10, 10, 10]), CONFIG, seed=0)
    assert found.labels.tolist() == [0] * 10 + [1] * 10 + [2] * 10


def test_what_belongs_nowhere_stays_noise() -> None:
    found = cluster(clouds([30, 30], noise=8, d=256), CONFIG, seed=0)
    assert sizes_of(found) == [30, 30]
    assert np.all(found.labels[:60] >= 0)
    assert np.all(found.labels[60:] == -1)
    assert np.all(found.typicality[60:] == 0)


def test_what_is_left_over_is_no_cluster() -> None:
    """HDBSCAN makes one cluster of the 30 vectors that have nothing in common."""
    found = cluster(clouds([30, 30], noise=30, d=256), CONFIG, seed=0)
    assert sizes_of(found) == [30, 30]
    assert np.all(found.labels[60:] == -1)


def test_typicality_is_the_cosine_to_the_centroid() -> None:
    vectors = clouds([12, 20])
    found = cluster(vectors, CONFIG, seed=0)
    members = vectors[found.labels == 0]
    centroid = members.mean(axis=0) / np.linalg.norm(members.mean(axis=0))
    np.testing.assert_allclose(found.typicality[found.labels == 0], members @ centroid, rtol=1e-5)
    assert found.typicality.dtype == np.float32
    assert found.labels.dtype == np.int64


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_too_few_for_a_cluster_are_noise(n: int) -> None:
    found = cluster(clouds([3])[:n], CONFIG, seed=0)
    assert found.labels.tolist() == [-1] * n


@pytest.mark.parametrize("n", [4, 7])
def test_too_few_for_two_clusters_are_one_if_they_are_about_one_thing(n: int) -> None:
    assert cluster(clouds([n]), CONFIG, seed=0).labels.tolist() == [0] * n
    assert cluster(clouds([], noise=n), CONFIG, seed=0).labels.tolist() == [-1] * n


@pytest.mark.parametrize("n", [4, 30, 200])
def test_equal_vectors_are_one_cluster(n: int) -> None:
    found = cluster(np.repeat(clouds([1]), n, axis=0), ClusteringConfig(two_stage_above=100), seed=0)
    assert found.labels.tolist() == [0] * n
    np.testing.assert_allclose(found.typicality, 1.0, rtol=1e-5)


def test_many_copies_of_few_vectors_in_two_stages() -> None:
    found = cluster(np.repeat(clouds([1, 1, 1]), [50, 40, 30], axis=0), ClusteringConfig(two_stage_above=50), seed=0)
    assert all(len(set(found.labels[start:end])) == 1 for start, end in ((0, 50), (50, 90), (90, 120)))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 60), st.integers(1, 12), st.integers(0, 5))
def test_any_input_gives_numbered_clusters_of_the_least_size(n: int, d: int, seed: int) -> None:
    vectors = clouds([], noise=n, d=d, seed=seed)
    found = cluster(vectors, CONFIG, seed=seed)
    assert found.labels.shape == found.typicality.shape == (n,)
    sizes = sizes_of(found)
    assert all(size >= CONFIG.min_cluster_size for size in sizes)
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("n", [0, 1, 2, 4, 5, 40])
def test_the_map_lies_in_the_unit_square(n: int) -> None:
    points = layout(clouds([], noise=n), seed=0)
    assert points.shape == (n, 2)
    assert points.dtype == np.float32
    assert np.all((points >= 0) & (points <= 1))
    if n > 1:
        assert points[:, 0].min() == 0
        assert points[:, 0].max() == 1


def test_the_map_of_equal_vectors_is_one_point() -> None:
    assert np.all(layout(np.repeat(clouds([1]), 10, axis=0), seed=0) == 0.5)


def test_a_large_map_is_the_principal_components() -> None:
    vectors = clouds([1100, 1000])
    points = layout(vectors, seed=0)
    assert abs(points[:1100, 0].mean() - points[1100:, 0].mean()) > 0.5


def test_the_map_puts_what_is_alike_near() -> None:
    points = layout(clouds([30, 30]), seed=0)
    within = np.linalg.norm(points[:30] - points[:30].mean(axis=0), axis=1).mean()
    between = np.linalg.norm(points[:30].mean(axis=0) - points[30:].mean(axis=0))
    assert between > 2 * within


CODE = """
import hashlib, numpy as np
from curator.config import ClusteringConfig
from curator.clustering.cluster import cluster, layout
rng = np.random.default_rng(3)
x = rng.normal(size=(300, 48)) + np.repeat(rng.normal(size=(12, 48)) * 2, 25, axis=0)
x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
parts = [cluster(x, ClusteringConfig(two_stage_above=limit), seed=1) for limit in (100, 1000)]
arrays = [a for p in parts for a in (p.labels, p.typicality)] + [layout(x, seed=1)]
print(hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest())
"""


@pytest.mark.slow
def test_every_process_comes_to_the_same_clusters_and_map() -> None:
    """Not only the same run again: with another number of threads, too."""
    outputs = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", CODE],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True, text=True, check=True,
        )
        for threads in ("1", "2")
    ]  # fmt: skip
    assert outputs[0].stdout == outputs[1].stdout != ""
    assert outputs[0].stderr == outputs[1].stderr == ""
