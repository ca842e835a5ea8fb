"""What disagreement cannot see, as far as a run itself can tell: the noise at temperature 0, and the failures it missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import fsum

from curator.disagreement.diagnosis.answer_pattern import pairwise_difference
from curator.disagreement.ground_truth import LEFT_OUT
from curator.disagreement.members.votes import Vote, VotesByCase, answered_votes
from curator.records import BlindShare, NoiseFloor, Score
from curator.stats import MIN_FOR_RATE, rate, rounded

NEAR_ZERO = 0.05
"""A case with a score up to this is one that nobody would look at."""


def noise_floor(votes_by_case: VotesByCase) -> NoiseFloor:
    """The disagreement among repeats of one prompt at temperature 0, as the chance that two of them differ.

    A case's floor is the mean over its prompts that were repeated so; cases without one do not count.
    """
    floors: list[float] = []
    differing: list[float] = []
    spreads: list[float] = []
    deterministic = one_prompt = True
    for votes in votes_by_case.values():
        own = answered_votes(votes)
        prompts: dict[tuple[str, str], list[Vote]] = {}
        for one in own:
            if one.member.temperature == 0:
                prompts.setdefault((one.member.model, one.member.variant), []).append(one)
        deterministic &= all(v.member.temperature == 0 for v in own)
        one_prompt &= len({(v.member.model, v.member.variant) for v in own}) <= 1
        if repeated := [pairwise_difference(found) for found in prompts.values() if len(found) > 1]:
            floors.append(fsum(repeated) / len(repeated))
            differing.append(sum(value > 0 for value in repeated) / len(repeated))
            spreads.append(pairwise_difference(own))
    n = len(floors)
    enough = n >= MIN_FOR_RATE
    return NoiseFloor(
        floor=rounded(fsum(floors) / n) if enough else None,
        differing=rate(fsum(differing), n),
        spread=rounded(fsum(spreads) / n) if enough else None,
        deterministic=deterministic and any(map(answered_votes, votes_by_case.values())),
        one_prompt=one_prompt,
    )


def blind_share(failures: Mapping[str, str], scores: Mapping[str, Score]) -> BlindShare:
    """The share of the known failures, by case id with how each is known, that have a score of at most `NEAR_ZERO`.

    Cases without a score do not count.
    """
    known = {i: by for i, by in failures.items() if (found := scores.get(i)) and found.disagreement is not None}
    counted = {i: by for i, by in known.items() if by != LEFT_OUT}
    unseen = sum((scores[i].disagreement or 0.0) <= NEAR_ZERO for i in counted)
    return BlindShare(
        unseen=rate(unseen, len(counted)),
        threshold=NEAR_ZERO,
        by_source=dict(sorted(Counter(counted.values()).items())),
        left_out=len(known) - len(counted),
    )
