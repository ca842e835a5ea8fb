"""Fit a score to known failures, and measure whether it ranks better than the default score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from math import exp, fsum, isnan, log1p, nan

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.score import DEFAULT, SCORER, Formula, default_score
from curator.disagreement.side_signals import SIDE_SIGNALS
from curator.disagreement.signals import Signals
from curator.disagreement.task_effects import TaskEffect, TaskFit, fit_tasks

CALIBRATION = "calibrated/2"
"""Name and version of the fitted score; the version is raised whenever its signals or its fit change."""
LEAST_OF_EACH = 20
"""With fewer failures or passes nothing is fitted: a cross-fitted gain could not be told from chance."""
FOLDS = 5
REPEATS = 10
"""Repetitions of the division into folds."""
DRAWS = 2000
"""Bootstrap draws for the interval of the gain."""
PENALTY = 0.03
"""Inverse strength of the ridge penalty on standardised signals (`C` of scikit-learn); strong, because labels are few."""
DEFAULT_SCORE, WORDING, WORDS = "default score", "wording", "words"
BY = "by "
"""The names of the signals; a member's signal is named `BY` and its group."""
COMMON_SIDE = 0.5
"""A side signal is tried if at least this share of the labelled cases have it; the others have its mean."""
MOST_GROUPS = 12
"""The number of members with a signal of their own: those with the most answers. Few committees have more."""

Floats = NDArray[np.float64]
Names = NDArray[np.str_]
Fold = tuple[NDArray[np.int_], Floats]
"""The positions of the cases of a fold, and a value for each."""


@dataclass(frozen=True, slots=True)
class Term:
    """One signal of the fit: name, mean, standard deviation, and the log-odds for one deviation."""

    signal: str
    mean: float
    scale: float
    weight: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression of "the target is wrong" on the signals of a case, and its gain.

    Where the labels are of several tasks, each has an intercept and a weight of the default score of its own, shrunk to those
    of all tasks (`task_effects`).

    Attributes:
        scorer: the name of the default score that it was compared with, and of the comparer if it is not words.
        cases: the number of labelled cases that it was fitted to.
        failures: the number of failures among them.
        intercept: the log-odds where every signal has its mean.
        terms: the signals; those named `by GROUP` are signals of one member.
        default_auroc: AUROC of the default score on these cases, over the same pairs as `fitted_auroc`.
        fitted_auroc: cross-fitted AUROC of the fitted score: each case is scored by fits without it, and only pairs that
            one fit scored are compared.
        gain: `fitted_auroc` minus `default_auroc`.
        low: the lower end of its 95% interval.
        high: the upper end.
        length_auroc: AUROC of the mean length of the answers, which every score should exceed.
        tasks: the effects of the tasks with enough labels; () with one task.
        default_within: AUROC of the default score over pairs of the same task; None with one task.
        fitted_within: the same of the fitted score, cross-fitted.
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
    tasks: tuple[TaskEffect, ...] = ()
    default_within: float | None = None
    fitted_within: float | None = None

    @property
    def better(self) -> bool:
        """True if the whole interval of the gain is above 0; else the default score should rank."""
        return self.low > 0

    @property
    def name(self) -> str:
        """See `score.Formula`."""
        return CALIBRATION

    def value(self, signals: Signals) -> float:
        """Return the fitted probability, 0..1, that a case of an unknown task fails."""
        return self.probability(signals, None)

    def probability(self, signals: Signals, task: str | None) -> float:
        """Return the fitted probability, 0..1, that a case fails; a new task has the pooled fit."""
        values = [_signal(signals, t.signal) for t in self.terms]
        deviations = [0.0 if isnan(v) else (v - t.mean) / t.scale for v, t in zip(values, self.terms, strict=True)]
        odds = self.intercept + fsum(z * t.weight for z, t in zip(deviations, self.terms, strict=True))
        effect = next((effect for effect in self.tasks if effect.task == task), None)
        if effect is not None:
            odds += effect.intercept + effect.slope * deviations[0]
        return (
            1 / (1 + exp(-odds)) if odds >= 0 else exp(odds) / (1 + exp(odds))
        )  # each form avoids the overflow of the other

    @property
    def groups(self) -> frozenset[str]:
        """The groups (`Answered.prompt_id`) that have a signal of their own."""
        return frozenset(t.signal.removeprefix(BY) for t in self.terms if t.signal.startswith(BY))


