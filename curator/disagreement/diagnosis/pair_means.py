"""Mean differences of two answers to one case, by what the two share.

A mean over pairs is not biased by the number of answers: answers that are drawn alike differ as much within a prompt as
between two prompts, so that the difference of two means shows the effect of the prompt beyond chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.equivalence.word_kernel import word_distances
from curator.disagreement.estimators.partition import mean_pairwise_distance
from curator.disagreement.members.votes import MemberKey, Votes

LOW_TEMPERATURE = 0.3
"""Up to this temperature a prompt nearly always repeats its answer, so that two of its answers count as one."""

Distances = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairMeans:
    """Mean differences, 0..1, of pairs of answers to one case; None without such a pair.

    Attributes:
        every: all pairs.
        prompts: pairs of different prompts; all pairs where there is one prompt.
        repeats: the same model and variant, at least one of the two above `LOW_TEMPERATURE`.
        other_variant: the same model, another variant.
        other_model: another model, the same variant.
        other_prompt: another model and another variant.
        coldest: both at the lowest temperature of the committee, of different prompts or above `LOW_TEMPERATURE`; None with
            one temperature only.
        warmest: both at the highest temperature; None with one temperature only.
    """

    every: float | None
    prompts: float | None
    repeats: float | None
    other_variant: float | None
    other_model: float | None
    other_prompt: float | None
    coldest: float | None
    warmest: float | None


def class_distances(meanings: Sequence[Hashable]) -> Distances:
    """Return the distances (n, n) of typed answers: 0 with the same meaning, else 1."""
    numbers: dict[Hashable, int] = {}
    places = np.array([numbers.setdefault(meaning, len(numbers)) for meaning in meanings], dtype=np.int64)
    return np.asarray(places[:, None] != places[None, :], dtype=np.float64)


def pairwise_difference(votes: Votes) -> float:
    """Return the share of answer pairs that differ, or the mean distance of two texts; 0..1.

    Needs two answers. Unlike the entropy over ln n, the share does not fall when answers are added:
    sum_c n_c (n_c - 1) of n (n - 1) pairs agree.
    """
    if any(v.meaning is None for v in votes):
        return mean_pairwise_distance(word_distances([v.text for v in votes]))
    n, counts = len(votes), Counter(v.meaning for v in votes).values()
    return 1 - fsum(count * (count - 1) for count in counts) / (n * (n - 1))


def pair_means(distances: Distances, members: Sequence[MemberKey]) -> PairMeans:
    """Compute the means; `distances` is (n, n), and `members[i]` gave answer i."""
    upper = np.triu(np.ones(distances.shape, dtype=bool), 1)
    model, variant = _shared([m.model for m in members]), _shared([m.variant for m in members])
    temperatures = np.array([np.nan if m.temperature is None else m.temperature for m in members], dtype=np.float64)
    low = temperatures <= LOW_TEMPERATURE
    same_prompt = model & variant
    fixed = same_prompt & low[:, None] & low[None, :]

    def mean(pairs: NDArray[np.bool_]) -> float | None:
        values = distances[pairs & upper]
        return float(values.mean()) if values.size else None

    def mean_at(temperature: float) -> float | None:
        here = temperatures == temperature
        return mean(here[:, None] & here[None, :] & ~fixed)

    several = len(set(temperatures[~np.isnan(temperatures)].tolist())) > 1
    every, other = mean(upper), mean(~same_prompt)
    return PairMeans(
        every=every,
        prompts=every if other is None else other,
        repeats=mean(same_prompt & ~fixed),
        other_variant=mean(model & ~variant),
        other_model=mean(~model & variant),
        other_prompt=mean(~model & ~variant),
        coldest=mean_at(float(np.nanmin(temperatures))) if several else None,
        warmest=mean_at(float(np.nanmax(temperatures))) if several else None,
    )


def _shared(names: Sequence[str]) -> NDArray[np.bool_]:
    """Return whether the answers of each pair, (n, n), have the same name."""
    array = np.array(names, dtype=object)
    return np.asarray(array[:, None] == array[None, :], dtype=bool)
