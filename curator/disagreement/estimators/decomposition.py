"""Decompose a disagreement: between models, between prompt variants, within one prompt.

The three parts add up exactly. The parts between groups are above 0 by chance even where the groups answer alike, because
each group has only a few answers; the expected values of that chance are computed too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, fsum, log

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.estimators.partition import entropy, mean_distance

_Places = list[int]


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A disagreement in 0..1 as the sum of three parts, and the parts that chance gives.

    Attributes:
        models: between models.
        variants: between the prompt variants of one model.
        within: among the answers to one prompt of one model.
        chance_models: the mean of `models` over all assignments of the answers to the models.
        chance_variants: the mean of `variants` over all assignments of each model's answers to its variants.
    """

    models: float
    variants: float
    within: float
    chance_models: float
    chance_variants: float

    @property
    def total(self) -> float:
        """The disagreement of all answers."""
        return self.models + self.variants + self.within


def decompose_classes(classes: Sequence[Hashable], models: Sequence[str], variants: Sequence[str]) -> Decomposition:
    """Decompose the semantic entropy over ln n; the arguments have the same length n >= 2.

    The chain rule of the generalised Jensen-Shannon divergence (Lin 1991), for models m and their variants v:
    H = [H - sum_m w_m H_m] + [sum_m w_m H_m - sum_mv w_mv H_mv] + sum_mv w_mv H_mv, with w = n_group / n. The entropy is
    concave, so that no part is negative.
    """

    def spread(places: _Places) -> float:
        return entropy([classes[i] for i in places])

    def by_chance(places: _Places, size: int) -> float:
        """Return the mean entropy of `size` answers drawn without replacement."""
        counts = Counter(classes[i] for i in places).values()
        return fsum(_mean_term(len(places), count, size) for count in counts)

    return _decompose(models, variants, spread, by_chance, largest=log(len(classes)))


def decompose_distances(
    distances: NDArray[np.float64], models: Sequence[str], variants: Sequence[str]
) -> Decomposition:
    """Decompose Rao's quadratic entropy over 1 - 1/n, from a matrix (n, n) of distances, n >= 2.

    The chain rule is that of `decompose_classes`. No part is negative where 1 - d is a positive definite kernel.
    """

    def spread(places: _Places) -> float:
        return mean_distance(distances[np.ix_(places, places)])

    def by_chance(places: _Places, size: int) -> float:
        """Return the mean over draws of `size`: pairs keep their mean distance, but there are fewer."""
        n = len(places)
        return spread(places) * n / (n - 1) * (size - 1) / size if n > 1 else 0.0

    return _decompose(models, variants, spread, by_chance, largest=1 - 1 / len(distances))


def _decompose(
    models: Sequence[str],
    variants: Sequence[str],
    spread: Callable[[_Places], float],
    by_chance: Callable[[_Places, int], float],
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
    dealt_models = mean(of_models, lambda places: by_chance(everything, len(places))) / largest
    dealt_variants = (
        fsum(
            mean(groups, lambda places, whole=whole: by_chance(whole, len(places)))  # type: ignore[misc]
            for whole, groups in zip(of_models, of_variants, strict=True)
        )
        / largest
    )
    return Decomposition(
        models=total - in_models,
        variants=in_models - in_variants,
        within=in_variants,
        chance_models=max(0.0, total - dealt_models),
        chance_variants=max(0.0, in_models - dealt_variants),
    )


def _grouped(places: _Places, names: Sequence[str]) -> list[_Places]:
    groups: dict[str, _Places] = {}
    for place in places:
        groups.setdefault(names[place], []).append(place)
    return list(groups.values())


@lru_cache(maxsize=50_000)
def _mean_term(n: int, count: int, size: int) -> float:
    """Return the mean of k/size ln(size/k), the part of a class in the entropy of a draw.

    k is the number of answers of the class, which has `count` of n answers, among the `size` drawn ones.
    """
    ways = comb(n, size)
    return fsum(
        comb(count, k) * comb(n - count, size - k) / ways * (k / size) * log(size / k)
        for k in range(max(1, size - (n - count)), min(count, size) + 1)
    )
