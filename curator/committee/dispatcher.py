"""One model's way to its endpoint: what is ready goes out as fast as limits, budget and health allow.

`pump` is the only place that sends, and it is called whenever something changed: a question came, an answer, a refusal,
or the time to go on. A question counts as in flight until its answers are on the disk, so that a process that is killed
loses at most `concurrency` of them; with more than 50, where the disk would hold up the endpoint, a few more.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from curator.committee.budget import Budget
from curator.committee.clock import Host
from curator.committee.endpoints import (
    Endpoint,
    Health,
    backoff_s,
    cost_bound,
    cost_usd,
    estimated_usage,
    pause_s,
    provider_error,
    refuses_temperature,
    shares,
)
from curator.committee.rate_limits import Congestion, Pace
from curator.committee.requests import CallFailed, ModelReply, ModelRequest, PlannedCall
from curator.records import Usage
from curator.records.spend import Spend
from curator.state.generations import GenerationStore
from curator.state.store_schema import StoredReply

_STRICT = 50  # so many in flight, and nothing more goes before an answer is on the disk
_AHEAD = 4  # of each so many above, one answer may be on its way to the disk and does not count
_PROBE_S = 10.0  # a first answer that takes longer holds up nobody else
_ONE_CHOICE = 0.75  # of the tokens a byte that a lone answer took; fewer, and the usage misses some answers


class TemperatureRefused(Exception):
    """The model takes no temperature but 1, so that the plan has to do without others."""

    def __init__(self, model: str) -> None:
        super().__init__(f"model {model!r} takes no temperature but 1")
        self.model = model


@dataclass(slots=True)
class Tally:
    """What a run has done so far. `sent` counts requests, tries included; `errors` the tries that failed, by kind."""

    sent: int = 0
    from_store: int = 0
    failed: int = 0
    estimated: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    errors: Counter[str] = field(default_factory=Counter)


class Desk(Protocol):
    """What a lane shares with the other lanes of its run."""

    store: GenerationStore
    budget: Budget
    host: Host
    tally: Tally
    halted: bool

    def afford(self, bound: Spend) -> bool:
        """Reserve the most a request can cost; False if it has to wait, or if the run ends here."""

    def fill(self, key: str, answer: StoredReply | str) -> None:
        """Hand on the answer to a key, or the reason why there is none."""

    def halt(self, error: BaseException) -> None:
        """End the run with this error once what is in flight is stored."""

    def moved(self) -> None:
        """Look again at what may go now."""


@dataclass(slots=True, eq=False)
class Question:
    """Calls that one request answers: samples of one prompt.

    `unsure`: a try of it may have been billed. `proves`: it went while something was still to be proved.
    """

    calls: list[PlannedCall]
    tries: int = 0
    unsure: bool = False
    proves: bool = False

    def request(self) -> ModelRequest:
        """The request for all of its answers."""
        first = self.calls[0].request
        return first if len(self.calls) == 1 else replace(first, n=len(self.calls))

    def alone(self) -> list[Question]:
        """A question for each of its answers."""
        return [Question([call], self.tries, self.unsure) for call in self.calls]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request on its way: what it may cost and count for, and when it went."""

    request: ModelRequest
    bound: Spend
    most_tokens: int
    expected_tokens: float
    at: float


