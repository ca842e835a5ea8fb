"""The answer pattern of a case: the numbers of its votes from which a diagnosis is made."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal

import numpy as np

from curator.answers.read import Answer
from curator.disagreement.diagnosis.pair_means import (
    LOW_TEMPERATURE,
    Distances,
    PairMeans,
    class_distances,
    pair_means,
)
from curator.disagreement.estimators.decomposition import Decomposition, decompose_classes, decompose_distances
from curator.disagreement.members.agreement import plurality
from curator.disagreement.members.case_answers import CaseAnswers
from curator.disagreement.members.votes import Vote

Given = Literal["answer", "refusal", "unreadable"]
"""The form of an answer: it can be read as the kind, it refuses, or it can not be read (or is empty)."""

NO_TOOL = "no tool"


@dataclass(frozen=True, slots=True)
class SideRates:
    """Rates of the answers of one prompt variant or one model to one case.

    Attributes:
        refused: the share of its answers that refuse.
        unreadable: the share of its other answers that hold no answer of the kind.
        apart: the mean difference of its answers and those of the other variants (models); None without two answers to
            compare.
        label: the share of all its answers that match the label; None without a label.
        majority: the share of all its answers that match the majority of the whole committee; None without a majority.
        production: the share of its answers that match production's, of those that can be compared; None without one.
    """

    refused: float
    unreadable: float
    apart: float | None
    label: float | None
    majority: float | None
    production: float | None


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """The tools that are called in one case; `NO_TOOL` for an answer in words.

    Attributes:
        production: the tool of production's answer.
        committee: the tool that most answers of the committee call.
        against: the share of the committee's answers that call another tool than production.
        spread: the share of pairs of the committee's answers that call different tools.
    """

    production: str
    committee: str
    against: float
    spread: float


@dataclass(frozen=True, slots=True)
class AnswerPattern:
    """One case in numbers.

    Only answers that can be read and do not refuse are compared: `pairs`, `pairwise_difference` and `against` are theirs.

    Attributes:
        answers: the number of answers.
        refused: the number of refusals among them.
        unreadable: the number of other answers that hold no answer of the kind.
        compared: the number of answers that are compared.
        decomposition: the three parts of the spread of all answers; None with fewer than two answers.
        pairs: the mean differences of two answers; None with fewer than two to compare.
        pairwise_difference: the mean difference of all pairs, 0..1; 0 with fewer than two to compare.
        by_words: free text whose distances are those of its words, which do not show whether two texts mean the same.
        signal: there are several prompts, or a prompt was asked again above `LOW_TEMPERATURE`. Otherwise agreement is certain
            from the start and shows nothing.
        low: the lowest temperature is at most `LOW_TEMPERATURE`.
        production: the form of production's answer; None where it is unknown.
        against: the mean difference of the answers and production's; None where they cannot be compared.
        wrong: the majority is not the label; None without a label or a majority.
        failure: how far production fails by a label, a correction or a verdict, 0..1; None where that is unknown.
        odd_variant: the variant whose answers differ most from those of the others; None below three variants or in a tie.
        odd_model: the same of models.
        variants: the rates of each prompt variant.
        models: the rates of each model.
        tools: of tool calls; None for other answers, and where production's cannot be compared.
    """

    answers: int
    refused: int
    unreadable: int
    compared: int
    decomposition: Decomposition | None
    pairs: PairMeans | None
    pairwise_difference: float
    by_words: bool
    signal: bool
    low: bool
    production: Given | None
    against: float | None
    wrong: bool | None
    failure: float | None
    odd_variant: str | None
    odd_model: str | None
    variants: Mapping[str, SideRates]
    models: Mapping[str, SideRates]
    tools: ToolChoice | None = None


def answer_pattern(case: CaseAnswers, *, failure: float | None = None) -> AnswerPattern:
    """Compute the answer pattern of one case.

    A label in which no answer of the kind can be read is not evidence, and does not count.

    Args:
        case: the answers, production's answer and the label.
        failure: how far production fails by a label, a correction or a verdict, 0..1; None where that is unknown.
    """
    votes, is_text = case.votes, case.kind == "text"
    every = case.compare.distances(case.answers, case.target) if is_text else None
    places = [i for i, v in enumerate(votes) if v.readable and not v.refused]
    compared = [votes[i] for i in places]
    distances = class_distances([v.meaning for v in compared]) if every is None else every[np.ix_(places, places)]
    production = _given(case.target)
    to_production = _to_production(case, every, places) if production == "answer" else None
    label = case.label_meaning if case.label is not None and case.label.key and not is_text else None
    majority = plurality(Counter(v.meaning for v in compared if v.meaning is not None))
    pairs = pair_means(distances, [v.member for v in compared]) if len(compared) > 1 else None
    sides = _Sides(votes, places, distances, to_production, label, frozenset(majority))
    variants, models = sides.rates(lambda v: v.member.variant), sides.rates(lambda v: v.member.model)
    prompts = Counter((v.member.model, v.member.variant) for v in votes)
    warm = Counter((v.member.model, v.member.variant) for v in votes if not _is_low(v))
    return AnswerPattern(
        answers=len(votes),
        refused=sum(v.refused for v in votes),
        unreadable=sum(not v.readable and not v.refused for v in votes),
        compared=len(compared),
        decomposition=_decompose(votes, None if every is None else every[: len(votes), : len(votes)]),
        pairs=pairs,
        pairwise_difference=0.0 if pairs is None or pairs.every is None else pairs.every,
        by_words=is_text and not case.compare.name,
        signal=len(prompts) > 1 or any(warm[prompt] and prompts[prompt] > 1 for prompt in prompts),
        low=any(_is_low(v) for v in votes),
        production=production,
        against=fsum(to_production) / len(to_production) if to_production else None,
        wrong=None if label is None or not majority else label not in majority,
        failure=failure,
        odd_variant=_odd_one(variants),
        odd_model=_odd_one(models),
        variants=variants,
        models=models,
    )


def _is_low(vote: Vote) -> bool:
    return vote.member.temperature is not None and vote.member.temperature <= LOW_TEMPERATURE


def _given(answer: Answer | None) -> Given | None:
    if answer is None:
        return None
    if answer.kind == "refusal":
        return "refusal"
    return "answer" if answer.key else "unreadable"


def _to_production(case: CaseAnswers, distances: Distances | None, places: Sequence[int]) -> list[float]:
    """Return the distance of each compared answer to production's."""
    if distances is not None:
        return [float(distances[-1, i]) for i in places]
    *classes, production = case.compare.classes(case.answers, case.target)
    return [float(classes[i] != production) for i in places]


