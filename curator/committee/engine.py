"""The sampling engine: asks what is not stored yet, within the budget, and loses no answer that was paid for.

One feeder looks the planned calls up in the store, chunk by chunk, and queues those that are missing for their model;
each model has as many workers as it takes requests at a time. A worker asks, retries, stores and only then takes the
next one. Answers are handed on in the order of the plan, whatever order they come in.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, field

from curator.committee.budget import Budget, Spend
from curator.committee.calls import CallFailed, PlannedCall
from curator.committee.endpoints import (
    Endpoint,
    Health,
    backoff_s,
    cost_bound,
    cost_usd,
    estimated_usage,
    provider_error,
)
from curator.committee.store import GenerationStore, StoredReply
from curator.errors import BudgetReached
from curator.progress import Progress, Silent
from curator.records import Generation

_CHUNK = 128  # calls looked up at a time
_WINDOW = 20_000  # calls between the first one without an answer and the last one queued
_SHOW_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Host:
    """Time and chance. `clock` is monotonic, `now` counts seconds since 1970, `random` gives numbers in [0, 1)."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Sampled:
    """What a run of the engine came to.

    `generations` are one a planned call, in the plan's order. `sent` counts requests, tries included; `from_store`
    answers that were there already; `failed` calls without an answer; `estimated` new answers without usage. Tokens
    are those of the new answers, dollars those of the budget's ledger; `unconfirmed_usd` may have been billed on top,
    without an answer.
    """

    generations: tuple[Generation, ...]
    sent: int
    from_store: int
    failed: int
    estimated: int
    input_tokens: int
    output_tokens: int
    usd: float
    unconfirmed_usd: float


async def sample(
    calls: Iterable[PlannedCall],
    endpoints: Mapping[str, Endpoint],
    *,
    store: GenerationStore,
    budget: Budget,
    progress: Progress | None = None,
    host: Host | None = None,
) -> Sampled:
    """Get an answer to every planned call; `endpoints` go by the model's name in the config.

    A call that fails for good gives a generation with `error`, which is not stored: a second run asks it again. When
    cancelled, it sends nothing more, waits until what is in flight is stored, and raises; cancelled again, at once.

    Raises:
        BudgetReached: a limit has no room for the next request.
        ProviderError: an endpoint refuses for good, or nobody is there.
        StorageError: an answer could not be stored.
    """
    progress = progress or Silent()
    progress.start("ask", total=len(calls) if isinstance(calls, Sized) else None, unit="answers")
    generations: list[Generation] = []
    run = _Run(endpoints, store, budget, progress, host or Host(), generations.append)
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
    finally:
        progress.finish(run.note())
    runner.result()
    return run.summary(tuple(generations))


@dataclass(slots=True)
class _Slot:
    """A planned call's place in the order of the plan."""

    call: PlannedCall
    generation: Generation | None = None


@dataclass(slots=True)
class _Lane:
    """One model's queue, its workers and the health of its endpoint."""

    endpoint: Endpoint
    queue: asyncio.Queue[_Slot | None] = field(default_factory=asyncio.Queue)
    workers: list[asyncio.Task[None]] = field(default_factory=list)
    health: Health = field(default_factory=Health)

    @property
    def hungry(self) -> bool:
        """Whether its workers will soon have nothing to do."""
        return self.queue.qsize() < self.endpoint.config.concurrency


