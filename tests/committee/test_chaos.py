"""The chaos of `benchmarks/engine/chaos.py` in small: its figures are the same ones, and here they must keep their limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from benchmarks.common import mock_server
from benchmarks.engine import interruptions, spending

if TYPE_CHECKING:
    from benchmarks.common.harness import Check


def missed(checks: Sequence[Check]) -> list[str]:
    return [check.line() for check in checks if check.missing]


def measured(checks: Sequence[Check], what: str) -> float:
    return next(check.measured for check in checks if check.what.startswith(what))


@pytest.mark.slow
def test_kills_lose_no_row_and_cost_at_most_what_is_in_flight() -> None:
    checks = interruptions.kills(interruptions.Storm(3, 300, in_flight=16))
    assert missed(checks) == []
    assert measured(checks, "kills that met a running child") == 3
    assert measured(checks, "billed without an answer") > 0


@pytest.mark.slow
def test_interrupts_pay_nothing_twice() -> None:
    checks = interruptions.interrupts(interruptions.Storm(3, 300, in_flight=16, timeout_s=0.4))
    assert missed(checks) == []
    assert measured(checks, "interrupts that met a running child") == 3
    assert measured(checks, "ended with 130") >= 2  # the last one may come when all is done


@pytest.mark.slow
def test_the_bill_never_exceeds_a_budget_and_is_the_ledgers() -> None:
    checks = spending.budgets(40, timeout_s=2.0)
    assert missed(checks) == []
    assert 5 < measured(checks, "of them reached") < 40
    assert measured(checks, "of them with requests that may have been billed") > 5


@pytest.mark.parametrize("status", ["401", "402", "quota"])
def test_a_refusal_for_good_ends_the_run_at_once(status: str) -> None:
    assert missed(spending.refusal(status, good=60, in_flight=16)) == []


def ask(mock: Any, number: int = 0, now: float = 0.0, **fields: object) -> Any:
    body = {"model": "m", "messages": [{"role": "user", "content": f"question {number}"}], "max_tokens": 64, **fields}
    return mock.handle(b"POST", b"/v1/chat/completions", orjson.dumps(body), now)


def content(reply: Any) -> Any:
    return orjson.loads(reply.data.partition(b"\r\n\r\n")[2])


def bill(mock: Any) -> Any:
    return content(mock.handle(b"GET", b"/bill", b"", 0.0))


def header(reply: Any, name: str) -> str:
    lines = reply.data.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)[name]


def make(**settings: object) -> Any:
    return mock_server.Mock(mock_server.Settings(**settings), 0.0)


def test_the_mock_answers_the_same_body_alike_and_every_choice_differently() -> None:
    one, other = content(ask(make(), n=3)), content(ask(make(), n=3))
    single = content(ask(make()))
    assert one == other
    assert len({choice["message"]["content"] for choice in one["choices"]}) == 3
    assert one["choices"][0] == single["choices"][0]
    assert one["usage"]["prompt_tokens"] == single["usage"]["prompt_tokens"]
    assert one["usage"]["completion_tokens"] > single["usage"]["completion_tokens"]


@pytest.mark.parametrize(
    ("fault", "billed"),
    [("hang", True), ("truncate", True), ("invalid", True), ("429", False), ("500", False)],
)
def test_the_mock_bills_what_a_model_has_answered(fault: str, *, billed: bool) -> None:
    mock = make(**{f"rate_{fault}": 1.0})
    reply = ask(mock)
    assert (reply is None) == (fault == "hang")
    assert bill(mock)["outcomes"].keys() == {"truncated" if fault == "truncate" else fault}
    assert (bill(mock)["picodollars"] > 0) == billed


def test_the_mocks_bill_is_the_usage_it_tells() -> None:
    mock = make(price_in=2.0, price_out=5.0)
    usages = [content(ask(mock, number))["usage"] for number in range(20)]
    assert len({(usage["prompt_tokens"], usage["completion_tokens"]) for usage in usages}) > 5
    expected = sum(2_000_000 * usage["prompt_tokens"] + 5_000_000 * usage["completion_tokens"] for usage in usages)
    assert bill(mock)["picodollars"] == expected
    assert len(bill(mock)["identities"]) == 20


@pytest.mark.parametrize(("limiter", "later"), [("bucket", 0.6), ("window", 6.0)])
def test_the_mock_limits_requests_and_says_so(limiter: str, later: float) -> None:
    mock = make(rpm=100, window_s=6.0, limiter=limiter)
    replies = [ask(mock, number) for number in range(11)]
    assert header(replies[0], "x-ratelimit-limit-requests") == "100"
    assert [header(reply, "x-ratelimit-remaining-requests") for reply in replies[:10]] == [
        str(n) for n in range(9, -1, -1)
    ]
    assert replies[10].data.startswith(b"HTTP/1.1 429")
    assert float(header(replies[10], "retry-after-ms")) == pytest.approx(later * 1000, abs=1)
    assert ask(mock, 11, now=later + 0.001).data.startswith(b"HTTP/1.1 200")
    assert bill(mock)["outcomes"] == {"ok": 11, "limited": 1}


def test_the_mock_limits_tokens_by_what_their_usage_says() -> None:
    used = content(ask(make()))["usage"]["total_tokens"]
    mock = make(tpm=used * 2.5, window_s=60.0)
    assert [ask(mock).data[9:12] for _ in range(3)] == [b"200", b"200", b"429"]
