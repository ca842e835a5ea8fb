"""The question in the body of a request, found by its shape, for the API of any model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from curator.errors import RecordError
from curator.readers.feedback import nonblank
from curator.readers.json_text import as_text, decoded
from curator.readers.messages import read_messages, text_of
from curator.readers.options import CONFIGS, OPTION_KEYS, request_options
from curator.readers.parts import inner_list
from curator.records import JsonValue, Message

Body = Mapping[str, JsonValue]

SYSTEM_TWICE = "a system prompt beside the messages and another one in them: both are asked, in this order"
_SYSTEMS = (
    "system", "instructions", "system_prompt", "systemPrompt", "systemInstruction", "system_instruction", "preamble",
)  # fmt: skip
_NUMBER = re.compile(r"\s*[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?\s*", re.IGNORECASE)
_LISTS = ("messages", "contents", "input", "input_items")
_TEXTS = ("prompt", "inputText", "inputs", "input", "message", "messages", "contents", "question", "query")
_ELSEWHERE = ("previous_response_id", "conversation")
_ASKS = frozenset(
    (
        "temperature", "max_tokens", "max_completion_tokens", "max_output_tokens", "max_tokens_to_sample", "max_gen_len",
        "stream", "top_p", "textGenerationConfig", "parameters", "chat_history", "n", *CONFIGS,
    )
)  # fmt: skip
"""Keys that only the request of a model has, beside a text that may be anything."""
_SILENT = frozenset(
    (
        "stream_options", "service_tier", "anthropic_version", "anthropic_beta", "modalities", "reasoning_effort",
        "reasoning", "thinking", "include", "store", "truncation", "prompt_cache_key", "safety_identifier", "logit_bias",
        "safetySettings", "safety_settings", "modelId", "guardrailConfig", "extra_headers", "headers", "extra_body", "url",
        "method", "provider", "route", "transforms", "keep_alive", "verbosity", "prediction", "performanceConfig",
        "context_management", "background", "user", "session_id", "litellm_params",
    )
)  # fmt: skip
"""Keys of requests that say how to answer, not what was asked."""


@dataclass(slots=True)
class Request:
    """The content of a request; `unused` has keys with content that were not read."""

    messages: tuple[Message, ...]
    options: dict[str, JsonValue]
    model: str | None
    unused: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def beside_request(record: Body) -> dict[str, JsonValue]:
    """The system prompt of a record that holds its request under a key; {} where it has none.

    A single word names the system of a call, such as `openai`.
    """
    texts = {key: value for key in _SYSTEMS if isinstance(value := decoded(record.get(key)), str | list)}
    return {key: value for key, value in texts.items() if isinstance(value, list) or len(value.split()) > 1}


def is_request(body: Body, *, named: bool = False) -> bool:
    """Return whether an object is the body of a request.

    A plain text counts where the object is `named` as a request, or has options that only requests have.
    """
    for key in _LISTS:
        items = inner_list(body.get(key))
        if items and (key == "messages" or any(isinstance(item, dict) and _is_turn(item) for item in items)):
            return True
    if isinstance(body.get("messages"), list) or isinstance(body.get("contents"), dict):
        return True
    if "model" in body and body.get("prompt") and isinstance(body["prompt"], list | dict):
        return True  # tokens, several questions or the id of a template: it says what is missing
    text = any(isinstance(body.get(key), str) and body[key] for key in _TEXTS)
    return text and (named or not _ASKS.isdisjoint(body) or ("model" in body and ("prompt" in body or "input" in body)))


def read_request(body: Body, model_parameters: JsonValue = None) -> Request:
    """Read a request body.

    Raises:
        RecordError: what was asked is not all in it, or is not text.
    """
    for key in _ELSEWHERE:
        if body.get(key):
            raise RecordError(
                f"the conversation before this request is stored elsewhere (`{key}`)",
                "log the whole input of each request: `GET /v1/responses/ID/input_items` gives what was asked",
            )
    notes: list[str] = []
    conversation, used = _conversation(body, notes)
    messages = _with_system(body, conversation, notes)
    options = request_options(body, model_parameters, notes)
    unused = tuple(key for key, value in body.items() if key not in _READ_KEYS and key != used and bears_content(value))
    return Request(messages, options, nonblank(body.get("model")) or nonblank(body.get("modelId")), unused, notes)


_READ_KEYS = frozenset((*_SYSTEMS, *CONFIGS, *_SILENT, *OPTION_KEYS, "metadata", "chat_history", "documents"))


def bears_content(value: JsonValue) -> bool:
    """Return whether a value may say something: a text other than a number, a list or an object."""
    if isinstance(value, str):
        return bool(value) and _NUMBER.fullmatch(value) is None
    return isinstance(value, list | dict) and bool(value)


def _is_turn(item: Body) -> bool:
    return "role" in item or "parts" in item or ("type" in item and ("call_id" in item or "content" in item))


def _conversation(body: Body, notes: list[str]) -> tuple[tuple[Message, ...], str]:
    """The messages of the body, and the key that they stand under."""
    for key in _LISTS:
        items = _turns(body.get(key), key)
        if items is not None and (items or key == "messages"):
            return read_messages(items, notes), key
    if isinstance(body.get("prompt"), dict):
        raise RecordError(
            "the prompt is a template that is stored elsewhere (`prompt` has its id)",
            "log the whole input: the text of the template with its variables filled in",
        )
    earlier = inner_list(body.get("chat_history")) or []
    for key in _TEXTS:
        text = _only_text(body.get(key), key)
        if text:
            return (*read_messages(earlier, notes), Message("user", text)), key
    return (), ""


def _turns(value: JsonValue, key: str) -> list[JsonValue] | None:
    """The messages in a value; None where it is a text, or a list of texts."""
    items = inner_list(value)
    if items is None and key == "contents" and isinstance(value, dict):
        return [value]
    if items and all(isinstance(item, str) for item in items):
        return [{"role": "user", "content": items}] if key == "contents" else None
    return items[0] if items and len(items) == 1 and isinstance(items[0], list) else items


def _only_text(value: JsonValue, key: str) -> str:
    """The text in a value; "" where there is none.

    Raises:
        RecordError: there are several texts, or tokens in place of a text.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list) and value and isinstance(value[0], str):
        raise RecordError(f"several questions in one request (`{key}` is a list)", "log one request for each of them")
    if isinstance(value, list) and value and key == "prompt":
        raise RecordError("the prompt is a list of tokens, not text", "log the text that the tokens were made of")
    return value if isinstance(value, str) else ""


