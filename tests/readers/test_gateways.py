"""Envelopes and errors of gateways and vendors that name neither the request nor the response in a usual way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from curator.config import LogsConfig
from curator.errors import RecordError
from curator.readers.chat import parse_chat
from curator.readers.pieces import Exchange
from curator.readers.reader import LogRecord
from curator.readers.turns import read_conversation
from curator.records import Source
from tests.readers.reading_kit import case_of

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Where is order 7?"}]}
ANSWER: dict[str, Any] = {"choices": [{"message": {"role": "assistant", "content": "Here."}, "finish_reason": "stop"}]}


def answer_of(record: dict[str, Any]) -> tuple[str | None, str | None]:
    piece = parse_chat(LogRecord(record, Source("log.jsonl", 1)), LogsConfig())
    assert isinstance(piece, Exchange)
    assert [message.content for message in piece.messages] == ["Where is order 7?"]
    case = case_of(piece)
    return case.target, case.finish_reason


@pytest.mark.parametrize(
    "record",
    [
        {
            "captureData": {
                "endpointInput": {"mode": "INPUT", "data": json.dumps(ASK), "encoding": "JSON"},
                "endpointOutput": {"mode": "OUTPUT", "data": json.dumps(ANSWER), "encoding": "JSON"},
            },
            "eventMetadata": {"eventId": "e"},
        },
        {"time": "t", "properties": {"requestBody": json.dumps(ASK), "responseBody": json.dumps(ANSWER)}},
        {"log": {"call": 1, "request": ASK, "response": ANSWER}},
    ],
)
def test_a_request_and_its_response_in_one_object_are_both_read(record: dict[str, Any]) -> None:
    assert answer_of(record) == ("Here.", "stop")


def test_the_status_beside_them_counts() -> None:
    body = json.dumps({"statusCode": 429, "message": "Rate limit is exceeded."})
    properties = {"responseCode": 429, "requestBody": json.dumps(ASK), "responseBody": body}
    assert answer_of({"properties": properties}) == (None, "error")


@pytest.mark.parametrize(
    "response",
    [
        {"fault": {"faultstring": "Spike arrest violation"}},
        {"error_code": 336003, "error_msg": "too long", "id": "x"},
        {"base_resp": {"status_code": 1004, "status_msg": "not auth"}},
        {"code": "InvalidApiKey", "message": "Invalid API-key provided.", "request_id": "x"},
        {"detail": [{"loc": ["body"], "msg": "field required"}]},
        {"success": False, "errors": [{"code": 10000}], "result": None},
        {"errors": [{"message": "boom"}], "data": None},
        [{"error": {"code": 429, "message": "Resource exhausted", "status": "RESOURCE_EXHAUSTED"}}],
        "Traceback (most recent call last):\n  File 'x.py', line 1\nTimeoutError",
        "<!DOCTYPE html><title>example.com | 524: A timeout occurred</title><p>Cloudflare</p>",
    ],
)
def test_an_error_of_a_vendor_is_a_failed_call(response: Any) -> None:
    assert answer_of({"request": ASK, "response": response}) == (None, "error")


@pytest.mark.parametrize(
    "response",
    [
        {"result": {"response": "Here."}, "success": True, "errors": [], "messages": []},
        {"output": "Here.", "status": 200},
    ],
)
def test_a_text_in_wrappers_is_the_answer(response: Any) -> None:
    assert answer_of({"request": ASK, "response": response})[0] == "Here."


@pytest.mark.parametrize(
    "response",
    [
        "<!DOCTYPE html><title>Bus 500 to the airport</title><hr>",
        '{"id": 7, "order": "cut',
        '{"id": 7, "name": "whole"}',
        "A traceback (most recent call last) shows the error.",
    ],
)
def test_what_a_model_wrote_stays_its_answer(response: str) -> None:
    assert answer_of({"request": ASK, "response": response}) == (response, None)


def test_a_response_that_the_logger_cut_off_is_set_aside() -> None:
    with pytest.raises(RecordError, match="cut off"):
        answer_of({"request": ASK, "response": json.dumps(ANSWER)[:60]})


def test_an_object_without_answer_and_error_is_not_guessed() -> None:
    with pytest.raises(RecordError, match="unknown shape"):
        answer_of({"request": ASK, "response": {"message": "Hello"}})


def test_calls_that_are_items_of_a_conversation_are_kept() -> None:
    messages = read_conversation(
        [
            {"role": "user", "content": "Where is order 7?"},
            {"type": "function_call", "call_id": "1", "name": "track", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "at noon"},
        ],
        {},
    ).messages
    assert [call.name for call in messages[1].tool_calls] == ["track"]
    assert (messages[2].role, messages[2].content, messages[2].tool_call_id) == ("tool", "at noon", "1")
