"""The adaptive committee: few answers to every case, more where they change the ranking.

The caller makes the calls in `wanted`, scores the cases on all answers so far and passes the scores back:

    cascade = first_stage(ids, cap, config, seed=seed, top=top)
    while cascade.wanted:
        ...ask plan.part(cascade.wanted), score...
        cascade = next_stage(cascade, scores)
    ranking(cascade, scores)

A case's calls are numbered 0..cap - 1, in an order in which the first few are already a small committee. `wanted` gives
the range to ask. A random share of the cases goes through the rounds like all others and gets its other calls after the
last round: `adaptive_audit` compares its ranking before that with the whole committee's.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from curator.config import AdaptiveConfig
from curator.records import Score, stable_unit
from curator.selection.value_of_information import Prior, Step, ValueOfInformation, fit_prior

ROUNDS = 3
"""The rounds that hand out further calls. Each round waits for the slowest answer of the one before."""
MIN_ANSWERS = 2
"""The fewest answers that can be compared."""
_DIGITS = 2  # shares are rounded to this when calls are handed out: it bounds the work for graded answers
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class CaseProgress:
    """The share of a case's answers that contradict the answer in question, and their number.

    Attributes:
        share: 0..1.
        answers: that were compared; 0 before the first score.
    """

    share: float
    answers: float


@dataclass(frozen=True, slots=True)
class Cascade:
    """The state of an adaptive committee.

    Attributes:
        config: how calls are spent.
        cap: the maximum of calls per case.
        seed: fixes the random share and the order among equals.
        top: the number of cases that the selection takes from the top of the ranking.
        full: the ids of the random share.
        asked: the calls of each case so far, `wanted` included.
        wanted: the calls to make now, from start to stop by case id; empty when all are made.
        stage: 0 for the first answers, then the rounds, then the other calls of the random share.
        prior: fitted to the first answers, which no decision has selected; None where it cannot be fitted: then calls are
            handed out evenly.
        before: the progress of each case after the last round, before the other calls of the random share.
    """

    config: AdaptiveConfig
    cap: int
    seed: int
    top: int
    full: frozenset[str]
    asked: Mapping[str, int]
    wanted: Mapping[str, tuple[int, int]]
    stage: int = 0
    prior: Prior | None = None
    before: Mapping[str, CaseProgress] | None = None


def first_stage(ids: Iterable[str], cap: int, config: AdaptiveConfig, *, seed: int, top: int) -> Cascade:
    """Ask every case for the first answers: `config.first`, or fewer where the budget requires.

    Every case gets at least 2.
    """
    case_ids = sorted(ids)
    full = frozenset(i for i in case_ids if stable_unit("whole-committee", str(seed), i) < config.full_share)
    affordable = (_calls(config, cap, len(case_ids)) - cap * len(full)) // max(len(case_ids) - len(full), 1)
    first = min(cap, max(MIN_ANSWERS, min(config.first, affordable)))
    return Cascade(
        config=config,
        cap=cap,
        seed=seed,
        top=top,
        full=full,
        asked=dict.fromkeys(case_ids, first),
        wanted=dict.fromkeys(case_ids, (0, first)) if first else {},
    )


def next_stage(cascade: Cascade, scores: Mapping[str, Score]) -> Cascade:
    """The state after the `wanted` calls were made.

    Each round hands out an equal part of the remaining calls, the most valuable first. The calls of the random share are
    reserved from the beginning, so its cases do not reduce a round's budget.

    Args:
        cascade: the state before.
        scores: of all answers so far, by case id.
    """
    progress = {i: case_progress(scores.get(i)) for i in cascade.asked}
    if cascade.stage == 0:
        answered = [p for p in progress.values() if p.answers]
        prior = fit_prior([p.share for p in answered], [p.answers for p in answered])
        cascade = replace(cascade, prior=prior)
    while cascade.stage < ROUNDS:
        cascade = replace(cascade, stage=cascade.stage + 1)
        if more := _hand_out(cascade, progress):
            return _asking(cascade, more)
    if cascade.before is not None:
        return replace(cascade, wanted={})
    rest = {i: cascade.cap - cascade.asked[i] for i in sorted(cascade.full) if cascade.asked[i] < cascade.cap}
    return _asking(replace(cascade, before=progress), rest)


def case_progress(score: Score | None) -> CaseProgress:
    """The progress of a case by its score; no answers where it has none.

    The committee's spread counts as half an answer beside the n against the target, as in the default score.
    Without a target the most frequent answer replaces it, and n - 1 answers can contradict it. The default score cannot
    be used there: it is the entropy over ln n, which falls with n and is not comparable between few answers and many.
    """
    if score is None or score.disagreement is None or score.agreement is None:
        return CaseProgress(0.0, 0.0)
    if score.against_target is not None:
        return CaseProgress(score.disagreement, score.n + _HALF)
    against = (1 - score.agreement) * score.n + _HALF * score.disagreement
    return CaseProgress(min(against / (score.n - _HALF), 1.0), score.n - _HALF)


def ranking(cascade: Cascade, scores: Mapping[str, Score]) -> dict[str, float]:
    """The posterior mean of each case's share, 0..1: comparable between few answers and many.

    It orders cases with the same number of answers by their share. It is above 0 even where all answers agree.
    """
    scored = {i: score for i, score in scores.items() if score.disagreement is not None}
    return {i: posterior_mean(cascade, case_progress(score)) for i, score in scored.items()}


def posterior_mean(cascade: Cascade, progress: CaseProgress) -> float:
    """The posterior mean of a case's share; under Jeffreys' prior where none was fitted."""
    return (cascade.prior or Prior(_HALF, _HALF)).mean(progress.share, progress.answers)


def _calls(config: AdaptiveConfig, cap: int, cases: int) -> int:
    return math.floor(config.average * cap * cases)


def _asking(cascade: Cascade, more: Mapping[str, int]) -> Cascade:
    wanted = {i: (cascade.asked[i], cascade.asked[i] + count) for i, count in more.items()}
    return replace(cascade, wanted=wanted, asked={**cascade.asked, **{i: stop for i, (_, stop) in wanted.items()}})


def _hand_out(cascade: Cascade, progress: Mapping[str, CaseProgress]) -> dict[str, int]:
    """The further calls of each case in this round; cases without any are left out."""
    committed = sum(cascade.cap if i in cascade.full else count for i, count in cascade.asked.items())
    left = _calls(cascade.config, cascade.cap, len(cascade.asked)) - committed
    spend = math.ceil(max(left, 0) / (ROUNDS - cascade.stage + 1))
    more: dict[str, int] = {}
    for step, case_id in _steps(cascade, progress):
        if spend <= 0:
            break
        free = case_id in cascade.full
        count = step.more if free else min(step.more, spend)
        more[case_id] = more.get(case_id, 0) + count
        spend -= 0 if free else count
    return more


def _steps(cascade: Cascade, progress: Mapping[str, CaseProgress]) -> list[tuple[Step, str]]:
    """Every possible step, the most valuable first; ids and seed order the equals."""
    steps = _even(cascade) if cascade.prior is None else _valued_steps(cascade, cascade.prior, progress)
    random_number = {i: stable_unit("cascade", str(cascade.seed), str(cascade.stage), i) for i in progress}
    return sorted(steps, key=lambda s: (-s[0].value, s[0].after, random_number[s[1]], s[1]))


def _even(cascade: Cascade) -> list[tuple[Step, str]]:
    """Single calls; the value prefers cases with fewer calls so far."""
    return [
        (Step(-(count + after), after, 1), case_id)
        for case_id, count in cascade.asked.items()
        for after in range(cascade.cap - count)
    ]


def _valued_steps(cascade: Cascade, prior: Prior, progress: Mapping[str, CaseProgress]) -> list[tuple[Step, str]]:
    """The steps by value of information; cases with equal progress share one computation."""
    information = ValueOfInformation(prior, focus=cascade.config.focus)
    equal: defaultdict[tuple[float, int, float], list[str]] = defaultdict(list)
    for case_id, s in progress.items():
        equal[s.answers, cascade.cap - cascade.asked[case_id], round(s.share, _DIGITS)].append(case_id)
    ranks = {key: float(information.rank(np.array([key[2]]), key[0])[0]) for key in equal}
    every = sorted((ranks[key] for key, ids in equal.items() for _ in ids), reverse=True)
    cut = every[min(max(cascade.top, 1), len(every)) - 1]
    by_answers: defaultdict[tuple[float, int], list[float]] = defaultdict(list)
    for answers, room, share in equal:
        by_answers[answers, room].append(share)
    valued: list[tuple[Step, str]] = []
    for (answers, room), shares in by_answers.items():
        for share, steps in zip(shares, information.steps(np.array(shares), answers, room=room, cut=cut), strict=True):
            valued += [(step, case_id) for case_id in equal[answers, room, share] for step in steps]
    return valued
