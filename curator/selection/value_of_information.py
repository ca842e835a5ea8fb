"""The value of further answers to a case: the expected improvement of the ranking.

A case has t compared answers; the share s of them contradicts the answer in question. theta is the share that unlimited
answers would give, with theta ~ Beta(a, b) over the cases. With x = s t contradictions, the posterior is
Beta(a + x, b + t - x). The prior is fitted to the data by the moments of the beta-binomial (empirical Bayes).

The value of a ranking is measured on the scale of ranks, u = E[F(theta) | answers], with F the prior's distribution. This
is the posterior expected rank of Laird and Louis (1989). It needs no assumption on the relation of theta to failure,
except that failure grows about evenly with the rank. A cut at c keeps the part of u above it, (u - c)+. Averaged over all
cuts that is u^2 / 2; its sum is, up to constants, the expected AUROC. The cut c* of the selection has the extra weight w:

    U = (1 - w) u^2 / 2 + w (u - c*)+

u is a martingale and U convex in it, so r more answers are worth E[U(u')] - U(u) >= 0, u' over the beta-binomial of
those answers. This is the knowledge gradient of Frazier, Powell and Dayanik (2008) with r answers of lookahead, since a
single answer often cannot change the ranking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Bounds on the correlation of two answers to one case. Below the first, the shares vary no more than the noise of votes. The
# second keeps the prior away from its poles, where a few cases can put it by chance.
_CORRELATION = (0.02, 0.98)
# theta in logits: Beta densities have no poles there. The ends of the grid have the mass beyond them.
_LOGITS = np.linspace(-18.0, 18.0, 361)
_LOG_THETA, _LOG_REST = -np.log1p(np.exp(-_LOGITS)), -np.log1p(np.exp(_LOGITS))
_SHARES = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True)
class Prior:
    """The Beta distribution of the cases' true shares."""

    a: float
    b: float

    def mean(self, share: float, answers: float) -> float:
        """The posterior mean of theta: the share, shrunk towards the prior mean."""
        return (self.a + share * answers) / (self.a + self.b + answers)


def fit_prior(shares: Sequence[float], answers: Sequence[float]) -> Prior | None:
    """Fit the prior by moments (Kleinman 1973).

    Var(s) = m (1 - m) (1/t + (1 - 1/t) rho), rho = 1 / (a + b + 1). None where the moments do not determine it: with too
    few cases or answers, and where the shares vary no more than the noise of votes. The last is so where all answers
    agree, and for texts, whose distances are graded and have far less noise than votes.

    Args:
        shares: of contradicting answers, by case.
        answers: the number of compared answers, by case.
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
    """`more` answers after `after` further ones, and the value of each of them."""

    value: float
    after: int
    more: int


class ValueOfInformation:
    """The value of further answers under a prior; `focus` is the weight of the selection's cut."""

    def __init__(self, prior: Prior, *, focus: float) -> None:
        self._prior = prior
        self._focus = focus
        self._tables: dict[float, Floats] = {}
        weights = _weights(np.array([prior.a]), np.array([prior.b]))[0]
        self._ranks = np.cumsum(weights) - weights / 2

    def rank(self, shares: Floats, answers: float) -> Floats:
        """The expected rank u, (n,) in 0..1, of each share of this many answers."""
        if answers not in self._tables:
            a, b = self._prior.a + _SHARES * answers, self._prior.b + (1 - _SHARES) * answers
            self._tables[answers] = _weights(a, b) @ self._ranks
        return np.interp(shares, _SHARES, self._tables[answers])

    def steps(self, shares: Floats, answers: float, *, room: int, cut: float) -> list[list[Step]]:
        """The best steps of at most `room` further answers to each case.

        The steps follow the upper concave hull of the value over the number of answers. Their value therefore falls, and
        taking the best of all cases' steps first is optimal for any number of calls.

        Args:
            shares: of contradicting answers so far, (n,).
            answers: so far, the same for all.
            room: the maximum of further answers.
            cut: the rank at which the selection cuts.
        """
        x = shares * answers
        a, b = self._prior.a + x, self._prior.b + answers - x
        probabilities = np.ones((len(x), 1))
        value = np.zeros((len(x), room + 1))
        for r in range(1, room + 1):
            probabilities = _one_more(probabilities, a, b)
            after = self.rank((x[:, None] + np.arange(r + 1)) / (answers + r), answers + r)
            # on the grid u is only nearly a martingale, so the mean of u' replaces it
            now = (probabilities * after).sum(axis=1)
            value[:, r] = (probabilities * self._value(after, cut)).sum(axis=1) - self._value(now, cut)
        return [_hull(row) for row in value]

    def _value(self, rank: Floats, cut: float) -> Floats:
        value: Floats = (1 - self._focus) * rank**2 / 2 + self._focus * np.maximum(rank - cut, 0.0)
        return value


def _weights(a: Floats, b: Floats) -> Floats:
    """The masses of n Beta(a, b) distributions on the grid of theta, (n, grid)."""
    log = a[:, None] * _LOG_THETA + b[:, None] * _LOG_REST
    log[:, 0] += np.log1p(1 / (a * (_LOGITS[1] - _LOGITS[0])))
    log[:, -1] += np.log1p(1 / (b * (_LOGITS[1] - _LOGITS[0])))
    weights = np.exp(log - log.max(axis=1, keepdims=True))
    normal: Floats = weights / weights.sum(axis=1, keepdims=True)
    return normal


def _one_more(probabilities: Floats, a: Floats, b: Floats) -> Floats:
    """The probabilities of 0..r contradictions among r answers, (n, r + 1), from those of r - 1.

    The recursion is Polya's urn.
    """
    r = probabilities.shape[1]
    k = np.arange(r)
    drawn = probabilities * (a[:, None] + k) / (a + b + r - 1)[:, None]
    grown = np.zeros((len(probabilities), r + 1))
    grown[:, :-1] = probabilities - drawn
    grown[:, 1:] += drawn
    return grown


def _hull(value: Floats) -> list[Step]:
    """The edges of the upper concave hull of the value over 0..room further answers."""
    corners: list[int] = []
    for r in range(len(value)):
        while len(corners) > 1 and _slope(value, corners[-2], corners[-1]) <= _slope(value, corners[-1], r):
            corners.pop()
        corners.append(r)
    return [Step(_slope(value, i, j), i, j - i) for i, j in pairwise(corners)]


def _slope(value: Floats, start: int, stop: int) -> float:
    return float(value[stop] - value[start]) / (stop - start)
