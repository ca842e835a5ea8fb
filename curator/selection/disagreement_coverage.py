"""The default strategy, `coverage`: picks that represent the disagreement of the cases."""

from __future__ import annotations

from itertools import islice

import numpy as np

from curator.config import SelectionConfig
from curator.selection.candidates import AcquiredCase, Candidates, Floats, PickRequest, PickResult, Places, Vectors
from curator.selection.constraints import Constraints, nearest_cosine
from curator.selection.facility_location import (
    DENSE,
    Facility,
    facility,
    facility_of_shortlist,
    maximise,
    partition,
    shortlist,
)

NARROW = 2
"""The picks come from the most disagreeing `NARROW` times k groups of candidates, and all that tie with the last of them.

It was tuned, like the root in the weights and the share of outliers, on the pools of `benchmarks/selection/discovery.py`.
"""


def pick_by_coverage(candidates: Candidates, request: PickRequest) -> PickResult:
    """Maximise facility location over the most disagreeing candidates.

    The minimum of each category comes first, then the objective, then `outlier_share` of k from isolated candidates.
    """
    k, config = request.k, request.config
    narrow = _most_disagreeing(candidates, candidates.random_numbers(request.seed), k, config)
    target, pool = _objective(narrow, request)
    constraints = pool.constraints(config)
    picks = _picks_owed(pool, target, constraints, k)
    reserved = min(round(config.outlier_share * k), k - len(picks))
    steps = maximise(target, constraints)
    picks += [AcquiredCase(pool.ids[place], gain, "") for place, gain in islice(steps, k - len(picks) - reserved)]
    picks += _isolated_picks(pool, target, constraints, reserved, request)
    picks += [AcquiredCase(pool.ids[place], gain, "") for place, gain in islice(steps, k - len(picks))]
    return PickResult(tuple(picks), _coverage(narrow, picks, config.disagreement_power))


def _picks_owed(pool: Candidates, target: Facility, constraints: Constraints, k: int) -> list[AcquiredCase]:
    """The picks that the categories' minimum asks for."""
    picks: list[AcquiredCase] = []
    steps = maximise(target, constraints)
    while len(picks) < k and (constraints.allowed & constraints.owed).any():
        place, gain = next(steps)
        picks.append(AcquiredCase(pool.ids[place], gain, f"quota of {pool.categories[place]}"))
    return picks


def _isolated_picks(
    pool: Candidates, target: Facility, constraints: Constraints, count: int, request: PickRequest
) -> list[AcquiredCase]:
    """At most `count` isolated candidates, by the product of u^b and isolation."""
    picks: list[AcquiredCase] = []
    isolated = pool.isolation > request.isolated_above
    for _ in range(count):
        preference = np.where(
            constraints.allowed & isolated, pool.u**request.config.disagreement_power * pool.isolation, -1.0
        )
        place = int(np.argmax(preference))
        if preference[place] < 0:
            break
        picks.append(AcquiredCase(pool.ids[place], target.gain(place), "isolated"))
        constraints.take(place)
        target.take(place)
    return picks


def _coverage(pool: Candidates, picks: list[AcquiredCase], power: float) -> float:
    """The share of the weight u^b that the picks represent, 0..1.

    Each candidate counts in proportion to its cosine with the nearest pick.
    """
    mass = pool.u**power
    chosen = {pick.case_id for pick in picks}
    rows: Vectors = pool.vectors[[i in chosen for i in pool.ids]]
    return float(nearest_cosine(pool.vectors, rows) @ mass / mass.sum())


def _most_disagreeing(pool: Candidates, random_numbers: Floats, k: int, config: SelectionConfig) -> Candidates:
    """The most disagreeing candidates, with enough of each category for its constraints."""
    if np.ptp(pool.u) == 0:
        return pool
    order = np.lexsort((random_numbers, -pool.u))
    keep = np.zeros(len(order), dtype=bool)
    keep[order[: _candidates_in_groups(pool, order, NARROW * k)]] = True
    if config.least_per_category or config.most_per_category:
        category_of = np.asarray(pool.categories)
        for name in np.unique(category_of):
            places = order[category_of[order] == name]
            keep[places[: NARROW * max(config.least_per_category, config.most_per_category or 0)]] = True
    return pool.subset(np.flatnonzero(keep))


def _candidates_in_groups(pool: Candidates, order: Places, wanted: int) -> int:
    """The number of candidates, in this order, that have `wanted` near-duplicate groups."""
    seen: set[str] = set()
    for count, place in enumerate(order, start=1):
        seen.add(pool.groups[place])
        if len(seen) >= wanted:
            return count
    return len(order)


def _objective(pool: Candidates, request: PickRequest) -> tuple[Facility, Candidates]:
    """F over the candidates; over a shortlist where they are too many to compare each pair."""
    config, seed = request.config, request.seed
    covered = nearest_cosine(pool.vectors, request.covered).astype(np.float64)
    power, weight_of_score = config.disagreement_power, config.score_weight
    if len(pool) <= DENSE:
        return facility(pool.vectors, pool.u, power=power, score_weight=weight_of_score, covered=covered), pool
    parts = partition(pool.vectors, seed=seed)
    places, weight = shortlist(
        pool.vectors, pool.u, request.k, power=power, score_weight=weight_of_score, covered=covered, parts=parts
    )
    short = pool.subset(places)
    target = facility_of_shortlist(
        short.vectors, short.u, weight, score_weight=weight_of_score, covered=covered[places]
    )
    return target, short
