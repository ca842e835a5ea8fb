"""A short weighted eval set that preserves systems' scores: its cases, weights and error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from curator.estimation.comparison.case_weights import Floats
from curator.estimation.comparison.item_response import CaseModel, model_cases
from curator.estimation.comparison.medoids import medoids

Method: TypeAlias = Literal["difficulty", "pattern"]
MAX_RELATIVE_WEIGHT = 3.0
"""No weight exceeds the average by this factor, unless the case has more weight in the full set."""
RANDOM_DRAWS = 100
CHOICES = 3
"""Choices per cross-validation fold, with ties broken differently: a single one may be lucky."""
MAX_FOLDS = 10
MIN_FAMILIES = 3
"""With two, each would be predicted from the other only, which does not show the error for a third."""
MIN_FAMILIES_FOR_PATTERN = 6
"""Below this many families the method is `difficulty`: the patterns of a few systems would be overfitted."""
_STEPS = 200
_STILL = 1e-5  # weights that change by less than this share of the average have converged


@dataclass(frozen=True, slots=True)
class WeightedSubset:
    """The chosen rows in ascending order, and their weights, which sum to 1."""

    rows: NDArray[np.int64]
    weights: Floats


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """The error for systems that the cases were chosen without.

    Attributes:
        error: the mean absolute error of their scores, 0..1.
        rank_correlation: Kendall's tau-b between their true and predicted scores; None below three systems.
        random_error: the mean absolute error of as many simple random cases.
        random_rank_correlation: the rank correlation of such random cases.
        systems: the number of systems, each left out once.
        folds: the number of folds.
    """

    error: float
    rank_correlation: float | None
    random_error: float
    random_rank_correlation: float | None
    systems: int
    folds: int


def choose_cases(
    scores: Floats, mass: Floats, k: int, *, method: Method = "difficulty", seed: int = 0
) -> WeightedSubset:
    """Choose k of N cases from the scores of some systems.

    `difficulty` orders the cases by easiness and takes one from the middle of each k-th part, which avoids overfitting to
    the given systems. The weights then minimise the expected error of a new system's score (`model_cases`). `pattern`
    clusters the cases, and the one nearest to each centre represents its cluster (Polo et al., tinyBenchmarks, 2024).

    Args:
        scores: N x systems, 0..1, nan where a system has no answer.
        mass: the weight of each case in the full set, (N,).
        k: the cases to choose; all where there are fewer.
        method: `difficulty` or `pattern`.
        seed: of ties and of the clustering.
    """
    if k >= len(mass):
        return WeightedSubset(np.arange(len(mass)), mass / mass.sum())
    model = model_cases(scores) if method == "difficulty" else None
    return _choose(scores, model, mass / mass.sum(), k, seed)


def best_method(
    scores: Floats, mass: Floats, k: int, *, families: Sequence[int] | None = None, seed: int = 0
) -> tuple[Method, CrossValidation | None]:
    """The method with the lower cross-validation error, and its cross-validation.

    It is `difficulty` where there are too few families to compare. `pattern` is better with graded scores, which say much
    about a case; with few passes and fails its clusters are noise.
    """
    families = system_families(scores) if families is None else families
    plain = cross_validate(scores, mass, k, families=families, seed=seed)
    if plain is None or len(set(families)) < MIN_FAMILIES_FOR_PATTERN:
        return "difficulty", plain
    other = cross_validate(scores, mass, k, method="pattern", families=families, seed=seed)
    return ("pattern", other) if other is not None and other.error < plain.error else ("difficulty", plain)


def _choose(scores: Floats, model: CaseModel | None, mass: Floats, k: int, seed: int) -> WeightedSubset:
    """Choose by difficulty with a model, by pattern without one."""
    random = np.random.default_rng(seed)
    if model is not None:
        rows = _systematic_rows(model.easiness, mass, k, random)
        return WeightedSubset(rows, best_weights(model, mass, rows))
    filled = np.where(np.isnan(scores), _row_means(scores)[:, None], scores)
    rows, shares = medoids(filled, mass, k, random)
    most = np.maximum(MAX_RELATIVE_WEIGHT / k, mass[rows])
    return WeightedSubset(rows, _project(shares, most))


def best_weights(model: CaseModel, mass: Floats, rows: NDArray[np.int64]) -> Floats:
    """The weights v of these rows that minimise the model's expected squared error.

    The error is |features' (v - mass)|^2 + noise' (v - mass)^2, minimised by accelerated projected gradient. The noise
    keeps the weights even: a case with twice the weight contributes four times its noise.
    """
    most = np.maximum(MAX_RELATIVE_WEIGHT / len(rows), mass[rows])
    features, noise = model.features[rows], model.noise[rows]
    curvature = features @ features.T + np.diag(noise)
    pull = features @ (mass @ model.features) + noise * mass[rows]
    step = 1 / max(float(np.linalg.eigvalsh(curvature)[-1]), 1e-12)
    weights = ahead = _project(mass[rows] / mass[rows].sum(), most)
    momentum = 1.0
    for _ in range(_STEPS):
        after = _project(ahead - step * (curvature @ ahead - pull), most)
        next_momentum = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        change = float(np.abs(after - weights).max())
        ahead = after + (momentum - 1) / next_momentum * (after - weights)
        weights, momentum = after, next_momentum
        if change < _STILL / len(rows):
            break
    normalised: Floats = weights / weights.sum()
    return normalised


def cross_validate(
    scores: Floats,
    mass: Floats,
    k: int,
    *,
    method: Method = "difficulty",
    families: Sequence[int] | None = None,
    seed: int = 0,
) -> CrossValidation | None:
    """Leave systems out in turn, choose by the others, and predict those left out.

    Systems of one family (by default `system_families`) are left out together, since a near-copy would reveal their
    answers. None below `MIN_FAMILIES` families.
    """
    groups = np.array(families if families is not None else system_families(scores))
    names = np.unique(groups)
    if len(names) < MIN_FAMILIES:
        return None
    folds = np.searchsorted(names, groups) % MAX_FOLDS
    mass = mass / mass.sum()
    predicted = np.full((CHOICES, scores.shape[1]), np.nan)
    for fold in np.unique(folds):
        out = folds == fold
        remaining = scores[:, ~out]
        model = model_cases(remaining) if method == "difficulty" else None
        for choice in range(CHOICES):
            chosen = _choose(remaining, model, mass, k, seed + choice)
            predicted[choice, out] = weighted_means(scores[np.ix_(chosen.rows, out)], chosen.weights)
    truth = weighted_means(scores, mass)
    random = np.random.default_rng(seed)
    draws = [random.choice(len(mass), k, replace=False) for _ in range(RANDOM_DRAWS)]
    error, rank = _against(truth, predicted)
    if math.isnan(error):
        return None
    random_error, random_rank = _against(truth, [weighted_means(scores[rows], mass[rows]) for rows in draws])
    return CrossValidation(error, rank, random_error, random_rank, len(truth), len(np.unique(folds)))


def system_families(scores: Floats) -> list[int]:
    """The number of each system's family; near-copies belong to one family.

    Two systems are in one family if their scores, less the means of cases and systems, correlate by more than .5, directly
    or through a third system, or if they never differ.
    """
    rest = scores - _row_means(scores)[:, None]
    rest = rest - _row_means(rest.T)
    rest = np.where(np.isnan(rest), 0.0, rest)
    lengths = np.sqrt((rest**2).sum(axis=0))
    products = rest.T @ rest
    apart = lengths[:, None] ** 2 + lengths[None, :] ** 2 - 2 * products
    related = (products / np.maximum(np.outer(lengths, lengths), 1e-12) > 0.5) | (apart < 1e-9)
    families = list(range(scores.shape[1]))
    for first, second in zip(*np.nonzero(np.triu(related, 1)), strict=True):
        old, new = families[second], families[first]
        families = [new if family == old else family for family in families]
    return families


def weighted_means(scores: Floats, weights: Floats) -> Floats:
    """The weighted mean of each column over the rows with a score; nan where there are none."""
    there = ~np.isnan(scores)
    total = weights @ there
    sums = weights @ np.where(there, scores, 0.0)
    means: Floats = np.where(total > 0, sums / np.where(total > 0, total, 1.0), np.nan)
    return means


def kendall(a: Floats, b: Floats) -> float | None:
    """Kendall's tau-b; None below three values, or where one side is all ties."""
    if len(a) < 3:
        return None
    upper = np.triu_indices(len(a), 1)
    first, second = (np.sign(np.round(x[:, None] - x[None, :], 12))[upper] for x in (a, b))
    scale = np.sqrt(float((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / scale) if scale else None


def _against(truth: Floats, predictions: Iterable[Floats]) -> tuple[float, float | None]:
    """The mean absolute error and the mean rank correlation, without unpredicted systems."""
    errors: list[float] = []
    ranks: list[float] = []
    for predicted in predictions:
        there = ~np.isnan(predicted)
        errors += np.abs(predicted - truth)[there].tolist()
        rank = kendall(truth[there], predicted[there])
        if rank is not None:
            ranks.append(rank)
    return float(np.mean(errors)) if errors else float("nan"), float(np.mean(ranks)) if ranks else None


def _systematic_rows(easiness: Floats, mass: Floats, k: int, random: np.random.Generator) -> NDArray[np.int64]:
    """K distinct rows at even steps of mass along the difficulty; ties are in random order.

    A row with more mass than one step is certain, as in systematic sampling with probability proportional to size.
    """
    order = np.lexsort((random.random(len(mass)), easiness))
    taken = np.zeros(len(mass), dtype=bool)
    while True:
        left = k - int(taken.sum())
        rest = order[~taken[order]]
        heavy = rest[mass[rest] * left > mass[rest].sum() * (1 + 1e-9)]
        if not len(heavy):
            break
        taken[heavy[np.argsort(-mass[heavy], kind="stable")][:left]] = True
        if taken.sum() == k:
            return np.flatnonzero(taken)
    reached = np.cumsum(mass[rest]) / mass[rest].sum()
    middles = (np.arange(left) + 0.5) / left
    places = np.searchsorted(reached, middles)
    for place in range(1, left):  # rounding, and masses of exactly one step, may give one row twice
        places[place] = max(places[place], places[place - 1] + 1)
    places = np.minimum(places, len(rest) - left + np.arange(left))
    taken[rest[places]] = True
    return np.flatnonzero(taken)


def _row_means(scores: Floats) -> Floats:
    there = ~np.isnan(scores)
    means: Floats = np.where(there, scores, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return means


def _project(values: Floats, most: Floats) -> Floats:
    """The nearest point with 0 <= v <= most and sum 1, by bisection on the shift.

    The sum of `most` must be at least 1.
    """
    low, high = float(values.min()) - float(most.max()), float(values.max())
    for _ in range(32):
        shift = (low + high) / 2
        if float(np.clip(values - shift, 0, most).sum()) > 1:
            low = shift
        else:
            high = shift
    clipped = np.clip(values - low, 0, most)
    normalised: Floats = clipped / clipped.sum()
    return normalised
