"""Calls that ask no chat model are counted, and are no rejected records and no failed cases."""

from __future__ import annotations

from typing import Any

import pytest

from curator.config import LogsConfig
from curator.readers.chat import parse_chat
from curator.readers.pieces import Exchange, NoExchange
from curator.readers.reader import LogRecord
from curator.records import Source

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Draw an image of a dog"}]}
VECTOR: dict[str, Any] = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}]}
ANSWER: dict[str, Any] = {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "a"}}]}


def parsed(record: dict[str, Any]) -> object:
    return parse_chat(LogRecord(record, Source("log.jsonl", 1)), LogsConfig())


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"call_type": "aembedding", "messages": "x", "response": VECTOR, "model": "te3"}, "embedding calls"),
        ({"call_type": "aembedding", "messages": "x", "response": {}, "status": "failure"}, "embedding calls"),
        ({"request": {"model": "m", "input": "x"}, "response": VECTOR}, "embedding calls"),
        ({"url": "/v1/embeddings", "custom_id": "1", "body": {"input": "x"}, "method": "POST"}, "embedding calls"),
        (
            {"modelId": "amazon.titan-embed-text-v2:0", "input": {"inputBodyJson": {"inputText": "x"}}, "output": {}},
            "embedding calls",
        ),
        ({"request": {"prompt": "a dog", "model": "x"}, "response": {"data": [{"b64_json": "AA"}]}}, "image calls"),
        ({"request": {"input": "x", "model": "m"}, "response": {"results": [{"flagged": False}]}}, "moderation calls"),
        ({"call_type": "arerank", "messages": "x", "response": {}}, "reranking calls"),
    ],
)
def test_a_call_of_another_kind_gives_no_case(record: dict[str, Any], what: str) -> None:
    piece = parsed(record)
    assert isinstance(piece, NoExchange)
    assert piece.what == what


@pytest.mark.parametrize(
    "record",
    [
        {"call_type": "acompletion", **ASK, "response": ANSWER, "model": "m"},
        {"request": {**ASK, "model": "image-moderation-embed-chat"}, "response": ANSWER},
        {"url": "/v1/chat/completions", "request": ASK, "response": ANSWER},
        {"path": "/embedding-docs/chat", "request": ASK, "response": ANSWER},
    ],
)
def test_a_call_of_a_chat_model_stays_one(record: dict[str, Any]) -> None:
    assert isinstance(parsed(record), Exchange)
