"""The training batch: the cases whose labels improve a learner most.

    F(S) = sum_i w_i max_{j in S u L} K_ij

F is maximised greedily over the queries S, given the labelled cases L. K_ij says how much a label of j says about i: the
diffusion kernel (`diffusion_kernel.py`) times the cosine of the learner's class probabilities of the two. w_i is
(1 - margin)^2, the squared uncertainty of the learner at i; without a learner all weights are equal.

The transition from coverage to uncertainty follows from F. Before the first label F is plain coverage: the most typical
case of each group that is not represented yet. A learner with few labels has small margins everywhere, so that the weights
are about even and whole groups without a label add most. As the labels come to represent the pool, the margins of most
cases grow, their weights fall, and what is left of the weight is with the cases that the learner still doubts. Where the
learner distinguishes two cases they no longer represent each other, so class borders are covered more densely than the middle
of a class.

The square was chosen among powers of the uncertainty (2, 4) and of its rank (1, 2, 4, 8), and powers that grow with the
covered share of the kernel, on eight sets. The rank, whose weights stay as even as they were at the start, falls behind
margin sampling where classes are not groups of the vectors; high powers lose with few labels.
Committee disagreement has no scale in common with a margin, and counts by its rank.

F is monotone and submodular: greedy maximisation reaches at least 1 - 1/e of the optimum (Nemhauser, Wolsey, Fisher 1978).
Coverage weighted by uncertainty is the idea of "Uncertainty Herding" (Bae et al. 2025).
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curator.errors import ConfigError
from curator.records.result import renamed
from curator.selection.diffusion_kernel import DiffusionKernel, diffusion_kernel
from curator.selection.learner import fit_learner
from curator.stats import mean_ranks

Floats = NDArray[np.float64]
Reason = Literal["coverage", "uncertainty"]

MAX_POOL = 20_000
"""A larger pool is represented by about this many random cases, since the neighbour search is quadratic."""
_SUMS_TO_ONE = 1e-3
_UNIT = 1e-2
_DECIMALS = 5
_POWER = 2
_LEAST_UNCERTAINTY = 0.01  # cases that a learner is sure of keep a little weight: it may be sure of all of them


@dataclass(frozen=True, slots=True)
class Query:
    """A case to label.

    Attributes:
        index: its place in the pool.
        gain: in F.
        represents: the number of cases, as a sum of gains in K, that it represents better than the cases before it.
        uncertainty: the mean rank of the uncertainty over these cases, in 0..1; None without a learner or disagreement.
        reason: `uncertainty` where its rank by uncertainty is higher than its rank by `represents`.
    """

    index: int
    gain: float
    represents: float
    uncertainty: float | None
    reason: Reason

    stands_for = renamed("stands_for", "represents")
    doubt = renamed("doubt", "uncertainty")


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """The cases to label next.

    Attributes:
        queries: in the order chosen.
        covered: the share of F's maximum that the labelled cases reach, in 0..1.
        covered_after: the same with the queries.
        sampled: the cases that represented the pool, with the labelled ones; the whole pool up to `MAX_POOL`.
        gains: the gain of each case in F before each query, (queries, n); nan where a case could not be chosen. None unless
            asked for.
    """

    queries: tuple[Query, ...]
    covered: float
    covered_after: float
    sampled: int
    gains: Floats | None = field(default=None, repr=False, compare=False)

    lessons = renamed("lessons", "queries")


def next_batch(  # noqa: PLR0913  the inputs of F
    vectors: NDArray[np.float32],
    labelled: Mapping[int, Hashable],
    k: int,
    *,
    probabilities: NDArray[np.floating] | None = None,
    disagreement: NDArray[np.floating] | None = None,
    groups: Sequence[Hashable] | None = None,
    candidates: Collection[int] | None = None,
    with_gains: bool = False,
    seed: int = 0,
) -> TrainingBatch:
    """Choose at most k cases to label next, the most informative first.

    Args:
        vectors: of the pool, (n, d), rows of unit length.
        labelled: the labels so far, by place in the pool; they are never picked.
        k: the number of cases wanted.
        probabilities: the learner's class probabilities, (n, C), rows summing to 1.
        disagreement: of the committee, (n,), in 0..1. It replaces the learner's uncertainty where there are no
            probabilities. With neither, a learner is fitted to the labels (`learner.py`) if they have two classes or more.
        groups: the near-duplicate group of each case; no group is labelled twice.
        candidates: the places of the cases that may be chosen; None for all. F covers the others as well.
        with_gains: return the gains of all cases, `TrainingBatch.gains`; it takes some milliseconds more a query.
        seed: fixes the order among equals, and the random cases that represent a pool larger than `MAX_POOL`. The order
            of the pool matters only between cases with the same vector.

    Raises:
        ConfigError: the arguments do not fit each other.
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    shares = None if probabilities is None else np.asarray(probabilities, dtype=np.float64)
    spread = None if disagreement is None else np.asarray(disagreement, dtype=np.float64)
    _check(vectors, labelled, k, (shares, spread), groups)
    choosable = set(range(len(vectors)) if candidates is None else candidates)
    _check_places("candidate", choosable, len(vectors))
    places = _representatives(vectors, labelled, k, choosable, seed)
    pool = np.ascontiguousarray(vectors[places])
    labelled_places = np.array([i for i, place in enumerate(places) if place in labelled], dtype=np.int64)
    predicted = None if shares is None else shares[places]
    if predicted is None and spread is None:
        predicted = fit_learner(pool, labelled_places.tolist(), [labelled[int(places[i])] for i in labelled_places])
    kernel = diffusion_kernel(pool, len(labelled_places) + k)
    if predicted is not None:
        kernel = kernel.times_class_similarity(predicted)
    uncertainty = _uncertainty(predicted, None if spread is None else spread[places])
    names = list(range(len(places))) if groups is None else [groups[int(place)] for place in places]
    taken = set() if groups is None else {groups[i] for i in labelled}
    barred = {i for i, place in enumerate(places) if place in labelled or place not in choosable}
    search = _GreedySearch(kernel, uncertainty, labelled_places, barred)
    if not with_gains:
        return search.batch(k, places, names, taken)
    recorded: list[Floats] = []
    batch = search.batch(k, places, names, taken, recorded)
    gains = np.full((len(recorded), len(vectors)), np.nan)
    gains[:, places] = recorded if recorded else np.nan
    return replace(batch, gains=gains)


