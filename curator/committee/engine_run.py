"""State of one run of the engine: feeds the dispatchers and delivers the answers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from curator.committee.budget import Budget
from curator.committee.clock import Clock
from curator.committee.dispatcher import Dispatcher
from curator.committee.empty_answers import EmptyAnswers, empty_error
from curator.committee.endpoints import COMMITTEE_LIMIT, Endpoint
from curator.committee.engine_context import Tally
from curator.committee.requests import PlannedCall
from curator.committee.run_progress import RunProgress
from curator.committee.unsent import reason_again, refused_before
from curator.records import Generation
from curator.records.spend import Spend
from curator.state.claims import Claims
from curator.state.generations import GenerationStore
from curator.state.refusals import Refusals
from curator.state.store_schema import StoredReply

_CHUNK = 64  # calls looked up at a time
_PENDING = 8192  # calls without an answer that are in memory at most
_LOOK_EVERY_S = 0.25  # for answers that another process is buying
BEAT_S = 1.0
"""Seconds after which the progress is shown again, although nothing changed."""

Deliver = Callable[[PlannedCall, Generation], object]


class EngineRun:
    """The state of one call of `sample`, and the `EngineContext` of its dispatchers."""

    def __init__(  # noqa: PLR0913  the seams of the run, each one named
        self,
        endpoints: Mapping[str, Endpoint],
        *,
        store: GenerationStore,
        claims: Claims,
        refusals: Refusals,
        budget: Budget,
        deliver: Deliver,
        progress: RunProgress,
        tally: Tally,
        clock: Clock,
        given_up: Mapping[str, str],
    ) -> None:
        self.store = store
        self.refusals = refusals
        self.empties = EmptyAnswers()
        self.budget = budget
        self.clock = clock
        self.tally = tally
        self.halted = False
        self._given_up = given_up
        self._endpoints = endpoints
        self._claims = claims
        self._deliver = deliver
        self._progress = progress
        self._dispatchers: dict[str, Dispatcher] = {}
        self._pending: dict[str, list[PlannedCall]] = {}  # the calls that wait for a key
        self._elsewhere: dict[str, PlannedCall] = {}  # keys that another process is asking for
        self._watcher: asyncio.Task[None] | None = None
        self._answered_before: set[str] = set()  # models with stored answers to this plan
        self._changed = asyncio.Event()
        self._condition: Callable[[], bool] = self._wants_more  # the condition that the feeder waits for
        self._error: BaseException | None = None

    async def answer_all(self, calls: Iterable[PlannedCall]) -> None:
        """Feed the dispatchers, wait for them, and raise the error that stopped them."""
        beat = asyncio.create_task(self._beat())
        try:
            await self._feed(calls)
        except Exception as error:  # noqa: BLE001  raised below, once everything in flight is stored
            self.halt(error)
        try:
            await self._wait_for(self._drained)
        finally:
            beat.cancel()
        self._stop_waiting()
        self._progress.show(self._dispatchers.values())
        if self._error is not None:
            raise self._error

    def halt(self, error: BaseException | None = None) -> None:
        """Send nothing more; requests in flight go on. The first error is raised at the end."""
        self._error = self._error or error
        self.halted = True
        self._stop_waiting()
        self._check_condition()

    def abort(self, runner: asyncio.Task[None]) -> None:
        """Cancel everything that is left; do nothing if the run has ended."""
        if runner.done():
            _ = runner.cancelled() or runner.exception()  # marks it as seen: the cancellation is raised instead
            return
        runner.cancel()
        for dispatcher in self._dispatchers.values():
            dispatcher.abort()

    def afford(self, bound: Spend) -> bool:
        """Reserve the most that a request can cost.

        It returns False until other requests have settled, and when the run ends.
        """
        if self.budget.reserve(bound):
            return True
        limit = self.budget.exhausted(bound)
        if limit is None and not any(dispatcher.in_flight for dispatcher in self._dispatchers.values()):
            limit = "the budget's reserve for other requests"
        if limit is not None:
            self.halt(self.budget.reached(limit))
        return False

    def fill(self, key: str, answer: StoredReply | str) -> None:
        """Deliver the answer, or the reason why there is none, to every call that waits for the key."""
        calls = self._pending.pop(key)
        self._claims.drop(key)
        if isinstance(answer, str):
            self.tally.failed += len(calls)
        else:
            self.tally.from_store += len(calls) - 1
        for call in calls:
            self._hand_on(call, answer)

    def moved(self) -> None:
        """Let every dispatcher send what it may send now, and the feeder bring more."""
        try:
            for dispatcher in self._dispatchers.values():
                dispatcher.pump()
        except Exception as error:  # noqa: BLE001  no task waits for the caller: the run raises it
            self.halt(error)
        self._check_condition()

    async def _beat(self) -> None:
        """Show the run also while no answer comes, so that a wait is seen."""
        while True:
            await asyncio.sleep(BEAT_S)
            self._progress.show(self._dispatchers.values())

    async def _feed(self, calls: Iterable[PlannedCall]) -> None:
        """Read the plan as fast as the dispatchers need it."""
        for chunk in _chunks(calls):
            self._admit(chunk)
            await asyncio.sleep(0)
            await self._wait_for(self._wants_more)
            if self.halted:
                return

    async def _wait_for(self, condition: Callable[[], bool]) -> None:
        """Sleep until the condition holds; it is checked after every change."""
        self._condition = condition
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def _check_condition(self) -> None:
        if self._condition():
            self._changed.set()

    def _drained(self) -> bool:
        return not any(dispatcher.in_flight for dispatcher in self._dispatchers.values()) and (
            self.halted or not self._pending
        )

    def _wants_more(self) -> bool:
        if self.halted or not self._dispatchers:
            return True
        return len(self._pending) < _PENDING and any(dispatcher.hungry for dispatcher in self._dispatchers.values())

    def _admit(self, chunk: Sequence[PlannedCall]) -> None:
        """Deliver the stored answers and ask for the rest.

        A key that is being asked for is only waited for.

        The look-up blocks the loop for about a millisecond. No answer can arrive between it and the queueing.
        """
        stored = self.store.get_many([call.request.key for call in chunk])
        for call in chunk:
            if call.request.key in stored:
                self.empties.answered(call.member.id)
        refused = self._refused_before([call for call in chunk if call.request.key not in stored])
        missing = []
        for call in chunk:
            key = call.request.key
            if key in stored:
                self.tally.from_store += 1
                self._answered_before.add(call.member.model)
                self._hand_on(call, stored[key])
            elif key in self._pending:
                self._pending[key].append(call)
            elif key in refused:
                self.tally.failed += 1
                self.tally.not_asked += 1
                self._hand_on(call, refused[key])
            elif key in self._given_up or call.member.model not in self._endpoints:
                self.tally.failed += 1
                self._hand_on(call, self._given_up.get(key, "its answer is gone from the store: run again"))
            else:
                self._pending[key] = [call]
                missing.append(call)
        self._ask(missing)

    def _refused_before(self, calls: Sequence[PlannedCall]) -> dict[str, str]:
        """Return the calls that an earlier run was refused, by key, with the reason.

        The run ends here if all that is known of a member are answers that were empty at the token limit.
        """
        refused = refused_before(self.refusals, calls)
        for call in calls:
            key, model = call.request.key, call.member.model
            if key not in refused or refused[key].cause != "token_limit":
                continue
            if self.empties.empty(call) and (model in self._endpoints or key in self._given_up):
                setting = self._endpoints[model].limit_setting if model in self._endpoints else COMMITTEE_LIMIT
                self.halt(empty_error(call, setting, refused[key].reason))
        return {key: reason_again(refusal) for key, refusal in refused.items()}

    def _ask(self, calls: Sequence[PlannedCall]) -> None:
        """Queue the calls whose answers no other process is buying; check the others later."""
        claimed = [call for call in calls if self._claims.take(call.request.key)]
        # An earlier holder of a claim may have stored the answer between the look-up and the claim.
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
        for model, queued in queues.items():
            self._dispatcher(model).add(queued)
        if len(claimed) < len(calls):
            claimed_keys = {call.request.key for call in claimed}
            self._elsewhere |= {call.request.key: call for call in calls if call.request.key not in claimed_keys}
            if self._watcher is None or self._watcher.done():
                self._watcher = asyncio.create_task(self._watch())
        self._progress.elsewhere = len(self._elsewhere)
        self.moved()

    async def _watch(self) -> None:
        """Look for the answers that another process is buying; ask for those that it gave up."""
        try:
            while self._elsewhere:
                await self.clock.sleep(_LOOK_EVERY_S)
                self._look_elsewhere()
        except Exception as error:  # noqa: BLE001  no task waits for this one: the run raises it
            self.halt(error)

    def _look_elsewhere(self) -> None:
        waiting = list(self._elsewhere.values())
        for key, reply in self.store.get_many([call.request.key for call in waiting]).items():
            del self._elsewhere[key]
            self.tally.from_store += 1
            self.fill(key, reply)
        self._ask([call for call in waiting if call.request.key in self._elsewhere])

    def _stop_waiting(self) -> None:
        for dispatcher in self._dispatchers.values():
            dispatcher.stop()
        if self._watcher is not None:
            self._watcher.cancel()

    def _dispatcher(self, model: str) -> Dispatcher:
        dispatcher = self._dispatchers.get(model)
        if dispatcher is None:
            answered_before = model in self._answered_before
            dispatcher = Dispatcher(self._endpoints[model], self, answered_before=answered_before)
            self._dispatchers[model] = dispatcher
        return dispatcher

    def _hand_on(self, call: PlannedCall, answer: StoredReply | str) -> None:
        self._deliver(call, _generation(call, answer))
        self._progress.count(self._dispatchers.values())


def _chunks(calls: Iterable[PlannedCall]) -> Iterator[list[PlannedCall]]:
    """Iterate over lists of about `_CHUNK` calls.

    Neighbouring calls of one case and member stay in one list.
    """
    chunk: list[PlannedCall] = []
    for call in calls:
        if len(chunk) >= _CHUNK and (call.case_id, call.member.id) != (chunk[-1].case_id, chunk[-1].member.id):
            yield chunk
            chunk = []
        chunk.append(call)
    if chunk:
        yield chunk


def _generation(call: PlannedCall, answer: StoredReply | str) -> Generation:
    """Return the generation of a call that was answered, or that failed with the error `answer`."""
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
        tokens=answer.tokens,
    )
