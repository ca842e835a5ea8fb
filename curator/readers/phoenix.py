"""Spans, traces and annotations of Phoenix, as JSON or as the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.feedback import nonblank
from curator.readers.json_text import decoded
from curator.readers.pieces import Attachment, Piece, Place
from curator.readers.reader import LogRecord, Reader, parse_parts
from curator.readers.span_attributes import content_keys
from curator.readers.span_feedback import SpanRatings, annotation_ratings
from curator.readers.span_pieces import span_piece
from curator.readers.spans import is_span, plain_id, span_of
from curator.records import JsonValue, Source

_ANNOTATORS = ("annotator_kind", "annotatorKind")
_OWNERS = ("span_id", "context.span_id", "trace_id", "session_id", "spanId", "traceId", "sessionId")


@dataclass(frozen=True, slots=True)
class _Annotation:
    """An annotation, and the span or trace that it is about."""

    fields: Mapping[str, JsonValue]
    place: Place
    session: str | None = None


def _parse(record: LogRecord, options: LogsConfig) -> Piece | Iterator[Piece]:
    cells = record.cells
    if _is_annotation(cells):
        return _annotation_piece(_annotation(cells), record.source)
    if isinstance(cells.get("spans"), list):
        return parse_parts(
            _parts(cells),
            lambda item, part: _part_piece(item, part, options),
            record.source,
            unread=content_keys(cells),
        )
    annotations = _dicts(cells.get("annotations"))
    if not annotations:
        return span_piece(span_of(cells), record.source, options.task)
    items: list[Mapping[str, JsonValue] | _Annotation] = [cells, *_annotations(annotations, cells)]
    return parse_parts(items, lambda item, part: _part_piece(item, part, options), record.source)


def _parts(trace: Mapping[str, JsonValue]) -> list[Mapping[str, JsonValue] | _Annotation]:
    """The spans of a trace, and the annotations of them and of the trace."""
    items: list[Mapping[str, JsonValue] | _Annotation] = []
    for span in _dicts(trace.get("spans")):
        items += [span, *_annotations(_dicts(span.get("annotations")), span)]
    about = {"trace_id": trace.get("trace_id") or trace.get("traceId")}
    return [*items, *_annotations(_dicts(trace.get("annotations")), about)]


def _annotations(annotations: Sequence[Mapping[str, JsonValue]], owner: Mapping[str, JsonValue]) -> list[_Annotation]:
    place = span_of(owner).place
    about = Place(place.trace, None, place.span)
    return [
        _annotation(fields) if any(fields.get(key) for key in _OWNERS) else _Annotation(fields, about)
        for fields in annotations
    ]


def _annotation(fields: Mapping[str, JsonValue]) -> _Annotation:
    def first(*keys: str) -> JsonValue:
        return next((fields[key] for key in keys if fields.get(key)), None)

    place = Place(plain_id(first("trace_id", "traceId")), None, plain_id(first("span_id", "context.span_id", "spanId")))
    return _Annotation(fields, place, nonblank(first("session_id", "sessionId")))


def _part_piece(item: Mapping[str, JsonValue] | _Annotation, source: Source, options: LogsConfig) -> Piece:
    if isinstance(item, _Annotation):
        return _annotation_piece(item, source)
    if not is_span(item):
        raise RecordError("a span without ids", "export the whole spans of a trace")
    return span_piece(span_of(item), source, options.task)


def _annotation_piece(annotation: _Annotation, source: Source) -> Attachment:
    fields = {key.removeprefix("annotation."): value for key, value in annotation.fields.items()}
    result = {key.removeprefix("result."): value for key, value in fields.items() if key.startswith("result.")}
    ratings: SpanRatings = annotation_ratings([{**fields, "result": result} if result else dict(fields)])
    return Attachment(
        source=source,
        place=annotation.place,
        what="annotations" if ratings.feedback else "annotations by models and programs",
        feedback=ratings.feedback,
        session=annotation.session,
        metadata=ratings.metadata,
    )


def _is_annotation(record: Mapping[str, JsonValue]) -> bool:
    kind = any(nonblank(record.get(key)) for key in _ANNOTATORS)
    return kind and any(nonblank(record.get(key)) for key in _OWNERS) and "attributes" not in record


def _dicts(value: JsonValue) -> list[dict[str, JsonValue]]:
    value = decoded(value)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _sniff(record: Mapping[str, JsonValue], _: LogsConfig) -> float:
    """Sure of spans whose kind is that of OpenInference, of traces of them, and of annotations."""
    spans = _dicts(record.get("spans")) if "info" not in record and "request" not in record else []
    if _is_annotation(record) or (spans and all("span_kind" in span and is_span(span) for span in spans)):
        return 0.95
    has_kind = "span_kind" in record and ("parent_id" in record or "context.span_id" in record)
    return 0.95 if has_kind and is_span(record) else 0.0


PHOENIX = Reader(
    name="phoenix",
    description="Spans, traces and annotations of Phoenix, as JSON or as the rows of a table.",
    understands=frozenset(
        {"question", "answer", "system", "tools", "documents", "feedback", "outcome", "time", "task"}
    ),
    sniff=_sniff,
    parse=_parse,
    reads_csv=True,
)
