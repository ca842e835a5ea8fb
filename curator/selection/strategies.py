"""Other ways to order candidates, by name: what others do, for comparison and for whoever wants one of them.

Each is a function of what is known of n candidates to a source of scores: asked before every pick with the places picked
so far, it answers (n,) how much each candidate is wanted next. The limits are kept by whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Known:
    """What a strategy knows: unit vectors, (n, d), disagreement, (n,), and a source of chance. `near` is kept between picks.

    Attributes:
        vectors: unit vectors, (n, d); (n, 0) where there are none, which are all as far from each other as can be.
        u: disagreement in 0..1, (n,).
        draw: a number in 0..1 for each candidate, (n,), by its id and the seed.
        rng: for strategies that draw at each pick.
        near: the squared distance to the nearest pick, (n,); 2 before there is one: that of orthogonal vectors.
    """

    vectors: NDArray[np.float32]
    u: Floats
    draw: Floats
    rng: np.random.Generator
    near: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.near = np.full(len(self.u), 2.0)

    def follow(self, picked: Sequence[int], length: Floats) -> Floats:
        """`near` after the last pick, where candidate i lies at length_i along its vector."""
        if not picked:
            return self.near
        last = picked[-1]
        cosine = self.vectors @ self.vectors[last]
        distance = length**2 + length[last] ** 2 - 2 * length * length[last] * cosine
        self.near = np.maximum(np.minimum(self.near, distance), 0.0)
        return self.near

    def drawn(self, mass: Floats) -> Floats:
        """Keys whose greatest is each candidate with a probability in proportion to its mass (Efraimidis, Spirakis 2006)."""
        return np.log(self.rng.random(len(mass))) / np.maximum(mass, 1e-12)


Strategy = Callable[[Known, Sequence[int]], Floats]


def by_disagreement(known: Known, picked: Sequence[int]) -> Floats:  # noqa: ARG001  every strategy is asked alike
    """The most disagreeing ones."""
    return known.u + 1e-9 * known.draw


def by_margin(known: Known, picked: Sequence[int]) -> Floats:  # noqa: ARG001  every strategy is asked alike
    """Those on which for and against are closest, as far as the score tells: the margin of two shares, u and 1 - u."""
    return -np.abs(2 * known.u - 1) + 1e-9 * known.draw


def at_random(known: Known, picked: Sequence[int]) -> Floats:  # noqa: ARG001  every strategy is asked alike
    """Any."""
    return known.draw


def by_distance(known: Known, picked: Sequence[int]) -> Floats:
    """k-center: the one farthest from all picks (Gonzalez 1985); the most disagreeing one first."""
    near = known.follow(picked, np.ones(len(known.u)))
    return near + 1e-9 * known.draw if picked else known.u + 1e-9 * known.draw


def by_weighted_distance(known: Known, picked: Sequence[int]) -> Floats:
    """k-means++ (Arthur, Vassilvitskii 2007), each candidate counting u^2: P(i) is in proportion to u_i^2 d_i^2."""
    return known.drawn(known.u**2 * known.follow(picked, np.ones(len(known.u))))


def by_gradient(known: Known, picked: Sequence[int]) -> Floats:
    """BADGE (Ash et al. 2020) with sqrt(u) for the scalar of the gradient, which a committee of texts does not have.

    k-means++ over the vectors x_i sqrt(u_i), the longest one first.
    """
    length = np.sqrt(known.u)
    if not picked:
        return length + 1e-9 * known.draw
    if len(picked) == 1:
        known.near = np.full(len(known.u), np.inf)
    return known.drawn(known.follow(picked, length))


STRATEGIES: Mapping[str, Strategy] = {
    "top": by_disagreement,
    "margin": by_margin,
    "random": at_random,
    "k-center": by_distance,
    "kmeans++": by_weighted_distance,
    "badge": by_gradient,
}
