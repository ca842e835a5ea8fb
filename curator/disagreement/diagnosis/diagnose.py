"""What the pattern of a committee's answers says is wrong, and what to do about it.

A case's votes become a `AnswerPattern`, which holds numbers alone; `diagnose` pools the patterns of one case, or of a group, and
gives them the first name that fits. Whether the prompt or chance is behind a spread is decided beyond chance: the part of
the spread within groups that goes away because the answers are dealt to *these* groups, and not to any others.
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
    "format-broken": "The answers cannot be read: mend the parser, ask for a schema, or show the format in the prompt.",
    "ambiguous": "Make the input or the task's definition clearer, or let the answer say that it depends.",
    "split-by-model": "The models differ: escalate these inputs to the model that the labels speak for.",
    "prompt-sensitive": "The wording decides: fix the prompt, starting from the variant that agrees most.",
    "sampling-unstable": "The same prompt gives different answers: lower the temperature, or fine-tune on these inputs.",
    "consistently-wrong": "The members agree on a wrong answer: fine-tune, or give them the knowledge; asking again cannot help.",
    "against-production": "The members agree with each other and not with the logged answer: read production's answers first.",
    "stable": "Nothing shows: keep the random slice looking here, as an agreement can be wrong.",
    "not-enough-data": "Ask more: two answers or more of each prompt, at a temperature above 0, on more cases.",
}
"""What to do about each diagnosis; the order is that in which they are tried."""

MOST = 0.5
"""The share from which something holds for most of a group."""
MANY = 1 / 3
"""The share of answers that refuse, or cannot be read, from which that is what is wrong."""
APART = 0.25
"""How much more the answers must differ from production's than from each other to be against it."""
LEAST_GROUP = 3
"""A group of fewer cases gets no name."""


def diagnose(patterns: Sequence[AnswerPattern], *, least: int = 1) -> Diagnosis:
    """The diagnosis of one case, or of a group with at least `least` cases that have two answers."""
    pool = _pooled(patterns)
    found = _too_few(pool, least) or next(found for check in _CHECKS if (found := check(pool)))
    split = pool.split
    return Diagnosis(
        name=found.name,
        advice=ADVICE[found.name],
        evidence=found.evidence,
        cases=len(patterns),
        answers=pool.answers,
        between_models=None if split is None else rounded(split.models),
        between_variants=None if split is None else rounded(split.variants),
        within=None if split is None else rounded(split.within),
        certain=found.certain,
    )


@dataclass(frozen=True, slots=True)
class _Pool:
    """The patterns of a group together: sums, and means over the cases with two answers."""

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
class _Found:
    name: DiagnosisName
    evidence: str
    certain: bool = True


def _pooled(patterns: Sequence[AnswerPattern]) -> _Pool:
    scored = [p for p in patterns if p.decomposition is not None]
    split = _mean_parts([p.decomposition for p in scored if p.decomposition is not None]) if scored else None
    answers = sum(p.answers for p in patterns)
    targets = [p.against for p in scored if p.against is not None]
    settled = [p for p in scored if p.wrong is not None and p.pairwise_difference < p.agreement_limit]
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
        agreeing_labelled=len(settled),
        agreeing_wrong=sum(p.wrong is True for p in settled),
        several_labels=sum(p.labels > 1 for p in patterns),
        disputed=sum(p.disputed for p in patterns),
        variants=_stood([p.variants for p in scored]),
        models=_stood([p.models for p in scored]),
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


def _stood(stands: Iterable[Mapping[str, MatchRates]]) -> dict[str, list[MatchRates]]:
    found: defaultdict[str, list[MatchRates]] = defaultdict(list)
    for one in stands:
        for name, stand in one.items():
            found[name].append(stand)
    return dict(found)


def _too_few(pool: _Pool, least: int) -> _Found | None:
    if pool.scored >= least and pool.scored:
        return None
    if least == 1:
        return _Found("not-enough-data", f"Not enough samples: {pool.answers} of the 2 answers that it takes.")
    return _Found("not-enough-data", f"Not enough cases with two answers: {pool.scored} of the {least} that it takes.")


def _refusing(pool: _Pool) -> _Found | None:
    if pool.refused < MANY:
        return None
    return _Found("refusing", f"{pool.refused:.0%} of the answers are refusals (n={plural(pool.answers, 'answer')}).")


def _format_broken(pool: _Pool) -> _Found | None:
    if pool.unreadable < MANY:
        return None
    return _Found(
        "format-broken",
        f"{pool.unreadable:.0%} of the answers hold no answer of the kind (n={plural(pool.answers, 'answer')}).",
    )


def _disputed(pool: _Pool) -> _Found | None:
    if not pool.several_labels or pool.disputed < MOST * pool.several_labels:
        return None
    return _Found(
        "ambiguous",
        f"People disagree too: their labels differ on {pool.disputed:,} of {_cases(pool.several_labels)} with several.",
    )


