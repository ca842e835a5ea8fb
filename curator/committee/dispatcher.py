"""Dispatcher of one model's requests: sends as fast as its limits allow.

The limits are rate limits, the budget and the circuit breaker.

`pump` is the only place that sends. It is called after every change: new calls, an answer, a refusal, or the end of a
pause. A request counts as in flight until its answers are on the disk. A killed process therefore loses the answers of at
most `concurrency` requests; with more than 50, where the disk would slow the endpoint down, of a few more.
"""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from curator.committee.empty_answers import empty_error, empty_reason
from curator.committee.endpoints import (
    CircuitBreaker,
    Endpoint,
    asks_too_long,
    backoff_s,
    cost_bound,
    cost_usd,
    pause_s,
    provider_error,
    refuses_temperature,
    shares,
    stored_reply,
)
from curator.committee.engine_context import EngineContext, RequestGroup, SentRequest, TemperatureRefused
from curator.committee.rate_limits import AimdWindow, RateLimiter
from curator.committee.repeats import RepeatGrouping
from curator.committee.requests import CallFailed, ModelReply, PlannedCall
from curator.committee.unsent import Unsent
from curator.committee.waits import LEAST_S, Wait
from curator.records.spend import Spend
from curator.state.refusals import Refusal
from curator.state.store_schema import StoredReply
from curator.text.display import plural

_STRICT = 50  # up to this concurrency, an answer that is not on the disk yet counts as in flight
_AHEAD = 4  # above it, one answer in this many may be on its way to the disk without counting
_PROBE_S = 10.0  # other requests wait at most this long for the first answer


