"""The rules of a row of fine-tune data: a trainer refuses a whole file for one row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from curator.records import JsonValue, Message, ToolCall

NO_QUESTION = "not a valid row: its conversation does not begin with a user message"
NOT_ASKED = "not a valid row: its target does not follow a user message or a tool's result"
TWICE = "not a valid row: an assistant message follows another one"
UNANSWERED = "not a valid row: a tool call has no result before the next message"
UNCALLED = "not a valid row: a tool's result belongs to no call before it"
NOT_JSON = "not a valid row: the arguments of a tool call are not a JSON object"
UNDEFINED = "not a valid row: it calls a tool that its request did not define"
EMPTY = "not a valid row: its target is empty"
TOO_LONG = "longer than `outputs.max_row_tokens` (estimated)"


def row_problem(messages: Sequence[Message], answer: Message, tools: Sequence[JsonValue]) -> str | None:
    """Return why a row is not valid training data; None where it is.

    The rules are those of OpenAI's guide to supervised fine-tuning: turns alternate, each tool call is followed by its result
    with the same id, and the arguments of a call are the text of a JSON object.

    Args:
        messages: the conversation before the target.
        answer: the target.
        tools: the definitions of the tools that the request offered.
    """
    turns = [message for message in messages if message.role != "system"]
    if not turns or turns[0].role != "user":
        return NO_QUESTION
    if turns[-1].role == "assistant":
        return UNANSWERED if turns[-1].tool_calls else NOT_ASKED
    if not answer.content.strip() and not answer.tool_calls:
        return EMPTY
    calls = [call for message in (*turns, answer) for call in message.tool_calls]
    return _order_problem(turns) or _calls_problem(calls, answer.tool_calls, tools)


def _order_problem(turns: Sequence[Message]) -> str | None:
    """The problem in the order of the turns; None without one.

    Each call has its result before the next message, and no two answers follow each other.
    """
    open_ids: list[str] = []
    last = ""
    for message in turns:
        if message.role == "tool":
            if message.tool_call_id not in open_ids:
                return UNCALLED
            open_ids.remove(message.tool_call_id)
        elif open_ids:
            return UNANSWERED
        elif message.role == "assistant" and last == "assistant":
            return TWICE
        open_ids += [call.id for call in message.tool_calls]
        last = message.role
    return UNANSWERED if open_ids else None


def _calls_problem(calls: Iterable[ToolCall], new: Sequence[ToolCall], tools: Sequence[JsonValue]) -> str | None:
    names = {name for tool in tools if (name := _tool_name(tool)) is not None}
    if names and any(call.name not in names for call in new):
        return UNDEFINED
    return None if all(map(_has_arguments, calls)) else NOT_JSON


def _tool_name(tool: JsonValue) -> str | None:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def _has_arguments(call: ToolCall) -> bool:
    try:
        return isinstance(orjson.loads(call.arguments), dict)
    except orjson.JSONDecodeError:
        return False
