"""The report's statistics against scipy's, and their silence on too little data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.statistics_report import Figure, histogram, mean, pearson, share, spearman

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
