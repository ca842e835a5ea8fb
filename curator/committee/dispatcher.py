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
from dataclasses import dataclass, replace

from curator.committee.endpoints import (
    CircuitBreaker,
    Endpoint,
    backoff_s,
    cost_bound,
    cost_usd,
    estimated_usage,
    pause_s,
    provider_error,
    refuses_temperature,
    shares,
)
from curator.committee.engine_context import EngineContext, RequestGroup, TemperatureRefused
from curator.committee.rate_limits import AimdWindow, RateLimiter
from curator.committee.requests import CallFailed, ModelReply, ModelRequest, PlannedCall
from curator.records import Usage
from curator.records.spend import Spend
from curator.state.store_schema import StoredReply
from curator.text.display import plural

_STRICT = 50  # up to this concurrency, an answer that is not on the disk yet counts as in flight
_AHEAD = 4  # above it, one answer in this many may be on its way to the disk without counting
_PROBE_S = 10.0  # other requests wait at most this long for the first answer
_ONE_CHOICE = 0.75  # of a single answer's tokens per byte; below it, the usage does not count all answers


@dataclass(frozen=True, slots=True)
class _SentRequest:
    """A request in flight: its bound, its tokens, and the time it was sent."""

    request: ModelRequest
    bound: Spend
    most_tokens: int
    expected_tokens: float
    at: float


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
        self._waiting: set[asyncio.Task[None]] = set()  # pauses before another try
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0.0
        self._breaker = CircuitBreaker(answers=int(answered_before))
        self._limiter = RateLimiter(config.requests_per_minute, config.tokens_per_minute)
        self._window = AimdWindow(config.concurrency)
        self._proved = False
        self._probe_at: float | None = None  # when the request that proves something was sent
        may_group = config.provider == "openai" and config.group_repeats and not config.send_seed
        self._grouping: bool | None = None if may_group else False
        self._tokens_per_byte = 0.0  # of the first answer, which had a request of its own

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
            prompt = (call.case_id, call.member.id) if self._grouping is not False else call.request.key
            if prompt in groups:
                groups[prompt].calls.append(call)
            else:
                groups[prompt] = RequestGroup([call])
        self._ready.extend(groups.values())

    def pump(self) -> None:
        """Send everything that may be sent now, and wake up when the rest may be."""
        context = self._context
        while self._ready and not context.halted:
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
            sent = _SentRequest(request, bound, most, self._limiter.take(most, now), now)
            context.tally.sent += 1
            self.in_flight += 1
            self._tasks.add(asyncio.create_task(self._ask(group, sent)))

    def stop(self) -> None:
        """End all pauses. Requests in flight go on."""
        for task in (*self._waiting, *([self._alarm] if self._alarm else [])):
            task.cancel()

    def abort(self) -> None:
        """Cancel the requests in flight."""
        for task in self._tasks:
            task.cancel()

    def _has_room(self, now: float) -> bool:
        """Return whether one more request may be in flight.

        None may be beside a request that proves something, unless that takes long.
        """
        if self._proving(self._ready[0]) and self._probe_at is not None and now < self._probe_at + _PROBE_S:
            self._wake(self._probe_at + _PROBE_S)
            return False
        return self.in_flight - min(self._unstored, self._ahead) < self._window.allowed

    def _proving(self, group: RequestGroup) -> bool:
        return not self._proved or (self._grouping is None and len(group.calls) > 1)

    def _next(self) -> RequestGroup:
        """Return the next group. It is split up where each answer needs a request of its own."""
        group = self._ready[0]
        if len(group.calls) > 1 and (not self._proved or self._grouping is False):
            self._ready.popleft()
            first, *others = group.alone()
            if self._grouping is not False:
                others = [replace(group, calls=group.calls[1:])]
            self._ready.extendleft(reversed([first, *others]))
        return self._ready[0]

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

    async def _ask(self, group: RequestGroup, sent: _SentRequest) -> None:
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

    async def _try(self, group: RequestGroup, sent: _SentRequest) -> None:
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

    def _answered(self, group: RequestGroup, reply: ModelReply, sent: _SentRequest) -> None:
        context, now = self._context, self._context.clock.monotonic()
        replies = (reply, *reply.more)[: len(group.calls)]
        calls, left = group.calls[: len(replies)], group.calls[len(replies) :]
        usage = self._usage(group, reply, replies)
        usd = cost_usd(usage.input_tokens, usage.output_tokens, self.endpoint.price)
        tokens = usage.input_tokens + usage.output_tokens
        context.budget.settle(sent.bound, Spend.of(tokens=tokens, usd=usd))
        self._limiter.answered(sent.expected_tokens, sent.most_tokens, tokens)
        if reply.limits:
            self._limiter.observe(reply.limits, now)
        self._breaker.answered()
        self._window.grow()
        self._proved = True
        if group.proves:
            self._probe_at = None
        tally = context.tally
        tally.estimated += len(replies) if usage.estimated else 0
        tally.input_tokens += usage.input_tokens
        tally.output_tokens += usage.output_tokens
        if left:  # fewer answers than requested: each of the others gets a request of its own
            self._grouping = False
            self._ready.extendleft(RequestGroup([call]) for call in reversed(left))
        keys = [call.request.key for call in calls]
        answers = [
            self._to_store(answer, share, sent, now)
            for answer, share in zip(replies, shares(usage, [r.text for r in replies]), strict=True)
        ]
        context.store.keep(list(zip(keys, answers, strict=True)), functools.partial(self._on_stored, keys))
        self._unstored += 1
        if self._ahead:
            context.moved()

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

    def _usage(self, group: RequestGroup, reply: ModelReply, replies: Sequence[ModelReply]) -> Usage:
        """Return the request's usage, as reported or as estimated.

        The first request for several answers also proves here whether the usage counts all of them.
        """
        if reply.usage is None:
            return estimated_usage(group.calls[0].input_tokens, [answer.text for answer in replies])
        if not group.proves:
            return reply.usage
        usage, size = reply.usage, sum(len(answer.text.encode()) for answer in replies)
        if len(group.calls) == 1:
            self._tokens_per_byte = self._tokens_per_byte or usage.output_tokens / max(1, size)
            return usage
        counted = usage.output_tokens >= _ONE_CHOICE * self._tokens_per_byte * size
        self._grouping = counted and self._grouping is not False
        if counted:
            return usage
        estimated = estimated_usage(group.calls[0].input_tokens, [answer.text for answer in replies])
        return Usage(usage.input_tokens, max(usage.output_tokens, estimated.output_tokens), estimated=True)

    def _to_store(self, reply: ModelReply, usage: Usage, sent: _SentRequest, now: float) -> StoredReply:
        return StoredReply(
            text=reply.text,
            finish_reason=reply.finish_reason,
            usage=usage,
            logprobs=reply.logprobs,
            tokens=reply.tokens,
            cost_usd=cost_usd(usage.input_tokens, usage.output_tokens, self.endpoint.price),
            latency_s=now - sent.at,
            model=sent.request.model,
            created_at=self._context.clock.now(),
        )

    def _failed(self, group: RequestGroup, failure: CallFailed, sent: _SentRequest) -> None:
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
        if failure.kind == "rejected" and len(group.calls) > 1:  # it may only refuse to give several answers
            self._grouping = False if self._grouping is None else self._grouping
            self._ready.extendleft(reversed(group.alone()))
            return
        group.tries += 1
        given_up = (
            failure.kind == "rejected"
            or (failure.kind == "ambiguous" and group.unsure)
            or group.tries >= config.max_tries
        )
        if self._breaker.trips(failure, group.tries, config, given_up=given_up):
            context.halt(provider_error(config, sent.request.endpoint, failure))
        elif given_up:
            for call in group.calls:
                context.fill(call.request.key, f"{failure} (tried {plural(group.tries, 'time')})")
        else:
            group.unsure = group.unsure or failure.kind == "ambiguous"
            self._retry_later(group, failure)

    def _slow_down(self, failure: CallFailed, sent: _SentRequest) -> None:
        """Lower the rate for all groups where the endpoint asks for it."""
        now = self._context.clock.monotonic()
        if failure.limits:
            self._limiter.observe(failure.limits, now)
        if failure.overload:
            cooldown = self._window.shrink(sent.at, now, self.in_flight)
            self._limiter.hold(max(cooldown, pause_s(failure)), now)
            self._limiter.refused()

    def _retry_later(self, group: RequestGroup, failure: CallFailed) -> None:
        """Queue the group again after its pause; other groups are sent meanwhile."""
        if self._context.halted:
            return
        wait = backoff_s(group.tries, failure, self._context.clock.random())
        task = asyncio.create_task(self._requeue_after(group, wait))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _requeue_after(self, group: RequestGroup, seconds: float) -> None:
        await self._context.clock.sleep(seconds)
        self._ready.appendleft(group)
        self._context.moved()
