"""The cascade: a few answers to every case, then more where they change the ranking, in a few rounds.

Pure: the caller asks what `wanted` says, scores the cases on the answers so far and hands the scores back.

    cascade = first_stage(ids, cap, config, seed=seed, top=top)
    while cascade.wanted:
        ...ask plan.part(cascade.wanted), score...
        cascade = next_stage(cascade, scores)
    ranking(cascade, scores)

A case's calls are numbered 0..cap - 1, in an order in which the first few already are a small committee of its own, and
`wanted` says from which to which to ask. A random share of the cases goes through the rounds like all others and gets
the rest of its calls after the last round: what the cascade made of them before is compared with the whole committee.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from curator.config import AdaptiveConfig
from curator.records import Score, stable_unit
from curator.selection.value_of_information import Prior, Step, Worth, fit_prior

ROUNDS = 3
"""How often it is decided who gets more. Each round waits for the slowest answer of the one before."""
LEAST = 2
"""The fewest answers that can be compared."""
_DIGITS = (
    2  # shares are told apart to this many digits when calls are handed out: it bounds the work for graded answers
)
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Standing:
    """How a case stands: the share of its answers that contradicts the answer in question, and of how many answers."""

    share: float
    answers: float


@dataclass(frozen=True, slots=True)
class Cascade:
    """Where a cascade is. `wanted` are the calls to make now, from start to stop by case id; empty when it is done.

    Attributes:
        config: how calls are spent.
        cap: the most calls a case may get.
        seed: fixes the random share and the order among equals.
        top: how many cases the selection takes from the top of the ranking.
        full: the random share.
        asked: the calls of each case so far, `wanted` included.
        wanted: the calls to make now.
        stage: 0 for the first answers, then the rounds, then the rest of the random share.
        prior: of the first answers, which no decision has selected; None where they are no votes to learn from, and
            calls are handed out evenly.
        before: how the cases stood after the last round, before the random share got the rest.
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
    before: Mapping[str, Standing] | None = None


def first_stage(ids: Iterable[str], cap: int, config: AdaptiveConfig, *, seed: int, top: int) -> Cascade:
    """The first answers to every case; their number is `config.first`, or what the calls are enough for, at least 2."""
    known = sorted(ids)
    full = frozenset(i for i in known if stable_unit("whole-committee", str(seed), i) < config.full_share)
    enough = (_calls(config, cap, len(known)) - cap * len(full)) // max(len(known) - len(full), 1)
    first = min(cap, max(LEAST, min(config.first, enough)))
    return Cascade(
        config=config,
        cap=cap,
        seed=seed,
        top=top,
        full=full,
        asked=dict.fromkeys(known, first),
        wanted=dict.fromkeys(known, (0, first)) if first else {},
    )


def next_stage(cascade: Cascade, scores: Mapping[str, Score]) -> Cascade:
    """The cascade after the `wanted` calls were made; `scores` are those of all answers so far, by case id.

    A round hands out an equal part of the calls that are left, whatever is worth most first. The random share's rest is
    set apart from the beginning, so that its cases cost a round nothing.
    """
    standings = {i: standing(scores.get(i)) for i in cascade.asked}
    if cascade.stage == 0:
        known = [s for s in standings.values() if s.answers]
        cascade = replace(cascade, prior=fit_prior([s.share for s in known], [s.answers for s in known]))
    while cascade.stage < ROUNDS:
        cascade = replace(cascade, stage=cascade.stage + 1)
        if more := _hand_out(cascade, standings):
            return _asking(cascade, more)
    if cascade.before is not None:
        return replace(cascade, wanted={})
    rest = {i: cascade.cap - cascade.asked[i] for i in sorted(cascade.full) if cascade.asked[i] < cascade.cap}
    return _asking(replace(cascade, before=standings), rest)


def standing(score: Score | None) -> Standing:
    """How a case stands by its score; with no answers where it has none.

    The committee's own disagreement counts for half an answer beside the n against the target, as it does in the default
    score. Without a target the most usual answer stands in for it, which leaves n - 1 to contradict it: the default
    score, there the entropy over ln n, falls with n and cannot be compared between few answers and many.
    """
    if score is None or score.disagreement is None or score.agreement is None:
        return Standing(0.0, 0.0)
    if score.against_target is not None:
        return Standing(score.disagreement, score.n + _HALF)
    against = (1 - score.agreement) * score.n + _HALF * score.disagreement
    return Standing(min(against / (score.n - _HALF), 1.0), score.n - _HALF)