def _decompose(votes: Sequence[Vote], distances: Distances | None) -> Decomposition | None:
    """Split the spread of all answers to one case; None with fewer than two answers."""
    if len(votes) < 2:
        return None
    models, variants = [v.member.model for v in votes], [v.member.variant for v in votes]
    if distances is not None:
        return decompose_distances(distances, models, variants)
    return decompose_classes([v.meaning for v in votes], models, variants)


def _odd_one(sides: Mapping[str, SideRates]) -> str | None:
    """Return the side that is farthest from the others; None below three sides or in a tie."""
    ranked = sorted(((side.apart, name) for name, side in sides.items() if side.apart is not None), reverse=True)
    if len(ranked) < 3 or ranked[0][0] - ranked[1][0] < 1e-9:
        return None
    return ranked[0][1]


@dataclass(frozen=True, slots=True)
class _Sides:
    """The votes of one case, and what its variants and models are compared with."""

    votes: Sequence[Vote]
    places: Sequence[int]
    distances: Distances
    to_production: Sequence[float] | None
    label: str | None
    majority: frozenset[str]

    def rates(self, name_of: Callable[[Vote], str]) -> dict[str, SideRates]:
        """Return the rates by variant or by model, as `name_of` names it for each vote."""
        by_name: defaultdict[str, list[Vote]] = defaultdict(list)
        for cast in self.votes:
            by_name[name_of(cast)].append(cast)
        compared: defaultdict[str, list[int]] = defaultdict(list)
        for row, place in enumerate(self.places):
            compared[name_of(self.votes[place])].append(row)
        return {name: self._side(of_name, compared[name]) for name, of_name in by_name.items()}

    def _side(self, votes: Sequence[Vote], rows: Sequence[int]) -> SideRates:
        others = [row for row in range(len(self.places)) if row not in rows]
        meanings = [v.meaning for v in votes]
        compared = not any(m is None for m in meanings)

        def share(matches: Sequence[float]) -> float | None:
            return fsum(matches) / len(matches) if matches else None

        return SideRates(
            refused=sum(v.refused for v in votes) / len(votes),
            unreadable=sum(not v.readable and not v.refused for v in votes) / len(votes),
            apart=float(self.distances[np.ix_(rows, others)].mean()) if rows and others else None,
            label=None if self.label is None else share([m == self.label for m in meanings]),
            majority=share([m in self.majority for m in meanings]) if compared and self.majority else None,
            production=None if self.to_production is None else share([1 - self.to_production[row] for row in rows]),
        )
