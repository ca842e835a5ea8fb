"""LangSmith: runs of its API, exports and ingestion batches, and feedback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.feedback import nonblank
from curator.readers.json_text import as_text, decoded
from curator.readers.pieces import Attachment, Piece, Place
from curator.readers.platform_rows import (
    Fields,
    PlatformRow,
    dicts,
    first,
    joined_ratings,
    number,
    row_piece,
    scalars,
    text,
    unread,
    words,
)
from curator.readers.reader import LogRecord, Reader, parse_parts
from curator.readers.span_attributes import content_keys
from curator.readers.span_feedback import SpanRatings, rating
from curator.readers.span_kinds import CALL, DOCUMENTS
from curator.readers.task_names import named_task
from curator.readers.times import seconds_of
from curator.records import Feedback, JsonValue, Source

_KINDS: Mapping[str, str] = {
    "llm": CALL,
    "retriever": DOCUMENTS,
    "chain": "chain spans",
    "tool": "tool spans",
    "embedding": "embedding spans",
    "prompt": "prompt templates",
    "parser": "parser spans",
}
_SESSIONS = ("thread_id", "session_id", "conversation_id")
_USERS = ("user_id", "user", "ls_user_id", "end_user_id")
_PEOPLE = ("app", "api", "user", "human")
_MACHINES = ("model", "auto_eval", "evaluator", "llm")
_ELSEWHERE = RecordError(
    "the input and the output of the run are stored elsewhere (`inputs_s3_urls`)",
    "export the runs with their bodies: `langsmith run export FILE --full`, or `Client.list_runs` of the SDK",
)
_RUN = frozenset((
    "id", "run_id", "name", "run_type", "inputs", "outputs", "error", "start_time", "end_time", "extra", "events", "tags",
    "trace_id", "parent_run_id", "parent_run_ids", "dotted_order", "status", "feedback_stats", "session_id", "session_name",
    "prompt_tokens", "completion_tokens", "total_tokens", "prompt_cost", "completion_cost", "total_cost", "first_token_time",
    "in_dataset", "serialized", "inputs_s3_urls", "outputs_s3_urls", "s3_urls", "inputs_preview", "outputs_preview", "app_path",
    "child_run_ids", "direct_child_run_ids", "child_runs", "tenant_id", "is_root", "trace_tier", "manifest_id", "metadata",
    "custom_metadata", "token_usage", "costs", "duration_ms", "last_queued_at", "share_token", "execution_order", "attachments",
    "prompt_token_details", "completion_token_details", "prompt_cost_details", "completion_cost_details", "trace_first_received_at",
    "trace_min_start_time", "trace_max_start_time", "trace_upgrade", "ttl_seconds", "thread_id", "latency", "price_model_id",
    "reference_dataset_id", "manifest_s3_id", "extra_s3_urls", "messages", "year", "month", "day", "export_id", "feedback",
))  # fmt: skip


def _parse(record: LogRecord, options: LogsConfig) -> Iterator[Piece] | Piece:
    cells = record.cells
    if _is_batch(cells):
        runs = _joined_batch(cells)
        return parse_parts(runs, lambda run, part: _run(run, part, options), record.source, unread=content_keys(cells))
    if _is_feedback(cells):
        return _feedback(cells, record.source)
    runs = list(_with_children(cells))
    feedback = [{"run_id": first(run, "id", "run_id"), **item} for run in runs for item in dicts(run.get("feedback"))]
    if len(runs) + len(feedback) == 1:
        return _run(cells, record.source, options)
    items: list[Fields] = [*runs, *feedback]
    return parse_parts(
        items,
        lambda item, part: _feedback(item, part) if _is_feedback(item) else _run(item, part, options),
        record.source,
    )


def _joined_batch(cells: Fields) -> list[Fields]:
    """The runs of a batch: what `patch` says of a run completes what `post` said."""
    runs: dict[str, dict[str, JsonValue]] = {}
    for key in ("post", "patch"):
        for number_, run in enumerate(dicts(cells.get(key))):
            name = text(run, "id") or f"{key} {number_}"
            runs.setdefault(name, {}).update(
                {field: value for field, value in run.items() if value not in (None, "", {}, [])}
            )
    return list(runs.values())


def _with_children(run: Fields) -> Iterator[Fields]:
    """Yield a run and those that stand inside it."""
    waiting = [dict(run)]
    while waiting:
        current = waiting.pop(0)
        children = dicts(current.get("child_runs"))
        waiting += children
        yield current


def _run(run: Fields, source: Source, options: LogsConfig) -> Piece:
    if not _is_run(run):
        raise RecordError("no run of LangSmith", "export runs with their `id`, `run_type`, `inputs` and `outputs`")
    kind = _KINDS.get((text(run, "run_type") or "").lower(), "other spans")
    inputs, outputs = _inner(decoded(run.get("inputs"))), decoded(run.get("outputs"))
    if "run_type" not in run and isinstance(outputs, dict) and ("choices" in outputs or "generations" in outputs):
        kind = CALL  # the update of a run does not repeat its type
    id_, parent = text(run, "id", "run_id"), text(run, "parent_run_id")
    error = text(run, "error")
    failed = error or (text(run, "status") if text(run, "status") == "error" else None)
    extra = decoded(run.get("extra"))
    extra = extra if isinstance(extra, dict) else {}
    invocation = decoded(extra.get("invocation_params"))
    held = (extra.get("metadata"), run.get("metadata"), run.get("custom_metadata"))
    metadata = scalars({key: value for item in held for key, value in scalars(item).items()})
    session, user = text(metadata, *_SESSIONS) or text(run, "thread_id"), text(metadata, *_USERS)
    model = text(metadata, "ls_model_name")
    speaks = parent is None and kind not in (CALL, DOCUMENTS, "embedding spans", "parser spans")
    row = PlatformRow(
        kind=kind,
        name=text(run, "name") or "",
        place=Place(text(run, "trace_id") or (id_ if parent is None else None), id_, parent, _time(run, "start_time")),
        speaks=speaks,
        request=inputs,
        response=_output(outputs),
        parameters=invocation,
        failure=failed,
        elsewhere=_ELSEWHERE if not inputs and (run.get("inputs_s3_urls") or run.get("s3_urls")) else None,
        end=_time(run, "end_time"),
        latency_s=_thousandth(number(run.get("duration_ms"))),
        cost_usd=_cost(run),
        model=model or (text(invocation, "model", "model_name") if isinstance(invocation, dict) else None),
        session=session,
        user=user,
        task=named_task(metadata),
        metadata={
            **{key: value for key, value in metadata.items() if key not in (*_SESSIONS, *_USERS)},
            **_usage(run),
            **({"tags": tags} if (tags := words(run.get("tags"))) else {}),
            **({"name": name} if (name := text(run, "name")) else {}),
        },
        ratings=joined_ratings(_stats(run.get("feedback_stats"))),
        unused=tuple(unread(run, _RUN)) if kind == CALL or speaks else (),
    )
    return row_piece(row, source, options.task)


def _inner(inputs: JsonValue) -> JsonValue:
    """The inputs without the only name that they have, where its value is a text or a list."""
    if isinstance(inputs, dict) and len(inputs) == 1 and isinstance(only := next(iter(inputs.values())), str | list):
        return inputs if "messages" in inputs or "prompts" in inputs else only
    return inputs


def _output(outputs: JsonValue) -> JsonValue:
    """The output of a run; a text or a message may stand under any one name."""
    if isinstance(outputs, dict) and len(outputs) == 1:
        only = decoded(next(iter(outputs.values())))
        if isinstance(only, str | dict) or "messages" in outputs:
            return only
    return outputs


def _usage(run: Fields) -> dict[str, int]:
    usage = decoded(run.get("token_usage"))
    holder = {**run, **usage} if isinstance(usage, dict) else run
    counted = {name: number(holder.get(key)) for name, key in
               (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens"))}  # fmt: skip
    return {name: int(value) for name, value in counted.items() if value}


def _cost(run: Fields) -> float | None:
    costs = decoded(run.get("costs"))
    cost = number(run.get("total_cost"))
    return cost or (number(first(costs, "total_cost", "total")) if isinstance(costs, dict) else None) or None


def _stats(value: JsonValue) -> Iterator[SpanRatings]:
    """Yield the mean rating and the comments of each key; the key alone says who gave them."""
    value = decoded(value)
    for key, item in value.items() if isinstance(value, dict) else ():
        stats = decoded(item)
        if not isinstance(stats, dict):
            continue
        values, comments = decoded(stats.get("values")), decoded(stats.get("comments"))
        label = next(iter(values), None) if isinstance(values, dict) and len(values) == 1 else None
        comment = "\n".join(str(text_) for text_ in comments if text_) if isinstance(comments, list) else None
        count = number(stats.get("n")) or 0
        if count >= 1 or label or comment:
            yield rating(key, kind=None, label=label, score=stats.get("avg"), comment=comment)


def _feedback(cells: Fields, source: Source) -> Attachment:
    key = text(cells, "key") or "feedback"
    origin = decoded(cells.get("feedback_source"))
    kind = text(origin, "type") if isinstance(origin, dict) else text(cells, "feedback_source", "source")
    kind = (kind or "").lower()
    by = "human" if kind in _PEOPLE else "llm" if kind in _MACHINES else None
    value, score = cells.get("value"), cells.get("score")
    if isinstance(score, bool):
        value, score = score, None
    elif isinstance(value, int | float) and not isinstance(value, bool) and score is None:
        value, score = None, value
    ratings = rating(key, kind=by, label=value, score=score, comment=cells.get("comment"))
    correction = correction_text(decoded(cells.get("correction")))
    if correction:
        ratings = ratings.joined(SpanRatings(Feedback(correction=correction)))
    return Attachment(
        source=source,
        place=Place(text(cells, "trace_id"), None, text(cells, "run_id")),
        what="feedback" if ratings.feedback else "feedback by models and programs",
        feedback=ratings.feedback,
        metadata=ratings.metadata,
    )


def correction_text(value: JsonValue) -> str | None:
    """The corrected output: a text, the only text of an object, or its JSON."""
    if isinstance(value, dict) and value:
        inner = first(value, "output", "answer", "text", "content", "response", "desired")
        texts = [item for item in value.values() if isinstance(item, str) and item.strip()]
        return nonblank(inner) or (texts[0] if len(texts) == 1 else as_text(value))
    return nonblank(value)


def _time(run: Fields, key: str) -> float | None:
    return seconds_of(run.get(key))


def _thousandth(value: float | None) -> float | None:
    return None if value is None else value / 1000


def _is_run(run: Fields) -> bool:
    bodies = any(key in run for key in ("inputs", "outputs", "inputs_s3_urls", "error"))
    ids = "id" in run or "run_id" in run
    return ids and bodies and (text(run, "run_type") in _KINDS or "dotted_order" in run)


def _is_feedback(cells: Fields) -> bool:
    return (
        "key" in cells
        and ("run_id" in cells or "trace_id" in cells)
        and "inputs" not in cells
        and any(key in cells for key in ("score", "value", "comment", "correction"))
    )


def _is_batch(cells: Fields) -> bool:
    runs = [*dicts(cells.get("post")), *dicts(cells.get("patch"))]
    return bool(runs) and all("id" in run for run in runs) and "run_type" not in cells


def _sniff(record: Mapping[str, JsonValue], _: LogsConfig) -> float:
    """Sure of runs, batches of runs, and feedback on runs."""
    if _is_batch(record) or _is_feedback(record):
        return 0.9
    return 0.95 if _is_run(record) and not {"resourceSpans", "trace"} & record.keys() else 0.0


LANGSMITH = Reader(
    name="langsmith",
    description="LangSmith: runs as JSON or rows of a table, ingestion batches, and feedback.",
    understands=frozenset(
        {"question", "answer", "system", "tools", "documents", "feedback", "outcome", "time", "task"}
    ),
    sniff=_sniff,
    parse=_parse,
    reads_csv=True,
)
