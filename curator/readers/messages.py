"""Chat messages in the shapes of every API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from curator.errors import RecordError
from curator.readers.json_text import type_name
from curator.readers.parts import (
    SERVER_TOOLS,
    Fields,
    is_call_item,
    is_result_item,
    is_skipped_item,
    read_call,
    read_parts,
    read_result,
)
from curator.records import JsonValue, Message, Role, ToolCall

ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
    "human": "user",
    "model": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
}
"""The roles by the names that APIs and frameworks have for them, the usual ones first."""
_TYPES = ("human", "ai", "system", "tool")
"""The `type` of a message of LangChain says who speaks, in place of a role."""
_SHOWN_ROLES = 6
_REDACTED = "redacted-by-litellm"
_SHORTENED = "(litellm_truncated"
"""What LiteLLM writes into a text that it shortened for its database."""
_MASKED = re.compile(
    r"\W*(?:redacted|masked|message (?:redacted|removed)|content (?:redacted|removed))\W*|\*{3,}", re.IGNORECASE
)
"""A text in the place of one that was removed."""
_CUT = re.compile(
    r"[\[(<{]\s*(?:\W{1,3}\s*)?(?:(?:text |message |content |output )?truncated\b[^\])>}\n]{0,40}"
    r"|\d[\d,]* (?:more (?:chars?|characters?|bytes|tokens)(?: \w+)?|(?:chars?|characters?|bytes|tokens) (?:truncated|omitted|more)))"
    r"\s*[\])>}]\s*$",
    re.IGNORECASE,
)
"""The mark of a logger at the end of a text that it shortened."""
_MOST_MARK = 120
_MARK_ENDS = ("]", ")", ">", "}", "*")
"""The last characters of such marks: other texts are not searched."""
_ELSEWHERE = RecordError(
    "an item of the input is a reference to one that is stored elsewhere (`item_reference`)",
    "log the whole input of each request: `GET /v1/responses/ID/input_items` gives it",
)


def read_messages(value: JsonValue, notes: list[str] | None = None) -> tuple[Message, ...]:
    """A list of chat messages; `developer` counts as system, `function` as tool.

    Content blocks and items that are tool calls belong to the message of the assistant, tool results are messages of their own.
    What was left out is added to `notes`.

    Raises:
        RecordError: it is not a list of messages, a role is unknown, or a content is not text.
    """
    if not isinstance(value, list):
        raise RecordError(
            f"`messages` is a JSON {type_name(value)}, not a list", 'log the list: [{"role": "user", "content": "..."}]'
        )
    messages: list[Message] = []
    for index, item in enumerate(value):
        try:
            for message in _read_item(item, notes):
                _append(messages, message, joins=isinstance(item, dict) and "role" not in item)
        except RecordError as error:
            raise error.inside(f"messages[{index}]") from None
    return tuple(messages)


def is_shortened(text: str) -> bool:
    """Return whether the logger removed or shortened a text, and left a mark."""
    if _SHORTENED in text:
        return True
    return text[-1:] in _MARK_ENDS and (
        _CUT.search(text, max(0, len(text) - _MOST_MARK)) is not None
        or (len(text) < _MOST_MARK and _MASKED.fullmatch(text) is not None)
    )


def require_question(messages: Sequence[Message]) -> None:
    """Check that there is something that the committee can be asked.

    Raises:
        RecordError: no user message has text, or the logger took text away.
    """
    for message in messages:
        if message.content == _REDACTED or is_shortened(message.content):
            raise RecordError(
                f"the text of a {message.role} message was removed or shortened by the logger",
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
    return read_parts(content).text


def read_tool_calls(message: Fields) -> tuple[ToolCall, ...]:
    """The function calls of an assistant message, the deprecated `function_call` included.

    Raises:
        RecordError: a call has no name.
    """
    calls = message.get("tool_calls")
    if not calls:
        legacy = message.get("function_call")
        return (read_call(legacy),) if legacy else ()
    if not isinstance(calls, list):
        raise RecordError(f"`tool_calls` is a JSON {type_name(calls)}, not a list", "log it as the API gives it")
    return tuple(read_call(call) for call in calls)


def _read_item(item: JsonValue, notes: list[str] | None) -> Iterator[Message]:
    if isinstance(item, dict) and "role" not in item and "content" in item and item.get("type") in _TYPES:
        item = {**item, "role": item["type"]}
    if isinstance(item, dict) and "role" not in item:
        if item.get("type") == "item_reference":
            raise _ELSEWHERE
        if is_call_item(item):
            yield Message("assistant", "", (read_call(item),))
            return
        if is_result_item(item):
            yield _result(*read_result(item))
            return
        if is_skipped_item(item):
            if item.get("type") != "reasoning" and notes is not None:
                notes.append(SERVER_TOOLS)
            return
        if "parts" in item:
            item = {"role": "user", **item}
    if not isinstance(item, dict):
        raise RecordError(f"a JSON {type_name(item)}, not a message", 'log {"role": "user", "content": "..."}')
    yield from _read_message(item, _role(item), notes)


def _role(message: Fields) -> Role:
    role = message.get("role")
    plain = ROLES.get(role.lower()) if isinstance(role, str) else None
    if plain is None:
        raise RecordError(
            "a message without a `role`" if role is None else f"unknown role {str(role)[:40]!r}",
            f"the roles are {', '.join(list(ROLES)[:_SHOWN_ROLES])}",
        )
    return plain


def _read_message(message: Fields, role: Role, notes: list[str] | None) -> Iterator[Message]:
    content = next((message[key] for key in ("content", "parts", "message") if message.get(key) is not None), None)
    parts = read_parts(content)
    if parts.server and notes is not None:
        notes.append(SERVER_TOOLS)
    if role == "tool":
        if parts.results:
            yield from (_result(text, id_) for text, id_ in parts.results)
        else:
            ids = (message.get(key) for key in ("tool_call_id", "tool_use_id", "call_id"))
            name = message.get("name") if message.get("role") == "function" else None
            yield _result(parts.text, next((id_ for id_ in (*ids, name) if isinstance(id_, str) and id_), None))
        return
    yield from (_result(text, id_) for text, id_ in parts.results)
    if role == "assistant":
        yield Message(role, parts.text, (*read_tool_calls(message), *parts.calls))
    elif parts.texts or not parts.results:
        yield Message(role, parts.text)


def _result(text: str, call_id: str | None) -> Message:
    return Message("tool", text, (), call_id)


def _append(messages: list[Message], message: Message, *, joins: bool) -> None:
    """Append a message; a call that is an item joins the turn of the assistant."""
    last = messages[-1] if messages else None
    if joins and message.tool_calls and last is not None and last.role == "assistant":
        messages[-1] = replace(last, tool_calls=(*last.tool_calls, *message.tool_calls))
    else:
        messages.append(message)
