"""Rates per category that borrow strength, and the failures of kinds not seen yet."""

from __future__ import annotations

import numpy as np
import pytest

from curator.estimation.failure_rate import estimate
from curator.estimation.labelled_pool import label_pool
from curator.estimation.partial_pooling import beta_binomial, label_weights
from curator.estimation.sample_design import draw
from curator.estimation.sampling_frame import SamplingUnit, build_frame
from curator.estimation.unseen_kinds import distribution_free_bound, unseen_kinds, upper_bound

UNITS = [
    SamplingUnit(f"c{i:03}", {"score": (i % 7) / 7}, {"category": f"k{i % 5}" if i < 297 else "rare"})
    for i in range(300)
]
FAILED = {unit.id: float(i % 5 == 0 or i % 11 == 0) for i, unit in enumerate(UNITS)}


def test_categories_that_are_alike_are_shrunk_and_different_ones_are_not() -> None:
    sizes = np.full(8, 10.0)
    _, _, _, alike = beta_binomial(sizes, np.full(8, 2.0), 0.9)
    _, _, _, different = beta_binomial(sizes, np.array([0, 10, 0, 10, 0, 10, 0, 10.0]), 0.9)
    assert alike.min() > 0.7
    assert different.max() < 0.2


def test_a_category_without_labels_gets_the_mean_of_all_and_more_labels_a_narrower_interval() -> None:
    means, lows, highs, _ = beta_binomial(np.array([0.0, 5.0, 50.0]), np.array([0.0, 1.0, 10.0]), 0.9)
    assert means[0] == pytest.approx(0.25, abs=0.08)
    widths = highs - lows
    assert widths[0] > widths[1] > widths[2]
    assert (lows < means).all()
    assert (means < highs).all()


def test_intervals_cover_rates_that_come_from_any_beta_distribution() -> None:
    rng = np.random.default_rng(1)
    covers, widths = [], []
    for _ in range(40):
        rates = rng.beta(1.5, 6, 8)
        sizes = rng.integers(3, 25, 8)
        failures = rng.binomial(sizes, rates).astype(float)
        _, lows, highs, _ = beta_binomial(sizes.astype(float), failures, 0.9)
        covers += list((lows <= rates) & (rates <= highs))
        widths += list(highs - lows)
    assert np.mean(covers) >= 0.85
    assert np.mean(widths) < 0.4


def test_the_rate_of_few_cases_is_that_of_whole_failures() -> None:
    """Of 6 cases without a label often none fails, and the interval says so; of many cases it is that of the model."""
    sizes, failures = np.array([4.0, 4.0, 4.0]), np.array([0.0, 1.0, 0.0])
    means, lows, highs, _ = beta_binomial(sizes, failures, 0.9, cases=np.full(3, 6.0))
    assert (lows == 0).all()
    assert (np.isclose(highs * 6, np.round(highs * 6)) | (highs == means)).all()
    _, low, high, _ = beta_binomial(sizes, failures, 0.9)
    _, of_many, to_many, _ = beta_binomial(sizes, failures, 0.9, cases=np.full(3, 1e7))
    assert of_many == pytest.approx(low, abs=1e-3)
    assert to_many == pytest.approx(high, abs=1e-3)


