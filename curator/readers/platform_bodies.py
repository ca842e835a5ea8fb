"""Inputs and outputs of calls as frameworks hand them to a tracer -> messages and answers.

LangChain writes messages as constructors with `kwargs` and keeps calls of tools in `additional_kwargs`, and some tracers put the
definitions of tools among the messages. `span_bodies` reads what is left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from curator.errors import RecordError
from curator.readers.json_text import as_text, decoded
from curator.readers.span_bodies import SpanCall, read_request, read_response
from curator.readers.tools import plain_tools
from curator.records import JsonValue

_CLASS = re.compile(r"(human|ai|system|tool|function|chat|user|assistant)message(chunk)?", re.IGNORECASE)
_MEDIA = "@@@langfuseMedia:"
_DEEPEST = 6
_BODY_KEYS = frozenset(("model", "messages", "stream", "tools", "temperature", "max_tokens"))
_RESPONSE_KEYS = frozenset(
    ("choices", "generations", "candidates", "content", "parts", "tool_calls", "message", "role", "output", "text",
     "output_text", "response", "answer", "result", "completion", "generated_text", "error", "messages")
)  # fmt: skip


def framework_request(value: JsonValue) -> SpanCall:
    """The question of a call, with the tools that are defined beside or among its messages.

    Raises:
        RecordError: a message cannot be asked as text, or an image or a file of it is stored elsewhere.
    """
    body = _plain(unquoted(value))
    tools: list[JsonValue] = []
    body = _without_definitions(body, tools)
    call = read_request(body)
    if any(_MEDIA in message.content for message in call.messages):
        raise RecordError(
            "a message has an image or a file that is stored elsewhere",
            "log what it says as text in its place, or leave such records out of the logs: all others are used",
        )
    definitions = plain_tools(tools)
    return SpanCall(
        call.messages,
        options={**({"tools": list(definitions)} if definitions else {}), **call.options},
        request_model=call.request_model,
        notes=call.notes,
    )


def framework_response(value: JsonValue) -> SpanCall:
    """The answer of a call. An object that no model's API sends is an answer in JSON.

    Raises:
        RecordError: the answer is not text.
    """
    value = unquoted(value)
    body = _plain(value)
    if isinstance(body, dict) and isinstance(messages := body.get("messages"), list) and messages:
        body = messages
    if isinstance(body, list) and body and all(isinstance(item, dict) and "role" in item for item in body):
        last = [item for item in body if isinstance(item, dict) and item.get("role") in ("assistant", "ai", "model")]
        body = last[-1] if last else body
    if isinstance(body, list) and body and all(isinstance(item, dict) and "message" in item for item in body):
        body = {"choices": body}
    if isinstance(body, dict) and body and _RESPONSE_KEYS.isdisjoint(body):
        answer = read_response(value if isinstance(value, str) else as_text(body), is_text=True)
        return SpanCall(answer=answer.answer, is_json=True)
    return read_response(body if not isinstance(value, str) or isinstance(body, dict | list) else value)


def unquoted(value: JsonValue) -> JsonValue:
    """A value without the JSON encoding of its text, which some exports apply twice."""
    for _ in range(3):
        if not (isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"'):
            break
        inner = decoded(f"[{value}]")
        if not (isinstance(inner, list) and len(inner) == 1 and isinstance(inner[0], str)):
            break
        value = inner[0]
    return value


def _plain(value: JsonValue, depth: int = 0) -> JsonValue:
    """A body with the messages of LangChain as other frameworks write them."""
    value = decoded(value)
    if depth > _DEEPEST:
        return value
    if isinstance(value, list):
        return [_plain(item, depth + 1) if isinstance(item, dict | list) else item for item in value]
    if not isinstance(value, dict):
        return value
    kwargs, names = value.get("kwargs"), value.get("id")
    if value.get("type") == "constructor" and isinstance(kwargs, dict):
        name = names[-1] if isinstance(names, list) and names else ""
        inner = {"type": name, **kwargs} if _role(kwargs.get("type")) is None else kwargs
        return _plain(inner, depth + 1)
    plain = {
        key: _plain(item, depth + 1) if key in ("messages", "input", "inputs", "message", "generations", "output") else item
        for key, item in value.items()
    }  # fmt: skip
    role = _role(plain.get("type"))
    if role is not None and "role" not in plain and "content" in plain:
        plain["role"] = plain["role"] if plain.get("role") else role
        del plain["type"]
    more = plain.get("additional_kwargs")
    if isinstance(more, dict):
        for key in ("tool_calls", "function_call"):
            if more.get(key) and not plain.get(key):
                plain[key] = more[key]
    return plain


def _role(kind: JsonValue) -> str | None:
    """The role that the class of a message of LangChain has; None for anything else."""
    if not isinstance(kind, str):
        return None
    match = _CLASS.fullmatch(kind)
    word = match[1].lower() if match else kind.lower() if kind.lower() in ("human", "ai", "system", "tool") else None
    return {"human": "user", "ai": "assistant", "chat": "user"}.get(word, word) if word else None


def _without_definitions(value: JsonValue, tools: list[JsonValue]) -> JsonValue:
    """The body without the definitions of tools among its messages, which are added to `tools`."""
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        return {**value, "messages": _without_definitions(value["messages"], tools)}
    if not isinstance(value, list):
        return value
    kept: list[JsonValue] = []
    for item in value:
        content = decoded(item.get("content")) if isinstance(item, dict) else None
        if isinstance(item, dict) and item.get("role") in ("tool", "system", "user") and _is_definition(content):
            tools.append(content)
        else:
            kept.append(_without_definitions(item, tools) if isinstance(item, list) else item)
    return kept


def _is_definition(content: JsonValue) -> bool:
    function = content.get("function") if isinstance(content, dict) else None
    return isinstance(function, Mapping) and "name" in function and "parameters" in function
