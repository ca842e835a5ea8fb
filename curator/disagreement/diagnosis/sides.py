"""The sides of a group of cases: production, the committee, each variant and each model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from curator.disagreement.diagnosis.answer_pattern import AnswerPattern, SideRates
from curator.disagreement.diagnosis.shares import Share, share_of


@dataclass(frozen=True, slots=True)
class Side:
    """The refusals or unreadable answers of one side.

    Attributes:
        kind: the kind of side.
        name: of the variant or model; "" else.
        share: the share of its answers.
    """

    kind: str
    name: str
    share: Share


@dataclass(frozen=True, slots=True)
class Best:
    """The variants (models) that agree most with the labels, or else with the majority.

    Attributes:
        names: of one variant or model, or of several that agree alike; not of all.
        reference: `the labels` or `the majority`.
        value: the share of its answers that agree.
        others: the mean share of the others.
        cases: the number of cases that were compared.
        like_production: the variant (model) that agrees with production, and the others do not; None without one.
        production: the share of its answers that agree with production.
    """

    names: tuple[str, ...]
    reference: str
    value: float
    others: float
    cases: int
    like_production: str | None
    production: float


def best_side(rates: Mapping[str, Sequence[SideRates]]) -> Best | None:
    """Return the sides that agree most with labels, else with the majority; None for all alike."""
    measures: tuple[tuple[Callable[[SideRates], float | None], str], ...] = (
        (lambda side: side.label, "the labels"),
        (lambda side: side.majority, "the majority"),
    )
    for measure, reference in measures:
        means = _means(rates, measure)
        most = max((mean.value for mean in means.values()), default=0.0)
        best = sorted(name for name, mean in means.items() if most - mean.value < 1e-9)
        others = [mean.value for name, mean in means.items() if name not in best]
        if others:
            like = _like_production(rates)
            return Best(
                names=tuple(best),
                reference=reference,
                value=most,
                others=fsum(others) / len(others),
                cases=round(means[best[0]].n),
                like_production=like[0] if like else None,
                production=like[1] if like else 0.0,
            )
    return None


def _like_production(rates: Mapping[str, Sequence[SideRates]]) -> tuple[str, float] | None:
    """Return the side that agrees most with production, beyond chance, and its share."""
    means = _means(rates, lambda side: side.production)
    ranked = sorted(means, key=lambda name: (-means[name].value, name))
    if len(ranked) < 2 or means[ranked[0]].low <= means[ranked[1]].high:
        return None
    return ranked[0], means[ranked[0]].value


def _means(rates: Mapping[str, Sequence[SideRates]], measure: Callable[[SideRates], float | None]) -> dict[str, Share]:
    shares = ((name, share_of(map(measure, of_name))) for name, of_name in rates.items())
    return {name: of_side for name, of_side in shares if of_side is not None}


def sides_of(
    patterns: Sequence[AnswerPattern],
    given: str,
    count: Callable[[AnswerPattern], int],
    rate: Callable[[SideRates], float],
) -> tuple[Side, ...]:
    """Return the share of each side's answers that are `given`, the largest first."""
    production = share_of(float(p.production == given) for p in patterns if p.production is not None)
    committee = share_of(count(p) / p.answers for p in patterns if p.answers)
    sides = [Side("production", "", production)] if production else []
    sides += [Side("committee", "", committee)] if committee else []
    for kind, named in (
        ("variant", rates_by_name(p.variants for p in patterns)),
        ("model", rates_by_name(p.models for p in patterns)),
    ):
        if len(named) > 1:
            shares = ((name, share_of(rate(side) for side in of_name)) for name, of_name in sorted(named.items()))
            sides += [Side(kind, name, of_side) for name, of_side in shares if of_side is not None]
    return tuple(sorted(sides, key=lambda side: -side.share.value))


def rates_by_name(by_case: Iterable[Mapping[str, SideRates]]) -> dict[str, list[SideRates]]:
    """Collect the rates of each variant or model over the cases."""
    collected: dict[str, list[SideRates]] = {}
    for of_case in by_case:
        for name, side in of_case.items():
            collected.setdefault(name, []).append(side)
    return collected
