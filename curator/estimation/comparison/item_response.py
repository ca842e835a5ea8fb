"""How hard each case is and how systems differ on it, from the scores of a few systems."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.estimation.comparison.case_weights import Floats

_GRID = np.linspace(-7.0, 7.0, 57)
"""Easiness in logits: at its ends a system of middling ability passes or fails all but one of a thousand."""
_ROUNDS = 15
_NODES = 7
_PRIOR_SYSTEMS = 3.0
"""How many systems the prior counts for: that abilities spread by one logit, and that a case's noise is its chance's."""
_TRUST = 8.0
"""With so many systems a case's own pattern of scores counts for as much as its difficulty does."""


@dataclass(frozen=True, slots=True)
class CaseModel:
    """What is believed of N cases.

    Attributes:
        easiness: of each case, in logits.
        features: N x F; the squared error of weights v that a new system would see is |features' (v - mass)|^2, but for
            the noise.
        noise: N variances of a score that no other case tells of.
    """

    easiness: Floats
    features: Floats
    noise: Floats


def model_cases(scores: Floats) -> CaseModel:
    """Fit cases x systems of scores in 0..1 (nan: not answered) with a one-parameter logistic model (Rasch 1960).

    A new system is expected to behave in part like the known ones, case by case, and in part like one of another ability
    on cases of these difficulties: the more systems there are, the more counts the first. The easiness of a case is
    integrated over (empirical Bayes), so that a case that all of three systems pass is not taken for one that all pass.
    """
    there = ~np.isnan(scores)
    known = np.where(there, scores, 0.0)
    belief, ability = _fit(known, there)
    expected = belief @ _logistic(ability[:, None] + _GRID).T
    chance_noise = expected * (1 - expected)
    answered = np.maximum(there.sum(axis=1), 1)
    squares = np.where(there, (known - expected) ** 2, 0.0)
    # graded scores scatter less than pass and fail with the same mean
    share = min(1.0, float(squares.sum()) / max(float(chance_noise[there].sum()), 1e-12))
    noise = (squares.sum(axis=1) + _PRIOR_SYSTEMS * share * chance_noise.mean(axis=1)) / (answered + _PRIOR_SYSTEMS)
    return CaseModel(belief @ _GRID, _features(known, there, belief, ability, expected), noise)


def _features(known: Floats, there: NDArray[np.bool_], belief: Floats, ability: Floats, expected: Floats) -> Floats:
    systems = len(ability)
    trust = systems / (systems + _TRUST)
    own = np.where(there, trust * known + (1 - trust) * expected, expected)
    spread = np.sqrt((((ability - ability.mean()) ** 2).sum() + _PRIOR_SYSTEMS) / (systems - 1 + _PRIOR_SYSTEMS))
    nodes, shares = np.polynomial.hermite_e.hermegauss(_NODES)
    others = belief @ _logistic((ability.mean() + spread * nodes)[:, None] + _GRID).T
    return np.hstack((
        own * np.sqrt(trust / systems),
        others * np.sqrt((1 - trust) * shares / shares.sum()),
    ))  # fmt: skip


def _fit(known: Floats, there: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The belief over easiness (cases x grid, rows sum to 1) and the ability of each system, by expectation-maximisation."""
    counts = there.sum(axis=0)
    share = (known.sum(axis=0) + 0.5) / (counts + 1)
    ability = np.log(share / (1 - share))
    width = 1.5
    belief = np.empty((len(known), len(_GRID)))
    for _ in range(_ROUNDS):
        passing, failing = _log_logistic(ability[:, None] + _GRID), _log_logistic(-(ability[:, None] + _GRID))
        belief = known @ passing + (there - known) @ failing - _GRID**2 / (2 * width**2)
        belief = np.exp(belief - belief.max(axis=1, keepdims=True))
        belief /= belief.sum(axis=1, keepdims=True)
        width = float(np.clip(np.sqrt((belief @ _GRID**2).mean()), 0.3, 4.0))
        curve = _logistic(ability[:, None] + _GRID)
        expected, slope = belief @ curve.T, belief @ (curve * (1 - curve)).T
        step = ((known - expected) * there).sum(axis=0) / ((slope * there).sum(axis=0) + 1)
        ability = ability + np.clip(step, -1, 1)
    return belief, ability


def _logistic(x: Floats) -> Floats:
    made: Floats = 1 / (1 + np.exp(-x))
    return made


def _log_logistic(x: Floats) -> Floats:
    made: Floats = -np.logaddexp(0.0, -x)
    return made
