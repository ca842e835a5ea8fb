"""Which cases to label next, so that a student trained on the labels learns most from each.

    F(S) = sum_i w_i max_{j in S u L} K_ij

is maximised greedily over the picks S, given the labelled L. K says how much a label of j tells of i: kinship by walks
over nearest neighbours and by distance (`kinship.py`), times the cosine of the student's class probabilities for the two.
w_i is the rank of the student's doubt (1 - margin) at i, in 0..1; without a student all are equal.

So the change from coverage to uncertainty comes by itself. Before the first label F is plain coverage: the most typical
case of each group that is not yet stood for. While whole groups have no label, these add most. As the labels come to
stand for the pool, what they leave is about even everywhere, and doubt decides; and where the student tells cases apart,
they no longer stand for each other, so that borders are covered more densely than the middle of a class. Doubt counts
by its rank, so that it weighs as much where a student is too sure, or too unsure, of everything.

F is monotone and submodular: greedy maximisation reaches 1 - 1/e of the optimum (Nemhauser, Wolsey, Fisher 1978).
Coverage weighted by uncertainty is the idea of Bae et al. (2025), "Uncertainty Herding".
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curator.errors import ConfigError
from curator.selection.diffusion_kernel import Kinship, kinship
from curator.selection.learner import fit_student
from curator.stats import mean_ranks

Floats = NDArray[np.float64]
Reason = Literal["coverage", "uncertainty"]

MOST = 20_000
"""A larger pool is represented by about so many of its cases, drawn at random: the search for neighbours is quadratic."""
_SUMS_TO_ONE = 1e-3
_UNIT = 1e-2
_DECIMALS = 5


@dataclass(frozen=True, slots=True)
class Lesson:
    """A case to label.

    Attributes:
        index: its place in the pool.
        gain: what it adds to F.
        stands_for: how many cases it stands for that nothing before it stood for as well.
        doubt: the mean rank of the student's doubt over those cases, in 0..1; None without a student.
        reason: `uncertainty` where its place among all cases is higher by doubt than by how many it stands for.
    """

    index: int
    gain: float
    stands_for: float
    doubt: float | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Batch:
    """The cases to label next.

    Attributes:
        lessons: in the order chosen.
        covered: the share of F's greatest value that the labelled cases reach, in 0..1.
        covered_after: the same, with the lessons.
        sampled: cases that represented the pool, the labelled ones among them; all up to `MOST`.
    """

    lessons: tuple[Lesson, ...]
    covered: float
    covered_after: float
    sampled: int


def next_batch(
    vectors: NDArray[np.float32],
    labelled: Mapping[int, Hashable],
    k: int,
    *,
    probabilities: NDArray[np.floating] | None = None,
    disagreement: NDArray[np.floating] | None = None,
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> Batch:
    """At most k cases to label next, the most instructive first; fewer where the pool has no more.

    Args:
        vectors: of the pool, (n, d), rows of unit length.
        labelled: the labels so far, by place in the pool; they are never picked.
        k: the number of cases wanted.
        probabilities: the student's class probabilities, (n, C), rows summing to 1.
        disagreement: of the committee, (n,), in 0..1: stands in for the student's doubt where there are no
            probabilities. With neither, a student is fitted to the labels (`student.py`), once they are of two classes.
        groups: the near-duplicate group of each case; no group is labelled twice.
        seed: fixes the order among equals, and which cases represent a pool larger than `MOST`. The order of the pool
            matters only between cases with the same vector.

    Raises:
        ConfigError: the arguments do not fit each other.
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    shares = None if probabilities is None else np.asarray(probabilities, dtype=np.float64)
    spread = None if disagreement is None else np.asarray(disagreement, dtype=np.float64)
    _check(vectors, labelled, k, (shares, spread), groups)
    places = _representatives(vectors, labelled, k, seed)
    pool = np.ascontiguousarray(vectors[places])
    known = np.array([i for i, place in enumerate(places) if place in labelled], dtype=np.int64)
    seen = None if shares is None else shares[places]
    if seen is None and spread is None:
        seen = fit_student(pool, known.tolist(), [labelled[int(places[i])] for i in known])
    kin = kinship(pool, len(known) + k)
    if seen is not None:
        kin = kin.among_alike(seen)
    doubt = _doubt(seen, None if spread is None else spread[places])
    names = list(range(len(places))) if groups is None else [groups[int(place)] for place in places]
    taken = set() if groups is None else {groups[i] for i in labelled}
    return _Teacher(kin, doubt, known).batch(k, places, names, taken)


