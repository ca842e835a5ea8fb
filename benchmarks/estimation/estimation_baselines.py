"""Other estimators of a failure rate from few labels, as their sources give them: what `curator.estimation` is compared with.

Each takes a `Task` and a generator and gives a rate with its standard error. `f` is the prediction that all of them share: the
default score. N cases, n labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from curator.estimation.risk_model import predict
from curator.estimation.sampling_frame import SamplingFrame

Floats = NDArray[np.float64]
Result = tuple[float, float]
STRATA = 5
FOLDS = 5
PILOT = 1 / 4
UNIFORM_PART = 0.1
"""The least share of a uniform draw's probability, in designs that draw by importance (as LURE's authors clip)."""


@dataclass(frozen=True)
class Task:
    """A pool and a number of labels. `f` is the prediction, `y` what a labeller would say."""

    frame: SamplingFrame
    f: Floats
    y: Floats
    n: int


def uniform(task: Task, rng: Generator) -> Result:
    """The mean of a random draw without replacement."""
    y = task.y[_random(task, rng)]
    return float(y.mean()), _of_mean(y, len(task.y))


def ppi(task: Task, rng: Generator) -> Result:
    """PPI++ (Angelopoulos, Duchi & Zrnic 2023): mean(lambda f) + mean over labels of (y - lambda f)."""
    drawn = _random(task, rng)
    y, f = task.y[drawn], task.f[drawn]
    weight = 0.0
    if f.var() > 0:
        weight = float(np.clip(np.cov(y, f)[0, 1] / task.f.var() / (1 + task.n / len(task.y)), 0, 1))
    return float(weight * task.f.mean() + (y - weight * f).mean()), _of_mean(y - weight * f, len(task.y))


def poststratified(task: Task, rng: Generator) -> Result:
    """A random draw, weighted afterwards to the sizes of quintiles of f; those without a label join a neighbour."""
    drawn = _random(task, rng)
    return _stratified(task, _bins(task.f, STRATA), drawn)


def proportional(task: Task, rng: Generator) -> Result:
    """Quintiles of f, labels in proportion to their sizes."""
    return _by_strata(task, rng, np.ones(len(task.y)))


def neyman(task: Task, rng: Generator) -> Result:
    """Quintiles of f, labels in proportion to size x sqrt(f (1 - f)), two each at least (Neyman 1934)."""
    return _by_strata(task, rng, np.sqrt(task.f * (1 - task.f)))


def lure(task: Task, rng: Generator) -> Result:
    """LURE (Farquhar, Gal & Rainforth 2021; Kossen et al. 2021) with f as control variate.

    Draws one after the other from what is left, q ~ sqrt(f (1 - f)), clipped. v_m = 1 + (N-M)/(N-m) (1/((N-m+1) q_m) - 1).
    """
    n, big = task.n, len(task.y)
    wish = np.sqrt(task.f * (1 - task.f))
    wish = np.maximum(wish / max(wish.sum(), 1e-12), UNIFORM_PART / big)
    # The order of the smallest exponentials is that of draws without replacement (Efraimidis & Spirakis 2006).
    drawn = np.argsort(rng.exponential(size=big) / wish, kind="stable")[:n]
    before = np.concatenate([[0.0], np.cumsum(wish[drawn])[:-1]])
    q = wish[drawn] / (wish.sum() - before)
    m = np.arange(1, n + 1)
    v = 1 + (big - n) / (big - m) * (1 / ((big - m + 1) * q) - 1)
    terms = v * (task.y[drawn] - task.f[drawn])
    return float(task.f.mean() + terms.mean()), _of_mean(terms, big)


def active_inference(task: Task, rng: Generator) -> Result:
    """Active statistical inference (Zrnic & Candes 2024): Poisson draws by min(f, 1 - f), half uniform, weighted by 1 / pi."""
    u = np.minimum(task.f, 1 - task.f)
    big = len(task.y)
    chance = np.clip(0.5 * task.n * u / max(u.sum(), 1e-12) + 0.5 * task.n / big, 0, 1)
    taken = rng.random(big) < chance
    terms = task.f + np.where(taken, (task.y - task.f) / chance, 0.0)
    spread = np.where(taken, (1 - chance) / chance**2 * (task.y - task.f) ** 2, 0.0).sum()
    return float(terms.mean()), float(np.sqrt(spread)) / big


def two_phase(task: Task, rng: Generator) -> Result:
    """A quarter uniform fits P(fail) on all signals; the rest by sqrt(p (1 - p)), half uniform; AIPW, cross-fitted."""
    pilot, fitted = _pilot(task, rng)
    left = np.setdiff1d(np.arange(len(task.y)), pilot)
    count = task.n - len(pilot)
    wish = np.sqrt(fitted[left] * (1 - fitted[left]))
    chance = np.minimum(1.0, count * (0.5 * wish / wish.sum() + 0.5 / len(left)))
    taken = left[rng.random(len(left)) < chance]
    pi = np.ones(len(task.y))
    pi[left] = chance
    drawn = np.sort(np.concatenate([pilot, taken]))
    held_out, everywhere = _cross_fitted(task, drawn, rng)
    big = len(task.y)
    known = task.y[pilot] - held_out[pilot]
    first = everywhere.mean() + known.mean()
    rest = (task.y[taken] - held_out[taken]) / pi[taken]
    second = (task.y[pilot].sum() + everywhere[left].sum() + rest.sum()) / big
    spread = ((1 - pi[taken]) * rest**2).sum() / big**2
    share = len(pilot) / task.n
    return float(share * first + (1 - share) * second), float(
        np.sqrt(share**2 * _of_mean(known, big) ** 2 + (1 - share) ** 2 * spread)
    )


def two_phase_neyman(task: Task, rng: Generator) -> Result:
    """A quarter uniform fits P(fail) on all signals; quintiles of it, and Neyman's numbers in each; all labels pooled."""
    pilot, fitted = _pilot(task, rng)
    bins = _bins(fitted, STRATA)
    sizes = np.bincount(bins)
    have = np.bincount(bins[pilot], minlength=len(sizes))
    wanted = _numbers(sizes, sizes * _mean_by(bins, np.sqrt(fitted * (1 - fitted))), task.n)
    more = np.minimum(np.maximum(wanted - have, 0), sizes - have)
    more = _trimmed(more, task.n - len(pilot))
    left = np.setdiff1d(np.arange(len(task.y)), pilot)
    drawn = [rng.choice(left[bins[left] == b], size=count, replace=False) for b, count in enumerate(more) if count]
    return _stratified(task, bins, np.concatenate([pilot, *drawn]))


