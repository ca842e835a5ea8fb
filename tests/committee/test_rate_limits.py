"""Pacing as arithmetic on a clock that the test moves."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.committee.rate_limits import AimdWindow, GcraLimiter, RateLimiter, limits_of, seconds_of
from curator.committee.requests import Limits, Quota
from curator.committee.run_progress import Speed


def sent_in(limiter: RateLimiter, seconds: float, *, tokens: int = 100, start: float = 0.0) -> list[float]:
    """When requests go in that time if there is always one to send."""
    now, times = start, []
    while now < start + seconds:
        wait = limiter.wait_s(now)
        if wait:
            now += wait
            continue
        expected = limiter.take(tokens, now)
        limiter.answered(expected, tokens, tokens)
        times.append(now)
    return times


def test_a_request_limit_is_used_up_evenly_and_never_passed() -> None:
    times = sent_in(RateLimiter(600, None), 120)
    assert 0.95 * 1200 <= len(times) <= 1200
    for start in range(0, 60, 7):  # any minute, wherever the endpoint begins to count
        assert sum(start <= t < start + 60 for t in times) <= 600


def test_a_token_limit_counts_tokens() -> None:
    times = sent_in(RateLimiter(None, 150_000), 60, tokens=500)
    assert 0.95 * 300 <= len(times) <= 300


def test_the_tighter_limit_holds() -> None:
    assert len(sent_in(RateLimiter(60, 150_000), 60, tokens=100)) <= 60


def test_without_a_limit_nothing_waits() -> None:
    limiter = RateLimiter(None, None)
    for _ in range(1000):
        limiter.take(10_000, 0.0)
    assert limiter.wait_s(0.0) == 0.0


def test_answers_that_are_shorter_than_their_limit_let_more_go() -> None:
    limiter, now, sent = RateLimiter(None, 60_000), 0.0, 0
    while now < 60:
        if wait := limiter.wait_s(now):
            now += wait
            continue
        limiter.answered(limiter.take(1000, now), 1000, 100)  # a tenth of what it could take
        sent += 1
    assert 0.9 * 600 <= sent <= 610


def test_a_late_timer_costs_no_throughput() -> None:
    limiter, now, sent, chance = RateLimiter(600, None), 0.0, 0, random.Random(1)
    while now < 60:
        if wait := limiter.wait_s(now):
            now += wait + chance.random() * 0.02
            continue
        limiter.take(1, now)
        sent += 1
    assert sent >= 0.95 * 600


@pytest.mark.parametrize("kind", ["window", "bucket"])
def test_a_limit_is_learned_from_what_remains(kind: str) -> None:
    """600 a minute, told by headers alone: none is refused, and at least 95% are used."""
    limiter, now, sent, refused, level = RateLimiter(None, None), 0.0, 0, 0, 600.0
    last = 0.0
    while now < 300:
        if wait := limiter.wait_s(now):
            now += wait
            continue
        limiter.take(1, now)
        if kind == "bucket":
            level = min(600.0, level + (now - last) * 10)
        elif now // 60 != last // 60:
            level = 600.0
        last = now
        if level < 1:
            refused += 1
        else:
            level -= 1
            sent += 1
        reset = (600 - level) / 10 if kind == "bucket" else 60 - now % 60
        limiter.observe(Limits(Quota(600, int(level), reset), None), now)
        now += 0.005  # one at a time: its answer comes before the next goes
    assert refused <= 0.005 * sent
    assert sent >= 0.95 * 3000


def test_where_nothing_remains_nothing_goes_until_the_reset() -> None:
    limiter = RateLimiter(None, None)
    limiter.observe(Limits(Quota(600, 0, 12.0), None), 100.0)
    assert limiter.wait_s(100.0) == pytest.approx(12.0)
    assert limiter.wait_s(112.0) == 0.0


def test_the_limit_of_the_config_comes_before_what_the_endpoint_says() -> None:
    limiter = RateLimiter(600, None)
    limiter.observe(Limits(Quota(6, 5, 60.0), None), 0.0)
    assert len(sent_in(limiter, 60)) >= 0.95 * 600


def test_a_limit_without_a_reset_is_taken_for_a_minute() -> None:
    limiter = GcraLimiter(None)
    limiter.observe(Quota(60, 59, None), 0.0)
    for _ in range(10):
        limiter.take(1, 0.0)
    assert limiter.wait_s(0.0) == pytest.approx(10.0, rel=0.05)


def test_a_pace_that_rises_shortens_the_wait_there_is() -> None:
    limiter = GcraLimiter(None)
    limiter.observe(Quota(60, 1, 60.0), 0.0)
    limiter.take(1, 0.0)
    slow = limiter.wait_s(0.0)
    limiter.observe(Quota(60, 60, 60.0), 0.0)
    assert limiter.wait_s(0.0) < slow / 30


def test_tokens_of_a_failed_request_come_back() -> None:
    limiter = RateLimiter(None, 60_000)
    expected = limiter.take(30_000, 0.0)
    assert limiter.wait_s(0.0) > 29
    limiter.failed(expected)
    assert limiter.wait_s(0.0) == 0.0


def test_after_a_refusal_requests_count_for_more_for_a_while() -> None:
    limiter = RateLimiter(None, 60_000)
    for _ in range(100):
        limiter.answered(limiter.take(1000, 0.0), 1000, 100)
    before = limiter.take(1000, 0.0)
    limiter.refused()
    assert limiter.take(1000, 0.0) > 1.4 * before
    for _ in range(1000):
        limiter.answered(limiter.take(1000, 0.0), 1000, 100)
    assert limiter.take(1000, 0.0) == pytest.approx(before, rel=0.05)


def test_a_hold_is_never_shortened() -> None:
    limiter = RateLimiter(None, None)
    limiter.hold(10.0, 0.0)
    limiter.hold(1.0, 0.0)
    assert limiter.wait_s(0.0) == 10.0


def test_refusals_of_one_round_trip_cut_the_window_once() -> None:
    window = AimdWindow(50)
    for _ in range(50):
        window.shrink(0.0, 1.0, 50)
    assert window.allowed == 35
    window.shrink(2.0, 3.0, 35)
    assert window.allowed == 24


def test_the_window_never_closes_and_opens_again_within_some_round_trips() -> None:
    window = AimdWindow(50)
    for n in range(30):
        window.shrink(float(n), float(n), 1)
    assert window.allowed == 1
    trips = 0
    while window.allowed < 50:
        for _ in range(window.allowed):
            window.grow()
        trips += 1
    assert trips <= 12


def test_a_first_refusal_asks_for_no_pause_and_further_ones_double_it() -> None:
    window = AimdWindow(8)
    pauses = [window.shrink(float(n), float(n), 8) for n in range(12)]
    assert pauses[:4] == [0.0, 0.5, 1.0, 2.0]
    assert max(pauses) == 30.0
    window.grow()
    assert window.shrink(100.0, 100.0, 8) == 0.0


@given(st.lists(st.sampled_from(["good", "bad"]), max_size=200), st.integers(1, 300))
def test_the_window_stays_between_one_and_its_most(events: list[str], most: int) -> None:
    window = AimdWindow(most)
    for time, event in enumerate(events):
        if event == "good":
            window.grow()
        else:
            window.shrink(float(time), float(time), window.allowed)
        assert 1 <= window.allowed <= most


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1.0), ("6m0s", 360.0), ("120ms", 0.12), ("1h2m3.5s", 3723.5), ("7.66s", 7.66), ("2", 2.0), ("1d", 86400.0)],
)
def test_time_spans_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "2026-11-23T00:00:00Z", "-5s", "1 week"])
def test_what_is_no_time_span_is_none(text: str) -> None:
    assert seconds_of(text) is None


def test_headers_are_read() -> None:
    headers = {
        "x-ratelimit-limit-requests": "600", "x-ratelimit-remaining-requests": "599", "x-ratelimit-reset-requests": "100ms",
        "x-ratelimit-remaining-tokens": "149984", "x-ratelimit-limit-tokens": "many",
    }  # fmt: skip
    assert limits_of(headers) == Limits(Quota(600.0, 599.0, 0.1), Quota(None, 149984.0, None))
    assert limits_of({"Content-Type": "application/json"}) is None


def test_a_reset_that_is_a_time_of_day_is_no_span() -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1795484590"}
    assert limits_of(headers) == Limits(Quota(None, 0.0, None), None)


def test_no_hold_is_longer_than_two_minutes() -> None:
    limiter = RateLimiter(None, None)
    limiter.observe(Limits(Quota(600, 0, 80_000.0), None), 0.0)
    assert limiter.wait_s(0.0) == 120.0


def test_speed_is_that_of_the_last_seconds() -> None:
    speed = Speed()
    assert speed.per_s(0, 0.0) == 0.0
    assert speed.per_s(50, 1.0) == 50.0
    for second in range(2, 60):
        last = speed.per_s(50 + (second - 1) * 10, float(second))
    assert last == pytest.approx(10.0)
