"""Records of one span -> one record: a call with its events, a span that was exported twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from curator.readers.pieces import Attachment, Exchange, NoExchange
from curator.readers.replies import Reply
from curator.readers.trace_tree import Node, SpanId, id_of
from curator.records import OtherRecord

TWICE = "records that were logged twice"
WRAPPED = "calls whose content stands in another record"


def merge_records(spans: Sequence[Node]) -> tuple[list[Node], list[OtherRecord]]:
    """The records, one for each span, in their order, and those that became part of another one.

    Of several records of a span the last one with most content counts, with what the others add to it. Messages that are
    records of their own become a call: that of their span, or a new one where the span is not in the logs.
    """
    groups: dict[SpanId, list[Exchange | NoExchange]] = defaultdict(list)
    parts: dict[SpanId, list[Attachment]] = defaultdict(list)
    records: list[Node] = []
    for span in spans:
        place = span.place
        if isinstance(span, Attachment):
            if (span.messages or span.reply) and place and place.parent:
                parts[place.trace, place.parent].append(span)
            else:
                records.append(span)
        elif place and place.span:
            groups[id_of(place)].append(span)
        else:
            records.append(span)
    others: list[OtherRecord] = []
    for id_, group in groups.items():
        whole = _merged(group, others)
        if id_ in parts:
            whole = _with_parts(whole, parts.pop(id_), others)
        records.append(whole)
    records += [_call_of(events, others) for events in parts.values()]
    order = {id(span): number for number, span in enumerate(spans)}
    sources = {span.source: order[id(span)] for span in reversed(spans)}
    records.sort(key=lambda span: sources[span.source])
    return records, others


def _merged(group: Sequence[Exchange | NoExchange], others: list[OtherRecord]) -> Exchange | NoExchange:
    ranked = sorted(group, key=_content)
    whole = ranked[-1]
    for span in ranked[:-1]:
        if isinstance(whole, Exchange) and isinstance(span, Exchange):
            others.append(OtherRecord(span.source, TWICE if _content(span) == _content(whole) else WRAPPED))
            whole = completed(whole, span)
        else:
            others.append(OtherRecord(span.source, TWICE if isinstance(span, type(whole)) else span.what))  # type: ignore[union-attr]
    return whole


def _content(span: Exchange | NoExchange) -> int:
    """The order of records of one span: a call with question and answer is the best."""
    if not isinstance(span, Exchange):
        return 0
    return 1 + 2 * span.asks + bool(span.reply and span.reply.text is not None)


def completed(first: Exchange, second: Exchange) -> Exchange:
    """The first record of a call with what only the second one has."""
    return replace(
        first,
        messages=first.messages if first.asks or not second.messages else second.messages,
        reply=_completed_reply(first.reply, second.reply),
        place=first.place if first.place and first.place.parent else second.place,
        options={**second.options, **first.options},
        documents=first.documents or second.documents,
        feedback=first.feedback or second.feedback,
        reference=first.reference or second.reference,
        log_id=first.log_id or second.log_id,
        task=first.task or second.task,
        kind=first.kind or second.kind,
        model=first.model or second.model,
        session=first.session or second.session,
        user=first.user or second.user,
        time=first.time if first.time is not None else second.time,
        latency_s=first.latency_s if first.latency_s is not None else second.latency_s,
        cost_usd=first.cost_usd if first.cost_usd is not None else second.cost_usd,
        metadata={**second.metadata, **first.metadata},
    )


def _completed_reply(first: Reply | None, second: Reply | None) -> Reply | None:
    """The reply that has a text, with what only the other one says about it."""
    if first is None or second is None:
        return first or second
    if first.text is None and second.text is not None:
        first, second = second, first
    return replace(
        first,
        finish_reason=first.finish_reason or second.finish_reason,
        model=first.model or second.model,
        id=first.id or second.id,
    )


def _with_parts(
    whole: Exchange | NoExchange, parts: list[Attachment], others: list[OtherRecord]
) -> Exchange | NoExchange:
    """A call with the messages that were logged beside it; a span of another kind becomes one."""
    if isinstance(whole, NoExchange):
        others.append(OtherRecord(whole.source, whole.what))
        call = _call_of(parts, others)
        return replace(call, place=whole.place, session=call.session or whole.session, user=call.user or whole.user)
    others += [OtherRecord(part.source, part.what) for part in parts]
    return completed(whole, _joined(parts))


def _call_of(parts: list[Attachment], others: list[OtherRecord]) -> Exchange:
    """The call of messages whose span is not in the logs, at the place of the first message."""
    others += [OtherRecord(part.source, part.what) for part in parts[1:]]
    return _joined(parts)


def _joined(parts: list[Attachment]) -> Exchange:
    ordered = sorted(parts, key=lambda part: part.place.time or 0.0)
    replies = [part.reply for part in ordered if part.reply]
    place = parts[0].place
    sessions = (part.session for part in ordered)
    users = (part.user for part in ordered)
    return Exchange(
        source=parts[0].source,
        messages=tuple(message for part in ordered for message in part.messages),
        reply=replies[0] if replies else None,
        place=replace(place, span=place.parent, parent=None),
        session=next(filter(None, sessions), None),
        user=next(filter(None, users), None),
        time=ordered[0].place.time,
        metadata={key: value for part in ordered for key, value in part.metadata.items()},
    )
