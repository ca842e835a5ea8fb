"""One JSONL record of a chat-completions request/response pair -> a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.feedback import nonblank, read_feedback, reference
from curator.readers.hints import key_paths, listed
from curator.readers.json_text import decoded, type_name
from curator.readers.messages import read_messages
from curator.readers.outcome import finish_reason_of
from curator.readers.pieces import Exchange
from curator.readers.reader import LogRecord, Reader
from curator.readers.replies import Reply, failed_reply, read_reply
from curator.readers.suggest import suggested_mapping
from curator.records import KINDS, JsonValue, Scalar, Source

_REQUEST_KEYS = ("request", "input", "body", "proxy_server_request")
_RESPONSE_KEYS = ("response", "output", "completion")
_OPTION_TYPES: dict[str, type | tuple[type, ...]] = {
    "stop": (str, list),
    "response_format": dict,
    "tools": list,
    "tool_choice": (str, dict),
}


def is_chat(record: Mapping[str, JsonValue]) -> bool:
    """Return whether a record holds a request in the shape of the chat-completions API."""
    return _request(record) is not None


def read_chat(record: dict[str, JsonValue], source: Source, *, task: str | None = None) -> Exchange:
    """Read a pair of request and response, or a flat record.

    The pair stands under `request` and `response`, `input` and `output`, or `body` and `response`. `task` is that of a
    record which names none.

    Raises:
        RecordError: the record has no request, or it cannot be asked again as text.
    """
    request = _request(record)
    if request is None:
        raise _unrecognised(record)
    reply = _reply(record)
    metadata = _metadata(request, record)
    feedback = read_feedback(record)
    kind = _take(metadata, record, "kind")
    return Exchange(
        source=source,
        messages=read_messages(request["messages"]),
        reply=reply,
        conversation=reply is None,
        task=_take(metadata, record, "task") or task,
        kind=kind if kind in KINDS else None,
        model=nonblank(request.get("model")) or nonblank(record.get("model")),
        options=request_options(request, decoded(record.get("model_parameters"))),
        feedback=feedback,
        reference=reference(record.get("label"), None, by=record.get("labelled_by")),
        metadata=metadata,
        log_id=_log_id(record),
    )


def _request(record: Mapping[str, JsonValue]) -> dict[str, JsonValue] | None:
    """The part of the record that holds `messages`, None if there is none."""
    if isinstance(record.get("messages"), list):
        return dict(record)
    for key in _REQUEST_KEYS:
        value = decoded(record.get(key))
        if isinstance(value, dict) and "messages" not in value:
            value = decoded(value.get("body"))
        if isinstance(value, dict) and "messages" in value:
            return value
        if isinstance(value, list):
            return {"messages": value}
        if isinstance(value, str) and key == "input" and "output" in record:
            return {"messages": [{"role": "user", "content": value}]}
    messages = decoded(record.get("messages"))
    return {**record, "messages": messages} if isinstance(messages, list) else None


def _reply(record: dict[str, JsonValue]) -> Reply | None:
    """The record's separate answer, if it has one; a failed call has the finish reason "error"."""
    response: JsonValue = next((record[key] for key in _RESPONSE_KEYS if record.get(key) is not None), None)
    reply = None
    if "proxy_server_request" in record:
        # a row of LiteLLM's database, where every object is kept as its JSON text
        response = decoded(response)
    if response is not None:
        reply = read_reply(response)
    elif "choices" in record:
        reply = read_reply({key: record.get(key) for key in ("choices", "model", "id")})
    failed = record.get("error") or record.get("error_str") or record.get("status") in ("failure", "failed", "error")
    if failed and (reply is None or reply.text is None):
        return failed_reply(reply)
    logged = finish_reason_of(record.get("finish_reason"))
    return replace(reply, finish_reason=logged) if reply and logged and not reply.finish_reason else reply


def _metadata(request: dict[str, JsonValue], record: dict[str, JsonValue]) -> dict[str, Scalar]:
    """The scalars of the request's and the record's `metadata`."""
    scalars: dict[str, Scalar] = {}
    for holder in (request, record):
        metadata = decoded(holder.get("metadata"))
        if isinstance(metadata, dict):
            scalars |= {key: value for key, value in metadata.items() if isinstance(value, (str, int, float))}
    return scalars


def _take(metadata: dict[str, Scalar], record: dict[str, JsonValue], key: str) -> str | None:
    """A field that curator knows, taken out of the metadata, or else from the record."""
    return nonblank(metadata.pop(key, None)) or nonblank(record.get(key))


def request_options(request: dict[str, JsonValue], parameters: JsonValue) -> dict[str, JsonValue]:
    """The request options that shape an answer; LiteLLM logs them as `model_parameters`."""
    options: dict[str, JsonValue] = {}
    for holder in (parameters, request):
        if not isinstance(holder, dict):
            continue
        for key in ("max_tokens", "max_completion_tokens"):
            limit = holder.get(key)
            if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0:
                options["max_tokens"] = limit
        options |= {key: holder[key] for key, types in _OPTION_TYPES.items() if isinstance(holder.get(key), types)}
    return options


def _log_id(record: dict[str, JsonValue]) -> str | None:
    named = (nonblank(record.get(key)) for key in ("id", "request_id", "custom_id"))
    return next((id_ for id_ in named if id_), None)


def _unrecognised(record: dict[str, JsonValue]) -> RecordError:
    keys = key_paths(record)
    if "messages" in record:
        return RecordError(
            f"`messages` is a JSON {type_name(record['messages'])}, not a list",
            'log the list: [{"role": "user", "content": "..."}]',
        )
    if _holds_answer_only(record):
        return RecordError(
            f"an answer without its question: no `messages` among the keys {listed(keys)}",
            "log request and response in one record; a batch's output file is joined with its input on `custom_id`",
        )
    return RecordError(
        f"not a chat-completions record: found the keys {listed(keys)}",
        f"name the key that holds the user's text, for example {suggested_mapping([record])}",
    )


def _holds_answer_only(record: dict[str, JsonValue]) -> bool:
    response = record.get("response")
    body = response.get("body", response) if isinstance(response, dict) else None
    return "choices" in record or "custom_id" in record or (isinstance(body, dict) and "choices" in body)


def _sniff_chat(record: Mapping[str, JsonValue], _: LogsConfig) -> float:
    """Half sure of any request: a format that wraps such a request is recognised before."""
    return 0.5 if is_chat(record) else 0.0


def _parse_chat(record: LogRecord, options: LogsConfig) -> Exchange:
    return read_chat(record.cells, record.source, task=options.task)


CHAT = Reader(
    name="chat",
    description="JSONL of chat-completions request/response pairs, as gateways, LiteLLM and batch files log them.",
    understands=frozenset({"question", "answer", "system", "tools", "feedback"}),
    sniff=_sniff_chat,
    parse=_parse_chat,
)
