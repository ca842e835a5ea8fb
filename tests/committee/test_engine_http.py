"""Engine, client and store together against a real server: faults, kills, interrupts, and where a key could leak."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import signal
import sqlite3
import sys
import traceback
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from curator.committee.budget import Budget
from curator.committee.clock import Clock
from curator.committee.endpoints import Endpoint
from curator.committee.engine import sample
from curator.committee.providers.open import open_clients
from curator.committee.requests import ModelRequest, PlannedCall
from curator.config import BudgetConfig, ModelConfig, Price
from curator.errors import ProviderError
from curator.records import Generation, Member, Message
from curator.state.generations import GenerationStore

CANARY = "sk-canary-4f1d9a7b2c"
PRICE = Price(input=1.0, output=10.0)

SCRIPT = """
import asyncio, sys
from pathlib import Path
from curator.committee.budget import Budget
from curator.committee.requests import ModelRequest, PlannedCall
from curator.committee.providers.open import open_clients
from curator.committee.endpoints import Endpoint
from curator.committee.engine import sample
from curator.state.generations import GenerationStore
from curator.config import BudgetConfig, ModelConfig, Price
from curator.records import Member, Message

async def main(url, path, count):
    config = ModelConfig(name="small", model="m", base_url=url, concurrency=8)
    member = Member("small/plain/t0.8", "small", "plain", 0.8, 16)
    calls = [PlannedCall(f"c{n}", member, ModelRequest("openai:x", "m", (Message("user", str(n)),), 0.8, 16), 5)
             for n in range(count)]
    with GenerationStore(Path(path)) as store:
        async with open_clients([config], environ={}) as clients:
            endpoints = {"small": Endpoint(config, Price(input=1, output=10), clients["small"])}
            texts = {}
            result = await sample(calls, endpoints, store=store, budget=Budget(BudgetConfig()),
                                  deliver=lambda call, generation: texts.update({call.case_id: generation.text}))
    print(result.sent, result.from_store, *(texts[call.case_id] for call in calls))

try:
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
except KeyboardInterrupt:
    sys.exit(130)
