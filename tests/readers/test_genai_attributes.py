"""Calls in the GenAI conventions of OpenTelemetry, old and new, and of OpenLLMetry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.readers.span_kit import batch, log, logs, messages, read_lines, span

CHAT: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m"}
ASKED = [
    {"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]},
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "I should look."},
            {"type": "text", "content": "One moment."},
            {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Paris"}},
        ],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": {"sky": "rain"}}]},
]
SAID = [{"role": "assistant", "parts": [{"type": "text", "content": "Rain."}], "finish_reason": "stop"}]
TOOLS = [{"type": "function", "name": "get_weather", "description": "d", "parameters": {"type": "object"}}]
WHOLE = [
    ("system", "Be brief."),
    ("user", "Weather in Paris?"),
    ("assistant", "One moment."),
    ("tool", '{"sky":"rain"}'),
]


@pytest.mark.parametrize("encode", [json.dumps, lambda value: value], ids=["JSON text", "structured"])
def test_the_messages_of_the_new_convention(tmp_path: Path, encode: Any) -> None:
    attributes = CHAT | {
        "gen_ai.input.messages": encode(ASKED),
        "gen_ai.output.messages": encode(SAID),
        "gen_ai.system_instructions": encode([{"type": "text", "content": "Be brief."}]),
        "gen_ai.tool.definitions": encode(TOOLS),
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.response.model": "m-1",
        "gen_ai.response.id": "r1",
        "gen_ai.conversation.id": "s1",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
    }
    (case,), rejected, others, reading = read_lines(tmp_path, batch(span(1, attributes, seconds=2.5)))
    assert not rejected
    assert not others
    assert messages(case) == WHOLE
    (call,) = case.messages[2].tool_calls
    assert (call.id, call.name, json.loads(call.arguments)) == ("c1", "get_weather", {"city": "Paris"})
    assert case.messages[3].tool_call_id == "c1"
    assert (case.target, case.finish_reason, case.model, case.log_id) == ("Rain.", "stop", "m-1", "r1")
    assert case.options["max_tokens"] == 50
    assert case.options["stop"] == ["END"]
    assert case.options["tools"] == [
        {"type": "function", "function": {key: TOOLS[0][key] for key in ("name", "description", "parameters")}}
    ]
    assert case.session
    assert (case.time, case.latency_s) == (1_770_000_000, 2.5)
    assert case.metadata == {"provider": "openai", "service": "shop", "input_tokens": 12, "output_tokens": 3}
    assert not reading.account.unused


@pytest.mark.parametrize(
    "asked",
    [
        "Hello?",
        '[{"role": "user", "content": "Hello?"}]',
        '{"role": "user", "content": [{"type": "text", "text": "Hello?"}]}',
    ],
)
def test_messages_without_parts_and_plain_texts_are_read_too(tmp_path: Path, asked: str) -> None:
    attributes = CHAT | {"gen_ai.input.messages": asked, "gen_ai.output.messages": "Hi."}
    (case,), *_ = read_lines(tmp_path, batch(span(1, attributes)))
    assert (messages(case), case.target) == ([("user", "Hello?")], "Hi.")


OLD = [
    ("gen_ai.system.message", {"content": "Be brief."}),
    ("gen_ai.user.message", {"content": "Weather in Paris?"}),
    ("gen_ai.assistant.message", {"content": "One moment.", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}]}),
    ("gen_ai.tool.message", {"id": "c1", "content": '{"sky":"rain"}'}),
    ("gen_ai.choice", {"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "Rain."}}),
]  # fmt: skip


def said(case: Any) -> tuple[Any, ...]:
    """The whole exchange: the messages, the call and its result, the answer and its end."""
    call, result = case.messages[2].tool_calls[0].name, case.messages[3].tool_call_id
    return messages(case), call, result, case.target, case.finish_reason


SAID_OF_OLD = (WHOLE, "get_weather", "c1", "Rain.", "length")


def test_the_events_of_the_old_convention_on_the_span(tmp_path: Path) -> None:
    events = [
        (name, {key: json.dumps(v) if isinstance(v, list | dict) else v for key, v in body.items()})
        for name, body in OLD
    ]
    (case,), *_ = read_lines(tmp_path, batch(span(1, CHAT, events=events)))
    assert said(case) == SAID_OF_OLD


def test_the_events_of_the_old_convention_in_one_attribute(tmp_path: Path) -> None:
    events = json.dumps([{"event.name": name, "gen_ai.message.index": i, **body} for i, (name, body) in enumerate(OLD)])
    (case,), *_ = read_lines(tmp_path, batch(span(1, CHAT | {"events": events})))
    assert said(case) == SAID_OF_OLD


@pytest.mark.parametrize("with_span", [True, False])
def test_the_events_of_the_old_convention_as_log_records(tmp_path: Path, with_span: bool) -> None:
    records = [log(name, body, id_=1, at=i / 100) for i, (name, body) in enumerate(OLD)]
    lines = [logs(record) for record in records]
    if with_span:
        lines.append(batch(span(1, CHAT | {"gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 1})))
    (case,), rejected, others, _ = read_lines(tmp_path, *lines)
    assert said(case) == SAID_OF_OLD
    assert not rejected
    assert others == {"messages that are logged beside their call": 5 if with_span else 4}
    assert case.metadata.get("input_tokens") == (9 if with_span else None)


def test_the_event_with_the_whole_call_is_joined_with_its_span(tmp_path: Path) -> None:
    content = {
        "gen_ai.input.messages": ASKED,
        "gen_ai.output.messages": SAID,
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
    }
    event = log("gen_ai.client.inference.operation.details", "", id_=2, **CHAT, **content)
    root = span(1, {"gen_ai.operation.name": "invoke_agent", "session.id": "s"})
    call = span(2, CHAT | {"gen_ai.usage.output_tokens": 3}, parent=1, seconds=2)
    for lines in ([logs(event), batch(root, call)], [batch(root, call), logs(event)]):
        (case,), rejected, others, _ = read_lines(tmp_path, *lines)
        assert not rejected
        assert messages(case) == WHOLE
        assert (case.target, case.latency_s, case.metadata["output_tokens"]) == ("Rain.", 2, 3)
        assert case.session
        assert others == {"agent spans": 1, "calls whose content stands in another record": 1}


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Be brief.", "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "Hello?",
         "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "Hi.", "gen_ai.completion.0.finish_reason": "stop"},
        {"gen_ai.prompt": '[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]',
         "gen_ai.completion": '[{"role": "assistant", "content": "Hi."}]', "gen_ai.response.finish_reasons": ["stop"]},
        {"traceloop.entity.input": '{"system": "Be brief.", "messages": [{"role": "user", "content": "Hello?"}]}',
         "traceloop.entity.output": '{"content": [{"type": "text", "text": "Hi."}], "stop_reason": "stop"}'},
    ],
    ids=["numbered", "texts", "entity"],
)  # fmt: skip
def test_the_prompts_of_openllmetry(tmp_path: Path, attributes: dict[str, Any]) -> None:
    more = {
        "llm.request.type": "chat",
        "traceloop.association.properties.session_id": "s",
        "traceloop.association.properties.plan": "pro",
    }
    (case,), *_ = read_lines(tmp_path, batch(span(1, attributes | more)))
    assert (messages(case), case.target, case.finish_reason) == (
        [("system", "Be brief."), ("user", "Hello?")],
        "Hi.",
        "stop",
    )
    assert case.session
    assert case.metadata["plan"] == "pro"


def test_tools_and_calls_of_openllmetry(tmp_path: Path) -> None:
    attributes = {
        "llm.request.type": "chat",
        "llm.request.functions.0.name": "get_weather",
        "llm.request.functions.0.parameters": '{"type": "object"}',
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "Weather?",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.tool_calls.0.id": "c1",
        "gen_ai.completion.0.tool_calls.0.name": "get_weather",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"city": "Paris"}',
        "gen_ai.completion.0.finish_reason": "tool_calls",
    }
    (case,), *_ = read_lines(tmp_path, batch(span(1, attributes)))
    assert json.loads(case.target or "") == {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}
    assert case.options["tools"] == [
        {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    ]


BLOCKS = [
    ("gen_ai.system.message", {"content": '[{"text": "Be brief."}]'}),
    ("gen_ai.user.message", {"content": '[{"text": "Weather in Paris?"}]'}),
    ("gen_ai.assistant.message", {"content": '[{"text": "One moment."}, {"toolUse": {"toolUseId": "c1", "name": "get_weather", "input": {"city": "Paris"}}}]'}),
    ("gen_ai.tool.message", {"content": '[{"text": "{\\"sky\\":\\"rain\\"}"}]', "id": "c1"}),
    ("gen_ai.choice", {"message": '[{"reasoningContent": {"text": "hm"}}, {"text": "Rain."}]', "finish_reason": "length"}),
]  # fmt: skip
WRAPPED = [(name, {"gen_ai.event.content": json.dumps(body)}) for name, body in OLD]


@pytest.mark.parametrize("events", [BLOCKS, WRAPPED], ids=["blocks", "one attribute"])
def test_events_whose_content_is_json(tmp_path: Path, events: Any) -> None:
    (case,), *_ = read_lines(tmp_path, batch(span(1, CHAT, events=events)))
    assert said(case) == SAID_OF_OLD


def test_a_second_choice_is_noted(tmp_path: Path) -> None:
    attributes = CHAT | {"gen_ai.input.messages": "Hello?", "gen_ai.output.messages": json.dumps([*SAID, *SAID])}
    (case,), _, _, reading = read_lines(tmp_path, batch(span(1, attributes)))
    assert case.target == "Rain."
    assert any("further choices" in line for line in reading.account.note_lines())


def test_a_call_whose_content_was_not_captured_is_set_aside_with_the_switch(tmp_path: Path) -> None:
    cases, (rejected,), *_ = read_lines(tmp_path, batch(span(1, CHAT)))
    assert not cases
    assert "not captured" in rejected.reason
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in rejected.remedy
    assert "TRACELOOP_TRACE_CONTENT" in rejected.remedy


def test_an_image_is_not_read_as_text(tmp_path: Path) -> None:
    asked = [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "What is it?"},
                {"type": "blob", "modality": "image", "content": "aGk="},
            ],
        }
    ]
    cases, (rejected,), *_ = read_lines(tmp_path, batch(span(1, CHAT | {"gen_ai.input.messages": json.dumps(asked)})))
    assert not cases
    assert "blob" in rejected.reason


def test_content_of_a_span_of_no_convention_is_named(tmp_path: Path) -> None:
    spans = [
        span(1, {"acme.prompt": "Where?", "acme.completion": "Here."}),
        span(2, {"db.query.text": "select 1", "input.value": "x"}),
    ]
    cases, _, others, reading = read_lines(tmp_path, batch(*spans))
    assert not cases
    assert others == {"other spans": 2}
    assert set(reading.account.unused) == {"acme.prompt", "acme.completion"}


def test_keys_of_unknown_conventions_are_named(tmp_path: Path) -> None:
    attributes = CHAT | {
        "gen_ai.input.messages": "Hello?",
        "gen_ai.output.messages": "Hi.",
        "acme.retrieved.documents": "x",
        "acme.count": 3,
    }
    _, _, _, reading = read_lines(tmp_path, batch(span(1, attributes)))
    assert set(reading.account.unused) == {"acme.retrieved.documents"}
