"""Spans as tracing libraries, collectors and trace stores write them -> one record."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curator.readers.json_text import decoded
from curator.readers.pieces import Place
from curator.readers.times import seconds_of
from curator.records import JsonValue

_VALUE_KINDS = frozenset(("stringvalue", "intvalue", "doublevalue", "boolvalue", "bytesvalue"))
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{11}=|[A-Za-z0-9+/_-]{22}==")
_CONTEXTS = ("context", "spanContext", "span_context")
_NO_PARENTS = frozenset(("", "0" * 16))
_FAILED_CODES = frozenset(("2", "error", "status_code_error", "statuscode.error"))


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened within a span; its `attributes` hold the content."""

    name: str
    attributes: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """One span; `place` has its ids in hex and its start, `end` is in seconds since 1970."""

    place: Place
    name: str
    end: float | None
    attributes: dict[str, JsonValue]
    events: tuple[SpanEvent, ...] = ()
    failed: bool = False


def is_span(record: Mapping[str, JsonValue]) -> bool:
    """Return whether a record has the ids of a span, and attributes or events."""
    if not any(key in record for key in ("attributes", "events", "tags")) and not any(
        key.startswith("attributes.") for key in record
    ):
        return False
    return _id(record, "span") is not None and _id(record, "trace") is not None


def span_of(record: Mapping[str, JsonValue], shared: Mapping[str, JsonValue] | None = None) -> SpanRecord:
    """The span of a record: OTLP JSON, the JSON of an SDK, or the row of a trace store.

    Keys are those of any of them (`traceId`, `trace_id`, `context.trace_id`). `shared` are attributes of its resource and
    scope, which those of the span replace.
    """
    start = _first(record, "startTimeUnixNano", "start_time_unix_nano", "startTime", "start_time", "timestamp")
    end = seconds_of(_first(record, "endTimeUnixNano", "end_time_unix_nano", "endTime", "end_time"))
    begin, duration = seconds_of(start), record.get("duration")
    if end is None and begin is not None and isinstance(duration, int | float):
        end = begin + duration / 1e6  # the console exporter of JavaScript prints microseconds
    attributes = attributes_of(record.get("attributes", record.get("tags")))
    attributes |= attributes_of(
        {key.removeprefix("attributes."): value for key, value in record.items() if key.startswith("attributes.")}
    )
    kind = record.get("span_kind")
    if isinstance(kind, str) and kind.upper() not in ("", "UNKNOWN") and "SPAN_KIND" not in kind.upper():
        attributes.setdefault("openinference.span.kind", kind)
    return SpanRecord(
        place=Place(_id(record, "trace"), _id(record, "span"), _parent(record), begin),
        name=str(record.get("name") or ""),
        end=end,
        attributes={**(shared or {}), **attributes},
        events=tuple(_event(event) for event in _list(record.get("events")) if isinstance(event, dict)),
        failed=_failed(record),
    )


def attributes_of(value: JsonValue) -> dict[str, JsonValue]:
    """Attributes by their dotted keys, from the list of OTLP or from an object, nested or not."""
    value = decoded(value)
    if isinstance(value, list):
        pairs = ((item.get("key"), item.get("value")) for item in value if isinstance(item, dict))
        value = {key: plain_value(inner) for key, inner in pairs if isinstance(key, str)}
    flat: dict[str, JsonValue] = {}
    if isinstance(value, dict):
        _flatten(value, "", flat)
    return flat


def plain_value(value: JsonValue) -> JsonValue:
    """An `AnyValue` of OTLP as plain JSON; any other value as it is."""
    if not isinstance(value, dict) or len(value) > 1:
        return value
    if not value:
        return None
    ((name, inner),) = value.items()
    kind = name.replace("_", "").lower()
    items = _list(inner.get("values")) if isinstance(inner, dict) else ()
    if kind == "arrayvalue":
        return [plain_value(item) for item in items]
    if kind == "kvlistvalue":
        return {str(item.get("key")): plain_value(item.get("value")) for item in items if isinstance(item, dict)}
    if kind == "intvalue" and isinstance(inner, str):
        return int(inner) if inner.lstrip("-").isdecimal() and len(inner) <= 20 else inner
    return inner if kind in _VALUE_KINDS else value


def plain_id(value: JsonValue) -> str | None:
    """The id of a span or trace in hex, also from base64 or with `0x`; None where it is empty."""
    if not isinstance(value, str) or value.strip("0") in _NO_PARENTS:
        return None
    if _BASE64.fullmatch(value):
        try:
            return base64.b64decode(value, altchars="-_" if "-" in value or "_" in value else None).hex()
        except binascii.Error:
            return value
    text = value.removeprefix("0x")
    return text.lower() if len(text) in (16, 32) else text


def _flatten(value: Mapping[str, JsonValue], prefix: str, flat: dict[str, JsonValue]) -> None:
    for key, inner in value.items():
        plain = plain_value(inner)
        if isinstance(plain, dict) and plain:
            _flatten(plain, f"{prefix}{key}.", flat)
        elif plain is not None:
            flat[prefix + key] = plain


def _id(record: Mapping[str, JsonValue], what: str) -> str | None:
    names = (f"{what}Id", f"{what}_id", f"{what}ID")
    dotted = tuple(f"{context}.{name}" for context in _CONTEXTS for name in names[:2])
    value = _first(record, *names, *dotted)
    if value is None:
        contexts = (decoded(record.get(key)) for key in _CONTEXTS)
        value = next((_first(context, *names) for context in contexts if isinstance(context, dict)), None)
    if value is None and what == "span" and "traceId" in record:
        value = record.get("id")  # as the console exporter of JavaScript prints it
    return plain_id(value)


def _parent(record: Mapping[str, JsonValue]) -> str | None:
    value = _first(record, "parentSpanId", "parent_span_id", "parentId", "parent_id", "parentSpanID")
    context = record.get("parentSpanContext")
    return plain_id(_first(context, "spanId") if value is None and isinstance(context, dict) else value)


def _first(record: Mapping[str, JsonValue], *keys: str) -> JsonValue:
    return next((record[key] for key in keys if record.get(key) is not None), None)


def _list(value: JsonValue) -> Sequence[JsonValue]:
    value = decoded(value)
    return value if isinstance(value, list) else ()


def _event(event: Mapping[str, JsonValue]) -> SpanEvent:
    return SpanEvent(str(event.get("name") or ""), attributes_of(event.get("attributes")))


def _failed(record: Mapping[str, JsonValue]) -> bool:
    status = record.get("status")
    if isinstance(status, dict):
        status = _first(status, "code", "status_code", "statusCode")
    code = _first(record, "status_code", "statusCode") if status is None else status
    return str(code).lower() in _FAILED_CODES
