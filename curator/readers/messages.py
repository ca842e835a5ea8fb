"""Chat messages in the shapes of the chat-completions API and its near relatives."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from curator.errors import RecordError
from curator.readers.json_text import type_name
from curator.records import JsonValue, Message, Role, ToolCall

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_TEXT_PARTS = ("text", "input_text", "output_text")
_THOUGHT_PARTS = ("thinking", "redacted_thinking", "reasoning")
_REDACTED = "redacted-by-litellm"
SHORTENED = "(litellm_truncated"
"""What LiteLLM writes into a text that it shortened for its database."""


def read_messages(value: JsonValue) -> tuple[Message, ...]:
    """A list of chat messages; `developer` counts as system, `function` as tool.

    Raises:
        RecordError: it is not a list of messages, a role is unknown, or a content is not text.
    """
    if not isinstance(value, list):
        raise RecordError(
            f"`messages` is a JSON {type_name(value)}, not a list", 'log the list: [{"role": "user", "content": "..."}]'
        )
    messages = []
    for index, message in enumerate(value):
        try:
            messages.append(_read_message(message))
        except RecordError as error:
            raise error.inside(f"messages[{index}]") from None
    return tuple(messages)


def require_question(messages: Sequence[Message]) -> None:
    """Check that there is something that the committee can be asked.

    Raises:
        RecordError: no user message has text, or the logger took text away.
    """
    for message in messages:
        if message.content == _REDACTED or SHORTENED in message.content:
            raise RecordError(
                f"the text of a {message.role} message was removed or shortened by LiteLLM",
                "turn off its message redaction, or log whole requests (a callback to files instead of the database)",
            )
    users = [message for message in messages if message.role == "user"]
    if not users:
        raise RecordError("no user message", "log the whole request, with at least one message of role `user`")
    if not any(message.content.strip() for message in users):
        raise RecordError("the user message is empty", "log the text that the user sent")


def text_of(content: JsonValue) -> str:
    """The text of a `content`: a string, or a list of parts, joined by line feeds.

    Raises:
        RecordError: a part is an image, audio, a file or unknown.
    """
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "\n".join(text for part in content if (text := _text_of_part(part)) is not None)
    raise RecordError(
        f"`content` is a JSON {type_name(content)}", "log it as a string, or as a list of parts of type `text`"
    )


def read_tool_calls(message: dict[str, JsonValue]) -> tuple[ToolCall, ...]:
    """The function calls of an assistant message, the deprecated `function_call` included.

    Raises:
        RecordError: a call has no name.
    """
    calls = message.get("tool_calls")
    if not calls:
        legacy = message.get("function_call")
        return (_read_call({"function": legacy}),) if legacy else ()
    if not isinstance(calls, list):
        raise RecordError(f"`tool_calls` is a JSON {type_name(calls)}, not a list", "log it as the API gives it")
    return tuple(_read_call(call) for call in calls)


def _read_message(message: JsonValue) -> Message:
    if not isinstance(message, dict):
        raise RecordError(f"a JSON {type_name(message)}, not a message", 'log {"role": "user", "content": "..."}')
    role = message.get("role")
    plain_role = _ROLES.get(role) if isinstance(role, str) else None
    if plain_role is None:
        raise RecordError(
            "a message without a `role`" if role is None else f"unknown role {str(role)[:40]!r}",
            f"the roles are {', '.join(_ROLES)}",
        )
    content = message.get("content")
    text = content if isinstance(content, str) else text_of(content)
    if plain_role == "assistant":
        return Message(plain_role, text, read_tool_calls(message))
    call_id = message.get("tool_call_id")
    return Message(plain_role, text, (), call_id) if isinstance(call_id, str) else Message(plain_role, text)


def _text_of_part(part: JsonValue) -> str | None:
    """The text of a content part, None for a part of a model's thoughts, which are no answer."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise RecordError(f"a content part that is a JSON {type_name(part)}", "log parts as the API takes them")
    kind = part.get("type", "text" if "text" in part else None)
    if kind in _THOUGHT_PARTS:
        return None
    text = part.get("text") if kind in _TEXT_PARTS else part.get("refusal") if kind == "refusal" else None
    if isinstance(text, str):
        return text
    if kind in _TEXT_PARTS:
        raise RecordError("a text part without text", 'log {"type": "text", "text": "..."}')
    raise RecordError(
        f"non-text content ({str(kind)[:40]!r})", "only text can be curated; leave such records out of the logs"
    )


def _read_call(call: JsonValue) -> ToolCall:
    if isinstance(call, dict):
        function = call.get("function") or call.get("custom")
        if isinstance(function, dict) and isinstance(name := function.get("name"), str):
            arguments = function.get("arguments", function.get("input"))
            text = arguments if isinstance(arguments, str) else orjson.dumps(arguments or {}).decode()
            return ToolCall(str(call.get("id") or ""), name, text)
    raise RecordError("a tool call without a function name", "log `tool_calls` as the API gives them")
