"""The sampling engine: asks what is not stored yet, within the budget, and loses no answer that was paid for.

One feeder looks the planned calls up in the store, chunk by chunk, claims those that are missing against other
processes, and queues them in the lane of their model, which asks. Only what is under way is held in memory, so that a
plan may be of any length. An answer is handed on once it is on the disk, in whatever order the answers come.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from types import MappingProxyType

from curator.committee.budget import Budget
from curator.committee.clock import Host
from curator.committee.dispatcher import Lane, Tally
from curator.committee.endpoints import Endpoint
from curator.committee.rate_limits import Speed
from curator.committee.requests import PlannedCall
from curator.errors import BudgetReached
from curator.progress import Facts, Progress, Silent
from curator.records import Generation
from curator.records.spend import Spend
from curator.state.claims import Claims
from curator.state.generations import GenerationStore
from curator.state.store_schema import StoredReply
from curator.text.display import money, plural

_CHUNK = 64  # calls looked up at a time
_PENDING = 8192  # calls without an answer that are held in memory at most
_SHOW_EVERY_S = 0.1
_LOOK_EVERY_S = 0.25  # for answers that another process is buying

Deliver = Callable[[PlannedCall, Generation], object]


@dataclass(frozen=True, slots=True)
class Sampled:
    """What a run of the engine came to.

    `sent` counts requests, tries included; `from_store` answers that were there already; `failed` calls without an
    answer; `estimated` new answers without usage. Tokens are those of the new answers, dollars those of the budget's
    ledger; `unconfirmed_usd` may have been billed on top, without an answer.
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
    host: Host | None = None,
    on_end: Callable[[Sampled], object] = lambda _: None,
) -> Sampled:
    """Get an answer to every planned call, and hand each one to `deliver`; `endpoints` go by the model's config name.

    What is in `given_up`, by key, is not asked: batches have failed on it for the reason there. A call that fails for good gives a generation with `error`, which is not stored: a second run asks it again. When
    cancelled, it sends nothing more, waits until what is in flight is stored, and raises; cancelled again, at once.
    `on_end` receives the figures at the end, also where the run raises.

    Raises:
        BudgetReached: a limit has no room for the next request.
        ProviderError: an endpoint refuses for good, or nobody is there.
        StorageError: an answer could not be stored.
        TemperatureRefused: a model takes no temperature but 1.
    """
    progress = progress or Silent()
    progress.start("ask", total=len(calls) if isinstance(calls, Sized) else None, unit="answers")
    with store.claims() as claims, _settled_memory():
        run = _Run(endpoints, store, claims, budget, deliver, progress, host or Host())
        run.given_up = given_up
        run.total = len(calls) if isinstance(calls, Sized) else None
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
            on_end(run.summary())
    runner.result()
    return run.summary()


