"""What the labels say: unbiased, an interval that covers, and refusals of what the design does not support."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import Refused
from curator.estimation.domains import domain_estimates
from curator.estimation.failure_rate import Estimate, estimate
from curator.estimation.labelled_pool import label_pool
from curator.estimation.sample_design import Stage, Stratum, draw
from curator.estimation.sampling_frame import SamplingUnit, build_frame
from curator.estimation.stage_estimate import label_stage, stage_weights
from curator.stats import wilson

POOL = [SamplingUnit(f"c{i}", {"score": i / 9}, {"task": "ab"[i % 2]}) for i in range(9)]
FAILS = {f"c{i}": float(i in (2, 5, 7, 8)) for i in range(9)}
ODDS = np.random.default_rng(7).random(600)
MANY = [SamplingUnit(f"m{i:03}", {"score": float(o)}, {"task": "abc"[i % 3]}) for i, o in enumerate(ODDS)]
MANY_FAIL = {f"m{i:03}": float(o**2 > np.random.default_rng(i).random()) for i, o in enumerate(ODDS)}
TRUTH = float(np.mean([*MANY_FAIL.values()]))


def _run(pool: list[SamplingUnit], labels: dict[str, float], sizes: tuple[int, ...], seed: int) -> Estimate:
    frame, stages, known = build_frame(pool), [], {}
    for size in sizes:
        stages.append(draw(frame, size, seed=seed, earlier=stages, labels=known))
        known |= {i: labels[i] for i in stages[-1].drawn}
    return estimate(frame, stages, known)


def _known(stages: list[Stage], labels: dict[str, float]) -> dict[str, float]:
    return {i: labels[i] for stage in stages for i in (*stage.certain, *stage.drawn)}


def test_over_all_possible_draws_the_mean_is_the_truth() -> None:
    known, low, high = ("c8",), [f"c{i}" for i in range(4)], [f"c{i}" for i in range(4, 8)]
    rates = []
    for one, other in product(combinations(low, 2), combinations(high, 3)):
        stage = Stage(known, (Stratum(tuple(low), one), Stratum(tuple(high), other)))
        rates.append(estimate(POOL, [stage], _known([stage], FAILS)).rate)
    assert np.mean(rates) == pytest.approx(4 / 9)


@pytest.mark.parametrize("sizes", [(40,), (20, 40), (15, 15, 15)])
def test_the_rate_is_unbiased_the_variance_right_and_the_interval_covers(sizes: tuple[int, ...]) -> None:
    found = [_run(MANY, MANY_FAIL, sizes, seed) for seed in range(400)]
    rates = np.array([one.rate for one in found])
    assert abs(rates.mean() - TRUTH) < 3 * rates.std() / np.sqrt(400)
    assert 0.85 < np.mean([one.standard_error**2 for one in found]) / rates.var() < 1.6
    assert np.mean([one.interval(0.9)[0] <= TRUTH <= one.interval(0.9)[1] for one in found]) >= 0.87


def test_the_variance_sees_that_much_of_the_pool_is_labelled() -> None:
    found = [_run(MANY[:80], MANY_FAIL, (60,), seed) for seed in range(300)]
    expected = np.mean([one.standard_error**2 for one in found])
    assert 0.8 < expected / np.var([one.rate for one in found]) < 1.7


def test_stages_count_by_what_they_labelled_and_a_census_alone() -> None:
    frame = build_frame(MANY)
    first = draw(frame, 10, seed=0)
    second = draw(frame, 40, seed=0, earlier=[first])
    last = draw(frame, 600, seed=0, earlier=[first, second])
    everywhere = np.ones(len(frame), dtype=bool)
    known = [label_stage(frame, stage, everywhere) for stage in (first, second, last)]
    assert stage_weights(known[:2])[1] == pytest.approx(0.81, abs=0.02)
    assert stage_weights(known).tolist() == [0, 0, 1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(0, 5))
def test_with_every_label_the_rate_is_exact_and_the_interval_has_no_width(labels: list[float], seed: int) -> None:
    pool = [SamplingUnit(f"c{i:02}", {"score": 0.5}, weight=1 + i % 3) for i in range(len(labels))]
    told = {case.id: label for case, label in zip(pool, labels, strict=True)}
    found = _run(pool, told, (len(pool) // 2, len(pool)), seed)
    truth = np.average(labels, weights=[case.weight for case in pool])
    assert (found.rate, found.low, found.high) == pytest.approx((truth, truth, truth))


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_labels_that_all_agree_still_leave_doubt(label: float) -> None:
    found = _run(MANY, dict.fromkeys(MANY_FAIL, label), (30,), 0)
    assert found.rate == label
    assert 0.02 < found.high - found.low < 0.2
    assert found.effective_sample_size is None


@pytest.mark.parametrize("labels", [20, 60, 120])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_labels_that_all_agree_say_no_more_than_those_of_a_simple_random_sample(label: float, labels: int) -> None:
    ids = [f"c{i}" for i in range(labels)]
    frame = build_frame([SamplingUnit(f"c{i}", {}, {}) for i in range(10_000)])
    stage = Stage((), (Stratum(frame.ids, tuple(ids)),))
    result = estimate(frame, [stage], dict.fromkeys(ids, label))
    low, high = wilson(label, labels)
    assert (result.low, result.high) == pytest.approx((low, high), abs=0.15 * (high - low))


@given(st.integers(0, 50), st.sampled_from([(10,), (12, 14), (5, 5, 5)]))
def test_the_interval_holds_the_rate_and_is_wider_the_surer_it_is(seed: int, sizes: tuple[int, ...]) -> None:
    found = _run(MANY, MANY_FAIL, sizes, seed)
    ends = [found.interval(c) for c in (0.5, 0.9, 0.95, 0.99)]
    assert all(0 <= low < found.rate < high <= 1 or found.rate in (0, 1) for low, high in ends)
    assert all(wide[0] <= low and high <= wide[1] for (low, high), wide in pairwise(ends))
    assert (found.low, found.high) == found.interval(0.95)


@pytest.mark.parametrize("share", [0.01, 0.03])
def test_rare_failures_that_no_signal_tells_are_covered_and_cost_little_more_than_a_random_draw(share: float) -> None:
    rng = np.random.default_rng(3)
    pool = [SamplingUnit(f"r{i:04}", {"score": float(s)}) for i, s in enumerate(rng.beta(0.5, 3, 1000))]
    failing = set(rng.choice(1000, size=round(1000 * share), replace=False))
    labels = {case.id: float(i in failing) for i, case in enumerate(pool)}
    found = [_run(pool, labels, (100,), seed) for seed in range(300)]
    random_draw = share * (1 - share) * 1000 / 999 / 100 * 0.9
    assert np.mean([(one.rate - share) ** 2 for one in found]) < 1.25 * random_draw
    assert np.mean([one.interval(0.9)[0] <= share <= one.interval(0.9)[1] for one in found]) >= 0.88


def _signal(kind: str) -> tuple[list[SamplingUnit], dict[str, float]]:
    rng = np.random.default_rng(5)
    fails = (rng.random(600) < 0.3).astype(float)
    told = {"perfect": fails, "inverted": 1 - fails, "useless": rng.random(600)}[kind]
    score = np.clip(0.8 * told + 0.2 * rng.random(600), 0, 1)
    pool = [SamplingUnit(f"s{i:03}", {"score": float(s)}) for i, s in enumerate(score)]
    return pool, {case.id: float(y) for case, y in zip(pool, fails, strict=True)}


@pytest.mark.parametrize(
    ("kind", "sizes", "most"),
    [
        ("perfect", (60,), 0.3),
        ("inverted", (60,), 0.3),
        ("useless", (60,), 1.2),
        ("useless", (24, 36), 1.2),
        ("inverted", (24, 36), 0.4),
    ],
)
def test_a_good_signal_saves_labels_and_a_bad_one_costs_none(kind: str, sizes: tuple[int, ...], most: float) -> None:
    pool, labels = _signal(kind)
    truth = float(np.mean([*labels.values()]))
    rates = np.array([_run(pool, labels, sizes, seed).rate for seed in range(300)])
    assert np.mean((rates - truth) ** 2) < most * truth * (1 - truth) / 60 * 0.9


def test_what_labels_are_worth_is_near_what_they_are() -> None:
    perfect = [_run(*_signal("perfect"), (60,), seed) for seed in range(20)]
    useless = [_run(*_signal("useless"), (60,), seed) for seed in range(40)]
    assert np.mean([one.effective_sample_size or 0 for one in perfect]) > 150
    assert 50 < np.mean([one.effective_sample_size or 0 for one in useless]) < 72
    assert all(
        (one.effective_sample_size_low or 0) < (one.effective_sample_size or 0) < (one.effective_sample_size_high or 0)
        for one in useless
    )


def test_labels_needed_fall_with_the_width_and_are_enough() -> None:
    found = _run(MANY, MANY_FAIL, (60,), 0)
    now = (found.high - found.low) / 2
    assert found.labels_needed(now) == 0
    needed = [found.labels_needed(width) or 0 for width in (0.08, 0.06, 0.04, 0.001)]
    assert needed == sorted(needed)
    assert needed[-1] <= 540
    later = [_run(MANY, MANY_FAIL, (60 + needed[1],), seed) for seed in range(20)]
    assert np.mean([(one.high - one.low) / 2 for one in later]) == pytest.approx(0.06, abs=0.012)
    with pytest.raises(Refused, match="half width"):
        found.labels_needed(0)


def test_the_rate_is_that_over_records() -> None:
    pool = [SamplingUnit(f"w{i:03}", {"score": 0.5}, weight=9.0 if i % 4 == 0 else 1.0) for i in range(400)]
    labels = {case.id: float(case.weight > 1) for case in pool}
    rates = [_run(pool, labels, (40,), seed).rate for seed in range(100)]
    assert np.mean(rates) == pytest.approx(0.75, abs=0.02)


def test_strata_of_cases_of_any_weight_leave_the_rate_unbiased() -> None:
    pool = [SamplingUnit(f"w{i}", weight=9.0 if i % 4 == 0 else 1.0) for i in range(8)]
    labels = {case.id: float(case.weight > 1) for case in pool}
    halves = [tuple(case.id for case in pool[:4]), tuple(case.id for case in pool[4:])]
    rates = []
    for drawn in product(*(combinations(half, 3) for half in halves)):
        stage = Stage((), tuple(Stratum(half, own) for half, own in zip(halves, drawn, strict=True)))
        rates.append(estimate(pool, [stage], _known([stage], labels)).rate)
    assert np.mean(rates) == pytest.approx(0.75, abs=0.02)


def test_cases_picked_for_another_purpose_stand_for_themselves_alone() -> None:
    worst = [case.id for case in MANY if (case.covariates["score"] or 0) > 0.9]
    rates = []
    for seed in range(150):
        stage = draw(MANY, 40, seed=seed, certain=worst)
        rates.append(estimate(MANY, [stage], _known([stage], MANY_FAIL)).rate)
    assert abs(np.mean(rates) - TRUTH) < 3 * np.std(rates) / np.sqrt(150)
    assert np.mean([MANY_FAIL[i] for i in worst]) > TRUTH + 0.3


def test_labels_of_cases_that_were_not_drawn_are_told_and_not_used() -> None:
    stage = draw(MANY, 40, seed=0)
    labels = _known([stage], MANY_FAIL)
    others = [case.id for case in MANY if case.id not in labels][:50]
    with_others = estimate(MANY, [stage], {**labels, **dict.fromkeys(others, 1.0), "who": 1.0})
    assert with_others == replace(estimate(MANY, [stage], labels), ignored=tuple(sorted([*others, "who"])))


def test_missing_labels_are_counted_and_bounded() -> None:
    stage = draw(MANY, 60, seed=0)
    labels = {i: MANY_FAIL[i] for i in stage.drawn[:50]}
    found = estimate(MANY, [stage], labels)
    assert (found.labels, found.missing) == (50, 10)
    assert found.bounds is not None
    low, high = found.bounds
    assert low < found.rate < high
    assert high - low == pytest.approx(10 / 60, abs=0.06)
    assert estimate(MANY, [stage], _known([stage], MANY_FAIL)).bounds is None


def test_a_stratum_without_labels_joins_its_neighbour_and_most_without_are_refused() -> None:
    stage = draw(MANY, 40, seed=0)
    without = set(stage.strata[3].drawn)
    labels = {i: MANY_FAIL[i] for i in stage.drawn if i not in without}
    assert abs(estimate(MANY, [stage], labels).rate - TRUTH) < 0.2
    only = {i: MANY_FAIL[i] for stratum in stage.strata[:6] for i in stratum.drawn}
    with pytest.raises(Refused, match="of the records have no label"):
        estimate(MANY, [stage], only)


def _first_batch(seed: int, drawn: int, certain: int, *, of: int = 30) -> Estimate:
    """Label the first cases in their order: of the draw, and of 60 certain cases that fail more often, the riskiest first."""
    by_risk = sorted(MANY, key=lambda case: -(case.covariates["score"] or 0))
    stage = draw(MANY, of, seed=seed, certain=[case.id for case in by_risk[:60]])
    known = [*stage.drawn[:drawn], *(case.id for case in by_risk[:certain])]
    return estimate(MANY, [stage], {i: MANY_FAIL[i] for i in known})


@pytest.mark.parametrize(("drawn", "certain"), [(4, 8), (8, 16), (15, 30)])
def test_a_first_batch_gives_an_interval_that_covers_and_is_not_too_wide(drawn: int, certain: int) -> None:
    found = [_first_batch(seed, drawn, certain) for seed in range(200)]
    assert abs(np.mean([one.rate for one in found]) - TRUTH) < 0.05
    assert np.mean([one.interval(0.9)[0] <= TRUTH <= one.interval(0.9)[1] for one in found]) >= 0.87
    # 1.65 standard errors of as many random labels on each side, and a tenth.
    assert np.mean([np.diff(one.interval(0.9)) for one in found]) < 1.1 * 2 * 1.65 * np.sqrt(0.25 / drawn)


def test_labels_that_agree_give_the_drawn_cases_a_variance_whatever_the_certain_ones_say() -> None:
    certain = [case.id for case in MANY[:40]]
    stage = draw(MANY, 30, seed=0, certain=certain)
    mixed = {i: float(n % 2) for n, i in enumerate(certain[:20])}
    found = estimate(MANY, [stage], {**dict.fromkeys(stage.drawn[:8], 0.0), **mixed})
    assert found.high - found.rate > 0.15


def test_a_later_stage_without_labels_yet_counts_for_nothing() -> None:
    first = draw(MANY, 40, seed=0)
    labels = _known([first], MANY_FAIL)
    second = draw(MANY, 40, seed=0, earlier=[first], labels=labels)
    assert estimate(MANY, [first, second], labels).rate == estimate(MANY, [first], labels).rate


@pytest.mark.parametrize(
    ("stage", "labels", "told"),
    [
        (Stage(tuple(FAILS), ()), FAILS, "no case was drawn"),
        (draw(POOL, 6, seed=0), {}, "0 of 6 cases"),
        (draw(POOL, 6, seed=0), {"c0": 2.0}, "label of 'c0' is 2.0"),
        (draw(POOL, 6, seed=0), {"c0": float("nan")}, "label of 'c0' is nan"),
        (draw([*POOL, SamplingUnit("gone")], 6, seed=0), FAILS, "another pool"),
    ],
)
def test_what_the_design_does_not_support_is_refused(stage: Stage, labels: dict[str, float], told: str) -> None:
    with pytest.raises(Refused, match=told):
        estimate(POOL, [stage], labels)


def test_a_confidence_must_be_one() -> None:
    with pytest.raises(Refused, match="confidence"):
        estimate(POOL, [draw(POOL, 9, seed=0)], FAILS, confidence=95)


def test_parts_have_their_own_rates_and_intervals() -> None:
    truth = {task: np.mean([MANY_FAIL[c.id] for c in MANY if c.domains["task"] == task]) for task in "abc"}
    covered, rates = 0, {task: [] for task in "abc"}
    for seed in range(100):
        stage = draw(MANY, 90, seed=seed)
        parts = estimate(MANY, [stage], _known([stage], MANY_FAIL), confidence=0.9, by=["task"]).domains["task"]
        assert [part.value for part in parts] == ["a", "b", "c"]
        assert sum(part.share for part in parts) == pytest.approx(1)
        for part in parts:
            assert part.rate is not None
            assert part.low is not None
            assert part.high is not None
            rates[part.value].append(part.rate)
            covered += part.low <= truth[part.value] <= part.high
    assert covered / 300 >= 0.86
    assert all(abs(np.mean(rates[task]) - truth[task]) < 0.02 for task in "abc")


def test_a_part_with_few_labels_says_so_and_one_with_all_is_exact() -> None:
    pool = [*MANY, *(SamplingUnit(f"x{i}", {"score": 0.5}, {"task": "rare"}) for i in range(4))]
    labels = {**MANY_FAIL, "x0": 1.0, "x1": 0.0, "x2": 0.0, "x3": 0.0}
    stage = draw(pool, 60, seed=0, certain=["x0", "x1", "x2", "x3"])
    told = _known([stage], labels)
    parts = {part.value: part for part in estimate(pool, [stage], told, by=["task"]).domains["task"]}
    assert (parts["rare"].rate, parts["rare"].low, parts["rare"].high) == (0.25, 0.25, 0.25)
    labelled = label_pool(build_frame(pool), [stage], told)
    parts = {part.value: part for part in domain_estimates(labelled, "task", 0.95, 99)}
    assert parts["a"].rate is None
    assert "at least 99" in str(parts["a"].reason)
    with pytest.raises(Refused, match="no case has 'colour'"):
        estimate(pool, [stage], told, by=["colour"])


def test_graded_labels_vary_less_than_failures() -> None:
    graded = {i: 0.4 + 0.2 * label for i, label in MANY_FAIL.items()}
    found, failures = _run(MANY, graded, (60,), 0), _run(MANY, MANY_FAIL, (60,), 0)
    assert found.rate == pytest.approx(0.4 + 0.2 * failures.rate)
    assert found.standard_error < 0.6 * failures.standard_error


GROWN = [
    *MANY,
    *(SamplingUnit(f"n{i:03}", {"score": float(o)}, {"task": "abc"[i % 3]}) for i, o in enumerate(ODDS[:400])),
]
GROWN_FAIL = MANY_FAIL | {f"n{i:03}": float(i % 10 < 6) for i in range(400)}


def _two_nights(seed: int, of_second: int = 40) -> tuple[list[Stage], dict[str, float]]:
    """Draw from the first night's cases, and again when 400 more are there, which fail more often."""
    first = draw(MANY, 40, seed=seed)
    labels = _known([first], MANY_FAIL)
    second = draw(GROWN, 40, seed=seed, earlier=[first], labels=labels)
    return [first, second], labels | {i: GROWN_FAIL[i] for i in second.drawn[:of_second]}


