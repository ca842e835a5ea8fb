"""Streams of frameworks for user interfaces -> the text that they add up to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from curator.errors import RecordError
from curator.readers.json_text import decoded, load_value
from curator.records import JsonValue

_FRAMED = re.compile(r"(?:(?:data|event|id|retry):[^\n]*|:[^\n]*|\s*)(?:\n|$)")
_LETTERED = re.compile(r'[0-9a-z]:(?:"|\{|\[|null)')
_ENDED = ("finish", "done", "end", "complete", "completed", "[DONE]", "message_end", "response.done")
_FEWEST = 2
"""Lines with data: an answer may have one that begins so."""
_PIECES = ("delta", "token", "content", "text", "chunk", "answer")


def framework_stream(text: str) -> dict[str, JsonValue] | None:
    """The response that a stream of a framework adds up to; None for another text.

    It has the shape of chat completions. The streams are the data streams of the AI SDK (`0:"Hel"`, and events with
    `type: text-delta`), and server-sent events whose data are pieces of the text.

    Raises:
        RecordError: the text is a stream of events of a form that is not known.
    """
    if _LETTERED.match(text):
        return _of_lines(text)
    if not text.lstrip()[:6].startswith(("data:", "event:")):
        return None
    lines = text.replace("\r\n", "\n").strip().split("\n")
    data = [line[len("data:") :].strip() for line in lines if line.startswith("data:")]
    if len(data) < _FEWEST or not all(_FRAMED.fullmatch(line) for line in lines):
        return None
    values = [_value(item) for item in data if item]
    error = next((value["error"] for value in values if isinstance(value, dict) and value.get("error")), None)
    if error:
        return {"error": error}
    pieces = [piece for value in values if (piece := _piece(value)) is not None]
    if not pieces:
        raise RecordError(
            "the response is a stream of events of a form that is not known",
            "log the whole answer as text, or leave such records out of the logs: all others are used",
        )
    ended = any(_is_end(value) for value in values) or any(line.split(":")[-1].strip() in _ENDED for line in lines)
    return _response("".join(pieces), "stop" if ended else None)


def _of_lines(text: str) -> dict[str, JsonValue] | None:
    """The response of lines that begin with the letter of their kind; None for another text."""
    pieces, reason = [], None
    for line in text.strip().splitlines():
        if not _LETTERED.match(line):
            return None
        try:
            value = load_value(line[2:].encode())
        except RecordError:
            return None
        if line[0] == "0" and isinstance(value, str):
            pieces.append(value)
        elif line[0] == "3":
            return {"error": value}
        elif isinstance(value, dict):
            reason = value.get("finishReason") or reason
    return _response("".join(pieces), reason) if pieces or reason else None


def _response(text: str, reason: JsonValue) -> dict[str, JsonValue]:
    choice: JsonValue = {"message": {"role": "assistant", "content": text}, "finish_reason": reason}
    return {"choices": [choice], **({} if reason else {"stream_unfinished": True})}


def _value(data: str) -> JsonValue:
    if data.startswith('"'):
        try:
            return load_value(data.encode())
        except RecordError:
            return data
    return decoded(data)


def _piece(value: JsonValue) -> str | None:
    """The piece of the answer in the data of an event: a text, or that of an object."""
    if isinstance(value, str):
        return None if value in _ENDED or value.lstrip()[:1] in ("{", "[") else value
    if not isinstance(value, dict) or "reasoning" in str(value.get("type")) or "tool" in str(value.get("type")):
        return None
    for key in _PIECES:
        if isinstance(piece := value.get(key), str):
            return piece
        if isinstance(inner := value.get(key), Mapping) and isinstance(
            piece := inner.get("text", inner.get("content")), str
        ):
            return piece
    return None


def _is_end(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return any(str(value.get(key)) in _ENDED for key in ("type", "event", "status")) or value.get("done") is True
    return isinstance(value, str) and value in _ENDED