class _Teacher:
    """Greedy maximisation of F over the representatives of a pool."""

    def __init__(self, kin: Kinship, doubt: Floats | None, known: NDArray[np.int64]) -> None:
        self._kin = kin
        self._doubt = doubt
        self._weight = np.ones(len(kin)) if doubt is None else doubt
        self._known = known
        self._covered = np.zeros(len(kin))
        for i in known:
            self._cover(i)

    def batch(self, k: int, places: NDArray[np.int64], groups: Sequence[Hashable], taken: set[Hashable]) -> Batch:
        """Lazy greedy (Minoux 1978): a gain only shrinks as the set grows, so that stale ones bound it from above."""
        before = self._share()
        gains = self._gains(self._weight)
        alone = np.sort(self._gains(np.ones(len(gains))))
        barred = set(self._known.tolist())
        heap = [(-gain, i, 0) for i, gain in enumerate(gains.tolist()) if i not in barred]
        heapq.heapify(heap)
        lessons: list[Lesson] = []
        taken = set(taken)
        while heap and len(lessons) < k:
            stale, i, computed_at = heapq.heappop(heap)
            if groups[i] in taken:
                continue
            if computed_at < len(lessons):
                heapq.heappush(heap, (-self._gain(i), i, len(lessons)))
                continue
            lessons.append(self._lesson(i, -stale, int(places[i]), alone))
            taken.add(groups[i])
            self._cover(i)
        return Batch(tuple(lessons), before, self._share(), len(self._kin))

    def _lesson(self, i: int, gain: float, place: int, alone: Floats) -> Lesson:
        kin, values = self._kin.row(i)
        new = float(np.maximum(values - self._covered[kin], 0.0).sum())
        if self._doubt is None:
            return Lesson(place, gain, new, None, "coverage")
        doubt = gain / new if new > 0 else float(self._doubt[i])
        by_coverage = float(np.searchsorted(alone, new, side="right")) / len(alone)
        return Lesson(place, gain, new, doubt, "uncertainty" if doubt > by_coverage else "coverage")

    def _cover(self, i: int) -> None:
        kin, values = self._kin.row(i)
        self._covered[kin] = np.maximum(self._covered[kin], values)

    def _gain(self, i: int) -> float:
        kin, values = self._kin.row(i)
        return float(self._weight[kin] @ np.maximum(values - self._covered[kin], 0.0))

    def _gains(self, weight: Floats) -> Floats:
        """What each case would add to F with these weights. No row is empty: each case is akin to itself."""
        kin = self._kin
        if not len(kin):
            return np.zeros(0)
        new = np.maximum(kin.values - self._covered[kin.kin], 0.0) * weight[kin.kin]
        return np.add.reduceat(new, kin.starts[:-1])

    def _share(self) -> float:
        most = float(self._weight.sum())
        return min(1.0, float(self._weight @ self._covered) / most) if most > 0 else 0.0


def _doubt(probabilities: Floats | None, disagreement: Floats | None) -> Floats | None:
    """The rank of each case's doubt over the number of cases, ties at their mean rank; (n,) in 0..1."""
    if probabilities is not None and probabilities.shape[1] > 1 and len(probabilities):
        top = np.partition(probabilities, -2, axis=1)
        doubt = 1 - (top[:, -1] - top[:, -2])
    elif probabilities is None and disagreement is not None and len(disagreement):
        doubt = disagreement
    else:
        return None
    return mean_ranks(np.round(doubt, _DECIMALS)) / len(doubt)


def _representatives(
    vectors: NDArray[np.float32], labelled: Mapping[int, Hashable], k: int, seed: int
) -> NDArray[np.int64]:
    """The places in the pool of the cases that stand for it, the labelled ones among them.

    They are in an order that hangs on the vectors and the seed alone, so that the result does not hang on the pool's.
    """
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    salt = str(seed).encode()
    drawn = [hashlib.blake2b(row.tobytes(), digest_size=8, key=salt).digest() for row in rows]
    order = sorted(range(len(drawn)), key=drawn.__getitem__)
    if len(order) > MOST:
        # with many labels there must still be cases to choose among
        rest = [i for i in order if i not in labelled][: max(MOST - len(labelled), MOST // 2, k)]
        kept = {*labelled, *rest}
        order = [i for i in order if i in kept]
    return np.array(order, dtype=np.int64)


def _check(
    vectors: NDArray[np.float32],
    labelled: Mapping[int, Hashable],
    k: int,
    by_case: tuple[Floats | None, Floats | None],
    groups: Sequence[Hashable] | None,
) -> None:
    if vectors.ndim != 2 or not np.all(np.isfinite(vectors)):
        raise ConfigError(
            f"the vectors have the shape {vectors.shape}, or are not all finite",
            remedy="give one row of finite numbers for each case, as the encoder makes them",
        )
    _check_lengths(vectors)
    n = len(vectors)
    if k < 0:
        raise ConfigError(f"k is {k!r}", remedy="give the number of cases to label next, 0 or more")
    if strange := sorted(i for i in labelled if not 0 <= i < n):
        raise ConfigError(
            f"the label at place {strange[0]!r} is of no case: the pool has {n}",
            remedy="give labels by the place of their case among the vectors, from 0 on",
        )
    for name, given in [*zip(("probabilities", "disagreement"), by_case, strict=True), ("groups", groups)]:
        if given is not None and len(given) != n:
            raise ConfigError(f"there are {len(given)} {name} for {n} cases", remedy=f"give {name} for each vector")
    _check_probabilities(by_case[0])
    if by_case[1] is not None and not (by_case[1].ndim == 1 and np.all(np.isfinite(by_case[1]))):
        raise ConfigError(
            f"the disagreement has the shape {by_case[1].shape}, or is not finite for some cases",
            remedy="give one number for each case, and leave out those that could not be scored",
        )


def _check_lengths(vectors: NDArray[np.float32]) -> None:
    lengths = np.linalg.norm(vectors, axis=1)
    if len(lengths) and np.abs(lengths - 1).max() > _UNIT:
        place = int(np.abs(lengths - 1).argmax())
        raise ConfigError(
            f"the vector at place {place} has the length {lengths[place]:.4g} and not 1",
            remedy="divide each vector by its length, and leave out cases without a text",
        )


def _check_probabilities(probabilities: Floats | None) -> None:
    if probabilities is None or not len(probabilities):
        return
    if probabilities.ndim != 2 or not (
        probabilities.size and probabilities.min() >= 0 and np.abs(probabilities.sum(axis=1) - 1).max() <= _SUMS_TO_ONE
    ):
        raise ConfigError(
            "the probabilities are no distribution over classes",
            remedy="give a row for each case with a number in 0..1 for each class, summing to 1",
        )
