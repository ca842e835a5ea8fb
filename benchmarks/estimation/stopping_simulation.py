"""Simulated loops for `stopping.py`: curves whose true gains are given, scored on the same cases in each round.

A case is right where a latent value is below the quantile of the curve. 60% of its variance is the case's difficulty; the rest is an
autoregressive process over rounds, so that two rounds differ on the more cases the more rounds are between them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from benchmarks.estimation.stopping_rules import Loop

Floats = NDArray[np.float64]

ROUNDS = 20
START, BATCH = 100, 75
FAMILIES = ("level", "line at the threshold", "power law", "exponential", "pause")
DIFFICULTY = 0.6
CORRELATIONS = (0.93, 0.98)
"""Of two rounds in a row, drawn for each loop: they differ on about 4% to 14% of cases."""
TRAINING_NOISE = (0.0, 0.004, 0.008)
"""Standard deviations of the round's own noise, drawn for each loop."""


def true_curve(family: str, draws: np.random.Generator, threshold: float) -> Floats:
    """The true scores of the rounds and of two more, (ROUNDS + 2,)."""
    rounds = np.arange(ROUNDS + 2)
    labels = START + BATCH * rounds
    begin, end = draws.uniform(0.3, 0.6), draws.uniform(0.75, 0.95)
    if family == "level":
        return np.full(len(rounds), end)
    if family == "line at the threshold":
        return np.array(begin + threshold * rounds)
    if family == "power law":
        return np.array(end - (end - begin) * (labels / START) ** -draws.uniform(0.3, 1.5))
    if family == "exponential":
        return np.array(end - (end - begin) * np.exp(-(labels - START) / draws.uniform(150, 600)))
    gains = np.full(len(rounds) - 1, threshold * draws.uniform(1.1, 2))
    pause = draws.integers(3, 12)
    gains[pause : pause + draws.integers(2, 4)] = 0
    return np.array(0.3 + np.concatenate([[0], np.cumsum(gains)]))


def simulated(curve: Floats, draws: np.random.Generator, cases: int) -> Loop:
    """A loop whose true scores are those of the curve."""
    noise = draws.choice(TRAINING_NOISE) * draws.normal(size=ROUNDS)
    limits = ndtri(np.clip(curve[:ROUNDS] + noise, 0.001, 0.999))
    kept = 1 - (1 - draws.uniform(*CORRELATIONS)) / (1 - DIFFICULTY)
    own = np.empty((ROUNDS, cases))
    own[0] = draws.normal(size=cases)
    for k in range(1, ROUNDS):
        own[k] = kept * own[k - 1] + np.sqrt(1 - kept**2) * draws.normal(size=cases)
    latent = np.sqrt(DIFFICULTY) * draws.normal(size=cases) + np.sqrt(1 - DIFFICULTY) * own
    return Loop(START + BATCH * np.arange(ROUNDS, dtype=float), (latent < limits[:, None]).astype(float))