@dataclass(frozen=True, slots=True)
class _Uncertainty:
    """The cases' uncertainty: its rank over their number, and its weight in F, (n,) in 0..1."""

    rank: Floats
    weight: Floats


class _GreedySearch:
    """Greedy maximisation of F over the representatives of a pool."""

    def __init__(
        self,
        kernel: DiffusionKernel,
        uncertainty: _Uncertainty | None,
        labelled: NDArray[np.int64],
        barred: set[int],
    ) -> None:
        self._kernel = kernel
        self._uncertainty = uncertainty
        self._weight = np.ones(len(kernel)) if uncertainty is None else uncertainty.weight
        self._barred = barred
        self._covered = np.zeros(len(kernel))
        for i in labelled:
            self._cover(i)

    def batch(
        self,
        k: int,
        places: NDArray[np.int64],
        groups: Sequence[Hashable],
        taken: set[Hashable],
        recorded: list[Floats] | None = None,
    ) -> TrainingBatch:
        """Choose k queries by lazy greedy search (Minoux 1978).

        A gain only shrinks as the set grows, so stale gains are upper bounds. `recorded` gets the gains before each query.
        """
        before = self._share()
        gains = self._gains(self._weight)
        coverage_gains = np.sort(self._gains(np.ones(len(gains))))
        heap = [(-gain, i, 0) for i, gain in enumerate(gains.tolist()) if i not in self._barred]
        heapq.heapify(heap)
        queries: list[Query] = []
        taken = set(taken)
        while heap and len(queries) < k:
            stale, i, computed_at = heapq.heappop(heap)
            if groups[i] in taken:
                continue
            if computed_at < len(queries):
                heapq.heappush(heap, (-self._gain(i), i, len(queries)))
                continue
            if recorded is not None:
                recorded.append(self._open_gains(groups, taken))
            queries.append(self._query(i, -stale, int(places[i]), coverage_gains))
            taken.add(groups[i])
            self._cover(i)
        return TrainingBatch(tuple(queries), before, self._share(), len(self._kernel))

    def _open_gains(self, groups: Sequence[Hashable], taken: set[Hashable]) -> Floats:
        """The gain of each case in F, (n,); nan where it may not be chosen."""
        closed = np.array([i in self._barred or group in taken for i, group in enumerate(groups)])
        return np.where(closed, np.nan, self._gains(self._weight))

    def _query(self, i: int, gain: float, place: int, coverage_gains: Floats) -> Query:
        columns, values = self._kernel.row(i)
        gains = np.maximum(values - self._covered[columns], 0.0)
        new = float(gains.sum())
        if self._uncertainty is None:
            return Query(place, gain, new, None, "coverage")
        rank = self._uncertainty.rank
        uncertainty = float(gains @ rank[columns]) / new if new > 0 else float(rank[i])
        by_coverage = float(np.searchsorted(coverage_gains, new, side="right")) / len(coverage_gains)
        return Query(place, gain, new, uncertainty, "uncertainty" if uncertainty > by_coverage else "coverage")

    def _cover(self, i: int) -> None:
        columns, values = self._kernel.row(i)
        self._covered[columns] = np.maximum(self._covered[columns], values)

    def _gain(self, i: int) -> float:
        columns, values = self._kernel.row(i)
        return float(self._weight[columns] @ np.maximum(values - self._covered[columns], 0.0))

    def _gains(self, weight: Floats) -> Floats:
        """The gain of each case in F with these weights, (n,)."""
        kernel = self._kernel
        if not len(kernel):
            return np.zeros(0)
        new = np.maximum(kernel.values - self._covered[kernel.columns], 0.0) * weight[kernel.columns]
        return np.add.reduceat(new, kernel.starts[:-1])  # no row is empty: each has its diagonal

    def _share(self) -> float:
        most = float(self._weight.sum())
        return min(1.0, float(self._weight @ self._covered) / most) if most > 0 else 0.0


