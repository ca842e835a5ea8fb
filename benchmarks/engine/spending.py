"""Part of `chaos.py`: money under random budgets, and endpoints that refuse for good."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.harness import (
    MAX_TOKENS,
    PRICE,
    Billed,
    Check,
    MockServer,
    endpoints_of,
    mock_server,
    model_config,
    planned_calls,
)
from benchmarks.common.mock_server import AMBIGUOUS, BILLED, REFUSALS, identity_of
from benchmarks.engine.interruptions import FAULTS
from curator.committee.budget import Budget, Ledger
from curator.committee.clock import Clock
from curator.committee.endpoints import cost_usd
from curator.committee.engine import sample
from curator.committee.requests import PlannedCall
from curator.config import BudgetConfig
from curator.errors import BudgetReached, ProviderError
from curator.records import Generation
from curator.state.generations import GenerationStore

MICRO = 1e-6
NAP_SHARE = 0.02
TOKENS_PER_BYTE = 0.8
_AT_ONCE = 8


@dataclass(frozen=True)
class Spent:
    """One run with a random budget: its limits, its ledger, and whether a limit ended it."""

    limits: BudgetConfig
    calls: tuple[PlannedCall, ...]
    ledger: Ledger
    reached: bool

    def over(self, billed: Sequence[Billed]) -> bool:
        """Return whether the endpoint billed more than the limit."""
        limits = self.limits
        tokens = sum(entry.input_tokens + entry.output_tokens for entry in billed)
        return (
            (limits.max_requests is not None and len(billed) > limits.max_requests)
            or (limits.max_tokens is not None and tokens > limits.max_tokens)
            or (limits.max_usd is not None and usd(billed, BILLED) > limits.max_usd + MICRO / 1e6)
        )


def usd(billed: Sequence[Billed], outcomes: frozenset[str]) -> float:
    """Return the bill of the requests with these outcomes, in US dollars."""
    return sum(entry.picodollars for entry in billed if entry.outcome in outcomes) / 1e12


def budgets(count: int, *, seed: int = 0, timeout_s: float = 0.5) -> list[Check]:
    """Run small plans under random limits against one mock with faults.

    Each plan has a store of its own.

    Its tokens are nearly as short as they can be, and most answers as long as they may be.
    """
    settings = {"latency_ms": 5.0, "tokens_per_byte": TOKENS_PER_BYTE, "seed": seed, **FAULTS}
    with tempfile.TemporaryDirectory() as folder, mock_server(**settings) as mock:
        runs = asyncio.run(_spend_all(count, mock, Path(folder), seed, timeout_s))
        by_identity: defaultdict[str, list[Billed]] = defaultdict(list)
        for entry in mock.log():
            by_identity[entry.identity].append(entry)
    over = unequal = unsure = 0
    for run in runs:
        billed = [entry for call in run.calls for entry in by_identity[identity_of(call.request.body())]]
        over += run.over(billed)
        unequal += abs(run.ledger.usd - usd(billed, frozenset({"ok"}))) > MICRO
        unsure += usd(billed, AMBIGUOUS) > run.ledger.unconfirmed_usd + MICRO
    return [
        Check("budgets", len(runs)),
        Check("of them reached", sum(run.reached for run in runs)),
        Check("of them with requests that may have been billed", sum(run.ledger.unconfirmed_usd > 0 for run in runs)),
        Check("billed more than the limit", over, 0),
        Check("ledger and bill of the answered requests differ (> 1 micro$)", unequal, 0),
        Check("billed without an answer more than the ledger's unconfirmed", unsure, 0),
    ]


async def _spend_all(count: int, mock: MockServer, folder: Path, seed: int, timeout_s: float) -> list[Spent]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> Spent:
        async with gate:
            return await _spend(number, mock, folder / f"{number}.sqlite", random.Random(f"{seed} {number}"), timeout_s)

    return await asyncio.gather(*(one(number) for number in range(count)))


async def _spend(number: int, mock: MockServer, path: Path, chance: random.Random, timeout_s: float) -> Spent:
    """One run under one limit; nothing but the limit may end it."""
    size = chance.randint(5, 60)
    calls = tuple(planned_calls(size, name=f"budget-{number}", words=chance.randint(1, 60)))
    limits = _random_limits(chance, calls)
    budget, reached = Budget(limits), False
    config = model_config(mock.base_url, concurrency=chance.randint(1, 16), timeout_s=timeout_s)
    clock = Clock(sleep=lambda seconds: asyncio.sleep(seconds * NAP_SHARE))
    with GenerationStore(path) as store:
        async with endpoints_of(config) as endpoints:
            try:
                await sample(calls, endpoints, store=store, budget=budget, deliver=_ignore, clock=clock)
            except BudgetReached:
                reached = True
    return Spent(limits, calls, budget.ledger, reached)


def _random_limits(chance: random.Random, calls: Sequence[PlannedCall]) -> BudgetConfig:
    """One of the limits, between nearly nothing and twice what the plan will come to."""
    share = chance.uniform(0.0, 2.0)
    size = sum(len(message.content) for call in calls for message in call.request.messages)
    read, written = size * TOKENS_PER_BYTE, MAX_TOKENS * len(calls)
    match chance.choice(("max_requests", "max_tokens", "max_usd")):
        case "max_requests":
            return BudgetConfig(max_requests=int(share * len(calls)))
        case "max_tokens":
            return BudgetConfig(max_tokens=int(share * (read + written)))
    return BudgetConfig(max_usd=share * cost_usd(round(read), written, PRICE))


def refusals(*, good: int = 200, in_flight: int = 50) -> list[Check]:
    """Measure how soon a run ends when its endpoint refuses everything after a while."""
    return [check for status in REFUSALS for check in refusal(status, good=good, in_flight=in_flight)]


def refusal(status: str, *, good: int, in_flight: int) -> list[Check]:
    """One kind of refusal, after so many good answers."""
    calls = tuple(planned_calls(10 * good))
    with tempfile.TemporaryDirectory() as folder, mock_server(latency_ms=20.0, status=status, fail_after=good) as mock:
        with GenerationStore(Path(folder) / "store.sqlite") as store:
            ended_at = asyncio.run(_until_refused(calls, mock, store, in_flight))
            stored = len(store.get_many([call.request.key for call in calls]))
        bill, log = mock.bill(), mock.log()
    refused_at = bill["refused_at"]
    extra = sum(entry.arrived > refused_at for entry in log)
    return [
        Check(f"{status}: seconds from the first refusal to the end of the run", ended_at - refused_at, 2.0),
        Check(f"{status}: requests that came after the first refusal was sent", extra, in_flight),
        Check(f"{status}: whole answers that are not stored", bill["outcomes"]["ok"] - stored, 0),
    ]


async def _until_refused(
    calls: Sequence[PlannedCall], mock: MockServer, store: GenerationStore, in_flight: int
) -> float:
    """Run until the endpoint refuses; return when the run ended, in monotonic seconds."""
    config = model_config(mock.base_url, concurrency=in_flight)
    budget = Budget(BudgetConfig())
    async with endpoints_of(config) as endpoints:
        try:
            await sample(calls, endpoints, store=store, budget=budget, deliver=_ignore)
        except ProviderError:
            return time.monotonic()
    raise SystemExit("the run did not end with the refusal")


def _ignore(_: PlannedCall, __: Generation) -> None:
    """The answers themselves do not matter here."""
