"""The report's statistics against scipy's, and their silence on too little data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.stats import (
    Figure,
    histogram,
    mean,
    mean_ranks,
    pearson,
    rounded,
    share,
    spearman,
    student_quantile,
    survey_wilson,
    wilson,
)

stats = pytest.importorskip("scipy.stats")
PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(-50, 50)), min_size=10, max_size=40)


@given(PAIRS)
def test_correlations_equal_those_of_scipy(pairs: list[tuple[int, int]]) -> None:
    x, y = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert pearson(x, y) == spearman(x, y) == Figure(None, len(x))
        return
    assert pearson(x, y).value == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-5)
    assert spearman(x, y).value == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-5)


def test_too_little_data_gives_no_number() -> None:
    assert mean([0.5, 0.5]) == Figure(None, 2)
    assert mean([0.5, None, 0.5, None]) == Figure(None, 2)
    assert mean([0.0, 0.5, 1.0, None]) == Figure(0.5, 3)
    nine = [float(i) for i in range(9)]
    assert spearman(nine, nine) == Figure(None, 9)
    assert spearman([], []) == Figure(None, 0)


@given(st.lists(st.floats(0, 1)))
def test_a_histogram_counts_every_value(values: list[float]) -> None:
    assert sum(histogram(values)) == len(values)


def test_a_value_falls_into_its_bin() -> None:
    assert histogram([0.0, 0.3, 0.7, 1.0]) == (1, 0, 0, 1, 0, 0, 0, 1, 0, 1)
    assert histogram([0.1 * 3]) == (0, 0, 0, 1, 0, 0, 0, 0, 0, 0)


def test_a_share_of_nothing_is_nothing() -> None:
    assert share(0, 0) == 0
    assert share(1, 3) == 0.333333


def test_a_survey_interval_of_a_simple_random_sample_is_wilsons() -> None:
    assert wilson(0.1, 100) == pytest.approx((0.0552, 0.1744), abs=1e-3)
    assert survey_wilson(0.1, 0.1 * 0.9 / 100, 1.96, 10**9) == pytest.approx(wilson(0.1, 100), abs=1e-6)
    assert survey_wilson(0.3, 0.0, 1.96, 10) == (0.3, 0.3)


def test_the_quantiles_of_student_become_the_normal_ones() -> None:
    assert student_quantile(0.95, float("inf")) == pytest.approx(1.96, abs=1e-3)
    assert student_quantile(0.95, 4) == pytest.approx(2.776, abs=1e-3)


def test_ties_share_their_mean_rank() -> None:
    assert mean_ranks([0.3, 0.1, 0.3]).tolist() == [2.5, 1.0, 2.5]


def test_rounding_leaves_no_negative_zero() -> None:
    assert str(rounded(-1e-9)) == "0.0"
