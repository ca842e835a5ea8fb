"""Measures from log-probabilities: known values, and what must hold whatever the scale of the likelihoods."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement.estimators import likelihood
from curator.disagreement.estimators.partition import semantic_entropy

classified = st.lists(st.tuples(st.integers(0, 3), st.floats(-700, 0)), min_size=2, max_size=12)


def test_known_values() -> None:
    tokens = [math.log(0.5), math.log(0.25)]
    assert likelihood.sequence_nll(tokens) == pytest.approx(math.log(8))
    assert likelihood.token_nll(tokens) == pytest.approx(math.log(8) / 2)
    assert likelihood.sequence_nll([0.0, 0.0]) == 0
    assert math.copysign(1, likelihood.sequence_nll([])) == 1
    assert likelihood.predictive_entropy([tokens, [0.0]]) == pytest.approx(math.log(8) / 4)
    assert likelihood.predictive_entropy([tokens, [0.0]], per_token=False) == pytest.approx(math.log(8) / 2)


def test_members_of_a_class_add_their_probabilities() -> None:
    logs = [math.log(p) for p in (0.2, 0.2, 0.1)]
    assert likelihood.class_probabilities("xxy", logs) == pytest.approx({"x": 0.8, "y": 0.2})
    expected = (-0.8 * math.log(0.8) - 0.2 * math.log(0.2)) / math.log(3)
    assert likelihood.likelihood_semantic_entropy("xxy", logs) == pytest.approx(expected)
    assert likelihood.likelihood_margin("xxy", logs) == pytest.approx(0.4)


def test_the_margin_of_labels_is_that_of_their_own_probabilities() -> None:
    assert likelihood.likelihood_margin(["A", "B", "C"], [math.log(p) for p in (0.5, 0.3, 0.2)]) == pytest.approx(0.8)
    assert likelihood.likelihood_margin(["A"], [-3.0]) == 0
    assert likelihood.likelihood_margin(["A", "B"], [-3.0, -3.0]) == 1


@given(st.lists(st.integers(0, 4), min_size=2, max_size=14), st.floats(-1e4, 0))
def test_equal_likelihoods_give_the_discrete_semantic_entropy(classes: list[int], log: float) -> None:
    expected = semantic_entropy(classes, ["a"] * len(classes)).total
    assert likelihood.likelihood_semantic_entropy(classes, [log] * len(classes)) == pytest.approx(expected, abs=1e-9)


@given(classified, st.randoms(use_true_random=False))
def test_bounded_and_the_same_in_any_order(rows: list[tuple[int, float]], random: object) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    classes, logs = map(list, zip(*rows, strict=True))
    for measure in (likelihood.likelihood_semantic_entropy, likelihood.likelihood_margin):
        value = measure(classes, logs)
        assert 0 <= value <= 1
        assert measure(*map(list, zip(*mixed, strict=True))) == value
        assert value == 0 or len(set(classes)) > 1


def test_an_impossible_answer_has_no_part() -> None:
    assert likelihood.likelihood_semantic_entropy("xy", [-1.0, -math.inf]) == 0
    assert likelihood.likelihood_margin("xy", [-1.0, -9999.0]) == 0


@pytest.mark.parametrize("logs", [[-math.inf, -math.inf], [math.nan, -1.0], [-1.0, math.nan], [math.inf, -1.0]])
def test_likelihoods_that_are_none_are_refused(logs: list[float]) -> None:
    with pytest.raises(ValueError, match="log-likelihoods must be numbers"):
        likelihood.class_probabilities("xy", logs)


def test_a_likelihood_is_needed_for_each_answer() -> None:
    with pytest.raises(ValueError, match="1 log-likelihoods for 2 answers"):
        likelihood.likelihood_margin("xy", [-1.0])
    with pytest.raises(ValueError, match="without tokens"):
        likelihood.token_nll([])
