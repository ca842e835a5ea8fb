"""Diagnose the cause of a disagreement from the answer patterns, and advise what to do.

The votes on a case become an `AnswerPattern`, which holds numbers only. `diagnose` pools the patterns of one case, or of a
group of cases, and returns the first diagnosis that fits. A model or a prompt explains a disagreement only beyond chance:
by how much the disagreement within groups falls compared with groups to which the same answers are dealt at random.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from curator.disagreement.diagnosis.answer_pattern import AGREEMENT_LIMIT, AnswerPattern, MatchRates
from curator.disagreement.estimators.decomposition import Decomposition
from curator.records import Diagnosis, DiagnosisName
from curator.stats import rounded
from curator.text.display import plural

ADVICE: Mapping[DiagnosisName, str] = {
    "refusing": "Members refuse: look at the system prompt and the safety settings, or send these inputs elsewhere on purpose.",
    "format-broken": "The answers cannot be read: fix the parser, ask for a schema, or show the format in the prompt.",
    "ambiguous": "Make the input or the task's definition clearer, or let the answer say that it depends.",
    "split-by-model": "The models differ: escalate these inputs to the model that the labels speak for.",
    "prompt-sensitive": "The wording decides: fix the prompt, starting from the variant that agrees most.",
    "sampling-unstable": "The same prompt gives different answers: lower the temperature, or fine-tune on these inputs.",
    "consistently-wrong": "The members agree on a wrong answer: fine-tune, or give them the knowledge; asking again cannot help.",
    "against-production": "The members agree with each other and not with the logged answer: read production's answers first.",
    "stable": "The answers show no fault. Go on labelling random cases here: answers that agree can still be wrong.",
    "not-enough-data": "Ask more: two answers or more of each prompt, at a temperature above 0, on more cases.",
}
"""The advice for each diagnosis, in the order in which the diagnoses are tried."""

MOST = 0.5
"""The share from which something counts as true for most of a group."""
MANY = 1 / 3
"""The share of refusals, or of unreadable answers, from which these are the diagnosis."""
APART = 0.25
"""The margin by which answers must differ more from production's than from each other."""
LEAST_GROUP = 3
"""A group of fewer cases gets no diagnosis."""


def diagnose(patterns: Sequence[AnswerPattern], *, least: int = 1) -> Diagnosis:
    """Diagnose one case, or a group of cases.

    The result is `not-enough-data` if fewer than `least` cases have two answers.
    """
    pool = _pooled(patterns)
    finding = _too_few(pool, least) or next(finding for check in _CHECKS if (finding := check(pool)))
    split = pool.split
    return Diagnosis(
        name=finding.name,
        advice=ADVICE[finding.name],
        evidence=finding.evidence,
        cases=len(patterns),
        answers=pool.answers,
        between_models=None if split is None else rounded(split.models),
        between_variants=None if split is None else rounded(split.variants),
        within=None if split is None else rounded(split.within),
        certain=finding.certain,
    )


@dataclass(frozen=True, slots=True)
class _Pool:
    """The pooled patterns of a group: sums, and means over the cases with two answers."""

    answers: int
    refused: float
    unreadable: float
    scored: int
    split: Decomposition | None
    pairwise_difference: float
    agreement_limit: float
    signal: bool
    repeated: bool
    against: float | None
    known_targets: int
    agreeing_labelled: int
    agreeing_wrong: int
    several_labels: int
    disputed: int
    variants: Mapping[str, Sequence[MatchRates]]
    models: Mapping[str, Sequence[MatchRates]]


@dataclass(frozen=True, slots=True)
class _Finding:
    name: DiagnosisName
    evidence: str
    certain: bool = True


def _pooled(patterns: Sequence[AnswerPattern]) -> _Pool:
    scored = [p for p in patterns if p.decomposition is not None]
    split = _mean_parts([p.decomposition for p in scored if p.decomposition is not None]) if scored else None
    answers = sum(p.answers for p in patterns)
    targets = [p.against for p in scored if p.against is not None]
    agreeing = [p for p in scored if p.wrong is not None and p.pairwise_difference < p.agreement_limit]
    return _Pool(
        answers=answers,
        refused=sum(p.refused for p in patterns) / max(answers, 1),
        unreadable=sum(p.unreadable for p in patterns) / max(answers, 1),
        scored=len(scored),
        split=split,
        pairwise_difference=fsum(p.pairwise_difference for p in scored) / max(len(scored), 1),
        agreement_limit=fsum(p.agreement_limit for p in scored) / max(len(scored), 1),
        signal=2 * sum(p.signal for p in scored) > len(scored),
        repeated=2 * sum(p.repeated for p in scored) > len(scored),
        against=fsum(targets) / len(targets) if targets else None,
        known_targets=len(targets),
        agreeing_labelled=len(agreeing),
        agreeing_wrong=sum(p.wrong is True for p in agreeing),
        several_labels=sum(p.labels > 1 for p in patterns),
        disputed=sum(p.disputed for p in patterns),
        variants=_collect_rates([p.variants for p in scored]),
        models=_collect_rates([p.models for p in scored]),
    )


