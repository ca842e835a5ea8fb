"""Streamed chat completions, which some endpoints send although no stream was asked for."""

from __future__ import annotations

from typing import Any

import orjson

_DONE = b"[DONE]"


def join_stream(body: bytes) -> dict[str, Any] | None:
    """Return the chat completion that the events of a stream add up to; None for any other body.

    The events are server-sent ones (`data: {...}`) or lines of JSON. An error event becomes the `error` of the completion.
    A stream that ends early gives a completion without choices, since its text is not a whole answer.
    """
    chunks = _chunks(body)
    if chunks is None:
        return None
    joined: dict[str, Any] = {"choices": []}
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        joined |= {key: value for key, value in chunk.items() if key != "choices" and value is not None}
        for part in chunk.get("choices") or ():
            if isinstance(part, dict):
                _add(choices.setdefault(_index(part), {"index": _index(part), "message": {}}), part)
    if _DONE in body or any(choice.get("finish_reason") for choice in choices.values()):
        joined["choices"] = [choice for _, choice in sorted(choices.items())]
    return joined


def _chunks(body: bytes) -> list[dict[str, Any]] | None:
    """Return the whole events of a stream as JSON; None for any other body."""
    chunks: list[dict[str, Any]] = []
    for line in body.splitlines():
        text = line.strip()
        if not text or text.startswith((b":", b"event:", b"id:", b"retry:")):
            continue
        data = text.removeprefix(b"data:").strip()
        if data == _DONE:
            continue
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            chunk = None
        if isinstance(chunk, dict) and chunk.keys() & {"choices", "error", "usage"}:
            chunks.append(chunk)
        elif not chunks:
            return None
    return chunks or None


def _index(choice: dict[str, Any]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _add(choice: dict[str, Any], part: dict[str, Any]) -> None:
    """Append one event's part of a choice to what came before."""
    message = choice["message"]
    delta = part.get("delta") or part.get("message")
    for key, value in delta.items() if isinstance(delta, dict) else ():
        if key == "tool_calls":
            _add_calls(message, value)
        elif isinstance(value, str) and key not in {"role", "id"}:
            message[key] = (message.get(key) or "") + value
        elif value is not None:
            message[key] = value
    for key in ("finish_reason", "error"):
        choice[key] = part.get(key) or choice.get(key)
    logprobs = part.get("logprobs")
    if isinstance(logprobs, dict) and isinstance(tokens := logprobs.get("content"), list):
        choice.setdefault("logprobs", {"content": []})["content"].extend(tokens)


def _add_calls(message: dict[str, Any], deltas: Any) -> None:  # noqa: ANN401
    calls = message.setdefault("tool_calls", [])
    for place, delta in enumerate(deltas if isinstance(deltas, list) else ()):
        if not isinstance(delta, dict):
            continue
        index = delta.get("index", place)
        call = next((call for call in calls if call["index"] == index), None)
        if call is None:
            call = {"index": index, "function": {"name": "", "arguments": ""}}
            calls.append(call)
        call |= {key: value for key, value in delta.items() if key in {"id", "type"} and value}
        function = delta.get("function")
        for key in ("name", "arguments"):
            if isinstance(function, dict) and isinstance(piece := function.get(key), str):
                call["function"][key] += piece
