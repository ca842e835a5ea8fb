"""What a case's next answers are worth to a ranking: the expected change of its place.

A case has t answers that are compared, of which the share s contradicts the answer in question. With theta the share
that endless answers would give, theta ~ Beta(a, b) over the cases, and x = s t the case's contradictions, the posterior
is Beta(a + x, b + t - x). The prior comes from the data itself, by the moments of the beta-binomial (empirical Bayes).

The value of a ranking is taken on the scale of ranks, u = E[F(theta) | answers] with F the prior's distribution: the
posterior expected rank of Laird and Louis (1989), which needs no guess of how theta relates to being wrong, as long as
that grows about evenly with the rank. A cut at c keeps the part of u above it, (u - c)+. Over all cuts alike that comes
to u^2 / 2, whose sum is, up to constants, the AUROC that is to be expected; the place c* where the selection cuts counts
extra, with the weight w:

    U = (1 - w) u^2 / 2 + w (u - c*)+

u is a martingale and U convex in it, so r more answers are worth E[U(u')] - U(u) >= 0, u' over the beta-binomial of
those answers: the knowledge gradient of Frazier, Powell and Dayanik (2008), r answers ahead, as one alone often cannot
change anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The correlation of two answers to one case. Below the first, the shares vary no more than the noise of votes alone would
# make them; the second keeps the prior off its poles, where few cases put it by chance.
_CORRELATION = (0.02, 0.98)
# theta as logits: Beta densities have no poles there, and what lies beyond is put on the ends.
_LOGITS = np.linspace(-18.0, 18.0, 361)
_LOG_THETA, _LOG_REST = -np.log1p(np.exp(-_LOGITS)), -np.log1p(np.exp(_LOGITS))
_SHARES = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True)
class Prior:
    """The Beta distribution of the cases' true shares."""

    a: float
    b: float

    def mean(self, share: float, answers: float) -> float:
        """The posterior mean of theta: the share, drawn to the mean of all cases by as much as the answers are few."""
        return (self.a + share * answers) / (self.a + self.b + answers)


def fit_prior(shares: Sequence[float], answers: Sequence[float]) -> Prior | None:
    """The prior by moments (Kleinman 1973): Var(s) = m (1 - m) (1/t + (1 - 1/t) rho), rho = 1 / (a + b + 1).

    None where that says nothing: with too few cases or answers, and where the shares vary no more than the noise of
    votes would make them. So it is where all answers agree, and where they are texts, whose distances are graded and
    carry far less noise than votes.
    """
    s, t = np.asarray(shares, float), np.asarray(answers, float)
    noise = float(np.mean(1 / t)) if len(t) else 1.0
    if len(s) < 2 or noise >= 1 or not 0 < s.mean() < 1:
        return None
    m = float(s.mean())
    rho = (float(s.var(ddof=1)) / (m * (1 - m)) - noise) / (1 - noise)
    if rho < _CORRELATION[0]:
        return None
    concentration = 1 / min(rho, _CORRELATION[1]) - 1
    return Prior(m * concentration, (1 - m) * concentration)


@dataclass(frozen=True, slots=True)
class Step:
    """`more` answers after `after` further ones, and what each of them is worth."""

    worth: float
    after: int
    more: int


class Worth:
    """What further answers are worth, under a prior, with a cut at the `top` highest of the cases and its weight."""

    def __init__(self, prior: Prior, *, focus: float) -> None:
        self._prior = prior
        self._focus = focus
        self._tables: dict[float, Floats] = {}
        weights = _weights(np.array([prior.a]), np.array([prior.b]))[0]
        self._ranks = np.cumsum(weights) - weights / 2

    def rank(self, shares: Floats, answers: float) -> Floats:
        """The expected rank u, in 0..1, of each share of so many answers."""
        if answers not in self._tables:
            a, b = self._prior.a + _SHARES * answers, self._prior.b + (1 - _SHARES) * answers
            self._tables[answers] = _weights(a, b) @ self._ranks
        return np.interp(shares, _SHARES, self._tables[answers])

    def steps(self, shares: Floats, answers: float, *, room: int, cut: float) -> list[list[Step]]:
        """How each case is best carried on by at most `room` answers, given its share of `answers` so far.

        The steps of a case follow the upper concave hull of the worth over the number of answers, so that their worth
        falls, and taking the best of all steps first spends any number of calls best.
        """
        x = shares * answers
        a, b = self._prior.a + x, self._prior.b + answers - x
        chances = np.ones((len(x), 1))
        worth = np.zeros((len(x), room + 1))
        for r in range(1, room + 1):
            chances = _one_more(chances, a, b)
            after = self.rank((x[:, None] + np.arange(r + 1)) / (answers + r), answers + r)
            # the grid keeps the martingale only nearly, so that u is taken as the mean of u'
            now = (chances * after).sum(axis=1)
            worth[:, r] = (chances * self._value(after, cut)).sum(axis=1) - self._value(now, cut)
        return [_hull(row) for row in worth]

    def _value(self, rank: Floats, cut: float) -> Floats:
        value: Floats = (1 - self._focus) * rank**2 / 2 + self._focus * np.maximum(rank - cut, 0.0)
        return value


def _weights(a: Floats, b: Floats) -> Floats:
    """The masses (n, grid) of Beta(a, b), n of them, around each theta of the grid; the tails lie on its ends."""
    log = a[:, None] * _LOG_THETA + b[:, None] * _LOG_REST
    log[:, 0] += np.log1p(1 / (a * (_LOGITS[1] - _LOGITS[0])))
    log[:, -1] += np.log1p(1 / (b * (_LOGITS[1] - _LOGITS[0])))
    weights = np.exp(log - log.max(axis=1, keepdims=True))
    normal: Floats = weights / weights.sum(axis=1, keepdims=True)
    return normal


def _one_more(chances: Floats, a: Floats, b: Floats) -> Floats:
    """The chances (n, r + 1) of 0..r contradictions among r answers, from those among r - 1 (Polya's urn)."""
    r = chances.shape[1]
    k = np.arange(r)
    drawn = chances * (a[:, None] + k) / (a + b + r - 1)[:, None]
    grown = np.zeros((len(chances), r + 1))
    grown[:, :-1] = chances - drawn
    grown[:, 1:] += drawn
    return grown


def _hull(worth: Floats) -> list[Step]:
    """The edges of the upper concave hull of worth over 0..room."""
    corners: list[int] = []
    for r in range(len(worth)):
        while len(corners) > 1 and _slope(worth, corners[-2], corners[-1]) <= _slope(worth, corners[-1], r):
            corners.pop()
        corners.append(r)
    return [Step(_slope(worth, i, j), i, j - i) for i, j in pairwise(corners)]


def _slope(worth: Floats, start: int, stop: int) -> float:
    return float(worth[stop] - worth[start]) / (stop - start)
