"""The strategies without scikit-activeml: what they choose, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from curator.selection.training_batch import next_batch
from curator.sklearn import UncertaintyCoverage
from curator.sklearn.strategies import missing

X = np.repeat(np.eye(4), [20, 10, 6, 4], axis=0) + np.random.default_rng(0).normal(scale=0.05, size=(40, 4))
UNIT = np.hstack([X / np.linalg.norm(X, axis=1, keepdims=True), np.zeros((40, 1))]).astype(np.float32)
Y = np.full(40, np.nan)
Y[[0, 20]] = [0, 1]


def test_it_chooses_as_next_batch_does() -> None:
    batch = next_batch(UNIT, {0: 0.0, 20: 1.0}, 5)
    assert UncertaintyCoverage(random_state=0).query(X, Y, batch_size=5).tolist() == [q.index for q in batch.queries]  # type: ignore[union-attr]


def test_the_estimator_gives_the_probabilities() -> None:
    learner = LogisticRegression(C=3)
    fitted = clone(learner).fit(X[[0, 20]], [0, 1])
    batch = next_batch(UNIT, {0: 0, 20: 1}, 5, probabilities=fitted.predict_proba(X))
    indices, gains = UncertaintyCoverage(learner, random_state=0).query(X, Y, batch_size=5, return_utilities=True)
    assert indices.tolist() == [query.index for query in batch.queries]
    assert [gains[number, i] for number, i in enumerate(indices)] == pytest.approx([q.gain for q in batch.queries])
    assert not hasattr(learner, "coef_"), "a clone is fitted"


def test_disagreement_comes_before_the_learner() -> None:
    disagreement = np.linspace(1, 0, 40)
    batch = next_batch(UNIT, {0: 0, 20: 1}, 5, disagreement=disagreement)
    chosen = UncertaintyCoverage(LogisticRegression(), random_state=0).query(
        X, Y, disagreement=disagreement, batch_size=5
    )
    assert list(chosen) == [query.index for query in batch.queries]


def test_rows_as_candidates_are_chosen_like_their_places() -> None:
    places = np.arange(21, 40)
    labelled = np.array([0, 20])
    part = np.vstack([X[labelled], X[places]])
    expected = UncertaintyCoverage(random_state=0).query(part, np.append([0.0, 1.0], np.full(19, np.nan)), batch_size=4)
    chosen = UncertaintyCoverage(random_state=0).query(X, Y, candidates=X[places], batch_size=4)
    assert list(chosen) == [i - 2 for i in expected]  # type: ignore[operator]


def test_a_row_of_zeros_is_a_row_like_another() -> None:
    chosen = UncertaintyCoverage(random_state=0).query(
        np.vstack([X, np.zeros((5, 4))]), np.full(45, np.nan), batch_size=5
    )
    assert sum(i >= 40 for i in chosen) == 1  # type: ignore[misc]


def test_the_scale_of_a_row_does_not_count() -> None:
    scaled = X * np.random.default_rng(1).uniform(0.1, 10, size=(40, 1))
    first, second = (UncertaintyCoverage(random_state=0).query(rows, Y, batch_size=5) for rows in (X, scaled))
    assert list(first) == list(second)


def test_with_too_few_rows_all_are_chosen_and_a_warning_says_so() -> None:
    with pytest.warns(UserWarning, match="batch_size is 9, and only 2 rows can be chosen"):
        assert sorted(UncertaintyCoverage().query(X, Y, candidates=[3, 7], batch_size=9)) == [3, 7]  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"candidates": [20]}, ValueError, "candidate 20 has a label"),
        ({"candidates": [40]}, ValueError, r"not in 0\.\.39"),
        ({"candidates": [-1]}, ValueError, r"not in 0\.\.39"),
        ({"candidates": [1.5]}, ValueError, "give a list of places in X, or rows"),
        ({"candidates": np.ones((3, 5))}, ValueError, "the candidates have 5 features, and X has 4"),
        ({"candidates": X[:3], "disagreement": np.ones(40)}, ValueError, "give candidates as places in X"),
        ({"disagreement": np.full(40, np.nan)}, ValueError, "NaN"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        UncertaintyCoverage().query(X, Y, **arguments)


@pytest.mark.parametrize(
    ("labels", "missing_label", "expected"),
    [
        (np.array([np.nan, 1.0]), np.nan, [True, False]),
        (np.array([0, 1]), 0, [True, False]),
        (np.array([None, "a"], dtype=object), None, [True, False]),
        (np.array(["", "a"]), "", [True, False]),
        (np.array([float("nan"), "a"], dtype=object), np.nan, [True, False]),
        (np.array([0.0, None], dtype=object), 0, [True, False]),
    ],
)
def test_missing_labels(labels: np.ndarray[Any, Any], missing_label: Any, expected: list[bool]) -> None:
    assert missing(labels, missing_label).tolist() == expected


@pytest.mark.parametrize(
    ("labels", "missing_label"),
    [(np.array(["a"]), np.nan), (np.array([1.0]), None), (np.array([1.0]), "none"), (np.array([1.0]), [0])],
)
def test_a_missing_label_that_y_cannot_hold_is_refused(labels: np.ndarray[Any, Any], missing_label: Any) -> None:
    with pytest.raises(TypeError, match="missing"):
        missing(labels, missing_label)