class _Run:
    """The state of one call of `sample`, and the desk of its lanes."""

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        store: GenerationStore,
        claims: Claims,
        budget: Budget,
        deliver: Deliver,
        progress: Progress,
        host: Host,
    ) -> None:
        self.store = store
        self.budget = budget
        self.host = host
        self.tally = Tally()
        self.halted = False
        self.total: int | None = None
        self.given_up: Mapping[str, str] = {}
        self._endpoints = endpoints
        self._claims = claims
        self._deliver = deliver
        self._progress = progress
        self._lanes: dict[str, Lane] = {}
        self._pending: dict[str, list[PlannedCall]] = {}  # the calls that wait for a key
        self._elsewhere: dict[str, PlannedCall] = {}  # keys that another process is asking for
        self._watcher: asyncio.Task[None] | None = None
        self._answered_before: set[str] = set()  # models whose answers to this plan are in the store
        self._changed = asyncio.Event()
        self._condition: Callable[[], bool] = self._wants_more  # what the feeder sleeps for
        self._error: BaseException | None = None
        self._shown = self._unshown = 0
        self._shown_at = host.clock()
        self._requests, self._tokens, self._answers = Speed(), Speed(), Speed()

    async def answer_all(self, calls: Iterable[PlannedCall]) -> None:
        """Feed the lanes, wait for them, and raise what stopped them."""
        try:
            await self._feed(calls)
        except Exception as error:  # noqa: BLE001  raised below, once what is in flight is stored
            self.halt(error)
        await self._wait_for(self._drained)
        self._stop_waiting()
        self._progress.advance(self._unshown, note=self.note(), facts=self._facts())
        if self._error is not None:
            raise self._error

    def halt(self, error: BaseException | None = None) -> None:
        """Send nothing more; what is in flight goes on. The first error is the one that is raised."""
        self._error = self._error or error
        self.halted = True
        self._stop_waiting()
        self._look()

    def abort(self, runner: asyncio.Task[None]) -> None:
        """Cancel what is left; nothing if the run came to its end."""
        if runner.done():
            _ = runner.cancelled() or runner.exception()  # marks it as seen: the cancellation is what is raised
            return
        runner.cancel()
        for lane in self._lanes.values():
            lane.abort()

    def afford(self, bound: Spend) -> bool:
        """Reserve the most a request can cost; False until others have settled, or when the run ends here."""
        if self.budget.reserve(bound):
            return True
        limit = self.budget.exhausted(bound)
        if limit is None and not any(lane.in_flight for lane in self._lanes.values()):
            limit = "what the budget holds back for others"
        if limit is not None:
            self.halt(self._budget_reached(limit))
        return False

    def fill(self, key: str, answer: StoredReply | str) -> None:
        """Give the answer, or why there is none, to every call that waits for the key."""
        calls = self._pending.pop(key)
        self._claims.drop(key)
        if isinstance(answer, str):
            self.tally.failed += len(calls)
        else:
            self.tally.from_store += len(calls) - 1
        for call in calls:
            self._hand_on(call, answer)

    def moved(self) -> None:
        """Let every lane send what may go now, and the feeder bring more."""
        try:
            for lane in self._lanes.values():
                lane.pump()
        except Exception as error:  # noqa: BLE001  nobody waits for whoever called this: the run raises it
            self.halt(error)
        self._look()

    def note(self) -> str:
        """What the user sees beside the bar."""
        tally, ledger = self.tally, self.budget.ledger
        parts = [f"{tally.sent:,} sent", f"{tally.from_store:,} stored before", money(ledger.usd)]
        if tally.errors:
            kinds = ", ".join(f"{count:,}x {kind}" for kind, count in sorted(tally.errors.items()))
            parts.insert(2, f"{tally.failed:,} failed (tries: {kinds})")
        if self._elsewhere:
            parts.append(f"{len(self._elsewhere):,} asked by another process")
        return ", ".join(parts)

    def summary(self) -> Sampled:
        """The figures of the finished run."""
        tally, ledger = self.tally, self.budget.ledger
        return Sampled(
            sent=tally.sent,
            from_store=tally.from_store,
            failed=tally.failed,
            estimated=tally.estimated,
            input_tokens=tally.input_tokens,
            output_tokens=tally.output_tokens,
            usd=ledger.usd,
            unconfirmed_usd=ledger.unconfirmed_usd,
        )

    async def _feed(self, calls: Iterable[PlannedCall]) -> None:
        """Take in the plan as fast as the lanes need it."""
        for chunk in _chunks(calls):
            self._admit(chunk)
            await asyncio.sleep(0)
            await self._wait_for(self._wants_more)
            if self.halted:
                return

    async def _wait_for(self, condition: Callable[[], bool]) -> None:
        """Sleep until the condition holds; it is looked at whenever something moved."""
        self._condition = condition
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def _look(self) -> None:
        if self._condition():
            self._changed.set()

    def _drained(self) -> bool:
        return not any(lane.in_flight for lane in self._lanes.values()) and (self.halted or not self._pending)

    def _wants_more(self) -> bool:
        if self.halted or not self._lanes:
            return True
        return len(self._pending) < _PENDING and any(lane.hungry for lane in self._lanes.values())

    def _admit(self, chunk: Sequence[PlannedCall]) -> None:
        """Hand on what is stored and ask for the rest; a key that is being asked for already is only waited for.

        The look-up blocks the loop for a millisecond or so, so that no answer can arrive between it and the queueing.
        """
        stored = self.store.get_many([call.request.key for call in chunk])
        missing = []
        for call in chunk:
            key = call.request.key
            if key in stored:
                self.tally.from_store += 1
                self._answered_before.add(call.member.model)
                self._hand_on(call, stored[key])
            elif key in self._pending:
                self._pending[key].append(call)
            elif key in self.given_up or call.member.model not in self._endpoints:
                self.tally.failed += 1
                self._hand_on(call, self.given_up.get(key, "its answer is gone from the store: run again"))
            else:
                self._pending[key] = [call]
                missing.append(call)
        self._ask(missing)

    def _ask(self, calls: Sequence[PlannedCall]) -> None:
        """Queue the calls whose answers nobody else is buying; see about the others later."""
        claimed = [call for call in calls if self._claims.take(call.request.key)]
        # Whoever held a claim before may have stored the answer between the look-up and the claim.
        late = self.store.get_many([call.request.key for call in claimed])
        for key, reply in late.items():
            self._elsewhere.pop(key, None)
            self.tally.from_store += 1
            self.fill(key, reply)
        queues: defaultdict[str, list[PlannedCall]] = defaultdict(list)
        for call in claimed:
            if call.request.key not in late:
                self._elsewhere.pop(call.request.key, None)
                queues[call.member.model].append(call)
        for model, own in queues.items():
            self._lane(model).add(own)
        if len(claimed) < len(calls):
            mine = {call.request.key for call in claimed}
            self._elsewhere |= {call.request.key: call for call in calls if call.request.key not in mine}
            if self._watcher is None or self._watcher.done():
                self._watcher = asyncio.create_task(self._watch())
        self.moved()

    async def _watch(self) -> None:
        """Look now and then for the answers that another process is buying; ask ourselves where it gave up."""
        try:
            while self._elsewhere:
                await self.host.sleep(_LOOK_EVERY_S)
                self._look_elsewhere()
        except Exception as error:  # noqa: BLE001  nobody waits for this task: the run raises it
            self.halt(error)

    def _look_elsewhere(self) -> None:
        waiting = list(self._elsewhere.values())
        for key, reply in self.store.get_many([call.request.key for call in waiting]).items():
            del self._elsewhere[key]
            self.tally.from_store += 1
            self.fill(key, reply)
        self._ask([call for call in waiting if call.request.key in self._elsewhere])

    def _stop_waiting(self) -> None:
        for lane in self._lanes.values():
            lane.stop()
        if self._watcher is not None:
            self._watcher.cancel()

    def _lane(self, model: str) -> Lane:
        lane = self._lanes.get(model)
        if lane is None:
            known = model in self._answered_before
            lane = self._lanes[model] = Lane(self._endpoints[model], self, answered_before=known)
        return lane

    def _hand_on(self, call: PlannedCall, answer: StoredReply | str) -> None:
        """Deliver an answer; the bar moves a few times a second."""
        self._deliver(call, _generation(call, answer))
        self._unshown += 1
        now = self.host.clock()
        if now - self._shown_at >= _SHOW_EVERY_S:
            self._shown += self._unshown
            self._progress.advance(self._unshown, note=self.note(), facts=self._facts())
            self._unshown, self._shown_at = 0, now

    def _facts(self) -> Facts:
        """The figures beside the bar, for machines."""
        tally, ledger, now = self.tally, self.budget.ledger, self.host.clock()
        answers_per_s = self._answers.per_s(self._shown, now)
        left = None if self.total is None or not answers_per_s else (self.total - self._shown) / answers_per_s
        return {
            "sent": tally.sent,
            "from_store": tally.from_store,
            "failed": tally.failed,
            "in_flight": sum(lane.in_flight for lane in self._lanes.values()),
            "allowed": sum(lane.allowed for lane in self._lanes.values()),
            "requests_per_s": round(self._requests.per_s(tally.sent, now), 2),
            "tokens_per_s": round(self._tokens.per_s(tally.input_tokens + tally.output_tokens, now), 2),
            "usd": ledger.usd,
            "usd_left": self.budget.usd_left,
            "errors": dict(tally.errors),
            "seconds_left": None if left is None else round(left, 1),
        }

    def _budget_reached(self, limit: str) -> BudgetReached:
        ledger = self.budget.ledger
        spent = f"{plural(ledger.requests, 'request')}, {plural(ledger.tokens, 'token')}, {money(ledger.usd)}"
        return BudgetReached(
            f"{limit} has no room for the next request (spent: {spent}); the answers are stored",
            remedy="raise the limit and run again: it goes on from there, and stored answers cost nothing",
        )


@contextlib.contextmanager
def _settled_memory() -> Iterator[None]:
    """Spare the garbage collector what is in memory by now: going through that took a tenth of a request's time."""
    if gc.get_freeze_count():  # somebody else does so already
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _chunks(calls: Iterable[PlannedCall]) -> Iterator[list[PlannedCall]]:
    """The calls in lists of about `_CHUNK`, those of one case and member that follow each other in one list."""
    chunk: list[PlannedCall] = []
    for call in calls:
        if len(chunk) >= _CHUNK and (call.case_id, call.member.id) != (chunk[-1].case_id, chunk[-1].member.id):
            yield chunk
            chunk = []
        chunk.append(call)
    if chunk:
        yield chunk


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
