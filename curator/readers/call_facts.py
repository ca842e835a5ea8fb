"""Facts about a logged call: ids, session, user, time, latency, cost, documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from curator.readers.documents import read_documents
from curator.readers.feedback import nonblank
from curator.readers.json_text import decoded
from curator.readers.outcome import failed_error, failed_status
from curator.readers.record_keys import by_keys, key_words
from curator.readers.times import elapsed, seconds_of
from curator.records import Document, JsonValue

Fields = Mapping[str, JsonValue]

_IDS = (
    "custom_id",
    "id",
    "request_id",
    "requestId",
    "databricks_request_id",
    "litellm_call_id",
    "generation_id",
    "call_id",
)
_SESSIONS = (
    "session_id", "sessionId", "session", "conversation_id", "conversationId", "thread_id", "threadId", "chat_id",
    "litellm_session_id",
)  # fmt: skip
_USERS = (
    "end_user",
    "user_id",
    "userId",
    "user",
    "end_user_id",
    "endUser",
    "external_user",
    "safety_identifier",
    "request_user_id",
)
_STARTS = (
    "startTime", "start_time", "request_time", "request_created_at", "requestTime", "timestamp", "timestamp_ms", "time",
    "created_at", "createdAt", "created", "datetime", "date", "ts", "@timestamp", "event_time", "logged_at", "occurred_at",
    "request_timestamp", "received_at", "sent_at", "logging_time",
)  # fmt: skip
_ENDS = ("endTime", "end_time", "response_created_at", "completed_at")
_SECONDS = ("latency_s", "response_time", "latency_seconds", "duration_s", "duration_seconds", "elapsed_s")
_MILLISECONDS = (
    "latency_ms", "latencyMs", "duration_ms", "request_duration_ms", "execution_time_ms", "execution_duration_ms",
    "response_time_ms", "delay_ms", "elapsed_ms", "generation_time", "response_latency_ms",
)  # fmt: skip
_COSTS = ("cost_usd", "response_cost", "spend", "total_cost", "costUSD", "cost_in_usd", "cost", "request_cost")
_STATUSES = (
    "status_code", "statusCode", "http_status", "status", "response_status", "request_status", "http_status_code",
    "response_status_code", "http", "outcome", "state", "responseCode", "response_code",
)  # fmt: skip
_GOOD = ("success", "ok", "is_success", "isSuccess", "succeeded", "successful")
_BAD = ("is_error", "isError", "has_error", "hasError", "failed", "errored", "is_failed", "is_failure", "timed_out")
_LEVELS = ("level", "severity", "log_level", "logLevel", "levelname", "loglevel")
_ERRORS = ("error_code", "error_type", "error", "error_str", "errorCode", "error_message", "errorMessage", "exception")
_DOCUMENTS = (
    "documents", "retrieved_documents", "contexts", "context", "retrieved_contexts", "search_results", "retrieved_chunks",
    "source_documents",
)  # fmt: skip
_TIMES = frozenset(("time", "timestamp", "date", "datetime"))
_OF_RECORDS = frozenset(
    (
        "log", "logs", "logged", "logging", "created", "creation", "request", "requested", "response", "event", "received", "sent",
        "call", "message", "inserted", "insert", "record", "recorded", "ingestion", "ingested", "indexed", "index", "entry", "server",
        "utc", "at", "of", "publish", "published", "capture", "captured", "ingest",
    )
)  # fmt: skip
"""Words beside a time in the names of keys that say when something was logged."""
_VECTOR_STORES = ("vector_store_request_metadata",)
FACT_KEYS = frozenset(
    (
        *_IDS, *_SESSIONS, *_USERS, *_STARTS, *_ENDS, *_SECONDS, *_MILLISECONDS, *_COSTS, *_STATUSES, *_ERRORS, *_GOOD, *_BAD, *_LEVELS,
        *_DOCUMENTS, "model", "model_id", "modelId", "metadata", "usage",
    )
)  # fmt: skip


class Facts(NamedTuple):
    """The facts about a call.

    `failure` names why it failed; None where it did not. `hard`: a status of HTTP says so.
    """

    log_id: str | None
    session: str | None
    user: str | None
    time: float | None
    latency_s: float | None
    cost_usd: float | None
    documents: tuple[Document, ...]
    failure: str | None
    hard: bool


class _Names(NamedTuple):
    """The usual names of facts; of a record those that it has, in the same order."""

    ids: Sequence[str] = _IDS
    sessions: Sequence[str] = _SESSIONS
    users: Sequence[str] = _USERS
    starts: Sequence[str] = _STARTS
    ends: Sequence[str] = _ENDS
    seconds: Sequence[str] = _SECONDS
    milliseconds: Sequence[str] = _MILLISECONDS
    costs: Sequence[str] = _COSTS
    statuses: Sequence[str] = _STATUSES
    errors: Sequence[str] = _ERRORS
    flags: Sequence[str] = (*_GOOD, *_BAD, *_LEVELS)
    documents: Sequence[str] = _DOCUMENTS
    times: Sequence[str] = ()
    vector_stores: Sequence[str] = _VECTOR_STORES


@by_keys
def _names(keys: tuple[str, ...]) -> _Names:
    names = _Names(*(tuple(name for name in names if name in keys) for names in _Names()))
    return names._replace(times=tuple(key for key in keys if _is_time(key_words(key))))


def _is_time(words: frozenset[str]) -> bool:
    """Return whether words name the time of a record, and not a date of birth."""
    return bool(words & _TIMES) and words <= _TIMES | _OF_RECORDS


def read_facts(record: Fields, request: Fields) -> Facts:
    """The facts that a record and the body of its request say; the record's count first."""
    metadata = decoded(record.get("metadata"))
    asked = decoded(request.get("metadata"))
    inner = [holder for holder in (metadata, asked) if isinstance(holder, dict)]
    names = _names(record)
    named = [(record, names), *((holder, _names(holder)) for holder in (request, *inner))]
    start, end = _time(record, names.starts), _time(record, names.ends)
    seconds, milliseconds = _number(record, names.seconds), _number(record, names.milliseconds)
    latency = (
        seconds if seconds is not None else milliseconds / 1000 if milliseconds is not None else elapsed(start, end)
    )
    given = [value for key in names.statuses if (value := record[key]) is not None]
    statuses = [status for value in given if (status := failed_status(_code_of(value)))]
    statuses += [f"{key} {record[key]!r}" for key in names.flags if _is_failed_flag(key, record[key])]
    error = next((error for key in names.errors if (value := record[key]) and (error := failed_error(value))), None)
    return Facts(
        log_id=_text(record, names.ids),
        session=next((text for holder, held in named if (text := _text(holder, held.sessions))), None),
        user=next((text for holder, held in named if (text := _text(holder, held.users))), None),
        time=_named_time(record) if start is None else start,
        latency_s=latency,
        cost_usd=_cost(record, names),
        documents=_documents([*named[2:], named[1], named[0]]),
        failure=next(iter(statuses), None) or error,
        hard=any(status.startswith("HTTP") for status in statuses),
    )