def test_labels_of_the_first_night_stay_in_the_estimate_of_a_pool_that_grew() -> None:
    truth = float(np.mean([*GROWN_FAIL.values()]))
    found = [estimate(GROWN, *_two_nights(seed)) for seed in range(200)]
    rates = np.array([one.rate for one in found])
    assert all((one.labels, one.cases, one.uncovered_cases) == (80, 1000, 0) for one in found)
    assert abs(rates.mean() - truth) < 3 * rates.std() / np.sqrt(200)
    assert 0.8 < np.mean([one.standard_error**2 for one in found]) / rates.var() < 1.6
    assert np.mean([one.interval(0.9)[0] <= truth <= one.interval(0.9)[1] for one in found]) >= 0.86
    alone = []
    for seed in range(200):
        stages, labels = _two_nights(seed)
        alone.append(estimate(GROWN, stages[1:], labels).rate)
    assert rates.var() < 0.8 * np.var(alone)


def test_new_cases_without_labels_are_not_covered_and_said_to_be() -> None:
    stages, labels = _two_nights(0, of_second=0)
    found = estimate(GROWN, stages, labels)
    assert (found.cases, found.uncovered_cases, found.uncovered_records) == (600, 400, 400)
    assert found.rate == pytest.approx(estimate(MANY, stages[:1], labels).rate)
    assert found.interval(0.9) == pytest.approx(estimate(MANY, stages[:1], labels).interval(0.9))
    assert estimate(GROWN, stages[:1], labels).uncovered_cases == 400


def test_a_new_part_with_few_labels_joins_none_and_one_with_all_labels_is_exact() -> None:
    pool = [*MANY, SamplingUnit("x", {"score": 0.5}, weight=600.0)]
    first = draw(MANY, 40, seed=0)
    second = draw(pool, 10, seed=0, earlier=[first], certain=["x"])
    labels = _known([first, second], {**MANY_FAIL, "x": 1.0})
    found = estimate(pool, [first, second], labels)
    assert found.uncovered_cases == 0
    assert found.rate == pytest.approx(0.5 + estimate(MANY, [first, second.among(MANY_FAIL)], labels).rate / 2)
    assert estimate(pool, [first, second], {i: y for i, y in labels.items() if i != "x"}).uncovered_cases == 1
