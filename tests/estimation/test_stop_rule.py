"""The rule that stops a loop: never on noise, never without enough data, and always where a curve is level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from curator.errors import ConfigError
from curator.estimation.gain_forecast import GainForecast
from curator.estimation.learning_curve import RoundScores
from curator.estimation.stop_rule import MIN_CASES, StopPower, StopRule, planned_power, stop_view
from curator.records import Rate

RULE = StopRule()
Accuracy = Callable[[int], float]


def loop(accuracy: Accuracy, *, rounds: int, cases: int, seed: int = 0) -> list[RoundScores]:
    """Rounds of 75 labels after 100: a case is right where its difficulty, with a little noise in each round, is below the accuracy."""
    generator = np.random.default_rng(seed)
    difficulty = generator.random(cases)
    scored = []
    for labels in range(100, 100 + 75 * rounds, 75):
        noise: NDArray[np.float64] = generator.normal(0, 0.03, cases)
        right = (difficulty + noise) % 1 < accuracy(labels)
        scored.append(RoundScores(labels, {str(i): float(value) for i, value in enumerate(right)}))
    return scored


def level(labels: int) -> float:
    return 0.8


def rising(labels: int) -> float:
    return 0.2 + 0.015 * (labels - 100) / 75


def flattening(labels: int) -> float:
    return 0.9 - 0.6 * float(np.exp(-(labels - 100) / 200))


def first_stop(rounds: list[RoundScores], rule: StopRule = RULE) -> int | None:
    return next((k for k in range(1, len(rounds) + 1) if stop_view(rounds[:k], rule).stop), None)


def test_a_level_curve_is_stopped_after_two_rounds_in_a_row() -> None:
    rounds = loop(level, rounds=20, cases=1000)
    stop = first_stop(rounds)
    assert stop is not None
    assert stop < 12
    view, before = stop_view(rounds[:stop], RULE), stop_view(rounds[: stop - 1], RULE)
    assert (view.reason, view.rounds_below, before.rounds_below, before.stop) == ("gain", 2, 1, False)
    assert view.high is not None
    assert view.high < RULE.min_gain
    assert view.sentence.startswith("Stop: The next 75 labels would bring")
    assert first_stop(rounds, StopRule(rounds=1)) == stop - 1


def test_a_curve_that_flattens_is_stopped_after_the_gain_fell_under_the_threshold() -> None:
    stop = first_stop(loop(flattening, rounds=25, cases=1000))
    assert stop is not None
    labels = 100 + 75 * (stop - 1)
    assert flattening(labels + 75) - flattening(labels) < RULE.min_gain


def test_only_rounds_in_a_row_count(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = {4: 0.005, 5: 0.02, 6: 0.005, 7: 0.005}

    def forecast(labels: NDArray[np.float64], *_: object, **__: object) -> GainForecast:
        return GainForecast(0.0, -0.01, ends[len(labels)], np.zeros(len(labels)))

    monkeypatch.setattr("curator.estimation.stop_rule.forecast_gain", forecast)
    rounds = loop(level, rounds=7, cases=100)
    assert [stop_view(rounds[:k], RULE).rounds_below for k in (4, 5, 6, 7)] == [1, 0, 1, 2]
    assert [stop_view(rounds[:k], RULE).stop for k in (4, 5, 6, 7)] == [False, False, False, True]


def test_the_gain_is_that_of_the_labels_of_a_round() -> None:
    rounds = loop(flattening, rounds=10, cases=1000)
    short, long = (stop_view(rounds, StopRule(round_labels=labels)) for labels in (75, 150))
    assert short.gain < long.gain  # type: ignore[operator]
    assert long.sentence.startswith("Go on. The next 150 labels would bring")


def test_rising_curves_are_not_stopped_by_noise() -> None:
    assert [first_stop(loop(rising, rounds=12, cases=300, seed=seed)) for seed in range(5)] == [None] * 5


def test_a_look_has_a_twelfth_of_the_tail() -> None:
    assert StopRule().z == pytest.approx(2.638, abs=0.001)
    assert StopRule(confidence=0.8).z == pytest.approx(2.128, abs=0.001)
    rounds = loop(flattening, rounds=12, cases=400)
    sure, bold = (stop_view(rounds, StopRule(confidence=confidence)) for confidence in (0.95, 0.5))
    assert sure.gain == bold.gain
    assert sure.high > bold.high  # type: ignore[operator]


def test_a_lower_threshold_needs_more_rounds() -> None:
    rounds = loop(flattening, rounds=30, cases=1000)
    early, late = (first_stop(rounds, StopRule(min_gain=gain)) for gain in (0.01, 0.004))
    assert early is not None
    assert late is None or late > early


@pytest.mark.parametrize(
    ("rounds", "reason"),
    [
        (loop(level, rounds=3, cases=1000), "3 of the 4 rounds"),
        (loop(level, rounds=15, cases=MIN_CASES - 1), "49 of the 50 held-out cases"),
        ([], "0 of the 4 rounds"),
    ],
)
def test_too_little_data_never_stops_by_gain(rounds: list[RoundScores], reason: str) -> None:
    view = stop_view(rounds, RULE)
    assert (view.stop, view.gain, view.high, view.power, view.rounds_below) == (False, None, None, None, 0)
    assert f"Not enough data to forecast the gain: {reason}" in view.sentence


def test_near_duplicates_are_not_more_data() -> None:
    rounds = loop(level, rounds=15, cases=200)
    groups = {str(i): str(i % 20) for i in range(200)}
    copies = [RoundScores(scores.labels, scores.correct, groups) for scores in rounds]
    assert "20 of the 50 held-out cases" in stop_view(copies, RULE).sentence


def test_missing_scores_keep_the_loop_going() -> None:
    rounds = loop(level, rounds=15, cases=1000)
    assert stop_view(rounds, RULE).stop
    correct = {case: value for case, value in rounds[7].correct.items() if int(case) >= 100}
    view = stop_view([*rounds[:7], RoundScores(rounds[7].labels, correct), *rounds[8:]], RULE)
    assert not view.stop
    assert "100 of 1000 held-out cases have no score in some round" in view.sentence


def test_the_budget_stops_even_without_enough_data() -> None:
    rounds = loop(rising, rounds=2, cases=100)
    assert not stop_view(rounds, StopRule(max_labels=176)).stop
    view = stop_view(rounds, StopRule(max_labels=175))
    assert (view.stop, view.reason) == (True, "budget")
    assert "the budget of 175 labels is spent" in view.sentence


def test_a_precise_rate_stops() -> None:
    rounds = loop(rising, rounds=2, cases=400)
    assert stop_view(rounds, StopRule(half_width=0.05)).reason == "precise"  # the held-out score: .04 to each side
    assert stop_view(rounds, StopRule(half_width=0.03)).reason is None
    narrow, wide, unknown = Rate(0.1, 0.08, 0.12, 900), Rate(0.1, 0.05, 0.15, 90), Rate(None, None, None, 5)
    rule = StopRule(half_width=0.03)
    assert stop_view(rounds, rule, rate=narrow).reason == "precise"
    assert stop_view(rounds, rule, rate=wide).reason is None
    assert stop_view(rounds, StopRule(half_width=0.9), rate=unknown).reason is None


def test_the_power_names_the_cases_that_see_the_threshold() -> None:
    small = stop_view(loop(flattening, rounds=8, cases=150), RULE)
    assert small.power is not None
    assert small.power.least_gain > RULE.min_gain
    assert small.power.cases_needed is not None
    assert small.power.cases_needed > 150
    assert f"it takes about {small.power.cases_needed} cases" in small.sentence
    enough = stop_view(loop(flattening, rounds=8, cases=4 * small.power.cases_needed), RULE).power
    assert enough is not None
    assert enough.least_gain < RULE.min_gain


def test_the_planned_power_follows_its_own_advice() -> None:
    def planned(cases: int, rounds: int = 8) -> StopPower:
        return planned_power(cases, RULE, seed_labels=100, differing=0.1, rounds=rounds)

    plan = planned(200)
    assert plan.cases_needed is not None
    assert plan.least_gain > RULE.min_gain
    assert planned(round(1.02 * plan.cases_needed)).least_gain < RULE.min_gain
    assert planned(round(0.9 * plan.cases_needed)).least_gain > RULE.min_gain
    assert "700 labels after 8 rounds, a rise of 20% until then, and 10% of cases" in plan.sentence
    assert planned(200, rounds=15).least_gain < plan.least_gain


def test_a_threshold_below_the_noise_of_training_cannot_be_reached() -> None:
    plan = planned_power(200, StopRule(min_gain=0.00001), seed_labels=100, differing=0.1)
    assert plan.cases_needed is None
    assert "No number of cases" in plan.sentence


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"min_gain": 0.0}, "min_gain is 0.0"),
        ({"round_labels": 0}, "round_labels is 0"),
        ({"rounds": 0}, "rounds is 0"),
        ({"confidence": 1.0}, "confidence is 1.0"),
        ({"max_labels": 0}, "max_labels is 0"),
        ({"half_width": 2.0}, "half_width is 2.0"),
    ],
)
def test_a_value_out_of_range_is_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        StopRule(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("cases", "differing", "rounds"), [(0, 0.1, 8), (100, 0.0, 8), (100, 1.1, 8), (100, 0.1, 2)])
def test_a_power_without_sense_is_refused(cases: int, differing: float, rounds: int) -> None:
    with pytest.raises(ConfigError, match="no power for"):
        planned_power(cases, RULE, seed_labels=100, differing=differing, rounds=rounds)


def test_a_held_out_set_that_can_never_stop_a_loop_says_so_beforehand() -> None:
    few, enough = (planned_power(cases, RULE, seed_labels=100) for cases in (MIN_CASES - 1, MIN_CASES))
    assert f"too few to stop a loop by its gain: that takes {MIN_CASES}" in few.sentence
    assert "too few" not in enough.sentence
