"""The benchmark of the stop rule: the best stop in hindsight, the rules beside ours, and the simulated curves."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.estimation.stopping import Truth, distance, smoothed
from benchmarks.estimation.stopping_rules import Loop, first, kappa_average, naive, patience
from benchmarks.estimation.stopping_simulation import FAMILIES, simulated, true_curve
from curator.estimation.stop_rule import StopRule

RULE = StopRule()
LABELS = np.array([100.0, 175, 250, 325, 400, 475])


def test_the_best_stop_is_before_the_last_gain_that_is_worth_its_labels() -> None:
    truth = Truth(LABELS, np.cumsum([0.5, 0.03, 0.005, 0.02, 0.004, 0.003]), 0.01)
    assert truth.below == [False, True, False, True, True]
    assert truth.best == 3
    assert truth.lost(3) == 0
    assert truth.lost(4) == pytest.approx(0.6)  # a point for the round, less .4 that it gained
    assert distance([3, 4, None], truth) == pytest.approx([1, 400 / 325, 475 / 325])


def test_without_a_small_gain_the_best_stop_is_the_end() -> None:
    assert Truth(LABELS, np.arange(6) / 10, 0.01).best == 5
    assert Truth(LABELS, np.full(6, 0.5), 0.01).best == 0


def test_smoothing_keeps_a_concave_curve_and_flattens_a_dent() -> None:
    concave = 0.9 - 20 / LABELS
    assert smoothed(LABELS, concave) == pytest.approx(concave, abs=1e-6)
    dented = concave - np.array([0, 0, 0.02, 0, 0, 0])
    gains = np.diff(smoothed(LABELS, dented))
    assert (np.diff(gains) < 1e-9).all()
    assert (gains > -1e-9).all()


def test_the_rules_of_others_stop_where_they_say() -> None:
    scores = np.array([0.5, 0.6, 0.604, 0.63, 0.632, 0.634, 0.636])
    labels = 100.0 + 75 * np.arange(7)
    loop = Loop(labels, np.repeat(scores[:, None], 10, axis=1), np.array([0.9, 0.95, 0.992, 0.992, 0.992, 1]))
    assert naive(loop, RULE) == 5  # gains below .01 in rounds 2, 4 and 5
    assert patience(loop, RULE) == 6  # rounds 4, 5 and 6 are not a point above round 3
    assert kappa_average(loop, RULE) == 5  # the kappas of rounds 3 to 5
    assert first([True, False, True, True], 2, 3) == 6
    assert first([True, False, True], 2, 0) is None


@pytest.mark.parametrize("family", FAMILIES)
def test_a_simulated_loop_has_the_scores_of_its_curve(family: str) -> None:
    curve = true_curve(family, np.random.default_rng(0), 0.01)
    loop = simulated(curve, np.random.default_rng(1), 20_000)
    assert loop.scores == pytest.approx(curve[:20], abs=0.03)
    differing = (loop.correct[1:] != loop.correct[:-1]).mean()
    assert 0.02 < differing < 0.16


def test_the_line_is_at_the_threshold_in_every_round() -> None:
    assert np.diff(true_curve("line at the threshold", np.random.default_rng(0), 0.01)) == pytest.approx(0.01)
