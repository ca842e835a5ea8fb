"""The gain that the next labels bring: a learning curve fitted to the scores of all rounds.

With 1,000 held-out cases the difference of two rounds in a row has a standard error near .008, about the gain to be seen. All rounds
together say more, since learning curves are smooth. The model of the score after n labels is

    score(n) = a + b f(n) + e,    f(n) = (n^s - 1) / s  or  -exp(-n / m),    e ~ N(0, t^2)

The first f is the family of Box and Cox (1964). With s below 0 it is the power law with an asymptote, s = 0 is the logarithm, and
s = 1 a straight line, the curve that never flattens. Power laws and exponentials are the usual forms of a learning curve (Viering and
Loog 2023, IEEE TPAMI 45). e is the part of a round's score that another batch or another training run would not repeat.

All rounds are scored on the same held-out cases. The covariance of their scores is taken over cases, so that the difficulty of a case
cancels out as in a paired test.

The interval of the gain is the profile likelihood's: it holds every gain that some shape and some noise t explain almost as well as
the best fit does. A line stays in it until the scores exclude a line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

POWERS = np.linspace(-2.0, 1.0, 61)
"""The values of s."""
DECAYS = np.geomspace(0.1, 1.6, 81)
"""The values of m, in labels between the first round and the last."""
ROUND_NOISE = np.array([0.0005, 0.001, 0.002, 0.004, 0.008, 0.016])
"""The values of t. The largest is several times the noise of the learners measured in `benchmarks/estimation/stopping.py`."""
MIN_ROUNDS = 4
"""The fewest rounds, the seed phase included. A curve has three parameters."""


@dataclass(frozen=True, slots=True)
class GainForecast:
    """The gain of the next labels, as a difference of mean scores, with its interval.

    Attributes:
        gain: by the curve that fits best.
        low: the lower end of the interval.
        high: the upper end.
        fitted: the scores of the rounds on that curve, (k,).
    """

    gain: float
    low: float
    high: float
    fitted: Floats

    @property
    def resolution(self) -> float:
        """The least gain that differs from none: the distance from forecast to upper end."""
        return self.high - self.gain


def forecast_gain(labels: Floats, scores: Floats, covariance: Floats, *, step: float, z: float) -> GainForecast:
    """Forecast the gain of `step` more labels after the last round.

    Args:
        labels: behind each round, (k,), strictly increasing, k at least `MIN_ROUNDS`.
        scores: the mean score of each round, (k,).
        covariance: of the scores over samples of held-out cases, (k, k).
        step: the labels of the coming round, above 0.
        z: the normal quantile of the interval's ends.
    """
    values, axes = np.linalg.eigh(covariance)
    variances = np.maximum(values, 0.0) + ROUND_NOISE[:, None] ** 2  # (noises, k), along the axes
    rises, ahead = _rises(labels, step)
    constant, target, lines = axes.sum(axis=0), axes.T @ scores, rises @ axes
    # Sums over rounds, weighted by precision: (noises, 1) where the shape does not matter, (noises, shapes) where it does.
    precision = 1 / variances
    cc, cy, yy = (precision @ product[:, None] for product in (constant**2, constant * target, target**2))
    cx, xy, xx = (precision @ product.T for product in (constant * lines, target * lines, lines**2))
    determinant = cc * xx - cx**2
    slope = (cc * xy - cx * cy) / determinant
    start = (cy - slope * cx) / cc
    misfit = yy - start * cy - slope * xy
    log = -0.5 * (np.log(variances).sum(axis=1)[:, None] + np.log(determinant) + misfit)  # restricted likelihood
    gains, deviations = slope * ahead, np.sqrt(cc / determinant) * ahead
    reach = z**2 - 2 * (log.max() - log)
    width = np.where(reach >= 0, deviations * np.sqrt(np.maximum(reach, 0)), -np.inf)
    best = np.unravel_index(log.argmax(), log.shape)
    fitted = start[best] + slope[best] * rises[best[1]]
    return GainForecast(float(gains[best]), float((gains - width).min()), float((gains + width).max()), fitted)


def _rises(labels: Floats, step: float) -> tuple[Floats, Floats]:
    """The values of f, scaled from 0 to 1 at the last round, and its next rise.

    Returns:
        (shapes, k) and (shapes,).
    """
    n = np.append(labels, labels[-1] + step) / labels[0]
    powers = [np.log(n) if math.isclose(s, 0, abs_tol=1e-9) else (n**s - 1) / s for s in POWERS]
    f = np.stack(powers + [1 - np.exp((1 - n) / (m * (n[-2] - 1))) for m in DECAYS])
    f /= f[:, -2:-1]
    return f[:, :-1], f[:, -1] - 1
