"""A few weighted cases that stand for a whole eval set: which ones, with which weights, and how far off they are."""

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

Way: TypeAlias = Literal["difficulty", "pattern"]
MOST_ABOVE_AVERAGE = 3.0
"""No weight is above so many times the average one, unless the case alone has more in the full set."""
RANDOM_DRAWS = 100
CHOICES = 3
"""So many choices that differ by how ties are broken are tried when systems are left out: one may be lucky."""
MOST_FOLDS = 10
LEAST_FAMILIES = 3
"""With two, each would be predicted from the other alone, which says nothing of a third."""
FEW_FAMILIES = 6
"""Below so many systems that differ, the choice is by difficulty alone: patterns would be followed too closely."""
_STEPS = 200
_STILL = 1e-5
"""Weights that move by less than this share of the average one are settled."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows that were chosen, in ascending order, and their weights, which sum to 1."""

    rows: NDArray[np.int64]
    weights: Floats


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How well systems are predicted that the choice knew nothing of.

    Attributes:
        error: the mean absolute error of their scores, 0..1.
        rank_correlation: Kendall's tau-b between their true and their predicted scores; None below three systems.
        random_error: the same mean for as many cases drawn plainly at random.
        random_rank_correlation: and that of such draws.
        systems: how many systems were left out, each once.
        folds: in how many turns.
    """

    error: float
    rank_correlation: float | None
    random_error: float
    random_rank_correlation: float | None
    systems: int
    folds: int


def choose_cases(scores: Floats, mass: Floats, k: int, *, way: Way = "difficulty", seed: int = 0) -> Chosen:
    """Choose k of N cases by the scores of known systems (N x systems, nan: not answered); `mass` is what each counts.

    By `difficulty` the cases are put in order and one is taken from the middle of each k-th part, which keeps the choice
    from following the known systems too closely; their weights are then those that would give a new system's score with
    the least expected error (`model_cases`). By `pattern` they are clustered, and the one nearest to each centre stands
    for its cluster (Polo et al., tinyBenchmarks, 2024). Weights are at least 0, bounded, and 1 together.
    """
    if k >= len(mass):
        return Chosen(np.arange(len(mass)), mass / mass.sum())
    model = model_cases(scores) if way == "difficulty" else None
    return _choose(scores, model, mass / mass.sum(), k, seed)


def best_way(
    scores: Floats, mass: Floats, k: int, *, families: Sequence[int] | None = None, seed: int = 0
) -> tuple[Way, HeldOut | None]:
    """The way that predicts systems left out best, and how well; `difficulty` where too few systems differ to tell.

    Patterns pay where a case's score says much of the case, as graded scores do; from few passes and fails they are noise.
    """
    families = alike(scores) if families is None else families
    plain = held_out(scores, mass, k, families=families, seed=seed)
    if plain is None or len(set(families)) < FEW_FAMILIES:
        return "difficulty", plain
    other = held_out(scores, mass, k, way="pattern", families=families, seed=seed)
    return ("pattern", other) if other is not None and other.error < plain.error else ("difficulty", plain)


def _choose(scores: Floats, model: CaseModel | None, mass: Floats, k: int, seed: int) -> Chosen:
    """By difficulty with a model, by pattern without."""
    random = np.random.default_rng(seed)
    if model is not None:
        rows = _along(model.easiness, mass, k, random)
        return Chosen(rows, best_weights(model, mass, rows))
    filled = np.where(np.isnan(scores), _row_means(scores)[:, None], scores)
    rows, shares = medoids(filled, mass, k, random)
    most = np.maximum(MOST_ABOVE_AVERAGE / k, mass[rows])
    return Chosen(rows, _projected(shares, most))


def best_weights(model: CaseModel, mass: Floats, rows: NDArray[np.int64]) -> Floats:
    """The weights of these rows with the least |features' (v - mass)|^2 + noise' (v - mass)^2, by accelerated projection.

    The noise keeps them near each other: a case that weighs twice as much brings four times its noise.
    """
    most = np.maximum(MOST_ABOVE_AVERAGE / len(rows), mass[rows])
    features, noise = model.features[rows], model.noise[rows]
    curvature = features @ features.T + np.diag(noise)
    pull = features @ (mass @ model.features) + noise * mass[rows]
    step = 1 / max(float(np.linalg.eigvalsh(curvature)[-1]), 1e-12)
    weights = ahead = _projected(mass[rows] / mass[rows].sum(), most)
    pace = 1.0
    for _ in range(_STEPS):
        after = _projected(ahead - step * (curvature @ ahead - pull), most)
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        moved = float(np.abs(after - weights).max())
        ahead = after + (pace - 1) / faster * (after - weights)
        weights, pace = after, faster
        if moved < _STILL / len(rows):
            break
    made: Floats = weights / weights.sum()
    return made


def held_out(
    scores: Floats,
    mass: Floats,
    k: int,
    *,
    way: Way = "difficulty",
    families: Sequence[int] | None = None,
    seed: int = 0,
) -> HeldOut | None:
    """Leave systems out in turn, choose by the others, predict those left out; None where fewer than three differ.

    Systems of one family (by default `alike`) are left out together: a twin that stayed would tell their answers.
    """
    groups = np.array(families if families is not None else alike(scores))
    names = np.unique(groups)
    if len(names) < LEAST_FAMILIES:
        return None
    folds = np.searchsorted(names, groups) % MOST_FOLDS
    mass = mass / mass.sum()
    predicted = np.full((CHOICES, scores.shape[1]), np.nan)
    for fold in np.unique(folds):
        out = folds == fold
        known = scores[:, ~out]
        model = model_cases(known) if way == "difficulty" else None
        for choice in range(CHOICES):
            chosen = _choose(known, model, mass, k, seed + choice)
            predicted[choice, out] = weighted_means(scores[np.ix_(chosen.rows, out)], chosen.weights)
    truth = weighted_means(scores, mass)
    random = np.random.default_rng(seed)
    draws = [random.choice(len(mass), k, replace=False) for _ in range(RANDOM_DRAWS)]
    error, rank = _against(truth, predicted)
    if math.isnan(error):
        return None
    random_error, random_rank = _against(truth, [weighted_means(scores[rows], mass[rows]) for rows in draws])
    return HeldOut(error, rank, random_error, random_rank, len(truth), len(np.unique(folds)))


def alike(scores: Floats) -> list[int]:
    """A family number for each system: two are of one where they share most of what sets them apart from the others.

    That is, where what remains of their scores without each case's mean and each system's correlates by more than .5,
    directly or by way of a third; so are two that never differ.
    """
    rest = scores - _row_means(scores)[:, None]
    rest = rest - _row_means(rest.T)
    rest = np.where(np.isnan(rest), 0.0, rest)
    lengths = np.sqrt((rest**2).sum(axis=0))
    products = rest.T @ rest
    apart = lengths[:, None] ** 2 + lengths[None, :] ** 2 - 2 * products
    together = (products / np.maximum(np.outer(lengths, lengths), 1e-12) > 0.5) | (apart < 1e-9)
    families = list(range(scores.shape[1]))
    for first, second in zip(*np.nonzero(np.triu(together, 1)), strict=True):
        old, new = families[second], families[first]
        families = [new if family == old else family for family in families]
    return families


def weighted_means(scores: Floats, weights: Floats) -> Floats:
    """The weighted mean of each column over the rows it has a score for; nan where there is none."""
    there = ~np.isnan(scores)
    total = weights @ there
    sums = weights @ np.where(there, scores, 0.0)
    made: Floats = np.where(total > 0, sums / np.where(total > 0, total, 1.0), np.nan)
    return made


def kendall(a: Floats, b: Floats) -> float | None:
    """Kendall's tau-b; None below three values, or where one side is all ties."""
    if len(a) < 3:
        return None
    upper = np.triu_indices(len(a), 1)
    first, second = (np.sign(np.round(x[:, None] - x[None, :], 12))[upper] for x in (a, b))
    scale = np.sqrt(float((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / scale) if scale else None


def _against(truth: Floats, predictions: Iterable[Floats]) -> tuple[float, float | None]:
    """The mean absolute error and the mean rank correlation; a system without a prediction counts for neither."""
    errors: list[float] = []
    ranks: list[float] = []
    for predicted in predictions:
        there = ~np.isnan(predicted)
        errors += np.abs(predicted - truth)[there].tolist()
        rank = kendall(truth[there], predicted[there])
        if rank is not None:
            ranks.append(rank)
    return float(np.mean(errors)) if errors else float("nan"), float(np.mean(ranks)) if ranks else None


def _along(easiness: Floats, mass: Floats, k: int, random: np.random.Generator) -> NDArray[np.int64]:
    """K different rows, evenly along the difficulty by mass; what ties is in random order.

    A row with more mass than a k-th of what is left is taken for certain, as in systematic sampling by size.
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
    for place in range(1, left):  # rounding, and masses of exactly a k-th, may hit one row twice
        places[place] = max(places[place], places[place - 1] + 1)
    places = np.minimum(places, len(rest) - left + np.arange(left))
    taken[rest[places]] = True
    return np.flatnonzero(taken)


def _row_means(scores: Floats) -> Floats:
    there = ~np.isnan(scores)
    made: Floats = np.where(there, scores, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return made


def _projected(values: Floats, most: Floats) -> Floats:
    """The nearest point with 0 <= v <= most and sum 1 (the sum of `most` is at least 1), by bisection on the shift."""
    low, high = float(values.min()) - float(most.max()), float(values.max())
    for _ in range(32):
        shift = (low + high) / 2
        if float(np.clip(values - shift, 0, most).sum()) > 1:
            low = shift
        else:
            high = shift
    clipped = np.clip(values - low, 0, most)
    made: Floats = clipped / clipped.sum()
    return made