class Dispatcher:
    """Requests to one model.

    The first request is sent alone. It shows whether the endpoint is there and accepts the key and the temperature, and
    what its limits are. The first request for several answers is sent alone as well. It proves that all answers come and
    are all counted in the usage; if not, every answer gets a request of its own.
    """

    def __init__(self, endpoint: Endpoint, context: EngineContext, *, answered_before: bool) -> None:
        config = endpoint.config
        self.endpoint = endpoint
        self.in_flight = 0
        self._unstored = 0  # requests in flight whose answers are on their way to the disk
        self._ahead = max(0, config.concurrency - _STRICT) // _AHEAD
        self._tasks: set[asyncio.Task[None]] = set()
        self._context = context
        self._ready: deque[RequestGroup] = deque()
        self._waiting: dict[asyncio.Task[None], float] = {}  # pauses before another try, with their ends
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0.0
        self._breaker = CircuitBreaker(answers=int(answered_before))
        self._limiter = RateLimiter(config.requests_per_minute, config.tokens_per_minute)
        self._window = AimdWindow(config.concurrency)
        self._proved = False
        self._probe_at: float | None = None  # when the request that proves something was sent
        self._repeats = RepeatGrouping(config)
        self._unsent = Unsent(endpoint, on_known=context.moved)
        self._empty_so_far = False  # answers came, all of them empty at the token limit
        self._failure = ""  # the last one since the last answer

    @property
    def hungry(self) -> bool:
        """True when it will soon have nothing to send."""
        return len(self._ready) < self.endpoint.config.concurrency

    @property
    def allowed(self) -> int:
        """Requests that may be in flight now.

        It falls after a refusal, while requests that were sent before go on.
        """
        return self._window.allowed

    def add(self, calls: Iterable[PlannedCall]) -> None:
        """Queue calls for `pump`; the samples of one prompt are one group where grouping is tried."""
        groups: dict[object, RequestGroup] = {}
        for call in calls:
            prompt = (call.case_id, call.member.id) if self._repeats.tried else call.request.key
            if prompt in groups:
                groups[prompt].calls.append(call)
            else:
                groups[prompt] = RequestGroup([call])
        self._ready.extend(groups.values())

    def pump(self) -> None:
        """Send everything that may be sent now, and wake up when the rest may be."""
        context = self._context
        while self._ready and not context.halted:
            if not self._unsent.ready_for(self._ready[0].calls[0]):
                return
            if self._drop_hopeless():
                continue
            now = context.clock.monotonic()
            if not self._has_room(now):
                return
            if (wait := self._limiter.wait_s(now)) > 0.0:
                self._wake(now + wait)
                return
            group = self._next()
            request = group.request()
            bound = cost_bound(request, self.endpoint.price)
            if not context.afford(bound):
                return
            self._ready.popleft()
            if self._proving(group):
                group.proves = True
                self._probe_at = now if self._probe_at is None else self._probe_at
            most = group.calls[0].input_tokens + request.output_limit * request.n
            sent = SentRequest(request, bound, most, self._limiter.take(most, now), now)
            context.tally.sent += 1
            self.in_flight += 1
            self._tasks.add(asyncio.create_task(self._ask(group, sent)))

    def wait(self) -> Wait | None:
        """Return the wait that this model is in; None while its requests go."""
        now = self._context.clock.monotonic()
        seconds = self._limiter.held_s(now)
        if seconds <= 0.0 and self._waiting and not self.in_flight and not self._ready:
            seconds = min(self._waiting.values()) - now
        if seconds < LEAST_S or self._context.halted:
            return None
        return Wait(self.endpoint.config.name, self._failure or "its rate limit is used up", seconds)

    def stop(self) -> None:
        """End all pauses. Requests in flight go on."""
        self._unsent.stop()
        for task in (*self._waiting, *([self._alarm] if self._alarm else [])):
            task.cancel()

    def abort(self) -> None:
        """Cancel the requests in flight."""
        for task in self._tasks:
            task.cancel()

    def _has_room(self, now: float) -> bool:
        """Return whether one more request may be in flight.

        None may be beside a request that proves something, unless that takes long. While all answers are empty at the token
        limit, one goes at a time.
        """
        if self._empty_so_far and not self._proved and self.in_flight:
            return False
        if self._proving(self._ready[0]) and self._probe_at is not None and now < self._probe_at + _PROBE_S:
            self._wake(self._probe_at + _PROBE_S)
            return False
        return self.in_flight - min(self._unstored, self._ahead) < self._window.allowed

    def _proving(self, group: RequestGroup) -> bool:
        return not self._proved or (self._repeats.works is None and len(group.calls) > 1)

    def _next(self) -> RequestGroup:
        """Return the next group. It is split up where each answer needs a request of its own."""
        group = self._ready[0]
        if len(group.calls) > 1 and (not self._proved or not self._repeats.tried):
            self._ready.popleft()
            first, *others = group.alone()
            if self._repeats.tried:
                others = [replace(group, calls=group.calls[1:])]
            self._ready.extendleft(reversed([first, *others]))
        return self._ready[0]

    def _drop_hopeless(self) -> bool:
        """Record the failure of the next group without asking, if it is not worth a request."""
        group = self._ready[0]
        reason = self._unsent.reason(group.calls[0])
        if reason is None:
            return False
        self._ready.popleft()
        self._context.tally.not_asked += len(group.calls)
        for dropped in group.calls:
            self._context.fill(dropped.request.key, reason)
        return True

    def _finish_one(self, error: Exception | None = None) -> None:
        self.in_flight -= 1
        if error is not None:
            self._context.halt(error)
        self._context.moved()

    def _wake(self, at: float) -> None:
        """Pump again at that time, or earlier if that is planned already."""
        if self._alarm is not None and not self._alarm.done():
            if self._alarm_at <= at:
                return
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = asyncio.create_task(self._ring(at))

    async def _ring(self, at: float) -> None:
        await self._context.clock.sleep(max(0.0, at - self._context.clock.monotonic()))
        self._alarm = None
        self._context.moved()

    async def _ask(self, group: RequestGroup, sent: SentRequest) -> None:
        """Try once: store the answers, or handle the failure."""
        task = asyncio.current_task()
        try:
            await self._try(group, sent)
        except asyncio.CancelledError:  # the run was cancelled a second time
            self.in_flight -= 1
            raise
        except Exception as error:  # noqa: BLE001  a bug in a client or in the receiver of answers: the run raises it
            self._finish_one(error)
        finally:
            if task is not None:
                self._tasks.discard(task)

    async def _try(self, group: RequestGroup, sent: SentRequest) -> None:
        failure: CallFailed | None = None
        try:
            reply = await self.endpoint.client.complete(sent.request)
        except CallFailed as refused:
            failure = refused
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            failure = CallFailed("ambiguous", "the client cancelled the request")
        if failure is None:
            self._answered(group, reply, sent)
        else:
            self._failed(group, failure, sent)
            self._finish_one()

    def _answered(self, group: RequestGroup, reply: ModelReply, sent: SentRequest) -> None:
        context, now = self._context, self._context.clock.monotonic()
        replies = (reply, *reply.more)[: len(group.calls)]
        calls, left = group.calls[: len(replies)], group.calls[len(replies) :]
        usage = self._repeats.usage(group, reply, replies)
        usd = cost_usd(usage.input_tokens, usage.output_tokens, self.endpoint.price)
        tokens = usage.input_tokens + usage.output_tokens
        context.budget.settle(sent.bound, Spend.of(tokens=tokens, usd=usd))
        self._limiter.answered(sent.expected_tokens, sent.most_tokens, tokens)
        if reply.limits:
            self._limiter.observe(reply.limits, now)
        if group.proves:
            self._probe_at = None
        tally = context.tally
        tally.estimated += len(replies) if usage.estimated else 0
        tally.input_tokens += usage.input_tokens
        tally.output_tokens += usage.output_tokens
        if left:  # fewer answers than requested: each of the others gets a request of its own
            self._repeats.works = False
            self._ready.extendleft(RequestGroup([call]) for call in reversed(left))
        split = list(zip(calls, replies, shares(usage, [r.text for r in replies]), strict=True))
        took, created = now - sent.at, context.clock.now()
        answers = [
            (call, stored_reply(answer, share, self.endpoint.price, asked=call.request, latency_s=took, now=created))
            for call, answer, share in split
            if answer.failure is None
        ]
        if answers:
            self._count_answers([call for call, _ in answers])
        for call, answer, _ in split:
            if answer.failure is not None:
                tally.errors[answer.failure.label] += 1
                self._settle(RequestGroup([call], group.tries, group.unsure), answer.failure, whole_prompt=False)
        if not answers:
            self._finish_one()
            return
        keys = [call.request.key for call, _ in answers]
        context.store.keep(
            list(zip(keys, [answer for _, answer in answers], strict=True)), functools.partial(self._on_stored, keys)
        )
        self._unstored += 1
        if self._ahead:
            context.moved()

    def _count_answers(self, calls: Sequence[PlannedCall]) -> None:
        self._breaker.answered()
        self._window.grow()
        self._proved = True
        self._failure = ""
        for call in calls:
            self._context.empties.answered(call.member.id)

    def _on_stored(self, keys: Sequence[str], stored: Sequence[StoredReply] | Exception) -> None:
        """Deliver the stored answers to these keys; halt if they could not be stored."""
        self._unstored -= 1
        if isinstance(stored, Exception):
            self._finish_one(stored)
            return
        try:
            for key, answer in zip(keys, stored, strict=True):
                self._context.fill(key, answer)
        except Exception as error:  # noqa: BLE001  the receiver of answers has failed: the run raises it
            self._finish_one(error)
        else:
            self._finish_one()

    def _failed(self, group: RequestGroup, failure: CallFailed, sent: SentRequest) -> None:
        """Try again later, record the failure, or end the run."""
        context, config = self._context, self.endpoint.config
        context.tally.errors[failure.label] += 1
        if group.proves:
            self._probe_at = None
        if failure.kind == "ambiguous":
            context.budget.keep(sent.bound)
        else:
            context.budget.release(sent.bound)
            self._limiter.failed(sent.expected_tokens)
        self._slow_down(failure, sent)
        if refuses_temperature(failure, sent.request):
            context.halt(TemperatureRefused(config.name))
            return
        if failure.kind == "rejected" and failure.cause is None and len(group.calls) > 1:
            self._repeats.refused()  # it may only refuse to give several answers
            self._ready.extendleft(reversed(group.alone()))
            return
        self._settle(group, failure, whole_prompt=True)

    def _settle(self, group: RequestGroup, failure: CallFailed, *, whole_prompt: bool) -> None:
        """Try the calls again later, record their failure, or end the run.

        `whole_prompt` is False where only one sample of the prompt failed.
        """
        context, config, first = self._context, self.endpoint.config, group.calls[0]
        self._failure = str(failure)
        if failure.cause == "token_limit":
            self._settle_empty(first, failure)
            return
        group.tries += 1
        given_up = (
            failure.kind == "rejected"
            or (failure.kind == "ambiguous" and group.unsure)
            or group.tries >= config.max_tries
        )
        stop = asks_too_long(failure, config.patience_s)
        if stop or self._breaker.trips(failure, group.tries, config, given_up=given_up, case_id=first.case_id):
            context.halt(provider_error(config, first.request.endpoint, failure, now=context.clock.now()))
        elif given_up:
            self._give_up(group, failure, whole_prompt=whole_prompt)
        else:
            group.unsure = group.unsure or failure.kind == "ambiguous"
            self._retry_later(group, failure)

    def _settle_empty(self, call: PlannedCall, failure: CallFailed) -> None:
        """Record an empty answer at the token limit; end the run if its member gives no others."""
        context, setting = self._context, self.endpoint.limit_setting
        reason = empty_reason(call, setting, failure)
        self._empty_so_far = True
        context.refusals.add(call.request.key, Refusal(call.request.model, reason, failure.cause))
        context.fill(call.request.key, reason)
        if context.empties.empty(call):
            context.halt(empty_error(call, setting, reason))

    def _give_up(self, group: RequestGroup, failure: CallFailed, *, whole_prompt: bool) -> None:
        """Record the failure of calls, and remember a refusal whose cause lies in the request."""
        reason = f"{failure} (tried {plural(group.tries, 'time')})"
        request = group.calls[0].request
        if failure.kind == "rejected" and whole_prompt:
            self._unsent.refuse(request, reason)
        if failure.cause is not None:
            key = request.prompt_key if whole_prompt else request.key
            self._context.refusals.add(key, Refusal(request.model, str(failure), failure.cause))
        for call in group.calls:
            self._context.fill(call.request.key, reason)

    def _slow_down(self, failure: CallFailed, sent: SentRequest) -> None:
        """Lower the rate for all groups where the endpoint asks for it."""
        now = self._context.clock.monotonic()
        if failure.limits:
            self._limiter.observe(failure.limits, now)
        if failure.overload:
            cooldown = self._window.shrink(sent.at, now, self.in_flight)
            self._limiter.hold(max(cooldown, min(pause_s(failure), self.endpoint.config.patience_s)), now)
            self._limiter.refused()

    def _retry_later(self, group: RequestGroup, failure: CallFailed) -> None:
        """Queue the group again after its pause; other groups are sent meanwhile."""
        if self._context.halted:
            return
        wait = backoff_s(group.tries, failure, self._context.clock.random())
        task = asyncio.create_task(self._requeue_after(group, wait))
        self._waiting[task] = self._context.clock.monotonic() + wait
        task.add_done_callback(lambda ended: self._waiting.pop(ended, None))

    async def _requeue_after(self, group: RequestGroup, seconds: float) -> None:
        await self._context.clock.sleep(seconds)
        self._ready.appendleft(group)
        self._context.moved()
