"""Batch mode against a real local server with OpenAI's files and batches, which counts every line that it bills."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import signal
import sqlite3
import sys
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from curator.committee.batch.api import BatchApi, BatchEndpoint, FileLimits, open_batch_client
from curator.committee.batch.runner import CallsOf, answer_in_batches
from curator.committee.budget import Budget
from curator.committee.clock import Clock
from curator.committee.endpoints import cost_bound
from curator.committee.engine import sample
from curator.committee.prices import batch_price
from curator.committee.requests import ModelRequest, PlannedCall
from curator.config import BudgetConfig, ModelConfig, Price
from curator.errors import BudgetReached, ProviderError, RunLocked
from curator.progress import Facts
from curator.records import Generation, Member, Message, Usage
from curator.records.spend import Spend
from curator.state.batches import BatchCall, BatchRows
from curator.state.generations import GenerationStore

CANARY = "sk-canary-4f1d9a7b2c"
PRICE = batch_price(Price(input=1.0, output=10.0))
ANSWER_USD = (10 * PRICE.input + 2 * PRICE.output) / 1e6
STEPS = ("validating", "in_progress", "finalizing")
MEMBER = Member("small/plain/t0.8", "small", "plain", 0.8, 16)


@dataclass
class Provider:
    """Files and batches as OpenAI has them; a batch moves on by a step whenever somebody asks for it."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    names: Iterator[int] = field(default_factory=itertools.count)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    billed: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    routes: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    # What goes wrong, in the order in which batches are made or asked for.
    ends: list[str] = field(default_factory=list)
    creates: list[str] = field(default_factory=list)
    polls: list[int] = field(default_factory=list)
    faults: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    damage: list[Callable[[bytes], bytes]] = field(default_factory=list)
    cut_downloads: int = 0
    short_downloads: int = 0
    hold: bool = False
    room: int = 1_000_000
    usage: bool = True
    before: Callable[[int], None] = lambda count: None
    after: Callable[[int], None] = lambda count: None

    @web.middleware
    async def watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.routes.append(f"{request.method} {request.path.removeprefix('/v1')}")
        self.keys.add(request.headers.get("Authorization", ""))
        count = len(self.routes)
        self.before(count)
        await asyncio.sleep(0)
        response: web.StreamResponse = await handler(request)
        self.after(count)
        await asyncio.sleep(0)
        return response

    async def upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        name = f"file-{next(self.names)}"
        self.files[name] = form["file"].file.read()
        return web.json_response({"id": name, "object": "file", "purpose": "batch"})

    async def create(self, request: web.Request) -> web.Response:
        fault = self.creates.pop(0) if self.creates else ""
        if fault.isdigit():
            return web.json_response(
                {"error": {"message": f"said {request.headers['Authorization']}"}}, status=int(fault)
            )
        body = await request.json()
        assert (body["endpoint"], body["completion_window"]) == ("/v1/chat/completions", "24h")
        name = f"batch_{len(self.batches)}"
        lines = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
        self.asked.update(content_of(line) for line in lines)
        self.batches[name] = {
            "id": name, "object": "batch", "status": "validating", "created_at": 1000, "lines": lines,
            "metadata": body["metadata"], "end": self.ends.pop(0) if self.ends else "completed",
        }  # fmt: skip
        if fault == "lost":
            return web.json_response({"error": {"message": "upstream"}}, status=502)
        if fault == "html":
            return web.Response(text="<html>", content_type="text/html")
        return web.json_response(self.shown(name))

    async def retrieve(self, request: web.Request) -> web.Response:
        if self.polls:
            return web.json_response({"error": {"message": "no"}}, status=self.polls.pop(0))
        name = request.match_info["id"]
        if name not in self.batches:
            return web.json_response({"error": {"message": "No batch"}}, status=404)
        answer = self.shown(name)
        self.move_on(self.batches[name])
        return web.json_response(answer)

    async def list(self, request: web.Request) -> web.Response:
        names = sorted(self.batches, key=lambda name: -int(name.split("_")[1]))
        after = request.query.get("after")
        start = names.index(after) + 1 if after else 0
        page = names[start : start + 2]  # small pages, whatever was asked for
        more = start + 2 < len(names)
        return web.json_response({"object": "list", "data": [self.shown(n) for n in page], "has_more": more})

    async def content(self, request: web.Request) -> web.StreamResponse:
        body = self.files.get(request.match_info["id"])
        if body is None:
            return web.json_response({"error": {"message": "No such file"}}, status=404)
        if self.cut_downloads:
            self.cut_downloads -= 1
            cut = web.StreamResponse(headers={"Content-Length": str(len(body))})
            await cut.prepare(request)
            await cut.write(body[: len(body) // 2])
            assert request.transport is not None
            request.transport.close()
            return cut
        if self.short_downloads:
            self.short_downloads -= 1
            return web.Response(body=body[:-30])
        return web.Response(body=body)

    def shown(self, name: str) -> dict[str, Any]:
        return {k: v for k, v in self.batches[name].items() if k not in {"lines", "end"}}

    def move_on(self, batch: dict[str, Any]) -> None:
        status, end = batch["status"], batch["end"]
        if status not in STEPS or (self.hold and status == "in_progress"):
            return
        if status == "validating" and (end.startswith("failed") or self.lines_open() > self.room):
            code = end.partition(":")[2] or "token_limit_exceeded"
            batch["errors"] = {"object": "list", "data": [{"code": code, "message": f"{code}: Enqueued {CANARY}"}]}
            batch["status"] = "failed"
        elif status == "finalizing":
            self.finish(batch, end)
        else:
            batch["status"] = STEPS[STEPS.index(status) + 1]

    def lines_open(self) -> int:
        return sum(len(b["lines"]) for b in self.batches.values() if b["status"] in STEPS)

    def finish(self, batch: dict[str, Any], end: str) -> None:
        status, _, count = end.partition(":")
        done = int(count) if count else len(batch["lines"])
        answers, errors = [], []
        for line in batch["lines"][:done]:
            fault = self.faults.get(content_of(line))
            if fault:
                errors.append({"id": "r", "custom_id": line["custom_id"], **fault.pop(0)})
            else:
                self.billed[content_of(line)] += 1
                answers.append(answer_to(line, usage=self.usage))
        for line in batch["lines"][done:]:
            gone = {"code": f"batch_{status}", "message": "This request could not be executed in time."}
            errors.append({"id": "r", "custom_id": line["custom_id"], "response": None, "error": gone})
        for role, lines in (("output", answers), ("error", errors)):
            if lines:
                name = f"file-{next(self.names)}"
                body = b"".join(json.dumps(line).encode() + b"\n" for line in reversed(lines))  # in any order
                self.files[name] = self.damage.pop(0)(body) if self.damage and role == "output" else body
                batch[f"{role}_file_id"] = name
        batch["status"] = status
        batch[f"{status}_at"] = 1060


def content_of(line: Mapping[str, Any]) -> str:
    return str(line["body"]["messages"][0]["content"])


def answer_to(line: Mapping[str, Any], *, usage: bool) -> dict[str, Any]:
    message = {"role": "assistant", "content": f"answer to {content_of(line)}"}
    body: dict[str, Any] = {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
    if usage:
        body["usage"] = {"prompt_tokens": 10, "completion_tokens": 2}
    response = {"status_code": 200, "request_id": "x", "body": body}
    return {"id": "r", "custom_id": line["custom_id"], "response": response, "error": None}


def refused(status: int, code: str = "", message: str = "no") -> dict[str, Any]:
    body = {"error": {"message": message, "code": code}}
    return {"response": {"status_code": status, "request_id": "x", "body": body}, "error": None}


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider()
    app = web.Application(client_max_size=2**26, middlewares=[made.watch])
    app.router.add_post("/v1/files", made.upload)
    app.router.add_get("/v1/files/{id}/content", made.content)
    app.router.add_post("/v1/batches", made.create)
    app.router.add_get("/v1/batches", made.list)
    app.router.add_get("/v1/batches/{id}", made.retrieve)
    server = TestServer(app)
    await server.start_server()
    made.url = str(server.make_url("/v1"))
    yield made
    await server.close()


class Heard:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0
        self.notes: list[str] = []
        self.facts: list[Facts] = []

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        self.total = total

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
        self.done += count
        self.notes.append(note)
        self.facts.append(facts or {})

    def finish(self, note: str = "") -> None:
        self.notes.append(note)


@dataclass
class Desk:
    """One run after the other on one store, each with a store object, a budget and a client of its own."""

    provider: Provider
    path: Path
    config: ModelConfig
    limits: FileLimits = field(default_factory=lambda: FileLimits(lines=4))
    budget: Budget = field(default_factory=lambda: Budget(BudgetConfig()))
    heard: Heard = field(default_factory=Heard)
    naps: list[float] = field(default_factory=list)

    def calls(self, count: int) -> list[PlannedCall]:
        address = f"openai:{self.provider.url}"
        return [
            PlannedCall(f"c{n}", MEMBER, ModelRequest(address, "m", (Message("user", f"q{n}"),), 0.8, 16), 5)
            for n in range(count)
        ]

    async def run(self, count: int, **limits: Any) -> Mapping[str, str]:
        self.budget, self.heard, self.naps = Budget(BudgetConfig(**limits)), Heard(), []

        async def nap(seconds: float) -> None:
            self.naps.append(seconds)
            await asyncio.sleep(0)

        clock = Clock(monotonic=lambda: 0.0, now=lambda: 2000.0, sleep=nap, random=lambda: 0.5)
        with GenerationStore(self.path) as store:
            async with open_batch_client(self.config, {"K": CANARY}) as client:
                endpoint = BatchEndpoint(self.config, PRICE, client, self.limits)
                errors = await answer_in_batches(
                    self.calls(count), endpoint, store=store, budget=self.budget, progress=self.heard, clock=clock
                )
        assert self.budget._held == [0, 0]  # every bound was settled, and once
        return errors

    def texts(self, count: int) -> dict[str, str]:
        with GenerationStore(self.path) as store:
            found = store.get_many([call.request.key for call in self.calls(count)])
        return {c.case_id: found[c.request.key].text for c in self.calls(count) if c.request.key in found}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query).fetchall()

    def key(self, n: int) -> str:
        return self.calls(n + 1)[n].request.key


@pytest.fixture
def desk(provider: Provider, tmp_path: Path) -> Desk:
    config = ModelConfig(name="small", model="m", base_url=provider.url, api_key_env="K", mode="batch", max_tries=3)
    return Desk(provider, tmp_path / "store.sqlite", config)


def all_answered(count: int) -> dict[str, str]:
    return {f"c{n}": f"answer to q{n}" for n in range(count)}


def once_each(count: int) -> Counter[str]:
    return Counter(f"q{n}" for n in range(count))


async def test_every_call_is_answered_stored_and_paid_at_the_batch_price(desk: Desk, provider: Provider) -> None:
    assert await desk.run(10) == {}
    assert desk.texts(10) == all_answered(10)
    assert provider.billed == once_each(10)
    assert [len(batch["lines"]) for batch in provider.batches.values()] == [4, 4, 2]
    with GenerationStore(desk.path) as store:
        reply = store.get_many([desk.key(3)])[desk.key(3)]
    assert (reply.usage, reply.finish_reason, reply.model) == (Usage(10, 2), "stop", "m")
    assert (reply.cost_usd, reply.latency_s, reply.created_at) == (pytest.approx(ANSWER_USD), 60.0, 2000.0)
    ledger = desk.budget.ledger
    assert (ledger.requests, ledger.tokens, ledger.unconfirmed_usd) == (10, 120, 0.0)
    assert ledger.usd == pytest.approx(10 * ANSWER_USD)
    assert desk.rows("SELECT count(*) FROM batch WHERE ended_at IS NULL OR id IS NULL") == [(0,)]
    assert desk.rows("SELECT count(*) FROM batch_call") == [(0,)]


async def test_a_line_is_the_plans_request_under_its_key(desk: Desk, provider: Provider) -> None:
    await desk.run(1)
    [line] = provider.batches["batch_0"]["lines"]
    assert line == {
        "custom_id": desk.key(0),
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "m", "messages": [{"role": "user", "content": "q0"}], "temperature": 0.8, "max_tokens": 16},
    }
    assert provider.keys == {f"Bearer {CANARY}"}


async def test_no_proxy_stands_before_this_machine(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert await desk.run(1) == {}


async def test_a_file_keeps_to_its_size(desk: Desk, provider: Provider) -> None:
    await desk.run(1)
    size = len(provider.files["file-0"])
    desk.limits = FileLimits(size=3 * size)
    await desk.run(8)
    assert [len(batch["lines"]) for batch in provider.batches.values()] == [1, 3, 3, 1]
    assert desk.texts(8) == all_answered(8)


async def test_a_second_run_hands_in_nothing(desk: Desk, provider: Provider) -> None:
    await desk.run(6)
    provider.routes.clear()
    assert await desk.run(6) == {}
    assert provider.routes == []
    assert desk.budget.ledger.requests == 0
    assert (desk.heard.done, desk.heard.total) == (6, 6)


async def test_a_question_that_stands_twice_in_the_plan_is_asked_once(desk: Desk, provider: Provider) -> None:
    plain = desk.calls
    desk.calls = lambda count: [*plain(count), *plain(count), *plain(count)]  # type: ignore[method-assign]
    await desk.run(6)  # the file is handed in between one occurrence and the next
    assert provider.asked == once_each(6)
    desk.calls = lambda count: [*plain(count), *plain(count)]  # type: ignore[method-assign]
    desk.limits = FileLimits()
    await desk.run(600)  # more than is looked up at a time, and the file not yet handed in
    assert provider.asked == once_each(600)


async def test_the_wait_grows_and_progress_tells_what_is_open(desk: Desk, provider: Provider) -> None:
    await desk.run(5)
    assert desk.naps == [5.0, 7.5, 11.25, 5.0]  # shorter again once one has ended
    assert "2 batches open, 0 of 5 answered" in desk.heard.notes
    assert {"batches_open": 2, "answered": 0, "failed": 0} in desk.heard.facts
    assert desk.heard.notes[-1] == "5 answered in batches, 0 failed"
    assert desk.heard.done == 5


async def test_the_wait_grows_up_to_a_minute(desk: Desk, provider: Provider) -> None:
    provider.hold = True

    def let_go(count: int) -> None:
        provider.hold = count < 15

    provider.before = let_go
    await desk.run(1)
    assert desk.naps[5:9] == [pytest.approx(37.96875), pytest.approx(56.953125), 60.0, 60.0]


async def test_failed_lines_are_handed_in_again_refused_ones_are_not(desk: Desk, provider: Provider) -> None:
    provider.faults = {
        "q0": [refused(429)],
        "q1": [refused(500), refused(503)],
        "q2": [refused(400, message="too long")],
        "q3": [refused(500, message="boom")] * 9,
    }
    errors = await desk.run(6)
    assert errors == {desk.key(2): "400 too long", desk.key(3): "500 boom"}
    assert provider.asked == Counter(q0=2, q1=3, q2=1, q3=3, q4=1, q5=1)
    assert desk.texts(6) == {k: v for k, v in all_answered(6).items() if k not in {"c2", "c3"}}
    assert desk.budget.ledger.usd == pytest.approx(4 * ANSWER_USD)
    assert desk.budget.ledger.unconfirmed_usd == 0


async def test_sampling_then_finds_the_answers_and_asks_nothing_live(desk: Desk, provider: Provider) -> None:
    provider.faults = {"q2": [refused(400, message="too long")]}
    errors = await desk.run(4)
    provider.routes.clear()
    found: dict[str, Generation] = {}
    with GenerationStore(desk.path) as store:
        sampled = await sample(
            desk.calls(4), {}, store=store, budget=Budget(BudgetConfig(max_requests=0)), given_up=errors,
            deliver=lambda call, generation: found.update({call.case_id: generation}),
        )  # fmt: skip
    answers = [found[f"c{n}"] for n in range(4)]
    assert [g.text for g in answers] == ["answer to q0", "answer to q1", "", "answer to q3"]
    assert answers[2].error == "400 too long"
    assert (sampled.from_store, sampled.failed, sampled.usd) == (3, 1, 0.0)
    assert provider.routes == []


@pytest.mark.parametrize(("status", "code"), [(401, ""), (429, "insufficient_quota"), (404, "model_not_found")])
async def test_a_line_that_says_that_all_is_in_vain_ends_the_run(
    desk: Desk, provider: Provider, status: int, code: str
) -> None:
    provider.faults = {"q1": [refused(status, code)]}
    with pytest.raises(ProviderError, match=f"'small' at openai:.*{status} no"):
        await desk.run(3)
    assert desk.texts(3) == {"c0": "answer to q0", "c2": "answer to q2"}  # what was paid for is kept
    assert await desk.run(3) == {}
    assert provider.billed == once_each(3)


@pytest.mark.parametrize("end", ["expired", "cancelled"])
async def test_what_a_batch_did_not_get_to_is_handed_in_again(desk: Desk, provider: Provider, end: str) -> None:
    provider.ends = [f"{end}:1"]
    assert await desk.run(4) == {}
    assert desk.texts(4) == all_answered(4)
    assert provider.billed == once_each(4)
    assert provider.asked == Counter(q0=1, q1=2, q2=2, q3=2)
    assert desk.budget.ledger.usd == pytest.approx(4 * ANSWER_USD)


async def test_a_batch_that_expires_every_time_is_given_up(desk: Desk, provider: Provider) -> None:
    provider.ends = ["expired:0"] * 9
    errors = await desk.run(2)
    assert set(errors) == {desk.key(0), desk.key(1)}
    assert "could not be executed" in errors[desk.key(0)]
    assert provider.asked == Counter(q0=3, q1=3)


def cut(body: bytes) -> bytes:
    return body[:-30]


async def test_a_damaged_file_costs_its_lost_line_one_more_try(desk: Desk, provider: Provider) -> None:
    provider.damage = [cut]
    assert await desk.run(3) == {}
    assert desk.texts(3) == all_answered(3)
    assert provider.billed == Counter(q0=2, q1=1, q2=1)  # the answer to q0 stood last and is lost
    ledger = desk.budget.ledger
    bound = cost_bound(desk.calls(1)[0].request, PRICE)
    assert ledger.unconfirmed_tokens == bound.tokens
    assert ledger.usd == pytest.approx(3 * ANSWER_USD)


async def test_a_line_that_is_lost_twice_is_not_paid_for_a_third_time(desk: Desk, provider: Provider) -> None:
    provider.damage = [cut] * 9
    errors = await desk.run(1)
    assert list(errors) == [desk.key(0)]
    assert provider.billed == Counter(q0=2)


async def test_a_completed_batch_that_leaves_a_line_out_may_have_billed_it(desk: Desk, provider: Provider) -> None:
    provider.damage = [lambda body: body.split(b"\n", 1)[1]]
    await desk.run(2)
    assert desk.budget.ledger.unconfirmed_tokens == cost_bound(desk.calls(1)[0].request, PRICE).tokens
    assert desk.texts(2) == all_answered(2)


async def test_results_that_the_provider_has_deleted_may_have_been_billed(desk: Desk, provider: Provider) -> None:
    def gone(count: int) -> None:
        if provider.batches.get("batch_0", {}).get("output_file_id"):
            provider.files.pop(provider.batches["batch_0"]["output_file_id"], None)

    provider.before = gone
    assert await desk.run(1) == {}
    assert provider.billed == Counter(q0=2)
    assert desk.budget.ledger.unconfirmed_tokens > 0


async def test_a_download_that_breaks_off_is_fetched_again(desk: Desk, provider: Provider) -> None:
    provider.cut_downloads = 2
    assert await desk.run(3) == {}
    assert provider.billed == once_each(3)
    assert desk.texts(3) == all_answered(3)


async def test_a_file_that_came_down_damaged_is_fetched_once_more(desk: Desk, provider: Provider) -> None:
    provider.short_downloads = 1
    assert await desk.run(3) == {}
    assert provider.billed == once_each(3)
    assert desk.budget.ledger.unconfirmed_usd == 0


async def test_an_answer_that_somebody_else_stored_meanwhile_holds_nothing_back(desk: Desk, provider: Provider) -> None:
    row = (bytes.fromhex(desk.key(0)), "m", "theirs", None, 1, 1, 0, None, 0.0, 0.0, 0.0)

    def buy(count: int) -> None:
        if provider.batches:
            with closing(sqlite3.connect(desk.path)) as store, store:
                store.execute("INSERT OR IGNORE INTO generation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    provider.before = buy
    assert await desk.run(2) == {}  # which looks that every bound was settled
    assert desk.texts(2) == {"c0": "theirs", "c1": "answer to q1"}


async def test_an_answer_without_usage_is_estimated(desk: Desk, provider: Provider) -> None:
    provider.usage = False
    await desk.run(1)
    with GenerationStore(desk.path) as store:
        reply = store.get_many([desk.key(0)])[desk.key(0)]
    assert reply.usage == Usage(5, 3, estimated=True)  # the plan's five, and four bytes a token


async def test_a_refused_batch_ends_the_run_with_the_providers_words(desk: Desk, provider: Provider) -> None:
    provider.ends = ["failed:invalid_json_line"]
    with pytest.raises(ProviderError, match=r"a batch was refused: invalid_json_line: Enqueued \[key\]"):
        await desk.run(2)
    assert await desk.run(2) == {}  # the refused batch is not open any more
    assert provider.billed == once_each(2)


async def test_where_the_provider_is_full_the_rest_waits(desk: Desk, provider: Provider) -> None:
    provider.room = 8
    assert await desk.run(24) == {}
    assert provider.billed == once_each(24)
    assert desk.texts(24) == all_answered(24)
    assert desk.budget.ledger.usd == pytest.approx(24 * ANSWER_USD)


async def test_where_even_one_batch_is_too_large_smaller_ones_are_made(desk: Desk, provider: Provider) -> None:
    provider.room = 1
    assert await desk.run(5) == {}
    assert provider.billed == once_each(5)


async def test_where_not_even_one_call_has_room_the_run_ends(desk: Desk, provider: Provider) -> None:
    provider.room = 0
    with pytest.raises(ProviderError, match=r"no room for even one call: token_limit_exceeded"):
        await desk.run(5)
    assert desk.rows("SELECT count(*) FROM batch_call") == [(0,)]


async def test_too_many_requests_for_new_batches_are_waited_out(desk: Desk, provider: Provider) -> None:
    provider.creates = ["429"]
    assert await desk.run(4) == {}
    assert "GET /batches" not in provider.routes  # it was refused for sure
    assert provider.billed == once_each(4)


@pytest.mark.parametrize("fault", ["lost", "html"])
async def test_a_batch_that_was_made_without_our_hearing_of_it_is_found(
    desk: Desk, provider: Provider, fault: str
) -> None:
    provider.creates = ["", fault]
    assert await desk.run(12) == {}
    assert provider.asked == provider.billed == once_each(12)
    assert "GET /batches" in provider.routes


async def test_a_batch_that_was_not_made_is_made_again(desk: Desk, provider: Provider) -> None:
    provider.creates = ["500"]
    assert await desk.run(2) == {}
    assert provider.asked == once_each(2)


async def test_a_provider_that_makes_no_batch_ends_the_run_and_the_next_one_looks_first(
    desk: Desk, provider: Provider
) -> None:
    provider.creates = ["500"] * 3
    with pytest.raises(ProviderError, match="500 said Bearer"):
        await desk.run(2)
    assert desk.rows("SELECT count(*) FROM batch WHERE ended_at IS NULL AND id IS NULL") == [(1,)]
    provider.routes.clear()
    assert await desk.run(2) == {}
    assert provider.routes[0] == "GET /batches"
    assert provider.billed == once_each(2)


async def test_some_missed_polls_are_no_end_many_are(desk: Desk, provider: Provider) -> None:
    provider.polls = [500, 503, 429, 502]
    assert await desk.run(2) == {}
    provider.polls = [500] * 40
    with pytest.raises(ProviderError, match="500 no"):
        await desk.run(3)
    provider.polls = []
    assert await desk.run(3) == {}
    assert provider.billed == once_each(3)


async def test_a_batch_that_the_key_cannot_see_is_not_paid_for_again(desk: Desk, provider: Provider) -> None:
    provider.hold = True
    await interrupted(desk, 2, at="GET /batches/batch_0")
    hidden = provider.batches.pop("batch_0")
    with pytest.raises(ProviderError, match=r"batch 'batch_0' is not known there") as caught:
        await desk.run(2)
    assert "the key of the project" in caught.value.remedy
    provider.batches["batch_0"], provider.hold = hidden, False
    assert await desk.run(2) == {}
    assert provider.billed == once_each(2)


async def interrupted(desk: Desk, count: int, *, at: str) -> None:
    """A run that is cancelled when the route is asked for the second time."""
    provider = desk.provider
    run = asyncio.ensure_future(desk.run(count))

    def stop(_: int) -> None:
        if provider.routes.count(at) == 2:
            run.cancel()

    provider.before = stop
    with pytest.raises(asyncio.CancelledError):
        await run
    provider.before = lambda _: None


async def test_an_interrupted_run_leaves_its_batches_open_and_the_next_one_collects_them(
    desk: Desk, provider: Provider
) -> None:
    provider.hold = True
    await interrupted(desk, 6, at="GET /batches/batch_1")
    assert "2 batches open at the provider, which the next run collects" in desk.heard.notes[-1]
    assert provider.billed == Counter()
    provider.hold = False
    assert await desk.run(8) == {}  # two calls came on top
    assert provider.asked == provider.billed == once_each(8)
    assert desk.texts(8) == all_answered(8)
    assert desk.budget.ledger.usd == pytest.approx(8 * ANSWER_USD)
    assert desk.heard.done == 8


async def test_what_is_open_counts_as_reserved_in_the_next_run(desk: Desk, provider: Provider) -> None:
    provider.hold = True
    await interrupted(desk, 4, at="GET /batches/batch_0")
    bound = cost_bound(desk.calls(1)[0].request, PRICE)
    seen: list[int] = []

    def let_go(_: int) -> None:
        seen.append(len(provider.batches))
        provider.hold = len(seen) < 5

    provider.before = let_go
    assert await desk.run(5, max_usd=4.5 * bound.picodollars / 1e12) == {}
    assert seen[:6] == [1] * 6  # the fifth call waits until the first four are settled
    assert provider.asked == provider.billed == once_each(5)


def crash(*_: object) -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize(("owner", "method", "made"), [(BatchApi, "create", 0), (BatchRows, "set_id", 1)])
async def test_a_crash_while_a_batch_is_handed_in(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, made: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(owner, method, crash)
        with pytest.raises(asyncio.CancelledError):
            await desk.run(3)
    assert len(provider.batches) == made
    assert desk.rows("SELECT id, ended_at FROM batch") == [(None, None)]
    assert desk.rows("SELECT count(*) FROM batch_call") == [(3,)]
    assert await desk.run(3) == {}
    assert provider.asked == provider.billed == once_each(3)
    assert len(provider.batches) == 1
    assert desk.texts(3) == all_answered(3)


@pytest.mark.slow
async def test_wherever_a_run_stops_the_next_one_pays_nothing_twice(desk: Desk, provider: Provider) -> None:
    """Stopped before and after each of its requests in turn, on the same provider, with six new calls every time."""
    count, stopped = 0, 0
    for moment in range(1, 22):
        for when in ("before", "after"):
            count += 3
            run = asyncio.ensure_future(desk.run(count))
            start = len(provider.routes)
            setattr(provider, when, lambda n, run=run, at=start + moment: n == at and run.cancel())
            try:
                await run
            except asyncio.CancelledError:
                stopped += 1
            setattr(provider, when, lambda n: None)
    assert stopped > 25
    assert await desk.run(count) == {}
    assert provider.billed == provider.asked == once_each(count)
    assert desk.texts(count) == all_answered(count)


async def test_a_run_killed_while_it_collects_settles_only_the_rest(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(BatchRows, "end", crash)
        with pytest.raises(asyncio.CancelledError):
            await desk.run(2)
    assert desk.texts(2) == all_answered(2)
    assert await desk.run(3) == {}
    assert desk.budget.ledger.usd == pytest.approx(ANSWER_USD)  # the first two were paid for by the first run
    assert provider.asked == once_each(3)


async def test_a_budget_lets_in_what_fits_and_goes_on_as_it_settles(desk: Desk, provider: Provider) -> None:
    usd = cost_bound(desk.calls(1)[0].request, PRICE).picodollars / 1e12
    assert await desk.run(6, max_usd=2.5 * usd) == {}
    assert [len(batch["lines"]) for batch in provider.batches.values()] == [2, 2, 2]
    assert desk.budget.ledger.usd == pytest.approx(6 * ANSWER_USD)


async def test_a_budget_without_room_ends_the_run_once_all_is_collected(desk: Desk, provider: Provider) -> None:
    usd = cost_bound(desk.calls(1)[0].request, PRICE).picodollars / 1e12
    limit = usd + 3.5 * ANSWER_USD
    with pytest.raises(BudgetReached, match=r"`budget.max_usd: .*` has no room .*4 requests"):
        await desk.run(9, max_usd=limit)
    assert provider.billed == once_each(4)
    assert len(desk.texts(9)) == 4
    assert desk.budget.ledger.usd <= limit
    with pytest.raises(BudgetReached, match="max_requests: 2"):
        await desk.run(9, max_requests=2)
    assert provider.billed == once_each(6)
    assert await desk.run(9) == {}
    assert provider.asked == once_each(9)


async def test_the_key_gets_nowhere(desk: Desk, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    echo = refused(400, message=f"Incorrect key {CANARY}")
    provider.faults = {"q0": [echo], f"q{CANARY}": []}
    plain = desk.calls

    def calls(count: int) -> list[PlannedCall]:
        spoken = replace(plain(1)[0].request, messages=(Message("user", f"q{CANARY}"),))
        return [*plain(count), replace(plain(1)[0], case_id="echo", request=spoken)]

    desk.calls = calls  # type: ignore[method-assign]
    with caplog.at_level(logging.INFO):
        errors = await desk.run(2)
        assert list(errors.values()) == ["400 Incorrect key [key]"]
        assert desk.texts(2)["echo"] == "answer to q[key]"
        provider.creates = ["401"]
        with pytest.raises(ProviderError, match=r"401 said Bearer \[key\]") as caught:
            await desk.run(4)
    assert "check the key in" in caught.value.remedy
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + "".join(desk.heard.notes)
    assert CANARY not in told
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in repr(error.args) + repr(vars(error))
        assert type(error).__module__.startswith("curator")  # the SDK's own errors hold the request and its headers
        error = error.__cause__ or error.__context__
    stored = b"".join(path.read_bytes() for path in desk.path.parent.iterdir() if path.is_file())
    assert b"answer to q1" in stored
    assert CANARY.encode() not in stored


async def test_nobody_there(desk: Desk, unused_tcp_port: int) -> None:
    desk.config = desk.config.model_copy(update={"base_url": f"http://127.0.0.1:{unused_tcp_port}/v1"})
    with pytest.raises(ProviderError, match="no connection") as caught:
        await desk.run(2)
    assert "check that the server runs" in caught.value.remedy
    assert desk.rows("SELECT count(*) FROM batch WHERE ended_at IS NULL") == [(0,)]


async def test_two_processes_cannot_hand_in_for_one_model(desk: Desk, provider: Provider) -> None:
    with GenerationStore(desk.path):
        pass
    with BatchRows(desk.path, endpoint=f"openai:{provider.url}", model="m"):
        with pytest.raises(RunLocked, match="another curator run") as caught:
            await desk.run(1)
        assert "the next run collects them" in caught.value.remedy
        with BatchRows(desk.path, endpoint=f"openai:{provider.url}", model="other"):
            pass
    assert await desk.run(1) == {}


async def test_the_plan_is_gone_through_as_it_is_handed_in(desk: Desk, provider: Provider) -> None:
    drawn: list[int] = []

    class Calls:
        def __iter__(self) -> Iterator[PlannedCall]:
            for n, call in enumerate(plain(1200)):
                drawn.append(n)
                yield call

    plain = desk.calls
    desk.calls = lambda count: Calls()  # type: ignore[method-assign,assignment,return-value]
    desk.limits = FileLimits(lines=500)
    at_upload: list[int] = []

    def note(_: int) -> None:
        if provider.routes[-1] == "POST /files":
            at_upload.append(len(drawn))

    provider.before = note
    assert await desk.run(1200) == {}
    assert at_upload == [1000, 1200, 1200]  # a file and the calls looked up after it
    assert provider.billed == once_each(1200)
    assert desk.heard.total is None
    assert "3 batches open, 0 answered" in desk.heard.notes


def test_the_calls_of_a_model_can_be_gone_through_again(desk: Desk) -> None:
    own, other = desk.calls(2), [replace(call, member=replace(MEMBER, model="big")) for call in desk.calls(3)]
    calls = CallsOf([*own, *other], "small", 2)
    assert [list(calls), list(calls), len(calls)] == [own, own, 2]


async def test_an_iterator_is_refused(desk: Desk) -> None:
    plain = desk.calls
    desk.calls = lambda count: iter(plain(count))  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(TypeError, match="only once"):
        await desk.run(1)


def test_a_key_stands_in_one_open_batch_at_most(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    call = BatchCall("ab" * 32, Spend(5, 7), 3)
    with GenerationStore(path), BatchRows(path, endpoint="e", model="m") as rows:
        rows.add("n1", 1.0, [call])
        with pytest.raises(Exception, match="UNIQUE"):
            rows.add("n2", 2.0, [call])
        assert [row.nonce for row in rows.open()] == ["n1"]  # nothing of the second one stays
        assert rows.calls("n1") == {call.key: call}
        assert rows.open_keys([call.key, "cd" * 32]) == {call.key}
        assert rows.bound("n1") == call.bound
        rows.end("n1", 3.0)
        assert (rows.open(), rows.open_keys([call.key])) == ([], set())
        rows.add("n2", 2.0, [call])


SCRIPT = """
import asyncio, sys
from pathlib import Path
from curator.committee.batch.runner import answer_in_batches
from curator.committee.batch.api import BatchEndpoint, FileLimits, open_batch_client
from curator.committee.budget import Budget
from curator.committee.requests import ModelRequest, PlannedCall
from curator.committee.clock import Clock
from curator.state.generations import GenerationStore
from curator.config import BudgetConfig, ModelConfig, Price
from curator.progress import Silent
from curator.records import Member, Message

async def main(url, path, count):
    config = ModelConfig(name="small", model="m", base_url=url, mode="batch")
    member = Member("small/plain/t0.8", "small", "plain", 0.8, 16)
    calls = [PlannedCall(f"c{n}", member, ModelRequest(f"openai:{url}", "m", (Message("user", f"q{n}"),), 0.8, 16), 5)
             for n in range(count)]
    clock = Clock(sleep=lambda seconds: asyncio.sleep(seconds / 1000))
    with GenerationStore(Path(path)) as store:
        async with open_batch_client(config, {}) as client:
            endpoint = BatchEndpoint(config, Price(input=1, output=10), client, FileLimits(lines=4))
            errors = await answer_in_batches(
                calls, endpoint, store=store, budget=Budget(BudgetConfig()), progress=Silent(), clock=clock)
    assert errors == {}

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.mark.slow
async def test_a_killed_process_loses_nothing_and_pays_nothing_twice(desk: Desk, provider: Provider) -> None:
    async def process(count: int, kill_at: tuple[str, str, int]) -> int:
        when, route, times = kill_at
        start = len(provider.routes)
        made = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, provider.url, str(desk.path), str(count)
        )

        def watch(_: int) -> None:
            if (
                made.returncode is None
                and [r.split("/batch_")[0] for r in provider.routes[start:]].count(route) == times
            ):
                made.kill()

        setattr(provider, when, watch)
        status = await made.wait()
        setattr(provider, when, lambda _: None)
        return status

    for count, moment in enumerate(
        [("before", "POST /batches", 1), ("after", "POST /batches", 2), ("after", "GET /batches", 7)], 1
    ):
        assert await process(6 * count, moment) == -signal.SIGKILL
    assert await process(18, ("before", "never", 1)) == 0
    assert provider.asked == provider.billed == once_each(18)
    assert desk.texts(18) == all_answered(18)


async def test_a_refused_line_is_remembered_and_not_handed_in_again(desk: Desk, provider: Provider) -> None:
    provider.faults = {"q1": [refused(400, "content_filter", "filtered")]}
    assert "filtered" in (await desk.run(3))[desk.key(1)]
    errors = await desk.run(3)
    assert "not asked again" in errors[desk.key(1)]
    assert provider.asked["q1"] == 1


async def test_an_empty_answer_at_the_token_limit_is_paid_and_is_not_an_answer(desk: Desk, provider: Provider) -> None:
    body = {
        "choices": [{"finish_reason": "length", "message": {"content": ""}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 16},
    }
    provider.faults = {"q1": [{"response": {"status_code": 200, "body": body}, "error": None}]}
    assert "token limit" in (await desk.run(3))[desk.key(1)]
    assert desk.texts(3).keys() == {"c0", "c2"}
    assert desk.budget.ledger.tokens == 2 * 12 + 26


async def test_a_prompt_that_is_too_long_is_not_handed_in(provider: Provider, tmp_path: Path) -> None:
    config = ModelConfig(
        name="small", model="m", base_url=provider.url, api_key_env="K", mode="batch", context_window=1
    )
    desk = Desk(provider, tmp_path / "store.sqlite", config)
    long = [
        replace(call, input_tokens=99, request=replace(call.request, messages=(Message("user", "word " * 99),)))
        for call in desk.calls(1)
    ]
    with GenerationStore(desk.path) as store:
        async with open_batch_client(config, {"K": CANARY}) as client:
            errors = await answer_in_batches(
                long, BatchEndpoint(config, PRICE, client), store=store, budget=desk.budget, progress=desk.heard,
                clock=Clock(),
            )  # fmt: skip
    assert "too long" in errors[long[0].request.key]
    assert not provider.asked