class Lane:
    """One model's questions.

    The first one goes alone: it tells whether the endpoint is there, takes the key and the temperature, and what its
    limits are. The first one for several answers goes alone as well, until it has proved that they all come and are
    all counted; else each answer gets a request of its own.
    """

    def __init__(self, endpoint: Endpoint, desk: Desk, *, answered_before: bool) -> None:
        config = endpoint.config
        self.endpoint = endpoint
        self.in_flight = 0
        self._unstored = 0  # of those, the ones whose answers are on their way to the disk
        self._ahead = max(0, config.concurrency - _STRICT) // _AHEAD
        self._tasks: set[asyncio.Task[None]] = set()
        self._desk = desk
        self._ready: deque[Question] = deque()
        self._waiting: set[asyncio.Task[None]] = set()  # pauses before another try
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0.0
        self._health = Health(answers=int(answered_before))
        self._pace = Pace(config.requests_per_minute, config.tokens_per_minute)
        self._congestion = Congestion(config.concurrency)
        self._proved = False
        self._probe_at: float | None = None  # when the question went that proves something
        groups = config.provider == "openai" and config.group_repeats and not config.send_seed
        self._grouping: bool | None = None if groups else False
        self._tokens_per_byte = 0.0  # of the first answer, which came alone

    @property
    def hungry(self) -> bool:
        """Whether it will soon have nothing to send."""
        return len(self._ready) < self.endpoint.config.concurrency

    @property
    def allowed(self) -> int:
        """Requests that may be in flight just now."""
        return self._congestion.allowed

    def add(self, calls: Iterable[PlannedCall]) -> None:
        """Queue calls, the samples of one prompt as one question where that is tried; `pump` sends them."""
        questions: dict[object, Question] = {}
        for call in calls:
            prompt = (call.case_id, call.member.id) if self._grouping is not False else call.request.key
            if prompt in questions:
                questions[prompt].calls.append(call)
            else:
                questions[prompt] = Question([call])
        self._ready.extend(questions.values())

    def pump(self) -> None:
        """Send what may go now; have the rest looked at again when it may."""
        desk = self._desk
        while self._ready and not desk.halted:
            now = desk.host.clock()
            if not self._has_room(now):
                return
            if (wait := self._pace.wait_s(now)) > 0.0:
                self._wake(now + wait)
                return
            question = self._next()
            request = question.request()
            bound = cost_bound(request, self.endpoint.price)
            if not desk.afford(bound):
                return
            self._ready.popleft()
            if self._proving(question):
                question.proves = True
                self._probe_at = now if self._probe_at is None else self._probe_at
            most = question.calls[0].input_tokens + request.output_limit * request.n
            sent = _Sent(request, bound, most, self._pace.take(most, now), now)
            desk.tally.sent += 1
            self.in_flight += 1
            self._tasks.add(asyncio.create_task(self._ask(question, sent)))

    def stop(self) -> None:
        """Wait for nothing any more; what is in flight goes on."""
        for task in (*self._waiting, *([self._alarm] if self._alarm else [])):
            task.cancel()

    def abort(self) -> None:
        """Drop even what is in flight."""
        for task in self._tasks:
            task.cancel()

    def _has_room(self, now: float) -> bool:
        """Whether one more may be in flight: none beside one that proves something, unless that takes long."""
        if self._proving(self._ready[0]) and self._probe_at is not None and now < self._probe_at + _PROBE_S:
            self._wake(self._probe_at + _PROBE_S)
            return False
        return self.in_flight - min(self._unstored, self._ahead) < self._congestion.allowed

    def _proving(self, question: Question) -> bool:
        return not self._proved or (self._grouping is None and len(question.calls) > 1)

    def _next(self) -> Question:
        """The question at the head of the queue, which goes next: split up where its answers have to come one by one."""
        question = self._ready[0]
        if len(question.calls) > 1 and (not self._proved or self._grouping is False):
            self._ready.popleft()
            first, *others = question.alone()
            if self._grouping is not False:
                others = [replace(question, calls=question.calls[1:])]
            self._ready.extendleft(reversed([first, *others]))
        return self._ready[0]

    def _landed(self, error: Exception | None = None) -> None:
        self.in_flight -= 1
        if error is not None:
            self._desk.halt(error)
        self._desk.moved()

    def _wake(self, at: float) -> None:
        """Look again then, or earlier if that is planned already."""
        if self._alarm is not None and not self._alarm.done():
            if self._alarm_at <= at:
                return
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = asyncio.create_task(self._ring(at))

    async def _ring(self, at: float) -> None:
        await self._desk.host.sleep(max(0.0, at - self._desk.host.clock()))
        self._alarm = None
        self._desk.moved()

    async def _ask(self, question: Question, sent: _Sent) -> None:
        """One try: its answers go to the store, or its failure is dealt with."""
        task = asyncio.current_task()
        try:
            await self._try(question, sent)
        except asyncio.CancelledError:  # the run was cancelled a second time
            self.in_flight -= 1
            raise
        except Exception as error:  # noqa: BLE001  a bug in a client, or whoever takes the answers: the run raises it
            self._landed(error)
        finally:
            if task is not None:
                self._tasks.discard(task)

    async def _try(self, question: Question, sent: _Sent) -> None:
        failure: CallFailed | None = None
        try:
            reply = await self.endpoint.client.complete(sent.request)
        except CallFailed as refused:
            failure = refused
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            failure = CallFailed("ambiguous", "the client gave the request up")
        if failure is None:
            self._answered(question, reply, sent)
        else:
            self._failed(question, failure, sent)
            self._landed()

    def _answered(self, question: Question, reply: ModelReply, sent: _Sent) -> None:
        desk, now = self._desk, self._desk.host.clock()
        replies = (reply, *reply.more)[: len(question.calls)]
        calls, left = question.calls[: len(replies)], question.calls[len(replies) :]
        usage = self._usage(question, reply, replies)
        usd = cost_usd(usage.input_tokens, usage.output_tokens, self.endpoint.price)
        tokens = usage.input_tokens + usage.output_tokens
        desk.budget.settle(sent.bound, Spend.of(tokens=tokens, usd=usd))
        self._pace.answered(sent.expected_tokens, sent.most_tokens, tokens)
        if reply.limits:
            self._pace.observe(reply.limits, now)
        self._health.answered()
        self._congestion.good()
        self._proved = True
        if question.proves:
            self._probe_at = None
        tally = desk.tally
        tally.estimated += len(replies) if usage.estimated else 0
        tally.input_tokens += usage.input_tokens
        tally.output_tokens += usage.output_tokens
        if left:  # fewer than asked for: the others come one by one
            self._grouping = False
            self._ready.extendleft(Question([call]) for call in reversed(left))
        keys = [call.request.key for call in calls]
        answers = [
            self._to_store(one, share, sent, now)
            for one, share in zip(replies, shares(usage, [r.text for r in replies]), strict=True)
        ]
        desk.store.keep(list(zip(keys, answers, strict=True)), functools.partial(self._kept, keys))
        self._unstored += 1
        if self._ahead:
            desk.moved()

    def _kept(self, keys: Sequence[str], stored: Sequence[StoredReply] | Exception) -> None:
        """The answers to these keys are on the disk, or could not be written."""
        self._unstored -= 1
        if isinstance(stored, Exception):
            self._landed(stored)
            return
        try:
            for key, answer in zip(keys, stored, strict=True):
                self._desk.fill(key, answer)
        except Exception as error:  # noqa: BLE001  whoever takes the answers has failed: the run raises it
            self._landed(error)
        else:
            self._landed()

    def _usage(self, question: Question, reply: ModelReply, replies: Sequence[ModelReply]) -> Usage:
        """What the request took, as reported or as estimated; proves on the way whether several answers are counted."""
        if reply.usage is None:
            return estimated_usage(question.calls[0].input_tokens, [one.text for one in replies])
        if not question.proves:
            return reply.usage
        usage, size = reply.usage, sum(len(one.text.encode()) for one in replies)
        if len(question.calls) == 1:
            self._tokens_per_byte = self._tokens_per_byte or usage.output_tokens / max(1, size)
            return usage
        counted = usage.output_tokens >= _ONE_CHOICE * self._tokens_per_byte * size
        self._grouping = counted and self._grouping is not False
        if counted:
            return usage
        estimated = estimated_usage(question.calls[0].input_tokens, [one.text for one in replies])
        return Usage(usage.input_tokens, max(usage.output_tokens, estimated.output_tokens), estimated=True)

    def _to_store(self, reply: ModelReply, usage: Usage, sent: _Sent, now: float) -> StoredReply:
        return StoredReply(
            text=reply.text,
            finish_reason=reply.finish_reason,
            usage=usage,
            logprobs=reply.logprobs,
            cost_usd=cost_usd(usage.input_tokens, usage.output_tokens, self.endpoint.price),
            latency_s=now - sent.at,
            model=sent.request.model,
            created_at=self._desk.host.now(),
        )

    def _failed(self, question: Question, failure: CallFailed, sent: _Sent) -> None:
        """Try again later, record the failure, or end the run."""
        desk, config = self._desk, self.endpoint.config
        desk.tally.errors[failure.label] += 1
        if question.proves:
            self._probe_at = None
        if failure.kind == "ambiguous":
            desk.budget.keep(sent.bound)
        else:
            desk.budget.release(sent.bound)
            self._pace.failed(sent.expected_tokens)
        self._slow_down(failure, sent)
        if refuses_temperature(failure, sent.request):
            desk.halt(TemperatureRefused(config.name))
            return
        if failure.kind == "rejected" and len(question.calls) > 1:  # perhaps it only refuses to give several answers
            self._grouping = False if self._grouping is None else self._grouping
            self._ready.extendleft(reversed(question.alone()))
            return
        question.tries += 1
        given_up = (
            failure.kind == "rejected"
            or (failure.kind == "ambiguous" and question.unsure)
            or question.tries >= config.max_tries
        )
        if self._health.hopeless(failure, question.tries, config, given_up=given_up):
            desk.halt(provider_error(config, sent.request.endpoint, failure))
        elif given_up:
            for call in question.calls:
                desk.fill(call.request.key, f"{failure} (tried {question.tries}x)")
        else:
            question.unsure = question.unsure or failure.kind == "ambiguous"
            self._again(question, failure)

    def _slow_down(self, failure: CallFailed, sent: _Sent) -> None:
        """Take back the pace where the endpoint says so, for all questions alike."""
        now = self._desk.host.clock()
        if failure.limits:
            self._pace.observe(failure.limits, now)
        if failure.overload:
            cooldown = self._congestion.bad(sent.at, now, self.in_flight)
            self._pace.hold(max(cooldown, pause_s(failure)), now)
            self._pace.refused()

    def _again(self, question: Question, failure: CallFailed) -> None:
        """Queue the question once more, after its pause; meanwhile others go."""
        if self._desk.halted:
            return
        wait = backoff_s(question.tries, failure, self._desk.host.random())
        task = asyncio.create_task(self._later(question, wait))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _later(self, question: Question, seconds: float) -> None:
        await self._desk.host.sleep(seconds)
        self._ready.appendleft(question)
        self._desk.moved()
