"""Logged answers: a chat completion, its chunks, a choice, a message, or just text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from curator.errors import RecordError
from curator.readers.hints import listed
from curator.readers.json_text import as_text, decoded
from curator.readers.messages import SHORTENED, read_tool_calls, text_of
from curator.readers.outcome import FAILED, failed_error, finish_reason_of
from curator.records import JsonValue, Message, ToolCall
from curator.records.token_logprobs import TokenLogprobs, read_logprobs


@dataclass(frozen=True, slots=True)
class Reply:
    """A logged answer; `text` is None without one, and with `is_call` the JSON of tool calls.

    `logprobs` has the log-probabilities of its tokens, where they were logged.
    """

    text: str | None = None
    finish_reason: str | None = None
    model: str | None = None
    id: str | None = None
    is_call: bool = False
    logprobs: TokenLogprobs | None = None


def read_reply(value: JsonValue) -> Reply:
    """Read production's answer; of several choices the first one counts.

    Raises:
        RecordError: the answer has a shape that is not known, or is not text.
    """
    if isinstance(value, str) and holds_reply(structure := decoded(value)):
        value = structure
    if isinstance(value, dict):
        return _read_object(value)
    if isinstance(value, list):
        return _read_list(value)
    return _answer(as_text(value), envelope={})


def holds_reply(value: JsonValue) -> bool:
    """Return whether a value is a completion or a message, not an answer that is JSON itself."""
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        return False
    message = value.get("message", value)
    if isinstance(message, dict) and message.get("role") == "assistant":
        return "content" in message or "tool_calls" in message
    choices = value.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and ("message" in first or "delta" in first or "finish_reason" in first)


def failed_reply(reply: Reply | None = None) -> Reply:
    """The reply of a call that failed; model and id are those of `reply`."""
    return Reply(finish_reason=FAILED, model=reply.model if reply else None, id=reply.id if reply else None)


def answer_of(message: Message) -> Reply:
    """The answer that an assistant message is."""
    return _answer(message.content, message.tool_calls, envelope={})


def split_answer(messages: tuple[Message, ...], reply: Reply | None) -> tuple[tuple[Message, ...], Reply]:
    """The question and the answer, where a logger may have appended the answer to the messages.

    `reply` is None where the record has no separate answer; one without text and finish reason counts as none. An
    assistant message at the end that is not the answer itself is a prefill, and belongs to the question.
    """
    last = messages[-1] if messages else None
    if last is None or last.role != "assistant":
        return messages, reply or Reply()
    head: dict[str, JsonValue] = {"model": reply.model, "id": reply.id} if reply else {}
    appended = _answer(last.content, last.tool_calls, envelope=head)
    if reply is None or (reply.text is None and reply.finish_reason is None):
        return messages[:-1], appended
    return (messages[:-1] if appended.text == reply.text else messages), reply


def _read_object(value: dict[str, JsonValue]) -> Reply:
    body = decoded(value.get("body"))
    if isinstance(body, dict):
        return _read_object(body)
    choices = value.get("choices")
    if isinstance(choices, list) and choices:
        if isinstance(choices[0], dict):
            return _read_choice(choices[0], value)
        raise RecordError("`choices` holds something else than objects", "log the response as the API gives it")
    if isinstance(value.get("message"), dict) or isinstance(value.get("text"), str):
        return _read_choice(value, value)
    if "content" in value or "tool_calls" in value:
        return _read_choice({"message": value, "finish_reason": value.get("finish_reason")}, value)
    if failed_error(value.get("error")):
        return failed_reply()
    if not value or "choices" in value:
        return Reply()
    raise RecordError(
        f"the answer is an object of unknown shape with the keys {listed(list(value))}",
        "log it as text or as a chat completion (`choices`), or name the key of its text with "
        "`logs: {mapping: {input: ..., target: ...}}`",
    )


def _read_choice(choice: dict[str, JsonValue], envelope: dict[str, JsonValue]) -> Reply:
    """The answer of one choice; `envelope` is its completion, with the model and the id."""
    message = choice.get("message")
    calls: tuple[ToolCall, ...] = ()
    if isinstance(message, dict):
        content, refusal = message.get("content"), message.get("refusal")
        text = None if content is None else text_of(content)
        calls = read_tool_calls(message)
        if not text and isinstance(refusal, str):
            text = refusal
    else:
        content = choice.get("text")
        text = content if isinstance(content, str) else None
    reason = choice.get("finish_reason") or choice.get("done_reason")
    answer = _answer(text, calls, reason=reason, envelope=envelope)
    return replace(answer, logprobs=read_logprobs(choice.get("logprobs"))) if choice.get("logprobs") else answer


def _answer(
    text: str | None, calls: Sequence[ToolCall] = (), *, reason: JsonValue = None, envelope: dict[str, JsonValue]
) -> Reply:
    """An answer; calls without a text become `{"tool_calls": [{"arguments", "name"}]}`.

    One that the logger shortened is not a whole answer, whatever its reason says.
    """
    is_call = bool(calls) and not (text or "").strip()
    if is_call:
        listing = [{"name": call.name, "arguments": _arguments(call)} for call in calls]
        text = orjson.dumps({"tool_calls": listing}, option=orjson.OPT_SORT_KEYS).decode()
    finish = "length" if text and SHORTENED in text else finish_reason_of(reason)
    model, id_ = envelope.get("model"), envelope.get("id")
    return Reply(
        text, finish, model if isinstance(model, str) else None, id_ if isinstance(id_, str) and id_ else None, is_call
    )


def _arguments(call: ToolCall) -> JsonValue:
    """The arguments as a JSON object, so that calls compare by content; else as text."""
    value = decoded(call.arguments)
    return value if isinstance(value, dict) else call.arguments


def _read_list(value: Sequence[JsonValue]) -> Reply:
    items = [item for item in value if isinstance(item, dict)]
    if items and len(items) == len(value):
        if any(_delta(item) is not None for item in items):
            return _read_chunks(items)
        if all("role" in item for item in items):
            answers = [item for item in items if item.get("role") == "assistant"]
            return _read_object(answers[-1]) if answers else Reply()
        if all("message" in item for item in items):
            return _read_choice(items[0], items[0])
    if not value:
        return Reply()
    return _answer(text_of(list(value)), envelope={})


def _read_chunks(chunks: Sequence[dict[str, JsonValue]]) -> Reply:
    """The answer that the chunks of a streamed completion add up to."""
    texts: list[str] = []
    calls: dict[int, dict[str, str]] = {}
    reason: JsonValue = None
    for chunk in chunks:
        delta = _delta(chunk)
        if delta is None:
            continue
        texts.append(text_of(delta.get("content")))
        _add_calls(calls, delta.get("tool_calls"))
        reason = _first_choice(chunk).get("finish_reason") or reason
    parts = [ToolCall(call["id"], call["name"], call["arguments"]) for _, call in sorted(calls.items())]
    text = "".join(texts) if any(texts) or not parts else None
    return _answer(text, parts, reason=reason, envelope=chunks[0])


def _first_choice(chunk: dict[str, JsonValue]) -> dict[str, JsonValue]:
    choices = chunk.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) and first.get("index", 0) == 0 else {}


def _delta(chunk: dict[str, JsonValue]) -> dict[str, JsonValue] | None:
    delta = _first_choice(chunk).get("delta")
    return delta if isinstance(delta, dict) else None


def _add_calls(calls: dict[int, dict[str, str]], deltas: JsonValue) -> None:
    """Append the pieces of tool calls to those that came before, by their index."""
    for delta in deltas if isinstance(deltas, list) else ():
        if not isinstance(delta, dict) or not isinstance(index := delta.get("index", 0), int):
            continue
        call = calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
        function = delta.get("function")
        pieces = {**(function if isinstance(function, dict) else {}), "id": delta.get("id")}
        for key in call:
            if isinstance(piece := pieces.get(key), str):
                call[key] += piece
