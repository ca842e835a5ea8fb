"""Calls, documents and annotations in the OpenInference conventions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.readers.span_kit import batch, messages, read_lines, span

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
FLAT: dict[str, Any] = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "m-1",
    "llm.invocation_parameters": json.dumps({"model": "m", "max_tokens": 9, "tool_choice": "required", "stop": ["x"]}),
    "llm.tools.0.tool.json_schema": json.dumps(TOOL),
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "Weather?",
    "llm.input_messages.2.message.role": "assistant",
    "llm.input_messages.2.message.tool_calls.0.tool_call.id": "c1",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "get_weather",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": "",
    "llm.input_messages.3.message.role": "tool",
    "llm.input_messages.3.message.tool_call_id": "c1",
    "llm.input_messages.3.message.content": "rain",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Rain.",
    "llm.token_count.prompt": 9,
    "output.value": json.dumps({"choices": [{"finish_reason": "length", "message": {"content": "Rain."}}]}),
    "input.value": "{}",
    "session.id": "s",
    "user.id": "u",
    "metadata": '{"plan": "pro"}',
    "tag.tags": ["a", "b"],
}
NESTED: dict[str, Any] = {
    "openinference": {"span": {"kind": "LLM"}},
    "llm": {
        "model_name": "m-1",
        "invocation_parameters": {"model": "m", "max_tokens": 9, "tool_choice": "required", "stop": ["x"]},
        "tools": [{"tool": {"json_schema": json.dumps(TOOL)}}],
        "input_messages": [
            {"message": {"role": "system", "content": "Be brief."}},
            {"message": {"role": "user", "contents": [{"message_content": {"type": "text", "text": "Weather?"}}]}},
            {"message.role": "assistant", "message.tool_calls": [
                {"tool_call.id": "c1", "tool_call.function.name": "get_weather", "tool_call.function.arguments": ""}]},
            {"message": {"role": "tool", "tool_call_id": "c1", "content": "rain"}},
        ],
        "output_messages": [{"message": {"role": "assistant", "content": "Rain."}}],
        "token_count": {"prompt": 9},
    },
    "output": {"value": FLAT["output.value"]},
    "session": {"id": "s"},
    "user": {"id": "u"},
    "metadata": {"plan": "pro"},
    "tag": {"tags": ["a", "b"]},
}  # fmt: skip


def bare(attributes: dict[str, Any]) -> dict[str, Any]:
    context = {"trace_id": f"0x{1:032x}", "span_id": f"0x{1:016x}"}
    return {
        "name": "x",
        "context": context,
        "parent_id": None,
        "start_time": "2026-02-03T15:19:52Z",
        "attributes": attributes,
    }


@pytest.mark.parametrize("line", [batch(span(1, FLAT)), bare(FLAT), bare(NESTED)], ids=["otlp", "flat", "nested"])
def test_a_call_flattened_or_nested(tmp_path: Path, line: Any) -> None:
    (case,), rejected, _, reading = read_lines(tmp_path, line)
    assert not rejected
    assert [file.reader for file in reading.account.files.values()] == ["otlp"]
    assert messages(case) == [("system", "Be brief."), ("user", "Weather?"), ("assistant", ""), ("tool", "rain")]
    assert case.messages[2].tool_calls[0].arguments == "{}"
    assert (case.target, case.finish_reason, case.model) == ("Rain.", "length", "m-1")
    assert case.options == {"max_tokens": 9, "stop": ["x"], "tool_choice": "required", "tools": [TOOL]}
    assert case.session
    assert case.user_id
    assert {"plan": "pro", "tags": "a, b", "input_tokens": 9}.items() <= case.metadata.items()
    assert not reading.account.unused


@pytest.mark.parametrize(
    ("asked", "said", "system"),
    [
        ({"messages": [{"role": "user", "content": "Hello?"}], "system": "Be brief."}, {"content": [{"type": "text", "text": "Hi."}]}, True),
        ({"input": "Hello?", "instructions": "Be brief."}, {"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi."}]}]}, True),
        ({"contents": [{"role": "user", "parts": [{"text": "Hello?"}]}], "system_instruction": {"parts": [{"text": "Be brief."}]}}, {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi."}]}}]}, True),
        ({"messages": [[{"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "HumanMessage"], "kwargs": {"content": "Hello?"}}]]},
         {"generations": [[{"text": "Hi.", "message": {"lc": 1, "id": ["langchain", "AIMessage"], "kwargs": {"content": "Hi.", "type": "ai"}}}]]}, False),
        ("Hello?", "Hi.", False),
    ],
    ids=["anthropic", "responses", "gemini", "langchain", "text"],
)  # fmt: skip
def test_a_call_that_holds_the_bodies_only(tmp_path: Path, asked: Any, said: Any, system: bool) -> None:
    texts = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in (("input.value", asked), ("output.value", said))
    }
    (case,), rejected, *_ = read_lines(tmp_path, batch(span(1, {"openinference.span.kind": "LLM", **texts})))
    assert not rejected
    assert messages(case) == ([("system", "Be brief.")] if system else []) + [("user", "Hello?")]
    assert case.target == "Hi."


def test_an_answer_of_unknown_shape_is_set_aside(tmp_path: Path) -> None:
    attributes = {
        "openinference.span.kind": "LLM",
        "input.value": "Hello?",
        "output.value": '{"a": {"b": 1}, "c": 2}',
        "output.mime_type": "application/json",
    }
    cases, (rejected,), *_ = read_lines(tmp_path, batch(span(1, attributes)))
    assert not cases
    assert "unknown shape" in rejected.reason


@pytest.mark.parametrize(
    "said", ['{"label": "refund"}', '{"answer": "x", "sources": []}', '["a", "b"]', '[{"text": "a", "n": 1}]', "7"]
)
def test_an_answer_that_is_json_stays_as_it_is(tmp_path: Path, said: str) -> None:
    for attributes in (
        {
            "openinference.span.kind": "LLM",
            "input.value": "Hello?",
            "output.value": said,
            "output.mime_type": "text/plain",
        },
        {"llm.request.type": "chat", "gen_ai.prompt": '{"ticket": 7}', "gen_ai.completion": said},
        FLAT | {"llm.output_messages.0.message.content": said},
    ):
        (case,), rejected, *_ = read_lines(tmp_path, batch(span(1, attributes)))
        assert not rejected
        assert case.target == said
        assert case.user in ("Hello?", '{"ticket": 7}', "Weather?")


def test_hidden_inputs_are_no_question(tmp_path: Path) -> None:
    attributes = FLAT | {"llm.input_messages.1.message.contents.0.message_content.text": "__REDACTED__"}
    cases, (rejected,), *_ = read_lines(tmp_path, batch(span(1, attributes)))
    assert not cases
    assert "OPENINFERENCE_HIDE_INPUTS=false" in rejected.remedy


@pytest.mark.parametrize("kind", ["AGENT", "CHAIN", "TOOL", "EMBEDDING", "GUARDRAIL", "EVALUATOR", "PROMPT"])
def test_spans_of_other_kinds_are_no_questions(tmp_path: Path, kind: str) -> None:
    attributes = {"openinference.span.kind": kind, "input.value": "Hello?", "output.value": "Hi."}
    cases, rejected, others, _ = read_lines(tmp_path, batch(span(1, attributes)))
    assert not cases
    assert not rejected
    assert list(others) == [f"{kind.lower() if kind != 'PROMPT' else 'chain'} spans"]


def test_annotations_of_people_are_feedback_and_those_of_models_metadata(tmp_path: Path) -> None:
    rows = {
        "annotations.0.annotation.name": "quality",
        "annotations.0.annotation.annotator_kind": "HUMAN",
        "annotations.0.annotation.label": "thumbs-down",
        "annotations.0.annotation.score": 0,
        "annotations.0.annotation.explanation": "too short",
        "annotations.1.annotation.name": "relevance",
        "annotations.1.annotation.annotator_kind": "LLM",
        "annotations.1.annotation.score": 0.25,
    }
    (case,), *_ = read_lines(tmp_path, batch(span(1, FLAT | rows)))
    assert case.feedback is not None
    assert (case.feedback.thumb, case.feedback.comment) == ("down", "too short")
    assert case.metadata["relevance"] == 0.25
