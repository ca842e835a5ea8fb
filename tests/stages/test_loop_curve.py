"""The decision of a round: which rule ends a loop, and on which cases its models are compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curator.config import Config, parse_config
from curator.estimation.stop_rule import StopView, stop_view
from curator.records.loop import LoopRound
from curator.stages.loop_curve import LoopCurve, stop_reason, stop_rule
from tests.workflows.loop_kit import loop_job

ROUND = LoopRound(0, 100, 400, 0.5, 0.4, 0.6, 300, label_s=3600.0, training_s=1.0, usd=2.0)


def config_of(tmp_path: Path, **stop: Any) -> Config:
    return parse_config(loop_job(tmp_path, stop={"max_labels": 1000, **stop}))


def view_of(tmp_path: Path) -> StopView:
    return stop_view([], stop_rule(config_of(tmp_path)))


def test_the_rule_is_that_of_the_config(tmp_path: Path) -> None:
    stop = {"min_gain": 0.02, "rounds": 3, "confidence": 0.8, "half_width": 0.03}
    rule = stop_rule(config_of(tmp_path, **stop))
    assert {name: getattr(rule, name) for name in stop} == stop
    assert (rule.round_labels, rule.max_labels) == (10, None)


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ({}, None),
        ({"max_labels": 400}, "labels"),
        ({"max_labels": 401}, None),
        ({"max_hours": 2.0}, "hours"),
        ({"max_hours": 2.1}, None),
        ({"max_usd": 4.0}, "usd"),
        ({"max_usd": 4.1}, None),
    ],
)
def test_a_budget_ends_a_loop(stop: dict[str, float], reason: str | None, tmp_path: Path) -> None:
    rounds = [replace(ROUND, labels=300), ROUND]
    assert stop_reason(view_of(tmp_path), rounds, config_of(tmp_path, **stop), left=5) == reason


def test_a_loop_ends_where_no_case_is_left(tmp_path: Path) -> None:
    assert stop_reason(view_of(tmp_path), [ROUND], config_of(tmp_path), left=0) == "pool"


def test_the_gain_counts_before_the_budgets(tmp_path: Path) -> None:
    view = replace(view_of(tmp_path), stop=True, reason="gain")
    assert stop_reason(view, [ROUND], config_of(tmp_path, max_labels=400), left=0) == "gain"


def test_rounds_are_compared_on_the_cases_that_can_be_told_in_all_of_them() -> None:
    curve = LoopCurve([10, 20], [{"a": 1.0, "b": None, "c": 0.0}, {"a": 1.0, "b": 1.0, "c": 1.0}])
    assert curve.compared == {"a", "c"}
    assert [point.score for point in curve.points] == [0.5, 1.0]


def test_a_round_without_a_new_training_label_is_no_point_of_the_curve() -> None:
    curve = LoopCurve([10, 10, 20], [{"a": 0.0}, {"a": 1.0}, {"a": 1.0}])
    assert [point.labels for point in curve.points] == [10, 20]
