from typing import Any

import pytest

from curator.errors import RecordError
from curator.readers.messages import read_messages, require_question, text_of
from curator.readers.parts import read_call, read_result
from curator.records import Message, ToolCall


def test_developer_is_system_and_function_is_tool() -> None:
    roles = ["system", "developer", "user", "assistant", "tool", "function"]
    messages = read_messages([{"role": role, "content": "x"} for role in roles])
    assert [m.role for m in messages] == ["system", "system", "user", "assistant", "tool", "tool"]


def test_text_parts_are_joined_by_line_feeds_and_thoughts_are_left_out() -> None:
    content: Any = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "one"},
        {"type": "output_text", "text": "two"},
        {"type": "refusal", "refusal": "three"},
        "four",
        {"text": "five"},
    ]
    assert text_of(content) == "one\ntwo\nthree\nfour\nfive"


def test_the_type_of_a_message_says_who_speaks_where_it_has_no_role() -> None:
    call: Any = {"name": "f", "args": {"x": 1}, "id": "k", "type": "tool_call"}
    assert read_messages([
        {"type": "system", "content": "Be brief."}, {"type": "human", "content": "Where?"},
        {"type": "ai", "content": "", "tool_calls": [call]}, {"type": "tool", "content": "4", "tool_call_id": "k"},
    ]) == (
        Message("system", "Be brief."), Message("user", "Where?"), Message("assistant", "", (ToolCall("k", "f", '{"x":1}'),)),
        Message("tool", "4", tool_call_id="k"),
    )  # fmt: skip


def test_null_content_is_empty_text() -> None:
    assert read_messages([{"role": "assistant", "content": None}, {"role": "user"}]) == (
        Message("assistant", ""),
        Message("user", ""),
    )


def test_tool_calls_and_their_results() -> None:
    messages = read_messages(
        [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
                    {"id": "b", "type": "function", "function": {"name": "g", "arguments": {"y": 2}}},
                    {"id": "c", "type": "custom", "custom": {"name": "h", "input": "free text"}},
                ],
            },
            {"role": "tool", "tool_call_id": "a", "content": "42"},
            {"role": "assistant", "content": "", "function_call": {"name": "old", "arguments": "{}"}},
        ]
    )
    assert messages[0].tool_calls == (
        ToolCall("a", "f", '{"x": 1}'),
        ToolCall("b", "g", '{"y":2}'),
        ToolCall("c", "h", "free text"),
    )
    assert messages[1] == Message("tool", "42", (), "a")
    assert messages[2].tool_calls == (ToolCall("old", "old", "{}"),)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("hello", "`messages` is a JSON string"),
        ([3], "messages[0]: a JSON number, not a message"),
        ([{"content": "x"}], "messages[0]: a message without a `role`"),
        ([{"role": "user", "content": "x"}, {"role": "wizard", "content": "x"}], "messages[1]: unknown role 'wizard'"),
        ([{"role": ["user"], "content": "x"}], "unknown role"),
        ([{"role": "user", "content": {"a": 1}}], "`content` is a JSON object"),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}],
            "an image in the content (a part of type 'image_url')",
        ),
        (
            [{"role": "user", "content": [{"type": "input_audio"}]}],
            "audio in the content (a part of type 'input_audio')",
        ),
        ([{"role": "user", "content": [{"type": ["odd"]}]}], "an unknown part of the content"),
        ([{"role": "user", "content": [{"type": "text"}]}], "a text part without text"),
        ([{"role": "user", "content": [7]}], "a content part that is a JSON number"),
        ([{"role": "assistant", "tool_calls": [{"function": {}}]}], "a tool call without a function name"),
        ([{"role": "assistant", "tool_calls": "f()"}], "`tool_calls` is a JSON string"),
    ],
)
def test_what_is_no_message_says_where_and_why(value: Any, reason: str) -> None:
    with pytest.raises(RecordError) as caught:
        read_messages(value)
    assert reason in caught.value.reason
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ((), "no user message"),
        ((Message("system", "x"),), "no user message"),
        ((Message("user", " \n"),), "empty"),
        ((Message("user", "redacted-by-litellm"),), "removed or shortened"),
        ((Message("user", "long ... (litellm_truncated 300 chars) ..."),), "removed or shortened"),
    ],
)
def test_a_question_needs_the_users_text(messages: tuple[Message, ...], reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        require_question(messages)


def test_one_user_message_with_text_is_a_question() -> None:
    asked = (Message("user", ""), Message("assistant", "?"), Message("user", "hi"))
    with pytest.raises(RecordError, match="empty"):
        require_question(asked[:2])
    try:
        require_question(asked)
    except RecordError as error:
        pytest.fail(error.reason)


@pytest.mark.parametrize(
    "call",
    [
        {"id": "c", "function": {"name": "f", "arguments": ""}},
        {"tool_call": {"id": "c", "function": {"name": "f", "arguments": {}}}},
        {"type": "tool-call", "toolCallId": "c", "toolName": "f"},
    ],
)
def test_a_call_is_found_in_its_wrappers_and_one_without_arguments_has_an_empty_object(call: dict[str, Any]) -> None:
    assert read_call(call) == ToolCall("c", "f", "{}")


def test_a_result_of_the_ai_sdk_is_its_value() -> None:
    part = {"type": "tool-result", "toolCallId": "c", "output": {"type": "json", "value": {"n": 7}}}
    assert read_result(part) == ('{"n":7}', "c")
