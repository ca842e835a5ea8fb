"""Logged answers: a response, its stream, a choice, a message, or just text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from curator.errors import RecordError
from curator.readers.hints import address_of_body, listed
from curator.readers.json_text import as_text, decoded
from curator.readers.messages import is_shortened
from curator.readers.outcome import (
    FAILED,
    TRUNCATED,
    failed_body,
    failed_error,
    failed_status,
    finish_reason_of,
    names_failure,
)
from curator.readers.response_bodies import Answer, holds_answer, read_body
from curator.readers.streams import UNFINISHED, assembled, events_of
from curator.readers.text_streams import framework_stream
from curator.records import Document, JsonValue, Message, ToolCall
from curator.records.token_logprobs import TokenLogprobs, read_logprobs

_THOUGHTS = re.compile(r"\s*<(think|thinking|reasoning)>.*?</\1>\s*", re.DOTALL)
_OPEN_THOUGHT = re.compile(r"\s*<(think|thinking|reasoning)>")
_CLOSING = re.compile(r"</think>\s*")
_HTTP_STATUS = ("status_code", "statusCode", "status")
_ANSWERS = re.compile(r'"(?:choices|candidates|output|content|stop_reason)"\s*:\s*[\[{"]')
_TEXTS = ("response", "output", "completion")
_CUT_OFF = re.compile(r'\s*\{\s*"(?:id|object|choices|candidates|type|model)"\s*:')
_WRAPPERS = ("body", "response", "json", "data", "result", "output", "completion")
_DEEPEST = 4
_PRINTED = re.compile(
    r"content=(['\"]).{0,100000}?\1 additional_kwargs=\{"
    r"|(?=[A-Z])\w*(?:Completion|Message|Response|Result|Content)\w*"
    r"\((?:id|content|choices|message|candidates|text)=.{0,100000}=.*\)\s*$"
    r"|<[a-z_]+(?:\.\w+)+ (?:object )?at 0x[0-9a-f]+>$",
    re.DOTALL,
)
"""What Python prints of messages and responses: of LangChain, of the SDKs of APIs, and of objects that print nothing of themselves."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A logged answer; `text` is None without one.

    With `is_call` it is the JSON of tool calls, with the words beside them.
    `logprobs` has the log-probabilities of its tokens, where they were logged, `documents` what the provider's file search found
    for it. `notes` says what was lost.
    """

    text: str | None = None
    finish_reason: str | None = None
    model: str | None = None
    id: str | None = None
    is_call: bool = False
    logprobs: TokenLogprobs | None = None
    documents: tuple[Document, ...] = ()
    notes: tuple[str, ...] = ()


class UnknownShape(RecordError):
    """An answer that is an object in which no text is the answer."""


def read_reply(value: JsonValue) -> Reply:
    """Read production's answer; of several choices the first one counts.

    Raises:
        RecordError: the answer has a shape that is not known, or is not text.
    """
    if isinstance(value, str):
        if events := events_of(value):
            return _read_object(assembled(events))
        if (whole := framework_stream(value)) is not None:
            return _read_object(whole)
        if holds_reply(structure := decoded(value)) or failed_body(structure):
            value = structure
        elif structure == value and _CUT_OFF.match(value) and _ANSWERS.search(value):
            raise RecordError(
                "the response is cut off: its JSON has no end",
                "let the logger keep whole responses, or leave such records out of the logs: all others are used",
            )
        elif structure == value and _PRINTED.match(value):
            raise RecordError(
                "the response is what Python prints of an object, which cannot be read back",
                "log the text of the answer or the object's JSON (`response.model_dump_json()`), or leave such records out of "
                "the logs: all others are used",
            )
    if isinstance(value, dict):
        return _read_object(value)
    if isinstance(value, list):
        return failed_reply() if failed_body(value) else _read_list(value)
    return _answer(Answer(as_text(value)))


def holds_reply(value: JsonValue) -> bool:
    """Return whether a value is a response or a message, not an answer in JSON."""
    if isinstance(value, list):
        return events_of(value) is not None or (bool(value) and holds_reply(value[0]))
    if not isinstance(value, dict):
        return False
    inner = decoded(value.get("body"))
    return holds_answer(value) or (isinstance(inner, dict) and "status_code" in value and holds_reply(inner))


def is_response(value: JsonValue) -> bool:
    """Return whether a value is a response or the error of a call, also as JSON text."""
    value = decoded(value)
    return holds_reply(value) or bool(failed_body(value))


def failed_reply(reply: Reply | None = None) -> Reply:
    """The reply of a call that failed; model and id are those of `reply`."""
    return Reply(finish_reason=FAILED, model=reply.model if reply else None, id=reply.id if reply else None)


def answer_of(message: Message) -> Reply:
    """The answer that an assistant message is."""
    return _answer(Answer(message.content, message.tool_calls))


def split_answer(messages: tuple[Message, ...], reply: Reply | None) -> tuple[tuple[Message, ...], Reply]:
    """The question and the answer, where a logger may have appended the answer to the messages.

    `reply` is None where the record has no separate answer; one without text and finish reason counts as none. An
    assistant message at the end that is not the answer itself is a prefill, and belongs to the question.
    """
    last = messages[-1] if messages else None
    if last is None or last.role != "assistant":
        return messages, reply or Reply()
    appended = answer_of(last)
    if reply is None or (reply.text is None and reply.finish_reason is None):
        return messages[:-1], replace(appended, model=reply.model, id=reply.id) if reply else appended
    return (messages[:-1] if appended.text == reply.text else messages), reply


def answer_text(text: str | None, calls: Sequence[ToolCall]) -> str | None:
    """The one text of an answer: with calls `{"content", "tool_calls"}`, else its text.

    `content` is left out where the answer only calls; a call has `arguments` and `name`.
    """
    if not calls:
        return text
    listing: list[JsonValue] = [{"name": call.name, "arguments": _arguments(call)} for call in calls]
    words = (text or "").strip()
    whole: dict[str, JsonValue] = {"tool_calls": listing, **({"content": words} if words else {})}
    return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS).decode()


def _read_object(value: Mapping[str, JsonValue], depth: int = 0) -> Reply:
    if (
        any(failed_status(value.get(key)) for key in (*_HTTP_STATUS, "type"))
        or (failed_error(value.get("error")) and not holds_answer(value))
        or failed_body(dict(value))
    ):
        return failed_reply(_answer(Answer(model=value.get("model"), id=value.get("id"))))
    answer = read_body(value)
    if answer is not None:
        return _answer(answer, unfinished=value.get("stream_unfinished") is True)
    for key in _WRAPPERS:
        inner = decoded(value.get(key))
        if depth < _DEEPEST and isinstance(inner, dict) and inner:
            reply = _read_object(inner, depth + 1)
            outer = _answer(Answer(model=value.get("model"), id=value.get("id")))
            return replace(reply, model=reply.model or outer.model, id=reply.id or outer.id)
        text = isinstance(inner, str | list) and inner
        if depth < _DEEPEST and text and (key == "body" or (key in _TEXTS and not value.keys() - {key, *_BARE})):
            return read_reply(inner)
    if not any(value[key] for key in value if key not in _BARE):
        return Reply()
    if names_failure(value):
        return failed_reply()
    if place := address_of_body(dict(value)):
        raise RecordError(
            f"the answer is not in the record: {place!r} names the file that holds it",
            "put the content of that file in its place, or leave such records out of the logs: all others are used",
        )
    raise UnknownShape(
        f"the answer is an object of unknown shape with the keys {listed(list(value))}",
        "log it as text or as a chat completion (`choices`), or name the key of its text with "
        "`logs: {mapping: {input: ..., target: ...}}`",
    )


_BARE = frozenset((*_HTTP_STATUS, "headers", "request_id", "usage", "id", "object", "created", "stream_unfinished"))
"""Keys beside which an object without an answer is empty, not of an unknown shape."""


def _read_list(value: Sequence[JsonValue]) -> Reply:
    if events := events_of(list(value)):
        return _read_object(assembled(events))
    items = [item for item in value if isinstance(item, dict)]
    if items and len(items) == len(value):
        if all("role" in item for item in items):
            return _answer(read_body({"messages": list(items)}) or Answer())
        if all("message" in item or "generated_text" in item or "outputText" in item for item in items):
            return _read_object(items[0])
        if any("type" in item and ("role" in item or "call_id" in item) for item in items):
            return _answer(read_body({"object": "response", "output": list(items)}) or Answer())
    return _answer(read_body({"role": "assistant", "content": list(value)}) or Answer()) if value else Reply()


def _answer(answer: Answer, *, unfinished: bool = False) -> Reply:
    """The reply of an answer. Thoughts at the start of its text are left out.

    One that the logger shortened, or a stream without its end, is not a whole answer, whatever its reason says.
    """
    text = _without_thoughts(answer.text)
    cut = bool(text and is_shortened(text)) or unfinished or (bool(answer.text) and text is None)
    return Reply(
        answer_text("" if text is None and answer.text else text, answer.calls),
        TRUNCATED if cut else finish_reason_of(answer.finish_reason),
        answer.model if isinstance(answer.model, str) and answer.model else None,
        answer.id if isinstance(answer.id, str) and answer.id else None,
        bool(answer.calls),
        read_logprobs(answer.logprobs) if answer.logprobs else None,
        answer.documents,
        (*answer.notes, UNFINISHED) if unfinished else answer.notes,
    )


def _without_thoughts(text: str | None) -> str | None:
    """The text without the thoughts before it; None where it has only thoughts."""
    if text is None:
        return None
    if _OPEN_THOUGHT.match(text):
        return _THOUGHTS.sub("", text, count=1) if _THOUGHTS.match(text) else None
    if "</think>" in text and "<think>" not in text:  # templates that begin the thoughts in the prompt
        return _CLOSING.split(text, maxsplit=1)[1]
    return text


def _arguments(call: ToolCall) -> JsonValue:
    """The arguments as a JSON object, so that calls compare by content; else as text."""
    value = decoded(call.arguments)
    return value if isinstance(value, dict) else call.arguments
