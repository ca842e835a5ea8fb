"""The candidates that a strategy chooses from, and the picks that it returns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.config import SelectionConfig
from curator.records import Slice, stable_unit
from curator.selection.constraints import Constraints, nearest_cosine

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AcquiredCase:
    """A pick: its gain in the objective (0 without one), the reason in words, and its slice."""

    case_id: str
    gain: float
    reason: str
    slice: Slice = "disagreement"


@dataclass(frozen=True, slots=True)
class Candidates:
    """The n candidates in ascending order of their ids.

    Attributes:
        ids: of the cases.
        u: disagreement in 0..1, (n,).
        vectors: unit vectors, (n, d); (n, 0) where there are none.
        groups: the near-duplicate group of each.
        categories: the category of each; empty for a case without one.
        isolation: the distance from the other cases, (n,) in 0..1; zeros where there are no vectors.
    """

    ids: list[str]
    u: Floats
    vectors: Vectors
    groups: list[str]
    categories: list[str]
    isolation: Vectors

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def have_vectors(self) -> bool:
        """True where the candidates are embedded."""
        return bool(self.vectors.shape[1])

    def subset(self, places: Places) -> Candidates:
        """The candidates at these places, in this order."""
        return Candidates(
            [self.ids[i] for i in places],
            self.u[places],
            self.vectors[places],
            [self.groups[i] for i in places],
            [self.categories[i] for i in places],
            self.isolation[places],
        )

    def constraints(self, config: SelectionConfig) -> Constraints:
        """The constraints that the configuration puts on the picks."""
        return Constraints(
            self.vectors,
            self.groups,
            self.categories,
            nearest=config.nearest,
            least=config.least_per_category,
            most=config.most_per_category,
        )

    def random_numbers(self, seed: int) -> Floats:
        """A number in 0..1 per candidate, (n,), from its id and the seed: it decides among equals."""
        return np.array([stable_unit("discovery", str(seed), i) for i in self.ids])


@dataclass(frozen=True, slots=True)
class PickRequest:
    """The request to a strategy.

    Attributes:
        k: the picks wanted, at least 1; a strategy returns fewer where the constraints leave fewer.
        config: the constraints and the settings of the objective.
        seed: decides among equals and in strategies that draw at random.
        covered: unit vectors of the cases labelled or selected earlier, (m, d).
        isolated_above: a candidate with a greater isolation is isolated.
    """

    k: int
    config: SelectionConfig
    seed: int
    covered: Vectors
    isolated_above: float


@dataclass(frozen=True, slots=True)
class PickResult:
    """The picks of a strategy, in the order chosen.

    `coverage` is the share of the candidates' weight that they represent, in 0..1; 0 without an objective.
    """

    picks: tuple[AcquiredCase, ...]
    coverage: float = 0.0


def eligible(
    scored: list[str],
    scores: Mapping[str, float],
    vectors: Mapping[str, Vectors],
    isolation: Mapping[str, np.float32],
    *,
    groups: Mapping[str, str],
    categories: Mapping[str, str],
    covered: Collection[str],
) -> Candidates:
    """The scored cases with disagreement, without the groups of covered cases.

    Cases without disagreement count only where no case has any: then all have the same u, 1.
    """
    flat = all(scores[i] == 0 for i in scored)
    taken = {groups.get(i) or i for i in covered}
    kept = [i for i in scored if (flat or scores[i] > 0) and (groups.get(i) or i) not in taken]
    return Candidates(
        kept,
        np.array([1.0 if flat else scores[i] for i in kept], dtype=np.float64),
        np.stack([vectors[i] for i in kept]) if kept and vectors else np.zeros((len(kept), 0), dtype=np.float32),
        [groups.get(i) or i for i in kept],
        [categories.get(i, "") for i in kept],
        np.array([isolation.get(i, 0.0) for i in kept], dtype=np.float32),
    )


def without_near(candidates: Candidates, covered: Vectors, nearest: float) -> Candidates:
    """The candidates whose cosine with every covered vector, (m, d), is below `nearest`."""
    if not len(covered):
        return candidates
    return candidates.subset(np.flatnonzero(nearest_cosine(candidates.vectors, covered) < nearest))