def _with_system(body: Body, messages: tuple[Message, ...], notes: list[str]) -> tuple[Message, ...]:
    """The messages with the system prompts that stand beside them."""
    configs = (decoded(body[key]) for key in CONFIGS if key in body)
    holders = [body, *(config for config in configs if isinstance(config, dict))]
    texts = (_system_text(holder[key]) for holder in holders for key in _SYSTEMS if holder.get(key) is not None)
    beside = [text for text in texts if text.strip()]
    if not beside:
        return messages
    inside = [message.content.strip() for message in messages if message.role == "system"]
    new = [text for place, text in enumerate(beside) if text.strip() not in inside and text not in beside[:place]]
    if new and inside:
        notes.append(SYSTEM_TWICE)
    return (*(Message("system", text) for text in new), *messages)


def _system_text(value: JsonValue) -> str:
    value = decoded(value)
    if isinstance(value, dict):
        value = value.get("parts", value.get("content", value.get("text")))
    if isinstance(value, list) and any(isinstance(item, dict) and "role" in item for item in value):
        return "\n\n".join(message.content for message in read_messages(value))
    return value if isinstance(value, str) else text_of(value)


def text_body(value: JsonValue) -> dict[str, JsonValue] | None:
    """A request body that asks one text, or messages that are logged without their body."""
    value = decoded(value)
    if isinstance(value, list) and value:
        return {"messages": value}
    text = as_text(value) if isinstance(value, str) else None
    return {"messages": [{"role": "user", "content": text}]} if text else None
