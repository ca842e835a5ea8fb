"""Langfuse: observations, traces and scores, of the UI, the public API and the blob storage."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.feedback import nonblank
from curator.readers.json_text import decoded
from curator.readers.pieces import Attachment, NoExchange, Piece, Place
from curator.readers.platform_bodies import unquoted
from curator.readers.platform_rows import (
    Fields,
    PlatformRow,
    dicts,
    first,
    joined_ratings,
    number,
    row_piece,
    scalars,
    snake_case,
    text,
    unread,
    words,
)
from curator.readers.reader import LogRecord, Reader, parse_parts
from curator.readers.span_feedback import SpanRatings, rating
from curator.readers.span_kinds import CALL, DOCUMENTS, JUDGES
from curator.readers.task_names import named_task
from curator.readers.times import seconds_of
from curator.records import Feedback, JsonValue, Scalar, Source

_KINDS: Mapping[str, str] = {
    "GENERATION": CALL,
    "RETRIEVER": DOCUMENTS,
    "EVALUATOR": JUDGES,
    "SPAN": "other spans",
    "EVENT": "events",
    "AGENT": "agent spans",
    "TOOL": "tool spans",
    "CHAIN": "chain spans",
    "EMBEDDING": "embedding spans",
    "GUARDRAIL": "guardrail spans",
}
_ROOTS = ("SPAN", "AGENT", "CHAIN")
_SOURCES = ("API", "ANNOTATION", "EVAL")
_DATA_TYPES = ("NUMERIC", "CATEGORICAL", "BOOLEAN", "TEXT", "CORRECTION")
_MEASURES = re.compile(
    r"(?<![a-z])(hallucination|toxicity|faithfulness|groundedness|relevan\w+|similarity|bleu|rouge\w*|exact match|ragas\w*|eval\w*"
    r"|judge|precision|recall|f1|perplexity|latency|cost|tokens?|context \w+|answer \w+ness|coherence|conciseness)(?![a-z])"
)
"""Names of what programs measure. A score that came by the API may be theirs as well as a user's."""
_OBSERVATION = frozenset((
    "id", "trace_id", "project_id", "type", "name", "start_time", "end_time", "environment", "version", "user_id", "session_id",
    "level", "status_message", "prompt_name", "prompt_id", "prompt_version", "model", "model_id", "internal_model_id", "internal_model",
    "provided_model_name", "model_parameters", "usage", "usage_details", "cost_details", "provided_cost_details",
    "provided_usage_details", "total_cost", "input_cost", "output_cost", "calculated_input_cost", "calculated_output_cost",
    "calculated_total_cost", "latency", "time_to_first_token", "completion_start_time", "tags", "release", "trace_name",
    "parent_observation_id", "input", "output", "metadata", "tool_definitions", "tool_calls", "tool_call_names", "created_at",
    "updated_at", "input_usage", "output_usage", "total_usage", "input_price", "output_price", "total_price", "unit",
    "usage_pricing_tier_id", "usage_pricing_tier_name", "bookmarked", "public", "is_root_observation", "prompt_tokens",
    "completion_tokens", "total_tokens", "trace_tags", "comments", "scores", "observations", "timestamp", "html_path",
    "external_id", "corrections", "observation_count", "level_counts", "usage_unit", "is_deleted", "event_ts", "trace_timestamp",
    "tool_call_count", "tool_definitions_count", "input_tokens", "output_tokens", "cost", "dataset_run_id", "span_id",
    "error_count", "warning_count", "default_count", "debug_count", "user_props", "parent_span_id", "service_name",
    "tokens_per_second", "input_length", "output_length", "metadata_names", "metadata_values", "latency_ms", "observation_level",
))  # fmt: skip
"""The columns of observations and traces; another one is a score or not used."""


def _parse(record: LogRecord, options: LogsConfig) -> Iterator[Piece] | Piece:
    cells = {key: value for key, value in record.cells.items() if value is not None}
    trace = decoded(cells.get("trace"))
    whole = trace if isinstance(trace, dict) else cells
    observations = dicts(cells.get("observations")) or dicts(whole.get("observations"))
    if whole is cells and not observations and not _holds_scores(cells):
        return _row(cells, record.source, options)
    about = {"trace_id": whole.get("id")}
    scores = [score for score in dicts(whole.get("scores") or cells.get("scores")) if "name" in score]
    items: list[Fields] = [{**whole, "observations": None, "scores": None}, *observations]
    items += [{**about, **{key: item for key, item in score.items() if item is not None}} for score in scores]
    return parse_parts(items, lambda item, part: _row(item, part, options), record.source)


def _holds_scores(cells: Fields) -> bool:
    return any("name" in score for score in dicts(cells.get("scores"))) and "timestamp" in cells


def _row(cells: Fields, source: Source, options: LogsConfig) -> Piece:
    fields = snake_case(cells)
    if _is_score(fields):
        return _score(fields, source)
    if _is_observation(fields):
        return _observation(cells, fields, source, options)
    if _is_trace(fields):
        return _trace(cells, fields, source, options)
    raise RecordError(
        "neither an observation nor a trace or a score of Langfuse",
        "export observations with their `id`, `trace_id` and `type`, and scores with their `name` and `trace_id`",
    )


