"""The sample design: which cases to label for an estimate, drawn with what probability.

One stage draws all cases at once. An adaptive design draws in a few stages; each uses the labels so far:

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
from curator.estimation.sampling_frame import Floats, Ints, SamplingFrame, SamplingUnit, build_frame
from curator.estimation.stratification import inclusion_probabilities, order_by_risk, stratify
from curator.records import stable_unit


@dataclass(frozen=True, slots=True)
class Stratum:
    """Cases, and those drawn from them at random, without replacement, with equal probability."""

    cases: tuple[str, ...]
    drawn: tuple[str, ...]

    @property
    def inclusion_probability(self) -> float:
        """The inclusion probability of each of its cases in this stage."""
        return len(self.drawn) / len(self.cases)


@dataclass(frozen=True, slots=True)
class Stage:
    """One draw: every case of the pool is certain or in one stratum.

    `certain` are the cases chosen before the draw: labelled for another purpose, or drawn in an earlier stage. Each
    represents only itself.
    """

    certain: tuple[str, ...]
    strata: tuple[Stratum, ...]

    @property
    def cases(self) -> frozenset[str]:
        """All cases of the pool."""
        return frozenset(self.certain).union(*(stratum.cases for stratum in self.strata))

    @property
    def drawn(self) -> tuple[str, ...]:
        """The drawn cases in the order in which to label.

        The first case of each stratum comes first, in random order, then the second one of each.
        If labelling stops early, about the same share of every stratum is labelled.
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


def draw(
    pool: Sequence[SamplingUnit] | SamplingFrame,
    k: int,
    *,
    seed: int,
    certain: Collection[str] = (),
    earlier: Sequence[Stage] = (),
    labels: Mapping[str, float] | None = None,
) -> Stage:
    """Draw k cases to label next; all remaining cases where there are fewer.

    Each inclusion probability is at least `stratification.FLOOR` times that of a draw uniform over records, except for
    the case at the border of a stratum.

    Args:
        pool: the cases, or their frame.
        k: the cases to draw.
        seed: fixes the draw.
        certain: cases chosen before this draw for another purpose.
        earlier: the stages so far.
        labels: all labels so far, by id. They shape the draw; their predictions do not enter the estimate.
    """
    frame = pool if isinstance(pool, SamplingFrame) else build_frame(pool)
    settled = {*certain, *(i for stage in earlier for i in (*stage.certain, *stage.drawn))}
    is_certain = np.array([i in settled for i in frame.ids], dtype=bool)
    rest = np.flatnonzero(~is_certain)
    places = np.array([frame.place[i] for i in labels or {} if i in frame.place], dtype=int)
    values = np.array([value for i, value in (labels or {}).items() if i in frame.place], dtype=float)
    order = np.argsort(places)
    strata = _strata(frame, rest, predict(frame, places[order], values[order]), min(max(k, 0), len(rest)))
    # The frame is sorted by id: the draw depends only on the pool, the seed and the number of the stage.
    entropy = int(stable_unit("estimate", str(seed), str(len(earlier))) * 2**53)
    random_numbers = np.random.default_rng(entropy).random(len(frame))
    return Stage(
        certain=tuple(frame.ids[i] for i in np.flatnonzero(is_certain)),
        strata=tuple(_draw_from(frame, cases, count, random_numbers) for cases, count in strata if len(cases)),
    )


def _strata(frame: SamplingFrame, rest: Ints, predicted: Floats, k: int) -> list[tuple[Ints, int]]:
    """The remaining cases in strata, each with the number to draw.

    A case with probability 1 is a stratum of its own.
    """
    if k == 0:
        return [(rest, 0)]
    probability = np.zeros(len(frame))
    probability[rest], sure = inclusion_probabilities(frame.weights[rest], predicted[rest], k)
    singles = [(rest[i : i + 1], 1) for i in sure]
    left = k - len(singles)
    others = np.setdiff1d(rest, rest[sure])
    if not len(others):
        return singles
    return [*singles, *stratify(order_by_risk(frame, predicted, probability, others, left), probability, left)]


def _draw_from(frame: SamplingFrame, cases: Ints, count: int, random_numbers: Floats) -> Stratum:
    """Draw the cases with the smallest random numbers: every set of `count` is equally likely."""
    drawn = cases[np.argsort(random_numbers[cases])[:count]]
    return Stratum(tuple(frame.ids[i] for i in cases), tuple(frame.ids[i] for i in drawn))