@dataclass(frozen=True, slots=True)
class TaskFormula:
    """The fitted score of the cases of one task."""

    calibration: Calibration
    task: str
    name: str = CALIBRATION

    def value(self, signals: Signals) -> float:
        """See `score.Formula`."""
        return self.calibration.probability(signals, self.task)


def formula_for(formula: Formula, task: str) -> Formula:
    """Return the formula for the cases of a task: a fitted score differs from task to task."""
    return TaskFormula(formula, task) if isinstance(formula, Calibration) and formula.tasks else formula


def formula_of(calibration: Calibration | None) -> Formula:
    """Return the fitted score if it is better, else the default score."""
    return calibration if calibration is not None and calibration.better else DEFAULT


def calibrate(
    cases: Sequence[Signals],
    wrong: Sequence[bool],
    *,
    tasks: Sequence[str] | None = None,
    weights: Sequence[float] | None = None,
    scorer: str = SCORER,
    seed: int = 0,
) -> Calibration | None:
    """Fit a score to labelled cases; None with fewer than `LEAST_OF_EACH` failures or passes.

    The signals are the default score, the distance and the length of the wordings, the answers of each member, so that
    a member that is right more often gets more weight, and the side signals (`SIDE_SIGNALS`) that most cases have. With several tasks, each one has an intercept and a weight of the
    default score of its own, shrunk to those of all tasks. The labels must come from a random sample; otherwise the fit
    learns how the cases were chosen. The gain is cross-fitted: the cases are scored in five folds by fits on the other four,
    and this is repeated ten times. Only pairs of cases that one fit scored are compared. A fold's fit has not seen the failures of its own fold, so that
    between folds it breaks ties against them, by up to .05 AUROC on recorded committees. The interval is that of a paired
    percentile bootstrap over cases. The order of the cases does not matter.

    Args:
        cases: the signals of each labelled case.
        wrong: production's answer is wrong, for each case.
        tasks: the task of each case; None for one task.
        weights: the number of cases that each one represents, 1 over its inclusion probability; None for equal ones.
        scorer: the name of the default score with the comparer in use.
        seed: fixes the folds and the draws.
    """
    y = np.array(wrong, dtype=bool)
    if min(y.sum(), (~y).sum()) < LEAST_OF_EACH:
        return None
    names = _names(cases)
    x = _with_means(np.array([[_signal(case, name) for name in names] for case in cases]))
    names_of_tasks = np.array(tasks if tasks is not None else [""] * len(y))
    order = np.lexsort((names_of_tasks, y, *x.T[::-1]))  # folds and draws depend on the position
    x, y, names_of_tasks = x[order], y[order], names_of_tasks[order]
    w = np.ones(len(y)) if weights is None else np.array(weights, dtype=float)[order]
    w = w * len(w) / w.sum()
    rng = np.random.default_rng(seed)
    scored = _cross_fitted(x, y, w, names_of_tasks, rng)
    default, lengths = ([(fold, x[fold, column]) for fold, _ in scored] for column in (0, names.index(WORDS)))
    draws = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=DRAWS) * w
    low, high = np.nanquantile(_within(scored, y, draws) - _within(default, y, draws), (0.025, 0.975))
    default_auroc, fitted_auroc, length_auroc = (_area(folds, y, w) for folds in (default, scored, lengths))
    means, scales, model = _fit(x, y, w, names_of_tasks)
    return Calibration(
        scorer=scorer,
        cases=len(y),
        failures=int(y.sum()),
        intercept=model.intercept,
        terms=tuple(starmap(Term, zip(names, means.tolist(), scales.tolist(), model.weights.tolist(), strict=True))),
        default_auroc=default_auroc,
        fitted_auroc=fitted_auroc,
        gain=fitted_auroc - default_auroc,
        low=float(low),
        high=float(high),
        length_auroc=length_auroc,
        tasks=tuple(model.effects.values()),
        default_within=_within_tasks(default, y, w, names_of_tasks) if model.effects else None,
        fitted_within=_within_tasks(scored, y, w, names_of_tasks) if model.effects else None,
    )


def auroc(values: Floats, wrong: NDArray[np.bool_], weights: Floats) -> Floats:
    """Return the AUROC (draws,) under each row of case weights (draws, n).

    It is the probability that a failure has a higher value than a pass, ties counting 1/2 (the Mann-Whitney statistic);
    NaN where a row has no failure or no pass.
    """
    return _within([(np.arange(len(values)), values)], wrong, weights)