def _observation(cells: Fields, fields: Fields, source: Source, options: LogsConfig) -> Piece:
    type_ = str(fields.get("type") or "").upper()
    kind = _KINDS.get(type_, "other spans")
    if (text(fields, "environment") or "").startswith("langfuse-"):  # its own evaluators log their calls there
        kind = JUDGES
    parent = text(fields, "parent_observation_id")
    trace = text(fields, "trace_id")
    row = _common(cells, fields)
    row.kind = kind
    row.place = Place(trace, text(fields, "id"), None if parent == trace else parent, _time(fields, "start_time"))
    row.speaks = type_ in _ROOTS and parent is None
    metadata = decoded(fields.get("metadata"))
    row.tools = _tools(fields.get("tool_definitions")) or _tools_of_attributes(metadata)
    if kind == CALL or row.speaks:
        row.unused = _unused(row, cells, fields)
    return row_piece(row, source, options.task)


def _unused(row: PlatformRow, cells: Fields, fields: Fields) -> tuple[str, ...]:
    used = _OBSERVATION | row.ratings.metadata.keys() | _given(row.ratings)
    return tuple(key for key in unread(fields, used) if not _score_column(key, cells.get(key)))


def _trace(cells: Fields, fields: Fields, source: Source, options: LogsConfig) -> Piece:
    """The piece of a trace: who asked, or a call where no other one is in the logs."""
    id_ = text(fields, "id")
    row = _common(cells, fields)
    row.kind = "traces"
    row.place = Place(id_, id_, None, _time(fields, "timestamp"))
    row.speaks = True
    row.unused = _unused(row, cells, fields)
    piece = row_piece(row, source, options.task)
    if isinstance(piece, NoExchange):  # what it says of its calls does not depend on their parents
        about = Place(id_)
        return Attachment(
            source=source, place=about, what="traces", session=row.session, user=row.user, metadata=row.metadata
        )
    if isinstance(piece, Attachment):
        piece.place, piece.reply = Place(id_), None
    return piece


def _common(cells: Fields, fields: Fields) -> PlatformRow:
    metadata = scalars(fields.get("metadata"))
    for key in ("environment", "release", "version", "name", "trace_name"):
        if value := text(fields, key):
            metadata.setdefault(key, value)
    if tags := words(first(fields, "tags", "trace_tags")):
        metadata["tags"] = tags
    usage = decoded(first(fields, "usage_details", "usage"))
    for name, keys in {
        "input_tokens": ("input", "input_tokens", "prompt_tokens", "promptTokens"),
        "output_tokens": ("output", "output_tokens", "completion_tokens", "completionTokens"),
    }.items():
        counted = number(first(usage, *keys)) if isinstance(usage, dict) else None
        if counted:
            metadata[name] = int(counted)
    level, message = text(fields, "level"), text(fields, "status_message")
    costs = decoded(fields.get("cost_details"))
    cost = number(first(fields, "total_cost", "calculated_total_cost"))
    cost = cost or (number(costs.get("total")) if isinstance(costs, dict) else None)
    return PlatformRow(
        kind="other spans",
        place=Place(),
        name=text(fields, "name") or "",
        request=unquoted(fields.get("input")),
        response=unquoted(fields.get("output")),
        parameters=fields.get("model_parameters"),
        failure=(message or "error") if (level or "").upper() == "ERROR" else None,
        end=_time(fields, "end_time"),
        latency_s=number(fields.get("latency")),
        cost_usd=cost or None,
        model=text(fields, "provided_model_name", "model"),
        session=text(fields, "session_id"),
        user=text(fields, "user_id"),
        task=named_task(decoded(fields.get("metadata")), fields),
        metadata=metadata,
        ratings=joined_ratings(_flat_scores(cells)),
    )


def _tools(value: JsonValue) -> JsonValue:
    """The definitions of tools as a list: the export has an object of them by their names."""
    value = decoded(value)
    if isinstance(value, dict):
        named = ((name, decoded(tool)) for name, tool in value.items())
        return [{"name": name, **tool} for name, tool in named if isinstance(tool, dict)]
    return value


def _tools_of_attributes(metadata: JsonValue) -> JsonValue:
    """The tools that a tracer wrote into the attributes of the span."""
    attributes = decoded(metadata.get("attributes")) if isinstance(metadata, dict) else None
    if not isinstance(attributes, dict):
        return None
    if definitions := decoded(attributes.get("gen_ai.tool.definitions")):
        return definitions
    parameters = decoded(attributes.get("model_request_parameters"))
    if not isinstance(parameters, dict):
        return None
    tools = [*dicts(parameters.get("function_tools")), *dicts(parameters.get("output_tools"))]
    return [{**tool, "parameters": tool.get("parameters_json_schema")} for tool in tools]