def _systematic(pool: _Pool) -> _Found | None:
    """A spread that goes with the model or with the prompt variant."""
    split = pool.split
    if split is None or pool.pairwise_difference < pool.agreement_limit:
        return None
    by_model, by_variant = _by_model(pool, split), _by_variant(pool, split)
    ahead = split.models - split.chance_models >= split.variants - split.chance_variants
    if by_model is not None and by_model >= MOST and (ahead or by_variant is None or by_variant < MOST):
        said = f"Knowing the model takes away {by_model:.0%} of what chance would leave. {_best(pool.models, 'model')}"
        return _Found("split-by-model", f"{_spread(pool, split)} {said}")
    if by_variant is not None and by_variant >= MOST:
        said = (
            f"Knowing the prompt variant takes away {by_variant:.0%} of what chance would leave."
            f" {_best(pool.variants, 'variant')}"
        )
        return _Found("prompt-sensitive", f"{_spread(pool, split)} {said}")
    if by_model is None and len(pool.models) > 1:
        said = f"Each model was asked once, so this may be sampling noise too. {_best(pool.models, 'model')}"
        return _Found("split-by-model", f"{_spread(pool, split)} {said}", certain=False)
    return None


def _noisy(pool: _Pool) -> _Found | None:
    """A spread that is left when the same prompt is asked again."""
    split = pool.split
    if split is None or pool.pairwise_difference < pool.agreement_limit:
        return None
    spread = _spread(pool, split)
    if not pool.repeated:
        said = "Most cases had each prompt asked once, so sampling noise cannot be told from sensitivity to the prompt."
        return _Found("not-enough-data", f"{spread} {said}")
    explained = ((_by_model(pool, split), "the model"), (_by_variant(pool, split), "the prompt variant"))
    told = " and ".join(f"{what} explains {max(share, 0.0):.0%}" for share, what in explained if share is not None)
    said = f"The same prompt, asked again, gives different answers{f'; beyond chance, {told}' if told else ''}."
    if len(pool.models) > 1:
        return _Found(
            "ambiguous", f"{spread} {said} Several models waver alike, which points to the input.", certain=False
        )
    return _Found("sampling-unstable", f"{spread} {said}")


def _by_model(pool: _Pool, split: Decomposition) -> float | None:
    return _explained(split.models, split.chance_models, split.total) if len(pool.models) > 1 else None


def _by_variant(pool: _Pool, split: Decomposition) -> float | None:
    return (
        _explained(split.variants, split.chance_variants, split.total - split.models)
        if len(pool.variants) > 1
        else None
    )


def _agreed(pool: _Pool) -> _Found:
    """What an agreement is worth: against the labels, against production, or nothing where it could not have failed."""
    unlike, against = pool.pairwise_difference, pool.against
    who = (
        "The members agree" if pool.signal else "Repeats of one prompt at temperature 0 agree, which alone says nothing"
    )
    agree = f"{who} (two answers differ by {unlike:.2f})"
    if pool.agreeing_wrong and pool.agreeing_wrong >= MOST * pool.agreeing_labelled:
        return _Found(
            "consistently-wrong",
            f"{agree}, and on {pool.agreeing_wrong:,} of {_cases(pool.agreeing_labelled)} with a label it says otherwise.",
            certain=pool.signal,
        )
    if against is not None and against >= MOST and against - unlike >= APART:
        return _Found(
            "against-production",
            f"{agree}, and {against:.0%} of it is against the logged answer (n={_cases(pool.known_targets)}).",
            certain=pool.signal,
        )
    if not pool.signal:
        return _Found(
            "not-enough-data",
            "All answers are repeats of one prompt at temperature 0. Such repeats carry no signal: that they agree says"
            f" nothing (n={_cases(pool.scored)}).",
        )
    texts = pool.agreement_limit > AGREEMENT_LIMIT  # words that are alike may say opposite things
    said = f"{agree}: n={_cases(pool.scored)}, {plural(pool.answers, 'answer')}."
    return _Found("stable", f"{said} Texts were compared by their words." if texts else said, certain=not texts)


_CHECKS: tuple[Callable[[_Pool], _Found | None], ...] = (
    _refusing,
    _format_broken,
    _disputed,
    _systematic,
    _noisy,
    _agreed,
)


def _explained(part: float, by_chance: float, of: float) -> float | None:
    """How much of the spread within random groups the real groups take away, at most 1; None where that has none."""
    left = of - by_chance
    return (part - by_chance) / left if left > 1e-9 else None


def _spread(pool: _Pool, split: Decomposition) -> str:
    return (
        f"Disagreement {split.total:.2f} = {split.models:.2f} between models + {split.variants:.2f} between prompt variants"
        f" + {split.within:.2f} within one prompt (n={_cases(pool.scored)}, {plural(pool.answers, 'answer')})."
    )


def _best(stands: Mapping[str, Sequence[MatchRates]], what: str) -> str:
    """Who agrees most with the labels, or, without any, with the most usual answer."""
    measures: tuple[tuple[Callable[[MatchRates], float | None], str], ...] = (
        (lambda s: s.label, "the labels"),
        (lambda s: s.majority, "the most usual answer"),
    )
    for of, by in measures:
        known = {name: [v for s in found if (v := of(s)) is not None] for name, found in stands.items()}
        means = {name: fsum(values) / len(values) for name, values in known.items() if values}
        ranked = sorted(means, key=lambda name: (-means[name], name))
        if len(ranked) > 1 and means[ranked[0]] - means[ranked[1]] > 1e-9:
            best = ranked[0]
            return f"The {what} that agrees most with {by} is {best}: {means[best]:.0%} (n={_cases(len(known[best]))})."
    return f"No {what} agrees more than the others with the most usual answer."


def _cases(number: int) -> str:
    return f"{number:,} case" + ("" if number == 1 else "s")
