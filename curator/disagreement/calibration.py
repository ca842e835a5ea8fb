"""A score that is fitted to known failures: which signals tell them in these logs, and whether that beats the default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum, log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.score import SCORER, default_score
from curator.disagreement.signals import Signals

CALIBRATION = "calibrated/1"
"""Name and version of the fitted score; the version is raised whenever its signals or its fit change."""
LEAST_OF_EACH = 20
"""With fewer failures, or fewer passes, nothing is fitted: a cross-fitted gain could not be told from chance."""
FOLDS = 10
REPEATS = 5
DRAWS = 2000
PENALTY = 0.03
"""Inverse strength of the ridge penalty on standardised signals (`C` of scikit-learn): strong, as labels are few."""
MOST_GROUPS = 12
"""The members that have a signal of their own, the most usual ones; a committee has hardly more."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Term:
    """One signal in the fit: its name, its mean and standard deviation, and the log-odds that one of these is worth."""

    signal: str
    mean: float
    scale: float
    weight: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression of `the target is wrong` on the signals of a case, and what it is worth.

    Attributes:
        scorer: the default score that it was measured against.
        cases: labelled cases that it was fitted to.
        failures: how many of them fail.
        intercept: log-odds where every signal has its mean.
        terms: the signals; those named `by GROUP` are what one member says.
        default_auroc: AUROC of the default score on these cases.
        fitted_auroc: AUROC of the fitted score, each case by fits that did not see it.
        gain: the difference of the two.
        low: the lower end of its 95% interval.
        high: the upper end.
    """

    scorer: str
    cases: int
    failures: int
    intercept: float
    terms: tuple[Term, ...]
    default_auroc: float
    fitted_auroc: float
    gain: float
    low: float
    high: float

    @property
    def better(self) -> bool:
        """Whether the gain is there: the whole interval is above 0. Else the default score should rank."""
        return self.low > 0

    @property
    def name(self) -> str:
        """See `score.Formula`."""
        return CALIBRATION

    def value(self, found: Signals) -> float:
        """The fitted probability that a case fails, 0..1; on average right for cases like those that were labelled."""
        odds = self.intercept + sum((_signal(found, t.signal) - t.mean) / t.scale * t.weight for t in self.terms)
        return 1 / (1 + exp(-odds))


def calibrate(found: Sequence[Signals], wrong: Sequence[bool], *, seed: int = 0) -> Calibration | None:
    """Fit the score to cases whose failure is known; None where there are too few failures or passes.

    The signals are the default score, the distance and the length of the wordings, and what each member says of its own:
    a member that is right more often than the others gets more weight. The labels must be those of a random slice, else
    the fit learns how they were chosen. The gain is cross-fitted: the cases are scored in ten folds by fits on the other
    nine, five times over, and the interval is that of a paired bootstrap over cases (percentile).
    """
    y = np.array(wrong, dtype=bool)
    if min(y.sum(), (~y).sum()) < LEAST_OF_EACH:
        return None
    names = _names(found)
    x = np.array([[_signal(one, name) for name in names] for one in found])
    rng = np.random.default_rng(seed)
    default, fitted = x[:, 0], _cross_fitted(x, y, rng)
    draws = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=DRAWS).astype(float)
    low, high = np.nanquantile(auroc(fitted, y, draws) - auroc(default, y, draws), (0.025, 0.975))
    default_auroc, fitted_auroc = (float(auroc(v, y, np.ones((1, len(y))))[0]) for v in (default, fitted))
    means, scales, model = _fit(x, y)
    return Calibration(
        scorer=SCORER,
        cases=len(y),
        failures=int(y.sum()),
        intercept=float(model.intercept_[0]),
        terms=tuple(
            Term(name, float(mean), float(scale), float(weight))
            for name, mean, scale, weight in zip(names, means, scales, model.coef_[0], strict=True)
        ),
        default_auroc=default_auroc,
        fitted_auroc=fitted_auroc,
        gain=fitted_auroc - default_auroc,
        low=float(low),
        high=float(high),
    )


def auroc(values: Floats, wrong: NDArray[np.bool_], weights: Floats) -> Floats:
    """The AUROC under each row of case weights (draws, n): the chance that a failure has a higher value than a pass.

    The Mann-Whitney statistic over distinct values, ties counting a half; NaN where a row has no failure or no pass.
    """
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
    weights = weights[:, order]
    bad = np.add.reduceat(weights * wrong[order], starts, axis=1)
    good = np.add.reduceat(weights * ~wrong[order], starts, axis=1)
    below = np.cumsum(good, axis=1) - good / 2
    with np.errstate(invalid="ignore"):
        areas: Floats = (bad * below).sum(axis=1) / (bad.sum(axis=1) * good.sum(axis=1))
    return areas


_BY = "by "
_COMMON: Mapping[str, Callable[[Signals], float]] = {
    "default score": default_score,
    "wording": lambda found: found.wording or 0.0,
    "words": lambda found: log1p(found.words),
}


def _names(found: Sequence[Signals]) -> list[str]:
    """The signals of these cases; a group's name is that of `Answered.group`."""
    counts = Counter(group for one in found for group in one.by_group)
    usual = sorted(counts, key=lambda group: (-counts[group], group))[:MOST_GROUPS]
    return [*_COMMON, *(f"{_BY}{group}" for group in sorted(usual))]


def _signal(found: Signals, name: str) -> float:
    """A signal by its name; a member that gave no answer to a case stands for the mean of those that did."""
    if name in _COMMON:
        return _COMMON[name](found)
    said = found.by_group
    return said.get(name.removeprefix(_BY), fsum(said.values()) / len(said))


def _cross_fitted(x: Floats, y: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """The mean log-odds of each case over `REPEATS` divisions into folds, by fits that did not see it."""
    from sklearn.model_selection import StratifiedKFold

    totals = np.zeros(len(y))
    for seed in rng.integers(2**31, size=REPEATS).tolist():
        for known, left_out in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
            means, scales, model = _fit(x[known], y[known])
            totals[left_out] += model.decision_function((x[left_out] - means) / scales)
    return totals / REPEATS


def _fit(x: Floats, y: NDArray[np.bool_]) -> tuple[Floats, Floats, Any]:
    """The means, the scales and the regression on what they standardise."""
    from sklearn.linear_model import LogisticRegression

    means, deviations = x.mean(axis=0), x.std(axis=0)
    scales = np.where(deviations > 1e-12, deviations, 1.0)
    return means, scales, LogisticRegression(C=PENALTY, max_iter=1000).fit((x - means) / scales, y)
