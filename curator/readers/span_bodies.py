"""Requests and responses that a span holds whole, of any model's API or a traced function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from curator.errors import RecordError
from curator.readers.hints import listed
from curator.readers.json_text import decoded
from curator.readers.options import call_options
from curator.readers.span_messages import answer_message, span_messages, system_messages
from curator.records import JsonValue, Message

_SYSTEMS = ("system", "instructions", "system_prompt", "system_instruction", "systemInstruction", "system_instructions")
_CONVERSATIONS = ("messages", "contents", "input", "prompts", "prompt", "chat_history", "history")
_QUESTIONS = ("question", "query", "text", "user_input", "inputs", "q", "message", "content")
_WRAPPERS = ("request", "body", "inputs", "input", "kwargs", "config", "parameters", "generationConfig", "model_kwargs")
_REASONS = ("finish_reason", "stop_reason", "finishReason", "stopReason", "done_reason")
_ANSWERS = ("output_text", "text", "response", "answer", "result", "output", "completion", "generated_text")
_REQUEST_KEYS = frozenset((*_CONVERSATIONS, *_SYSTEMS, "role", "parts", "model"))
_RESPONSE_KEYS = frozenset(("choices", "generations", "candidates", "parts", "tool_calls", "role", "stop_reason"))
"""Keys of which the requests and responses of models' APIs have one."""
_HIDDEN = frozenset(("__REDACTED__", "<REDACTED>", "[REDACTED]", "REDACTED"))


@dataclass(frozen=True, slots=True)
class SpanCall:
    """The content of a call as one convention of attributes has it."""

    messages: tuple[Message, ...] = ()
    answer: Message | None = None
    finish_reason: str | None = None
    options: dict[str, JsonValue] = field(default_factory=dict)
    request_model: str | None = None
    response_model: str | None = None
    is_json: bool = False
    notes: tuple[str, ...] = ()

    def completed(self, other: SpanCall) -> SpanCall:
        """The call, with what another convention says and this one does not."""
        return SpanCall(
            self.messages or other.messages,
            self.answer or other.answer,
            self.finish_reason or other.finish_reason,
            {**other.options, **self.options},
            self.request_model or other.request_model,
            self.response_model or other.response_model,
            self.is_json or other.is_json,
            (*self.notes, *other.notes),
        )


def hidden(messages: tuple[Message, ...]) -> bool:
    """Return whether the tracer replaced the text of a message."""
    return any(message.content.strip() in _HIDDEN for message in messages)


def read_request(value: JsonValue, *, is_text: bool = False) -> SpanCall:
    """The question of a request body, of messages, of the arguments of a function, or a text.

    Args:
        value: any of them, also as JSON text.
        is_text: a text that is the JSON of something else is the question itself.

    Raises:
        RecordError: a message cannot be asked as text.
    """
    if (
        is_text
        and isinstance(value, str)
        and isinstance(body := decoded(value), dict)
        and _REQUEST_KEYS.isdisjoint(body)
    ):
        return SpanCall(span_messages(value))
    value = value if isinstance(value, str) and not isinstance(decoded(value), dict) else decoded(value)
    if not isinstance(value, dict):
        return SpanCall(span_messages(value))
    options, model = call_options(value), value.get("model")
    requested = model if isinstance(model, str) else None
    system = next((value[key] for key in _SYSTEMS if value.get(key)), None)
    for key in _CONVERSATIONS:
        inner = decoded(value.get(key))
        if inner and isinstance(inner, str | list):
            if key == "prompts" and isinstance(inner, list):
                inner = inner[0]
            messages = span_messages(inner)
            return SpanCall((*system_messages(system), *messages), options=options, request_model=requested)
    for key in _WRAPPERS:
        if isinstance(inner := decoded(value.get(key)), dict) and (call := read_request(inner)).messages:
            return replace(call, options={**call.options, **options}, request_model=requested or call.request_model)
    texts = [inner for inner in value.values() if isinstance(inner, str) and inner.strip()]
    question = next((inner for key in _QUESTIONS if isinstance(inner := value.get(key), str)), None)
    if question is None and len(texts) == 1:
        question = texts[0]
    messages = span_messages(question)
    return SpanCall((*system_messages(system), *messages) if messages else (), options=options)


def read_response(value: JsonValue, *, is_text: bool = False) -> SpanCall:
    """The answer of a response body, a message, or a text.

    Args:
        value: any of them, also as JSON text.
        is_text: a text that is the JSON of something else is the answer itself.

    Raises:
        RecordError: it is an object of unknown shape.
    """
    text = value if isinstance(value, str) else None
    value = _unwrapped(decoded(value))
    if not isinstance(value, dict) or (is_text and text is not None and not _is_response(value)):
        return SpanCall(answer=answer_message(value if text is None else text))
    model = value.get("model") or value.get("modelVersion")
    call = SpanCall(finish_reason=_reason(value), response_model=model if isinstance(model, str) else None)
    for key in ("choices", "generations", "candidates"):
        choice = _first(decoded(value.get(key)))
        if isinstance(choice, dict):
            content = choice.get("message") or choice.get("content") or choice.get("text") or choice
            return replace(call, answer=answer_message(content), finish_reason=_reason(choice) or call.finish_reason)
    if isinstance(message := decoded(value.get("message")), dict):
        return replace(call, answer=answer_message(message), finish_reason=call.finish_reason or _reason(message))
    if "content" in value or "parts" in value or "tool_calls" in value:
        return replace(call, answer=answer_message({"role": "assistant", **value}))
    for key in _ANSWERS:
        inner = decoded(value.get(key))
        if isinstance(inner, str | list) and inner:
            return replace(call, answer=_joined(inner))
    if value and not call.finish_reason:
        raise RecordError(
            f"the answer of the span is an object of unknown shape with the keys {listed(list(value))}",
            "trace it as text, as a message, or as the response of the model's API",
        )
    return call


def _is_response(value: Mapping[str, JsonValue]) -> bool:
    """Return whether an object is a response of a model's API, not an answer in JSON."""
    lists = any(isinstance(value.get(key), list) for key in ("content", "output"))
    return lists or not _RESPONSE_KEYS.isdisjoint(value)


def _unwrapped(value: JsonValue) -> JsonValue:
    """The inner list of lists that hold one item, as batches of one have them."""
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    return value


def _first(value: JsonValue) -> JsonValue:
    while isinstance(value, list) and value:
        value = value[0]
    return value


def _joined(value: JsonValue) -> Message | None:
    """The message of the model in output items of the Responses API, its calls beside its text."""
    messages = [message for message in span_messages(value, "assistant") if message.role == "assistant"]
    if not messages:
        return None
    texts = "\n".join(message.content for message in messages if message.content)
    return Message("assistant", texts, tuple(call for message in messages for call in message.tool_calls))


def _reason(value: Mapping[str, JsonValue]) -> str | None:
    for holder in (
        value,
        value.get("response_metadata"),
        value.get("generation_info"),
        value.get("incomplete_details"),
    ):
        if isinstance(holder, dict):
            keys = (*_REASONS, "reason") if holder is not value else _REASONS
            reason = next((holder[key] for key in keys if isinstance(holder.get(key), str)), None)
            if isinstance(reason, str) and reason:
                return reason
    return None
