from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from curator.estimation.committee_design import (
    LEAST_ANSWERS,
    LEAST_CASES,
    MOST_ANSWERS,
    Committee,
    NoiseModel,
    Seat,
    attenuated_auroc,
    draw_parts,
    facets_of,
    fit_noise,
)
from curator.stats import spearman

Floats = NDArray[np.float64]
CASES = 600


def seats(models: int, variants: int, repeats: int) -> list[Seat]:
    return [Seat(f"m{m}", f"v{v}", r) for m in range(models) for v in range(variants) for r in range(repeats)]


def committee(models: int, variants: int, repeats: float) -> Committee:
    return {(f"m{m}", f"v{v}"): repeats for m in range(models) for v in range(variants)}


def answers(of: Sequence[Seat], *, model: float = 0, variant: float = 0, repeat: float = 1, seed: int = 0) -> Floats:
    """The value of each answer (seats, cases): a case's own, of variance 1, and the noise of each facet."""
    rng = np.random.default_rng(seed)
    case = np.random.default_rng(99).normal(size=CASES)
    noise: dict[tuple[object, ...], Floats] = {}
    rows = []
    for seat in of:
        value = case.copy()
        for fields, variance in ((1, model), (2, variant), (3, repeat)):
            unit = seat[:fields]
            noise.setdefault(unit, rng.normal(scale=np.sqrt(variance), size=CASES))
            value += noise[unit]
        rows.append(value)
    return np.array(rows)


def means(values: Floats, of: Sequence[Seat], parts: Sequence[Sequence[Seat]]) -> Floats:
    places = {seat: place for place, seat in enumerate(of)}
    return np.array([values[[places[seat] for seat in part]].mean(axis=0) for part in parts])


def fitted(of: Sequence[Seat], **variances: float) -> NoiseModel:
    parts = draw_parts(of, np.random.default_rng(1))
    noise = fit_noise(parts, means(answers(of, **variances), of, parts), np.random.default_rng(2))
    assert noise is not None
    return noise


@pytest.mark.parametrize(
    ("shape", "facets"),
    [
        ((3, 2, 2), ("model", "variant", "repeat")),
        ((3, 1, 1), ("model",)),
        ((1, 4, 1), ("variant",)),
        ((1, 1, 9), ("repeat",)),
        ((1, 3, 2), ("variant", "repeat")),
        ((2, 1, 4), ("model", "repeat")),
        ((1, 1, 1), ()),
    ],
)
def test_only_what_varies_is_a_source_of_noise(shape: tuple[int, int, int], facets: tuple[str, ...]) -> None:
    assert facets_of(seats(*shape)) == facets


@pytest.mark.parametrize("shape", [(3, 2, 2), (1, 1, 30), (12, 1, 1), (1, 5, 1), (1, 1, 4)])
def test_parts_are_different_and_neither_too_small_nor_too_large(shape: tuple[int, int, int]) -> None:
    of = seats(*shape)
    parts = draw_parts(of, np.random.default_rng(0))
    assert len({frozenset(part) for part in parts}) == len(parts) > 2
    assert all(LEAST_ANSWERS <= len(part) <= MOST_ANSWERS for part in parts)
    assert all(set(part) <= set(of) and len(set(part)) == len(part) for part in parts)


def test_a_large_committee_gives_parts_that_share_nothing() -> None:
    parts = [set(part) for part in draw_parts(seats(1, 1, 12), np.random.default_rng(0))]
    assert sum(not a & b for a, b in combinations(parts, 2)) >= 5


@pytest.mark.parametrize(
    ("shape", "variances"),
    [
        ((1, 1, 12), {"repeat": 3.0}),
        ((10, 1, 1), {"model": 2.0, "repeat": 0.0}),
        ((1, 6, 3), {"variant": 1.0, "repeat": 2.0}),
        ((6, 3, 2), {"model": 0.5, "variant": 1.0, "repeat": 2.0}),
    ],
)
def test_the_reliability_is_the_correlation_with_a_new_committee(
    shape: tuple[int, int, int], variances: dict[str, float]
) -> None:
    noise = fitted(seats(*shape), **variances)
    models, variants, repeats = shape
    larger = (models + (models > 1), variants + (variants > 1), repeats + 2 * (repeats > 1))
    for size in (shape, larger):
        of = seats(*size)
        two = [answers(of, **variances, seed=seed).mean(axis=0) for seed in (10, 11)]
        expected = noise.reliability(committee(*size))
        assert expected.value == pytest.approx(spearman(*two).value, abs=0.07)
        assert expected.low <= expected.value <= expected.high
    assert noise.error < 0.05
    assert noise.gain(committee(*shape), committee(*larger)).value > 0