def _flat_scores(cells: Fields) -> Iterator[SpanRatings]:
    """Yield the scores in columns of their own, whose cells have a list of values."""
    for key, value in cells.items():
        if _score_column(key, value):
            values = decoded(value)
            for item in values if isinstance(values, list) else [values]:
                yield _rated(key, "API", item, None)
    for correction in dicts(cells.get("corrections")):
        value = first(snake_case(correction), "string_value", "long_string_value", "value")
        yield SpanRatings(Feedback(correction=nonblank(value)))


def _score_column(key: str, value: JsonValue) -> bool:
    """Return whether a column has the values of a score."""
    if next(iter(snake_case({key: 1}))) in _OBSERVATION:
        return False
    values = decoded(value)
    if isinstance(values, list):
        return bool(values) and all(isinstance(item, str | int | float | bool) for item in values)
    return isinstance(values, int | float) or (isinstance(values, str) and number(values) is not None)


def _score(fields: Fields, source: Source) -> Attachment:
    place = Place(text(fields, "trace_id"), None, text(fields, "observation_id"))
    type_ = (text(fields, "data_type") or "").upper()
    label, value = first(fields, "string_value", "long_string_value"), fields.get("value")
    name, comment = text(fields, "name") or "score", fields.get("comment")
    if type_ == "CORRECTION":
        correction = nonblank(label) or nonblank(value)
        ratings = SpanRatings(Feedback(correction=correction, comment=nonblank(comment)) if correction else None)
    elif type_ == "TEXT":
        texts = filter(None, (nonblank(label) or nonblank(value), nonblank(comment)))
        ratings = _rated(name, text(fields, "source"), None, "\n".join(texts))
    else:
        value = label if type_ in ("BOOLEAN", "CATEGORICAL") and label is not None else value
        value = bool(number(value)) if type_ == "BOOLEAN" and number(value) is not None else value
        read = number(value)
        value = label if value is None else read if read is not None and not isinstance(value, bool) else value
        ratings = _rated(name, text(fields, "source"), value, comment)
    return Attachment(
        source=source,
        place=place,
        what="scores" if ratings.feedback else "scores by models and programs",
        feedback=ratings.feedback,
        session=text(fields, "session_id"),
        metadata=ratings.metadata,
    )


def _rated(name: str, source: str | None, value: JsonValue, comment: JsonValue) -> SpanRatings:
    """A score of a person or a program.

    Annotations are people's. A score that came by the API is a user's, unless its name is that of a measure.
    """
    origin = (source or "").upper()
    plain = name.lower().replace("_", " ").replace("-", " ")
    kind = "llm" if origin == "EVAL" or (origin != "ANNOTATION" and _MEASURES.search(plain)) else "human"
    label, score = (value, None) if isinstance(value, str | bool) else (None, value)
    return rating(name, kind=kind, label=label, score=score, comment=comment)


def _given(ratings: SpanRatings) -> frozenset[str]:
    given: Mapping[str, Scalar] = ratings.feedback.given if ratings.feedback else {}
    return frozenset(given)


def _time(fields: Fields, key: str) -> float | None:
    return seconds_of(fields.get(key))


def _is_score(fields: Fields) -> bool:
    if "name" not in fields or ("value" not in fields and "string_value" not in fields):
        return False
    owner = any(key in fields for key in ("trace_id", "observation_id", "session_id", "dataset_run_id"))
    is_marked = fields.get("source") in _SOURCES or fields.get("data_type") in _DATA_TYPES
    return owner and is_marked and "input" not in fields and "start_time" not in fields


def _is_observation(fields: Fields) -> bool:
    return (
        str(fields.get("type") or "").upper() in _KINDS
        and "id" in fields
        and "trace_id" in fields
        and any(key in fields for key in ("start_time", "parent_observation_id", "model_parameters", "input"))
    )


def _is_trace(fields: Fields) -> bool:
    marks = (
        "session_id",
        "user_id",
        "bookmarked",
        "public",
        "release",
        "html_path",
        "project_id",
        "tags",
        "environment",
    )
    return (
        "id" in fields and "timestamp" in fields and sum(key in fields for key in marks) >= 2 and "type" not in fields
    )


def _sniff(record: Mapping[str, JsonValue], _: LogsConfig) -> float:
    """Sure of observations, scores and traces by the columns that only Langfuse has together."""
    trace = decoded(record.get("trace"))
    if isinstance(trace, dict) and isinstance(decoded(record.get("observations")), list):
        return 1.0
    fields = snake_case(record)
    if _is_score(fields):
        return 0.95
    if _is_observation(fields) and str(fields["type"]).isupper():
        return 0.95
    return 0.9 if _is_trace(fields) and ("input" in fields or "observations" in fields) else 0.0


LANGFUSE = Reader(
    name="langfuse",
    description="Langfuse: observations, traces and scores, as the UI, the public API and the blob storage export them.",
    understands=frozenset(
        {"question", "answer", "system", "tools", "documents", "feedback", "outcome", "time", "task"}
    ),
    sniff=_sniff,
    parse=_parse,
    reads_csv=True,
)
