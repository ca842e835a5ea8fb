"""The objective of discovery and its greedy maximisation, in one piece or in parts.

    F(S) = sum_i w_i max(c_i, max_{j in S} s_ij) + l sum_{j in S} u_j,    s_ij = max(cos(x_i, x_j), 0)

u is disagreement in 0..1, and c_i how well i is represented already. The weight of a case is w_i = u_i^b / sqrt(m_i) over
the greatest gain, m_i = sum_j s_ij u_j^b: a dense region then counts by about the root of its size, as one failure is
found only once however often it comes. F is monotone and submodular, so that greedy maximisation reaches 1 - 1/e of the
optimum (Nemhauser, Wolsey, Fisher 1978), and less where limits forbid picks (1/2 with one a group: Fisher, Nemhauser,
Wolsey 1978). Above `DENSE` candidates it is maximised within k-means parts, then over what these chose (GreeDi: Mirzasoleiman,
Karbasi, Sarkar, Krause 2013), each of which stands for the weight of the cases of its part that it is nearest to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from curator.selection.constraints import Limits

DENSE = 4000
"""Candidates that are compared each with each: 64 MB of similarities."""
_DECIMALS = 5
_TIE = 1e-12
_MOST_PARTS = 256
_PER_PART = 100
"""Vectors by which the centres of the parts are found, for each part."""

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]
Places = NDArray[np.int64]


@dataclass(slots=True)
class Facility:
    """F over n candidates, and how far it is maximised; `covered` grows with each pick.

    Attributes:
        similarity: s, (n, n), symmetric, in 0..1.
        weight: w, (n,).
        own: l u, (n,), the score term.
        covered: c, (n,), in 0..1.
    """

    similarity: Vectors
    weight: Floats
    own: Floats
    covered: Floats

    def gains(self) -> Floats:
        """(n,) what each candidate would add now."""
        found = np.empty(len(self.own))
        for start in range(0, len(found), 512):
            rows = self.similarity[start : start + 512]
            found[start : start + 512] = np.maximum(rows - self.covered, 0.0) @ self.weight
        return found + self.own

    def gain(self, place: int) -> float:
        """What one candidate would add now."""
        return float(np.maximum(self.similarity[place] - self.covered, 0.0) @ self.weight + self.own[place])

    def take(self, place: int) -> None:
        """Add a candidate to S."""
        self.covered = np.maximum(self.covered, self.similarity[place])


def facility(vectors: Vectors, u: Floats, *, power: float, score_weight: float, covered: Floats) -> Facility:
    """F for n candidates: vectors (n, d) of unit length, u (n,), c (n,)."""
    similarity = similarities(vectors)
    mass = u**power
    around = _times(similarity, mass)
    weight = np.divide(mass, np.sqrt(around), out=np.zeros_like(mass), where=around > 0)
    return Facility(similarity, _scaled(weight, similarity), score_weight * u, covered.astype(np.float64))


def _scaled(weight: Floats, similarity: Vectors) -> Floats:
    greatest = float(_times(similarity, weight).max(initial=0.0))
    return weight / greatest if greatest > 0 else weight


def _times(similarity: Vectors, values: Floats) -> Floats:
    return (similarity @ values.astype(np.float32)).astype(np.float64)


def similarities(vectors: Vectors) -> Vectors:
    """s, (n, n), of n unit vectors, (n, d). Rounded, so that equal vectors are equal wherever they stand."""
    return np.clip(np.round(vectors @ vectors.T, _DECIMALS), 0.0, 1.0)


def maximise(target: Facility, limits: Limits) -> Iterator[tuple[int, float]]:
    """The picks of greedy maximisation with their gains, one after the other; the first of equals wins.

    Lazy (Minoux 1978): a gain can only shrink as S grows, so that the candidate with the greatest stale gain is the best
    one if its gain stays the greatest when it is computed anew. The result is that of plain greedy. What is taken
    between two picks by somebody else counts, if it was told to `target` and `limits`.
    """
    bound = target.gains()
    while True:
        allowed = limits.allowed
        if not allowed.any():
            return
        place, gain = _best(target, np.where(allowed, bound, -np.inf), bound)
        limits.take(place)
        target.take(place)
        yield place, gain


def _best(target: Facility, open_bound: Floats, bound: Floats) -> tuple[int, float]:
    fresh = np.zeros(len(bound), dtype=bool)
    while True:
        place = int(np.argmax(open_bound))
        if fresh[place]:
            return place, float(bound[place])
        bound[place] = open_bound[place] = min(target.gain(place), bound[place] + _TIE)
        fresh[place] = True


def shortlist(
    vectors: Vectors, u: Floats, k: int, *, power: float, score_weight: float, covered: Floats, parts: list[Places]
) -> tuple[Places, Floats]:
    """The best k of each part, and the weight that they stand for.

    Args:
        vectors: unit vectors, (n, d).
        u: disagreement, (n,).
        k: the number of picks wanted in the end.
        power: b.
        score_weight: l.
        covered: c, (n,).
        parts: the places of each part, which together are all n.

    Returns:
        The m places in rising order, and the weight of each, (m,): the sum over the cases of its part that are nearest to it.
    """
    each = min(k, math.ceil(max(2 * DENSE, 2 * k) / len(parts)))
    kept: list[Places] = []
    weights: list[Floats] = []
    for part in parts:
        target = facility(vectors[part], u[part], power=power, score_weight=score_weight, covered=covered[part])
        alone = [str(i) for i in range(len(part))]
        limits = Limits(vectors[part][:, :0], alone, [""] * len(part), nearest=1.0)
        chosen = [place for place, _ in islice(maximise(target, limits), each)]
        nearest = np.argmax(target.similarity[:, chosen], axis=1)
        mass = u[part] ** power
        share = target.weight * float(np.sqrt(mass.sum())) / max(float(target.weight.sum()), _TIE)
        weights.append(np.bincount(nearest, weights=share, minlength=len(chosen)).astype(np.float64))
        kept.append(part[np.array(chosen)])
    places = np.concatenate(kept)
    order = np.argsort(places)
    return places[order], np.concatenate(weights)[order]


def joined(vectors: Vectors, u: Floats, weight: Floats, *, score_weight: float, covered: Floats) -> Facility:
    """F over a shortlist, by the weight that each of its candidates stands for."""
    similarity = similarities(vectors)
    return Facility(similarity, _scaled(weight, similarity), score_weight * u, covered.astype(np.float64))


def partition(vectors: Vectors, *, seed: int) -> list[Places]:
    """Parts of at most `DENSE` of n unit vectors, (n, d), by k-means; a part that is too large is cut evenly."""
    from sklearn.cluster import MiniBatchKMeans

    count = min(math.ceil(2 * len(vectors) / DENSE), _MOST_PARTS)
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(len(vectors), size=min(len(vectors), count * _PER_PART), replace=False))
    model = MiniBatchKMeans(count, n_init=1, random_state=seed, batch_size=1024).fit(vectors[sample])
    label = np.asarray(model.predict(vectors))
    found: list[Places] = []
    for value in range(count):
        places = np.flatnonzero(label == value)
        pieces = math.ceil(len(places) / DENSE)
        found += [places[start::pieces] for start in range(pieces)]
    return found
