"""One record with a request and its response -> an exchange, for any container and API.

The request is found by its shape (`messages`, `contents`, `input` with `model`, `prompt`), and so is the response (`choices`,
`output`, `content` with `stop_reason`, `candidates`, a stream); only where shapes do not decide, by the words of their keys.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.call_facts import FACT_KEYS, Facts, read_facts, time_of_response
from curator.readers.feedback import nonblank, read_feedback, reference
from curator.readers.json_text import decoded
from curator.readers.options import request_options
from curator.readers.other_calls import other_call, step_kind
from curator.readers.outcome import finish_reason_of
from curator.readers.pieces import Exchange, NoExchange
from curator.readers.reader import LogRecord, Reader
from curator.readers.record_ids import check_whole, event_id, pair_id, stored_messages
from curator.readers.record_keys import ABOUT, ANSWERING, ASKING, answering_keys, asking_keys, by_keys, key_words
from curator.readers.replies import Reply, UnknownShape, failed_reply, holds_reply, is_response, read_reply
from curator.readers.requests import Request, bears_content, beside_request, is_request, read_request, text_body
from curator.readers.response_bodies import holds_answer, names_answer
from curator.readers.task_names import task_of_call
from curator.readers.unread import unknown_remedy, unrecognised
from curator.records import KINDS, JsonValue, Scalar, Source

BESIDE_ERROR = "an error beside an answer that has its finish reason: the answer is used"
_FLAT_ANSWER = ("choices", "candidates", "output", "content", "stop_reason", "role", "generations", "results")
_BODY_KEYS = (
    "model", "id", "object", "status", "incomplete_details", "usage", "finish_reason", "error", "promptFeedback",
    "stop_sequence", "type",
)  # fmt: skip
_OWN_KEYS = frozenset(
    (
        "task", "task_name", "prompt_name", "promptName", "kind", "label", "labelled_by", "feedback", "thumb", "thumbs", "score", "rating", "stars", "correction",
        "comment", "finish_reason", "model_parameters", "method", "url", "headers", "object", "call_type",
        "custom_llm_provider", "provider", "api_base", "model_group", "type", "stop_reason", "role", "status_fields",
        "trace_id", "span_id", "served_entity_id", "workspace_id", "endpoint_name", "schemaType", "schemaVersion", "region",
        "accountId", "operation", "identity", "api_key", "cache_key", "cache_hit", "team_id", "organization_id",
        "requester_ip_address", "user_agent", "hidden_params", "model_map_information", "cost_breakdown", "request_tags",
        "completionStartTime", "standard_built_in_tools_params", "error_information", "stream", "method", "path", "host",
        "requestId", "logging_error_codes", "client_request_id", "request_date", "sampling_fraction", "request_metadata",
        "system_fingerprint", "service_tier", "agent_id", "fingerprint", "environment", "version", "first_id", "last_id",
        "databricks_output", "response_id", "completion_id", "api_version",
    )
)  # fmt: skip
"""Keys of records that are read, or that say nothing of what was asked and answered."""
_STATUS = ("status_code", "status", "statusCode")
_RECORD_KEYS = _OWN_KEYS | FACT_KEYS
_READ_KEYS = frozenset((*_RECORD_KEYS, *_FLAT_ANSWER, *_BODY_KEYS))
"""Those of a record that is a response itself."""
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """A request or a response in a record, and its key; "" where it is the record."""

    body: JsonValue
    key: str


def is_chat(record: Mapping[str, JsonValue]) -> bool:
    """Return whether a record holds the request of a model."""
    return _request(record) is not None


def holds_text_pair(record: Mapping[str, JsonValue]) -> bool:
    """Return whether two keys of a record hold a request and a response as JSON texts."""
    request = _request(record)
    response = _response(record, request) if request else None
    if request is None or response is None or not (request.key and response.key):
        return False
    return (
        isinstance(record[request.key], str)
        and isinstance(record[response.key], str)
        and holds_reply(decoded(response.body))
    )


def request_body(record: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """The body of the request in a record; {} without one."""
    request = _request(record)
    return request.body if request and isinstance(request.body, dict) else {}


def response_body(record: Mapping[str, JsonValue]) -> JsonValue:
    """The response in a record; None without one."""
    response = _response(record, _request(record))
    return decoded(response.body) if response else None


def read_chat(record: dict[str, JsonValue], source: Source, *, task: str | None = None) -> Exchange:
    """Read a request and its response, or one of them where an id joins it with the other.

    `task` is that of a record which names none.

    Raises:
        RecordError: the record has neither, or it cannot be asked again as text.
    """
    asked = _request(record)
    return _exchange(record, source, asked, _response(record, asked), task=task)


def _exchange(
    record: dict[str, JsonValue], source: Source, asked: _Found | None, response: _Found | None, *, task: str | None
) -> Exchange:
    pair = pair_id(record, answers=response is not None) if asked is None or response is None else None
    event = (
        None if pair is not None or (asked and response) else event_id(record, nested=bool(asked is None or asked.key))
    )
    body = asked.body if asked and isinstance(asked.body, dict) else {}
    facts = read_facts(record, body)
    if asked is None and ((pair or event) is None or (response is None and not facts.failure)):
        raise unrecognised(record)
    if asked is None and response is not None:
        check_whole(response.body)
    beside = beside_request(record) if asked and asked.key else {}
    whole = {**beside, **body} if beside else body
    request = read_request(whole, record.get("model_parameters")) if asked else _answered_request(record)
    try:
        reply, notes = _with_outcome(record, response, facts)
    except UnknownShape as error:
        raise RecordError(error.reason, unknown_remedy(record)) from None
    metadata = _metadata(body, record)
    kind = _take(metadata, record, "kind")
    documents = facts.documents or (reply.documents if reply else ())
    return Exchange(
        source=source,
        messages=request.messages,
        reply=reply,
        conversation=reply is None and pair is None,
        pair=pair or event,
        task=task_of_call(record, body) or task,
        kind=kind if kind in KINDS else None,
        model=request.model or nonblank(record.get("model")) or nonblank(record.get("modelId")),
        options=request.options,
        documents=documents,
        feedback=read_feedback(record),
        reference=reference(record.get("label"), None, by=record.get("labelled_by")),
        metadata=metadata,
        log_id=facts.log_id,
        session=facts.session,
        user=facts.user,
        time=facts.time if facts.time is not None or response is None else time_of_response(response.body),
        latency_s=facts.latency_s,
        cost_usd=facts.cost_usd,
        unused=_unused(record, asked, response, request, beside),
        notes=tuple(dict.fromkeys((*request.notes, *(reply.notes if reply else ()), *notes))),
    )


def _request(record: Mapping[str, JsonValue]) -> _Found | None:
    """The request in a record: the record itself, or the value of a key."""
    if isinstance(record.get("messages"), list) and not _is_answer_list(record):
        return _Found(dict(record), "")
    for key, value in _asking(record):
        if (asked := _asked_under(record, key, value)) is not None:
            return asked
    listing = stored_messages(record)
    return _Found({"messages": listing}, "data") if listing else _flat_or_elsewhere(record)


def _asked_under(record: Mapping[str, JsonValue], key: str, value: JsonValue) -> _Found | None:
    """The request under a key: a body, or messages or a text.

    To messages and a text the other keys of the record belong.
    """
    body = _inner_request(value, named=True)
    if body is not None:
        return _Found(body, key)
    is_text = isinstance(value, str) and _has_answer_beside(record, key)
    if is_text or (isinstance(value, list) and key in ("request", "input", "prompt", "body")):
        others = {other: inner for other, inner in record.items() if other not in (key, "messages")}
        return _Found({**others, **(text_body(value) or {})}, "")
    return None


def _flat_or_elsewhere(record: Mapping[str, JsonValue]) -> _Found | None:
    if is_request(record) and not _is_answer_list(record):
        return _Found(dict(record), "")
    messages = decoded(record.get("messages"))
    if isinstance(messages, list) and messages:
        return _Found({**record, "messages": messages}, "")
    for key, value in record.items():
        names_other = not key or key_words(key) & (ANSWERING | ASKING)
        body = None if names_other else _inner_request(value, named=False)
        if body is not None:
            return _Found(body, key)
    return None


def _asking(record: Mapping[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    """Yield the values of keys whose words name a request, those of a request itself first."""
    for key in asking_keys(record):
        value = decoded(record[key])
        if value:
            yield key, value


@by_keys
def _flat_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of a response that is the record itself."""
    return tuple(key for key in (*_FLAT_ANSWER, *_BODY_KEYS) if key in keys)


