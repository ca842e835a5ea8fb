"""Which cases to label so that their labels tell production's failure rate, and with what probability each was drawn.

Pure. One stage draws all labels at once; an adaptive design draws in a few stages, each with what the labels so far say:

    first = draw(pool, 40, seed=0)
    ...label first.drawn...
    second = draw(pool, 60, seed=0, earlier=[first], labels=labels)
    ...label second.drawn...
    estimate(pool, [first, second], labels)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curator.estimation.risk_model import predict
from curator.estimation.sampling_frame import Candidate, Floats, Frame, Ints, frame_of
from curator.estimation.stratification import chances, cut, ordered
from curator.records import stable_unit

FIRST_SHARE = 0.4
"""The share of the labels that the first stage of an adaptive design takes."""
LEAST_ADAPTIVE = 100
"""With fewer labels one stage is better: what its labels could teach does not make up for strata half as fine."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """Cases from which `drawn` were drawn at random, each equally likely and without replacement."""

    cases: tuple[str, ...]
    drawn: tuple[str, ...]

    @property
    def inclusion_probability(self) -> float:
        """Of each of its cases, in this stage."""
        return len(self.drawn) / len(self.cases)


@dataclass(frozen=True, slots=True)
class Stage:
    """One draw: every case of the pool is known (certain) or in one stratum.

    `known` are the cases that were settled before the draw: labelled for another purpose, or drawn in an earlier stage.
    They stand for themselves.
    """

    known: tuple[str, ...]
    strata: tuple[Stratum, ...]

    @property
    def cases(self) -> frozenset[str]:
        """The whole pool."""
        return frozenset(self.known).union(*(stratum.cases for stratum in self.strata))

    @property
    def drawn(self) -> tuple[str, ...]:
        """The drawn cases, in the order in which to label: the first of each stratum at random, then the second ones.

        Whoever stops early has then labelled about as much of every stratum.
        """
        rounds = [(turn, stable_unit("order", i), i) for s in self.strata for turn, i in enumerate(s.drawn)]
        return tuple(i for _, _, i in sorted(rounds))

    @property
    def probabilities(self) -> dict[str, float]:
        """The inclusion probability of each drawn case, in this stage."""
        return {i: stratum.inclusion_probability for stratum in self.strata for i in stratum.drawn}

    @property
    def stratum_of(self) -> dict[str, int]:
        """The number of each drawn case's stratum."""
        return {i: number for number, stratum in enumerate(self.strata) for i in stratum.drawn}


def batches(k: int) -> tuple[int, ...]:
    """The stages in which to spend k labels where labelling can wait for a second draw; their sum is k."""
    if k < LEAST_ADAPTIVE:
        return (k,) if k > 0 else ()
    first = round(FIRST_SHARE * k)
    return (first, k - first)


def draw(
    pool: Sequence[Candidate] | Frame,
    k: int,
    *,
    seed: int,
    certain: Collection[str] = (),
    earlier: Sequence[Stage] = (),
    labels: Mapping[str, float] | None = None,
) -> Stage:
    """Draw k cases to label next; all that are left where there are fewer.

    `certain` are cases that were chosen for another purpose before this draw. `labels` are all so far, by id: they shape
    the draw, and no prediction of them enters the estimate. Each inclusion probability is at least `strata.FLOOR` times that
    of a uniform draw over records, up to a case at the border of a stratum.
    """
    frame = pool if isinstance(pool, Frame) else frame_of(pool)
    settled = {*certain, *(i for stage in earlier for i in (*stage.known, *stage.drawn))}
    known = np.array([i in settled for i in frame.ids], dtype=bool)
    rest = np.flatnonzero(~known)
    places = np.array([frame.place[i] for i in labels or {} if i in frame.place], dtype=int)
    told = np.array([value for i, value in (labels or {}).items() if i in frame.place], dtype=float)
    order = np.argsort(places)
    found = _strata(frame, rest, predict(frame, places[order], told[order]), min(max(k, 0), len(rest)))
    # The frame is sorted by id: nothing but the pool, the seed and the number of the stage can change what is drawn.
    entropy = int(stable_unit("estimate", str(seed), str(len(earlier))) * 2**53)
    lots = np.random.default_rng(entropy).random(len(frame))
    return Stage(
        known=tuple(frame.ids[i] for i in np.flatnonzero(known)),
        strata=tuple(_drawn(frame, cases, count, lots) for cases, count in found if len(cases)),
    )


def _strata(frame: Frame, rest: Ints, predicted: Floats, k: int) -> list[tuple[Ints, int]]:
    """Every case left, in strata, with how many to draw from each; certain ones are a stratum each."""
    if k == 0:
        return [(rest, 0)]
    chance = np.zeros(len(frame))
    chance[rest], sure = chances(frame.weights[rest], predicted[rest], k)
    singles = [(rest[i : i + 1], 1) for i in sure]
    left = k - len(singles)
    others = np.setdiff1d(rest, rest[sure])
    if not len(others):
        return singles
    return [*singles, *cut(ordered(frame, predicted, chance, others, left), chance, left)]


def _drawn(frame: Frame, cases: Ints, count: int, lots: Floats) -> Stratum:
    """The cases with the smallest lots: every set of so many is equally likely."""
    drawn = cases[np.argsort(lots[cases])[:count]]
    return Stratum(tuple(frame.ids[i] for i in cases), tuple(frame.ids[i] for i in drawn))
