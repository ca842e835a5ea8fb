"""STRATEGIES: every way to choose the discovery picks, by its name in `selection.strategy`.

To add one, write a function from the candidates and a request to the picks, add its entry here and its name to
`records.StrategyName`. The names are in `records` because the configuration, which is checked before any model or array
library is loaded, cannot import this room; mypy and a test hold the two together.

Most strategies only prefer some candidates to others. For these, `greedy` turns a preference into a strategy: it is asked
before each pick and returns how much each candidate is wanted next, (n,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from curator.plugins import Registry
from curator.records import StrategyName
from curator.selection.candidates import AcquiredCase, Candidates, Floats, PickRequest, PickResult, Vectors
from curator.selection.disagreement_coverage import pick_by_coverage

_TIE_BREAK = 1e-9  # smaller than any difference of scores that matters
_ORTHOGONAL = 2.0  # the squared distance of two orthogonal unit vectors


@dataclass(slots=True)
class GreedyState:
    """The input of a preference.

    Attributes:
        vectors: unit vectors, (n, d).
        u: disagreement in 0..1, (n,).
        random_numbers: one number in 0..1 per candidate, (n,), from its id and the seed.
        rng: for strategies that draw at each pick.
        squared_distance: to the nearest pick, (n,); 2, that of orthogonal vectors, before the first one.
    """

    vectors: Vectors
    u: Floats
    random_numbers: Floats
    rng: np.random.Generator
    squared_distance: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.squared_distance = np.full(len(self.u), _ORTHOGONAL)

    def update_distance(self, picked: Sequence[int], length: Floats) -> Floats:
        """Update `squared_distance` for the last pick, with vectors scaled to `length`, (n,)."""
        if not picked:
            return self.squared_distance
        last = picked[-1]
        cosine = self.vectors @ self.vectors[last]
        distance = length**2 + length[last] ** 2 - 2 * length * length[last] * cosine
        self.squared_distance = np.maximum(np.minimum(self.squared_distance, distance), 0.0)
        return self.squared_distance

    def random_keys(self, mass: Floats) -> Floats:
        """Keys, (n,), of which the greatest is at i with a probability in proportion to its mass.

        Source: Efraimidis and Spirakis (2006).
        """
        return np.log(self.rng.random(len(mass))) / np.maximum(mass, 1e-12)


Preference = Callable[[GreedyState, Sequence[int]], Floats]
Choose = Callable[[Candidates, PickRequest], PickResult]


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to choose the discovery picks.

    Attributes:
        name: as in `selection.strategy`.
        meaning: one line for help and docs.
        choose: the function that picks.
        needs_vectors: True where it cannot work without embeddings; `top` then takes its place.
        random: True where the seed decides even among candidates that differ; else it only decides among equals.
    """

    name: StrategyName
    meaning: str
    choose: Choose
    needs_vectors: bool = True
    random: bool = False


def greedy(name: StrategyName, preference: Preference) -> Choose:
    """A strategy that repeatedly takes the most preferred candidate that is still allowed."""

    def choose(candidates: Candidates, request: PickRequest) -> PickResult:
        constraints = candidates.constraints(request.config)
        rng = np.random.default_rng(request.seed)
        state = GreedyState(candidates.vectors, candidates.u, candidates.random_numbers(request.seed), rng)
        picked: list[int] = []
        while len(picked) < request.k and (allowed := constraints.allowed).any():
            place = int(np.argmax(np.where(allowed, preference(state, picked), -np.inf)))
            picked.append(place)
            constraints.take(place)
        return PickResult(tuple(AcquiredCase(candidates.ids[place], 0.0, f"by {name}") for place in picked))

    return choose


def prefer_disagreement(state: GreedyState, picked: Sequence[int]) -> Floats:  # noqa: ARG001  one signature for all
    """The most disagreeing candidates first."""
    return state.u + _TIE_BREAK * state.random_numbers


def prefer_small_margin(state: GreedyState, picked: Sequence[int]) -> Floats:  # noqa: ARG001  one signature for all
    """The smallest margin between the two shares u and 1 - u first."""
    return -np.abs(2 * state.u - 1) + _TIE_BREAK * state.random_numbers


def prefer_at_random(state: GreedyState, picked: Sequence[int]) -> Floats:  # noqa: ARG001  one signature for all
    """A random order."""
    return state.random_numbers


def prefer_distant(state: GreedyState, picked: Sequence[int]) -> Floats:
    """k-center (Gonzalez 1985): first the most disagreeing, then the farthest from all picks."""
    distance = state.update_distance(picked, np.ones(len(state.u)))
    return (distance if picked else state.u) + _TIE_BREAK * state.random_numbers


def prefer_weighted_distant(state: GreedyState, picked: Sequence[int]) -> Floats:
    """k-means++ (Arthur and Vassilvitskii 2007) with weights u^2: P(i) ~ u_i^2 d_i^2."""
    return state.random_keys(state.u**2 * state.update_distance(picked, np.ones(len(state.u))))


def prefer_large_gradient(state: GreedyState, picked: Sequence[int]) -> Floats:
    """BADGE (Ash et al. 2020): k-means++ over the vectors x_i sqrt(u_i), the longest one first.

    sqrt(u) takes the place of the gradient's scalar, which a committee of texts does not have.
    """
    length = np.sqrt(state.u)
    if not picked:
        return length + _TIE_BREAK * state.random_numbers
    if len(picked) == 1:
        state.squared_distance = np.full(len(state.u), np.inf)
    return state.random_keys(state.update_distance(picked, length))


_ENTRIES = (
    Strategy("coverage", "cover the disagreement: facility location over disagreement and vectors", pick_by_coverage),
    Strategy("top", "the most disagreeing cases", greedy("top", prefer_disagreement), needs_vectors=False),
    Strategy(
        "margin", "the smallest margin of u and 1 - u", greedy("margin", prefer_small_margin), needs_vectors=False
    ),
    Strategy(
        "random", "disagreeing cases at random", greedy("random", prefer_at_random), needs_vectors=False, random=True
    ),
    Strategy("k-center", "the case farthest from all picks", greedy("k-center", prefer_distant)),
    Strategy("kmeans++", "k-means++ weighted by u^2", greedy("kmeans++", prefer_weighted_distant), random=True),
    Strategy("badge", "BADGE with sqrt(u) for the gradient", greedy("badge", prefer_large_gradient), random=True),
)
STRATEGIES: Registry[Strategy] = Registry("strategy", Strategy, {entry.name: entry for entry in _ENTRIES})


def usable_strategy(name: str, candidates: Candidates) -> Strategy:
    """The strategy by its name; `top` where it needs vectors and there are none."""
    strategy = STRATEGIES[name]
    return strategy if candidates.have_vectors or not strategy.needs_vectors else STRATEGIES["top"]