"""


@dataclass
class Server:
    """A chat-completions server that counts what it answered and can misbehave."""

    url: str = ""
    delay_s: float = 0.002
    faults: float = 0.0
    answered: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    refuse: web.Response | None = None

    async def complete(self, request: web.Request) -> web.StreamResponse:
        text = orjson.loads(await request.read())["messages"][0]["content"]
        if self.refuse is not None:
            said = request.headers.get("Authorization", "")
            return web.json_response({"error": {"message": f"Incorrect API key: {said}"}}, status=401)
        fault = self.chance.random()
        if fault < self.faults:
            return await self.misbehave(request, self.chance.choice(["429", "500", "hang", "cut", "no json"]))
        self.in_flight += 1
        await asyncio.sleep(self.delay_s)
        self.in_flight -= 1
        self.answered[text] += 1
        return web.json_response(
            {
                "choices": [{"message": {"content": f"answer to {text}"}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 2},
            }
        )

    async def misbehave(self, request: web.Request, fault: str) -> web.StreamResponse:
        match fault:
            case "429":
                return web.Response(status=429, headers={"Retry-After": "0.01"})
            case "500":
                return web.Response(status=500)
            case "no json":
                return web.Response(text="<html>")
            case "hang":
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(5)
                return web.Response()
        cut = web.StreamResponse(headers={"Content-Length": "1000"})
        await cut.prepare(request)
        await cut.write(b'{"choices"')
        assert request.transport is not None
        request.transport.close()
        return cut


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", made.complete)
    async with TestServer(app, host="127.0.0.1", handler_cancellation=True) as running:
        made.url = str(running.make_url("/v1"))
        yield made


def calls(count: int) -> list[PlannedCall]:
    member = Member("small/plain/t0.8", "small", "plain", 0.8, 16)
    return [
        PlannedCall(f"c{n}", member, ModelRequest("openai:x", "m", (Message("user", str(n)),), 0.8, 16), 5)
        for n in range(count)
    ]


@dataclass
class Ran:
    """What a run came to, and its generations in the order of the plan."""

    sent: int
    from_store: int
    failed: int
    generations: list[Generation]


async def run(server: Server, path: Path, count: int, *, key: str | None = None, timeout_s: float = 5.0) -> Ran:
    config = ModelConfig(
        name="small", model="m", base_url=server.url, timeout_s=timeout_s, api_key_env="SMALL_KEY" if key else None
    )
    with GenerationStore(path) as store:
        async with open_clients([config], environ={"SMALL_KEY": key or ""}) as clients:
            clock = Clock(sleep=lambda s: asyncio.sleep(min(s, 0.02)))
            endpoints = {"small": Endpoint(config, PRICE, clients["small"])}
            found: dict[str, Generation] = {}
            done = await sample(
                calls(count), endpoints, store=store, budget=Budget(BudgetConfig()), clock=clock,
                deliver=lambda call, generation: found.update({call.case_id: generation}),
            )  # fmt: skip
            ordered = [found[call.case_id] for call in calls(count)]
            return Ran(done.sent, done.from_store, done.failed, ordered)


def stored(path: Path) -> set[str]:
    """The texts of the questions whose answers are stored."""
    with closing(sqlite3.connect(path)) as connection:
        return {text.removeprefix("answer to ") for (text,) in connection.execute("SELECT text FROM generation")}


def bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def start(server: Server, path: Path, count: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", SCRIPT, server.url, str(path), str(count),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def answered(server: Server, count: int) -> None:
    while server.answered.total() < count:  # noqa: ASYNC110  another process asks
        await asyncio.sleep(0.001)


async def test_faults_of_every_kind_are_lived_through(server: Server, tmp_path: Path) -> None:
    server.faults = 0.2
    path = tmp_path / "store.sqlite"
    result = await run(server, path, 300, timeout_s=0.3)
    assert len(result.generations) == 300
    failed = {g.case_id for g in result.generations if g.error}
    assert result.failed == len(failed) < 30  # those that were ambiguous twice
    assert stored(path) == {str(n) for n in range(300) if f"c{n}" not in failed}
    assert set(server.answered.values()) == {1}
    server.faults = 0.0
    again = await run(server, path, 300)
    assert again.sent == len(failed)
    assert [g.text for g in again.generations] == [f"answer to {n}" for n in range(300)]


async def test_a_killed_run_resumes_without_asking_again_what_is_stored(server: Server, tmp_path: Path) -> None:
    path, count = tmp_path / "store.sqlite", 400
    for goal in (60, 150, 260):
        process = await start(server, path, count)
        await answered(server, goal)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        before = Counter({text: n for text, n in server.answered.items() if text in stored(path)})
        assert before.total() >= goal - 8 * 3  # at most what was in flight at each kill is not stored
    process = await start(server, path, count)
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert {text: server.answered[text] for text in before} == dict(before)
    assert server.answered.total() - count <= 8 * 3
    sent, from_store, *texts = out.decode().split(" ")
    assert int(sent) + int(from_store) == count
    assert " ".join(texts).split() == [word for n in range(count) for word in f"answer to {n}".split()]


async def test_an_interrupted_run_stores_what_is_in_flight_and_pays_nothing_twice(
    server: Server, tmp_path: Path
) -> None:
    path, count = tmp_path / "store.sqlite", 200
    server.delay_s = 0.02
    process = await start(server, path, count)
    await answered(server, 40)
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert (process.returncode, err) == (130, b"")
    assert stored(path) == set(server.answered)
    assert server.answered.total() < count
    process = await start(server, path, count)
    await process.communicate()
    assert set(server.answered.values()) == {1}
    assert server.answered.total() == count


async def test_two_runs_at_once_share_a_store(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    results = await asyncio.gather(run(server, path, 100), run(server, path, 100))
    assert len(stored(path)) == 100
    assert set(server.answered.values()) == {1}
    assert results[0].sent + results[1].sent == 100
    third = await run(server, path, 100)
    assert third.from_store == 100
    assert results[0].generations == results[1].generations == third.generations


async def test_a_bad_key_stops_the_run_and_shows_up_nowhere(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "store.sqlite"
    with caplog.at_level(logging.DEBUG):
        await run(server, path, 20, key=CANARY)
        server.refuse = web.Response()
        with pytest.raises(ProviderError) as caught:
            await run(server, path, 100, key=CANARY)
    assert "401" in caught.value.what
    assert server.url not in caught.value.remedy
    assert "SMALL_KEY" in caught.value.remedy
    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__) + caplog.text
    assert "[key]" in said
    assert "canary" not in said
    assert len(stored(path)) == 20
    assert "canary" not in bytes_in(tmp_path).decode(errors="replace")
