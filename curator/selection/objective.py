"""The objective of discovery, disagreement x diversity, and its greedy maximisation.

    F(S) = sum_i u_i^b max_{j in S} s_ij  +  c sum_{j in S} u_j,    s_ij = max(cos(x_i, x_j), 0)

u is disagreement in 0..1, b its power, c the score's weight. The first term is facility location: a pick counts for the
unstable cases that it is like, and only for as much as no earlier pick stands for them. F is monotone and submodular, so
that greedy maximisation reaches 1 - 1/e of the optimum (Nemhauser, Wolsey, Fisher 1978), and 1/2 with at most one pick a
near-duplicate group (Fisher, Nemhauser, Wolsey 1978).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DECIMALS = 5


@dataclass(frozen=True, slots=True)
class Greedy:
    """What was chosen.

    Attributes:
        order: the places of the chosen candidates, in the order chosen.
        gains: what each one added to F.
        coverage: the share of the candidates' weight u^b that the chosen ones stand for, in 0..1: the first term of F
            over its greatest value. 0 where there is no weight.
    """

    order: tuple[int, ...]
    gains: tuple[float, ...]
    coverage: float


def similarities(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """s, (n, n), of n unit vectors, (n, d). Rounded, so that equal vectors are equal wherever they stand."""
    return np.clip(np.round(vectors @ vectors.T, _DECIMALS), 0.0, 1.0)


def choose_greedily(
    similarity: NDArray[np.float32],
    disagreement: NDArray[np.float64],
    groups: Sequence[str],
    k: int,
    *,
    power: float,
    score_weight: float,
) -> Greedy:
    """At most k candidates, each the one that adds most to F, no two of one group; the first one wins a tie.

    Lazy greedy (Minoux 1978): a gain can only shrink as the set grows, so that the candidate on top of a heap of stale
    gains is the best one if its gain is still on top when it is computed anew. The result is that of plain greedy.

    Args:
        similarity: s, (n, n), symmetric, in 0..1.
        disagreement: u, (n,), in 0..1.
        groups: the near-duplicate group of each of the n candidates.
        k: the number of candidates wanted.
        power: b.
        score_weight: c.
    """
    weight = disagreement**power
    covered = np.zeros(len(weight), dtype=np.float64)

    def gain(j: int) -> float:
        return float(weight @ np.maximum(similarity[j] - covered, 0.0)) + score_weight * float(disagreement[j])

    heap = [(-gain(j), j, 0) for j in range(len(weight))]
    heapq.heapify(heap)
    order: list[int] = []
    gains: list[float] = []
    taken: set[str] = set()
    while heap and len(order) < k:
        stale, j, computed_at = heapq.heappop(heap)
        if groups[j] in taken:
            continue
        if computed_at < len(order):
            heapq.heappush(heap, (-gain(j), j, len(order)))
            continue
        order.append(j)
        gains.append(-stale)
        taken.add(groups[j])
        covered = np.maximum(covered, similarity[j])
    total = float(weight.sum())
    coverage = min(1.0, float(weight @ covered) / total) if total > 0 else 0.0
    return Greedy(tuple(order), tuple(gains), coverage)