def _mean_parts(parts: Sequence[Decomposition]) -> Decomposition:
    def mean(of: Callable[[Decomposition], float]) -> float:
        return fsum(map(of, parts)) / len(parts)

    return Decomposition(
        models=mean(lambda p: p.models),
        variants=mean(lambda p: p.variants),
        within=mean(lambda p: p.within),
        chance_models=mean(lambda p: p.chance_models),
        chance_variants=mean(lambda p: p.chance_variants),
    )


def _collect_rates(rates_by_case: Iterable[Mapping[str, MatchRates]]) -> dict[str, list[MatchRates]]:
    """Collect the match rates of each model or variant over the cases."""
    collected: defaultdict[str, list[MatchRates]] = defaultdict(list)
    for rates_by_name in rates_by_case:
        for name, rates in rates_by_name.items():
            collected[name].append(rates)
    return dict(collected)


def _too_few(pool: _Pool, least: int) -> _Finding | None:
    if pool.scored >= least and pool.scored:
        return None
    if least == 1:
        return _Finding("not-enough-data", f"Not enough samples: {pool.answers} of the 2 answers that are needed.")
    return _Finding(
        "not-enough-data", f"Not enough cases with two answers: {pool.scored} of the {least} that are needed."
    )


def _refusing(pool: _Pool) -> _Finding | None:
    if pool.refused < MANY:
        return None
    return _Finding("refusing", f"{pool.refused:.0%} of the answers are refusals (n={plural(pool.answers, 'answer')}).")


def _format_broken(pool: _Pool) -> _Finding | None:
    if pool.unreadable < MANY:
        return None
    return _Finding(
        "format-broken",
        f"{pool.unreadable:.0%} of the answers hold no answer of the kind (n={plural(pool.answers, 'answer')}).",
    )


def _disputed(pool: _Pool) -> _Finding | None:
    if not pool.several_labels or pool.disputed < MOST * pool.several_labels:
        return None
    return _Finding(
        "ambiguous",
        f"People disagree too: their labels differ on {pool.disputed:,} of {_cases(pool.several_labels)} with several.",
    )


def _systematic(pool: _Pool) -> _Finding | None:
    """Find a disagreement that the model or the prompt variant explains."""
    split = pool.split
    if split is None or pool.pairwise_difference < pool.agreement_limit:
        return None
    by_model, by_variant = _explained_by_model(pool, split), _explained_by_variant(pool, split)
    ahead = split.models - split.chance_models >= split.variants - split.chance_variants
    if by_model is not None and by_model >= MOST and (ahead or by_variant is None or by_variant < MOST):
        cause = f"The model explains {by_model:.0%} of the disagreement beyond chance. {_best(pool.models, 'model')}"
        return _Finding("split-by-model", f"{_spread(pool, split)} {cause}")
    if by_variant is not None and by_variant >= MOST:
        cause = (
            f"The prompt variant explains {by_variant:.0%} of the disagreement beyond chance."
            f" {_best(pool.variants, 'variant')}"
        )
        return _Finding("prompt-sensitive", f"{_spread(pool, split)} {cause}")
    if by_model is None and len(pool.models) > 1:
        cause = f"Each model was asked once, so this may also be sampling noise. {_best(pool.models, 'model')}"
        return _Finding("split-by-model", f"{_spread(pool, split)} {cause}", certain=False)
    return None


