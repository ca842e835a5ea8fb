"""The failure rate per category from few labels, with strength borrowed from the others.

The model is the hierarchical beta-binomial (Gelman et al., Bayesian Data Analysis, 5.3): the rates of the categories come from a Beta(mu M, (1 -
mu) M). A category with n labels is shrunk to mu by M / (M + n). Neither mu nor M is taken as known: the posterior is averaged over a grid of both,
so that the interval includes that the categories may be more or less alike. Unequal probabilities of the draw count as in the pseudo-likelihood
for small areas: a category has the number of labels that Kish's (1965) design effect leaves, more where most of its cases are labelled (the finite
population correction), and as many failures as its weighted rate says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curator.estimation.labelled_pool import LabelledPool
from curator.estimation.sampling_frame import Bools, Floats

MIN_LABELS_OF_CATEGORY = 3
"""A category with fewer labels is not judged."""
_MEANS = (np.arange(40) + 0.5) / 40
_SIZES = np.geomspace(0.5, 2000, 18)
"""The grids of mu, uniform, and of M. The prior of M makes the shrinkage of a category with one label, M / (M + 1), uniform."""
_NEGLIGIBLE = 1e-4
_BISECTIONS = 18


@dataclass(frozen=True, slots=True)
class PooledRate:
    """The failure rate of a category, shrunk to the mean of all.

    Attributes:
        rate: 0..1, the mean of the posterior.
        low: the lower end of the interval.
        high: the upper end.
        shrinkage: the weight of the other categories in the rate, 0 (only its own labels) to 1.
    """

    rate: float
    low: float
    high: float
    shrinkage: float


def pooled_rates(pool: LabelledPool, name: str, confidence: float) -> tuple[PooledRate | None, ...]:
    """Return the rate of each value of a category; None of one with too few labels.

    Args:
        pool: with its labels.
        name: the category.
        confidence: of the intervals.
    """
    levels, values = pool.frame.levels[name], pool.frame.names[name]
    weights, labelled = label_weights(pool), pool.labelled
    sizes, failures = np.zeros(len(values)), np.zeros(len(values))
    for number in range(len(values)):
        sizes[number], failures[number] = _effective_labels(pool, levels == number, weights)
    counts = np.bincount(levels[labelled], minlength=len(values))
    means, lows, highs, shrinkages = beta_binomial(sizes, failures, confidence)
    rates: list[PooledRate | None] = []
    for number, count in enumerate(counts.tolist()):
        inside = levels == number
        if count < MIN_LABELS_OF_CATEGORY and count < inside.sum():
            rates.append(None)
        elif count == inside.sum():
            exact = float(np.average(pool.y[inside], weights=pool.frame.weights[inside]))
            rates.append(PooledRate(exact, exact, exact, 0.0))
        else:
            ends = (float(values_of[number]) for values_of in (means, lows, highs, shrinkages))
            rates.append(PooledRate(*ends))
    return tuple(rates)


def label_weights(pool: LabelledPool) -> Floats:
    """Return the log records that each labelled case represents, (N,); 0 of others."""
    weights = np.zeros(len(pool.frame))
    for stage, weight in zip(pool.stages, pool.weights, strict=True):
        for cell in stage.cells:
            weights[cell.places] += weight * cell.cases / len(cell.places) * pool.frame.weights[cell.places]
    return weights


def beta_binomial(sizes: Floats, failures: Floats, confidence: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the mean, lower end, upper end and shrinkage of each rate, (C,).

    Args:
        sizes: the effective labels of each category, (C,); 0 for none.
        failures: the failures among them, (C,).
        confidence: of the intervals.
    """
    from scipy.special import betaln, logsumexp

    mean, size = (grid.ravel() for grid in np.meshgrid(_MEANS, _SIZES, indexing="ij"))
    log_prior = np.log(size) - 2 * np.log1p(size)  # times M, for the steps of the geometric grid
    a, b = mean * size, (1 - mean) * size
    likelihood = betaln(a[:, None] + failures, b[:, None] + sizes - failures) - betaln(a, b)[:, None]
    log_posterior = log_prior + likelihood.sum(axis=1)
    posterior = np.exp(log_posterior - logsumexp(log_posterior))
    kept = posterior > _NEGLIGIBLE * posterior.max()
    posterior, a, b, size = posterior[kept] / posterior[kept].sum(), a[kept], b[kept], size[kept]
    alpha, beta = a[:, None] + failures, b[:, None] + sizes - failures
    means = posterior @ (alpha / (alpha + beta))
    shrinkages = posterior @ (size[:, None] / (size[:, None] + sizes))
    lows, highs = (_quantiles(posterior, alpha, beta, (1 + side * confidence) / 2) for side in (-1, 1))
    return means, lows, highs, shrinkages


def _quantiles(posterior: Floats, alpha: Floats, beta: Floats, level: float) -> Floats:
    """The quantile of each mixture of beta distributions, (C,), by bisection."""
    from scipy.special import betainc

    low, high = np.zeros(alpha.shape[1]), np.ones(alpha.shape[1])
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        below = posterior @ betainc(alpha, beta, middle) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    middle_of_ends: Floats = (low + high) / 2
    return middle_of_ends


def _effective_labels(pool: LabelledPool, inside: Bools, weights: Floats) -> tuple[float, float]:
    """Return the labels of a category by Kish's design effect, and the failures among them."""
    chosen = inside & (weights > 0)
    if not chosen.any():
        return 0.0, 0.0
    share = weights[chosen] / weights[chosen].sum()
    size = 1 / float((share**2).sum())
    left = 1 - int(chosen.sum()) / int(inside.sum())
    size = size / left if left > 0 else np.inf
    size = min(size, float(int(inside.sum()) * 10))
    return size, size * float(share @ pool.y[chosen])