def top(task: Task, rng: Generator) -> Result:
    """The cases of the highest score, taken at face value."""
    drawn = np.lexsort((rng.random(len(task.y)), -task.f))[: task.n]
    return float(task.y[drawn].mean()), _of_mean(task.y[drawn], len(task.y))


BASELINES: Mapping[str, Callable[[Task, Generator], Result]] = {
    "uniform": uniform,
    "PPI++": ppi,
    "poststratified": poststratified,
    "strata, proportional": proportional,
    "strata, Neyman": neyman,
    "LURE + control variate": lure,
    "active inference": active_inference,
    "two-phase AIPW": two_phase,
    "two-phase Neyman": two_phase_neyman,
    "top disagreement": top,
}


def _random(task: Task, rng: Generator) -> NDArray[np.int_]:
    return rng.choice(len(task.y), size=task.n, replace=False)


def _of_mean(values: Floats, big: int) -> float:
    """The standard error of a mean of values drawn without replacement."""
    n = len(values)
    return float(np.sqrt(values.var(ddof=1) / n * (1 - n / big))) if n > 1 else 0.5


def _bins(f: Floats, count: int) -> NDArray[np.int_]:
    """Quantile bins; equal values are one bin."""
    edges = np.unique(np.quantile(f, np.arange(1, count) / count))
    return np.unique(np.searchsorted(edges, f, side="left"), return_inverse=True)[1]


def _mean_by(bins: NDArray[np.int_], values: Floats) -> Floats:
    return np.bincount(bins, weights=values) / np.bincount(bins)


def _numbers(sizes: NDArray[np.int_], wish: Floats, n: int) -> NDArray[np.int_]:
    """Labels, n in all, in proportion to the wishes, two each at least, no more than there are; by largest remainders."""
    least = np.minimum(2, sizes)
    given = least.copy()
    while given.sum() < n and (given < sizes).any():
        behind = np.where(given < sizes, n * wish / max(wish.sum(), 1e-12) - given, -np.inf)
        given[int(np.argmax(behind))] += 1
    return given


def _trimmed(counts: NDArray[np.int_], most: int) -> NDArray[np.int_]:
    counts = counts.copy()
    while counts.sum() > most:
        counts[int(np.argmax(counts))] -= 1
    return counts


def _by_strata(task: Task, rng: Generator, spread: Floats) -> Result:
    bins = _bins(task.f, STRATA)
    sizes = np.bincount(bins)
    counts = _numbers(sizes, sizes * _mean_by(bins, spread), task.n)
    drawn = [rng.choice(np.flatnonzero(bins == b), size=count, replace=False) for b, count in enumerate(counts)]
    return _stratified(task, bins, np.concatenate(drawn))


def _stratified(task: Task, bins: NDArray[np.int_], drawn: NDArray[np.int_]) -> Result:
    """The stratified mean, its variance smoothed by half a failure and half a pass; empty strata join a neighbour."""
    sizes = np.bincount(bins).astype(float)
    counts = np.bincount(bins[drawn], minlength=len(sizes)).astype(float)
    sums = np.bincount(bins[drawn], weights=task.y[drawn], minlength=len(sizes))
    for b in np.flatnonzero(counts == 0):
        near = np.flatnonzero(counts > 0)
        to = near[int(np.argmin(np.abs(near - b)))]
        sizes[to] += sizes[b]
        sizes[b] = 0
    kept = sizes > 0
    sizes, counts, sums = sizes[kept], counts[kept], sums[kept]
    share = sizes / sizes.sum()
    smooth = (sums + 0.5) / (counts + 1)
    variance = (share**2 * smooth * (1 - smooth) / counts * (1 - counts / sizes)).sum()
    return float((share * sums / counts).sum()), float(np.sqrt(variance))


def _pilot(task: Task, rng: Generator) -> tuple[NDArray[np.int_], Floats]:
    pilot = np.sort(rng.choice(len(task.y), size=round(PILOT * task.n), replace=False))
    return pilot, predict(task.frame, pilot, task.y[pilot])


def _cross_fitted(task: Task, drawn: NDArray[np.int_], rng: Generator) -> tuple[Floats, Floats]:
    """For the labelled cases the prediction of fits without them; everywhere the mean of those fits."""
    fold = rng.permutation(np.arange(len(drawn)) % FOLDS)
    fits = [predict(task.frame, drawn[fold != i], task.y[drawn[fold != i]]) for i in range(FOLDS)]
    held_out = np.zeros(len(task.y))
    for i, fitted in enumerate(fits):
        held_out[drawn[fold == i]] = fitted[drawn[fold == i]]
    return held_out, np.mean(fits, axis=0)
