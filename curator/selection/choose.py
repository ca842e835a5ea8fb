"""Spends the labelling budget: a discovery part, where disagreement and diversity are greatest, and a random slice.

The random slice is a probability sample of everything that discovery left, against what disagreement cannot see: a
committee that agrees and is wrong. The two are never mixed: a case's slice and inclusion probability say how it came in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.config import SelectionConfig
from curator.records import Case, Pick, stable_unit, with_group
from curator.selection.objective import Greedy, choose_greedily, similarities
from curator.selection.splits import split_of

_CASES_PER_GROUP = 2


@dataclass(frozen=True, slots=True)
class Candidates:
    """The cases worth a vector: the most disagreeing ones first, then the rest of those that may come by the slice."""

    to_embed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """The picks and what a report needs to say of them.

    Attributes:
        picks: discovery in the order chosen, then the random slice in the order drawn; ranks count from 1.
        pool_size: cases that could be picked.
        asked: the budget k.
        candidates: cases that discovery chose among.
        k_discovery: picks by disagreement and diversity.
        k_random: picks by the random slice.
        coverage: the share of the candidates' disagreement (to the objective's power) that the discovery picks stand
            for, in 0..1.
    """

    picks: tuple[Pick, ...]
    pool_size: int
    asked: int
    candidates: int
    k_discovery: int
    k_random: int
    coverage: float


def random_order(ids: Iterable[str], seed: int) -> list[str]:
    """The ids in an order that hangs on them and the seed alone, not on the order they came in."""
    return sorted(ids, key=lambda id_: (stable_unit("random-slice", str(seed), id_), id_))


def random_slice_size(k: int, share: float) -> int:
    """The part of k that is drawn at random: the share of it, but at least one of two or more unless the share is 0."""
    size = round(k * share)
    return max(size, 1) if share > 0 and k > 1 else size


def candidates(pool: Sequence[Case], scores: Mapping[str, float], config: SelectionConfig, *, seed: int) -> Candidates:
    """Which cases to embed.

    The most disagreeing cases, until they are of k x `candidates_per_pick` near-duplicate groups (but no more than twice
    as many cases), and the first k of the random order, which hold the random slice whatever discovery picks.
    """
    drawn = random_order((case.id for case in pool), seed)[: config.k]
    return Candidates(to_embed=tuple(dict.fromkeys([*_most_disagreeing(pool, scores, config), *drawn])))


def _most_disagreeing(pool: Sequence[Case], scores: Mapping[str, float], config: SelectionConfig) -> list[str]:
    wanted = config.k * config.candidates_per_pick
    chosen: list[str] = []
    groups: set[str] = set()
    scored = (with_group(case) for case in pool if case.id in scores)
    for case in sorted(scored, key=lambda case: (-scores[case.id], case.id)):
        if len(groups) >= wanted or len(chosen) >= _CASES_PER_GROUP * wanted:
            break
        chosen.append(case.id)
        groups.add(case.group)
    return chosen


def select(
    pool: Sequence[Case],
    scores: Mapping[str, float],
    vectors: Mapping[str, NDArray[np.float32]],
    config: SelectionConfig,
    *,
    seed: int,
) -> Selection:
    """Pick at most k cases of the pool.

    Discovery maximises the objective of `objective.py` over the most disagreeing cases (those of `candidates` with a
    vector and a disagreement above 0), without two of one near-duplicate group. They are certainty picks, with an
    inclusion probability of 1. The random slice is a simple random sample of all others, scored or not, near-duplicate or
    not: each one is drawn with probability k_random / (pool - k_discovery). What discovery cannot use, as no unstable
    case is left that would be new, goes to the random slice (unless its share is 0). A pool of at most k cases is picked
    whole then.

    Args:
        pool: the deduplicated cases, ids unique.
        scores: disagreement in 0..1 by case id; a case that could not be scored is left out.
        vectors: unit vectors, each (d,), by case id; without any, each case stands for itself alone.
        config: the budget and how it is spent.
        seed: fixes the random slice, and nothing else. The order of the pool does not matter.
    """
    cases = {case.id: with_group(case) for case in pool}
    k = min(config.k, len(cases))
    # No case may become a candidate of discovery because it was drawn (and embedded for that): it would then be missing
    # from the rest more often than others, and the slice would no longer be a sample with equal probabilities.
    unstable = sorted(
        i for i in _most_disagreeing(pool, scores, config) if scores[i] > 0 and (i in vectors or not vectors)
    )
    found = _discover(
        [cases[i] for i in unstable], scores, vectors, config, k=k - random_slice_size(k, config.random_share)
    )
    discovered = [unstable[place] for place in found.order]
    rest = random_order(cases.keys() - set(discovered), seed)
    drawn = rest[: k - len(discovered)] if config.random_share > 0 else []

    picks = [
        Pick(id_, rank, "disagreement", 1.0, split_of(cases[id_].group, config.held_out_share), gain)
        for rank, (id_, gain) in enumerate(zip(discovered, found.gains, strict=True), start=1)
    ]
    picks += [
        Pick(id_, rank, "random", len(drawn) / len(rest), split_of(cases[id_].group, config.held_out_share))
        for rank, id_ in enumerate(drawn, start=len(discovered) + 1)
    ]
    return Selection(
        picks=tuple(picks),
        pool_size=len(cases),
        asked=config.k,
        candidates=len(unstable),
        k_discovery=len(discovered),
        k_random=len(drawn),
        coverage=found.coverage,
    )


def _discover(
    unstable: Sequence[Case],
    scores: Mapping[str, float],
    vectors: Mapping[str, NDArray[np.float32]],
    config: SelectionConfig,
    *,
    k: int,
) -> Greedy:
    if k == 0 or not unstable:
        return Greedy((), (), 0.0)
    if vectors:
        similarity = similarities(np.stack([vectors[case.id] for case in unstable]))
    else:
        similarity = np.eye(len(unstable), dtype=np.float32)
    return choose_greedily(
        similarity,
        np.array([scores[case.id] for case in unstable], dtype=np.float64),
        [case.group for case in unstable],
        k,
        power=config.disagreement_power,
        score_weight=config.score_weight,
    )
