"""A score that is fitted to known failures: which signals tell them in these logs, and whether that beats the default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum, log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.score import DEFAULT, SCORER, Formula, default_score
from curator.disagreement.signals import Signals

CALIBRATION = "calibrated/1"
"""Name and version of the fitted score; the version is raised whenever its signals or its fit change."""
LEAST_OF_EACH = 20
"""With fewer failures, or fewer passes, nothing is fitted: a cross-fitted gain could not be told from chance."""
FOLDS = 5
REPEATS = 10
DRAWS = 2000
PENALTY = 0.03
"""Inverse strength of the ridge penalty on standardised signals (`C` of scikit-learn): strong, as labels are few."""
DEFAULT_SCORE, WORDING, WORDS = "default score", "wording", "words"
BY = "by "
"""The names of the signals; that of a member is `BY` and its group."""
MOST_GROUPS = 12
"""The members that have a signal of their own, the most usual ones; a committee has hardly more."""

Floats = NDArray[np.float64]
Fold = tuple[NDArray[np.int_], Floats]
"""The places of the cases of a fold, and a value of each."""


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
        scorer: the default score that it was measured against, with what compared the answers, if not words.
        cases: labelled cases that it was fitted to.
        failures: how many of them fail.
        intercept: log-odds where every signal has its mean.
        terms: the signals; those named `by GROUP` are what one member says.
        default_auroc: AUROC of the default score on these cases, over the same pairs as `fitted_auroc`.
        fitted_auroc: AUROC of the fitted score, each case by fits that did not see it, over pairs that one fit scored.
        gain: the difference of the two.
        low: the lower end of its 95% interval.
        high: the upper end.
        length_auroc: AUROC of the mean length of the answers alone: what every score should beat.
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
    length_auroc: float

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
        odds = self.intercept + fsum((_signal(found, t.signal) - t.mean) / t.scale * t.weight for t in self.terms)
        return 1 / (1 + exp(-odds)) if odds >= 0 else exp(odds) / (1 + exp(odds))  # neither form can overflow

    @property
    def groups(self) -> frozenset[str]:
        """The members that have a signal of their own, by `Answered.group`."""
        return frozenset(t.signal.removeprefix(BY) for t in self.terms if t.signal.startswith(BY))


def formula_of(calibration: Calibration | None) -> Formula:
    """What ranks: the fitted score where its gain is there, else the default score."""
    return calibration if calibration is not None and calibration.better else DEFAULT


def calibrate(
    found: Sequence[Signals],
    wrong: Sequence[bool],
    *,
    weights: Sequence[float] | None = None,
    scorer: str = SCORER,
    seed: int = 0,
) -> Calibration | None:
    """Fit the score to cases whose failure is known; None where there are too few failures or passes.

    The signals are the default score, the distance and the length of the wordings, and what each member says of its own:
    a member that is right more often than the others gets more weight. The labels must be those of a random slice, else
    the fit learns how they were chosen; `weights` say how many cases each one stands for, where they were not drawn with
    equal chances (1 over the inclusion probability). The gain is cross-fitted: the cases are scored in five folds by fits on the
    other four, ten times over. It is measured on pairs of cases that one fit has scored: each fold's fit lacks the
    failures of its own cases, so that across folds it breaks ties against them, by up to .05 on recorded committees. The
    interval is that of a paired bootstrap over cases (percentile). The order of the cases makes no difference. `scorer`
    names the default score as it is here.
    """
    y = np.array(wrong, dtype=bool)
    if min(y.sum(), (~y).sum()) < LEAST_OF_EACH:
        return None
    names = _names(found)
    x = np.array([[_signal(one, name) for name in names] for one in found])
    order = np.lexsort((y, *x.T[::-1]))  # folds and draws go by position
    x, y = x[order], y[order]
    w = np.ones(len(y)) if weights is None else np.array(weights, dtype=float)[order]
    w = w * len(w) / w.sum()
    rng = np.random.default_rng(seed)
    scored = _cross_fitted(x, y, w, rng)
    default, lengths = ([(fold, x[fold, column]) for fold, _ in scored] for column in (0, names.index(WORDS)))
    draws = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=DRAWS) * w
    low, high = np.nanquantile(_within(scored, y, draws) - _within(default, y, draws), (0.025, 0.975))
    once = w[None, :]
    default_auroc, fitted_auroc, length_auroc = (float(_within(v, y, once)[0]) for v in (default, scored, lengths))
    means, scales, model = _fit(x, y, w)
    return Calibration(
        scorer=scorer,
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
        length_auroc=length_auroc,
    )


def auroc(values: Floats, wrong: NDArray[np.bool_], weights: Floats) -> Floats:
    """The AUROC under each row of case weights (draws, n): the chance that a failure has a higher value than a pass.

    The Mann-Whitney statistic over distinct values, ties counting a half; NaN where a row has no failure or no pass.
    """
    return _within([(np.arange(len(values)), values)], wrong, weights)


def _within(folds: Sequence[Fold], wrong: NDArray[np.bool_], weights: Floats) -> Floats:
    """The AUROC as in `auroc`, over the pairs of a failure and a pass that are in one fold."""
    above, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for fold, values in folds:
        ordered, own = np.argsort(values, kind="stable"), weights[:, fold]
        starts = np.flatnonzero(np.diff(values[ordered], prepend=-np.inf))
        bad = np.add.reduceat((own * wrong[fold])[:, ordered], starts, axis=1)
        good = np.add.reduceat((own * ~wrong[fold])[:, ordered], starts, axis=1)
        above += (bad * (np.cumsum(good, axis=1) - good / 2)).sum(axis=1)
        pairs += bad.sum(axis=1) * good.sum(axis=1)
    with np.errstate(invalid="ignore"):
        areas: Floats = above / pairs
    return areas


_COMMON: Mapping[str, Callable[[Signals], float]] = {
    DEFAULT_SCORE: default_score,
    WORDING: lambda found: found.wording or 0.0,
    WORDS: lambda found: log1p(found.words),
}


def is_signal(name: str) -> bool:
    """Whether there is a signal of that name."""
    return name in _COMMON or name.startswith(BY)


def _names(found: Sequence[Signals]) -> list[str]:
    """The signals of these cases; a group's name is that of `Answered.group`."""
    counts = Counter(group for one in found for group in one.by_group)
    usual = sorted(counts, key=lambda group: (-counts[group], group))[:MOST_GROUPS]
    return [*_COMMON, *(f"{BY}{group}" for group in sorted(usual))]


