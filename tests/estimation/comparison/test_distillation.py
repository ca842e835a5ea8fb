from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.estimation.comparison.distillation import (
    MAX_RELATIVE_WEIGHT,
    best_method,
    best_weights,
    choose_cases,
    cross_validate,
    kendall,
    system_families,
    weighted_means,
)
from curator.estimation.comparison.item_response import model_cases
from curator.estimation.comparison.medoids import medoids


def made_up(seed: int, cases: int = 300, systems: int = 12, spread: float = 1.5) -> np.ndarray:
    random = np.random.default_rng(seed)
    ability, easiness = random.normal(0.3, 0.8, systems), random.normal(0, spread, cases)
    chance = 1 / (1 + np.exp(-(ability + easiness[:, None])))
    return (random.random((cases, systems)) < chance).astype(float)


def test_easiness_is_found_and_kept_from_the_ends() -> None:
    scores = made_up(0)
    model = model_cases(scores)
    assert np.corrcoef(model.easiness, scores.mean(axis=1))[0, 1] > 0.95
    assert np.abs(model.easiness).max() < 6
    assert model.noise.min() > 0


def test_graded_scores_are_less_noisy_than_passes_with_the_same_mean() -> None:
    passes = made_up(1)
    graded = np.tile(passes.mean(axis=1, keepdims=True), (1, passes.shape[1]))
    assert model_cases(graded).noise.mean() < 0.5 * model_cases(passes).noise.mean()


def test_a_missing_score_is_no_failure() -> None:
    scores = made_up(2)
    holes = scores.copy()
    holes[::2, 0] = np.nan
    zeros = np.where(np.isnan(holes), 0.0, holes)
    full = model_cases(scores).easiness
    assert np.abs(model_cases(holes).easiness - full).mean() < np.abs(model_cases(zeros).easiness - full).mean()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60), st.sampled_from(("difficulty", "pattern")), st.booleans())
def test_weights_are_one_together_bounded_and_of_k_different_cases(seed: int, k: int, way: str, uneven: bool) -> None:
    random = np.random.default_rng(seed)
    scores = made_up(seed, cases=50, systems=int(random.integers(1, 6)))
    mass = random.integers(1, 40, 50).astype(float) if uneven else np.ones(50)
    chosen = choose_cases(scores, mass, k, method=way, seed=seed)
    assert len(set(chosen.rows.tolist())) == len(chosen.rows) == min(k, 50)
    assert chosen.weights.sum() == pytest.approx(1)
    assert chosen.weights.min() >= 0
    most = np.maximum(MAX_RELATIVE_WEIGHT / k, mass[chosen.rows] / mass.sum())
    assert (chosen.weights <= most + 1e-6).all()
    again = choose_cases(scores, mass, k, method=way, seed=seed)
    assert again.rows.tolist() == chosen.rows.tolist()
    assert again.weights.tolist() == chosen.weights.tolist()


def test_more_than_there_is_keeps_everything_with_its_own_weight() -> None:
    mass = np.array([1.0, 2.0, 5.0])
    chosen = choose_cases(made_up(0, cases=3), mass, 7)
    assert chosen.rows.tolist() == [0, 1, 2]
    assert chosen.weights.tolist() == [1 / 8, 2 / 8, 5 / 8]


def test_heavy_cases_are_certain() -> None:
    mass = np.ones(100)
    mass[[3, 70]] = 60
    chosen = choose_cases(made_up(0, cases=100), mass, 10)
    assert {3, 70} <= set(chosen.rows.tolist())
    assert chosen.weights[chosen.rows == 3] > 0.2


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
def test_constant_systems_are_predicted_exactly(value: float) -> None:
    scores = np.full((40, 3), value)
    chosen = choose_cases(scores, np.ones(40), 5)
    assert weighted_means(scores[chosen.rows], chosen.weights) == pytest.approx([value] * 3)


def test_weights_mend_a_lopsided_choice() -> None:
    scores = made_up(3)
    model, mass = model_cases(scores), np.full(300, 1 / 300)
    order = np.argsort(model.easiness)
    rows = np.sort(np.concatenate((order[:60:2], order[60::12])))  # every other hard case, and every twelfth other one
    weights = best_weights(model, mass, rows)
    plain = np.abs(scores[rows].mean(axis=0) - scores.mean(axis=0)).mean()
    assert np.abs(weights @ scores[rows] - scores.mean(axis=0)).mean() < plain / 3


def test_better_than_random_on_systems_that_were_left_out() -> None:
    """Where difficulty tells most of a score: random draws then differ mostly by how hard they are."""
    errors = [cross_validate(made_up(seed, systems=5, spread=5), np.ones(300), 30, seed=seed) for seed in range(4)]
    assert np.mean([one.error for one in errors if one]) < 0.75 * np.mean([one.random_error for one in errors if one])


def test_systems_left_out_are_not_known_to_the_choice() -> None:
    """One family in two turns would tell itself: the error of a twin must be that of a stranger."""
    scores = made_up(5, systems=4)
    twins = np.hstack((scores, scores))
    assert system_families(twins) == [0, 1, 2, 3, 0, 1, 2, 3]
    alone, with_twins = cross_validate(scores, np.ones(300), 20), cross_validate(twins, np.ones(300), 20)
    assert alone is not None
    assert with_twins is not None
    assert with_twins.folds == 4
    assert with_twins.error > 0.5 * alone.error


def test_what_cannot_be_told_is_none() -> None:
    assert cross_validate(made_up(0, systems=1), np.ones(300), 20) is None
    assert cross_validate(made_up(0, systems=2), np.ones(300), 20) is None
    assert best_method(made_up(0, systems=5), np.ones(300), 20)[0] == "difficulty"


def test_of_two_ways_the_one_with_the_smaller_error_is_taken() -> None:
    """Cases of a few kinds, which each system is good at or not: there is no one difficulty."""
    random = np.random.default_rng(1)
    kinds = np.repeat(np.arange(6), 20)
    scores = (random.random((6, 8)) < 0.5).astype(float)[kinds]
    mass = np.ones(120)
    own = range(8)
    way, expected = best_method(scores, mass, 6, families=own)
    ways = {name: cross_validate(scores, mass, 6, method=name, families=own) for name in ("difficulty", "pattern")}
    assert expected == ways[way] == min(ways.values(), key=lambda one: one.error)
    assert ways["pattern"].error < ways["difficulty"].error


def test_medoids_by_hand() -> None:
    points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [9.0]])
    rows, shares = medoids(points, np.array([1.0, 1, 1, 1, 1, 3]), 3, np.random.default_rng(0))
    assert rows[0] == 1
    assert rows[1] in (3, 4)
    assert rows[2] == 5
    assert shares == pytest.approx([3 / 8, 2 / 8, 3 / 8])


def test_medoids_of_equal_points_are_different_rows() -> None:
    rows, shares = medoids(np.ones((6, 2)), np.ones(6), 4, np.random.default_rng(0))
    assert len(set(rows.tolist())) == 4
    assert shares.sum() == pytest.approx(1)


def test_kendall_by_hand() -> None:
    assert kendall(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4])) == pytest.approx(4 / 6)
    assert kendall(np.array([1.0, 2, 3]), np.array([1.0, 1, 2])) == pytest.approx(2 / np.sqrt(6))
    assert kendall(np.ones(3), np.arange(3.0)) is None
    assert kendall(np.ones(2), np.ones(2)) is None