def _inner_request(value: JsonValue, *, named: bool, depth: int = 0) -> dict[str, JsonValue] | None:
    """The request body in a value, also inside wrappers such as `body`."""
    value = decoded(value)
    if not isinstance(value, dict) or depth > _DEEPEST:
        return None
    if is_request(value, named=named):
        return value
    for key, inner in value.items():
        if key not in ("headers", "metadata") and isinstance(inner, str | dict):
            body = _inner_request(inner, named=named, depth=depth + 1)
            if body is not None:
                return body
    return None


def _has_answer_beside(record: Mapping[str, JsonValue], key: str) -> bool:
    """Return whether a text has `output` or the response of an API beside it."""
    if key == "input" and "output" in record:
        return True
    answers = (value for other, value in record.items() if other != key and key_words(other) & ANSWERING)
    return any(holds_reply(decoded(value)) for value in answers) or holds_answer(record)


def _is_answer_list(record: Mapping[str, JsonValue]) -> bool:
    """Return whether the messages of a record are an answer, with the request beside."""
    return any(_inner_request(value, named=True) is not None for _, value in _asking(record))


def _response(record: Mapping[str, JsonValue], request: _Found | None) -> _Found | None:
    """The response in a record: under a key of that name, else in the record itself."""
    asked = request.key if request else None
    flat = {key: record[key] for key in _flat_keys(record) if record[key] is not None and key != asked}
    if isinstance(flat.get("output"), list) and holds_answer(flat):
        return _Found(flat, "")
    held = [key for key in answering_keys(record) if key != asked and record[key] is not None]
    if len(held) > 1:
        held.sort(key=lambda key: not is_response(record[key]))
    if held:
        serialised = bool(asked) and isinstance(record[asked or ""], str)
        return _Found(_innermost(record[held[0]], serialised=serialised), held[0])
    if "choices" in flat or "candidates" in flat or ((request is None or request.key) and holds_answer(flat)):
        return _Found(flat, "")
    for key, text in record.items():
        value = decoded(text)
        other = key not in ("messages", "metadata", asked)
        if other and isinstance(value, dict) and holds_reply(value) and not is_request(value):
            return _Found(value, key)
    return None


