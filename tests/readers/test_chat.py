from typing import Any

import pytest

from curator.errors import RecordError
from curator.readers.chat import is_chat, read_chat
from curator.readers.exchange import cases_of
from curator.records import Case, Message, Reference, Source, case_id
from tests.readers.reading_kit import case_of

TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SOURCE = Source("log.jsonl", 3)
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "q"}]}
COMPLETION: dict[str, Any] = {
    "id": "cmpl-1",
    "model": "m-2026",
    "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "a"}}],
}


def read(record: dict[str, Any], task: str | None = None) -> Case:
    return case_of(read_chat(record, SOURCE, task=task))


@pytest.mark.parametrize(
    "record",
    [
        {"request": ASK, "response": COMPLETION},
        {"request": ASK, "response": "a"},
        {"request": {"body": ASK}, "response": {"status_code": 200, "body": COMPLETION}},
        {"request": '{"messages": [{"role": "user", "content": "q"}]}', "response": COMPLETION},
        {"input": ASK, "output": COMPLETION},
        {"input": ASK["messages"], "output": "a"},
        {"input": "q", "output": "a"},
        {"body": ASK, "response": {"body": COMPLETION}},
        {**ASK, "choices": COMPLETION["choices"]},
        {**ASK, "completion": "a"},
        {**ASK, "response": COMPLETION},
        {**ASK, "output": {"role": "assistant", "content": "a"}},
        {"messages": [*ASK["messages"], {"role": "assistant", "content": "a"}]},
        {"messages": '[{"role": "user", "content": "q"}]', "response": "a"},
    ],
)
def test_every_container_gives_the_same_case(record: dict[str, Any]) -> None:
    assert is_chat(record)
    case = read(record)
    assert case.messages == (Message("user", "q"),)
    assert case.id == case_id(case.messages)
    assert (case.target, case.source, case.weight, case.group) == ("a", SOURCE, 1, "")


def test_a_database_row_holds_its_objects_as_text() -> None:
    record = {
        "messages": "{}",
        "response": "{}",
        "proxy_server_request": '{"messages": [{"role":"user","content":"q"}]}',
    }
    assert read(record).target is None
    assert read({**record, "response": '{"choices":[{"message":{"content":"a"}}]}'}).target == "a"


def test_model_ids_and_finish_reason() -> None:
    case = read({"request": {**ASK, "model": "m"}, "response": COMPLETION})
    assert (case.model, case.log_id, case.finish_reason) == ("m-2026", "cmpl-1", "stop")
    case = read({"request": {**ASK, "model": "m"}, "response": "a", "custom_id": "c-1", "finish_reason": "max_tokens"})
    assert (case.model, case.log_id, case.finish_reason, case.truncated) == ("m", "c-1", "length", True)
    assert read({"id": 7, "request_id": "r", **ASK}).log_id == "7"


def test_options_that_shape_an_answer_are_kept_and_no_others() -> None:
    request = {
        **ASK,
        "temperature": 0.3,
        "max_tokens": 5,
        "max_completion_tokens": 9,
        "stop": "\n",
        "response_format": {"type": "json_object"},
        "tools": [TOOL],
        "tool_choice": "auto",
    }
    assert read({"request": request}).options == {
        "max_tokens": 9,
        "stop": "\n",
        "response_format": {"type": "json_object"},
        "tools": [TOOL],
        "tool_choice": "auto",
    }
    nothing = {**ASK, "max_tokens": True, "stop": None, "response_format": "json", "tools": {}, "tool_choice": 1}
    assert read({"request": nothing}).options == {}
    assert read({**ASK, "model_parameters": {"max_tokens": 4}}).options == {"max_tokens": 4}


