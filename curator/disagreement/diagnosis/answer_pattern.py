"""The answer pattern of a case: the numbers of its votes from which a diagnosis is made."""

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
"""The `pairwise_difference` below which a committee agrees: of typed answers, and of free text.

Neither limit depends on the number of answers, as a limit on the entropy over ln n would. Free texts never agree word for
word: on recorded one-sentence answers the median distance is .47 where the committee is right and .75 where it is wrong.
"""


@dataclass(frozen=True, slots=True)
class MatchRates:
    """Shares of a model's or a variant's answers that match the label and the majority.

    The majority is that of the whole committee. None where the case has no label, or no majority.
    """

    label: float | None
    majority: float | None


@dataclass(frozen=True, slots=True)
class AnswerPattern:
    """One case in numbers.

    Attributes:
        answers: the number of answers.
        refused: the number of refusals among them.
        unreadable: the number of other answers that hold no answer of the kind.
        decomposition: the three parts of the disagreement; None with fewer than two answers.
        pairwise_difference: see `pairwise_difference`; 0 with fewer than two answers.
        agreement_limit: the committee agrees if `pairwise_difference` is below this.
        signal: a prompt was sampled again above temperature 0, or there are several prompts. Otherwise agreement is certain
            from the start and shows nothing.
        repeated: a prompt was asked again, or all answers were given at temperature 0, so that sampling noise can be told
            from sensitivity to the prompt.
        against: the share of answers that contradict production's; None where it is unknown.
        wrong: the majority is none of the labels; None without a label or a majority.
        labels: the number of labels.
        disputed: the labels differ from each other.
        variants: the match rates of each prompt variant.
        models: the match rates of each model.
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
    """Compute the answer pattern of one case's votes.

    Args:
        votes: the votes, failed ones included.
        against: the share of answers that contradict production's (`Score.against_target`).
        labels: the meaning of each label that people gave.
        distances: the distances (n, n) of the answered votes, for free text; by default those of their words.
    """
    answered = answered_votes(votes)
    prompts = Counter((v.member.model, v.member.variant) for v in answered)
    sampled = any(v.member.temperature != 0 for v in answered)
    asked_again = any(count > 1 for count in prompts.values())
    is_text = any(v.meaning is None for v in answered)
    majority = plurality(Counter(v.meaning for v in answered if v.readable and v.meaning is not None))
    if is_text and distances is None:
        distances = word_distances([v.text for v in answered])
    decomposition = _decompose(answered, distances) if len(answered) > 1 else None
    difference = 0.0
    if decomposition is not None:
        difference = decomposition.total if is_text else pairwise_difference(answered)
    return AnswerPattern(
        answers=len(answered),
        refused=sum(v.refused for v in answered),
        unreadable=sum(not v.readable and not v.refused for v in answered),
        decomposition=decomposition,
        pairwise_difference=difference,
        agreement_limit=AGREEMENT_LIMIT_TEXT if is_text else AGREEMENT_LIMIT,
        signal=len(prompts) > 1 or (asked_again and sampled),
        repeated=asked_again or not sampled,
        against=against,
        wrong=not set(labels) & set(majority) if labels and majority else None,
        labels=len(labels),
        disputed=len(set(labels)) > 1,
        variants=_match_rates(answered, lambda v: v.member.variant, majority, labels),
        models=_match_rates(answered, lambda v: v.member.model, majority, labels),
    )


def _decompose(votes: Sequence[Vote], distances: NDArray[np.float64] | None) -> Decomposition:
    """Split the disagreement of one case.

    At temperature 0 an answer is fixed by its prompt, so that nothing between prompts is due to chance.
    """
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
    """Return the share of answer pairs that differ, or the mean distance of two texts; 0..1.

    Needs two answers. Unlike the entropy over ln n, the share does not fall when answers are added:
    sum_c n_c (n_c - 1) of n (n - 1) pairs agree.
    """
    if any(v.meaning is None for v in votes):
        return mean_pairwise_distance(word_distances([v.text for v in votes]))
    n, counts = len(votes), Counter(v.meaning for v in votes).values()
    return 1 - fsum(count * (count - 1) for count in counts) / (n * (n - 1))


def _match_rates(
    votes: Sequence[Vote], name_of: Callable[[Vote], str], majority: Mapping[str, float], labels: Sequence[str]
) -> dict[str, MatchRates]:
    """Compute the match rates by model or by variant, as `name_of` names it for each vote."""
    by_name: defaultdict[str, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_name[name_of(vote)].append(vote)

    def share(of_name: Sequence[Vote], meanings: Collection[str]) -> float | None:
        return sum(v.meaning in meanings for v in of_name) / len(of_name) if meanings else None

    return {name: MatchRates(share(of_name, labels), share(of_name, majority)) for name, of_name in by_name.items()}