class _Run:
    """The state of one call of `sample`."""

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        store: GenerationStore,
        budget: Budget,
        progress: Progress,
        host: Host,
        deliver: Callable[[Generation], None],
    ) -> None:
        self._endpoints = endpoints
        self._store = store
        self._budget = budget
        self._progress = progress
        self._host = host
        self._deliver = deliver
        self._lanes: dict[str, _Lane] = {}
        self._window: deque[_Slot] = deque()
        self._pending: dict[str, list[_Slot]] = {}  # the slots that wait for a key
        self._answered_before: set[str] = set()  # models whose answers to this plan are in the store
        self._naps: set[asyncio.Future[None]] = set()
        self._room = asyncio.Event()
        self._settled = asyncio.Event()
        self._halted = False
        self._error: BaseException | None = None
        self._sent = self._from_store = self._failed = self._estimated = 0
        self._input_tokens = self._output_tokens = 0
        self._unshown = 0
        self._shown_at = host.clock()

    async def answer_all(self, calls: Iterable[PlannedCall]) -> None:
        """Feed the workers, wait for them, and raise what stopped them."""
        try:
            await self._feed(calls)
        except Exception as error:  # noqa: BLE001  raised below, once what is in flight is stored
            self.halt(error)
        workers = [worker for lane in self._lanes.values() for worker in lane.workers]
        for lane in self._lanes.values():
            for _ in lane.workers:
                lane.queue.put_nowait(None)
        if workers:
            await asyncio.wait(workers)
        if self._error is not None:
            raise self._error
        self._progress.advance(self._unshown, note=self.note())

    def halt(self, error: BaseException | None = None) -> None:
        """Send nothing more; what is in flight goes on. The first error is the one that is raised.

        What is queued stays there, before the marks of the end: the workers run through it and nothing can be afforded.
        """
        self._error = self._error or error
        self._halted = True
        for nap in self._naps:
            nap.cancel()
        self._room.set()
        self._settled.set()

    def abort(self, runner: asyncio.Task[None]) -> None:
        """Cancel what is left; nothing if the run came to its end."""
        if runner.done():
            _ = runner.cancelled() or runner.exception()  # marks it as seen: the cancellation is what is raised
            return
        for task in (runner, *(worker for lane in self._lanes.values() for worker in lane.workers)):
            task.cancel()

    def note(self) -> str:
        """What the user sees beside the bar."""
        usd = self._budget.ledger.usd
        return f"{self._sent:,} sent, {self._from_store:,} stored before, {self._failed:,} failed, ${usd:,.4f}"

    def summary(self, generations: tuple[Generation, ...]) -> Sampled:
        """The figures of the finished run."""
        ledger = self._budget.ledger
        return Sampled(
            generations=generations,
            sent=self._sent,
            from_store=self._from_store,
            failed=self._failed,
            estimated=self._estimated,
            input_tokens=self._input_tokens,
            output_tokens=self._output_tokens,
            usd=ledger.usd,
            unconfirmed_usd=ledger.unconfirmed_usd,
        )

    async def _feed(self, calls: Iterable[PlannedCall]) -> None:
        """Take in the plan as fast as the workers need it."""
        planned = iter(calls)
        while not self._halted and (chunk := list(itertools.islice(planned, _CHUNK))):
            self._admit(chunk)
            await asyncio.sleep(0)
            while not self._wants_more():
                self._room.clear()
                await self._room.wait()

    def _wants_more(self) -> bool:
        if self._halted or not self._lanes:
            return True
        return len(self._window) < _WINDOW and any(lane.hungry for lane in self._lanes.values())

    def _admit(self, chunk: list[PlannedCall]) -> None:
        """Fill what is stored and queue the rest; a key that is being asked already is only waited for.

        The look-up blocks the loop for a millisecond or so, so that no answer can arrive between it and the queueing.
        """
        stored = self._store.get_many([call.request.key for call in chunk])
        for call in chunk:
            slot = _Slot(call)
            self._window.append(slot)
            key = call.request.key
            if key in stored:
                slot.generation = _generation(call, stored[key])
                self._from_store += 1
                self._answered_before.add(call.member.model)
                self._show()
            elif key in self._pending:
                self._pending[key].append(slot)
            else:
                self._pending[key] = [slot]
                self._lane(call.member.model).queue.put_nowait(slot)
        self._hand_on()

    def _lane(self, model: str) -> _Lane:
        """The model's lane, with its workers started."""
        lane = self._lanes.get(model)
        if lane is None:
            lane = self._lanes[model] = _Lane(self._endpoints[model])
            lane.health.answers += model in self._answered_before
            for _ in range(lane.endpoint.config.concurrency):
                worker = asyncio.create_task(self._work(lane))
                worker.add_done_callback(self._ended)
                lane.workers.append(worker)
        return lane

    def _ended(self, worker: asyncio.Task[None]) -> None:
        if not worker.cancelled() and (error := worker.exception()):
            self.halt(error)

    async def _work(self, lane: _Lane) -> None:
        while (slot := await lane.queue.get()) is not None:
            answer = await self._answer(lane, slot.call)
            if answer is not None:
                self._fill(slot.call.request.key, answer)
            if self._wants_more():
                self._room.set()

    async def _answer(self, lane: _Lane, call: PlannedCall) -> StoredReply | str | None:
        """The answer to a call, or why there is none; nothing once the run stops before one of the two is known."""
        config = lane.endpoint.config
        bound = cost_bound(call.request, lane.endpoint.price)
        unsure = False
        attempt = 0
        while await self._afford(bound):
            attempt += 1
            outcome = await self._ask(lane, call, bound)
            if isinstance(outcome, StoredReply):
                return outcome
            given_up = (
                outcome.kind == "rejected" or (outcome.kind == "ambiguous" and unsure) or attempt >= config.max_tries
            )
            if lane.health.hopeless(outcome, attempt, config, given_up=given_up):
                self.halt(provider_error(config, call.request.endpoint, outcome))
                break
            if given_up:
                return f"{outcome} (tried {attempt}x)"
            unsure = unsure or outcome.kind == "ambiguous"
            await self._rest(attempt, outcome)
        return None

    async def _afford(self, bound: Spend) -> bool:
        """Reserve the bound, if need be once others have settled; False when the run stops."""
        while not self._halted and not self._budget.reserve(bound):
            limit = self._budget.exhausted(bound)
            if limit is not None:
                self.halt(self._budget_reached(limit))
            else:
                self._settled.clear()
                await self._settled.wait()
        return not self._halted

    async def _ask(self, lane: _Lane, call: PlannedCall, bound: Spend) -> StoredReply | CallFailed:
        """One try: what the model answered, once that is in the store, or how it failed."""
        self._sent += 1
        started = self._host.clock()
        try:
            reply = await lane.endpoint.client.complete(call.request)
        except CallFailed as failure:
            if failure.kind == "ambiguous":
                self._budget.keep(bound)
            else:
                self._budget.release(bound)
            self._settled.set()
            return failure
        latency_s = self._host.clock() - started
        lane.health.answered()
        usage = reply.usage or estimated_usage(call, reply.text)
        usd = cost_usd(usage.input_tokens, usage.output_tokens, lane.endpoint.price)
        self._budget.settle(bound, Spend.of(tokens=usage.input_tokens + usage.output_tokens, usd=usd))
        self._settled.set()
        self._estimated += usage.estimated
        self._input_tokens += usage.input_tokens
        self._output_tokens += usage.output_tokens
        answer = StoredReply(
            text=reply.text,
            finish_reason=reply.finish_reason,
            usage=usage,
            logprobs=reply.logprobs,
            cost_usd=usd,
            latency_s=latency_s,
            model=call.request.model,
            created_at=self._host.now(),
        )
        return await self._store.put(call.request.key, answer)

    async def _rest(self, attempt: int, failure: CallFailed) -> None:
        """Wait before the next try, unless the run stops."""
        if self._halted:
            return
        nap = asyncio.ensure_future(self._host.sleep(backoff_s(attempt, failure, self._host.random())))
        self._naps.add(nap)
        try:
            await asyncio.wait((nap,))
        finally:
            self._naps.discard(nap)
            nap.cancel()

    def _fill(self, key: str, answer: StoredReply | str) -> None:
        """Give the answer to every slot that waits for the key."""
        slots = self._pending.pop(key)
        for slot in slots:
            slot.generation = _generation(slot.call, answer)
            self._show()
        if isinstance(answer, str):
            self._failed += len(slots)
        else:
            self._from_store += len(slots) - 1
        self._hand_on()

    def _hand_on(self) -> None:
        """Deliver what is answered up to the first gap."""
        window = self._window
        while window and (generation := window[0].generation) is not None:
            window.popleft()
            self._deliver(generation)

    def _show(self) -> None:
        """Count one more answer; the bar moves a few times a second."""
        self._unshown += 1
        now = self._host.clock()
        if now - self._shown_at >= _SHOW_EVERY_S:
            self._progress.advance(self._unshown, note=self.note())
            self._unshown, self._shown_at = 0, now

    def _budget_reached(self, limit: str) -> BudgetReached:
        ledger = self._budget.ledger
        spent = f"{ledger.requests:,} requests, {ledger.tokens:,} tokens, ${ledger.usd:,.4f}"
        return BudgetReached(
            f"{limit} has no room for the next request (spent: {spent}); the answers are stored",
            remedy="raise the limit and run again: it goes on from there, and stored answers cost nothing",
        )


def _generation(call: PlannedCall, answer: StoredReply | str) -> Generation:
    """The generation of a call that was answered, or that failed with the error `answer`."""
    member = call.member
    if isinstance(answer, str):
        return Generation(
            call.case_id, "", member.model, member.variant, member.temperature, call.request.sample_index, error=answer
        )
    return Generation(
        call.case_id,
        answer.text,
        member.model,
        member.variant,
        member.temperature,
        call.request.sample_index,
        answer.finish_reason,
        answer.usage,
        answer.cost_usd,
        answer.latency_s,
        answer.logprobs,
    )
