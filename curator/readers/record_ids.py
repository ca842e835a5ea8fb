"""The ids that join the record of a request with that of its response."""

from __future__ import annotations

from collections.abc import Mapping

from curator.errors import RecordError
from curator.readers.feedback import nonblank
from curator.readers.json_text import decoded
from curator.readers.record_keys import ASKING, key_words
from curator.readers.streams import events_of
from curator.records import JsonValue

_CALL_IDS = ("request_id", "requestId", "call_id", "callId", "correlation_id", "correlationId", "litellm_call_id")
_EVENT_NAMES = (
    "event",
    "event_type",
    "eventType",
    "type",
    "stage",
    "phase",
    "direction",
    "kind",
    "message",
    "msg",
    "name",
)


def stored_messages(record: Mapping[str, JsonValue]) -> list[JsonValue] | None:
    """The messages of a stored completion, as `GET .../messages` lists them."""
    data = record.get("data")
    if record.get("object") != "list" or not isinstance(data, list) or not data:
        return None
    turns = all(isinstance(item, dict) and "role" in item and "content" in item for item in data)
    return data if turns else None


def pair_id(record: Mapping[str, JsonValue], *, answers: bool) -> str | None:
    """The id in the records of batches and of stored completions.

    `answers` if the record holds a response.
    """
    for key in ("custom_id", "completion_id", "response_id"):
        if (named := nonblank(record.get(key))) is not None:
            return named
    if listing := stored_messages(record):
        first = listing[0]
        id_ = nonblank(first.get("id")) if isinstance(first, dict) else None
        return id_.rpartition("-")[0] or None if id_ else None
    if answers and record.get("object") in ("chat.completion", "response"):
        return nonblank(record.get("id"))
    return None


def event_id(record: Mapping[str, JsonValue], *, nested: bool) -> str | None:
    """The id of the call, where request and response are logged as events of their own.

    A request that is not `nested` in its record is an event where a key says so.
    """
    names = (record.get(key) for key in _EVENT_NAMES)
    if not nested and not any(isinstance(name, str) and key_words(name) & ASKING for name in names):
        return None
    return next((id_ for key in _CALL_IDS if (id_ := nonblank(record.get(key))) is not None), None)


def check_whole(response: JsonValue) -> None:
    """Check that a response without its request is not one event of a stream.

    Raises:
        RecordError: it is one.
    """
    if events_of([decoded(response)]):
        raise RecordError(
            "one event of a streamed answer in a record of its own",
            "log the whole stream in one record, as the list of its events or as their text, or log the whole answer",
        )
