"""Streams of every API, as texts and as lists, to the answers that they add up to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from curator.readers.replies import Reply, read_reply
from curator.readers.streams import UNFINISHED, events_of


def sse(*events: Any, done: bool = False) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + ("data: [DONE]\n\n" if done else "")


def chat(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"id": "s", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


ITEM = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Bonn"}]}
ANTHROPIC: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "s", "model": "m", "role": "assistant", "content": []}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Bo"}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "nn"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    {"type": "message_stop"},
]
GEMINI: list[dict[str, Any]] = [
    {"modelVersion": "m", "candidates": [{"content": {"parts": [{"text": "Bo"}]}}]},
    {"modelVersion": "m", "candidates": [{"content": {"parts": [{"text": "nn"}]}, "finishReason": "STOP"}]},
]
OLLAMA = [
    {"model": "m", "message": {"role": "assistant", "content": "Bo"}, "done": False},
    {"model": "m", "message": {"role": "assistant", "content": "nn"}, "done": True, "done_reason": "stop"},
]
BEDROCK: list[dict[str, Any]] = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"delta": {"text": "Bonn"}, "contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "end_turn"}},
]
RESPONSES: list[dict[str, Any]] = [
    {"type": "response.created", "response": {"id": "s", "model": "m", "status": "in_progress", "output": []}},
    {"type": "response.output_text.delta", "delta": "Bo"},
    {"type": "response.completed", "response": {"id": "s", "model": "m", "object": "response", "status": "completed", "output": [ITEM]}},
]  # fmt: skip


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (sse(chat({"content": "Bo"}), chat({"content": "nn"}, "stop"), done=True), "stop"),
        (sse(chat({"content": "Bonn"}), done=True).replace("\n\n", "\n"), None),
        (sse(*RESPONSES), "stop"),
        (RESPONSES, "stop"),
        ("".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in ANTHROPIC), "stop"),
        (ANTHROPIC, "stop"),
        (sse(*GEMINI).replace("\n", "\r\n"), "stop"),
        (GEMINI, "stop"),
        ("\n".join(map(json.dumps, OLLAMA)), "stop"),
        (BEDROCK, "stop"),
        ([f"data: {json.dumps(chat({'content': 'Bonn'}, 'stop'))}", "", "data: [DONE]"], "stop"),
    ],
)
def test_the_stream_of_every_api_is_its_answer(stream: Any, reason: str | None) -> None:
    reply = read_reply(stream)
    assert (reply.text, reply.finish_reason, reply.notes) == ("Bonn", reason, ())


@pytest.mark.parametrize(
    "stream",
    [
        sse(chat({"content": "Bo"})),
        sse(*ANTHROPIC[:5]),
        GEMINI[:1],
        "\n".join([json.dumps(OLLAMA[0])] * 2),
        BEDROCK[:2],
    ],
)
def test_a_stream_without_its_end_is_cut_off(stream: Any) -> None:
    reply = read_reply(stream)
    assert reply.text
    assert (reply.finish_reason, reply.notes) == ("length", (UNFINISHED,))


@pytest.mark.parametrize(
    "stream",
    [
        sse(chat({"content": "Bo"}), {"error": {"message": "overloaded", "code": 529}}),
        sse(*ANTHROPIC[:4], {"type": "error", "error": {"type": "overloaded_error"}}),
        sse(RESPONSES[0], {"type": "response.failed", "response": {"status": "failed", "error": {"code": "x"}}}),
    ],
)
def test_an_error_in_a_stream_is_a_failed_call(stream: str) -> None:
    assert read_reply(stream) == Reply(finish_reason="error")


def test_calls_of_tools_are_put_together() -> None:
    pieces = ['{"x"', ": 1}"]
    opened = {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    }
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}}
        for piece in pieces
    ]
    whole = '{"tool_calls":[{"arguments":{"x":1},"name":"f"}]}'
    assert read_reply(sse(ANTHROPIC[0], opened, *deltas, *ANTHROPIC[-2:])).text == whole
    calls = [chat({"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": pieces[0]}}]})]
    calls += [chat({"tool_calls": [{"index": 0, "function": {"arguments": pieces[1]}}]}, "tool_calls")]
    assert read_reply(sse(*calls, done=True)).text == whole


@pytest.mark.parametrize(
    "text",
    [
        "data: the plural of datum",
        'A stream has lines such as\n\ndata: {"choices": [{"delta": {}}]}',
        'data: {"total": 3}',
        '{"a": 1}\n{"a": 2}',
        "",
        "id: 7\nevent: lunch",
    ],
)
def test_a_text_about_streams_stays_a_text(text: str) -> None:
    assert events_of(text) is None
    assert read_reply(text).text == text
