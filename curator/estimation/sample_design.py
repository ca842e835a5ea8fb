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
from curator.estimation.stratification import LEAST_SPREAD, inclusion_probabilities, order_by_risk, stratify
from curator.records import stable_unit

LEAST_OF_NEW = 6
"""Labels of new cases from which they can have a rate: three strata of two."""
WORTH_A_RATE = 0.05
"""New cases with a smaller share of the records wait until more have come: their rate would cost the others too many labels."""


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

    def among(self, cases: Collection[str]) -> Stage:
        """The stage of these cases only.

        The drawn ones among them are a random draw from those of each stratum. That holds for cases that were chosen without a look at the draw, such as those of a category, or those still in the logs.
        """
        strata = (
            Stratum(tuple(i for i in s.cases if i in cases), tuple(i for i in s.drawn if i in cases))
            for s in self.strata
        )
        return Stage(tuple(i for i in self.certain if i in cases), tuple(s for s in strata if s.cases))

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
    settled: Collection[str] | None = None,
) -> Stage:
    """Draw k cases to label next; all remaining cases where there are fewer.

    Each inclusion probability is at least `stratification.FLOOR` times that of a draw uniform over records, except for
    the case at the border of a stratum.

    Args:
        pool: the cases, or their frame.
        k: the cases to draw.
        seed: fixes the draw.
        certain: cases chosen before this draw for another purpose.
        earlier: the stages so far. Where the pool grew since, the new cases have strata of their own, and get the labels that
            bring them to the same precision as the others.
        settled: the cases of earlier stages that are not drawn again; by default all that these chose.
        labels: all labels so far, by id. They shape the draw; their predictions do not enter the estimate.
    """
    frame = pool if isinstance(pool, SamplingFrame) else build_frame(pool)
    chosen = {i for stage in earlier for i in (*stage.certain, *stage.drawn)} if settled is None else settled
    is_certain = np.array([i in chosen or i in certain for i in frame.ids], dtype=bool)
    rest = np.flatnonzero(~is_certain)
    places = np.array([frame.place[i] for i in labels or {} if i in frame.place], dtype=int)
    values = np.array([value for i, value in (labels or {}).items() if i in frame.place], dtype=float)
    order = np.argsort(places)
    predicted = predict(frame, places[order], values[order])
    groups = _groups(frame, rest, predicted, min(max(k, 0), len(rest)), earlier, labels or {})
    strata = [stratum for among, count in groups for stratum in _strata(frame, among, predicted, count)]
    # The frame is sorted by id: the draw depends only on the pool, the seed and the number of the stage.
    entropy = int(stable_unit("estimate", str(seed), str(len(earlier))) * 2**53)
    random_numbers = np.random.default_rng(entropy).random(len(frame))
    return Stage(
        certain=tuple(frame.ids[i] for i in np.flatnonzero(is_certain)),
        strata=tuple(_draw_from(frame, cases, count, random_numbers) for cases, count in strata if len(cases)),
    )


def _groups(
    frame: SamplingFrame, rest: Ints, predicted: Floats, k: int, earlier: Sequence[Stage], labels: Collection[str]
) -> list[tuple[Ints, int]]:
    """The cases of earlier stages and those that are new since, with the numbers to draw.

    The labels of both, earlier ones included, are in proportion to their standard deviations (Neyman 1934). New cases that make up
    `WORTH_A_RATE` of the records get at least `LEAST_OF_NEW`, so that the estimate can cover them.
    """
    before = frozenset().union(*(stage.cases for stage in earlier))
    is_new = np.array([frame.ids[i] not in before for i in rest], dtype=bool)
    if not earlier or is_new.all() or not is_new.any():
        return [(rest, k)]
    old, new = rest[~is_new], rest[is_new]
    spread = frame.weights * np.sqrt(predicted * (1 - predicted) + LEAST_SPREAD**2)
    is_old = np.array([i in before for i in frame.ids], dtype=bool)
    share = float(spread[~is_old].sum() / spread.sum())
    labelled = len({i for stage in earlier for i in stage.drawn if i in labels})
    count = round(share * (labelled + k))
    if frame.weights[~is_old].sum() >= WORTH_A_RATE * frame.weights.sum():
        count = max(count, LEAST_OF_NEW)
    count = max(min(count, k, len(new)), k - len(old))
    return [(old, k - count), (new, count)]


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
