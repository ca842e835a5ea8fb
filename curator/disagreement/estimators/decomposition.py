"""The split of a disagreement into three exact parts: between models, between their prompt variants, within one prompt.

Also what of each part chance would bring: the parts between groups are above 0 even where the groups answer alike, as each
of them has only a few answers.
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
    """A disagreement in 0..1 as the sum of its parts, and what shuffled answers would have given.

    Attributes:
        models: between the models.
        variants: between the prompt variants of one model.
        within: among the answers to one prompt of one model.
        chance_models: the mean of `models` over all ways to deal the answers out to the models.
        chance_variants: the mean of `variants` over all ways to deal each model's answers out to its variants.
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
    """The parts of the semantic entropy over ln n; needs n >= 2, all three of length n.

    The chain rule of the generalised Jensen-Shannon divergence (Lin 1991), for models m and their variants v:
    H = [H - sum_m w_m H_m] + [sum_m w_m H_m - sum_mv w_mv H_mv] + sum_mv w_mv H_mv, with w = n_group / n. By the
    concavity of the entropy none of the parts is negative.
    """

    def spread(places: _Places) -> float:
        return entropy([classes[i] for i in places])

    def by_chance(places: _Places, size: int) -> float:
        """The mean entropy of `size` of the answers, drawn without putting back: hypergeometric counts."""
        counts = Counter(classes[i] for i in places).values()
        return fsum(_mean_term(len(places), count, size) for count in counts)

    return _parts(models, variants, spread, by_chance, largest=log(len(classes)))


def decompose_distances(
    distances: NDArray[np.float64], models: Sequence[str], variants: Sequence[str]
) -> Decomposition:
    """The parts of Rao's quadratic entropy over 1 - 1/n, for a matrix (n, n) of distances; needs n >= 2.

    The chain rule is that of `decompose_classes`; no part is negative where 1 - d is a positive definite kernel.
    """

    def spread(places: _Places) -> float:
        return mean_distance(distances[np.ix_(places, places)])

    def by_chance(places: _Places, size: int) -> float:
        """The mean over draws of `size`: the pairs of unlike places keep their mean distance, and are fewer."""
        n = len(places)
        return spread(places) * n / (n - 1) * (size - 1) / size if n > 1 else 0.0

    return _parts(models, variants, spread, by_chance, largest=1 - 1 / len(distances))


def _parts(
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

    # rounding may not push a part below 0
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
    """The mean of k/size ln(size/k), k of the `size` drawn being among `count` of n: a class's part of the entropy."""
    ways = comb(n, size)
    return fsum(
        comb(count, k) * comb(n - count, size - k) / ways * (k / size) * log(size / k)
        for k in range(max(1, size - (n - count)), min(count, size) + 1)
    )
