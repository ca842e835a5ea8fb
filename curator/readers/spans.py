"""Spans as tracing libraries, collectors and trace stores write them -> one record."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curator.readers.json_text import decoded
from curator.readers.pieces import Place
from curator.readers.span_attributes import content_keys
from curator.readers.times import seconds_of
from curator.records import JsonValue

_VALUE_KINDS = frozenset(("stringvalue", "intvalue", "doublevalue", "boolvalue", "bytesvalue"))
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{11}=|[A-Za-z0-9+/_-]{22}==")
_CONTEXTS = ("context", "spancontext", "trace")
_STARTS = ("starttimeunixnano", "starttime", "starttimestamp", "startedat", "timestamp")
_ENDS = ("endtimeunixnano", "endtime", "endtimestamp", "endedat")
_CONVENTIONS = ("gen_ai.", "llm.", "traceloop.", "openinference.", "ai.prompt", "input.value", "output.value")
"""How attributes of calls begin, in rows that have a column for each attribute."""
_OTEL_KINDS = frozenset(("", "UNKNOWN", "INTERNAL", "CLIENT", "SERVER", "PRODUCER", "CONSUMER"))
_NO_PARENTS = frozenset(("", "0" * 16))
_READ = frozenset(("span_data", "status_message", "statusMessage", "StatusMessage"))
"""Keys of spans whose names say content, but that are read, or repeat the status."""
_FAILED_CODES = frozenset(("2", "error", "status_code_error", "statuscode.error"))


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened within a span; its `attributes` hold the content."""

    name: str
    attributes: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """One span; `place` has its ids in hex and its start, `end` is in seconds since 1970.

    `unread` are the keys beside the attributes and events that bear content.
    """

    place: Place
    name: str
    end: float | None
    attributes: dict[str, JsonValue]
    events: tuple[SpanEvent, ...] = ()
    failed: bool = False
    unread: tuple[str, ...] = ()


def is_span(record: Mapping[str, JsonValue]) -> bool:
    """Return whether a record has the ids of a span, and attributes or events."""
    if not any(
        "ttribute" in key or key in ("events", "tags", "span_data") or key.startswith(_CONVENTIONS) for key in record
    ):
        return False
    fields = _plain_keys(record)
    return _id(fields, "span") is not None and _id(fields, "trace") is not None


def span_of(record: Mapping[str, JsonValue], shared: Mapping[str, JsonValue] | None = None) -> SpanRecord:
    """The span of a record: OTLP JSON, the JSON of an SDK, or the row of a trace store.

    Keys are found by their words: `traceId`, `trace_id`, `TraceId` and `context.trace_id` are the same. `shared` are
    attributes of its resource and scope, which those of the span replace.
    """
    fields = _plain_keys(record)
    begin = seconds_of(_first(fields, *_STARTS))
    attributes = attributes_of(_first(fields, "attributes", "spanattributes", "tags"))
    attributes |= attributes_of(
        {key.removeprefix("attributes."): value for key, value in record.items() if key.startswith("attributes.")}
    )
    if any(key.startswith(_CONVENTIONS) for key in record):
        attributes |= attributes_of({key: value for key, value in record.items() if "." in key})
    kind = fields.get("spankind")
    if isinstance(kind, str) and kind.upper() not in _OTEL_KINDS and "SPAN_KIND" not in kind.upper():
        attributes.setdefault("openinference.span.kind", kind)
    data = fields.get("spandata")  # of the OpenAI Agents SDK
    if isinstance(data, dict):
        attributes |= {"span.type": data.get("type"), **{key: value for key, value in data.items() if key != "type"}}
    events = _first(fields, "events", "otelevents", "spanevents")
    return SpanRecord(
        place=Place(_id(fields, "trace"), _id(fields, "span"), _parent(fields), begin),
        name=str(_first(fields, "name", "spanname", "operationname") or ""),
        end=_end(fields, begin),
        attributes={**(shared or {}), **attributes},
        events=tuple(_event(event) for event in _list(events) if isinstance(event, dict)),
        failed=_failed(fields) or str(attributes.get("otel.status_code")).lower() in _FAILED_CODES,
        unread=tuple(
            key for key in content_keys(record, _READ) if not key.startswith("attributes.") and key not in attributes
        ),
    )


def _plain_keys(record: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The record with its keys in lower case and without `_`."""
    return {key.replace("_", "").lower(): value for key, value in record.items()}


def _end(fields: Mapping[str, JsonValue], begin: float | None) -> float | None:
    """The end of a span, else from its duration; consoles and Jaeger give microseconds."""
    end = seconds_of(_first(fields, *_ENDS))
    duration = fields.get("duration")
    if end is None and begin is not None and isinstance(in_ms := fields.get("durationms"), int | float):
        return begin + in_ms / 1e3
    if end is None and begin is not None and isinstance(duration, int | float) and "spanattributes" not in fields:
        return begin + duration / 1e6
    if end is None and begin is not None and isinstance(duration, int | float):
        return begin + duration / 1e9  # the table of the collector's exporter to ClickHouse has nanoseconds
    return end


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


def _id(fields: Mapping[str, JsonValue], what: str) -> str | None:
    name = f"{what}id"
    value = _first(fields, name, *(f"{context}.{name}" for context in _CONTEXTS))
    if value is None:
        contexts = (decoded(fields.get(key)) for key in _CONTEXTS)
        value = next((_plain_keys(context).get(name) for context in contexts if isinstance(context, dict)), None)
    if value is None and what == "span" and "traceid" in fields:
        value = fields.get("id")  # as the console exporter of JavaScript and the OpenAI Agents SDK have it
    return plain_id(value)


def _parent(fields: Mapping[str, JsonValue]) -> str | None:
    value = _first(fields, "parentspanid", "parentid", "trace.parentid")
    context = fields.get("parentspancontext")
    if value is None and isinstance(context, dict):
        value = context.get("spanId")
    if value is None:
        references = [item for item in _list(fields.get("references")) if isinstance(item, dict)]
        value = next((item.get("spanID") for item in references if item.get("refType") == "CHILD_OF"), None)
    return plain_id(value)


def _first(record: Mapping[str, JsonValue], *keys: str) -> JsonValue:
    return next((record[key] for key in keys if record.get(key) is not None), None)


def _list(value: JsonValue) -> Sequence[JsonValue]:
    value = decoded(value)
    return value if isinstance(value, list) else ()


def _event(event: Mapping[str, JsonValue]) -> SpanEvent:
    name = event.get("name") or event.get("event_name")
    return SpanEvent(str(name or ""), attributes_of(event.get("attributes", event.get("fields"))))


def _failed(fields: Mapping[str, JsonValue]) -> bool:
    if fields.get("error") or fields.get("isexception") is True:
        return True
    status = _first(fields, "status", "statuscode", "otelstatuscode")
    if isinstance(status, dict):
        status = _first(_plain_keys(status), "code", "statuscode")
    return str(status).lower() in _FAILED_CODES
