"""Failed calls in the engine: refusals of one request, empty answers, long waits, and prompts that are too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from curator.committee import engine_run
from curator.committee.engine_context import TemperatureRefused
from curator.committee.requests import CallFailed, ModelReply, ModelRequest, PlannedCall, RefusalCause
from curator.config import BudgetConfig
from curator.errors import NoAnswers, ProviderError
from curator.progress import Facts
from curator.records import Message, Usage
from tests.committee.test_engine import Bench, Client, bench, calls, echo

__all__ = ["bench"]
KNIFE = {"0", "1", "2", "3", "4", "5", "6"}


def repeats(count: int, times: int = 2) -> list[PlannedCall]:
    return [
        replace(call, request=replace(call.request, sample_index=index))
        for call in calls(count)
        for index in range(times)
    ]


def refusing(texts: set[str], cause: RefusalCause | None = "content_filter", message: str = "400 filtered") -> Client:
    async def answer(request: ModelRequest, before: int) -> ModelReply:
        if request.messages[0].content in texts:
            raise CallFailed("rejected", message, status=400, cause=cause)
        return ModelReply(f"answer {before}", "stop", Usage(10, 2))

    return Client(answer)


def empty(texts: Callable[[str], bool]) -> Client:
    async def answer(request: ModelRequest, before: int) -> ModelReply:
        if texts(request.messages[0].content):
            failed = CallFailed("rejected", "empty", cause="token_limit", reasoning_tokens=16)
            return ModelReply("", "length", Usage(10, 16), failure=failed)
        return await echo(request, before)

    return Client(answer)


async def test_a_refusal_costs_its_case_alone_also_as_the_first_requests(bench: Bench) -> None:
    client = refusing(KNIFE)
    result = await bench.run(calls(20), client)
    assert [g.case_id for g in result.generations if g.error] == [f"c{n}" for n in sorted(KNIFE)]
    assert max(client.asked.values()) == 1


async def test_all_samples_of_a_refused_prompt_are_one_request(bench: Bench) -> None:
    client = refusing({"0", "5"})
    await bench.run(repeats(8, 3), client, concurrency=1)
    assert (client.asked["0"], client.asked["5"]) == (1, 1)


async def test_a_refusal_is_remembered_until_the_prompt_or_the_limit_changes(bench: Bench) -> None:
    await bench.run(calls(5), refusing({"0"}))
    client = Client()
    again = await bench.run(calls(5), client)
    assert not client.asked
    assert "not asked again" in (again.generations[0].error or "")
    changed = calls(1)[0]
    for other in (
        replace(changed.request, max_tokens=99),
        replace(changed.request, messages=(Message("user", "0 again"),)),
    ):
        assert (await bench.run([replace(changed, request=other)], Client())).sent == 1


async def test_a_refusal_without_a_known_cause_is_asked_again(bench: Bench) -> None:
    await bench.run(calls(5), refusing({"3"}, cause=None, message="400 odd"))
    client = Client()
    assert (await bench.run(calls(5), client)).generations[3].error is None
    assert client.asked == {"3": 1}


async def test_an_endpoint_that_refuses_all_alike_ends_the_run_early(bench: Bench) -> None:
    client = refusing({str(n) for n in range(100)}, cause=None, message="400 Unsupported parameter")
    with pytest.raises(ProviderError, match="Unsupported parameter"):
        await bench.run(repeats(100), client)
    assert client.asked.total() <= 6


async def test_a_filtered_sample_costs_no_other_sample_and_is_paid(bench: Bench) -> None:
    async def answer(request: ModelRequest, before: int) -> ModelReply:
        if request.messages[0].content == "2" and not request.sample_index:
            failed = CallFailed("rejected", "a content filter took it", cause="content_filter")
            return ModelReply("", "content_filter", Usage(10, 3), failure=failed)
        return await echo(request, before)

    result = await bench.run(repeats(4), Client(answer), group_repeats=False)
    assert [g.error is None for g in result.generations].count(False) == 1
    assert result.usd == pytest.approx((8 * 10 * 1.0 + (7 * 2 + 3) * 10.0) / 1e6)


async def test_an_error_in_one_of_several_answers_is_tried_again_alone(bench: Bench) -> None:
    seen: list[int] = []

    async def answer(request: ModelRequest, before: int) -> ModelReply:
        seen.append(request.n)
        more = tuple(ModelReply(f"more {i}", "stop", None) for i in range(1, request.n))
        if request.n > 1:
            failed = CallFailed("retryable", "502 idle", status=502)
            more = (ModelReply("", "error", None, failure=failed), *more[1:])
        return ModelReply(f"text {len(seen)}", "stop", Usage(10, 2 * request.n), more=more)

    result = await bench.run(repeats(1, 4), Client(answer))
    assert not any(g.error for g in result.generations)
    assert seen == [1, 3, 1]


async def test_empty_answers_end_the_run_after_the_first_few_and_name_the_limit(bench: Bench) -> None:
    client = empty(lambda _: True)
    with pytest.raises(NoAnswers) as caught:
        await bench.run(repeats(500), client)
    assert client.asked.total() == 4
    assert "`committee.max_tokens: 16`" in caught.value.what
    assert "16 tokens" in caught.value.what
    assert "committee.max_tokens" in caught.value.remedy
    assert caught.value.exit_code == 5
    again = empty(lambda _: True)
    with pytest.raises(NoAnswers):
        await bench.run(repeats(500), again)
    assert not again.asked
    raised = [replace(call, request=replace(call.request, max_tokens=2000)) for call in repeats(5)]
    result = await bench.run(raised, Client())
    assert (result.sent, result.failed) == (10, 0)


async def test_some_empty_answers_are_failures_of_their_cases(bench: Bench) -> None:
    result = await bench.run(calls(30), empty(lambda text: int(text) % 3 == 0))
    assert [g.case_id for g in result.generations if g.error] == [f"c{n}" for n in range(0, 30, 3)]
    assert all("committee.max_tokens: 16" in g.error for g in result.generations if g.error)
    assert {f"c{n}" for n in range(30) if n % 3} == bench.stored(calls(30))
    client = Client()
    await bench.run(calls(30), client)
    assert not client.asked


async def test_one_long_case_does_not_end_the_run(bench: Bench) -> None:
    result = await bench.run(repeats(3, 6), empty(lambda text: text == "0"), group_repeats=False)
    assert result.failed == 6


@pytest.mark.parametrize(
    ("options", "max_tokens", "words"),
    [
        ({"max_tokens": None, "max_completion_tokens": 99}, 16, "`max_completion_tokens: 99`"),
        ({}, 7, "`max_tokens: 7` of the logged request"),
    ],
)
async def test_the_limit_is_named_where_it_is_set(
    bench: Bench, options: dict[str, Any], max_tokens: int, words: str
) -> None:
    planned = [replace(c, request=replace(c.request, options=options, max_tokens=max_tokens)) for c in repeats(9)]
    with pytest.raises(NoAnswers) as caught:
        await bench.run(planned, empty(lambda _: True))
    assert words in caught.value.what


async def test_a_days_quota_ends_the_run_at_once_and_keeps_what_is_there(bench: Bench) -> None:
    async def answer(request: ModelRequest, before: int) -> ModelReply:
        if int(request.messages[0].content) >= 3:
            raise CallFailed("retryable", "429 per day", status=429, retry_after_s=86_400.0)
        return await echo(request, before)

    client = Client(answer)
    with pytest.raises(ProviderError, match="24 h 0 min") as caught:
        await bench.run(calls(50), client, concurrency=1)
    assert caught.value.exit_code == 5
    assert client.asked.total() == 4
    assert bench.stored(calls(50)) == {"c0", "c1", "c2"}
    assert not [seconds for seconds in bench.slept if seconds > 10]


async def test_a_longer_patience_waits(bench: Bench) -> None:
    async def answer(request: ModelRequest, before: int) -> ModelReply:
        if not before:
            raise CallFailed("retryable", "429", status=429, retry_after_s=1_000.0)
        return await echo(request, before)

    result = await bench.run(calls(1), Client(answer), patience_s=1_000)
    assert result.failed == 0
    assert max(bench.slept) >= 1_000


async def test_a_wait_is_shown_while_it_lasts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from curator.committee.budget import Budget
    from curator.committee.endpoints import Endpoint
    from curator.committee.engine import sample
    from curator.config import ModelConfig
    from tests.committee.test_engine import PRICE, _nobody

    shown: list[tuple[str, Facts]] = []

    class Shows:
        def start(self, stage: str, *, total: int | None, unit: str) -> None: ...

        def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
            shown.append((note, facts or {}))

        def finish(self, note: str = "") -> None: ...

    async def answer(request: ModelRequest, before: int) -> ModelReply:
        raise CallFailed("retryable", "429 slow down", status=429, retry_after_s=60.0)

    monkeypatch.setattr(engine_run, "BEAT_S", 0.01)
    endpoints = {"small": Endpoint(ModelConfig(name="small", model="m"), PRICE, Client(answer))}
    run = asyncio.create_task(
        sample(calls(3), endpoints, store=bench.store, budget=Budget(BudgetConfig()), deliver=_nobody, progress=Shows())
    )
    async with asyncio.timeout(5):
        while not any(facts.get("waiting") for _, facts in shown):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    note, facts = next((note, facts) for note, facts in shown if facts.get("waiting"))
    assert "429 slow down" in note
    assert facts["errors"] == {"429": 1}
    [wait] = facts["waiting"]  # type: ignore[misc]
    assert wait["model"] == "small"  # type: ignore[index]
    assert 55 < wait["seconds"] <= 61  # type: ignore[index, operator]


def long_calls(count: int) -> list[PlannedCall]:
    text = "a long question about nothing " * 2_000
    return [
        replace(call, input_tokens=15_000, request=replace(call.request, messages=(Message("user", f"{n} {text}"),)))
        for n, call in enumerate(calls(count))
    ]


async def test_a_prompt_that_is_surely_too_long_is_not_sent(bench: Bench) -> None:
    client = Client()
    result = await bench.run([*long_calls(2), *calls(5, start=2)], client, context_window=4_000)
    assert client.asked.total() == 5
    assert [g.case_id for g in result.generations if g.error] == ["c0", "c1"]
    assert "4,000" in (result.generations[0].error or "")
    assert (await bench.run(long_calls(2), client, context_window=14_000)).failed == 0


async def test_the_endpoint_is_asked_once_how_long_a_prompt_may_be(bench: Bench) -> None:
    class Tells(Client):
        looks = 0

        async def context_window(self) -> int | None:
            self.looks += 1
            await asyncio.sleep(0)
            return 4_000

    client = Tells()
    await bench.run(calls(5), client)
    assert client.looks == 0
    result = await bench.run(long_calls(3), client)
    assert (result.failed, client.looks, client.asked.total()) == (3, 1, 5)


async def test_a_refused_temperature_is_still_found(bench: Bench) -> None:
    client = refusing({"0"}, cause=None, message="400 temperature")
    with pytest.raises(TemperatureRefused):
        await bench.run(calls(3), client)
