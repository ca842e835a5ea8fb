"""Speed, CPU and memory of the engine beside a bare loop, the openai SDK and litellm.

    python benchmarks/engine/engine.py [--requests 20000] [--in-flight 200] [--latency-ms 50] [--clients bare ours]

All of them ask one mock endpoint (a process of its own) and send what a plan over synthetic cases asks for. Each client
runs in a fresh process, one after the other; `bare` and `ours` take turns for --rounds rounds.

    bare     200 workers over one aiohttp session without cookies: orjson.dumps of a body (a dict made beforehand, one
             of 1,200 in turn), one POST, read, orjson.loads. Nothing else: no plan, no keys, no store, no budget. It
             is what this machine can do with aiohttp.
    ours     `curator.committee.engine.sample` as `curator run` calls it: the plan is made while it is worked off
             (prompts rendered, keys hashed), stored answers are looked up, money is reserved and settled, every answer
             is committed to a fresh store on the disk before it counts and is handed on.
    openai   200 workers over `AsyncOpenAI(max_retries=0).chat.completions.create`; no store. Fewer requests.
    litellm  200 workers over `litellm.acompletion(num_retries=0)`; no store. Fewer requests.

Columns: requests answered; requests per second; milliseconds of CPU time of the client's process, threads included, per
request; the median and 99th percentile of the latency that the client sees (ours: `latency_s` of its generations); how
far resident memory rose at most above what it was after a warm-up of 500 requests; the rate as a share of the bare
loop's (of the same round; the SDKs: of the median round).

The mock takes its own core; with fewer than two free ones all the numbers suffer, the bare loop's most.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import math
import os
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import orjson
import psutil

from benchmarks.common.harness import MAX_TOKENS, MODEL, PRICE, WORDS, Check, endpoints_of, mock_server, model_config
from curator.committee.budget import Budget
from curator.committee.engine import sample
from curator.committee.plan import Plan
from curator.committee.prompts import load_variants
from curator.committee.requests import PlannedCall
from curator.config import BudgetConfig, CommitteeConfig
from curator.records import Case, Generation, JsonValue, Message, Source, case_id, stable_unit
from curator.state.generations import GenerationStore

WARM_UP = 500
BODIES = 1200
RSS_EVERY_S = 0.1
VARIANTS = ("plain", "careful", "restated")
REPEATS = 2
SYSTEM = "You are the support assistant of a mail-order shop. Answer the customer's question in one short sentence."
SLOW = ("openai", "litellm")

Drive = Callable[[int, "array[float]"], Awaitable[int]]
"""Asks so many requests, appends the latency of each in seconds, and returns how many it were."""


@dataclass(frozen=True)
class Job:
    """The work of one client."""

    client: str
    base_url: str
    requests: int
    in_flight: int
    folder: str


@dataclass(frozen=True)
class Measured:
    """The figures of one run of one client."""

    client: str
    requests: int
    seconds: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    rss_mb: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def synthetic_plan(requests: int, job: Job) -> Plan:
    """The plan of a committee of one model that comes to at least so many requests."""
    config = CommitteeConfig(
        models=(model_config(job.base_url, concurrency=job.in_flight, price=PRICE),),
        variants=VARIANTS,
        repeats=REPEATS,
        max_tokens=MAX_TOKENS,
    )
    cases = tuple(synthetic_case(n) for n in range(math.ceil(requests / (len(VARIANTS) * REPEATS))))
    return Plan(cases, config, load_variants(VARIANTS, None), 0, {MODEL: PRICE})


def synthetic_case(number: int) -> Case:
    """A support question of some 60 words that no other number has."""
    words = (WORDS[int(stable_unit(str(number), str(place)) * len(WORDS))] for place in range(60))
    messages = (Message("system", SYSTEM), Message("user", f"Ticket {number}: {' '.join(words)}?"))
    return Case(case_id(messages), messages, Source("synthetic", number + 1))


def bodies_of(job: Job) -> list[dict[str, JsonValue]]:
    """The first bodies of the plan, which the clients without a plan send over and over."""
    return [call.request.body() for call in itertools.islice(synthetic_plan(BODIES, job), BODIES)]


@asynccontextmanager
async def bare(job: Job) -> AsyncIterator[Drive]:
    """Workers over one aiohttp session."""
    url = f"{job.base_url}/chat/completions"
    headers = {"Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=job.in_flight)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=connector, headers=headers, cookie_jar=jar) as session:

        async def ask(body: dict[str, JsonValue]) -> None:
            async with session.post(url, data=orjson.dumps(body)) as response:
                orjson.loads(await response.read())

        yield workers(ask, job)


@asynccontextmanager
async def ours(job: Job) -> AsyncIterator[Drive]:
    """The engine, with a fresh store for each drive."""
    plans = {count: synthetic_plan(count, job) for count in (WARM_UP, job.requests)}
    config = plans[WARM_UP].config.models[0]
    with tempfile.TemporaryDirectory(dir=job.folder) as folder:
        async with endpoints_of(config) as endpoints:

            async def drive(count: int, latencies: array[float]) -> int:
                def deliver(_: PlannedCall, generation: Generation) -> None:
                    if generation.error:
                        raise SystemExit(f"the mock did not answer: {generation.error}")
                    latencies.append(generation.latency_s)

                with GenerationStore(Path(folder) / f"{count}.sqlite") as store:
                    budget = Budget(BudgetConfig())
                    await sample(plans[count], endpoints, store=store, budget=budget, deliver=deliver)
                return len(latencies)

            yield drive


@asynccontextmanager
async def openai_sdk(job: Job) -> AsyncIterator[Drive]:
    """Workers over the openai SDK as it comes, without retries."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=job.base_url, api_key="none", max_retries=0) as client:

        async def ask(body: dict[str, Any]) -> None:
            await client.chat.completions.create(**body)

        yield workers(ask, job)


