"""Intervals that may be looked at after every label."""

from __future__ import annotations

import math

import numpy as np
import pytest

from curator.estimation.confidence_sequence import sequence_factor, sequence_quantile
from curator.estimation.failure_rate import estimate
from curator.estimation.sample_design import draw
from curator.estimation.sampling_frame import SamplingUnit, build_frame
from curator.stats import student_quantile


def test_the_boundary_is_crossed_by_a_brownian_motion_with_the_stated_probability() -> None:
    rng = np.random.default_rng(0)
    information = np.geomspace(0.05, 4000, 1500)
    steps = rng.normal(size=(2000, len(information))) * np.sqrt(np.diff(information, prepend=0.0))
    bounds = np.array([sequence_factor(0.9, labels) for labels in information]) * np.sqrt(information)
    crossed = (np.abs(steps.cumsum(axis=1)) > bounds).any(axis=1).mean()
    assert 0.05 < crossed <= 0.1  # not 0.1: these looks neither begin at 0 nor go on for ever


def test_the_price_is_about_the_same_between_12_and_100_labels() -> None:
    factors = [sequence_factor(0.95, labels) for labels in (12, 20, 50, 100)]
    assert max(factors) / min(factors) < 1.06
    assert 1.5 < factors[1] / student_quantile(0.95, math.inf) < 1.65


def test_few_degrees_of_freedom_widen_it_and_infinitely_many_do_not() -> None:
    assert sequence_quantile(0.9, 20, math.inf) == sequence_factor(0.9, 20)
    assert sequence_quantile(0.9, 20, 8) > 1.2 * sequence_factor(0.9, 20)


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_looks_after_every_fifth_label_are_all_covered(rate: float) -> None:
    pool = [SamplingUnit(f"c{i:03}", {"score": (i * 37 % 300) / 300}) for i in range(300)]
    frame = build_frame(pool)
    held, of_interval = [], []
    for seed in range(150):
        failed = np.random.default_rng(seed).random(300) < rate
        failures = dict(zip(frame.ids, failed.astype(float).tolist(), strict=True))
        stage = draw(frame, 60, seed=seed)
        looks = [estimate(frame, [stage], {i: failures[i] for i in stage.drawn[:n]}) for n in range(5, 61, 5)]
        truth = float(failed.mean())
        ends = [(look.anytime_interval(0.9), look.interval(0.9)) for look in looks]
        held.append(all(low <= truth <= high for (low, high), _ in ends))
        of_interval.append(all(low <= truth <= high for _, (low, high) in ends))
        assert all(a[0] <= b[0] and b[1] <= a[1] for a, b in ends)
    assert np.mean(held) >= 0.9
    assert np.mean(of_interval) < np.mean(held)