def test_metadata_keeps_scalars_and_gives_task_and_kind() -> None:
    record = {
        "request": {**ASK, "metadata": {"tenant": "t", "run": "old"}},
        "metadata": {"run": "new", "n": 1, "ok": True, "none": None, "deep": {}, "task": "route", "kind": "label"},
    }
    case = read(record, task="fallback")
    assert case.metadata == {"tenant": "t", "run": "new", "n": 1, "ok": True}
    assert (case.task, case.kind) == ("route", "label")


def test_task_and_kind_may_be_flat_or_missing() -> None:
    assert (read({**ASK, "task": "t", "kind": "number"}).task, read({**ASK, "kind": "number"}).kind) == ("t", "number")
    assert read(ASK, task="fallback").task == "fallback"
    assert read({**ASK, "kind": "essay"}).kind is None


def test_references() -> None:
    assert read({**ASK, "feedback": {"correction": "C"}}).reference == Reference("C", "correction")
    both = {**ASK, "label": "L", "labelled_by": "ana", "feedback": {"correction": "C"}}
    assert read(both).reference == Reference("L", "label", "ana")
    assert read(ASK).reference is None


def test_tool_calls_are_answers_of_kind_json() -> None:
    message = {"content": None, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}
    case = read({**ASK, "choices": [{"message": message}]})
    assert (case.kind, case.target) == ("json", '{"tool_calls":[{"arguments":{},"name":"f"}]}')


@pytest.mark.parametrize(
    "failure",
    [
        {"error": {"message": "boom"}},
        {"error": "boom", "response": None},
        {"status": "failure", "response": {}},
        {"error_str": "RateLimitError", "response": {}},
        {"response": {"status_code": 429, "body": {"error": {"message": "slow down"}}}},
    ],
)
def test_a_failed_call_is_a_case_without_a_target(failure: dict[str, Any]) -> None:
    case = read({**ASK, **failure})
    assert (case.target, case.finish_reason) == (None, "error")


def test_an_empty_answer_is_an_answer() -> None:
    assert read({**ASK, "response": ""}).target == ""
    assert read(ASK).target is None


@pytest.mark.parametrize(
    ("record", "reason", "remedy"),
    [
        ({"question": "x", "meta": {"lang": "en"}}, "found the keys 'question', 'meta.lang'", "{input: question}"),
        ({"data": {"prompt": "x"}, "reply": "y"}, "'data.prompt', 'reply'", "{input: data.prompt, target: reply}"),
        ({}, "found the keys none", "<the key of the user text>"),
        ({f"key{i}": i for i in range(40)}, "and 28 more", "input"),
        ({"messages": "hello"}, "`messages` is a JSON string", "log the list"),
        ({"choices": [{"message": {"content": "x"}}]}, "an answer without its question", "custom_id"),
        ({"custom_id": "1", "response": None, "error": {"code": "x"}}, "an answer without its question", "same run"),
        ({"request": {"messages": []}}, "no user message", "role `user`"),
        ({**ASK, "response": {"odd": 1}}, "unknown shape with the keys 'odd'", "mapping"),
    ],
)
def test_what_is_no_chat_record_says_what_to_do(record: dict[str, Any], reason: str, remedy: str) -> None:
    with pytest.raises(RecordError) as caught:
        read(record)
    assert reason in caught.value.reason
    assert remedy in caught.value.remedy


def test_the_messages_of_a_state_in_an_object_are_a_conversation() -> None:
    said = [("human", "Where?"), ("ai", "Here."), ("human", "And now?"), ("ai", "There.")]
    state: Any = {"messages": [{"type": kind, "content": text, "id": text} for kind, text in said]}
    record: Any = {
        "values": state,
        "next": [],
        "metadata": {"thread_id": "t1", "step": 4},
        "created_at": "2026-03-02T09:00:00Z",
    }
    cases = [case for case in cases_of(read_chat(record, Source("a", 1))) if isinstance(case, Case)]
    assert [(case.user, case.target) for case in cases] == [("Where?", "Here."), ("And now?", "There.")]
    assert all(case.session for case in cases)