@asynccontextmanager
async def litellm_sdk(job: Job) -> AsyncIterator[Drive]:
    """Workers over litellm as it comes, without retries."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else a thread fetches its price list meanwhile
    import litellm

    async def ask(body: dict[str, Any]) -> None:
        where = {"model": f"openai/{body['model']}", "api_base": job.base_url, "api_key": "none"}
        await litellm.acompletion(**{**body, **where}, num_retries=0)

    yield workers(ask, job)


CLIENTS: dict[str, Callable[[Job], AbstractAsyncContextManager[Drive]]] = {
    "bare": bare,
    "ours": ours,
    "openai": openai_sdk,
    "litellm": litellm_sdk,
}


def workers(ask: Callable[[dict[str, Any]], Awaitable[None]], job: Job) -> Drive:
    """A drive that lets `in_flight` workers share the requests."""
    bodies = bodies_of(job)

    async def drive(count: int, latencies: array[float]) -> int:
        queue = iter(itertools.islice(itertools.cycle(bodies), count))

        async def work() -> None:
            for body in queue:
                started = time.perf_counter()
                await ask(body)
                latencies.append(time.perf_counter() - started)

        await asyncio.gather(*(work() for _ in range(job.in_flight)))
        return count

    return drive


async def measure(job: Job) -> Measured:
    """Run one client in this process: the warm-up, then what is measured."""
    async with CLIENTS[job.client](job) as drive:
        await drive(WARM_UP, array("d"))
        gc.collect()
        latencies: array[float] = array("d")
        base = psutil.Process().memory_info().rss
        watcher = asyncio.create_task(peak_rss())
        started, cpu = time.perf_counter(), time.process_time()
        requests = await drive(job.requests, latencies)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        watcher.cancel()
        peak = await watcher
    ordered = sorted(latencies)
    return Measured(
        client=job.client,
        requests=requests,
        seconds=seconds,
        cpu_ms=cpu / requests * 1000,
        p50_ms=ordered[len(ordered) // 2] * 1000,
        p99_ms=ordered[int(len(ordered) * 0.99)] * 1000,
        rss_mb=(peak - base) / 1e6,
    )


async def peak_rss() -> int:
    """The most resident memory in bytes until this is cancelled."""
    process, peak = psutil.Process(), 0
    with suppress(asyncio.CancelledError):
        while True:
            peak = max(peak, process.memory_info().rss)
            await asyncio.sleep(RSS_EVERY_S)
    return max(peak, int(process.memory_info().rss))


def run_child(job: Job) -> Measured:
    """Run one client in a fresh process."""
    command = [sys.executable, __file__, "--child", orjson.dumps(asdict(job)).decode()]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603
    return Measured(**orjson.loads(done.stdout.splitlines()[-1]))


def compare(arguments: argparse.Namespace) -> None:
    """Run every client and print the table and the verdicts."""
    turns = [name for _ in range(arguments.rounds) for name in ("bare", "ours") if name in arguments.clients]
    turns += [name for name in SLOW if name in arguments.clients]
    results: list[Measured] = []
    with mock_server(latency_ms=arguments.latency_ms) as mock:
        print(f"{arguments.in_flight} in flight, {arguments.latency_ms:g} ms latency")
        print(
            f"{'client':<8} {'requests':>8} {'req/s':>8} {'CPU ms':>8} {'p50 ms':>8} {'p99 ms':>8} {'RSS +MB':>8}  / bare"
        )
        for name in turns:
            requests = arguments.slow_requests if name in SLOW else arguments.requests
            result = run_child(Job(name, mock.base_url, requests, arguments.in_flight, str(arguments.folder)))
            results.append(result)
            print(row(result, results), flush=True)
    print()
    for check in verdicts(results, arguments.latency_ms):
        print(check.line())


def row(result: Measured, results: Sequence[Measured]) -> str:
    """Return one line of the table; `results` are those up to it."""
    rates = [other.rate for other in results if other.client == "bare"]
    base = (rates[-1] if result.client == "ours" else median(rates)) if rates else math.nan
    ratio = 1.0 if result.client == "bare" else result.rate / base
    return (
        f"{result.client:<8} {result.requests:>8,} {result.rate:>8,.0f} {result.cpu_ms:>8.3f} {result.p50_ms:>8.1f} "
        f"{result.p99_ms:>8.1f} {result.rss_mb:>8.1f}  {ratio:.3f}"
    )


def verdicts(results: Sequence[Measured], latency_ms: float) -> list[Check]:
    """Return the limits of the engine, where the clients that they need were run."""
    by = {name: [result for result in results if result.client == name] for name in CLIENTS}
    if not by["ours"]:
        return []
    checks: list[Check] = []
    if by["bare"]:
        ratio = median(run.rate / base.rate for run, base in zip(by["ours"], by["bare"], strict=True))
        checks.append(Check("ours / bare, median of the rounds", ratio, 0.85, at_least=True))
    if by["litellm"]:
        ratio = median(run.rate for run in by["ours"]) / by["litellm"][0].rate
        checks.append(Check("ours / litellm", ratio, 8.0, at_least=True))
    p99 = median(run.p99_ms for run in by["ours"])
    growth = max(run.rss_mb for run in by["ours"])
    checks.append(Check("p99 latency of ours, ms, median of the rounds", p99, 2 * latency_ms))
    checks.append(Check("growth of memory of ours, MB, the worst round", growth, 10.0))
    return checks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=20_000, help="of bare and ours")
    parser.add_argument("--slow-requests", type=int, default=2_000, help="of openai and litellm")
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--rounds", type=int, default=3, help="turns of bare and ours")
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=list(CLIENTS))
    parser.add_argument("--folder", type=Path, default=Path(), help="where the stores go: on the disk that counts")
    parser.add_argument("--child", type=orjson.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        result = asyncio.run(measure(Job(**arguments.child)))
        sys.stdout.write(orjson.dumps(asdict(result)).decode())
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
