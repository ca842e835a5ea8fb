"""Traces of MLflow as JSON and as the rows of a table."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from curator.records import Reference
from tests.readers.span_kit import messages, read_lines


def encoded(id_: int, length: int) -> str:
    return base64.b64encode(id_.to_bytes(length, "big")).decode()


def span(id_: int, kind: str, asked: Any, said: Any, parent: int | None = None, **more: Any) -> dict[str, Any]:
    attributes = {
        "mlflow.spanType": kind,
        "mlflow.spanInputs": asked,
        "mlflow.spanOutputs": said,
        "mlflow.traceRequestId": "tr-1",
        **more,
    }
    return {
        "trace_id": encoded(7, 16), "span_id": encoded(id_, 8), "parent_span_id": parent and encoded(parent, 8), "name": kind.lower(),
        "start_time_unix_nano": 1_770_000_000_000_000_000 + id_ * 10**9, "end_time_unix_nano": 1_770_000_000_500_000_000 + id_ * 10**9,
        "events": [], "status": {"code": "STATUS_CODE_OK", "message": ""}, "attributes": {key: json.dumps(value) for key, value in attributes.items()},
    }  # fmt: skip


REQUEST = {
    "model": "m",
    "max_tokens": 9,
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where?"}],
}
RESPONSE = {
    "model": "m-1",
    "choices": [{"finish_reason": "length", "message": {"role": "assistant", "content": "Here."}}],
}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
SPANS = [
    span(1, "CHAIN", {"q": "Where?"}, "Here."),
    span(
        2,
        "RETRIEVER",
        {"q": "Where?"},
        [{"page_content": "Here it is.", "metadata": {"doc_uri": "wiki"}, "id": None}],
        1,
    ),
    span(
        3,
        "CHAT_MODEL",
        REQUEST,
        RESPONSE,
        1,
        **{"mlflow.chat.tools": TOOLS, "mlflow.chat.tokenUsage": {"input_tokens": 5, "output_tokens": 2}},
    ),
]


def assessment(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "assessment_name": name,
        "trace_id": "tr-1",
        "source": {"source_type": kind, "source_id": "ann"},
        "valid": True,
        **more,
    }


ASSESSMENTS = [
    assessment("HUMAN", "helpful", feedback={"value": False}, rationale="wrong place"),
    assessment("LLM_JUDGE", "relevance", feedback={"value": 0.25}),
    assessment("HUMAN", "expected_response", expectation={"value": "There."}),
    assessment("HUMAN", "helpful", feedback={"value": True}, valid=False),
]
METADATA = {"mlflow.trace.session": "s", "mlflow.trace.user": "u", "mlflow.user": "root"}
INFO = {
    "trace_id": "tr-1",
    "request_time": "2026-11-22T08:03:55.900Z",
    "state": "OK",
    "trace_metadata": METADATA,
    "tags": {},
    "assessments": ASSESSMENTS,
}
TRACE = {"info": INFO, "data": {"spans": SPANS}}


@pytest.mark.parametrize(
    "line",
    [
        TRACE,
        {"trace_id": "tr-1", "trace": json.dumps(TRACE), "request": '{"q": "Where?"}', "response": '"Here."', "state": "OK"},
        {"trace_id": "tr-1", "trace_metadata": METADATA, "spans": SPANS, "assessments": ASSESSMENTS, "request": "{}", "response": "1"},
        {"trace_id": "tr-1", "trace_metadata": json.dumps(METADATA), "spans": json.dumps(SPANS), "assessments": json.dumps(ASSESSMENTS)},
    ],
    ids=["json", "table with traces", "table", "table of texts"],
)  # fmt: skip
def test_a_trace_with_its_assessments(tmp_path: Path, line: dict[str, Any]) -> None:
    (case,), rejected, others, reading = read_lines(tmp_path, line)
    assert not rejected
    assert messages(case) == [("system", "Be brief."), ("user", "Where?")]
    assert (case.target, case.finish_reason, case.model, case.latency_s) == ("Here.", "length", "m-1", 0.5)
    assert case.options == {"max_tokens": 9, "tools": TOOLS}
    assert [(document.text, document.id) for document in case.documents] == [("Here it is.", "wiki")]
    assert case.feedback is not None
    assert (case.feedback.thumb, case.feedback.comment) == ("down", "wrong place")
    assert case.reference == Reference("There.", "label", "ann")
    assert case.session
    assert case.user_id
    assert {"relevance": 0.25, "input_tokens": 5, "output_tokens": 2}.items() <= case.metadata.items()
    assert others == {
        "chain spans": 1,
        "retriever spans": 1,
        "assessments": 1,
        "assessments by models and programs": 1,
        "expectations": 1,
    }
    assert [file.reader for file in reading.account.files.values()] == ["mlflow"]


def test_the_spans_of_an_earlier_version(tmp_path: Path) -> None:
    spans = [
        {"name": "llm", "context": {"span_id": "0x1", "trace_id": "0x7"}, "parent_id": None, "start_time": 1_770_000_000_000_000_000,
         "end_time": 1_770_000_001_000_000_000, "status_code": "OK", "attributes": SPANS[2]["attributes"], "events": []}
    ]  # fmt: skip
    line = {
        "info": {"request_id": "7", "timestamp_ms": 1, "status": "OK", "request_metadata": METADATA},
        "data": {"spans": spans, "request": "{}"},
    }
    (case,), *_ = read_lines(tmp_path, line)
    assert (case.target, case.latency_s) == ("Here.", 1.0)
    assert case.session


def test_a_function_that_was_traced_as_a_model(tmp_path: Path) -> None:
    spans = [
        span(1, "LLM", {"question": "Where?"}, {"answer": "Here.", "sources": ["x"]}),
        span(2, "LLM", {"a": 1, "b": 2}, "x"),
    ]
    (case,), (rejected,), *_ = read_lines(tmp_path, {"info": INFO | {"assessments": []}, "data": {"spans": spans}})
    assert (messages(case), case.target) == ([("user", "Where?")], "Here.")
    assert "not captured" in rejected.reason


def test_a_conversation_of_chat_messages_ends_with_the_answer(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Here."}]
    spans = [span(1, "CHAT_MODEL", {"x": 1}, RESPONSE, **{"mlflow.chat.messages": chat})]
    (case,), *_ = read_lines(tmp_path, {"info": INFO | {"assessments": []}, "data": {"spans": spans}})
    assert (messages(case), case.target) == ([("user", "Where?")], "Here.")


def test_a_trace_without_spans_is_no_exchange(tmp_path: Path) -> None:
    cases, rejected, others, _ = read_lines(tmp_path, {"info": INFO | {"assessments": []}, "data": {"spans": []}})
    assert not cases
    assert not rejected
    assert others == {"traces without spans": 1}
