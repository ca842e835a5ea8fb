"""The failure rate per category from few labels, with strength borrowed from the others.

The model is the hierarchical beta-binomial (Gelman et al., Bayesian Data Analysis, 5.3): the rates of the categories come from a Beta(mu M, (1 -
mu) M). A category with n labels is shrunk to mu by M / (M + n). Neither mu nor M is taken as known: the posterior is averaged over a grid of both,
so that the interval includes that the categories may be more or less alike.

A category has finitely many cases, and its rate is that of these (Ericson 1969; Ghosh & Meeden 1997): its labelled cases are known, and of the
others a whole number fails, at random with the rate of the model. So a label counts for the cases without one that it represents: a certain case,
which represents itself only, says nothing of them.

Unequal probabilities of the draw count by the pseudo-likelihood of Chen, Wakefield & Lumley (2014): that of a binomial with the effective number of
labels, and as many failures as the weighted rate says. Approximations: the effective number is Kish's (1965), who takes weights to be unrelated
to failures, where they use the estimated variance; the strata of the draw are left out; and the beta-binomial number of failures among the cases without a label
is a beta distribution of the same mean and variance, rounded to whole failures.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from curator.estimation.labelled_pool import LabelledPool
from curator.estimation.sampling_frame import Bools, Floats
from curator.records import PooledRate

MIN_LABELS_OF_CATEGORY = 3
"""A category with fewer labels is not judged."""
_MEANS = (np.arange(40) + 0.5) / 40
_SIZES = np.geomspace(0.5, 2000, 18)
"""The grids of mu, uniform, and of M. The prior of M makes the shrinkage of a category with one label, M / (M + 1), uniform."""
_NEGLIGIBLE = 1e-4
_BISECTIONS = 18
_LEAST_PRECISION = 0.01
"""Of the share of a single case, which either fails or does not."""


def pooled_rates(
    pool: LabelledPool, name: str, confidence: float, *, open_values: Collection[str] = ()
) -> tuple[PooledRate | None, ...]:
    """Return the rate of each value of a category; None of one with too few labels.

    Args:
        pool: with its labels.
        name: the category.
        confidence: of the intervals.
        open_values: those that cases without a label may belong to, whatever the frame says.
    """
    levels, values = pool.frame.levels[name], pool.frame.names[name]
    weights, labelled = label_weights(pool), pool.labelled
    parts = [
        _part(pool, levels == number, weights, is_open=value in open_values) for number, value in enumerate(values)
    ]
    sizes, failures, cases = (
        np.array(column) for column in zip(*((part.size, part.failures, part.cases) for part in parts), strict=True)
    )
    means, lows, highs, shrinkages = beta_binomial(sizes, failures, confidence, cases=cases)
    rates: list[PooledRate | None] = []
    for number, part in enumerate(parts):
        count = int((labelled & (levels == number)).sum())
        rate, low, high = (part.known + part.share * float(of_rest[number]) for of_rest in (means, lows, highs))
        shrinkage = float(shrinkages[number]) if part.share else 0.0
        rates.append(
            PooledRate(rate, low, high, shrinkage) if count >= MIN_LABELS_OF_CATEGORY or not part.share else None
        )
    return tuple(rates)


def label_weights(pool: LabelledPool) -> Floats:
    """Return the log records that each labelled case represents, (N,); 0 of others."""
    weights = np.zeros(len(pool.frame))
    for stage, weight in zip(pool.stages, pool.weights, strict=True):
        for cell in stage.cells:
            weights[cell.places] += weight * cell.cases / len(cell.places) * pool.frame.weights[cell.places]
    return weights


def beta_binomial(
    sizes: Floats, failures: Floats, confidence: float, *, cases: Floats | None = None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the mean, lower end, upper end and shrinkage of each rate, (C,).

    Args:
        sizes: the effective labels of each category, (C,); 0 for none.
        failures: the failures among them, (C,).
        confidence: of the intervals.
        cases: the number of cases that each rate is about, (C,): these fail at random with the rate of the model. None for the
            rate of the model itself.
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
    if cases is not None:
        alpha, beta = _of_cases(alpha, beta, cases)
    lows, highs = (_quantiles(posterior, alpha, beta, (1 + side * confidence) / 2) for side in (-1, 1))
    if cases is not None:
        lows, highs = (_whole_failures(ends, cases) for ends in (lows, highs))
    return means, np.minimum(lows, means), np.maximum(highs, means), shrinkages


def _of_cases(alpha: Floats, beta: Floats, cases: Floats) -> tuple[Floats, Floats]:
    """Return beta distributions with the mean and variance of the share of failing cases.

    The share has a beta-binomial distribution. Its variance is m (1 - m) / (K + 1) (1 + K / cases), where K = alpha + beta.
    """
    total = alpha + beta
    precision = np.maximum((total + 1) * cases / (cases + total) - 1, _LEAST_PRECISION)
    return precision * alpha / total, precision * beta / total


def _whole_failures(shares: Floats, cases: Floats) -> Floats:
    """Return the shares of whole numbers of failures, corrected by half a failure.

    Few cases often have none that fails. The lower end of a continuous distribution is above 0, and would not cover that: by
    it, 80% of the 90% intervals of categories with 3 to 9 labels did.
    """
    whole: Floats = np.clip(np.ceil(cases * shares - 0.5), 0, cases) / cases
    return whole


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


@dataclass(frozen=True, slots=True)
class _Part:
    """The labels of a category, and its cases without one.

    Attributes:
        size: the effective labels that represent the cases without one.
        failures: among them.
        known: the failures among the labelled cases, as a share of the category's records.
        share: of the category's records that have no label.
        cases: the effective number of cases without a label, at least 1.
    """

    size: float
    failures: float
    known: float
    share: float
    cases: float


def _part(pool: LabelledPool, inside: Bools, weights: Floats, *, is_open: bool) -> _Part:
    records, labelled = pool.frame.weights, inside & pool.labelled
    of_labelled = float(records[labelled].sum())
    beside = np.maximum(
        weights[labelled] - records[labelled], 0.0
    )  # the records without a label that each one represents
    size = float(beside.sum() ** 2 / (beside**2).sum()) if beside.any() else 0.0
    if is_open:  # by the labels, as the frame does not know its cases
        without_label = float(beside.sum())
        cases = without_label * int(labelled.sum()) / of_labelled if of_labelled else 0.0
    else:
        others = records[inside & ~pool.labelled]
        without_label = float(others.sum())
        cases = without_label**2 / float((others**2).sum()) if len(others) else 0.0
    total = of_labelled + without_label
    return _Part(
        size=size,
        failures=size * float(beside @ pool.y[labelled] / beside.sum()) if size else 0.0,
        known=float(records[labelled] @ pool.y[labelled]) / total if total else 0.0,
        share=without_label / total if total else 1.0,
        cases=max(cases, 1.0),
    )
