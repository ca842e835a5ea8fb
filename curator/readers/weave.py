"""Calls and feedback of W&B Weave, one a record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from curator.config import LogsConfig
from curator.readers.feedback import nonblank, read_thumb
from curator.readers.json_text import decoded
from curator.readers.pieces import Attachment, Exchange, NoExchange, Piece, Place
from curator.readers.reader import LogRecord, Reader
from curator.readers.span_feedback import SpanRatings, rating
from curator.readers.span_pieces import span_piece
from curator.readers.spans import span_of
from curator.records import Feedback, JsonValue

_MODEL_CALLS = re.compile(
    r"(completions?\.(create|parse|stream)|messages\.(create|stream)|responses\.(create|parse)|generate_?content(_?stream)?"
    r"|chat\.(complete|stream)|litellm\.a?completion|(chat|llm|model)\.(invoke|predict|generate))$",
    re.IGNORECASE,
)
"""The ends of the names of operations that are calls of a model's client."""
_JUDGES = re.compile(r"(^|\.)(evaluate|predict_and_score|score|evaluation)$", re.IGNORECASE)
_READ = frozenset(("id", "attributes", "inputs", "output"))
"""Keys of a call that are not those of a span."""
_KINDS = ("llm", "chat", "agent", "tool", "retriever", "search", "embedding", "guardrail")


def _parse(record: LogRecord, options: LogsConfig) -> Piece:
    cells = record.cells
    if "feedback_type" in cells:
        return _feedback(record)
    name = _operation(cells)
    span = span_of({key: value for key, value in cells.items() if key not in _READ})
    place = Place(
        nonblank(cells.get("trace_id")), nonblank(cells.get("id")), nonblank(cells.get("parent_id")), span.place.time
    )
    facts = _facts(cells)
    attributes = {"input": cells.get("inputs"), "output": cells.get("output"), "span.type": _kind(name, facts), **facts}
    failed = bool(cells.get("exception"))
    piece = span_piece(
        replace(span, place=place, name=name, attributes=attributes, failed=failed), record.source, options.task
    )
    if isinstance(piece, Exchange | NoExchange | Attachment):
        piece.user = piece.user or nonblank(cells.get("wb_user_id"))
        piece.session = piece.session or nonblank(cells.get("thread_id"))
    return piece


def _operation(cells: Mapping[str, JsonValue]) -> str:
    """The name of the operation: without its address and its version."""
    return str(cells.get("op_name") or "").rpartition("/")[2].partition(":")[0]


def _kind(name: str, facts: Mapping[str, JsonValue]) -> str | None:
    """The kind of a call: as Weave says, else by the name of its operation."""
    kind = str(facts.get("kind") or "")
    if kind in _KINDS:
        return "retriever" if kind == "search" else kind
    if _JUDGES.search(name):
        return "evaluator"
    return "llm" if _MODEL_CALLS.search(name) else None


def _facts(cells: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The kind of the call, its tokens, its costs and its attributes."""
    attributes, summary = decoded(cells.get("attributes")), decoded(cells.get("summary"))
    facts: dict[str, JsonValue] = {}
    if isinstance(attributes, dict):
        weave = attributes.get("weave")
        facts["kind"] = weave.get("kind") if isinstance(weave, dict) else None
        facts |= {f"metadata.{key}": value for key, value in attributes.items() if key != "weave"}
    usage = summary.get("usage") if isinstance(summary, dict) else None
    for model, counts in (usage or {}).items() if isinstance(usage, dict) else ():
        if isinstance(counts, dict):
            facts["gen_ai.response.model"] = model
            facts["gen_ai.usage.input_tokens"] = counts.get("prompt_tokens", counts.get("input_tokens"))
            facts["gen_ai.usage.output_tokens"] = counts.get("completion_tokens", counts.get("output_tokens"))
    return {key: value for key, value in facts.items() if value is not None}


def _feedback(record: LogRecord) -> Attachment:
    """Feedback on a call; that of scorers and other programs is metadata."""
    cells = record.cells
    kind, payload = str(cells.get("feedback_type")), decoded(cells.get("payload"))
    fields = payload if isinstance(payload, dict) else {"value": payload}
    call = str(cells.get("weave_ref") or cells.get("call_id") or "").rpartition("/")[2]
    ratings = _ratings(kind, fields)
    return Attachment(
        source=record.source,
        place=Place(None, None, call or None),
        what="feedback" if ratings.feedback else "feedback of programs",
        feedback=ratings.feedback,
        user=None,
        metadata=ratings.metadata,
    )


def _ratings(kind: str, fields: Mapping[str, JsonValue]) -> SpanRatings:
    if kind.startswith("wandb.reaction"):
        emoji = fields.get("emoji") or fields.get("alias") or fields.get("detoned")
        return SpanRatings(Feedback(thumb=read_thumb(emoji) or read_thumb(fields.get("alias"))))
    if kind.startswith("wandb.note"):
        return SpanRatings(Feedback(comment=nonblank(fields.get("note"))))
    name = kind.rpartition(".")[2]
    by_people = kind.startswith("wandb.annotation") or not kind.startswith("wandb.")
    value = fields.get("value", fields.get("output", fields.get("score")))
    value = next(iter(value.values()), None) if isinstance(value, dict) and len(value) == 1 else value
    label, score = (value, None) if isinstance(value, str | bool) else (None, value)
    return rating(name, kind="human" if by_people else "code", label=label, score=score, comment=fields.get("comment"))


def _sniff(record: Mapping[str, JsonValue], _: LogsConfig) -> float:
    """Sure of a call with the name of its operation, and of feedback with its type."""
    if "op_name" in record and "inputs" in record:
        return 0.95
    return 0.95 if "feedback_type" in record and "payload" in record else 0.0


WEAVE = Reader(
    name="weave",
    description="Calls and feedback of W&B Weave.",
    understands=frozenset(
        {"question", "answer", "system", "tools", "documents", "feedback", "outcome", "time", "task"}
    ),
    sniff=_sniff,
    parse=_parse,
)