def _uncertainty(probabilities: Floats | None, disagreement: Floats | None) -> _Uncertainty | None:
    """The uncertainty of the learner, or else the committee; ties share their mean rank.

    None where neither probabilities of two classes nor disagreement are there.
    """
    if probabilities is not None and probabilities.shape[1] > 1 and len(probabilities):
        top = np.partition(probabilities, -2, axis=1)
        uncertainty = 1 - (top[:, -1] - top[:, -2])
        return _Uncertainty(_ranks(uncertainty), np.maximum(uncertainty, _LEAST_UNCERTAINTY) ** _POWER)
    if probabilities is None and disagreement is not None and len(disagreement):
        ranks = _ranks(disagreement)
        return _Uncertainty(ranks, ranks)
    return None


def _ranks(values: Floats) -> Floats:
    return mean_ranks(np.round(values, _DECIMALS)) / len(values)


def _representatives(
    vectors: NDArray[np.float32], labelled: Mapping[int, Hashable], k: int, choosable: set[int], seed: int
) -> NDArray[np.int64]:
    """The places of the cases that represent the pool, with the labelled ones.

    Of a large pool, the cases that may be chosen come before others.
    Their order depends only on the vectors and the seed, so that the result does not depend on the order of the pool.
    """
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    salt = str(seed).encode()
    digests = [hashlib.blake2b(row.tobytes(), digest_size=8, key=salt).digest() for row in rows]
    order = sorted(range(len(digests)), key=digests.__getitem__)
    if len(order) > MAX_POOL:
        # with many labels there must still be cases to choose from
        unlabelled = sorted((i for i in order if i not in labelled), key=lambda i: i not in choosable)
        rest = unlabelled[: max(MAX_POOL - len(labelled), MAX_POOL // 2, k)]
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
            f"the vectors have the shape {vectors.shape} or are not all finite",
            remedy="give one row of finite numbers for each case",
        )
    _check_lengths(vectors)
    n = len(vectors)
    if k < 0:
        raise ConfigError(f"k is {k!r}", remedy="give 0 or more")
    _check_places("label", labelled, n)
    for name, given in [*zip(("probabilities", "disagreement"), by_case, strict=True), ("groups", groups)]:
        if given is not None and len(given) != n:
            raise ConfigError(
                f"`{name}` has the length {len(given)}, and the pool {n} cases", remedy=f"give `{name}` for each vector"
            )
    _check_probabilities(by_case[0])
    if by_case[1] is not None and not (by_case[1].ndim == 1 and np.all(np.isfinite(by_case[1]))):
        raise ConfigError(
            f"`disagreement` has the shape {by_case[1].shape} or is not finite for some cases",
            remedy="give one number for each case, and leave out unscored cases",
        )


def _check_places(noun: str, places: Collection[int], n: int) -> None:
    if strange := sorted(i for i in places if not 0 <= i < n):
        raise ConfigError(
            f"a {noun} has the place {strange[0]!r}, and the pool has {n} cases",
            remedy=f"give {noun}s by the place of their case among the vectors, from 0",
        )


def _check_lengths(vectors: NDArray[np.float32]) -> None:
    lengths = np.linalg.norm(vectors, axis=1)
    if len(lengths) and np.abs(lengths - 1).max() > _UNIT:
        place = int(np.abs(lengths - 1).argmax())
        raise ConfigError(
            f"the vector at place {place} has the length {lengths[place]:.4g}, not 1",
            remedy="divide each vector by its length, and leave out cases without a text",
        )


def _check_probabilities(probabilities: Floats | None) -> None:
    if probabilities is None or not len(probabilities):
        return
    if probabilities.ndim != 2 or not (
        probabilities.size and probabilities.min() >= 0 and np.abs(probabilities.sum(axis=1) - 1).max() <= _SUMS_TO_ONE
    ):
        raise ConfigError(
            "`probabilities` are not distributions over classes",
            remedy="give one row for each case, with a number in 0..1 for each class, summing to 1",
        )