def _within(folds: Sequence[Fold], wrong: NDArray[np.bool_], weights: Floats) -> Floats:
    """Return the AUROC as `auroc` does, over pairs of a failure and a pass in one fold only."""
    above, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for fold, values in folds:
        ordered, fold_weights = np.argsort(values, kind="stable"), weights[:, fold]
        starts = np.flatnonzero(np.diff(values[ordered], prepend=-np.inf))
        bad = np.add.reduceat((fold_weights * wrong[fold])[:, ordered], starts, axis=1)
        good = np.add.reduceat((fold_weights * ~wrong[fold])[:, ordered], starts, axis=1)
        above += (bad * (np.cumsum(good, axis=1) - good / 2)).sum(axis=1)
        pairs += bad.sum(axis=1) * good.sum(axis=1)
    with np.errstate(invalid="ignore"):
        areas: Floats = above / pairs
    return areas


def _area(folds: Sequence[Fold], wrong: NDArray[np.bool_], weights: Floats) -> float:
    return float(_within(folds, wrong, weights[None, :])[0])


def _within_tasks(folds: Sequence[Fold], wrong: NDArray[np.bool_], weights: Floats, tasks: Names) -> float | None:
    """Return the AUROC over pairs of the same task in one fold; None without such a pair."""
    by_task = [
        (fold[tasks[fold] == task], values[tasks[fold] == task])
        for fold, values in folds
        for task in np.unique(tasks[fold])
    ]
    area = _area(by_task, wrong, weights)
    return None if np.isnan(area) else area


_COMMON: Mapping[str, Callable[[Signals], float]] = {
    DEFAULT_SCORE: default_score,
    WORDING: lambda signals: signals.wording or 0.0,
    WORDS: lambda signals: log1p(signals.words),
}


def is_signal(name: str) -> bool:
    """Return True if a signal has this name."""
    return name in _COMMON or name in SIDE_SIGNALS or name.startswith(BY)


def _names(cases: Sequence[Signals]) -> list[str]:
    """Return the signals' names: the common ones, usual side signals, and frequent groups."""
    counts = Counter(group for signals in cases for group in signals.by_group)
    usual = sorted(counts, key=lambda group: (-counts[group], group))[:MOST_GROUPS]
    sides = Counter(name for signals in cases for name in signals.side or ())
    side = [name for name in SIDE_SIGNALS if sides[name] >= max(1, COMMON_SIDE * len(cases))]
    return [*_COMMON, *side, *(f"{BY}{group}" for group in sorted(usual))]


def _signal(signals: Signals, name: str) -> float:
    """Return a signal by name; a group without an answer gets the mean of the groups with one.

    NaN is a side signal that the case lacks.
    """
    if name in _COMMON:
        return _COMMON[name](signals)
    if name in SIDE_SIGNALS:
        return (signals.side or {}).get(name, nan)
    by_group = signals.by_group
    return by_group.get(name.removeprefix(BY), fsum(by_group.values()) / len(by_group))


def _with_means(x: Floats) -> Floats:
    """Replace each missing value by the mean of its column."""
    missing = np.isnan(x)
    return np.where(missing, np.nanmean(x, axis=0), x) if missing.any() else x


def _cross_fitted(x: Floats, y: NDArray[np.bool_], w: Floats, tasks: Names, rng: np.random.Generator) -> list[Fold]:
    """Return the log-odds of each fold's cases by a fit without them, for `REPEATS` divisions."""
    from sklearn.model_selection import StratifiedKFold

    scored: list[Fold] = []
    for seed in rng.integers(2**31, size=REPEATS).tolist():
        for training, left_out in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
            means, scales, model = _fit(x[training], y[training], w[training], tasks[training])
            scored.append((left_out, model.log_odds((x[left_out] - means) / scales, tasks[left_out].tolist())))
    return scored


def _fit(x: Floats, y: NDArray[np.bool_], w: Floats, tasks: Names) -> tuple[Floats, Floats, TaskFit]:
    """Return the means and scales of the signals, and the regression on standardised ones."""
    means, deviations = x.mean(axis=0), x.std(axis=0)
    scales = np.where(deviations > 1e-12, deviations, 1.0)
    return means, scales, fit_tasks((x - means) / scales, y, w, tasks.tolist(), penalty=PENALTY)