def test_more_of_what_makes_no_noise_gains_nothing() -> None:
    noise = fitted(seats(1, 5, 3), variant=2.0, repeat=0.0)
    present = committee(1, 5, 3)
    repeats = noise.gain(present, committee(1, 5, 5)).value
    variant = noise.gain(present, committee(1, 6, 3)).value
    assert repeats < 0.01
    assert variant > 0.03


def test_a_score_that_is_a_mean_over_pairs_is_predicted_too() -> None:
    rng = np.random.default_rng(0)
    usual = rng.beta(2, 1, size=CASES)  # without a target: the chance of the usual answer differs by case

    def mean_difference(given: Floats) -> Floats:
        pairs = [given[i] != given[j] for i, j in combinations(range(len(given)), 2)]
        return np.mean(pairs, axis=0, dtype=np.float64)

    of = seats(1, 1, 5)
    given = rng.random((5, CASES)) < usual
    parts = draw_parts(of, rng)
    scores = np.array([mean_difference(given[[seat.repeat for seat in part]]) for part in parts])
    noise = fit_noise(parts, scores, rng)
    assert noise is not None
    for size in (5, 8):
        two = [mean_difference(rng.random((size, CASES)) < usual) for _ in range(2)]
        assert noise.reliability(committee(1, 1, size)).value == pytest.approx(spearman(*two).value, abs=0.1)


def test_too_few_cases_or_answers_give_no_model() -> None:
    of = seats(1, 1, 6)
    parts = draw_parts(of, np.random.default_rng(0))
    scores = means(answers(of), of, parts)
    few = scores[:, : LEAST_CASES - 1]
    assert fit_noise(parts, few, np.random.default_rng(0)) is None
    assert fit_noise(parts[:2], scores[:2], np.random.default_rng(0)) is None


def test_cases_without_a_score_are_left_out_of_their_pairs() -> None:
    of = seats(1, 1, 8)
    parts = draw_parts(of, np.random.default_rng(0))
    scores = means(answers(of), of, parts)
    gaps = np.random.default_rng(3).random(scores.shape) < 0.2
    noise, whole = (
        fit_noise(parts, values, np.random.default_rng(0)) for values in (np.where(gaps, np.nan, scores), scores)
    )
    assert noise is not None
    assert whole is not None
    eight = committee(1, 1, 8)
    assert noise.reliability(eight).value == pytest.approx(whole.reliability(eight).value, abs=0.05)


def test_scores_that_do_not_vary_have_no_reliability_to_measure() -> None:
    of = seats(1, 1, 6)
    parts = draw_parts(of, np.random.default_rng(0))
    assert fit_noise(parts, np.zeros((len(parts), CASES)), np.random.default_rng(0)) is None


def test_an_auroc_grows_with_the_reliability_as_two_normal_distributions_say() -> None:
    rng = np.random.default_rng(0)
    wrong = rng.random(20_000) < 0.5
    case = rng.normal(size=20_000) + 1.5 * wrong

    def measured(noise: float) -> tuple[float, float]:
        """The AUROC and the reliability of a score with this variance of its noise."""
        x, y = (case + rng.normal(scale=np.sqrt(noise), size=20_000) for _ in range(2))
        ranks = x.argsort().argsort()
        area = (ranks[wrong].mean() - (wrong.sum() - 1) / 2) / (~wrong).sum()
        return float(area), float(np.corrcoef(x, y)[0, 1])

    (small, low), (large, high) = measured(3.0), measured(1.0)
    assert attenuated_auroc(small, low, high) == pytest.approx(large, abs=0.02)
    assert attenuated_auroc(0.5, 0.3, 0.9) == 0.5
    assert attenuated_auroc(0.7, 0.4, 0.4) == pytest.approx(0.7)
    assert attenuated_auroc(0.7, 0.0, 0.4) == 0.7