def _lifted(record: dict[str, JsonValue], key: str) -> dict[str, JsonValue] | None:
    """The record with the keys of an object in it that holds a request and its response."""
    inner = decoded(record[key])
    if not isinstance(inner, dict) or _response(inner, _request(inner)) is None:
        return None
    return {**{other: value for other, value in record.items() if other != key}, **inner}


def _innermost(value: JsonValue, *, serialised: bool) -> JsonValue:
    """The response in an object that only wraps it, such as `outputBodyJson`.

    A text that is JSON may be the answer itself, unless the request is `serialised` too.
    """
    structure = decoded(value)
    if not isinstance(structure, dict) or holds_reply(structure):
        return value
    for key, inner in structure.items():
        words = key_words(key)
        if not words & {"body", "response", "output", "json"} or words & ABOUT:
            continue
        if holds_reply(decoded(inner)) or ("body" in words and names_answer(decoded(inner))):
            return {**{name: structure[name] for name in _STATUS if name in structure}, "body": inner}
    return structure if serialised else value


def _with_outcome(
    record: Mapping[str, JsonValue], response: _Found | None, facts: Facts
) -> tuple[Reply | None, tuple[str, ...]]:
    """The reply with what the record says of the call, and notes.

    The response of a failed call need not be readable.
    """
    if not facts.failure:
        reply = None if response is None else read_reply(response.body)
        logged = finish_reason_of(record.get("finish_reason") or record.get("stop_reason"))
        return (replace(reply, finish_reason=logged) if reply and logged and not reply.finish_reason else reply), ()
    reply = None
    with contextlib.suppress(RecordError):
        reply = None if response is None else read_reply(response.body)
    if reply is not None and reply.text is not None and reply.finish_reason and not facts.hard:
        return reply, (BESIDE_ERROR,)
    return failed_reply(reply), ()


