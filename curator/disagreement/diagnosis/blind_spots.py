"""Blind spots of disagreement: noise at temperature 0, and known failures that it missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import fsum

from curator.disagreement.diagnosis.pair_means import pairwise_difference
from curator.disagreement.ground_truth import LEFT_OUT
from curator.disagreement.members.votes import Vote, VotesByCase, answered_votes
from curator.records import BlindShare, NoiseFloor, Score
from curator.stats import MIN_FOR_RATE, rate, rounded

NEAR_ZERO = 0.05
"""A case with a score up to this would not be reviewed."""


def noise_floor(votes_by_case: VotesByCase) -> NoiseFloor:
    """Measure the disagreement among repeats of one prompt at temperature 0.

    It is the share of pairs of such repeats that differ: per case the mean over its repeated prompts, then the mean over
    cases. Cases without such repeats do not count. The means are None below `MIN_FOR_RATE` cases.
    """
    floors: list[float] = []
    differing: list[float] = []
    spreads: list[float] = []
    deterministic = one_prompt = True
    for votes in votes_by_case.values():
        answered = answered_votes(votes)
        prompts: dict[tuple[str, str], list[Vote]] = {}
        for vote in answered:
            if vote.member.temperature == 0:
                prompts.setdefault((vote.member.model, vote.member.variant), []).append(vote)
        deterministic &= all(v.member.temperature == 0 for v in answered)
        one_prompt &= len({(v.member.model, v.member.variant) for v in answered}) <= 1
        if repeated := [pairwise_difference(same_prompt) for same_prompt in prompts.values() if len(same_prompt) > 1]:
            floors.append(fsum(repeated) / len(repeated))
            differing.append(sum(value > 0 for value in repeated) / len(repeated))
            spreads.append(pairwise_difference(answered))
    n = len(floors)
    enough = n >= MIN_FOR_RATE
    return NoiseFloor(
        floor=rounded(fsum(floors) / n) if enough else None,
        differing=rate(fsum(differing), n),
        spread=rounded(fsum(spreads) / n) if enough else None,
        cold=deterministic and any(map(answered_votes, votes_by_case.values())),
        one_prompt=one_prompt,
    )


def blind_share(failures: Mapping[str, str], scores: Mapping[str, Score]) -> BlindShare:
    """Return the share of the known failures with a score of at most `NEAR_ZERO`.

    `failures` maps a case id to the source that shows the failure. Failures of the source `LEFT_OUT` are counted apart,
    and cases without a score do not count.
    """
    scored = {
        case_id: source
        for case_id, source in failures.items()
        if (score := scores.get(case_id)) and score.disagreement is not None
    }
    counted = {case_id: source for case_id, source in scored.items() if source != LEFT_OUT}
    unseen = sum((scores[case_id].disagreement or 0.0) <= NEAR_ZERO for case_id in counted)
    return BlindShare(
        unseen=rate(unseen, len(counted)),
        threshold=NEAR_ZERO,
        by_source=dict(sorted(Counter(counted.values()).items())),
        left_out=len(scored) - len(counted),
    )
