"""Decompose the spread of a committee: between models, between variants, within one prompt.

The three parts add up exactly. The parts between groups are above 0 by chance even where the groups answer alike, because
each group has only a few answers: they describe the answers at hand, and are no test of an effect.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import fsum, log

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.estimators.partition import entropy, mean_distance

_Places = list[int]


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A spread in 0..1 as the sum of three parts.

    Attributes:
        models: between models.
        variants: between the prompt variants of one model.
        within: among the answers to one prompt of one model.
    """

    models: float
    variants: float
    within: float

    @property
    def total(self) -> float:
        """The spread of all answers."""
        return self.models + self.variants + self.within


def decompose_classes(classes: Sequence[Hashable], models: Sequence[str], variants: Sequence[str]) -> Decomposition:
    """Decompose the semantic entropy over ln n; the arguments have the same length n >= 2.

    The chain rule of the generalised Jensen-Shannon divergence (Lin 1991), for models m and their variants v:
    H = [H - sum_m w_m H_m] + [sum_m w_m H_m - sum_mv w_mv H_mv] + sum_mv w_mv H_mv, with w = n_group / n. The entropy is
    concave, so that no part is negative.
    """

    def spread(places: _Places) -> float:
        return entropy([classes[i] for i in places])

    return _decompose(models, variants, spread, largest=log(len(classes)))


def decompose_distances(
    distances: NDArray[np.float64], models: Sequence[str], variants: Sequence[str]
) -> Decomposition:
    """Decompose Rao's quadratic entropy over 1 - 1/n, from a matrix (n, n) of distances, n >= 2.

    The chain rule is that of `decompose_classes`. No part is negative where 1 - d is a positive definite kernel.
    """

    def spread(places: _Places) -> float:
        return mean_distance(distances[np.ix_(places, places)])

    return _decompose(models, variants, spread, largest=1 - 1 / len(distances))


def _decompose(
    models: Sequence[str],
    variants: Sequence[str],
    spread: Callable[[_Places], float],
    *,
    largest: float,
) -> Decomposition:
    n = len(models)
    everything = list(range(n))
    of_models = _grouped(everything, models)
    of_variants = [_grouped(places, variants) for places in of_models]

    def mean(groups: Sequence[_Places], value: Callable[[_Places], float]) -> float:
        return fsum(len(places) / n * value(places) for places in groups)

    # Rounding must not make a part negative.
    total = min(spread(everything) / largest, 1.0)
    in_models = min(mean(of_models, spread) / largest, total)
    in_variants = min(mean([places for groups in of_variants for places in groups], spread) / largest, in_models)
    return Decomposition(models=total - in_models, variants=in_models - in_variants, within=in_variants)


def _grouped(places: _Places, names: Sequence[str]) -> list[_Places]:
    groups: dict[str, _Places] = {}
    for place in places:
        groups.setdefault(names[place], []).append(place)
    return list(groups.values())
