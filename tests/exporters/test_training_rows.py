from __future__ import annotations

import pytest

from curator.exporters import training_rows as rules
from curator.exporters.training_rows import row_problem
from curator.records import JsonValue, Message, ToolCall

USER, ANSWER = Message("user", "q"), Message("assistant", "a")
CALL = Message("assistant", "", (ToolCall("1", "f", '{"x": 1}'),))
RESULT = Message("tool", "3", (), "1")
TOOLS: list[JsonValue] = [{"type": "function", "function": {"name": "f"}}]


@pytest.mark.parametrize(
    ("messages", "answer", "problem"),
    [
        ((USER,), ANSWER, None),
        ((Message("system", "s"), USER, ANSWER, USER), ANSWER, None),
        ((USER, CALL, RESULT), ANSWER, None),
        ((USER, CALL, RESULT, CALL, RESULT), Message("assistant", "wait", CALL.tool_calls), None),
        ((USER, USER), CALL, None),
        ((Message("system", "s"),), ANSWER, rules.NO_QUESTION),
        ((ANSWER, USER), ANSWER, rules.NO_QUESTION),
        ((USER, ANSWER), ANSWER, rules.NOT_ASKED),
        ((USER, ANSWER, ANSWER, USER), ANSWER, rules.TWICE),
        ((USER, CALL), ANSWER, rules.UNANSWERED),
        ((USER, CALL, USER), ANSWER, rules.UNANSWERED),
        ((USER, RESULT), ANSWER, rules.UNCALLED),
        ((USER, CALL, Message("tool", "3", (), "2")), ANSWER, rules.UNCALLED),
        ((USER, CALL, RESULT, RESULT), ANSWER, rules.UNCALLED),
        ((USER,), Message("assistant", " "), rules.EMPTY),
        ((USER,), Message("assistant", "", (ToolCall("1", "f", "[1]"),)), rules.NOT_JSON),
        ((USER,), Message("assistant", "", (ToolCall("1", "f", '{"x'),)), rules.NOT_JSON),
        ((USER,), Message("assistant", "", (ToolCall("1", "g", "{}"),)), rules.UNDEFINED),
    ],
)
def test_a_row_keeps_the_rules_of_trainers(messages: tuple[Message, ...], answer: Message, problem: str | None) -> None:
    assert row_problem(messages, answer, TOOLS) == problem
