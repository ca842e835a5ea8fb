"""What a committee's answers to one case look like in numbers: what a diagnosis is made of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.equivalence.word_kernel import word_distances
from curator.disagreement.estimators.decomposition import Decomposition, decompose_classes, decompose_distances
from curator.disagreement.estimators.partition import mean_pairwise_distance
from curator.disagreement.members.agreement import plurality
from curator.disagreement.members.votes import Vote, Votes, answered_votes

AGREEMENT_LIMIT, AGREEMENT_LIMIT_TEXT = 0.25, 0.5
"""Below these a committee counts as agreeing: the chance that two of its answers differ, and the mean distance of two texts.

Neither hangs on the number of answers, as the entropy over ln n does. Free text never agrees word for word: on recorded
one-sentence answers the median distance is .47 where the committee is right and .75 where it is wrong.
"""


@dataclass(frozen=True, slots=True)
class MatchRates:
    """How well a variant, or a model, did on a case: the share of its answers that are the label's, and the majority's."""

    label: float | None
    majority: float | None


@dataclass(frozen=True, slots=True)
class AnswerPattern:
    """One case in numbers.

    Attributes:
        answers: how many were given.
        refused: how many of them refuse.
        unreadable: how many of the others hold no answer of the kind.
        parts: the split of their disagreement; None with fewer than two answers.
        unlike: the chance that two of them differ, or the mean distance of two texts.
        agreement_limit: what `unlike` must be below for them to count as agreeing.
        signal: some prompt was sampled again above temperature 0, or several prompts were asked.
        repeated: some prompt was asked again, so that noise can be told from sensitivity; also where all is at 0.
        against: the share of answers against production's; None where that is not known.
        wrong: whether the most usual answer is none of the labels; None without a label.
        labels: how many labels there are.
        disputed: whether these differ.
        variants: how each prompt variant did.
        models: how each model did.
    """

    answers: int
    refused: int
    unreadable: int
    decomposition: Decomposition | None
    pairwise_difference: float
    agreement_limit: float
    signal: bool
    repeated: bool
    against: float | None
    wrong: bool | None
    labels: int
    disputed: bool
    variants: Mapping[str, MatchRates]
    models: Mapping[str, MatchRates]


def answer_pattern(
    votes: Votes,
    *,
    against: float | None = None,
    labels: Sequence[str] = (),
    distances: NDArray[np.float64] | None = None,
) -> AnswerPattern:
    """A case's votes in numbers.

    `against` is the share of answers that contradict production's (`Score.against_target`), `labels` the meaning of each
    label that people gave, one or more, and `distances` those of the given answers (n, n) where
    they are free text; by default those of their words.
    """
    own = answered_votes(votes)
    members = [v.member for v in own]
    prompts = Counter((member.model, member.variant) for member in members)
    warm = any(member.temperature != 0 for member in members)
    again = any(count > 1 for count in prompts.values())
    is_text = any(v.meaning is None for v in own)
    majority = plurality(Counter(v.meaning for v in own if v.readable and v.meaning is not None))
    parts = (
        _split(own, distances if distances is not None or not is_text else word_distances([v.text for v in own]))
        if len(own) > 1
        else None
    )
    return AnswerPattern(
        answers=len(own),
        refused=sum(v.refused for v in own),
        unreadable=sum(not v.readable and not v.refused for v in own),
        decomposition=parts,
        pairwise_difference=0.0 if parts is None else parts.total if is_text else pairwise_difference(own),
        agreement_limit=AGREEMENT_LIMIT_TEXT if is_text else AGREEMENT_LIMIT,
        signal=len(prompts) > 1 or (again and warm),
        repeated=again or not warm,
        against=against,
        wrong=not set(labels) & set(majority) if labels and majority else None,
        labels=len(labels),
        disputed=len(set(labels)) > 1,
        variants=_stands(own, lambda v: v.member.variant, majority, labels),
        models=_stands(own, lambda v: v.member.model, majority, labels),
    )


def _split(votes: Sequence[Vote], distances: NDArray[np.float64] | None) -> Decomposition:
    """The parts of one case's disagreement, with nothing for chance to do where all answers were given at temperature 0."""
    models, variants = [v.member.model for v in votes], [v.member.variant for v in votes]
    if distances is not None:
        parts = decompose_distances(distances, models, variants)
    else:
        parts = decompose_classes([v.meaning for v in votes], models, variants)
    if any(v.member.temperature != 0 for v in votes):
        return parts
    one_prompt_each = len(set(zip(models, variants, strict=True))) == len(set(models))
    return replace(parts, chance_variants=0.0, chance_models=0.0 if one_prompt_each else parts.chance_models)


def pairwise_difference(votes: Votes) -> float:
    """The chance that two of the answers differ, or the mean distance of two texts, in 0..1; needs two answers.

    Unlike the entropy over ln n it does not fall as answers are added: sum_c n_c (n_c - 1) pairs of n (n - 1) agree.
    """
    if any(v.meaning is None for v in votes):
        return mean_pairwise_distance(word_distances([v.text for v in votes]))
    n, counts = len(votes), Counter(v.meaning for v in votes).values()
    return 1 - fsum(count * (count - 1) for count in counts) / (n * (n - 1))


def _stands(
    votes: Sequence[Vote], name_of: Callable[[Vote], str], majority: Mapping[str, float], labels: Sequence[str]
) -> dict[str, MatchRates]:
    own: defaultdict[str, list[Vote]] = defaultdict(list)
    for one in votes:
        own[name_of(one)].append(one)

    def share(among: Sequence[Vote], meanings: Collection[str]) -> float | None:
        return sum(v.meaning in meanings for v in among) / len(among) if meanings else None

    return {name: MatchRates(share(among, labels), share(among, majority)) for name, among in own.items()}
