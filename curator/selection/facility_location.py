"""Facility location over disagreement, the objective of `coverage`, maximised greedily.

    F(S) = sum_i w_i max(c_i, max_{j in S} s_ij) + l sum_{j in S} u_j,    s_ij = max(cos(x_i, x_j), 0)

u is disagreement in 0..1, and c_i says how well earlier labels represent case i. A case has the weight
w_i = u_i^b / sqrt(m_i), m_i = sum_j s_ij u_j^b, divided by the greatest gain. So a dense region counts by about the root of
its size: a failure is found only once, however often it occurs. F is monotone and submodular. Greedy maximisation
therefore reaches at least 1 - 1/e of the optimum (Nemhauser, Wolsey, Fisher 1978), and 1/2 where at most one case per
group may be picked (Fisher, Nemhauser, Wolsey 1978).

Above `DENSE` candidates, F is first maximised within k-means parts and then over their picks (GreeDi: Mirzasoleiman,
Karbasi, Sarkar, Krause 2013). Each of these represents the weight of those cases of its part that it is nearest to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from curator.selection.candidates import Floats, Places, Vectors
from curator.selection.constraints import Constraints

DENSE = 4000
"""Up to this many candidates each is compared with each: 64 MB of similarities."""
_DECIMALS = 5
_TIE = 1e-12
_MOST_PARTS = 256
_PER_PART = 100  # vectors per part that k-means is fitted to


@dataclass(slots=True)
class Facility:
    """F over n candidates and the state of its maximisation: `covered` grows with each pick.

    Attributes:
        similarity: s, (n, n), symmetric, in 0..1.
        weight: w, (n,).
        score_term: l u, (n,).
        covered: c, (n,), in 0..1.
    """

    similarity: Vectors
    weight: Floats
    score_term: Floats
    covered: Floats

    def gains(self) -> Floats:
        """The gain of each candidate if it were picked now, (n,)."""
        gains = np.empty(len(self.score_term))
        for start in range(0, len(gains), 512):
            rows = self.similarity[start : start + 512]
            gains[start : start + 512] = np.maximum(rows - self.covered, 0.0) @ self.weight
        return gains + self.score_term

    def gain(self, place: int) -> float:
        """The gain of one candidate if it were picked now."""
        return float(np.maximum(self.similarity[place] - self.covered, 0.0) @ self.weight + self.score_term[place])

    def take(self, place: int) -> None:
        """Add a candidate to S."""
        self.covered = np.maximum(self.covered, self.similarity[place])


def facility(vectors: Vectors, u: Floats, *, power: float, score_weight: float, covered: Floats) -> Facility:
    """F for n candidates: unit vectors (n, d), u (n,), c (n,)."""
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
    """s, (n, n), of n unit vectors, (n, d).

    It is rounded: equal vectors have equal similarities wherever they are in the matrix.
    """
    return np.clip(np.round(vectors @ vectors.T, _DECIMALS), 0.0, 1.0)


def maximise(target: Facility, constraints: Constraints) -> Iterator[tuple[int, float]]:
    """Yield the picks of greedy maximisation with their gains; the first of equals wins.

    The search is lazy (Minoux 1978) and gives the result of plain greedy search. A gain can only shrink as S grows: if
    the candidate with the greatest stale gain still has the greatest after an update, it is the best one. The caller may
    take candidates between two picks, if it does so in both `target` and `constraints`.
    """
    bound = target.gains()
    while True:
        allowed = constraints.allowed
        if not allowed.any():
            return
        place, gain = _best(target, np.where(allowed, bound, -np.inf), bound)
        constraints.take(place)
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
    """The best k of each part, and the weight that each of them represents.

    Args:
        vectors: unit vectors, (n, d).
        u: disagreement, (n,).
        k: the picks wanted in the end.
        power: b.
        score_weight: l.
        covered: c, (n,).
        parts: the places of each part; together they are all n.

    Returns:
        The m places in ascending order, and the weight of each, (m,): that of the cases of its part nearest to it.
    """
    each = min(k, math.ceil(max(2 * DENSE, 2 * k) / len(parts)))
    kept: list[Places] = []
    weights: list[Floats] = []
    for part in parts:
        target = facility(vectors[part], u[part], power=power, score_weight=score_weight, covered=covered[part])
        own_groups = [str(i) for i in range(len(part))]
        unconstrained = Constraints(vectors[part][:, :0], own_groups, [""] * len(part), nearest=1.0)
        chosen = [place for place, _ in islice(maximise(target, unconstrained), each)]
        nearest = np.argmax(target.similarity[:, chosen], axis=1)
        mass = u[part] ** power
        share = target.weight * float(np.sqrt(mass.sum())) / max(float(target.weight.sum()), _TIE)
        weights.append(np.bincount(nearest, weights=share, minlength=len(chosen)).astype(np.float64))
        kept.append(part[np.array(chosen)])
    places = np.concatenate(kept)
    order = np.argsort(places)
    return places[order], np.concatenate(weights)[order]


def facility_of_shortlist(
    vectors: Vectors, u: Floats, weight: Floats, *, score_weight: float, covered: Floats
) -> Facility:
    """F over a shortlist, with the weight that each of its candidates represents."""
    similarity = similarities(vectors)
    return Facility(similarity, _scaled(weight, similarity), score_weight * u, covered.astype(np.float64))


def partition(vectors: Vectors, *, seed: int) -> list[Places]:
    """Split n unit vectors, (n, d), into k-means parts of at most `DENSE`.

    A larger part is split evenly. Returns the places of each part.
    """
    from sklearn.cluster import MiniBatchKMeans

    count = min(math.ceil(2 * len(vectors) / DENSE), _MOST_PARTS)
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(len(vectors), size=min(len(vectors), count * _PER_PART), replace=False))
    model = MiniBatchKMeans(count, n_init=1, random_state=seed, batch_size=1024).fit(vectors[sample])
    label = np.asarray(model.predict(vectors))
    parts: list[Places] = []
    for value in range(count):
        places = np.flatnonzero(label == value)
        pieces = math.ceil(len(places) / DENSE)
        parts += [places[start::pieces] for start in range(pieces)]
    return parts
