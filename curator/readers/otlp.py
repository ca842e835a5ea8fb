"""OTLP JSON as collectors and SDKs write it: batches of spans and log records, bare spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.genai_attributes import (
    CHOICE,
    DETAILS,
    EVALUATION,
    event_choice,
    event_message,
)
from curator.readers.json_text import decoded
from curator.readers.pieces import Attachment, Exchange, NoExchange, Piece, Place
from curator.readers.reader import LogRecord, Reader, parse_parts
from curator.readers.span_attributes import content_keys
from curator.readers.span_feedback import evaluation_ratings
from curator.readers.span_messages import span_reply
from curator.readers.span_pieces import span_piece
from curator.readers.spans import SpanEvent, SpanRecord, attributes_of, is_span, plain_id, plain_value, span_of
from curator.readers.times import seconds_of
from curator.records import JsonValue, Source

_BATCHES = (
    "resourceSpans",
    "resource_spans",
    "resourceLogs",
    "resource_logs",
    "resourceMetrics",
    "resource_metrics",
    "batches",
)
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "scopeLogs", "scope_logs")
_ITEMS = ("spans", "logRecords", "log_records")
_MESSAGES = "messages that are logged beside their call"
_KEPT = ("service.name", "deployment.environment.name", "deployment.environment", "session.id", "user.id")
"""The attributes of a resource that say something of a call."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A span or a log record of a batch, with the attributes of its resource."""

    fields: Mapping[str, JsonValue]
    shared: Mapping[str, JsonValue]


def _items(record: Mapping[str, JsonValue]) -> Iterator[_Item]:
    for key in _BATCHES:
        for batch in _dicts(record.get(key)):
            resource = batch.get("resource")
            resource_attributes = attributes_of(resource.get("attributes")) if isinstance(resource, dict) else {}
            shared = {name: resource_attributes[name] for name in _KEPT if name in resource_attributes}
            for scope_key in _SCOPES:
                for scope in _dicts(batch.get(scope_key)):
                    for item_key in _ITEMS:
                        yield from (_Item(fields, shared) for fields in _dicts(scope.get(item_key)))


def _dicts(value: JsonValue) -> Sequence[dict[str, JsonValue]]:
    value = decoded(value)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()


def _parse(record: LogRecord, options: LogsConfig) -> Piece | Iterator[Piece]:
    cells = record.cells
    if any(key in cells for key in _BATCHES):
        items = list(_items(cells))
        if items:
            return parse_parts(
                items, lambda item, part: _piece(item, part, options), record.source, unread=content_keys(cells)
            )
        return NoExchange(source=record.source, what="batches of metrics or without a span")
    if isinstance(cells.get("spans"), list):
        spans = [_Item(fields, {}) for fields in _dicts(cells["spans"])]
        return parse_parts(
            spans, lambda item, part: _piece(item, part, options), record.source, unread=content_keys(cells)
        )
    if _is_log(cells):
        return _log_piece(cells, {}, record.source, options)
    resource = cells.get("resource")
    shared = attributes_of(
        resource.get("attributes") if isinstance(resource, dict) else cells.get("ResourceAttributes")
    )
    return _piece(_Item(cells, {key: shared[key] for key in _KEPT if key in shared}), record.source, options)


def _piece(item: _Item, source: Source, options: LogsConfig) -> Piece:
    if _is_log(item.fields):
        return _log_piece(item.fields, item.shared, source, options)
    span = span_of(item.fields, item.shared)
    if not span.place.span and span.attributes.keys() <= item.shared.keys():
        raise RecordError("a span without ids and attributes", "export whole spans, as OTLP JSON has them")
    return span_piece(span, source, options.task)


def _is_log(fields: Mapping[str, JsonValue]) -> bool:
    keys = (
        "severityNumber",
        "severity_number",
        "observedTimeUnixNano",
        "observed_time_unix_nano",
        "eventName",
        "event_name",
    )
    return ("body" in fields or any(key in fields for key in keys)) and "startTimeUnixNano" not in fields


def _log_piece(
    fields: Mapping[str, JsonValue], shared: Mapping[str, JsonValue], source: Source, options: LogsConfig
) -> Piece:
    """The piece of a log record: a message or the content of a call, an evaluation, or none."""
    attributes = attributes_of(fields.get("attributes"))
    body = plain_value(fields.get("body"))
    name = fields.get("eventName") or fields.get("event_name") or attributes.get("event.name") or attributes.get("name")
    content = {**shared, **attributes, **(body if isinstance(body, dict) else {"content": body} if body else {})}
    event = SpanEvent(str(name or ""), content)
    times = (fields.get(key) for key in ("timeUnixNano", "time_unix_nano", "observedTimeUnixNano", "timestamp"))
    place = Place(
        plain_id(fields.get("traceId") or fields.get("trace_id")),
        None,
        plain_id(fields.get("spanId") or fields.get("span_id")),
        next((time for value in times if (time := seconds_of(value)) is not None), None),
    )
    if event.name == DETAILS:
        return _details(content, place, source, options)
    if messages := event_message(event):
        has_content = any(message.content or message.tool_calls for message in messages)
        return Attachment(source=source, place=place, what=_MESSAGES, messages=messages if has_content else ())
    if event.name == CHOICE:
        call = event_choice(event)
        return Attachment(source=source, place=place, what=_MESSAGES, reply=span_reply(call.answer, call.finish_reason))
    if event.name == EVALUATION:
        ratings = evaluation_ratings([content])
        return Attachment(
            source=source, place=place, what="evaluations", feedback=ratings.feedback, metadata=ratings.metadata
        )
    return NoExchange(source=source, what="other log records")


def _details(content: Mapping[str, JsonValue], place: Place, source: Source, options: LogsConfig) -> Piece:
    """The call that an event describes whole; it is joined with its span later."""
    flat = attributes_of(dict(content))
    span = SpanRecord(Place(place.trace, place.parent, None, None), "", None, flat)
    piece = span_piece(span, source, options.task)
    if isinstance(piece, Exchange) and piece.time is None:
        piece.time = place.time
    return piece


def _sniff(record: Mapping[str, JsonValue], _: LogsConfig) -> float:
    """Sure of a batch; a bare span may be one of a store that says more about it."""
    if any(isinstance(record.get(key), list) for key in _BATCHES):
        return 1.0
    if _is_log(record) and ("traceId" in record or "trace_id" in record) and "attributes" in record:
        return 0.7
    spans = _dicts(record.get("spans"))
    return 0.92 if is_span(record) or (spans and all(map(is_span, spans))) else 0.0


OTLP = Reader(
    name="otlp",
    description="Spans and log records in OTLP JSON, or as SDKs print them: GenAI conventions, OpenLLMetry, OpenInference, AI SDK.",
    understands=frozenset(
        {"question", "answer", "system", "tools", "documents", "feedback", "outcome", "time", "task"}
    ),
    sniff=_sniff,
    parse=_parse,
)
