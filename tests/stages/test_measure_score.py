"""Labels of drawn cases to the quality of the score: the weights, and the labels that count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from curator.estimation.sample_design import Stage, Stratum
from curator.records import Case, Message, Reference, Source, Verdict
from curator.stages.measure_score import (
    Draw,
    RankedCase,
    case_weights,
    draws_by_labels,
    draws_of_stages,
    failures_by_labels,
    measure_score,
    ranked_cases,
    strategy_yields,
)

CASE = Case("c", (Message("system", "Answer briefly."), Message("user", "?")), Source("log", 1), target="7")


def pool(n: int = 2000) -> Iterator[tuple[RankedCase, float]]:
    """Cases that fail the more often, the higher their score."""
    drawn = Random(1)
    for number in range(n):
        score = drawn.random()
        yield RankedCase(f"c{number}", score, 10.0, "", ""), float(drawn.random() < score)


def area_of(cases: dict[str, RankedCase], failures: dict[str, float], draws: dict[str, Draw]) -> float:
    quality = measure_score(cases, failures, draws)
    assert quality is not None
    assert quality.pooled.score.value is not None
    return quality.pooled.score.value


def test_discovery_and_the_random_slice_together_represent_the_pool() -> None:
    """Discovery takes the highest scores; the slice alone would judge the score on a narrow range."""
    cases, failures = {}, {}
    for case, failure in pool():
        cases[case.id], failures[case.id] = case, failure
    true = area_of(cases, failures, {i: Draw("random", 1.0) for i in cases})
    by_score = sorted(cases, key=lambda i: -cases[i].score)
    chosen = {i: Draw("disagreement", 1.0) for i in by_score[:1000]}
    drawn = {i: Draw("random", 0.5) for i in by_score[1000::2]}
    both = area_of(cases, failures, chosen | drawn)
    slice_only = area_of(cases, failures, drawn)
    assert abs(both - true) < 0.02 < true - slice_only


def test_unlabelled_picks_of_discovery_are_represented_by_the_labelled_ones() -> None:
    draws = {f"d{n}": Draw("disagreement", 1.0) for n in range(4)} | {f"r{n}": Draw("random", 0.1) for n in range(2)}
    assert case_weights({"d0", "r0", "r1"}, draws) == {"d0": 4.0, "r0": 10.0, "r1": 10.0}


def test_the_draws_of_a_design_are_those_of_its_picks() -> None:
    first = Stage(("d1",), (Stratum(("r1", "x", "d2", "r2"), ("r1",)),))
    second = Stage(("d1", "r1", "d2"), (Stratum(("r2", "x"), ("r2",)),))
    assert draws_of_stages([first, second]) == {
        "d1": Draw("disagreement", 1.0, 1), "r1": Draw("random", 0.25, 1),
        "d2": Draw("disagreement", 1.0, 2), "r2": Draw("random", 0.5, 2),
    }  # fmt: skip


def test_each_round_represents_the_whole_pool() -> None:
    """10 cases: two rounds of one pick of discovery and one drawn case."""
    draws = {
        "d1": Draw("disagreement", 1.0, 1), "r1": Draw("random", 1 / 9, 1),
        "d2": Draw("diversity", 1.0, 2), "r2": Draw("random", 1 / 7, 2),
    }  # fmt: skip
    weights = case_weights(draws.keys(), draws)
    assert weights == pytest.approx({"d1": 1.0, "r1": (9 + 1) / 2, "d2": 0.5, "r2": 3.5})
    assert sum(weights.values()) == pytest.approx(10)


def test_labels_without_the_random_slice_measure_nothing() -> None:
    cases = {case.id: case for case, _ in pool(60)}
    failures = {case.id: failure for case, failure in pool(60)}
    assert measure_score(cases, failures, dict.fromkeys(cases, Draw("disagreement", 1.0))) is None


def test_it_says_that_discovery_has_no_label() -> None:
    cases = {case.id: case for case, _ in pool(60)}
    failures = {case.id: failure for case, failure in pool(60)}
    draws = dict.fromkeys(cases, Draw("random", 0.5))
    quality = measure_score(cases, failures, draws | {"unlabelled": Draw("disagreement", 1.0)})
    assert quality is not None
    assert quality.represents == "rest"


def test_only_labels_that_can_be_passes_and_failures_count() -> None:
    cases = [
        replace(CASE, id="verdict", verdict=Verdict(1.0)),
        replace(CASE, id="label", reference=Reference("7", "label")),
        replace(CASE, id="text", reference=Reference("7", "label")),
        replace(CASE, id="judged text", reference=Reference("7", "label"), verdict=Verdict(0.0)),
        replace(CASE, id="correction", reference=Reference("8", "correction")),
        replace(CASE, id="teacher", reference=Reference("8", "teacher")),
    ]
    kinds = {"text": "text", "judged text": "text"}
    counted = failures_by_labels(cases, {case.id: 0.0 for case in cases}, kinds)  # type: ignore[arg-type]  # kinds
    assert counted.keys() == {"verdict", "label", "judged text"}


def test_the_draw_is_read_from_the_label() -> None:
    named = [
        replace(CASE, id="a", verdict=Verdict(1.0, "random", 0.25)),
        replace(CASE, id="b", reference=Reference("7", "label", slice="diversity")),
        replace(CASE, id="c", reference=Reference("7", "label")),
    ]
    assert draws_by_labels(named) == {"a": Draw("random", 0.25), "b": Draw("diversity", 1.0)}
    assert draws_by_labels(named[2:]) == {"c": Draw("random", 1.0)}


def test_cases_of_one_system_prompt_are_one_task() -> None:
    cases = [CASE, replace(CASE, id="d"), replace(CASE, id="e", task="orders"), replace(CASE, id="unscored")]
    ranked = ranked_cases(cases, {"c": 0.1, "d": 0.2, "e": 0.3}, {"c": 5.0})
    assert ranked["c"].task == ranked["d"].task != ""
    assert ranked["e"].task == "orders"
    assert (ranked["c"].length, ranked["d"].length) == (5.0, None)
    assert "unscored" not in ranked


def test_the_yield_of_the_random_slice_counts_by_its_weights() -> None:
    draws = {"a": Draw("random", 0.5), "b": Draw("random", 0.1), "c": Draw("disagreement", 1.0)}
    by_slice = {item.slice: item for item in strategy_yields({"a": 1.0, "b": 0.0, "c": 0.5}, draws)}
    assert by_slice["random"].rate == pytest.approx(2 / 12, abs=1e-6)
    assert by_slice["random"].worth == pytest.approx(144 / 104, abs=1e-6)
    assert (by_slice["disagreement"].failures, by_slice["disagreement"].rate) == (0.5, 0.5)
    assert "diversity" not in by_slice