def _code_of(status: JsonValue) -> JsonValue:
    """The code of a status that is an object, such as `{"status": 503}`."""
    if not isinstance(status, dict):
        return status
    return next((status[key] for key in ("status_code", "statusCode", "status", "code") if status.get(key)), None)


def _is_failed_flag(key: str, value: JsonValue) -> bool:
    """Return whether a flag or the level of a log line says that the call failed."""
    word = str(value).lower()
    if key in _LEVELS:
        return word in ("error", "fatal", "critical")
    return word == "false" if key in _GOOD else word == "true"


def time_of_response(value: JsonValue) -> float | None:
    """The time in the body of a response, such as the output of a batch."""
    outer = decoded(value)
    inner = decoded(outer.get("body")) if isinstance(outer, dict) else None
    body = inner if isinstance(inner, dict) else outer
    return _time(body, ("created", "created_at")) if isinstance(body, dict) else None


def _text(holder: Fields, keys: Sequence[str]) -> str | None:
    for key in keys:
        value = holder[key]
        if isinstance(value, str | int) and (text := nonblank(value)):
            return text
    return None


def _time(record: Fields, keys: Sequence[str]) -> float | None:
    for key in keys:
        value = record.get(key)
        if value is not None and (time := seconds_of(value)) is not None:
            return time
    return None


def _named_time(record: Fields) -> float | None:
    """The first date under a key that names the time of a record, such as `indexed_time`."""
    dates = (seconds_of(record[key]) for key in _names(record).times if isinstance(record[key], str))
    return next((time for time in dates if time is not None), None)


def _number(record: Fields, keys: Sequence[str]) -> float | None:
    for key in keys:
        value = record.get(key)
        if value is None:
            continue
        try:
            number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
        except ValueError:
            continue
        if number is not None and 0 <= number < float("inf"):
            return number
    return None


def _cost(record: Fields, names: _Names) -> float | None:
    """The cost in US dollars; OpenRouter gives it in the usage of the response."""
    usage = decoded(record.get("usage"))
    cost = _number(record, names.costs)
    return _number(usage, ("cost",)) if cost is None and isinstance(usage, dict) else cost


def _documents(named: Sequence[tuple[Fields, _Names]]) -> tuple[Document, ...]:
    for holder, names in named:
        for value in (*_of_vector_stores(holder, names), *(holder[key] for key in names.documents)):
            if value and (documents := read_documents(value)):
                return documents
    return ()


def _of_vector_stores(metadata: Fields, names: _Names) -> Iterator[JsonValue]:
    """Yield what LiteLLM's vector stores found for a request."""
    for key in names.vector_stores:
        searches = decoded(metadata[key])
        for search in searches if isinstance(searches, list) else ():
            if isinstance(search, dict):
                yield search.get("vector_store_search_response", search.get("search_response"))
