"""The evidence of a group of cases: its answer patterns, pooled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum

from curator.disagreement.diagnosis.answer_pattern import AnswerPattern, ToolChoice
from curator.disagreement.diagnosis.pair_means import PairMeans
from curator.disagreement.diagnosis.shares import Share, difference, share, share_of
from curator.disagreement.diagnosis.sides import Best, Side, best_side, rates_by_name, sides_of
from curator.disagreement.estimators.decomposition import Decomposition


@dataclass(frozen=True, slots=True)
class Explained:
    """The share of the differences between two answers that variant or model explains.

    Attributes:
        share: the part of the difference between two variants (models) that repeats of one do not show.
        between: the mean difference of two variants (models).
        within: that of two answers of one.
        cases: the number of cases that have both.
    """

    share: Share
    between: float
    within: float
    cases: int

    @property
    def gain(self) -> float:
        """The difference beyond that of repeats."""
        return self.between - self.within


@dataclass(frozen=True, slots=True)
class Odd:
    """The variant (model) that most often is the farthest from the others."""

    name: str
    share: Share


@dataclass(frozen=True, slots=True)
class Temperatures:
    """The spread at two temperatures, and the share of it that is gone at the lowest."""

    coldest: float
    warmest: float
    fall: Share
    cases: int


@dataclass(frozen=True, slots=True)
class ToolEvidence:
    """The tools of production and the committee.

    Attributes:
        production: the tool that production calls most often where the tools differ.
        committee: the tool that the committee calls there.
        pair_cases: the number of cases with this pair of tools.
        differing: the number of cases where the committee's majority calls another tool than production.
        cases: the number of cases whose tools are known.
        excess: the share of the committee's answers with another tool than production, less that of pairs of the
            committee's answers.
    """

    production: str
    committee: str
    pair_cases: int
    differing: int
    cases: int
    excess: float


@dataclass(frozen=True, slots=True)
class LabelEvidence:
    """The labels of a group.

    Attributes:
        judged: cases where a label, correction or verdict says how far production fails.
        failing: how many of them fail, halves included.
        between: how many of them are judged as neither right nor wrong.
        compared: cases with a label and a majority of the committee.
        wrong: the share of them where the committee's majority is not the label; None below one.
        failed: the share of the judged cases that fail; None below one.
    """

    judged: int
    failing: float
    between: int
    compared: int
    wrong: Share | None
    failed: Share | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The pooled figures of a group of cases.

    Attributes:
        part: the part of the answers that is compared, as `Difference.part`; None for all parts.
        cases: the number of cases.
        answers: the number of answers of the committee.
        scored: cases with two answers.
        compared: cases with two answers that can be compared.
        split: the mean parts of the spread; None without a scored case.
        spread: the mean difference of two answers; None without a compared case.
        prompts: that of answers of different prompts.
        against: the mean difference of the answers and production's; None without one that can be compared.
        excess: `against` less `prompts` on the same cases, as production is one more prompt; 0 on the other cases.
        excess_low: the lower end of its interval (Newcombe's).
        variant: the share that the prompt variant explains; None where no pairs show it.
        model: the share that the model explains.
        odd_variant: the variant that is the odd one on most cases.
        odd_model: the model that is.
        temperatures: the spread at two temperatures.
        low: on most cases the lowest temperature is low.
        by_words: most cases are texts that were compared by their words.
        signal: agreement is evidence on most cases.
        repeated: a prompt was asked again, above a low temperature, on most cases.
        tools: of tool calls; None where no tool differs.
        best_variant: the variants that agree most; None where all agree alike.
        best_model: the models that agree most.
        labels: the labels.
        refusals: the share of refusals of each side, the largest first.
        unreadable: the share of unreadable answers of each side, the largest first.
    """

    part: str | None
    cases: int
    answers: int
    scored: int
    compared: int
    split: Decomposition | None
    spread: Share | None
    prompts: Share | None
    against: Share | None
    excess: float
    excess_low: float
    variant: Explained | None
    model: Explained | None
    odd_variant: Odd | None
    odd_model: Odd | None
    temperatures: Temperatures | None
    low: bool
    by_words: bool
    signal: bool
    repeated: bool
    tools: ToolEvidence | None
    best_variant: Best | None
    best_model: Best | None
    labels: LabelEvidence
    refusals: tuple[Side, ...]
    unreadable: tuple[Side, ...]


