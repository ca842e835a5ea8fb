"""The spans of traces as trees: what is above and below a call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from curator.readers.pieces import Attachment, Exchange, NoExchange, Place
from curator.records import Message, normalise_space

Node: TypeAlias = Exchange | Attachment | NoExchange
SpanId: TypeAlias = tuple[str | None, str]
"""The trace and the span; the ids of spans are unique within a trace only."""

_DEEPEST = 100
"""Spans above a span that are looked at; real traces have some ten."""


def id_of(place: Place | None) -> SpanId:
    """The id of the span of a place."""
    return (place.trace, place.span or "") if place else (None, "")


def begin_of(exchange: Exchange) -> float:
    """The time when a call began; infinite where it is not known."""
    time = exchange.place.time if exchange.place and exchange.place.time is not None else exchange.time
    return float("inf") if time is None else time


class Trees:
    """The spans of all traces by their parents, with the calls that are cases."""

    def __init__(self, records: Sequence[Node]) -> None:
        self._nodes = {id_of(span.place): span for span in records if span.place and span.place.span}
        self._traces = {id_[1]: id_[0] for id_ in self._nodes}
        self._wrappers: dict[SpanId, list[Exchange]] = defaultdict(list)
        self._wrapping: set[int] = set()
        self._wrapped: set[int] = set()
        self._judging: set[int] = set()
        calls = [span for span in records if isinstance(span, Exchange) and span.place]
        for call in calls:
            self._look_above(call)
        self._look_beside([call for call in calls if call.place and not call.place.parent and call.asks])
        self._below: dict[SpanId, list[Exchange]] = defaultdict(list)
        self._of_trace: dict[str, list[Exchange]] = defaultdict(list)
        self._of_session: dict[str, list[Exchange]] = defaultdict(list)
        for call in sorted(filter(self._is_case, calls), key=begin_of):
            place = call.place or Place()
            for above in self.ancestors(id_of(place)):
                self._below[above].append(call)
            if place.trace:
                self._of_trace[place.trace].append(call)
            if session := call.session or self.session_of(call)[0]:
                self._of_session[session].append(call)

    def __contains__(self, id_: SpanId) -> bool:
        return id_ in self._nodes

    def is_wrapper(self, call: Exchange) -> bool:
        """Return whether a call below is the same one."""
        return id(call) in self._wrapping

    def is_wrapped(self, call: Exchange) -> bool:
        """Return whether a call has no content, and the one above it has."""
        return id(call) in self._wrapped

    def is_judge(self, call: Exchange) -> bool:
        """Return whether a call stands below an evaluator."""
        return id(call) in self._judging

    def wrappers(self, call: Exchange) -> list[Exchange]:
        """The calls above that are the same one, the nearest first."""
        return self._wrappers.get(id_of(call.place), [])

    def below(self, id_: SpanId) -> list[Exchange]:
        """The calls that are cases at a span and below it, in the order of time."""
        return self._below.get(id_, [])

    def of_trace(self, trace: str) -> list[Exchange]:
        """The calls of a trace that are cases, in the order of time."""
        return self._of_trace.get(trace, [])

    def of_session(self, session: str) -> list[Exchange]:
        """The calls of a session that are cases, in the order of time."""
        return self._of_session.get(session, [])

    def id_near(self, place: Place, span: str | None) -> SpanId | None:
        """The id of a span that a place names; its trace may be known from the other spans only."""
        if span is None:
            return None
        return (place.trace or self._traces.get(span), span)

    def ancestors(self, id_: SpanId | None) -> Iterator[SpanId]:
        """Yield the ids of a span and of those above it."""
        seen: set[SpanId] = set()
        while id_ is not None and id_ not in seen and len(seen) < _DEEPEST:
            seen.add(id_)
            yield id_
            node = self._nodes.get(id_)
            place = node.place if node else None
            id_ = (place.trace, place.parent) if place and place.parent else None

    def answer(self, id_: SpanId | None, trace: str | None) -> str | None:
        """The output of a span that is not a call; without a span that of the topmost one."""
        node = self._nodes.get(id_) if id_ else None
        if id_ is None and trace:
            calls = self.of_trace(trace)[:1]
            node = next((self._nodes[above] for call in calls for above in self._to_the_top(call)), None)
        if isinstance(node, Attachment):
            return node.reply.text if node.reply else None
        return node.answer if isinstance(node, NoExchange) else None

    def session_of(self, call: Exchange) -> tuple[str | None, str | None]:
        """The session and the user that the nearest spans above name."""
        above = [self._nodes[id_] for id_ in self.ancestors(id_of(call.place)) if id_ in self._nodes]
        sessions, users = (node.session for node in above), (node.user for node in above)
        return next(filter(None, sessions), None), next(filter(None, users), None)

    def _to_the_top(self, call: Exchange) -> list[SpanId]:
        return [id_ for id_ in self.ancestors(id_of(call.place)) if id_ in self._nodes][::-1]

    def _is_case(self, call: Exchange) -> bool:
        return not (self.is_wrapper(call) or self.is_wrapped(call) or self.is_judge(call)) and call.asks

    def _look_above(self, call: Exchange) -> None:
        """Find the calls that wrap this one, and whether an evaluator stands above it."""
        chain: Exchange | None = call
        for id_ in list(self.ancestors(id_of(call.place)))[1:]:
            node = self._nodes.get(id_)
            if isinstance(node, NoExchange) and node.judges:
                self._judging.add(id(call))
            elif isinstance(node, Exchange) and chain is not None:
                if not node.asks:
                    if call.asks:
                        self._wrapping.add(id(node))
                        self._wrappers[id_of(call.place)].append(node)
                elif not call.asks:
                    self._wrapped.add(id(call))
                    chain = None
                elif same_call(node, chain):
                    self._wrapping.add(id(node))
                    self._wrappers[id_of(call.place)].append(node)
                    chain = node
                else:
                    chain = None

    def _look_beside(self, calls: Sequence[Exchange]) -> None:
        """Find the calls that wrap another one of which only the times and the content say so.

        A tracer without context gives each span a trace of its own. The inner span has the id of the response, the outer one
        has none and lasts longer.
        """
        inner: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
        for call in calls:
            if call.reply and call.reply.id and call.reply.text:
                inner[_last_question(call.messages), call.reply.text].append(call)
        for call in calls:
            if call.reply is None or call.reply.id or not call.reply.text or call.place is None:
                continue
            same = inner.get((_last_question(call.messages), call.reply.text), [])
            for other in same:
                if other.place and other.place.trace != call.place.trace and _encloses(call, other):
                    self._wrapping.add(id(call))
                    self._wrappers[id_of(other.place)].append(call)
                    break


def _encloses(outer: Exchange, inner: Exchange) -> bool:
    """Return whether a call lasts from before another one begins until after it ends."""
    begin, inner_begin = begin_of(outer), begin_of(inner)
    if outer.latency_s is None or inner.latency_s is None:
        return False
    # Clocks of two libraries in one process differ by the rounding to milliseconds.
    return begin <= inner_begin + 0.001 and inner_begin + inner.latency_s <= begin + outer.latency_s + 0.001


def same_call(outer: Exchange, inner: Exchange) -> bool:
    """Return whether two calls, one below the other, ask the same or gave the same answer."""
    if outer.reply and inner.reply and outer.reply.text and outer.reply.text == inner.reply.text:
        return True
    asked = _last_question(outer.messages)
    texts = [normalise_space(message.content) for message in inner.messages if message.role == "user"]
    return any(text and (text in asked or asked in text) for text in texts) if asked else False


def _last_question(messages: Sequence[Message]) -> str:
    return next((normalise_space(m.content) for m in reversed(messages) if m.role == "user" and m.content.strip()), "")
