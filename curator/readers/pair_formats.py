"""Formats of request/response logs by their names; `chat.py` reads them all."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.chat import holds_text_pair, is_chat, parse_chat, request_body, response_body
from curator.readers.json_text import decoded
from curator.readers.pieces import Exchange, NoExchange
from curator.readers.reader import Content, LogRecord, Parse, Reader
from curator.readers.replies import holds_reply
from curator.records import JsonValue

Record = Mapping[str, JsonValue]

_ALL: frozenset[Content] = frozenset(
    {"question", "answer", "system", "tools", "documents", "feedback", "outcome", "time", "task"}
)
_NAMED = 0.8
"""An envelope that only one product writes."""
_API = 0.6
"""The shape of one API in an envelope that anyone may write: before `chat`, after every product's own reader."""
_PAIR = 0.55
_CHAT = 0.5
"""As sure as `chat` is: a file of one API may have records that do not show it, such as errors."""


def _is_batch(record: Record) -> bool:
    asks = isinstance(record.get("body"), dict) and ("url" in record or "method" in record)
    answers = "response" in record and "error" in record
    return "custom_id" in record and (asks or answers or isinstance(record.get("params"), dict) or "result" in record)


def _is_stored(record: Record) -> bool:
    """Return whether a record is a stored completion or the list of its messages."""
    if record.get("object") == "chat.completion":
        return "choices" in record and "messages" not in record and "request" not in record
    return record.get("object") == "list" and is_chat(record)


def _is_responses(record: Record) -> bool:
    response = response_body(record)
    held = isinstance(response, dict) and isinstance(response.get("output"), list) and holds_reply(response)
    return is_chat(record) and (
        held or ("input" in request_body(record) and isinstance(request_body(record)["input"], list))
    )


def _is_anthropic(record: Record) -> bool:
    response = response_body(record)
    ended = isinstance(response, dict) and "stop_reason" in response and isinstance(response.get("content"), list)
    streamed = isinstance(response, str) and "message_start" in response[:500]
    return is_chat(record) and (ended or streamed or "anthropic_version" in request_body(record))


def _is_gemini(record: Record) -> bool:
    response = response_body(record)
    held = isinstance(response, dict) and isinstance(response.get("candidates"), list)
    return is_chat(record) and (held or "contents" in request_body(record))


def _is_bedrock(record: Record) -> bool:
    return record.get("schemaType") == "ModelInvocationLog" or ("modelId" in record and "operation" in record)


def _is_databricks(record: Record) -> bool:
    has_id = "databricks_request_id" in record or ("served_entity_id" in record and "request" in record)
    return has_id and "request" in record and "response" in record


def _is_capture(record: Record) -> bool:
    return isinstance(decoded(record.get("captureData")), dict)


def _parse_capture(record: LogRecord, options: LogsConfig) -> Exchange | NoExchange:
    """Read a record of SageMaker's data capture, whose bodies may be in Base64."""
    capture, about = decoded(record.cells.get("captureData")), decoded(record.cells.get("eventMetadata"))
    about = about if isinstance(about, dict) else {}
    cells = {key: value for key, value in record.cells.items() if key not in ("captureData", "eventMetadata")}
    cells |= {"id": about.get("eventId"), "time": about.get("inferenceTime")}
    for key, side in (("request", "endpointInput"), ("response", "endpointOutput")):
        body = capture.get(side) if isinstance(capture, dict) else None
        cells[key] = _captured(body) if isinstance(body, dict) else None
    return parse_chat(LogRecord(cells, record.source), options)


def _captured(body: Record) -> JsonValue:
    """The data of one side of a capture.

    Raises:
        RecordError: the record says Base64, and it is not the Base64 of a text.
    """
    data = body.get("data")
    if not isinstance(data, str) or str(body.get("encoding")).upper() != "BASE64":
        return decoded(data)
    try:
        return decoded(base64.b64decode(data, validate=True).decode())
    except ValueError:
        raise RecordError(
            "the captured data are no text in Base64",
            "capture data of endpoints that take and give JSON, or leave such records out of the logs: all others are used",
        ) from None


def _holds_call(record: Record) -> bool:
    """Return whether two cells are a request and its response, or one cell holds both."""
    if holds_text_pair(record):
        return True
    texts = (value for value in record.values() if isinstance(value, str) and value.startswith("{"))
    records = (inner for text in texts if isinstance(inner := decoded(text), dict))
    return any(is_chat(inner) and response_body(inner) is not None for inner in records)


def _is_litellm(record: Record) -> bool:
    payload = "litellm_call_id" in record and "messages" in record
    spend = "call_type" in record and "spend" in record and ("messages" in record or "proxy_server_request" in record)
    logged = "call_type" in record and "model_parameters" in record and "messages" in record
    return payload or spend or logged


def _reader(
    name: str,
    description: str,
    fits: Callable[[Record], bool],
    sureness: float,
    *,
    lacks: Iterable[Content] = (),
    table: bool = False,
    parse: Parse = parse_chat,
) -> Reader:
    def sniff(record: Record, _: LogsConfig) -> float:
        if fits(record):
            return sureness
        return _CHAT if sureness < _NAMED and is_chat(record) else 0.0

    return Reader(name, description, _ALL.difference(lacks), sniff, parse, reads_csv=table)


PAIR_READERS = (
    _reader(
        "openai-batch",
        "Input, output and error files of the batch APIs of OpenAI and Anthropic, joined on `custom_id`: read them in one run.",
        _is_batch,
        _NAMED,
        lacks=("documents", "feedback"),
    ),
    _reader(
        "stored-completions",
        "OpenAI's stored chat completions and the lists of their messages, joined on the id: read both in one run.",
        _is_stored,
        _NAMED,
        lacks=("documents", "feedback"),
    ),
    _reader(
        "databricks",
        "Databricks inference tables: JSON texts in `request` and `response`.",
        _is_databricks,
        _NAMED,
        lacks=("documents", "feedback"),
        table=True,
    ),
    _reader(
        "litellm",
        "LiteLLM's logging payloads and the rows of its spend logs.",
        _is_litellm,
        _NAMED,
        lacks=("feedback",),
        table=True,
    ),
    _reader(
        "bedrock",
        "Invocation logs of Amazon Bedrock, of Converse and of each model's own body.",
        _is_bedrock,
        _NAMED,
        lacks=("documents", "feedback"),
    ),
    _reader(
        "sagemaker",
        "SageMaker's data capture, in plain text or Base64.",
        _is_capture,
        _NAMED,
        lacks=("documents", "feedback"),
        parse=_parse_capture,
    ),
    _reader(
        "anthropic", "Requests and responses of the Anthropic Messages API, plain or streamed.", _is_anthropic, _API
    ),
    _reader("responses", "Requests and responses of the OpenAI Responses API, plain or streamed.", _is_responses, _API),
    _reader(
        "gemini", "Requests and responses of the Gemini API and of Vertex AI, plain or streamed.", _is_gemini, _API
    ),
    _reader(
        "gateway",
        "Rows with a request and a response as JSON texts, as Helicone, OpenRouter and other gateways export them.",
        _holds_call,
        _PAIR,
        lacks=("documents",),
        table=True,
    ),
)
"""Readers in the order in which they are listed; each reads records of all the others too, as one file may mix APIs."""
