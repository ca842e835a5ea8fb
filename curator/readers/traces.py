"""Spans of traces -> exchanges with what the rest of their trace says about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from curator.readers.pieces import Attachment, Exchange, NoExchange
from curator.records import Feedback, OtherRecord

Span: TypeAlias = Exchange | Attachment | NoExchange
WRAPPERS = "calls that wrap another logged call"
_LOGGED_TWICE = "records that were logged twice"


def join_traces(spans: Sequence[Span]) -> Iterator[Exchange | OtherRecord]:
    """Yield the exchanges with what belongs to them, and the other records.

    An exchange with another one below it is the same call as a framework logged it (its question and answer stand in the one
    below), and gives no case of its own. A span that was exported twice counts once, the last time.
    """
    last = {id_: span for span in spans if (id_ := _span_id(span)) is not None}
    trees = _Trees(list(last.values()))
    additions: dict[int, list[Attachment]] = defaultdict(list)
    lost: set[int] = set()
    for span in spans:
        if isinstance(span, Attachment):
            targets = trees.targets(span)
            for target in targets:
                additions[id(target)].append(span)
            if not targets:
                lost.add(id(span))
    for span in spans:
        id_ = _span_id(span)
        if id_ is not None and last[id_] is not span:
            yield OtherRecord(span.source, _LOGGED_TWICE)
        elif not isinstance(span, Exchange):
            yield OtherRecord(
                span.source, f"{span.what} whose call is not in the logs" if id(span) in lost else span.what
            )
        elif trees.below(span):
            yield OtherRecord(span.source, WRAPPERS)
        else:
            yield _with_additions(span, additions.get(id(span), []), trees.wrappers(span))


def _span_id(span: Span) -> tuple[str | None, str] | None:
    """The trace and the id of a span; attachments may share one."""
    place = span.place
    return (place.trace, place.span) if place and place.span and not isinstance(span, Attachment) else None


class _Trees:
    """The spans of all traces, by their parents."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._by_id: dict[str, Span] = {}
        self._children: dict[str, list[Span]] = defaultdict(list)
        self._of_trace: dict[str, list[Exchange]] = defaultdict(list)
        for span in spans:
            place = span.place
            if place is None:
                continue
            if place.span:
                self._by_id[place.span] = span
            if place.parent:
                self._children[place.parent].append(span)
        self._below: dict[str, list[Exchange]] = {}
        for span in spans:
            if isinstance(span, Exchange) and span.place and span.place.trace and not self.below(span):
                self._of_trace[span.place.trace].append(span)
        for exchanges in self._of_trace.values():
            exchanges.sort(key=_begin)

    def below(self, span: Exchange) -> list[Exchange]:
        """The exchanges below an exchange."""
        return self._exchanges_below(span.place.span) if span.place and span.place.span else []

    def wrappers(self, span: Exchange) -> Iterator[Exchange]:
        """Yield the exchanges above an exchange."""
        seen: set[str] = set()
        parent = span.place.parent if span.place else None
        while parent and parent not in seen and (above := self._by_id.get(parent)) is not None:
            seen.add(parent)
            if isinstance(above, Exchange):
                yield above
            parent = above.place.parent if above.place else None

    def targets(self, addition: Attachment) -> list[Exchange]:
        """The exchanges that an attachment belongs to."""
        place = addition.place
        parent = self._by_id.get(place.parent) if place.parent else None
        if isinstance(parent, Exchange) and not self.below(parent):
            return [parent]
        below = self._exchanges_below(place.parent) if place.parent else []
        trace = place.trace or (parent.place.trace if parent and parent.place else None)
        of_trace = self._of_trace.get(trace, []) if trace else []
        if addition.documents:
            return [exchange for exchange in of_trace or below if _began_after(exchange, addition)]
        if addition.feedback or addition.reference:
            return (below or of_trace)[-1:]
        return below or of_trace

    def _exchanges_below(self, span: str) -> list[Exchange]:
        """The exchanges below a span that have none below themselves, in the order of time."""
        if span in self._below:
            return self._below[span]
        exchanges: list[Exchange] = []
        waiting, seen = [span], {span}
        while waiting:
            for child in self._children.get(waiting.pop(), ()):
                id_ = child.place.span if child.place else None
                if isinstance(child, Exchange) and not (id_ and self._has_exchange_below(id_, seen)):
                    exchanges.append(child)
                elif id_ and id_ not in seen:
                    seen.add(id_)
                    waiting.append(id_)
        exchanges.sort(key=_begin)
        self._below[span] = exchanges
        return exchanges

    def _has_exchange_below(self, span: str, above: set[str]) -> bool:
        waiting, seen = [span], {span, *above}
        while waiting:
            for child in self._children.get(waiting.pop(), ()):
                if isinstance(child, Exchange):
                    return True
                id_ = child.place.span if child.place else None
                if id_ and id_ not in seen:
                    seen.add(id_)
                    waiting.append(id_)
        return False


def _begin(exchange: Exchange) -> float:
    time = exchange.place.time if exchange.place and exchange.place.time is not None else exchange.time
    return float("inf") if time is None else time


def _began_after(exchange: Exchange, addition: Attachment) -> bool:
    return addition.place.time is None or _begin(exchange) >= addition.place.time


def _with_additions(exchange: Exchange, additions: Sequence[Attachment], wrappers: Iterator[Exchange]) -> Exchange:
    for above in wrappers:
        exchange = replace(
            exchange,
            session=exchange.session or above.session,
            user=exchange.user or above.user,
            task=exchange.task or above.task,
            feedback=exchange.feedback or above.feedback,
            reference=exchange.reference or above.reference,
            documents=exchange.documents or above.documents,
            metadata={**above.metadata, **exchange.metadata},
        )
    if not additions:
        return exchange
    documents = {(document.id, document.text): document for document in exchange.documents}
    metadata = dict(exchange.metadata)
    feedback, reference = exchange.feedback, exchange.reference
    session, user, task = exchange.session, exchange.user, exchange.task
    for addition in additions:
        documents |= {(document.id, document.text): document for document in addition.documents}
        feedback = joined_feedback(feedback, addition.feedback)
        reference = addition.reference or reference
        session, user, task = session or addition.session, user or addition.user, task or addition.task
        metadata = {**addition.metadata, **metadata}
    return replace(
        exchange,
        documents=tuple(documents.values()),
        feedback=feedback,
        reference=reference,
        session=session,
        user=user,
        task=task,
        metadata=metadata,
    )


def joined_feedback(first: Feedback | None, second: Feedback | None) -> Feedback | None:
    """Two feedbacks on one answer as one; of what both say the second counts."""
    if first is None or second is None:
        return first or second
    return replace(
        first,
        thumb=second.thumb or first.thumb,
        correction=second.correction or first.correction,
        comment="\n".join(filter(None, (first.comment, second.comment))) or None,
        rating=first.rating if second.rating is None else second.rating,
        given={**first.given, **second.given},
    )
