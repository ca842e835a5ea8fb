"""The learning curve: scores and paired gains over the held-out cases that every round has scored."""

from __future__ import annotations

import numpy as np
import pytest

from curator.errors import ConfigError
from curator.estimation.learning_curve import RoundScores, learning_curve, score_table


def scores(values: list[float], labels: int, groups: dict[str, str] | None = None) -> RoundScores:
    return RoundScores(labels, {f"case-{i}": value for i, value in enumerate(values)}, groups)


def test_points_have_the_score_and_the_gain_of_each_round() -> None:
    first, second = [1.0] * 60 + [0.0] * 40, [1.0] * 70 + [0.0] * 30
    points = learning_curve([scores(first, 100), scores(second, 175)])
    assert [point.labels for point in points] == [100, 175]
    assert [point.score for point in points] == pytest.approx([0.6, 0.7])
    assert points[0].gain is None
    assert points[0].gain_low is None
    assert points[1].gain == pytest.approx(0.1)
    assert points[1].gain_low is not None
    assert points[1].gain_high is not None
    assert points[1].gain_low > 0  # ten cases better and none worse; unpaired, .6 and .7 of 100 do not differ
    assert points[1].gain_low < 0.1 < points[1].gain_high
    for point in points:
        assert point.low is not None
        assert point.high is not None
        assert point.low < point.score < point.high  # type: ignore[operator]


def test_the_score_has_the_interval_of_wilson() -> None:
    (point,) = learning_curve([scores([1.0] * 300 + [0.0] * 100, 100)])
    assert (point.low, point.high) == pytest.approx((0.7054, 0.7899), abs=0.002)


def test_a_higher_confidence_gives_wider_intervals() -> None:
    rounds = [scores([1.0] * 60 + [0.0] * 40, 100), scores([1.0] * 70 + [0.0] * 30, 175)]
    narrow, wide = (learning_curve(rounds, confidence=confidence)[1] for confidence in (0.8, 0.99))
    assert wide.low < narrow.low  # type: ignore[operator]
    assert wide.gain_high > narrow.gain_high  # type: ignore[operator]


def test_near_duplicates_count_as_one_draw() -> None:
    values = [1.0] * 60 + [0.0] * 40
    copies = {f"case-{i}": str(i % 50) for i in range(100)}  # case 0 and 50, 1 and 51, ... are of one group
    alone, grouped = (score_table([scores(values, 100, groups)]) for groups in (None, copies))
    assert (len(alone.sizes), len(grouped.sizes), grouped.cases) == (100, 50, 100)
    assert grouped.scores == pytest.approx([0.6])
    same = {f"case-{i}": str(i // 2) for i in range(100)}  # both of a pair have the same score: twice the variance
    pairs = score_table([scores(values, 100, same)])
    assert pairs.covariance[0, 0] == pytest.approx(2 * alone.covariance[0, 0], rel=0.05)


def test_the_covariance_is_that_of_the_means() -> None:
    generator = np.random.default_rng(0)
    correct = (generator.random((2, 20)) < 0.5).astype(float)
    table = score_table([scores([*correct[0]], 100), scores([*correct[1]], 175)])
    assert table.covariance == pytest.approx(np.cov(correct) / 20 + np.eye(2) / 22**2)


def test_a_group_named_as_a_case_is_another_group() -> None:
    table = score_table([RoundScores(100, {"a": 1.0, "b": 0.0}, {"b": "a"})])
    assert len(table.sizes) == 2


def test_only_cases_with_a_score_in_every_round_count() -> None:
    rounds = [RoundScores(100, {"a": 1.0, "b": 0.0, "c": 1.0}), RoundScores(175, {"a": 1.0, "b": 1.0, "d": 0.0})]
    table = score_table(rounds)
    assert (table.cases, table.left_out) == (2, 2)
    assert [point.score for point in learning_curve(rounds)] == [0.5, 1.0]


def test_models_that_agree_on_every_case_are_not_equal_for_certain() -> None:
    rounds = [scores([1.0] * 60 + [0.0] * 40, labels) for labels in (100, 175)]
    covariance = score_table(rounds).covariance
    assert covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1] == pytest.approx(2 / 102**2)
    point = learning_curve(rounds)[1]
    assert point.gain == 0
    assert point.gain_high is not None
    assert point.gain_high > 0


def test_without_a_case_there_is_no_score_and_with_one_no_interval() -> None:
    (none,) = learning_curve([RoundScores(100, {})])
    assert (none.score, none.low, none.cases) == (None, None, 0)
    first, second = learning_curve([RoundScores(100, {"a": 0.0}), RoundScores(175, {"a": 1.0})])
    assert (first.score, first.low, second.gain, second.gain_low) == (0.0, None, 1.0, None)
    assert learning_curve([]) == ()


def test_labels_must_increase() -> None:
    with pytest.raises(ConfigError, match="175 training labels follows a round with 175"):
        learning_curve([scores([1.0], 175), scores([1.0], 175)])


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_a_score_outside_its_range_is_refused_with_its_case(value: float) -> None:
    with pytest.raises(ConfigError, match="round 1: the score of case 'case-0'"):
        learning_curve([scores([1.0], 100), scores([value], 175)])


def test_gains_cover_the_true_gain() -> None:
    """The 95% interval of a gain, with groups of three near-duplicates: 200 draws with a true gain of .05."""
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        difficulty = np.repeat(generator.random(100), 3)  # one draw for the three cases of a group
        groups = {f"case-{i}": str(i // 3) for i in range(300)}
        before, after = difficulty < 0.6, difficulty < 0.65
        point = learning_curve([scores([*before.astype(float)], 100, groups), scores([*after.astype(float)], 175)])[1]
        rounds = [scores([*values.astype(float)], n, groups) for values, n in ((before, 100), (after, 175))]
        point = learning_curve(rounds)[1]
        covered += point.gain_low <= 0.05 <= point.gain_high  # type: ignore[operator]
    assert covered >= 182
