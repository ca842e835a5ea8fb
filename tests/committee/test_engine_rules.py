"""The rules the engine goes by: request keys, backoff, cost bounds, and when an endpoint is past hope."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.committee.endpoints import (
    CircuitBreaker,
    asks_too_long,
    backoff_s,
    cost_bound,
    cost_usd,
    estimated_usage,
    provider_error,
)
from curator.committee.requests import CallFailed, FailureKind, ModelRequest, RefusalCause
from curator.config import ModelConfig, Price
from curator.progress import until
from curator.records import Message, ToolCall, Usage
from curator.records.spend import Spend

CONFIG = ModelConfig(name="small", model="small-1", base_url="http://127.0.0.1:1/v1", concurrency=3)
REQUEST = ModelRequest("openai:http://127.0.0.1:1/v1", "small-1", (Message("user", "hi"),), 0.8, 16)


def failed(kind: FailureKind = "retryable", status: int | None = None, wait: float | None = None) -> CallFailed:
    return CallFailed(kind, "no", status=status, retry_after_s=wait)


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "openai:http://127.0.0.1:2/v1"},
        {"model": "small-2"},
        {"messages": (Message("system", "hi"),)},
        {"messages": (Message("user", "hi "),)},
        {"messages": (Message("user", "hi"), Message("assistant", "", (ToolCall("1", "f", "{}"),)))},
        {"temperature": 0.7},
        {"max_tokens": 17},
        {"sample_index": 1},
        {"seed": 0},
        {"options": {"top_p": 0.9}},
        {"options": {"top_p": 0.8}},
        {"options": {"tools": [{"type": "function"}]}},
    ],
    ids=str,
)
def test_whatever_changes_the_answer_changes_the_key(change: dict[str, Any]) -> None:
    assert replace(REQUEST, **change).key != REQUEST.key


def test_the_key_does_not_depend_on_the_order_of_options() -> None:
    one = replace(REQUEST, options={"top_p": 0.9, "stop": ["a"]})
    other = replace(REQUEST, options={"stop": ["a"], "top_p": 0.9})
    assert one.key == other.key
    assert len(one.key) == 64


@pytest.mark.parametrize(("attempt", "chance", "wait"), [(1, 1.0, 1.0), (3, 0.5, 2.0), (10, 1.0, 30.0), (4, 0.0, 0.0)])
def test_backoff_doubles_up_to_its_cap(attempt: int, chance: float, wait: float) -> None:
    assert backoff_s(attempt, failed(), chance) == wait


def test_backoff_adds_to_what_the_endpoint_asks_for() -> None:
    assert backoff_s(1, failed(wait=7.0), 0.5) == 7.5


@pytest.mark.parametrize(("wait", "too_long"), [(None, False), (300.0, False), (301.0, True), (86_400.0, True)])
def test_a_longer_pause_than_the_patience_ends_the_run(wait: float | None, *, too_long: bool) -> None:
    assert asks_too_long(failed("retryable", 429, wait), CONFIG.patience_s) == too_long


def test_the_error_of_a_long_pause_says_until_when_and_how_to_wait() -> None:
    error = provider_error(CONFIG, "openai:x", failed("retryable", 429, 86_400.0), now=1_700_000_000.0)
    assert "24 h 0 min" in error.what
    assert until(1_700_086_400.0) in error.what
    assert "patience_s: 86400" in error.remedy


@given(st.text(max_size=50).map(lambda text: text * 10), st.integers(1, 50))
def test_the_bound_covers_a_token_a_byte(text: str, max_tokens: int) -> None:
    request = replace(REQUEST, messages=(Message("user", text),), max_tokens=max_tokens)
    bound = cost_bound(request, Price(input=1.0, output=2.0))
    worst = len(text.encode())
    assert bound.tokens > worst + max_tokens
    assert bound.picodollars > Spend.of(tokens=0, usd=cost_usd(worst, max_tokens, Price(input=1.0, output=2.0)))[1]


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({}, 16), ({"max_tokens": 900}, 900), ({"max_tokens": None, "max_completion_tokens": 8000}, 8000),
        ({"max_completion_tokens": 4}, 16),
    ],
)  # fmt: skip
def test_the_bound_counts_the_limit_that_is_sent(options: dict[str, Any], limit: int) -> None:
    plain = replace(REQUEST, max_tokens=16, options=options)
    assert plain.output_limit == limit
    assert cost_bound(plain, Price(input=0, output=1)).picodollars == limit * 10**6
    assert cost_bound(replace(plain, n=3), Price(input=0, output=1)).picodollars == 3 * limit * 10**6


def test_the_bound_counts_tools() -> None:
    tools = replace(REQUEST, options={"tools": [{"name": "x" * 1000}]})
    call = replace(REQUEST, messages=(Message("assistant", "", (ToolCall("1", "f", "y" * 1000),)),))
    for request in (tools, call):
        assert cost_bound(request, Price(input=0, output=0)).tokens > 1000


def test_a_missing_usage_is_estimated_and_flagged() -> None:
    assert estimated_usage(12, ["four" * 3 + "x"]) == Usage(12, 4, estimated=True)


def hopeless(
    breaker: CircuitBreaker, failure: CallFailed, attempt: int = 1, *, given_up: bool = False, case_id: str = "c"
) -> bool:
    return breaker.trips(failure, attempt, CONFIG, given_up=given_up, case_id=case_id)


def test_a_terminal_failure_ends_all_hope_at_once() -> None:
    breaker = CircuitBreaker()
    breaker.answered()
    assert hopeless(breaker, failed("terminal", 401))


def test_nobody_there_ends_hope_with_the_third_try() -> None:
    breaker = CircuitBreaker()
    assert [hopeless(breaker, failed(), attempt) for attempt in (1, 1, 2, 3)] == [False, False, False, True]


@pytest.mark.parametrize("first", [failed("retryable", 503), failed("ambiguous")], ids=["status", "timeout"])
def test_who_has_replied_once_is_there(first: CallFailed) -> None:
    breaker = CircuitBreaker()
    assert not hopeless(breaker, first)
    assert not hopeless(breaker, failed(), 3)


@pytest.mark.parametrize("kind", ["rejected", "ambiguous", "retryable"])
def test_five_given_up_before_the_first_answer_end_hope(kind: FailureKind) -> None:
    breaker = CircuitBreaker()
    seen = [hopeless(breaker, failed(kind, 400), given_up=True, case_id=f"c{n}") for n in range(5)]
    assert seen == [False, False, False, False, True]


def refused(message: str, cause: RefusalCause | None = None) -> CallFailed:
    return CallFailed("rejected", message, status=400, cause=cause)


def test_refusals_of_one_case_do_not_end_hope() -> None:
    breaker = CircuitBreaker()
    assert not any(hopeless(breaker, refused("400 no"), given_up=True) for _ in range(100))


def test_only_refusals_that_say_the_same_end_hope() -> None:
    breaker = CircuitBreaker()
    words = ["a bad date", "a bad name", "no such tool", "an odd role", "an empty turn", "a missing id"]
    assert not any(hopeless(breaker, refused(w), given_up=True, case_id=w) for w in words)
    same = [hopeless(breaker, refused(f"400 bad field, request {n}"), given_up=True, case_id=f"c{n}") for n in range(5)]
    assert same == [False] * 4 + [True]


def test_refusals_for_what_a_request_holds_end_hope_only_after_very_many() -> None:
    breaker = CircuitBreaker()
    seen = [
        hopeless(breaker, refused("400 filtered", "content_filter"), given_up=True, case_id=f"c{n}") for n in range(200)
    ]
    assert seen == [False] * 199 + [True]


def test_after_an_answer_refused_requests_never_end_hope() -> None:
    breaker = CircuitBreaker()
    breaker.answered()
    assert not any(hopeless(breaker, failed("rejected", 400), given_up=True) for _ in range(100))


def test_after_an_answer_an_outage_ends_hope_but_single_failures_do_not() -> None:
    breaker = CircuitBreaker()
    breaker.answered()
    assert not any(hopeless(breaker, failed("retryable", 503), given_up=True) for _ in range(7))
    assert hopeless(breaker, failed("retryable", 503), given_up=True)
    breaker.answered()
    assert not hopeless(breaker, failed("retryable", 503), given_up=True)


@pytest.mark.parametrize(
    ("failure", "config", "advice"),
    [
        (failed("terminal", 401), CONFIG, "api_key_env"),
        (failed("terminal", 401), CONFIG.model_copy(update={"api_key_env": "SMALL_KEY"}), "SMALL_KEY"),
        (failed("terminal", 403), ModelConfig(name="o", model="o-1"), "OPENAI_API_KEY"),
        (failed("terminal", 402), CONFIG, "credit"),
        (failed("terminal", 429), CONFIG, "credit"),
        (failed("terminal", 404), CONFIG, "small-1"),
        (failed("retryable"), CONFIG, "server runs"),
        (failed("ambiguous"), CONFIG, "timeout_s: 120"),
        (failed("rejected", 400), CONFIG, "change the setting that the message names"),
    ],
)
def test_the_error_names_model_endpoint_and_what_to_do(failure: CallFailed, config: ModelConfig, advice: str) -> None:
    error = provider_error(config, REQUEST.endpoint, failure, now=0.0)
    assert repr(config.name) in error.what
    assert REQUEST.endpoint in error.what
    assert advice in error.remedy
    assert "run again" in error.remedy
