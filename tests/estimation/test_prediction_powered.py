"""A judge's verdicts in the estimate: they narrow it as far as they are right, with little bias."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from curator.estimation.failure_rate import Estimate, estimate
from curator.estimation.labelled_pool import label_pool
from curator.estimation.prediction_powered import predictions_of, tuned_weight
from curator.estimation.sample_design import Stage, Stratum, draw
from curator.estimation.sampling_frame import SamplingUnit, build_frame

CHANCES = np.random.default_rng(3).random((2, 500))
POOL = [SamplingUnit(f"c{i:03}", {"score": float(CHANCES[0, i])}, weight=1.0 + i % 3) for i in range(500)]
FAILS = {unit.id: float(CHANCES[1, i] < CHANCES[0, i] / 2) for i, unit in enumerate(POOL)}
FRAME = build_frame(POOL)
TRUTH = float(np.average([FAILS[unit.id] for unit in POOL], weights=[unit.weight for unit in POOL]))


def _verdicts(accuracy: float, seed: int) -> dict[str, float]:
    right = np.random.default_rng(seed).random(len(POOL)) < accuracy
    return {unit.id: FAILS[unit.id] if right[i] else 1 - FAILS[unit.id] for i, unit in enumerate(POOL)}


def _estimates(accuracy: float, seeds: int = 60) -> list[tuple[Estimate, Estimate]]:
    """Estimates with a judge and without, on the same draws."""
    estimates = []
    for seed in range(seeds):
        stage = draw(FRAME, 60, seed=seed)
        labels = {i: FAILS[i] for i in stage.drawn}
        verdicts = _verdicts(accuracy, seed)
        estimates.append((estimate(FRAME, [stage], labels, predictions=verdicts), estimate(FRAME, [stage], labels)))
    return estimates


def _squared_errors(estimates: list[tuple[Estimate, Estimate]]) -> tuple[float, float]:
    with_judge, alone = ([(pair[k].rate - TRUTH) ** 2 for pair in estimates] for k in (0, 1))
    return float(np.mean(with_judge)), float(np.mean(alone))


def test_a_judge_that_is_right_saves_labels_and_the_interval_still_covers() -> None:
    estimates = _estimates(0.95)
    with_judge, alone = _squared_errors(estimates)
    assert with_judge < alone / 2
    assert np.mean([one.high - one.low for one, _ in estimates]) < 0.8 * np.mean([a.high - a.low for _, a in estimates])
    assert np.mean([one.low <= TRUTH <= one.high for one, _ in estimates]) >= 0.9


def test_a_judge_that_guesses_changes_next_to_nothing() -> None:
    estimates = _estimates(0.5)
    with_judge, alone = _squared_errors(estimates)
    assert with_judge < 1.04 * alone
    assert np.mean([one.prediction_weight for one, _ in estimates]) < 0.05


def test_a_judge_that_guesses_gets_a_weight_only_beyond_one_standard_error() -> None:
    used = []
    for seed in range(30):
        stage = draw(FRAME, 60, seed=seed)
        pool = label_pool(FRAME, [stage], {i: FAILS[i] for i in stage.drawn})
        guesses = np.random.default_rng(seed).integers(2, size=(30, len(POOL))).astype(float)
        used += [tuned_weight(FRAME, pool.stages, pool.weights, pool.y, guess) > 0 for guess in guesses]
    assert 0.1 < np.mean(used) < 0.25  # 0.16 of a normal distribution; 0.33 here if a stratum of two had half its noise


def test_a_judge_that_is_always_wrong_is_not_used() -> None:
    assert all(one.prediction_weight == 0 and one.rate == alone.rate for one, alone in _estimates(0.05, 5))


def test_the_verdicts_of_a_perfect_judge_are_the_rate() -> None:
    ((one, _),) = _estimates(1.0, 1)
    assert one.prediction_weight == 1
    assert one.rate == pytest.approx(TRUTH)


def test_over_all_possible_draws_the_bias_is_small() -> None:
    pool = [SamplingUnit(f"p{i}") for i in range(10)]
    fails = {f"p{i}": float(i in (1, 4, 5, 8)) for i in range(10)}
    verdicts = {**fails, "p0": 1.0, "p8": 0.0}
    rates = [
        estimate(
            pool, [Stage((), (Stratum(tuple(fails), drawn),))], {i: fails[i] for i in drawn}, predictions=verdicts
        ).rate
        for drawn in combinations(fails, 6)
    ]
    assert np.mean(rates) == pytest.approx(0.4, abs=0.02)


def test_a_case_without_a_verdict_counts_as_the_mean_of_the_others() -> None:
    frame = build_frame([SamplingUnit("a", weight=3), SamplingUnit("b"), SamplingUnit("c")])
    assert predictions_of(frame, {"a": 1.0, "b": 0.0, "other": 1.0}).tolist() == [1.0, 0.0, 0.75]
    assert predictions_of(frame, {}).tolist() == [0.0, 0.0, 0.0]
