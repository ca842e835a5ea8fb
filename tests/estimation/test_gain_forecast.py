"""The forecast of the next gain from the scores of all rounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from curator.estimation.gain_forecast import Floats, forecast_gain

LABELS = 100.0 + 75 * np.arange(10)
EXACT = np.eye(10) * 1e-6


def power_law(labels: Floats) -> Floats:
    return 0.9 - 4.0 * labels**-0.5


def exponential(labels: Floats) -> Floats:
    return 0.9 - 0.5 * np.exp(-labels / 300)


def logarithm(labels: Floats) -> Floats:
    return 0.1 * np.log(labels)


def line(labels: Floats) -> Floats:
    return 0.2 + labels / 5000


@pytest.mark.parametrize("curve", [power_law, exponential, logarithm, line])
def test_a_curve_without_noise_is_continued(curve: Callable[[Floats], Floats]) -> None:
    truth = float(np.diff(curve(np.array([LABELS[-1], LABELS[-1] + 75])))[0])
    forecast = forecast_gain(LABELS, curve(LABELS), EXACT, step=75, z=1.96)
    assert forecast.gain == pytest.approx(truth, abs=0.0007)
    assert forecast.low <= truth <= forecast.high
    assert forecast.high - forecast.low < 0.006
    assert forecast.resolution == forecast.high - forecast.gain
    assert forecast.fitted == pytest.approx(curve(LABELS), abs=0.002)


def test_a_longer_step_gains_more_but_less_for_each_label() -> None:
    short, long = (forecast_gain(LABELS, power_law(LABELS), EXACT, step=step, z=1.96).gain for step in (75, 150))
    assert short < long < 2 * short


def test_more_noise_and_a_higher_quantile_widen_the_interval() -> None:
    def width(variance: float, z: float) -> float:
        forecast = forecast_gain(LABELS, power_law(LABELS), np.eye(10) * variance, step=75, z=z)
        return forecast.high - forecast.low

    assert width(1e-5, 1.96) < width(1e-4, 1.96) < width(1e-4, 2.5)


def test_a_variance_that_all_rounds_share_does_not_matter() -> None:
    alone, shared = (
        forecast_gain(LABELS, power_law(LABELS), np.eye(10) * 1e-4 + constant, step=75, z=1.96)
        for constant in (0, 0.01)
    )
    assert (shared.gain, shared.low, shared.high) == pytest.approx((alone.gain, alone.low, alone.high), abs=1e-6)


def test_scores_do_not_depend_on_their_level() -> None:
    low, high = (forecast_gain(LABELS, power_law(LABELS) - offset, EXACT, step=75, z=1.96) for offset in (0.5, 0))
    assert low.high == pytest.approx(high.high, abs=1e-9)


def test_four_noisy_rounds_leave_a_line_open() -> None:
    forecast = forecast_gain(LABELS[:4], power_law(LABELS[:4]), np.eye(4) * 1e-4, step=75, z=2.5)
    assert forecast.high > float(np.diff(power_law(LABELS[:4])).mean())