def _answered_request(record: Mapping[str, JsonValue]) -> Request:
    """The request of an answer: a stored completion has its options, not its messages."""
    options = request_options(record) if record.get("object") == "chat.completion" else {}
    return Request((), options, None)


def _metadata(request: Mapping[str, JsonValue], record: Mapping[str, JsonValue]) -> dict[str, Scalar]:
    """The scalars of the request's and the record's `metadata`."""
    scalars: dict[str, Scalar] = {}
    for holder in (request, record):
        metadata = decoded(holder.get("metadata"))
        if isinstance(metadata, dict):
            scalars |= {key: value for key, value in metadata.items() if isinstance(value, (str, int, float))}
    return {key: value for key, value in scalars.items() if key != "task"}


def _take(metadata: dict[str, Scalar], record: dict[str, JsonValue], key: str) -> str | None:
    """A field that curator knows, taken out of the metadata, or else from the record."""
    return nonblank(metadata.pop(key, None)) or nonblank(record.get(key))


def _unused(
    record: Mapping[str, JsonValue],
    asked: _Found | None,
    response: _Found | None,
    request: Request,
    beside: Mapping[str, JsonValue],
) -> tuple[str, ...]:
    """The paths of keys with content that were not read, in the request and in the record.

    `beside` are the keys of the record that count as the request's.
    """
    read_keys = _READ_KEYS if response and not response.key else _RECORD_KEYS
    places = {*beside, *(place.key for place in (asked, response) if place)}
    if asked and not asked.key:
        return tuple(key for key in request.unused if key not in read_keys and key not in places)
    if asked is None and record.get("object") == "chat.completion":
        places |= {"tools", "functions", "tool_choice", "response_format"}
    inside = tuple(f"{asked.key}.{key}" for key in request.unused if key not in _OWN_KEYS) if asked else ()
    others = ((key, value) for key, value in record.items() if key not in read_keys and key not in places)
    return (*inside, *(key for key, value in others if bears_content(decoded(value))))


def _sniff_chat(record: Mapping[str, JsonValue], _: LogsConfig) -> float:
    """Half sure of any request: a format that wraps such a request is recognised before."""
    return 0.5 if is_chat(record) else 0.0


def parse_chat(record: LogRecord, options: LogsConfig) -> Exchange | NoExchange:
    """Read a record of any format whose requests and responses are found by their shapes."""
    cells = record.cells
    asked = _request(cells)
    response = _response(cells, asked)
    if asked and asked.key and response is None and (lifted := _lifted(cells, asked.key)) is not None:
        cells = lifted
        asked = _request(cells)
        response = _response(cells, asked)
    step = step_kind(cells) if asked and response and "messages" not in cells else None
    other = step or other_call(cells, asked.body if asked else None, response.body if response else None)
    if other is not None:
        return NoExchange(source=record.source, what=other)
    return _exchange(cells, record.source, asked, response, task=options.task)


CHAT = Reader(
    name="chat",
    description="Request and response in one record, under any usual keys or flat, plain or streamed; the shape of each tells the API.",
    understands=frozenset(
        {"question", "answer", "system", "tools", "documents", "feedback", "outcome", "time", "task"}
    ),
    sniff=_sniff_chat,
    parse=parse_chat,
)