def ranking(cascade: Cascade, scores: Mapping[str, Score]) -> dict[str, float]:
    """The posterior mean of each case's share, in 0..1: comparable between cases of few answers and of many.

    It orders cases with equally many answers as their standing does. It is above 0 even where all answers agree.
    """
    known = {i: score for i, score in scores.items() if score.disagreement is not None}
    return {i: mean(cascade, standing(score)) for i, score in known.items()}


def mean(cascade: Cascade, standing: Standing) -> float:
    """The posterior mean of a case's share; under Jeffreys' prior where none could be learned."""
    return (cascade.prior or Prior(_HALF, _HALF)).mean(standing.share, standing.answers)


def _calls(config: AdaptiveConfig, cap: int, cases: int) -> int:
    return math.floor(config.average * cap * cases)


def _asking(cascade: Cascade, more: Mapping[str, int]) -> Cascade:
    wanted = {i: (cascade.asked[i], cascade.asked[i] + count) for i, count in more.items()}
    return replace(cascade, wanted=wanted, asked={**cascade.asked, **{i: stop for i, (_, stop) in wanted.items()}})


def _hand_out(cascade: Cascade, standings: Mapping[str, Standing]) -> dict[str, int]:
    """How many more calls each case gets in this round; a case that gets none is left out."""
    committed = sum(cascade.cap if i in cascade.full else count for i, count in cascade.asked.items())
    left = _calls(cascade.config, cascade.cap, len(cascade.asked)) - committed
    spend = math.ceil(max(left, 0) / (ROUNDS - cascade.stage + 1))
    more: dict[str, int] = {}
    for step, case_id in _steps(cascade, standings):
        if spend <= 0:
            break
        free = case_id in cascade.full
        count = step.more if free else min(step.more, spend)
        more[case_id] = more.get(case_id, 0) + count
        spend -= 0 if free else count
    return more


def _steps(cascade: Cascade, standings: Mapping[str, Standing]) -> list[tuple[Step, str]]:
    """Every step that a case could take, the most worth first; equals in an order that hangs on their ids and the seed."""
    found = _even(cascade) if cascade.prior is None else _worthwhile(cascade, cascade.prior, standings)
    drawn = {i: stable_unit("cascade", str(cascade.seed), str(cascade.stage), i) for i in standings}
    return sorted(found, key=lambda f: (-f[0].worth, f[0].after, drawn[f[1]], f[1]))


def _even(cascade: Cascade) -> list[tuple[Step, str]]:
    """Single calls, those first whose case has the fewest so far."""
    return [
        (Step(-(count + after), after, 1), case_id)
        for case_id, count in cascade.asked.items()
        for after in range(cascade.cap - count)
    ]


def _worthwhile(cascade: Cascade, prior: Prior, standings: Mapping[str, Standing]) -> list[tuple[Step, str]]:
    """The steps of `Worth`, which are the same for cases that stand alike."""
    worth = Worth(prior, focus=cascade.config.focus)
    alike: defaultdict[tuple[float, int, float], list[str]] = defaultdict(list)
    for case_id, s in standings.items():
        alike[s.answers, cascade.cap - cascade.asked[case_id], round(s.share, _DIGITS)].append(case_id)
    ranks = {key: float(worth.rank(np.array([key[2]]), key[0])[0]) for key in alike}
    every = sorted((ranks[key] for key, ids in alike.items() for _ in ids), reverse=True)
    cut = every[min(max(cascade.top, 1), len(every)) - 1]
    by_answers: defaultdict[tuple[float, int], list[float]] = defaultdict(list)
    for answers, room, share in alike:
        by_answers[answers, room].append(share)
    found: list[tuple[Step, str]] = []
    for (answers, room), shares in by_answers.items():
        for share, steps in zip(shares, worth.steps(np.array(shares), answers, room=room, cut=cut), strict=True):
            found += [(step, case_id) for case_id in alike[answers, room, share] for step in steps]
    return found
