"""The cascade: who gets how many answers, within which calls, and what it says it missed."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.config import AdaptiveConfig
from curator.records import Score
from curator.selection.adaptive import ROUNDS, Cascade, CaseProgress, case_progress, first_stage, next_stage, ranking
from curator.selection.adaptive_audit import MIN_IN_TOP, CascadeAudit, audit_cascade
from curator.selection.value_of_information import Prior, ValueOfInformation, fit_prior

CAP = 10


def score(case_id: str, against: Sequence[bool], *, target: bool = True) -> Score:
    """The score of answers of two kinds, as the scorer has it but for the entropy."""
    n = len(against)
    share = sum(against) / n
    total = 0.0 if share in (0, 1) else 4 * share * (1 - share)
    return Score(
        case_id,
        disagreement=(n * share + 0.5 * total) / (n + 0.5) if target else total,
        within=total,
        between=0.0,
        against_target=share if target else None,
        kind="label",
        scorer="test/1",
        majority="a",
        agreement=max(share, 1 - share),
        n=n,
    )


def votes(count: int, cap: int = CAP, *, seed: int = 0) -> dict[str, list[bool]]:
    """Cases with a true share each, most of them small, and the votes that they would get."""
    rng = random.Random(seed)
    shares = [rng.betavariate(0.4, 1.0) for _ in range(count)]
    return {f"c{i}": [rng.random() < share for _ in range(cap)] for i, share in enumerate(shares)}


def drive(
    cases: Mapping[str, Sequence[bool]], config: AdaptiveConfig, *, seed: int = 0, top: int = 5, cap: int = CAP
) -> tuple[list[Cascade], dict[str, Score]]:
    """Every state of a cascade, and the scores in the end."""
    states = [first_stage(cases, cap, config, seed=seed, top=top)]
    scores: dict[str, Score] = {}
    while states[-1].wanted:
        assert len(states) <= ROUNDS + 2
        scores |= {i: score(i, cases[i][:stop]) for i, (_, stop) in states[-1].wanted.items()}
        states.append(next_stage(states[-1], scores))
    return states, scores


settings_ = settings(max_examples=40, deadline=None)
configs = st.builds(
    AdaptiveConfig,
    first=st.integers(2, 5),
    full_share=st.sampled_from([0.0, 0.05, 0.3, 1.0]),
    average=st.floats(0.1, 1.0),
    focus=st.floats(0.0, 1.0),
)


@settings_
@given(config=configs, count=st.integers(1, 60), cap=st.integers(2, 12), seed=st.integers(0, 5))
def test_calls_are_handed_out_once_and_within_the_limits(
    config: AdaptiveConfig, count: int, cap: int, seed: int
) -> None:
    cases = votes(count, cap, seed=seed)
    states, _ = drive(cases, config, seed=seed, cap=cap)
    handed: dict[str, int] = dict.fromkeys(cases, 0)
    for state in states:
        for case_id, (start, stop) in state.wanted.items():
            assert start == handed[case_id] < stop <= cap
            handed[case_id] = stop
    assert handed == states[-1].asked
    assert all(handed[i] == cap for i in states[-1].full)
    floor = sum(cap if i in states[-1].full else 2 for i in cases)
    assert sum(handed.values()) <= max(config.average * cap * count, floor)


@pytest.mark.parametrize("average", [0.4, 0.5, 0.8, 1.0])
def test_the_calls_are_used_up(average: float) -> None:
    states, _ = drive(votes(200), AdaptiveConfig(average=average))
    assert sum(states[-1].asked.values()) == 200 * CAP * average


def test_every_case_gets_the_first_answers() -> None:
    first = first_stage(["a", "b"], CAP, AdaptiveConfig(), seed=0, top=1)
    assert first.wanted == {"a": (0, 3), "b": (0, 3)}


def test_fewer_first_answers_leave_room_for_the_random_share() -> None:
    cases = votes(200, 6)
    states, _ = drive(cases, AdaptiveConfig(average=0.5), cap=6)
    assert set(states[0].wanted.values()) == {(0, 2)}
    assert sum(states[-1].asked.values()) == 600


def test_nothing_to_ask() -> None:
    assert first_stage([], CAP, AdaptiveConfig(), seed=0, top=1).wanted == {}
    states, _ = drive(votes(3, 1), AdaptiveConfig(), cap=1)
    assert states[-1].asked == {"c0": 1, "c1": 1, "c2": 1}


def test_the_order_of_the_cases_makes_no_difference() -> None:
    cases = votes(80)
    forwards, _ = drive(cases, AdaptiveConfig())
    backwards, _ = drive(dict(reversed(cases.items())), AdaptiveConfig())
    assert [s.wanted for s in forwards] == [s.wanted for s in backwards]


def test_the_random_share_hangs_on_seed_and_id_alone() -> None:
    few, many = votes(100), votes(400)
    config = AdaptiveConfig(full_share=0.2)
    full = first_stage(many, CAP, config, seed=1, top=5).full
    assert first_stage(few, CAP, config, seed=1, top=5).full == full & few.keys()
    assert first_stage(many, CAP, config, seed=2, top=5).full != full
    assert 0.1 < len(full) / 400 < 0.3


def test_the_random_share_goes_through_the_rounds_like_the_others() -> None:
    cases = votes(300)
    states, _ = drive(cases, AdaptiveConfig(full_share=0.3))
    before = states[-2]
    assert set(before.wanted) <= before.full
    own = {i: start for i, (start, _) in before.wanted.items()}
    others = mean(count for i, count in before.asked.items() if i not in before.full)
    assert mean(own.get(i, CAP) for i in before.full) == pytest.approx(others, abs=0.6)


def test_with_all_weight_on_the_cut_the_calls_go_near_it() -> None:
    """The top tenth is cut among cases that all answers contradict; the unanimous ones on the other side get nothing."""
    cases = {f"low{i:02}": [False] * CAP for i in range(60)} | {f"high{i:02}": [True] * CAP for i in range(30)}
    states, _ = drive(cases, AdaptiveConfig(full_share=0.0, average=0.4, focus=1.0), top=9)
    asked = states[-1].asked
    assert mean(asked[i] for i in cases if i[0] == "h") > mean(asked[i] for i in cases if i[0] == "l")


def test_where_there_are_no_votes_to_learn_from_calls_are_spread_evenly() -> None:
    cases = {f"c{i}": [False] * CAP for i in range(40)}
    states, _ = drive(cases, AdaptiveConfig(full_share=0.0))
    assert set(states[-1].asked.values()) == {5}


def test_a_case_without_a_score_does_not_stop_the_others() -> None:
    cases = votes(50)
    state = first_stage(cases, CAP, AdaptiveConfig(), seed=0, top=5)
    scores = {i: score(i, own[:3]) for i, own in cases.items() if i != "c7"}
    state = next_stage(state, scores)
    assert state.wanted
    assert "c7" not in ranking(state, scores)


def test_a_case_stands_by_its_target_or_by_the_most_usual_answer() -> None:
    assert case_progress(None) == CaseProgress(0.0, 0.0)
    assert case_progress(score("a", [True] * 3)) == CaseProgress(3 / 3.5, 3.5)
    without = case_progress(score("a", [True, False, False, False], target=False))
    assert without.answers == 3.5
    assert without.share == pytest.approx((1 + 0.5 * 0.75) / 3.5)
    assert case_progress(score("a", [True] * 4, target=False)).share == 0


def test_the_ranking_compares_few_answers_with_many() -> None:
    states, _ = drive(votes(100), AdaptiveConfig())
    scores = {"none of 3": [False] * 3, "none of 10": [False] * 10, "all of 3": [True] * 3, "all of 10": [True] * 10}
    ranked = ranking(states[-1], {i: score(i, own) for i, own in scores.items()})
    assert sorted(ranked, key=ranked.__getitem__) == ["none of 10", "none of 3", "all of 3", "all of 10"]
    assert all(0 < value < 1 for value in ranked.values())


def test_the_prior_is_found_again() -> None:
    rng = np.random.default_rng(0)
    shares = rng.binomial(5, rng.beta(0.5, 1.5, 20_000)) / 5
    prior = fit_prior(shares.tolist(), [5.0] * 20_000)
    assert prior is not None
    assert (prior.a, prior.b) == (pytest.approx(0.5, rel=0.05), pytest.approx(1.5, rel=0.05))


@pytest.mark.parametrize("shares", [[], [0.4], [0.0] * 9, [1.0] * 9, [0.5, 0.6] * 9])
def test_there_is_no_prior_where_shares_say_nothing(shares: list[float]) -> None:
    assert fit_prior(shares, [3.0] * len(shares)) is None


@settings_
@given(a=st.floats(0.01, 5), b=st.floats(0.01, 5), share=st.floats(0, 1), n=st.integers(0, 9), focus=st.floats(0, 1))
def test_more_answers_are_never_worth_less(a: float, b: float, share: float, n: int, focus: float) -> None:
    worth = ValueOfInformation(Prior(a, b), focus=focus)
    (steps,) = worth.steps(np.array([share]), float(n), room=CAP - n, cut=0.7)
    assert sum(step.more for step in steps) == CAP - n
    assert [step.after for step in steps] == list(np.cumsum([0, *(step.more for step in steps)])[:-1])
    slopes = [step.value for step in steps]
    assert slopes == sorted(slopes, reverse=True)
    assert min(slopes) >= -1e-9


def test_the_expected_rank_of_a_case_without_answers_is_the_middle() -> None:
    assert ValueOfInformation(Prior(0.3, 0.7), focus=0.2).rank(np.array([0.0]), 0.0)[0] == pytest.approx(0.5, abs=1e-6)


def test_what_is_missed_is_told() -> None:
    cases = votes(2000)
    states, scores = drive(cases, AdaptiveConfig(full_share=0.2), top=200)
    found = audit_cascade(states[-1], scores)
    assert found.cases == len(states[-1].full)
    assert found.in_top == math.ceil(found.cases / 10) >= MIN_IN_TOP
    assert found.share is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.share <= found.high < 0.6
    assert found.rank_correlation is not None
    assert found.rank_correlation > 0.8
    assert (found.calls, found.calls_full) == (10_000, 20_000)


def test_nothing_is_missed_where_nothing_was_left_out() -> None:
    states, scores = drive(votes(300), AdaptiveConfig(full_share=0.5, average=1.0), top=60)
    found = audit_cascade(states[-1], scores)
    assert (found.share, found.rank_correlation) == (0, pytest.approx(1))


def test_too_few_cases_say_nothing() -> None:
    states, scores = drive(votes(50), AdaptiveConfig(full_share=0.1))
    found = audit_cascade(states[-1], scores)
    assert isinstance(found, CascadeAudit)
    assert (found.share, found.low, found.high, found.rank_correlation) == (None, None, None, None)
    assert found.calls == 250
