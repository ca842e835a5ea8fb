"""What each labelled case stands for: the log records behind it, and the chance with which the design drew it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Scope: TypeAlias = Literal["production", "sample", "these cases"]
"""What a result speaks for: the traffic that the pool came from, whatever the cases are a random sample of, or no more
than the cases on hand."""
CHANCE_SLICES = frozenset({"random", "estimation"})
"""Slices that were drawn by chance, whatever their probability came to."""


@dataclass(frozen=True, slots=True)
class CaseDesign:
    """How a case came into an eval set.

    Attributes:
        weight: the log records the case stands for, above 0.
        inclusion_probability: the chance with which it was drawn, above 0 and at most 1; None where it is not known.
        slice: how it was chosen, such as `random` or `disagreement`.
        stratum: the part of the pool it was drawn from, where the design had strata.
        distilled: it was chosen to stand for others (`curator distil`), not drawn.
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
        chance: its inclusion probability, 0 where the cases are a small random sample of endless traffic.
        strata: the number of its stratum, from 0 on.
        scope: what a result over the cases speaks for.
    """

    mass: Floats
    chance: Floats
    strata: NDArray[np.int64]
    scope: Scope

    def __len__(self) -> int:
        return len(self.mass)

    @property
    def weights(self) -> Floats:
        """How many log records of the traffic each case stands for (Horvitz and Thompson 1952)."""
        return self.mass / np.where(self.chance > 0, self.chance, 1.0)

    @property
    def typical_weight(self) -> float:
        """The mean weight as a record sees it: the weights' sum over their effective number (Kish 1965)."""
        weights = self.weights
        return float((weights**2).sum() / weights.sum())


def sample_of(designs: Sequence[CaseDesign]) -> Sample:
    """The sample that these cases are. Where any probability is known, all must be (see `drawn`)."""
    scope = scope_of(designs)
    known = scope == "production"
    chance = [design.inclusion_probability or 0.0 if known else 0.0 for design in designs]
    return Sample(
        mass=np.array([design.weight for design in designs], dtype=float),
        chance=np.array(chance, dtype=float),
        strata=_strata(designs) if known else np.zeros(len(designs), dtype=np.int64),
        scope=scope,
    )


def drawn(designs: Sequence[CaseDesign]) -> list[bool]:
    """Which cases may speak together: those with a probability where some have one, else all of them."""
    some = any(design.inclusion_probability is not None for design in designs)
    return [not some or design.inclusion_probability is not None for design in designs]


def scope_of(designs: Sequence[CaseDesign]) -> Scope:
    """What the cases speak for.

    Certain picks alone (probability 1, none of a random slice) were chosen for what they are, and so were distilled
    cases: neither is a sample of anything. Without slices, probabilities of 1 throughout mean that all the pool is here.
    """
    if any(design.distilled for design in designs):
        return "these cases"
    probabilities = {design.inclusion_probability for design in designs}
    slices = {design.slice for design in designs}
    if probabilities == {1.0}:
        return "these cases" if None not in slices and not slices & CHANCE_SLICES else "sample"
    if probabilities == {None}:
        chosen = bool(slices) and None not in slices and not slices & CHANCE_SLICES
        return "these cases" if chosen else "sample"
    return "production"


def _strata(designs: Sequence[CaseDesign]) -> NDArray[np.int64]:
    """A number for each stratum; cases of one slice and one probability are one where none is named.

    Cases that would be alone share one stratum: a variance within takes two.
    """
    keys = [
        design.stratum if design.stratum is not None else (design.slice, design.inclusion_probability)
        for design in designs
    ]
    counts = Counter(keys)
    shared = [key if counts[key] > 1 else None for key in keys]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(shared))}
    return np.array([numbers[key] for key in shared], dtype=np.int64)