def _noisy(pool: _Pool) -> _Finding | None:
    """Find a disagreement that remains when the same prompt is asked again."""
    split = pool.split
    if split is None or pool.pairwise_difference < pool.agreement_limit:
        return None
    spread = _spread(pool, split)
    if not pool.repeated:
        cause = "Most cases had each prompt asked once, so sampling noise and prompt sensitivity cannot be separated."
        return _Finding("not-enough-data", f"{spread} {cause}")
    explained = (
        (_explained_by_model(pool, split), "the model"),
        (_explained_by_variant(pool, split), "the prompt variant"),
    )
    shares = " and ".join(f"{what} explains {max(share, 0.0):.0%}" for share, what in explained if share is not None)
    cause = f"The same prompt, asked again, gives different answers{f'; beyond chance, {shares}' if shares else ''}."
    if len(pool.models) > 1:
        return _Finding(
            "ambiguous", f"{spread} {cause} This holds for several models, which points to the input.", certain=False
        )
    return _Finding("sampling-unstable", f"{spread} {cause}")


def _explained_by_model(pool: _Pool, split: Decomposition) -> float | None:
    return _explained(split.models, split.chance_models, split.total) if len(pool.models) > 1 else None


def _explained_by_variant(pool: _Pool, split: Decomposition) -> float | None:
    return (
        _explained(split.variants, split.chance_variants, split.total - split.models)
        if len(pool.variants) > 1
        else None
    )


def _agreed(pool: _Pool) -> _Finding:
    """Diagnose an agreement: wrong by labels, against production, no evidence, or stable."""
    difference, against = pool.pairwise_difference, pool.against
    who = "The members agree" if pool.signal else "Repeats of one prompt at temperature 0 agree, which is not evidence"
    agree = f"{who} (two answers differ by {difference:.2f})"
    if pool.agreeing_wrong and pool.agreeing_wrong >= MOST * pool.agreeing_labelled:
        return _Finding(
            "consistently-wrong",
            f"{agree}, and on {pool.agreeing_wrong:,} of {_cases(pool.agreeing_labelled)} with a label, the label says otherwise.",
            certain=pool.signal,
        )
    if against is not None and against >= MOST and against - difference >= APART:
        return _Finding(
            "against-production",
            f"{agree}, and {against:.0%} of their answers contradict the logged answer (n={_cases(pool.known_targets)}).",
            certain=pool.signal,
        )
    if not pool.signal:
        return _Finding(
            "not-enough-data",
            "All answers are repeats of one prompt at temperature 0. Such repeats carry no signal: their agreement is not"
            f" evidence (n={_cases(pool.scored)}).",
        )
    texts = pool.agreement_limit > AGREEMENT_LIMIT  # similar words may say opposite things
    evidence = f"{agree}: n={_cases(pool.scored)}, {plural(pool.answers, 'answer')}."
    return _Finding(
        "stable", f"{evidence} Texts were compared by their words." if texts else evidence, certain=not texts
    )


_CHECKS: tuple[Callable[[_Pool], _Finding | None], ...] = (
    _refusing,
    _format_broken,
    _disputed,
    _systematic,
    _noisy,
    _agreed,
)


def _explained(part: float, by_chance: float, of: float) -> float | None:
    """Return the share of the disagreement within random groups that real groups remove.

    It is at most 1; None where random groups leave no disagreement.
    """
    left = of - by_chance
    return (part - by_chance) / left if left > 1e-9 else None


def _spread(pool: _Pool, split: Decomposition) -> str:
    return (
        f"The committee's own disagreement (without production's answer) is {split.total:.2f}: {split.models:.2f} between models"
        f" + {split.variants:.2f} between prompt variants + {split.within:.2f} within one prompt (n={_cases(pool.scored)}, {plural(pool.answers, 'answer')})."
    )


def _best(rates_by_name: Mapping[str, Sequence[MatchRates]], noun: str) -> str:
    """Name the model or variant that agrees most with the labels, else with the majority."""
    measures: tuple[tuple[Callable[[MatchRates], float | None], str], ...] = (
        (lambda rates: rates.label, "the labels"),
        (lambda rates: rates.majority, "the majority"),
    )
    for measure, reference in measures:
        measured = {
            name: [rate for rates in of_name if (rate := measure(rates)) is not None]
            for name, of_name in rates_by_name.items()
        }
        means = {name: fsum(rates) / len(rates) for name, rates in measured.items() if rates}
        ranked = sorted(means, key=lambda name: (-means[name], name))
        if len(ranked) > 1 and means[ranked[0]] - means[ranked[1]] > 1e-9:
            best = ranked[0]
            return (
                f"The {noun} that agrees most with {reference} is {best}: {means[best]:.0%}"
                f" (n={_cases(len(measured[best]))})."
            )
    return f"No {noun} agrees more with the majority than the others."


def _cases(number: int) -> str:
    return f"{number:,} case" + ("" if number == 1 else "s")
