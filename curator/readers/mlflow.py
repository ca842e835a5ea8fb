"""Traces of MLflow: `Trace.to_json`, and the rows of `search_traces`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.feedback import nonblank
from curator.readers.json_text import decoded
from curator.readers.pieces import Attachment, Exchange, NoExchange, Piece, Place
from curator.readers.platform_rows import PlatformRow, number, row_piece
from curator.readers.reader import LogRecord, Reader, parse_parts
from curator.readers.span_attributes import content_keys
from curator.readers.span_feedback import expectation, rating
from curator.readers.span_pieces import span_piece
from curator.readers.spans import is_span, plain_id, span_of
from curator.readers.task_names import named_task
from curator.readers.times import seconds_of
from curator.records import JsonValue, Source

_READ = ("request", "response", "data")
"""Keys of a trace beside its spans: the whole of them, or what its root span repeats."""
_METADATA = ("trace_metadata", "request_metadata")


@dataclass(frozen=True, slots=True)
class _Trace:
    """A trace: what is known about it, its spans, and its assessments."""

    info: Mapping[str, JsonValue]
    spans: list[dict[str, JsonValue]]
    id: str | None

    @property
    def root(self) -> list[dict[str, JsonValue]]:
        """The question and the answer of the trace, where its spans are not in the export."""
        return [dict(self.info)] if self.info.get("request") and not self.spans else []

    @property
    def assessments(self) -> list[dict[str, JsonValue]]:
        """The assessments of the trace and its spans that are valid."""
        return [item for item in _dicts(self.info.get("assessments")) if item.get("valid") is not False]

    def fact(self, name: str) -> str | None:
        """A fact of the metadata or the tags of the trace."""
        return next((nonblank(holder[name]) for holder in self.facts if holder.get(name)), None)

    @property
    def facts(self) -> list[dict[str, JsonValue]]:
        """The metadata and the tags of the trace."""
        holders = (decoded(self.info.get(key)) for key in (*_METADATA, "tags"))
        return [holder for holder in holders if isinstance(holder, dict)]


def _trace(record: Mapping[str, JsonValue]) -> _Trace | None:
    whole = decoded(record.get("trace"))
    if isinstance(whole, dict) and "info" in whole:
        record = whole
    info, data = decoded(record.get("info")), decoded(record.get("data"))
    if isinstance(info, dict) and isinstance(data, dict):
        return _trace_of(info, data)
    return _trace_of(record, record) if "spans" in record else None


def _trace_of(info: Mapping[str, JsonValue], data: Mapping[str, JsonValue]) -> _Trace:
    spans = _dicts(data.get("spans"))
    first = span_of(spans[0]).place.trace if spans else None
    return _Trace(info, spans, first or nonblank(info.get("trace_id")) or nonblank(info.get("request_id")))


def _parse(record: LogRecord, options: LogsConfig) -> Iterator[Piece] | Piece:
    trace = _trace(record.cells)
    if trace is None:
        raise RecordError("no trace of MLflow", "write traces with `Trace.to_json`, or the table of `search_traces`")
    items = [*(trace.spans or trace.root), *trace.assessments]
    if not items:
        return NoExchange(source=record.source, what="traces without spans")
    return parse_parts(
        enumerate(items),
        lambda item, part: _piece(trace, *item, part, options),
        record.source,
        unread=content_keys(record.cells, _READ),
    )


def _piece(
    trace: _Trace, place: int, item: dict[str, JsonValue], source: Source, options: LogsConfig
) -> Exchange | Attachment | NoExchange:
    if not trace.spans and place < len(trace.root):
        return _root(trace, source, options)
    if place >= len(trace.spans):
        return _assessment(trace, item, source)
    if not is_span(item):
        raise RecordError("a span without ids", "write whole traces, as `Trace.to_json` gives them")
    span = span_of(item)
    attributes = {key: _plain(value) for key, value in span.attributes.items()}
    placed = replace(span, place=replace(span.place, trace=trace.id), attributes=attributes)
    piece = span_piece(placed, source, named_task(attributes, *trace.facts) or options.task)
    piece.session = piece.session or trace.fact("mlflow.trace.session")
    piece.user = piece.user or trace.fact("mlflow.trace.user")
    return piece


def _root(trace: _Trace, source: Source, options: LogsConfig) -> Exchange | Attachment | NoExchange:
    """The question and the answer of a trace whose spans are not in the export."""
    (info,) = trace.root
    row = PlatformRow(
        kind="traces",
        speaks=True,
        place=Place(trace.id, None, None, seconds_of(info.get("request_time") or info.get("timestamp_ms"))),
        request=info.get("request"),
        response=info.get("response"),
        failure="error" if str(info.get("state") or info.get("status")).upper().endswith("ERROR") else None,
        latency_s=None if (ms := number(info.get("execution_duration"))) is None else ms / 1000,
        session=trace.fact("mlflow.trace.session"),
        user=trace.fact("mlflow.trace.user"),
    )
    return row_piece(row, source, options.task)


def _plain(value: JsonValue) -> JsonValue:
    """An attribute without its JSON encoding; the texts of objects and lists stay as they are."""
    inner = decoded(f"[{value}]") if isinstance(value, str) else None
    if isinstance(inner, list) and len(inner) == 1 and not isinstance(inner[0], dict | list):
        return inner[0]
    return value


def _assessment(trace: _Trace, item: Mapping[str, JsonValue], source: Source) -> Attachment:
    """A person's feedback or expected answer; what models and programs found is metadata."""
    by = decoded(item.get("source"))
    kind = nonblank(by.get("source_type")) if isinstance(by, dict) else None
    person = nonblank(by.get("source_id")) if isinstance(by, dict) else None
    name = nonblank(item.get("assessment_name")) or nonblank(item.get("name")) or ""
    place = Place(trace.id, None, plain_id(item.get("span_id")))
    expected = decoded(item.get("expectation"))
    if isinstance(expected, dict):
        serialized = expected.get("serialized_value")
        value = serialized.get("value") if isinstance(serialized, dict) else expected.get("value")
        return Attachment(source=source, place=place, what="expectations", reference=expectation(value, person))
    given = decoded(item.get("feedback"))
    value = given.get("value") if isinstance(given, dict) else item.get("value")
    label, score = (value, None) if isinstance(value, str | bool) else (None, value)
    ratings = rating(name, kind=kind, label=label, score=score, comment=item.get("rationale"))
    return Attachment(
        source=source,
        place=place,
        what="assessments" if ratings.feedback else "assessments by models and programs",
        feedback=ratings.feedback,
        metadata=ratings.metadata,
    )


def _dicts(value: JsonValue) -> list[dict[str, JsonValue]]:
    value = decoded(value)
    items = [decoded(item) for item in value] if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def _sniff(record: Mapping[str, JsonValue], _: LogsConfig) -> float:
    """Sure of a trace with its info, and of the columns of `search_traces`."""
    trace = decoded(record.get("trace"))
    whole = trace if isinstance(trace, dict) else record
    info, data = decoded(whole.get("info")), decoded(whole.get("data"))
    if isinstance(info, dict) and isinstance(data, dict) and "spans" in data:
        return 1.0
    return (
        0.95
        if "spans" in record and any(key in record for key in (*_METADATA, "execution_duration", "assessments"))
        else 0.0
    )


MLFLOW = Reader(
    name="mlflow",
    description="Traces of MLflow: `Trace.to_json`, and the tables of `search_traces`.",
    understands=frozenset(
        {"question", "answer", "system", "tools", "documents", "feedback", "outcome", "time", "task"}
    ),
    sniff=_sniff,
    parse=_parse,
    reads_csv=True,
)
