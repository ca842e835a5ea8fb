"""Sampling engine: asks every call that is not stored, within the budget.

`EngineRun` looks the planned calls up in the store and queues the missing ones at the dispatcher of their model,
which asks. Only calls under way are in memory, so that a plan may be of any length. An answer is delivered once it is on
the disk, in the order in which the answers come.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from types import MappingProxyType

from curator.committee.budget import Budget
from curator.committee.clock import Clock
from curator.committee.endpoints import Endpoint
from curator.committee.engine_context import Tally
from curator.committee.engine_run import Deliver, EngineRun
from curator.committee.requests import PlannedCall
from curator.committee.run_progress import RunProgress
from curator.progress import Progress, Silent
from curator.state.generations import GenerationStore
from curator.state.refusals import Refusals


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Counts of one run of the engine.

    Attributes:
        sent: requests, with every repetition.
        from_store: answers that were stored before.
        failed: calls without an answer.
        estimated: new answers whose usage the endpoint did not report.
        input_tokens: of the new answers.
        output_tokens: of the new answers.
        usd: US dollars in the budget's ledger.
        unconfirmed_usd: US dollars that may have been billed on top, without an answer.
    """

    sent: int = 0
    from_store: int = 0
    failed: int = 0
    estimated: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    unconfirmed_usd: float = 0.0


async def sample(  # noqa: PLR0913  the seams of the run, each one named
    calls: Iterable[PlannedCall],
    endpoints: Mapping[str, Endpoint],
    *,
    store: GenerationStore,
    budget: Budget,
    deliver: Deliver,
    given_up: Mapping[str, str] = MappingProxyType({}),
    progress: Progress | None = None,
    clock: Clock | None = None,
    on_end: Callable[[EngineStats], object] = lambda _: None,
) -> EngineStats:
    """Get an answer to every planned call, and pass each one to `deliver`.

    A call that fails for good gives a generation with `error`. A second run asks it again, unless the endpoint refused it
    for what is in it, or answered with nothing at the token limit: that is remembered. A cancelled run sends nothing more,
    waits until everything in flight is stored, and raises; cancelled again, it raises at once.

    Args:
        calls: the calls.
        endpoints: the endpoints by the model's name in the config.
        store: stores the answers.
        budget: limits the requests.
        deliver: gets each call with its generation.
        given_up: calls that are not asked, by key, with the reason: their batches failed.
        progress: shows how far the run is.
        clock: time and randomness.
        on_end: gets the counts at the end, also where the run raises.

    Raises:
        BudgetReached: a limit has no room for the next request.
        ProviderError: an endpoint refuses for good, cannot be reached, or asks for a longer pause than `patience_s`.
        NoAnswers: the first answers of a member are all empty at the token limit.
        StorageError: an answer could not be stored.
        TemperatureRefused: a model accepts no temperature but 1.
    """
    clock, tally = clock or Clock(), Tally()
    total = len(calls) if isinstance(calls, Sized) else None
    shown = RunProgress(progress or Silent(), tally, budget, clock, total=total)
    with store.claims() as claims, Refusals(store.path) as refusals, _frozen_memory():
        run = EngineRun(
            endpoints,
            store=store,
            claims=claims,
            refusals=refusals,
            budget=budget,
            deliver=deliver,
            progress=shown,
            tally=tally,
            clock=clock,
            given_up=given_up,
        )
        try:
            await _run_to_end(run, calls)
        finally:
            shown.finish()
            on_end(_stats(tally, budget))
    return _stats(tally, budget)


async def _run_to_end(run: EngineRun, calls: Iterable[PlannedCall]) -> None:
    """Answer all calls; when cancelled, wait for the requests in flight, but only once."""
    runner = asyncio.create_task(run.answer_all(calls))
    try:
        await asyncio.wait({runner})
    except asyncio.CancelledError:
        run.halt()
        try:
            await asyncio.wait({runner})
        finally:
            run.abort(runner)
        raise
    runner.result()


def _stats(tally: Tally, budget: Budget) -> EngineStats:
    ledger = budget.ledger
    return EngineStats(
        sent=tally.sent,
        from_store=tally.from_store,
        failed=tally.failed,
        estimated=tally.estimated,
        input_tokens=tally.input_tokens,
        output_tokens=tally.output_tokens,
        usd=ledger.usd,
        unconfirmed_usd=ledger.unconfirmed_usd,
    )


@contextlib.contextmanager
def _frozen_memory() -> Iterator[None]:
    """Keep the garbage collector away from what is in memory already.

    Its passes over that took a tenth of a request's time.
    """
    if gc.get_freeze_count():  # another part of the program does so already
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
