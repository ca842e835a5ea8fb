"""Bodies of single models in the invocation logs of Amazon Bedrock, whole, streamed, and kept in another file."""

from __future__ import annotations

from typing import Any

import pytest

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.chat import parse_chat
from curator.readers.pieces import Exchange
from curator.readers.reader import LogRecord
from curator.records import Source


def parsed(**more: Any) -> Exchange:
    record: dict[str, Any] = {
        "schemaType": "ModelInvocationLog",
        "modelId": "a.model",
        "operation": "InvokeModel",
        "ts": "2026-10-01T08:00:00Z",
        "input": {"inputContentType": "application/json", "inputBodyJson": {"prompt": "Where is claim 7?"}},
        **more,
    }
    piece = parse_chat(LogRecord(record, Source("log.json.gz", 1)), LogsConfig())
    assert isinstance(piece, Exchange)
    return piece


@pytest.mark.parametrize(
    "body",
    [
        {"generation": "In Bonn", "prompt_token_count": 5, "stop_reason": "length"},
        {"outputs": [{"text": "In Bonn", "stop_reason": "length"}]},
        {"generations": [{"text": "In Bonn", "finish_reason": "MAX_TOKENS"}]},
        {"completion": "In Bonn", "stop_reason": "max_tokens"},
        {"results": [{"outputText": "In Bonn", "completionReason": "LENGTH", "tokenCount": 2}]},
        [{"outputText": "In ", "completionReason": None}, {"outputText": "Bonn", "completionReason": "LENGTH"}],
        [{"generation": "In ", "stop_reason": None}, {"generation": "Bonn", "stop_reason": "length"}],
        [{"outputs": [{"text": "In ", "stop_reason": None}]}, {"outputs": [{"text": "Bonn", "stop_reason": "length"}]}],
        [{"completion": "In ", "stop_reason": None}, {"completion": "Bonn", "stop_reason": None}],
    ],
)
def test_the_answer_of_each_model_is_read(body: Any) -> None:
    piece = parsed(output={"outputContentType": "application/json", "outputBodyJson": body, "outputTokenCount": 3})
    assert piece.reply is not None
    assert (piece.reply.text, piece.reply.finish_reason) == ("In Bonn", "length")
    assert piece.time == 1_790_841_600


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"input": {"inputBodyS3Path": "s3://bucket/in.json.gz"}}, "'input.inputBodyS3Path' names the file"),
        ({"output": {"outputBodyS3Path": "s3://bucket/out.json.gz"}}, "'outputBodyS3Path' names the file"),
    ],
)
def test_a_body_in_another_file_is_set_aside_and_its_address_not_asked(more: dict[str, Any], what: str) -> None:
    with pytest.raises(RecordError, match=what) as caught:
        parsed(**more)
    assert "mapping" not in caught.value.remedy