def test_intervals_cover_the_rates_of_small_categories() -> None:
    rng = np.random.default_rng(2)
    covers = []
    for _ in range(60):
        cases = rng.integers(5, 40, 8)
        failed = [rng.random(n) < rate for n, rate in zip(cases, rng.beta(1.2, 8, 8), strict=True)]
        labels = np.array([max(3, n // 4) for n in cases])
        seen = np.array([of[:n].sum() for of, n in zip(failed, labels, strict=True)], dtype=float)
        truth = np.array([of[n:].mean() for of, n in zip(failed, labels, strict=True)])
        _, lows, highs, _ = beta_binomial(labels.astype(float), seen, 0.9, cases=(cases - labels).astype(float))
        covers += list((lows <= truth) & (truth <= highs))
    assert np.mean(covers) >= 0.9


def test_certain_cases_say_nothing_of_the_cases_beside_them() -> None:
    """Discovery picked failures of a category; its drawn labels pass: only the picked ones are known to fail."""
    certain = [f"c{i:03}" for i in range(0, 50, 5)]  # of k0, which fails always
    stage = draw(UNITS, 60, seed=0, certain=certain)
    labels = {i: 1.0 if i in certain else 0.0 for i in (*certain, *stage.drawn)}
    parts = {part.value: part for part in estimate(UNITS, [stage], labels, by=["category"]).domains["category"]}
    found = parts["k0"].pooled
    assert found is not None
    assert found.low >= 10 / 60
    assert found.high < 10 / 60 + 0.12


def test_a_category_of_new_cases_only_has_no_rate_yet() -> None:
    stage = draw(UNITS, 40, seed=0)
    new = [SamplingUnit(f"n{i:03}", {"score": 0.5}, {"category": "new"}) for i in range(60)]
    labels = {i: FAILED[i] for i in stage.drawn}
    found = estimate([*UNITS, *new], [stage], labels, by=["category"])
    assert found.uncovered_cases == 60
    (part,) = (part for part in found.domains["category"] if part.value == "new")
    assert (part.rate, part.pooled, part.labels) == (None, None, 0)
    assert "new since the labels were drawn" in (part.reason or "")


def test_no_category_is_judged_by_fewer_than_three_labels() -> None:
    stage = draw(UNITS, 40, seed=0, certain=["c298"])
    labels = {i: FAILED[i] for i in (*stage.drawn, "c298") if i not in ("c297", "c299")}
    parts = {part.value: part for part in estimate(UNITS, [stage], labels, by=["category"]).domains["category"]}
    assert parts["rare"].labels == 1
    assert parts["rare"].pooled is None
    assert all(parts[f"k{n}"].pooled is not None for n in range(5))
    found = parts["k0"].pooled
    assert found is not None
    assert found.rate > 0.5 > max(p.pooled.rate for name, p in parts.items() if p.pooled and name != "k0")


def test_the_weights_of_the_labels_add_up_to_the_records() -> None:
    first = draw(UNITS, 40, seed=0)
    labels = {i: FAILED[i] for i in first.drawn}
    second = draw(UNITS, 20, seed=0, earlier=[first], labels=labels)
    labels |= {i: FAILED[i] for i in second.drawn}
    pool = label_pool(build_frame(UNITS), [first, second], labels)
    assert label_weights(pool).sum() == pytest.approx(300)


def test_kinds_that_were_seen_once_bound_those_not_seen() -> None:
    stage = draw(UNITS, 80, seed=0)
    labels = {i: FAILED[i] for i in stage.drawn}
    pool = label_pool(build_frame(UNITS), [stage], labels)
    failed = [i for i in stage.drawn if labels[i]]
    same = unseen_kinds(pool, dict.fromkeys(failed, "one kind"), rate_high=0.5, confidence=0.95)
    assert same is not None
    assert (same.share, same.singletons, same.kinds, same.failures) == (0, 0, 1, len(failed))
    assert same.high == pytest.approx(1 - 0.05 ** (1 / len(failed)), abs=0.06)  # the rule of three
    assert same.rate_high == pytest.approx(same.high * 0.5)
    every = unseen_kinds(pool, {}, rate_high=0.5, confidence=0.95)
    assert every is not None
    assert (every.share, every.high, every.singletons) == (pytest.approx(1), 1, len(failed))
    assert estimate(UNITS, [stage], labels).unseen is None


def test_bounds_of_a_proportion() -> None:
    assert upper_bound(0, 10, 0.95) == pytest.approx(1 - 0.05**0.1)
    assert distribution_free_bound(0.1, 100, 0.95) == 1
    assert distribution_free_bound(0.1, 10_000, 0.95) == pytest.approx(
        0.1 + 4.5605 * np.sqrt(np.log(60) / 1e4), abs=1e-4
    )
