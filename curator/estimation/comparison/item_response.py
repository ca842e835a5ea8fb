"""A model of the cases from the scores of a few systems: easiness, features and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.estimation.comparison.case_weights import Floats

# Easiness in logits: at the ends a system of average ability passes or fails all but one of a thousand cases.
_GRID = np.linspace(-7.0, 7.0, 57)
_ROUNDS = 15
_NODES = 7
# The prior counts as much as this many systems. It says that abilities spread by one logit, and that a case's noise is
# that of a binary score.
_PRIOR_SYSTEMS = 3.0
# With this many systems a case's own pattern of scores counts as much as its difficulty.
_TRUST = 8.0


@dataclass(frozen=True, slots=True)
class CaseModel:
    """The posterior model of N cases.

    Attributes:
        easiness: of each case in logits, (N,).
        features: (N, F). A new system's expected squared error with weights v is |features' (v - mass)|^2 plus the noise.
        noise: the variance of each score that no other case explains, (N,).
    """

    easiness: Floats
    features: Floats
    noise: Floats


def model_cases(scores: Floats) -> CaseModel:
    """Fit a one-parameter logistic model (Rasch 1960) to scores, cases x systems, in 0..1.

    A score is nan where the system has no answer.

    A new system is expected to behave partly like the given ones, case by case, and partly like a system of another
    ability on cases of these difficulties. The first part counts more, the more systems there are. The easiness of a case
    is integrated out (empirical Bayes): a case that all of three systems pass need not be one that every system passes.
    """
    there = ~np.isnan(scores)
    filled = np.where(there, scores, 0.0)
    belief, ability = _fit(filled, there)
    expected = belief @ _logistic(ability[:, None] + _GRID).T
    chance_noise = expected * (1 - expected)
    answered = np.maximum(there.sum(axis=1), 1)
    squares = np.where(there, (filled - expected) ** 2, 0.0)
    # graded scores vary less than pass and fail with the same mean
    share = min(1.0, float(squares.sum()) / max(float(chance_noise[there].sum()), 1e-12))
    noise = (squares.sum(axis=1) + _PRIOR_SYSTEMS * share * chance_noise.mean(axis=1)) / (answered + _PRIOR_SYSTEMS)
    return CaseModel(belief @ _GRID, _features(filled, there, belief, ability, expected), noise)


def _features(filled: Floats, there: NDArray[np.bool_], belief: Floats, ability: Floats, expected: Floats) -> Floats:
    systems = len(ability)
    trust = systems / (systems + _TRUST)
    given = np.where(there, trust * filled + (1 - trust) * expected, expected)
    spread = np.sqrt((((ability - ability.mean()) ** 2).sum() + _PRIOR_SYSTEMS) / (systems - 1 + _PRIOR_SYSTEMS))
    nodes, shares = np.polynomial.hermite_e.hermegauss(_NODES)
    others = belief @ _logistic((ability.mean() + spread * nodes)[:, None] + _GRID).T
    return np.hstack((
        given * np.sqrt(trust / systems),
        others * np.sqrt((1 - trust) * shares / shares.sum()),
    ))  # fmt: skip


def _fit(filled: Floats, there: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The posterior of easiness (cases x grid) and the ability of each system.

    They are fitted by expectation-maximisation; the rows of the posterior sum to 1.
    """
    counts = there.sum(axis=0)
    share = (filled.sum(axis=0) + 0.5) / (counts + 1)
    ability = np.log(share / (1 - share))
    width = 1.5
    belief = np.empty((len(filled), len(_GRID)))
    for _ in range(_ROUNDS):
        passing, failing = _log_logistic(ability[:, None] + _GRID), _log_logistic(-(ability[:, None] + _GRID))
        belief = filled @ passing + (there - filled) @ failing - _GRID**2 / (2 * width**2)
        belief = np.exp(belief - belief.max(axis=1, keepdims=True))
        belief /= belief.sum(axis=1, keepdims=True)
        width = float(np.clip(np.sqrt((belief @ _GRID**2).mean()), 0.3, 4.0))
        curve = _logistic(ability[:, None] + _GRID)
        expected, slope = belief @ curve.T, belief @ (curve * (1 - curve)).T
        step = ((filled - expected) * there).sum(axis=0) / ((slope * there).sum(axis=0) + 1)
        ability = ability + np.clip(step, -1, 1)
    return belief, ability


def _logistic(x: Floats) -> Floats:
    probability: Floats = 1 / (1 + np.exp(-x))
    return probability


def _log_logistic(x: Floats) -> Floats:
    log_probability: Floats = -np.logaddexp(0.0, -x)
    return log_probability
