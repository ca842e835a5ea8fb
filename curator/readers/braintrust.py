"""Braintrust: the spans of a project's logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from curator.config import LogsConfig
from curator.readers.feedback import nonblank
from curator.readers.json_text import decoded
from curator.readers.pieces import Piece, Place
from curator.readers.platform_rows import (
    Fields,
    PlatformRow,
    dicts,
    joined_ratings,
    number,
    row_piece,
    scalars,
    text,
    unread,
    words,
)
from curator.readers.reader import LogRecord, Reader
from curator.readers.span_feedback import SpanRatings, expectation, rating
from curator.readers.span_kinds import CALL, DOCUMENTS, JUDGES
from curator.readers.task_names import named_task
from curator.readers.times import seconds_of
from curator.records import Feedback, JsonValue

_KINDS: Mapping[str, str] = {
    "llm": CALL,
    "score": JUDGES,
    "scorer": JUDGES,
    "retriever": DOCUMENTS,
    "tool": "tool spans",
    "function": "function spans",
    "task": "chain spans",
    "eval": "chain spans",
    "automation": JUDGES,
    "facet": JUDGES,
    "preprocessor": "function spans",
}
_SPEAKERS = ("task", "eval", "function", "")
_SESSIONS = ("session_id", "sessionId", "thread_id", "conversation_id")
_USERS = ("user_id", "userId", "user")
_ROW = frozenset((
    "id", "_xact_id", "_pagination_key", "created", "org_id", "project_id", "log_id", "experiment_id", "dataset_id", "input",
    "output", "expected", "error", "scores", "metadata", "tags", "metrics", "context", "span_id", "span_parents", "root_span_id",
    "span_attributes", "is_root", "origin", "comments", "audit_data", "facets", "classifications", "_async_scoring_state",
))  # fmt: skip


def _parse(record: LogRecord, options: LogsConfig) -> Piece:
    cells = record.cells
    attributes, metrics, metadata = (_object(cells.get(key)) for key in ("span_attributes", "metrics", "metadata"))
    type_ = (text(attributes, "type") or "").lower()
    kind = _KINDS.get(type_, "other spans")
    parents = decoded(cells.get("span_parents"))
    parent = nonblank(parents[0]) if isinstance(parents, list) and parents else None
    span = text(cells, "span_id", "id")
    start = seconds_of(metrics.get("start"))
    facts = scalars({key: value for key, value in metadata.items() if key not in (*_SESSIONS, *_USERS, "model")})
    name = text(attributes, "name")
    speaks = parent is None and type_ in _SPEAKERS
    row = PlatformRow(
        kind=kind,
        name=name or "",
        place=Place(text(cells, "root_span_id") or span, span, parent, seconds_of(cells.get("created")) if start is None else start),
        speaks=speaks,
        request=cells.get("input"),
        response=cells.get("output"),
        parameters=dict(metadata),
        failure=_failure(cells.get("error")),
        end=seconds_of(metrics.get("end")),
        latency_s=number(metrics.get("duration")),
        cost_usd=number(metrics.get("estimated_cost")) or None,
        model=text(metadata, "model"),
        session=text(metadata, *_SESSIONS),
        user=text(metadata, *_USERS),
        task=named_task(metadata),
        metadata={
            **facts,
            **{
                key: int(count)
                for key, held in (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens"))
                if (count := number(metrics.get(held)))
            },
            **({"tags": tags} if (tags := words(cells.get("tags"))) else {}),
            **({"name": name} if name else {}),
        },
        ratings=joined_ratings(_ratings(cells)),
        unused=tuple(unread(cells, _ROW)) if kind == CALL or speaks else (),
    )  # fmt: skip
    return row_piece(row, record.source, options.task)


def _ratings(cells: Fields) -> Iterator[SpanRatings]:
    """Yield the scores, which are from 0 to 1, the comments and the expected answer of a row."""
    for name, value in _object(cells.get("scores")).items():
        score = number(value)
        if score is not None:
            peoples = rating(name, kind=None, score=score).feedback is not None
            yield rating(name, kind="human" if peoples else "code", score=f"{100 * score:g}%" if peoples else score)
    for comment in dicts(cells.get("comments")):
        held = _object(comment.get("comment"))
        if remark := nonblank(held.get("text")) or nonblank(comment.get("text")):
            yield SpanRatings(Feedback(comment=remark))
    if reference := expectation(cells.get("expected"), None):
        yield SpanRatings(reference=reference)


def _failure(value: JsonValue) -> str | None:
    value = decoded(value)
    return None if value in (None, "", False, {}) else str(value)[:200]


def _object(value: JsonValue) -> dict[str, JsonValue]:
    value = decoded(value)
    return value if isinstance(value, dict) else {}


def _sniff(record: Mapping[str, JsonValue], _: LogsConfig) -> float:
    """Sure of a span with the ids that only Braintrust writes together."""
    spans = "root_span_id" in record and ("span_parents" in record or "span_attributes" in record)
    return 0.97 if spans and ("input" in record or "output" in record) else 0.0


BRAINTRUST = Reader(
    name="braintrust",
    description="Spans of the logs of Braintrust, with their scores, comments and expected answers.",
    understands=frozenset(
        {"question", "answer", "system", "tools", "documents", "feedback", "outcome", "time", "task"}
    ),
    sniff=_sniff,
    parse=_parse,
    reads_csv=True,
)
