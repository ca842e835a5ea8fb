"""Batch mode: submits a model's calls to OpenAI's Batch API and stores the answers.

A pass iterates over the planned calls. It submits those that are neither stored nor in an open batch, file by file, while
the budget has room. When all open batches have ended, another pass submits the calls that failed and may be tried again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass

from curator.committee.batch.api import BatchApi, BatchEndpoint
from curator.committee.batch.results import BatchResults
from curator.committee.batch.session import BatchFile, BatchSession, line_of
from curator.committee.budget import Budget
from curator.committee.clock import Clock
from curator.committee.endpoints import cost_bound
from curator.committee.plan import endpoint_of
from curator.committee.requests import PlannedCall
from curator.committee.unsent import known_window, reason_again, refused_before, too_long
from curator.progress import Progress
from curator.records import JsonValue
from curator.records.spend import Spend
from curator.state.batches import BatchCall, BatchRows
from curator.state.generations import GenerationStore
from curator.state.refusals import Refusals
from curator.text.display import plural

_CHUNK = 500  # calls looked up at a time


@dataclass(frozen=True, slots=True)
class CallsOf:
    """The `count` calls of one model in a plan; every iteration makes them again."""

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
    clock: Clock,
) -> Mapping[str, str]:
    """Store an answer to every planned call of one model; return the errors by key.

    Every pass iterates over `calls`, so that they cannot be an iterator (`CallsOf` is none). Batches that an earlier run
    left open are collected first. A cancelled run stops at once: its batches stay open, and the next run collects them.

    Raises:
        BudgetReached: a limit has no room for the next call; everything submitted is collected.
        ProviderError: the endpoint refuses for good, or cannot be reached.
        RunLocked: another process submits batches of this model, with the same store.
        StorageError: an answer or a batch's row could not be written.
        TypeError: `calls` is an iterator.
    """
    if isinstance(calls, Iterator):
        raise TypeError("calls: an iterator can be used only once; every pass needs all calls")
    with (
        BatchRows(store.path, endpoint=endpoint_of(endpoint.config), model=endpoint.config.model) as rows,
        Refusals(store.path) as refusals,
    ):
        run = _Run(endpoint, rows, store=store, refusals=refusals, budget=budget, progress=progress, clock=clock)
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
        refusals: Refusals,
        budget: Budget,
        progress: Progress,
        clock: Clock,
    ) -> None:
        self._endpoint = endpoint
        self._rows = rows
        self._store = store
        self._budget = budget
        self._progress = progress
        self._refusals = refusals
        api = BatchApi(endpoint.client, clock, patience_s=endpoint.config.patience_s)
        self.results = BatchResults(
            endpoint.config, endpoint.price, api=api, store=store, refusals=refusals, budget=budget
        )
        self._session = BatchSession(endpoint, rows, self.results, budget=budget, clock=clock, answered=self._show)
        self._window = known_window(endpoint.config)
        self._passes = 0
        self._answered = 0
        self._total: int | None = None

    async def answer(self, calls: Iterable[PlannedCall], total: int | None) -> None:
        """Collect the batches of an earlier run, then submit calls until none is left."""
        self._total = total
        await self._session.resume()
        self.results.again = True
        while self.results.again:
            self.results.again = False
            self._passes += 1
            await self._pass(calls)
            await self._session.wait_for_all()

    def closing_note(self) -> str:
        """Return the counts of the run, and the batches that it leaves open."""
        left = len(self._rows.open())
        note = f"{self._answered:,} answered in batches, {len(self.results.errors):,} failed"
        if left:
            note += f"; {_batches(left)} open at the provider, which the next run collects"
        return note

    async def _pass(self, calls: Iterable[PlannedCall]) -> None:
        """Submit every call that is neither stored, nor in an open batch, nor failed for good."""
        planned = iter(calls)
        price = self._endpoint.price
        with BatchFile(self._endpoint.limits) as file:
            while chunk := list(itertools.islice(planned, _CHUNK)):
                for call in self._unasked(chunk, file):
                    line = line_of(call.request)
                    if not file.takes(line, self._session.lines):
                        await self._session.submit(file)
                    bound = cost_bound(call.request, price)
                    await self._afford(bound, file)
                    file.add(BatchCall(call.request.key, bound, call.input_tokens), line)
            await self._session.submit(file)

    def _unasked(self, chunk: Iterable[PlannedCall], file: BatchFile) -> list[PlannedCall]:
        """Return the calls to submit, each key once."""
        by_key: dict[str, list[PlannedCall]] = {}
        for call in chunk:
            by_key.setdefault(call.request.key, []).append(call)
        stored = self._store.get_many(list(by_key))
        self._leave_out([calls[0] for key, calls in by_key.items() if key not in stored])
        in_hand = stored.keys() | self._rows.open_keys(list(by_key)) | self.results.errors.keys() | file.calls.keys()
        if self._passes == 1:
            self._show(sum(len(by_key[key]) for key in stored))
        return [calls[0] for key, calls in by_key.items() if key not in in_hand]

    def _leave_out(self, calls: Sequence[PlannedCall]) -> None:
        """Record the failure of calls that were refused before, or whose prompt is too long."""
        refused = refused_before(self._refusals, calls)
        self.results.errors |= {key: reason_again(refusal) for key, refusal in refused.items()}
        for call in calls:
            if (reason := too_long(call, self._window)) is not None:
                self.results.errors.setdefault(call.request.key, reason)

    async def _afford(self, bound: Spend, file: BatchFile) -> None:
        """Reserve the bound; without room for it, wait until submitted calls are settled.

        Raises:
            BudgetReached: even then the budget has no room for it.
        """
        while not self._budget.reserve(bound):
            await self._session.submit(file)
            limit = self._budget.exhausted(bound)
            if limit is None:
                await self._session.look()
                continue
            await self._session.wait_for_all()
            raise self._budget.reached(limit)

    def _show(self, answered: int) -> None:
        """Move the bar. Answers that were collected before the first pass count in that pass."""
        count = answered if self._passes else 0
        self._answered += count
        of_total = "" if self._total is None else f" of {self._total:,}"
        failed = len(self.results.errors)
        note = f"{_batches(len(self._session.open))} open, {self._answered:,}{of_total} answered"
        facts: dict[str, JsonValue] = {
            "batches_open": len(self._session.open),
            "answered": self._answered,
            "failed": failed,
        }
        self._progress.advance(count, note=note, facts=facts)


def _batches(count: int) -> str:
    return plural(count, "batch", "batches")
