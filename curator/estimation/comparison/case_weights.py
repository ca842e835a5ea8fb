"""The weight of each labelled case: its log records, and its inclusion probability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Scope: TypeAlias = Literal["production", "sample", "these cases"]
"""The population of a result.

`production`: the traffic that the pool came from. `sample`: the population that the cases are a simple random sample of.
`these cases`: only the cases themselves.
"""
RANDOM_SLICES = frozenset({"random", "estimation"})
"""Slices that were drawn at random, even where their inclusion probability is 1."""


@dataclass(frozen=True, slots=True)
class CaseDesign:
    """The way a case came into an eval set.

    Attributes:
        weight: the log records that the case represents, above 0.
        inclusion_probability: of the draw, above 0 and at most 1; None where it is not known.
        slice: how it was chosen, such as `random` or `disagreement`.
        stratum: the part of the pool that it was drawn from, where the design had strata.
        distilled: True where `curator distil` chose it to represent others; it was not drawn.
    """

    weight: float = 1.0
    inclusion_probability: float | None = None
    slice: str | None = None
    stratum: str | None = None
    distilled: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """The design of n cases, as arrays of length n.

    Attributes:
        mass: the log records behind each case.
        probability: its inclusion probability; 0 where the cases are a simple random sample of unlimited traffic.
        strata: the number of its stratum, from 0.
        scope: the population of a result over the cases.
    """

    mass: Floats
    probability: Floats
    strata: NDArray[np.int64]
    scope: Scope

    def __len__(self) -> int:
        return len(self.mass)

    @property
    def weights(self) -> Floats:
        """The log records of the traffic that each case represents (Horvitz and Thompson 1952)."""
        return self.mass / np.where(self.probability > 0, self.probability, 1.0)

    @property
    def typical_weight(self) -> float:
        """The record-weighted mean weight: the sum over their effective number (Kish 1965)."""
        weights = self.weights
        return float((weights**2).sum() / weights.sum())


def sample_of(designs: Sequence[CaseDesign]) -> Sample:
    """Build the sample of these cases.

    Where one inclusion probability is known, all must be (see `with_known_design`).
    """
    scope = scope_of(designs)
    designed = scope == "production"
    probability = [design.inclusion_probability or 0.0 if designed else 0.0 for design in designs]
    return Sample(
        mass=np.array([design.weight for design in designs], dtype=float),
        probability=np.array(probability, dtype=float),
        strata=_strata(designs) if designed else np.zeros(len(designs), dtype=np.int64),
        scope=scope,
    )


def with_known_design(designs: Sequence[CaseDesign]) -> list[bool]:
    """Mark the cases that may be combined: those with a probability if some have one, else all."""
    some = any(design.inclusion_probability is not None for design in designs)
    return [not some or design.inclusion_probability is not None for design in designs]


def scope_of(designs: Sequence[CaseDesign]) -> Scope:
    """The population that the cases are a sample of.

    Certain picks only (probability 1, none of a random slice) were chosen on purpose, and so were distilled cases: neither
    are a random sample. Without slices, a probability of 1 for every case means that the whole pool is here.
    """
    if any(design.distilled for design in designs):
        return "these cases"
    probabilities = {design.inclusion_probability for design in designs}
    slices = {design.slice for design in designs}
    if probabilities == {1.0}:
        return "these cases" if None not in slices and not slices & RANDOM_SLICES else "sample"
    if probabilities == {None}:
        chosen = bool(slices) and None not in slices and not slices & RANDOM_SLICES
        return "these cases" if chosen else "sample"
    return "production"


def _strata(designs: Sequence[CaseDesign]) -> NDArray[np.int64]:
    """The number of each case's stratum; unnamed strata are one per slice and probability.

    All strata of a single case are combined: a variance within a stratum needs two cases.
    """
    keys = [
        design.stratum if design.stratum is not None else (design.slice, design.inclusion_probability)
        for design in designs
    ]
    counts = Counter(keys)
    shared = [key if counts[key] > 1 else None for key in keys]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(shared))}
    return np.array([numbers[key] for key in shared], dtype=np.int64)
