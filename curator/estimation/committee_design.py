"""The reliability of a committee's scores, and that of a committee with more answers.

A decision study of generalisability theory (Cronbach, Gleser, Nanda and Rajaratnam 1972; Brennan, Generalizability Theory,
2001), fitted to the rank correlations of the scores that parts of one committee give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curator.records.committee_advice import Interval
from curator.stats import mean_ranks, rounded

Floats = NDArray[np.float64]
Facet = Literal["model", "variant", "repeat"]
Cell = tuple[str, str]
"""A model and a prompt variant."""
Committee = Mapping[Cell, float]
"""The number of answers of each cell to one case."""

PARTS = 32
"""Parts of the committee that are scored. With 64 the predictions on recorded sets change by less than .01."""
MOST_ANSWERS = 10
"""Answers in a part at most: a score of more tells little more about the noise of one answer."""
LEAST_ANSWERS = 2
"""Answers in a part at least: a score needs two."""
LEAST_SEATS = 4
"""Answers to a case at least: of three answers, two parts share one, which leaves the noise of two numbers to tell apart."""
LEAST_CASES = 50
"""With fewer scored cases a rank correlation is known to no better than a quarter, and nothing is predicted."""
DRAWS = 200
"""Bootstrap draws over cases for the intervals."""
_LARGEST = 1e3  # a ratio of variances from which on the reliability of any real committee is 0


class Seat(NamedTuple):
    """One answer of the committee: model, prompt variant, and number among their answers."""

    model: str
    variant: str
    repeat: int


def facets_of(seats: Sequence[Seat]) -> tuple[Facet, ...]:
    """Return the sources of noise that this committee can tell apart, the coarsest first.

    A model with one variant and one answer counts as `model`: what its model, prompt and sampling contribute is then one
    number.
    """
    models, cells = {seat.model for seat in seats}, {seat[:2] for seat in seats}
    present = {"model": len(models) > 1, "variant": len(cells) > len(models), "repeat": len(seats) > len(cells)}
    return tuple(facet for facet in _UNITS if present[facet])


_UNITS: Mapping[Facet, int] = {"model": 1, "variant": 2, "repeat": 3}
"""The fields of a seat that name its unit in each facet: the first so many."""


def draw_parts(seats: Sequence[Seat], rng: np.random.Generator, *, number: int = PARTS) -> tuple[tuple[Seat, ...], ...]:
    """Return different parts of a committee: some models, some variants, or some answers.

    They come in disjoint pairs where the committee is large enough for two parts. Fewer than `number` where a small
    committee has no more. A part has `LEAST_ANSWERS` to `MOST_ANSWERS`.
    """
    parts: dict[frozenset[Seat], tuple[Seat, ...]] = {}
    facets = facets_of(seats)
    for attempt in range(4 * number if facets else 0):
        fields = _UNITS[facets[attempt % len(facets)]]
        units = sorted({seat[:fields] for seat in seats})
        order = [units[place] for place in rng.permutation(len(units))]
        size = int(rng.integers(1, len(units) + 1))
        halves = (order[:size], order[size : 2 * size]) if 2 * size <= len(units) else (order[:size],)
        for half in halves:
            part = [seat for seat in seats if seat[:fields] in half]
            part = [part[place] for place in sorted(rng.permutation(len(part))[:MOST_ANSWERS])]
            if len(part) >= LEAST_ANSWERS and len(parts) < number:
                parts.setdefault(frozenset(part), tuple(part))
    return tuple(parts.values())


@dataclass(frozen=True)
class NoiseModel:
    """The noise of a score by its source, as variances in units of the variance between cases.

    Attributes:
        facets: the sources that could be told apart.
        ratios: the variance of each source, and last that of a pair of answers, (facets + 1,).
        draws: the same for bootstrap draws over the cases, (draws, facets + 1).
        cases: the number of cases that it was fitted to.
        measured: the rank correlation of each two parts' scores, (parts, parts); NaN where one does not vary.
        fitted: the same by this model.
    """

    facets: tuple[Facet, ...]
    ratios: Floats
    draws: Floats
    cases: int
    measured: Floats
    fitted: Floats

    @property
    def error(self) -> float:
        """The root mean square difference between the measured and the fitted rank correlations."""
        pairs = np.triu_indices(len(self.measured), 1)
        return float(np.sqrt(np.nanmean((self.measured[pairs] - self.fitted[pairs]) ** 2)))

    def draws_of_reliability(self, committee: Committee) -> Floats:
        """Return the reliability of each bootstrap draw, (draws,)."""
        values: Floats = 1 / (1 + self.draws @ _squared_shares(committee, self.facets))
        return values

    def reliability(self, committee: Committee) -> Interval:
        """Return the expected rank correlation, 0..1, with another committee of the same make-up.

        Its models, variants and answers would be drawn anew, as far as their facet was measured. It is the generalisability
        coefficient: 1 / (1 + sum over sources of the ratio times the sum of the squared shares of its units).
        """
        return with_interval(self._expected(committee), self.draws_of_reliability(committee))

    def gain(self, before: Committee, after: Committee) -> Interval:
        """Return the change of the reliability from one committee to another."""
        draws = self.draws_of_reliability(after) - self.draws_of_reliability(before)
        return with_interval(self._expected(after) - self._expected(before), draws)

    def _expected(self, committee: Committee) -> float:
        return float(1 / (1 + self.ratios @ _squared_shares(committee, self.facets)))


def fit_noise(parts: Sequence[Sequence[Seat]], scores: Floats, rng: np.random.Generator) -> NoiseModel | None:
    """Fit the noise of each facet to the rank correlations of the parts' scores.

    If a score is a mean over answers, the covariance over cases of the scores of two parts A and B is
    v_case + sum over facets f of v_f * sum over units u of a_u b_u, where a_u is the share of A's answers that come from
    the unit u (a model, a variant of it, an answer). A mean over pairs of answers has one more term, v_pair times the same
    sum over pairs (Hoeffding 1948). The correlation follows and depends only on the ratios v / v_case, which are fitted by
    least squares to Spearman's correlations of all pairs of parts. Without the pairs' term, the reliability of committees
    without a target was predicted at .28 to .48 where .58 to .69 was measured.

    Args:
        parts: the seats of each part.
        scores: the score of each case by each part, (parts, cases); NaN without one.
        rng: draws the cases of the bootstrap.

    Returns:
        None with fewer than `LEAST_CASES` cases, too few parts, or scores that do not vary.
    """
    facets = facets_of(sorted({seat for part in parts for seat in part}))
    pairs = np.triu_indices(len(parts), 1)
    scored = np.isfinite(scores)
    used = scored.sum(axis=0) >= 2
    n = int(used.sum())
    if n < LEAST_CASES or not facets:
        return None
    ranks = np.array([_standard_ranks(row, mask) for row, mask in zip(scores[:, used], scored[:, used], strict=True)])
    weights = np.vstack([np.ones(n), rng.multinomial(n, np.full(n, 1 / n), size=DRAWS)])
    measured = np.array([_correlations(ranks, scored[:, used], w) for w in weights])
    if np.isfinite(measured[0][pairs]).sum() <= len(facets) + 1:
        return None
    overlaps = np.array([*(_overlaps(parts, facet) for facet in facets), _pair_overlaps(parts)])
    model = _PairModel(overlaps, pairs)
    ratios = model.fit(measured[0], np.ones(len(overlaps)))
    draws = np.array([model.fit(row, ratios) for row in measured[1:]])
    return NoiseModel(facets, ratios, draws, n, measured[0], model.correlations(ratios))


@dataclass(frozen=True)
class _PairModel:
    """The overlaps of each two parts, (facets, parts, parts), and the `pairs` that are fitted."""

    overlaps: Floats
    pairs: tuple[NDArray[np.int_], NDArray[np.int_]]

    def correlations(self, ratios: Floats) -> Floats:
        """Return the expected correlations, (parts, parts)."""
        covariances: Floats = 1 + np.tensordot(ratios, self.overlaps, 1)
        deviations = np.sqrt(np.diag(covariances))
        correlations: Floats = covariances / np.outer(deviations, deviations)
        return correlations

    def fit(self, measured: Floats, start: Floats) -> Floats:
        """Return the ratios, (facets,), with the smallest sum of squared differences."""
        from scipy.optimize import least_squares

        wanted = measured[self.pairs]
        kept = np.isfinite(wanted)
        if kept.sum() < len(start):  # a bootstrap draw in which most scores are the same
            return start

        def residuals(ratios: Floats) -> Floats:
            return (self.correlations(ratios)[self.pairs] - wanted)[kept]

        within = np.clip(start, 1e-6, _LARGEST)
        fitted = least_squares(
            residuals, within, bounds=(0, 1.001 * _LARGEST), x_scale=within + 0.1, xtol=1e-5, ftol=1e-6
        )
        return np.asarray(fitted.x, dtype=np.float64)


def attenuated_auroc(auroc: float, before: float, after: float) -> float:
    """Return the AUROC that a score has at another reliability.

    A correlation is attenuated by the square root of the reliability (Spearman 1904); with two normal distributions the
    quantile of the AUROC is then proportional to it. What all answers have in common, right or wrong, stays as it is.
    """
    from scipy.special import ndtr, ndtri

    if before <= 0:
        return auroc
    return float(ndtr(ndtri(np.clip(auroc, 1e-6, 1 - 1e-6)) * sqrt(after / before)))


def _standard_ranks(values: Floats, scored: NDArray[np.bool_]) -> Floats:
    """Return mean ranks with mean 0 and deviation 1; 0 without a score."""
    ranks = np.zeros(len(values))
    of_scored = mean_ranks(values[scored])
    spread = of_scored.std() if len(of_scored) else 0.0
    ranks[scored] = (of_scored - of_scored.mean()) / spread if spread > 0 else 0.0
    return ranks


def _correlations(ranks: Floats, scored: NDArray[np.bool_], weights: Floats) -> Floats:
    """Return the correlation of each two rows over the cases that both have, NaN without spread."""
    mask = scored.astype(np.float64)
    weighted, weighted_mask = ranks * weights, mask * weights
    n = weighted_mask @ mask.T
    sums = weighted @ mask.T
    squares = (weighted * ranks) @ mask.T
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = (weighted @ ranks.T) / n - sums * sums.T / n**2
        variance = squares / n - (sums / n) ** 2
        correlation: Floats = np.where(
            (variance > 1e-9) & (variance.T > 1e-9), covariance / np.sqrt(variance * variance.T), np.nan
        )
    return correlation


def _overlaps(parts: Sequence[Sequence[Seat]], facet: Facet) -> Floats:
    """Return for each two parts the sum over the facet's units of the products of their shares."""
    fields = _UNITS[facet]
    units = sorted({seat[:fields] for part in parts for seat in part})
    places = {unit: place for place, unit in enumerate(units)}
    shares = np.zeros((len(parts), len(units)))
    for row, part in zip(shares, parts, strict=True):
        for unit, count in Counter(seat[:fields] for seat in part).items():
            row[places[unit]] = count / len(part)
    overlaps: Floats = shares @ shares.T
    return overlaps


