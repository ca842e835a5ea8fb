from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from curator.selection.objective import choose_greedily, similarities

B, C = 2.0, 0.1


def objective(similarity: NDArray[np.float32], u: NDArray[np.float64], chosen: list[int]) -> float:
    """F(S) written out, with none of the code under test."""
    if not chosen:
        return 0.0
    return sum(u[i] ** B * max(float(similarity[i, j]) for j in chosen) for i in range(len(u))) + C * sum(u[chosen])


def naive_greedy(
    similarity: NDArray[np.float32], u: NDArray[np.float64], groups: list[str], k: int
) -> tuple[list[int], list[float]]:
    chosen: list[int] = []
    gains: list[float] = []
    while len(chosen) < k:
        taken = {groups[j] for j in chosen}
        left = [j for j in range(len(u)) if groups[j] not in taken]
        if not left:
            break
        now = objective(similarity, u, chosen)
        gain = {j: objective(similarity, u, [*chosen, j]) - now for j in left}
        best = max(left, key=lambda j: (round(gain[j], 9), -j))
        chosen.append(best)
        gains.append(gain[best])
    return chosen, gains


@st.composite
def instances(draw: st.DrawFn) -> tuple[NDArray[np.float32], NDArray[np.float64], list[str], int]:
    n = draw(st.integers(1, 9))
    coordinates = st.lists(st.integers(-3, 3), min_size=3, max_size=3).filter(any)
    points = np.array(draw(st.lists(coordinates, min_size=n, max_size=n)), dtype=np.float64)
    vectors = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    u = np.array(draw(st.lists(st.sampled_from([0.1, 0.25, 0.5, 0.75, 1.0]), min_size=n, max_size=n)))
    groups = draw(st.lists(st.sampled_from("abcdef"), min_size=n, max_size=n))
    return similarities(vectors), u, groups, draw(st.integers(0, n + 1))


@settings(deadline=None, max_examples=200)
@given(instances())
def test_lazy_greedy_gains_what_plain_greedy_gains(
    instance: tuple[NDArray[np.float32], NDArray[np.float64], list[str], int],
) -> None:
    similarity, u, groups, k = instance
    found = choose_greedily(similarity, u, groups, k, power=B, score_weight=C)
    order, gains = naive_greedy(similarity, u, groups, k)
    assert found.gains == pytest.approx(gains, abs=1e-6)
    if len(set(np.round(gains, 6))) == len(gains) and list(found.order) != order:
        # Only a tie within rounding may be broken another way.
        step = next(i for i, (a, b) in enumerate(zip(found.order, order, strict=True)) if a != b)
        reached = [objective(similarity, u, [*order[:step], j]) for j in (found.order[step], order[step])]
        assert reached[0] == pytest.approx(reached[1], abs=1e-6)
    assert len(found.order) <= k
    assert len({groups[j] for j in found.order}) == len(found.order)
    assert sum(found.gains) == pytest.approx(objective(similarity, u, list(found.order)), abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(instances())
def test_greedy_reaches_its_guarantee(
    instance: tuple[NDArray[np.float32], NDArray[np.float64], list[str], int],
) -> None:
    similarity, u, _, k = instance
    alone = [str(i) for i in range(len(u))]
    found = choose_greedily(similarity, u, alone, k, power=B, score_weight=C)
    best = max(objective(similarity, u, list(s)) for s in combinations(range(len(u)), min(k, len(u))))
    assert sum(found.gains) >= (1 - 1 / np.e) * best - 1e-6
    assert list(found.gains) == sorted(found.gains, reverse=True)
    assert 0.0 <= found.coverage <= 1.0
    if k >= len(u):
        assert found.coverage == pytest.approx(1.0, abs=1e-5)


def test_the_first_of_equals_wins() -> None:
    found = choose_greedily(np.eye(4, dtype=np.float32), np.ones(4), list("abcd"), 2, power=B, score_weight=C)
    assert found.order == (0, 1)


def test_coverage_is_the_share_of_weight_that_is_stood_for() -> None:
    similarity = np.array([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]], dtype=np.float32)
    found = choose_greedily(similarity, np.array([1.0, 0.5, 0.5]), list("abc"), 1, power=2.0, score_weight=0.0)
    assert found.order == (0,)
    assert found.coverage == pytest.approx((1.0 + 0.25 * 0.5) / 1.5)
    assert found.gains == pytest.approx((1.125,))


def test_no_weight_is_no_coverage() -> None:
    found = choose_greedily(np.eye(2, dtype=np.float32), np.zeros(2), list("ab"), 1, power=2.0, score_weight=0.1)
    assert found.coverage == 0.0


def test_similarity_is_never_below_zero() -> None:
    vectors = np.array([[1, 0], [-1, 0], [0, 1]], dtype=np.float32)
    np.testing.assert_array_equal(similarities(vectors), np.eye(3, dtype=np.float32))
