"""The picks of a round: the held-out set, the seed, uncertain cases, and a random slice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from curator.errors import ConfigError
from curator.records import Pick, Slice, random_order
from curator.records.loop import LoopCase
from curator.selection.training_batch import MAX_POOL, Query, next_batch
from curator.text.display import plural

Vectors = Callable[[Sequence[str]], NDArray[np.float32]]
_LEAST_SCORED = 0.5
"""Below this share of scored cases the committee's disagreement says too little of the pool."""


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """The cases that a round chooses from, and its size.

    Attributes:
        pool: all cases of the loop.
        number: of the round, from 0.
        size: cases to choose, those of the held-out set aside.
        random_share: the share of `size` that is drawn at random; 1 in the random arm.
        seed: of the draws.
        taken: cases that were chosen before.
        answers: the right answers so far, by case id.
    """

    pool: Sequence[LoopCase]
    number: int
    size: int
    random_share: float
    seed: int
    taken: Collection[str]
    answers: Mapping[str, str]


def held_out_picks(pool: Sequence[LoopCase], size: int, *, seed: int) -> list[Pick]:
    """Draw the held-out set: random cases of the eval split, whose rate is that of the pool.

    Raises:
        ConfigError: the eval split has too few cases.
    """
    ids = [item.case.id for item in pool if item.split == "eval"]
    if len(ids) < size:
        raise ConfigError(
            f"loop: `held_out_labels` is {size:,}, and only {plural(len(ids), 'case')} of {len(pool):,} may be held out",
            remedy=f"lower `loop.held_out_labels`, raise `selection.held_out_share`, or add logs (at least {size - len(ids):,} cases)",
        )
    drawn = random_order(ids, seed)[:size]
    return [
        Pick(case_id, rank, "random", size / len(ids), "eval", draw=rank, reason="held out: drawn at random")
        for rank, case_id in enumerate(drawn, 1)
    ]


def training_picks(plan: RoundPlan, embed: Vectors, probabilities: NDArray[np.float64] | None) -> list[Pick]:
    """Choose the cases of a round that are to be trained on.

    The random slice is drawn first, from all cases that are left, so that it represents them. The others are chosen among the rest
    by `next_batch`: cases that represent many without a label, and more and more those that the student, or without one the
    committee, doubts.

    Args:
        plan: what to choose from.
        embed: texts to unit vectors.
        probabilities: of the student's classes, one row for each of the `embedded_cases`, in their order;
            None without a student.
    """
    left = [item for item in plan.pool if item.trainable and item.case.id not in plan.taken]
    size = min(plan.size, len(left))
    count = _drawn(left, size, plan.random_share)
    # Another seed than that of the held-out set and of the rounds before, so that the draws are independent.
    drawn = random_order((item.case.id for item in left), plan.seed + plan.number + 1)[:count]
    picks = [
        Pick(
            case_id, 0, "random", count / len(left), "train", stage=plan.number + 1, draw=draw, reason="drawn at random"
        )
        for draw, case_id in enumerate(drawn, 1)
    ]
    queries = _queries(plan, size - count, set(drawn), embed, probabilities) if size > count else []
    picks += [
        Pick(case_id, 0, _slice(query), 1.0, "train", gain=query.gain, stage=plan.number + 1, reason=_reason(query))
        for case_id, query in queries
    ]
    return picks


def _drawn(left: Sequence[LoopCase], size: int, random_share: float) -> int:
    """Return the size of the random slice: its share, and what cases with a text leave open."""
    return max(round(size * random_share), size - sum(bool(item.text) for item in left))


def _queries(
    plan: RoundPlan, k: int, drawn: Collection[str], embed: Vectors, probabilities: NDArray[np.float64] | None
) -> list[tuple[str, Query]]:
    """Return k cases beside the drawn ones, by what a label of them would teach.

    No near-duplicate group is labelled twice while there are others; then groups count no more, as a round has its size.
    """
    items = embedded_cases(plan.pool, plan.taken, seed=plan.seed)
    places = {item.case.id: place for place, item in enumerate(items)}
    done = {places[i]: plan.answers.get(i) for i in (*plan.taken, *drawn) if i in places}
    classes = done if probabilities is not None else dict.fromkeys(done)  # one class: no learner is fitted to free text
    choose = partial(
        next_batch,
        embed([item.text for item in items]),
        probabilities=probabilities,
        disagreement=None if probabilities is not None else _disagreement(items),
        seed=plan.seed + plan.number,
    )
    k = min(k, len(items) - len(done))
    queries = list(choose(classes, k, groups=[item.case.group or item.case.id for item in items]).queries)
    if len(queries) < k:
        chosen = classes | dict.fromkeys(query.index for query in queries)
        queries += choose(chosen, k - len(queries)).queries
    return [(items[query.index].case.id, query) for query in queries]


def embedded_cases(pool: Sequence[LoopCase], taken: Collection[str], *, seed: int) -> list[LoopCase]:
    """Return the cases that are embedded, in the order of the pool: trainable ones with a text.

    A large pool is represented by `MAX_POOL` random ones of them, and by those that are taken.
    """
    items = [item for item in pool if item.trainable and item.text]
    if len(items) <= MAX_POOL:
        return items
    kept = {*random_order((item.case.id for item in items), seed)[:MAX_POOL], *taken}
    return [item for item in items if item.case.id in kept]


def _disagreement(items: Sequence[LoopCase]) -> NDArray[np.float64] | None:
    """Return the committee's disagreement, (n,); None where too few cases have one.

    A case that was not asked counts as the mean of the others.
    """
    scores = [item.disagreement for item in items if item.disagreement is not None]
    if len(scores) < _LEAST_SCORED * len(items) or not scores:
        return None
    mean = float(np.mean(scores))
    return np.array([mean if item.disagreement is None else item.disagreement for item in items])


def _slice(query: Query) -> Slice:
    return "disagreement" if query.reason == "uncertainty" else "diversity"


def _reason(query: Query) -> str:
    if query.reason == "uncertainty":
        return f"doubted; it represents {query.represents:.1f} cases"
    return f"covers {query.represents:.1f} cases that no label represents"
