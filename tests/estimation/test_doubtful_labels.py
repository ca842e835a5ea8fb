"""Labels in doubt by the item-rest correlation over systems."""

from __future__ import annotations

import numpy as np
import pytest

from curator.estimation.comparison.doubtful_labels import (
    LEVEL,
    doubtful_cases,
    independent_systems,
    item_rest,
)


def recorded(seed: int, systems: int = 10, cases: int = 120) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    ability, easiness = np.linspace(-3, 3, systems), drawn.normal(0.3, 1, (cases, 1))
    return (drawn.random((cases, systems)) < 1 / (1 + np.exp(-(ability + easiness)))).astype(float)


def test_flipped_labels_are_listed_before_others() -> None:
    shares, others = [], 0
    for seed in range(5):
        table = recorded(seed)
        differing = [i for i in range(len(table)) if 3 <= table[i].sum() <= 7]
        planted = differing[:6]
        table[planted] = 1 - table[planted]
        doubts = doubtful_cases(table)
        assert doubts.reason == ""
        assert all(case.correlation < 0 and case.p <= LEVEL for case in doubts.cases)
        assert [case.p for case in doubts.cases] == sorted(case.p for case in doubts.cases)
        listed = {case.place for case in doubts.cases}
        shares.append(len(listed & set(planted)) / len(planted))
        others += len(listed - set(planted))
    assert np.mean(shares) > 0.7
    assert others <= 3


def test_right_labels_are_hardly_ever_listed() -> None:
    assert sum(len(doubtful_cases(recorded(seed)).cases) for seed in range(5)) <= 5


def test_the_test_keeps_its_level_where_cases_have_nothing_in_common() -> None:
    drawn = np.random.default_rng(1)
    listed = sum(len(doubtful_cases((drawn.random((100, 8)) < 0.5).astype(float)).cases) for _ in range(5))
    assert listed / 500 <= LEVEL + 0.03


@pytest.mark.parametrize(("systems", "cases"), [(5, 100), (10, 19)])
def test_too_few_systems_or_cases_say_so(systems: int, cases: int) -> None:
    doubts = doubtful_cases(recorded(0, systems, cases))
    assert doubts.cases == ()
    assert "not enough data" in doubts.reason
    assert "6 systems" in doubts.reason


def test_near_copies_count_once() -> None:
    table = recorded(0, 4)
    drawn = np.random.default_rng(0)
    copies = np.repeat(table, 5, axis=1)
    noise = drawn.random(copies.shape) < 0.02
    assert independent_systems(np.where(noise, 1 - copies, copies)).shape[1] == 4
    assert "not enough data (4 systems" in doubtful_cases(copies).reason


def test_a_case_in_which_all_systems_are_alike_is_not_in_doubt() -> None:
    table = recorded(0)
    table[0], table[1] = 0, 1
    correlations, p = item_rest(table)
    assert (correlations[:2].tolist(), p[:2].tolist()) == ([0, 0], [1, 1])


def test_the_exact_p_counts_orders() -> None:
    """Of seven ordered systems only the three worst ones pass: 3! 4! of 7! orders are as bad."""
    table = np.array([[float(i > limit) for i in range(7)] for limit in range(6)] * 4)
    table[0] = [1, 1, 1, 0, 0, 0, 0]
    _, p = item_rest(table)
    assert p[0] == pytest.approx(1 / 35)