def pool_evidence(patterns: Sequence[AnswerPattern], part: str | None = None) -> Evidence:
    """Pool the answer patterns of a group; their order does not matter."""
    scored = [p for p in patterns if p.decomposition is not None]
    compared = [p for p in patterns if p.pairs is not None]
    pairs = [p.pairs for p in patterns if p.pairs is not None]
    both = [(p.against, p.pairs.prompts or 0.0) for p in compared if p.against is not None and p.pairs is not None]
    rest = [0.0] * (len(patterns) - len(both))
    excess, excess_low = difference(share_of([a for a, _ in both] + rest), share_of([b for _, b in both] + rest))
    return Evidence(
        part=part,
        cases=len(patterns),
        answers=sum(p.answers for p in patterns),
        scored=len(scored),
        compared=len(compared),
        split=_mean_parts([p.decomposition for p in scored if p.decomposition is not None]) if scored else None,
        spread=share_of([p.every for p in pairs]),
        prompts=share_of([p.prompts for p in pairs]),
        against=share_of([p.against for p in patterns]),
        excess=excess,
        excess_low=excess_low,
        variant=_explained(pairs, _variant_pairs),
        model=_explained(pairs, _model_pairs),
        odd_variant=_odd(compared, lambda p: p.odd_variant),
        odd_model=_odd(compared, lambda p: p.odd_model),
        temperatures=_temperatures(pairs),
        low=2 * sum(p.low for p in compared) > len(compared),
        by_words=2 * sum(p.by_words for p in patterns) > len(patterns),
        signal=2 * sum(p.signal for p in compared) > len(compared),
        repeated=2 * sum(p.repeats is not None for p in pairs) > len(pairs),
        tools=_tools([p.tools for p in patterns if p.tools is not None]),
        best_variant=best_side(rates_by_name(p.variants for p in patterns)),
        best_model=best_side(rates_by_name(p.models for p in patterns)),
        labels=_labels(patterns),
        refusals=sides_of(patterns, "refusal", lambda p: p.refused, lambda side: side.refused),
        unreadable=sides_of(patterns, "unreadable", lambda p: p.unreadable, lambda side: side.unreadable),
    )


def _mean_parts(parts: Sequence[Decomposition]) -> Decomposition:
    def mean(of: Callable[[Decomposition], float]) -> float:
        return fsum(map(of, parts)) / len(parts)

    return Decomposition(
        models=mean(lambda p: p.models), variants=mean(lambda p: p.variants), within=mean(lambda p: p.within)
    )


def _variant_pairs(pairs: PairMeans) -> tuple[float, float] | None:
    """Return the difference of two variants and that within one; None without such pairs.

    Without repeats, two models that were asked with the same variant take their place.
    """
    if pairs.other_variant is not None and pairs.repeats is not None:
        return pairs.other_variant, pairs.repeats
    if pairs.other_prompt is not None and pairs.other_model is not None:
        return pairs.other_prompt, pairs.other_model
    return None


def _model_pairs(pairs: PairMeans) -> tuple[float, float] | None:
    """Return the difference of two models and that within a model, as `_variant_pairs` does."""
    other = pairs.other_prompt if pairs.other_model is None else pairs.other_model
    if other is not None and pairs.repeats is not None:
        return other, pairs.repeats
    if pairs.other_prompt is not None and pairs.other_variant is not None:
        return pairs.other_prompt, pairs.other_variant
    return None


def _explained(pairs: Sequence[PairMeans], of: Callable[[PairMeans], tuple[float, float] | None]) -> Explained | None:
    """Return the share explained, over as many cases as differ between groups; None without one."""
    measured = [parts for p in pairs if (parts := of(p)) is not None]
    between, within = fsum(b for b, _ in measured), fsum(w for _, w in measured)
    squares = fsum(b * b for b, _ in measured)
    if squares < 1e-9:
        return None
    cases = len(measured)
    return Explained(share(1 - within / between, between**2 / squares), between / cases, within / cases, cases)


def _odd(patterns: Sequence[AnswerPattern], odd_of: Callable[[AnswerPattern], str | None]) -> Odd | None:
    differing = [p for p in patterns if p.pairwise_difference > 0]
    counts = Counter(name for p in differing if (name := odd_of(p)) is not None)
    if not counts:
        return None
    name = min(counts, key=lambda n: (-counts[n], n))
    return Odd(name, share(counts[name] / len(differing), len(differing)))


def _temperatures(pairs: Sequence[PairMeans]) -> Temperatures | None:
    """Compare the temperatures, over as many cases as differ at the highest; None without one."""
    measured = [(p.coldest, p.warmest) for p in pairs if p.coldest is not None and p.warmest is not None]
    cold, warm = fsum(c for c, _ in measured), fsum(w for _, w in measured)
    squares = fsum(w * w for _, w in measured)
    if squares < 1e-9:
        return None
    return Temperatures(
        cold / len(measured), warm / len(measured), share(1 - cold / warm, warm**2 / squares), len(measured)
    )


def _labels(patterns: Sequence[AnswerPattern]) -> LabelEvidence:
    failures = [p.failure for p in patterns if p.failure is not None]
    wrong = [float(p.wrong) for p in patterns if p.wrong is not None]
    return LabelEvidence(
        judged=len(failures),
        failing=fsum(failures),
        between=sum(0 < failure < 1 for failure in failures),
        compared=len(wrong),
        wrong=share_of(wrong),
        failed=share_of(failures),
    )


def _tools(choices: Sequence[ToolChoice]) -> ToolEvidence | None:
    pairs = Counter((c.production, c.committee) for c in choices if c.production != c.committee)
    if not pairs:
        return None
    production, committee = min(pairs, key=lambda pair: (-pairs[pair], pair))
    return ToolEvidence(
        production=production,
        committee=committee,
        pair_cases=pairs[production, committee],
        differing=pairs.total(),
        cases=len(choices),
        excess=fsum(c.against - c.spread for c in choices) / len(choices),
    )
