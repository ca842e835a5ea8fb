"""Embedding measures: equal rows, scale, order."""

from __future__ import annotations

import math

import numpy as np
import pytest

from curator.disagreement.estimators import similarities
from curator.disagreement.estimators import spectral as graph


def test_known_cosines() -> None:
    rows = np.array([[1.0, 0.0], [5.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [0.0, 0.0]])
    assert similarities.cosine_similarities(rows)[0].tolist() == [1, 1, 0.5, 0, 0.5]


def test_equal_rows_are_one_exactly() -> None:
    row = np.random.default_rng(0).normal(size=384)
    w = similarities.cosine_similarities(np.array([row, row, row * 3, -row]))
    assert w[0, 1] == 1
    assert w.diagonal().tolist() == [1, 1, 1, 1]
    assert graph.deg(similarities.cosine_similarities(np.array([row] * 5))) == 0


@pytest.mark.parametrize("seed", range(5))
def test_permuting_rows_changes_no_bit(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(12, 33))
    order = random.permutation(12)
    before, after = similarities.cosine_similarities(rows), similarities.cosine_similarities(rows[order])
    assert (after == before[np.ix_(order, order)]).all()
    assert graph.eigen_score(rows[order]) == graph.eigen_score(rows)


def test_eigen_score_runs_from_one_answer_to_orthogonal_ones() -> None:
    axes = np.array([[1, -1, 0, 0], [0, 0, 1, -1]]) / math.sqrt(2)
    assert graph.eigen_score(axes) == pytest.approx(math.log(1.001))
    same = graph.eigen_score(axes[[0, 0]])
    assert same == pytest.approx((math.log(1e-3) + math.log(2.001)) / 2)
    assert same < graph.eigen_score(np.array([axes[0], axes[0] + 0.1 * axes[1]])) < graph.eigen_score(axes)
    assert graph.eigen_score(axes, ridge=1.0) == pytest.approx(math.log(2))


def test_whole_numbers_and_single_precision_are_taken() -> None:
    assert similarities.cosine_similarities(np.array([[3, 4], [4, 3]]))[0, 1] == pytest.approx(0.98)
    rows = np.random.default_rng(1).normal(size=(4, 8)).astype(np.float32)
    assert similarities.cosine_similarities(rows).dtype == np.float64
