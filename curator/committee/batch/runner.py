"""Batch mode: hands a model's calls in as files to OpenAI's Batch API, waits, and stores every answer that comes back.

A pass goes through the planned calls and hands in those that are neither stored nor in an open batch, file by file,
while the budget has room. When all that is open has ended, another pass hands in what failed and may be tried again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass

from curator.committee.batch.api import BatchApi, BatchEndpoint
from curator.committee.batch.results import Results
from curator.committee.batch.session import Desk, Sheet, line_of
from curator.committee.budget import Budget
from curator.committee.clock import Host
from curator.committee.endpoints import cost_bound
from curator.committee.plan import endpoint_of
from curator.committee.requests import PlannedCall
from curator.errors import BudgetReached
from curator.progress import Progress
from curator.records import JsonValue
from curator.records.spend import Spend
from curator.state.batches import BatchCall, BatchRows
from curator.state.generations import GenerationStore
from curator.text.display import money, plural

_CHUNK = 500  # calls looked up at a time


@dataclass(frozen=True, slots=True)
class CallsOf:
    """The `count` calls of one model in a plan, made anew each time they are gone through."""

    plan: Iterable[PlannedCall]
    model: str
    count: int

    def __iter__(self) -> Iterator[PlannedCall]:
        return (call for call in self.plan if call.member.model == self.model)

    def __len__(self) -> int:
        return self.count


async def answer_in_batches(
    calls: Iterable[PlannedCall],
    endpoint: BatchEndpoint,
    *,
    store: GenerationStore,
    budget: Budget,
    progress: Progress,
    host: Host,
) -> Mapping[str, str]:
    """Get an answer to every planned call of one model into the store; the calls that failed for good, with the error.

    `calls` are gone through once a pass, so that an iterator will not do (`CallsOf` does). Batches that an earlier run left open are
    collected first. When cancelled it stops at once: the batches stay open, and the next run collects them.

    Raises:
        BudgetReached: a limit has no room for the next call; all that was handed in is collected.
        ProviderError: the endpoint refuses for good, or nobody is there.
        RunLocked: another process hands in batches of this model, with the same store.
        StorageError: an answer or a batch's row could not be written.
        TypeError: `calls` is an iterator.
    """
    if isinstance(calls, Iterator):
        raise TypeError("calls: an iterator can be gone through once only")
    with BatchRows(store.path, endpoint=endpoint_of(endpoint.config), model=endpoint.config.model) as rows:
        run = _Run(endpoint, rows, store=store, budget=budget, progress=progress, host=host)
        total = len(calls) if isinstance(calls, Sized) else None
        progress.start("batch", total=total, unit="answers")
        try:
            await run.answer(calls, total)
        finally:
            progress.finish(run.closing_note())
    return run.results.errors


class _Run:
    """The state of one call of `answer_in_batches`."""

    def __init__(
        self,
        endpoint: BatchEndpoint,
        rows: BatchRows,
        *,
        store: GenerationStore,
        budget: Budget,
        progress: Progress,
        host: Host,
    ) -> None:
        self._endpoint = endpoint
        self._rows = rows
        self._store = store
        self._budget = budget
        self._progress = progress
        self.results = Results(
            endpoint.config, endpoint.price, api=BatchApi(endpoint.client, host), store=store, budget=budget
        )
        self._desk = Desk(endpoint, rows, self.results, budget=budget, host=host, answered=self._show)
        self._passes = 0
        self._answered = 0
        self._total: int | None = None

    async def answer(self, calls: Iterable[PlannedCall], total: int | None) -> None:
        """Collect what an earlier run left, then go through the calls until nothing is left to be handed in."""
        self._total = total
        await self._desk.resume()
        self.results.again = True
        while self.results.again:
            self.results.again = False
            self._passes += 1
            await self._pass(calls)
            await self._desk.wait_for_all()

    def closing_note(self) -> str:
        """What the run came to, and what it leaves open."""
        left = len(self._rows.open())
        note = f"{self._answered:,} answered in batches, {len(self.results.errors):,} failed"
        if left:
            note += f"; {_batches(left)} open at the provider, which the next run collects"
        return note

    async def _pass(self, calls: Iterable[PlannedCall]) -> None:
        """Hand in every call that is neither stored nor in an open batch nor failed for good."""
        planned = iter(calls)
        price = self._endpoint.price
        with Sheet(self._endpoint.limits) as sheet:
            while chunk := list(itertools.islice(planned, _CHUNK)):
                for call in self._unasked(chunk, sheet):
                    line = line_of(call.request)
                    if not sheet.takes(line, self._desk.lines):
                        await self._desk.hand_in(sheet)
                    bound = cost_bound(call.request, price)
                    await self._afford(bound, sheet)
                    sheet.add(BatchCall(call.request.key, bound, call.input_tokens), line)
            await self._desk.hand_in(sheet)

    def _unasked(self, chunk: Iterable[PlannedCall], sheet: Sheet) -> list[PlannedCall]:
        """The calls to hand in, each key once. What awaits later cannot make another one of them open."""
        by_key: dict[str, list[PlannedCall]] = {}
        for call in chunk:
            by_key.setdefault(call.request.key, []).append(call)
        stored = self._store.get_many(list(by_key))
        known = stored.keys() | self._rows.open_keys(list(by_key)) | self.results.errors.keys() | sheet.calls.keys()
        if self._passes == 1:
            self._show(sum(len(by_key[key]) for key in stored))
        return [calls[0] for key, calls in by_key.items() if key not in known]

    async def _afford(self, bound: Spend, sheet: Sheet) -> None:
        """Reserve the bound, if need be once what is handed in has been settled.

        Raises:
            BudgetReached: there is no room for it even then.
        """
        while not self._budget.reserve(bound):
            await self._desk.hand_in(sheet)
            limit = self._budget.exhausted(bound)
            if limit is None:
                await self._desk.look()
                continue
            await self._desk.wait_for_all()
            ledger = self._budget.ledger
            spent = f"{plural(ledger.requests, 'request')}, {plural(ledger.tokens, 'token')}, {money(ledger.usd)}"
            raise BudgetReached(
                f"{limit} has no room for the next request (spent: {spent}); the answers are stored",
                remedy="raise the limit and run again: it goes on from there, and stored answers cost nothing",
            )

    def _show(self, answered: int) -> None:
        """Move the bar. What was collected before the first pass is found in the store there, and counts then."""
        count = answered if self._passes else 0
        self._answered += count
        of_total = "" if self._total is None else f" of {self._total:,}"
        failed = len(self.results.errors)
        note = f"{_batches(len(self._desk.open))} open, {self._answered:,}{of_total} answered"
        facts: dict[str, JsonValue] = {
            "batches_open": len(self._desk.open),
            "answered": self._answered,
            "failed": failed,
        }
        self._progress.advance(count, note=note, facts=facts)


def _batches(count: int) -> str:
    return plural(count, "batch", "batches")