def _signal(found: Signals, name: str) -> float:
    """A signal by its name; a member that gave no answer to a case stands for the mean of those that did."""
    if name in _COMMON:
        return _COMMON[name](found)
    said = found.by_group
    return said.get(name.removeprefix(BY), fsum(said.values()) / len(said))


def _cross_fitted(x: Floats, y: NDArray[np.bool_], w: Floats, rng: np.random.Generator) -> list[Fold]:
    """The log-odds of the cases of each fold by a fit that did not see them, over `REPEATS` divisions into folds."""
    from sklearn.model_selection import StratifiedKFold

    scored: list[Fold] = []
    for seed in rng.integers(2**31, size=REPEATS).tolist():
        for known, left_out in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
            means, scales, model = _fit(x[known], y[known], w[known])
            scored.append((left_out, model.decision_function((x[left_out] - means) / scales)))
    return scored


def _fit(x: Floats, y: NDArray[np.bool_], w: Floats) -> tuple[Floats, Floats, Any]:
    """The means, the scales and the regression on what they standardise."""
    from sklearn.linear_model import LogisticRegression

    means, deviations = x.mean(axis=0), x.std(axis=0)
    scales = np.where(deviations > 1e-12, deviations, 1.0)
    return means, scales, LogisticRegression(C=PENALTY, max_iter=1000).fit((x - means) / scales, y, sample_weight=w)
