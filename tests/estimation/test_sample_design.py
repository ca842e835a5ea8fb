"""Which cases are drawn, with what probability, and that nothing but the pool and the seed decides it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import ConfigError
from curator.estimation.risk_model import MIN_LABELS, predict
from curator.estimation.sample_design import Stage, draw
from curator.estimation.sampling_frame import SamplingUnit, build_frame
from curator.estimation.stratification import FLOOR

scores = st.none() | st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)
pools = st.lists(scores, max_size=40).map(
    lambda values: [SamplingUnit(f"c{i:02}", {"score": v}, {"task": "ab"[i % 2]}) for i, v in enumerate(values)]
)
weighted = st.lists(st.tuples(scores, st.integers(1, 50)), max_size=40).map(
    lambda rows: [SamplingUnit(f"c{i:02}", {"score": v}, weight=w) for i, (v, w) in enumerate(rows)]
)


def _pool(n: int, score: float | None = None) -> list[SamplingUnit]:
    return [SamplingUnit(f"c{i:04}", {"score": i / n if score is None else score}) for i in range(n)]


def _cases(stage: Stage) -> list[str]:
    return [*stage.certain, *(i for stratum in stage.strata for i in stratum.cases)]


@given(pools | weighted, st.integers(0, 50), st.integers(0, 3))
def test_every_case_has_one_place_and_the_probabilities_sum_to_the_budget(
    pool: list[SamplingUnit], k: int, seed: int
) -> None:
    stage = draw(pool, k, seed=seed)
    assert sorted(_cases(stage)) == [case.id for case in pool]
    assert len(stage.drawn) == len(set(stage.drawn)) == min(k, len(pool))
    assert sum(s.inclusion_probability * len(s.cases) for s in stage.strata) == pytest.approx(min(k, len(pool)))
    assert all(set(s.drawn) <= set(s.cases) for s in stage.strata)
    assert stage.probabilities.keys() == stage.stratum_of.keys() == set(stage.drawn)


@given(pools | weighted, st.integers(1, 50))
def test_every_stratum_is_drawn_from(pool: list[SamplingUnit], k: int) -> None:
    assert all(stratum.drawn for stratum in draw(pool, k, seed=0).strata)


@given(pools, st.integers(1, 50))
def test_no_weight_is_above_what_is_promised(pool: list[SamplingUnit], k: int) -> None:
    stage = draw(pool, k, seed=0)
    bound = len(pool) / k / FLOOR + 1
    assert all(1 / chance <= bound + 1e-9 for chance in stage.probabilities.values())


@given(pools, st.integers(0, 50))
def test_the_order_of_the_pool_makes_no_difference(pool: list[SamplingUnit], k: int) -> None:
    shuffled = sorted(pool, key=lambda case: case.id[::-1])
    assert draw(pool, k, seed=1) == draw(shuffled, k, seed=1)


def test_a_seed_fixes_the_draw_and_another_one_changes_it() -> None:
    pool = _pool(100)
    assert draw(pool, 20, seed=1) == draw(pool, 20, seed=1)
    assert set(draw(pool, 20, seed=1).drawn) != set(draw(pool, 20, seed=2).drawn)


@pytest.mark.parametrize("pool", [_pool(30, 0.5), [SamplingUnit(f"c{i}") for i in range(30)], _pool(30)])
def test_pools_that_tell_nothing_are_drawn_from_all_the_same(pool: list[SamplingUnit]) -> None:
    assert len(draw(pool, 7, seed=0).drawn) == 7


def test_of_no_labels_none_is_drawn() -> None:
    stage = draw(_pool(10), 0, seed=0)
    assert stage.drawn == ()
    assert sorted(_cases(stage)) == [case.id for case in _pool(10)]


def test_more_labels_than_cases_draw_them_all_with_certainty() -> None:
    stage = draw(_pool(10), 11, seed=0)
    assert set(stage.probabilities.values()) == {1.0}
    assert len(stage.drawn) == 10


def test_each_case_is_drawn_as_often_as_its_probability_says() -> None:
    pool = _pool(12)
    expected = {i: s.inclusion_probability for s in draw(pool, 5, seed=0).strata for i in s.cases}
    counts = Counter(i for seed in range(3000) for i in draw(pool, 5, seed=seed).drawn)
    assert all(abs(counts[i] / 3000 - chance) < 0.04 for i, chance in expected.items())


def test_cases_that_are_known_are_never_drawn_again() -> None:
    pool = _pool(40)
    first = draw(pool, 10, seed=0, certain=["c0003", "c0017"])
    second = draw(pool, 10, seed=0, earlier=[first], labels=dict.fromkeys(first.drawn, 1.0))
    assert set(first.certain) == {"c0003", "c0017"}
    assert set(second.certain) == {*first.certain, *first.drawn}
    assert not set(second.certain) & set(second.drawn)


def test_a_case_that_stands_for_most_records_is_certain() -> None:
    pool = [*_pool(50), SamplingUnit("heavy", {"score": 0.0}, weight=500)]
    assert draw(pool, 10, seed=0).probabilities["heavy"] == 1.0


def test_riskier_cases_are_drawn_more_often_before_there_are_labels() -> None:
    pool = [SamplingUnit(f"c{i:03}", {"score": 0.5 if i < 100 else 0.0}) for i in range(200)]
    strata = draw(pool, 40, seed=0).strata
    chance = {i: s.inclusion_probability for s in strata for i in s.cases}
    assert np.mean([chance[f"c{i:03}"] for i in range(100)]) > 1.2 * np.mean(
        [chance[f"c{i:03}"] for i in range(100, 200)]
    )


def test_labels_turn_the_draw_where_the_score_is_wrong() -> None:
    """All failures have the low score; once that is seen, the certain passes are drawn less."""
    pool = [SamplingUnit(f"c{i:03}", {"score": float(i >= 100), "other": float(i % 2)}) for i in range(200)]
    labels = {f"c{i:03}": float(i < 100 and i % 2) for i in [*range(40), *range(100, 140)]}
    first = Stage(tuple(labels), ())
    second = draw(pool, 30, seed=0, earlier=[first], labels=labels)
    failing = [int(i[1:]) < 100 for i in second.drawn]
    assert np.mean(failing) > 0.55


def test_strata_hold_one_category_where_the_score_does_not_tell_cases_apart() -> None:
    pool = [SamplingUnit(f"c{i:03}", {"score": 0.3}, {"task": "abcd"[i % 4]}) for i in range(80)]
    tasks = {case.id: case.domains["task"] for case in pool}
    strata = draw(pool, 16, seed=0).strata
    assert all(len({tasks[i] for i in stratum.cases}) == 1 for stratum in strata)


def test_whoever_stops_early_has_labelled_every_stratum() -> None:
    stage = draw(_pool(100), 20, seed=0)
    assert {stage.stratum_of[i] for i in stage.drawn[:10]} == set(range(10))


def test_what_is_no_pool_is_refused_with_the_case() -> None:
    with pytest.raises(ConfigError, match="'a' more than once"):
        build_frame([SamplingUnit("a"), SamplingUnit("a")])
    with pytest.raises(ConfigError, match="weight 0"):
        build_frame([SamplingUnit("a", weight=0)])


def test_the_prediction_is_the_scores_until_labels_say_otherwise() -> None:
    frame = build_frame(_pool(50))
    few = np.arange(MIN_LABELS - 1)
    assert np.all(np.diff(predict(frame, few, np.ones(len(few)))) > 0)
    many = np.arange(50)
    assert np.all(np.diff(predict(frame, many, (many < 25).astype(float))) < 0)


def test_a_category_that_fails_is_predicted_to_fail() -> None:
    pool = [SamplingUnit(f"c{i:02}", {"score": 0.3}, {"task": "ab"[i % 2]}) for i in range(60)]
    predicted = predict(build_frame(pool), np.arange(30), (np.arange(30) % 2).astype(float))
    assert predicted[1::2].min() > 0.7
    assert predicted[::2].max() < 0.3


def test_signals_that_say_the_same_are_counted_once_and_missing_ones_are_a_signal() -> None:
    rows = [{"score": 0.1, "twice": 1.0 - 0.9 * (i % 2), "again": 1.0 - 0.9 * (i % 2)} for i in range(10)]
    frame = build_frame([SamplingUnit(f"c{i}", row if i else {"score": 0.1}) for i, row in enumerate(rows)])
    assert frame.covariates.shape == (10, 2)


def test_new_cases_of_a_pool_that_grew_have_strata_of_their_own_and_most_labels() -> None:
    old = [SamplingUnit(f"o{i:03}", {"score": i / 300}) for i in range(300)]
    new = [SamplingUnit(f"n{i:03}", {"score": i / 300}) for i in range(300)]
    first = draw(old, 40, seed=0)
    labels = {i: float(i > "o150") for i in first.drawn}
    second = draw([*old, *new], 40, seed=0, earlier=[first], labels=labels)
    kinds = [{i[0] for i in stratum.cases} for stratum in second.strata]
    assert all(len(kind) == 1 for kind in kinds)
    of_new = [i for i in second.drawn if i.startswith("n")]
    assert 30 <= len(of_new) <= 40
    assert not set(second.drawn) & set(first.drawn)
    few = draw([*old, *new[:20]], 30, seed=0, earlier=[first], labels=labels)
    assert 6 <= sum(i.startswith("n") for i in few.drawn) <= 10
    none = draw([*old, *new[:5]], 30, seed=0, earlier=[first], labels=labels)
    assert sum(i.startswith("n") for i in none.drawn) <= 2


def test_only_settled_cases_are_not_drawn_again() -> None:
    pool = [SamplingUnit(f"o{i:03}", {"score": i / 50}) for i in range(50)]
    first = draw(pool, 20, seed=0, certain=["o049", "o048"])
    second = draw(pool, 48, seed=0, earlier=[first], settled=["o049", first.drawn[0]])
    assert set(second.certain) == {"o049", first.drawn[0]}
    assert len(second.drawn) == 48
