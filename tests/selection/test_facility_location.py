from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from curator.selection.constraints import Constraints, nearest_cosine
from curator.selection.facility_location import (
    Facility,
    facility,
    facility_of_shortlist,
    maximise,
    partition,
    shortlist,
)

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]


def value(target: Facility, covered: Floats, chosen: list[int]) -> float:
    """F(S) written out, with none of the code under test."""
    best = [max([float(covered[i]), *(float(target.similarity[i, j]) for j in chosen)]) for i in range(len(covered))]
    return float(np.dot(target.weight, best) + target.score_term[chosen].sum())


def unlimited(vectors: Vectors) -> Constraints:
    return Constraints(vectors[:, :0], [str(i) for i in range(len(vectors))], [""] * len(vectors), nearest=1.0)


@st.composite
def instances(draw: st.DrawFn) -> tuple[Vectors, Floats, Floats]:
    n = draw(st.integers(1, 8))
    coordinates = st.lists(st.integers(-3, 3), min_size=3, max_size=3).filter(any)
    points = np.array(draw(st.lists(coordinates, min_size=n, max_size=n)), dtype=np.float64)
    vectors = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    u = np.array(draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=n, max_size=n)))
    covered = np.array(draw(st.lists(st.sampled_from([0.0, 0.0, 0.5, 1.0]), min_size=n, max_size=n)))
    return vectors, u, covered


@settings(deadline=None, max_examples=150)
@given(instances(), st.integers(1, 8))
def test_lazy_greedy_gains_what_plain_greedy_gains(instance: tuple[Vectors, Floats, Floats], k: int) -> None:
    vectors, u, covered = instance
    target = facility(vectors, u, power=2.0, score_weight=0.1, covered=covered)
    found = list(islice(maximise(target, unlimited(vectors)), k))
    chosen: list[int] = []
    for place, gain in found:
        now = value(target, covered, chosen)
        gains = [value(target, covered, [*chosen, j]) - now if j not in chosen else -1.0 for j in range(len(u))]
        assert gain == pytest.approx(max(gains), abs=1e-5)
        assert gains[place] == pytest.approx(gain, abs=1e-5)
        chosen.append(place)
    assert len(set(chosen)) == len(chosen) == min(k, len(u))


@settings(deadline=None, max_examples=150)
@given(instances(), st.data())
def test_the_objective_is_monotone_and_submodular(
    instance: tuple[Vectors, Floats, Floats], data: st.DataObject
) -> None:
    vectors, u, covered = instance
    n = len(u)
    some = sorted(data.draw(st.sets(st.integers(0, n - 1))))
    more = sorted({*some, *data.draw(st.sets(st.integers(0, n - 1)))})
    small = facility(vectors, u, power=2.0, score_weight=0.1, covered=covered)
    large = facility(vectors, u, power=2.0, score_weight=0.1, covered=covered)
    for place in some:
        small.take(place)
    for place in more:
        large.take(place)
    assert (large.gains() >= 0).all()
    assert (small.gains() >= large.gains() - 1e-9).all()
    assert small.gains() == pytest.approx([small.gain(j) for j in range(n)])


def test_a_dense_region_counts_by_the_root_of_its_size() -> None:
    vectors = np.zeros((10, 2), dtype=np.float32)
    vectors[:9, 0] = 1.0
    vectors[9, 1] = 1.0
    target = facility(vectors, np.ones(10), power=2.0, score_weight=0.0, covered=np.zeros(10))
    assert target.gain(0) == pytest.approx(1.0)
    assert target.gain(9) == pytest.approx(1 / 3)


def test_what_is_covered_gains_nothing() -> None:
    target = facility(
        np.eye(2, dtype=np.float32), np.ones(2), power=2.0, score_weight=0.0, covered=np.array([1.0, 0.0])
    )
    assert target.gain(0) == 0.0
    assert target.gain(1) > 0


def test_no_disagreement_is_no_weight() -> None:
    target = facility(np.eye(2, dtype=np.float32), np.zeros(2), power=2.0, score_weight=0.1, covered=np.zeros(2))
    assert (target.gains() == 0).all()


def clustered(n: int, clusters: int) -> Vectors:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(clusters, 16))[np.arange(n) % clusters] + 0.3 * rng.normal(size=(n, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("score_weight", [0.0, 0.1])
def test_parts_lose_little_against_the_whole(score_weight: float) -> None:
    vectors = clustered(600, 12)
    u = np.random.default_rng(2).random(600)
    parts = [np.arange(start, 600, 3) for start in range(3)]
    whole = facility(vectors, u, power=2.0, score_weight=score_weight, covered=np.zeros(600))
    free = np.zeros(600)
    best = [place for place, _ in islice(maximise(whole, unlimited(vectors)), 20)]
    places, weight = shortlist(
        vectors, u, 20, power=2.0, score_weight=score_weight, covered=free, parts=[np.asarray(p) for p in parts]
    )
    short = facility_of_shortlist(vectors[places], u[places], weight, score_weight=score_weight, covered=free[places])
    chosen = [int(places[j]) for j, _ in islice(maximise(short, unlimited(vectors[places])), 20)]
    assert len(places) == 60
    assert list(places) == sorted(set(places.tolist()))
    assert value(whole, free, chosen) >= 0.95 * value(whole, free, best)


@pytest.mark.parametrize("one_cluster", [False, True])
def test_partition_is_a_partition_into_parts_that_fit(one_cluster: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curator.selection.facility_location.DENSE", 50)
    vectors = np.ones((230, 2), dtype=np.float32) / np.float32(np.sqrt(2)) if one_cluster else clustered(230, 9)
    parts = partition(vectors, seed=0)
    assert sorted(np.concatenate(parts).tolist()) == list(range(230))
    assert max(len(part) for part in parts) <= 50
    assert [part.tolist() for part in partition(vectors, seed=0)] == [part.tolist() for part in parts]


def test_nearest_cosine_is_at_least_0() -> None:
    vectors = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    np.testing.assert_array_equal(nearest_cosine(vectors, vectors[:1]), [1.0, 0.0])
    np.testing.assert_array_equal(nearest_cosine(vectors, vectors[:0]), [0.0, 0.0])