def _pair_overlaps(parts: Sequence[Sequence[Seat]]) -> Floats:
    """Return for each two parts the sum over pairs of answers of the products of their shares."""
    seats = sorted({seat for part in parts for seat in part})
    inside = np.array([[seat in part for seat in seats] for part in map(set, parts)], dtype=np.float64)
    shared = inside @ inside.T
    pairs = np.diag(shared) * (np.diag(shared) - 1) / 2
    overlaps: Floats = shared * (shared - 1) / 2 / np.outer(pairs, pairs)
    return overlaps


def _squared_shares(committee: Committee, facets: Sequence[Facet]) -> Floats:
    """Return the sum of the squared shares of each facet's units, and of pairs, (facets + 1,)."""
    total = sum(committee.values())
    by_model: Counter[str] = Counter()
    for (model, _), answers in committee.items():
        by_model[model] += answers  # type: ignore[assignment]  # a mean number of answers
    squares = {
        "model": sum((answers / total) ** 2 for answers in by_model.values()),
        "variant": sum((answers / total) ** 2 for answers in committee.values()),
        "repeat": 1 / total,
    }
    return np.array([*(squares[facet] for facet in facets), 2 / (total * (total - 1))])


def with_interval(value: float, draws: Floats) -> Interval:
    """Return a number with the 95% percentile interval of its draws."""
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(rounded(value), rounded(min(low, value)), rounded(max(high, value)))
