"""What tracers write is read: OpenTelemetry, OpenInference and OpenLLMetry over the openai SDK, MLflow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curator.records import Case, Reference
from tests.producers.conftest import Run
from tests.readers.reading_kit import read_all

pytestmark = pytest.mark.producers
TOOL = "get_weather"
SWITCHES = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true", "TRACELOOP_TRACE_CONTENT": "true"}


@pytest.mark.parametrize("tracer", ["openinference", "openllmetry", "opentelemetry"])
def test_the_calls_of_the_openai_sdk(run: Run, tmp_path: Path, tracer: str) -> None:
    otlp, sdk = tmp_path / "otlp.jsonl", tmp_path / "sdk.jsonl"
    run("tracers.txt", "traced_openai.py", tracer, otlp, sdk, **SWITCHES)
    has_all = (
        tracer != "opentelemetry"
    )  # it records no tools, and its messages are log records, which the second file lacks
    for file in (otlp, sdk) if has_all else (otlp,):
        cases = read_all([file])[0]
        assert (len(cases), sum(case.failed_call for case in cases)) == (5, 1)
        check_calls(cases, with_tools=has_all)


def check_calls(cases: list[Case], *, with_tools: bool) -> None:
    plain, called, answered, streamed, failed = sorted(cases, key=lambda case: case.time or 0)
    assert (plain.system, plain.user, plain.target) == ("You are terse.", "Where is Oslo?", "You asked: Where is Oslo?")
    assert (plain.finish_reason, plain.model, plain.options) == ("stop", "gpt-4o-2024-08-06", {"max_tokens": 50})
    assert (plain.metadata["input_tokens"], plain.metadata["output_tokens"]) == (11, 7)
    assert plain.latency_s
    assert called.target is not None
    assert "Let me look." in called.target
    assert answered.messages[2].tool_calls[0].name == TOOL
    assert json.loads(answered.messages[2].tool_calls[0].arguments) == {"city": "Oslo"}
    assert (answered.messages[3].content, answered.messages[3].tool_call_id) == ("3 degrees", "call_1")
    assert answered.target == "You asked: 3 degrees"
    if with_tools:
        (tool,) = called.options["tools"]  # type: ignore[misc,union-attr]
        assert tool["function"]["name"] == TOOL  # type: ignore[index,call-overload]
    assert (streamed.target or "").strip() == "You asked: Count to three."
    assert (failed.user, failed.failed_call) == ("Please fail.", True)


def test_calls_whose_content_was_not_captured(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "otlp.jsonl"
    off = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "false"}
    run("tracers.txt", "traced_openai.py", "opentelemetry", file, tmp_path / "sdk.jsonl", **off)
    cases, reading, _ = read_all([file])
    assert not cases
    assert reading.account.rejected == 5


def test_the_traces_of_mlflow(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    run("tracers.txt", "traced_mlflow.py", tmp_path / "store", file)
    (case,), _, _ = read_all([file])
    assert (case.system, case.user) == ("Use: Where is Oslo?: Norway.", "Where is Oslo?")
    assert (case.target, case.finish_reason, case.model) == ("You asked: Where is Oslo?", "stop", "gpt-4o-2024-08-06")
    assert [(document.text, document.id, document.score) for document in case.documents] == [
        ("Where is Oslo?: Norway.", "atlas", 0.9)
    ]
    assert case.feedback is not None
    assert (case.feedback.thumb, case.feedback.comment) == ("down", "by human")
    assert case.reference == Reference("In Norway.", "label", "ann")
    assert case.metadata["length"] == 24
    assert case.session
    assert case.user_id
