"""The options of a request in the words of every API have the names of chat completions."""

from __future__ import annotations

from typing import Any

import pytest

from curator.readers.options import LOST_TOOLS, call_options, request_options

FUNCTION = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        ("auto", None),
        ("none", "none"),
        ("any", "required"),
        ({"type": "any"}, "required"),
        ({"type": "auto"}, None),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "f"}, FUNCTION),
        ({"type": "function", "name": "f"}, FUNCTION),
        (FUNCTION, FUNCTION),
        ({"any": {}}, "required"),
        ({"auto": {}}, None),
        ({"tool": {"name": "f"}}, FUNCTION),
        (7, None),
    ],
)
@pytest.mark.parametrize("key", ["tool_choice", "toolChoice"])
def test_the_tool_that_must_be_called(key: str, choice: Any, read: Any) -> None:
    assert call_options({key: choice}).get("tool_choice") == read


@pytest.mark.parametrize(
    "holder",
    [
        {"max_completion_tokens": 9, "max_tokens": 4},
        {"generationConfig": {"maxOutputTokens": 9}},
        {"inferenceConfig": {"maxTokens": 9}},
        {"textGenerationConfig": '{"maxTokenCount": 9}'},
        {"options": {"num_predict": 9}},
        {"max_tokens": 9, "parameters": {"max_new_tokens": 4}},
    ],
)
def test_the_limit_of_tokens_under_the_names_of_every_api(holder: dict[str, Any]) -> None:
    assert request_options(holder) == {"max_tokens": 9}


@pytest.mark.parametrize("limit", [-1, 0, True, "9", 1e300, None])
def test_a_limit_that_is_none_is_not_asked(limit: Any) -> None:
    assert call_options({"max_tokens": limit}) == {}


@pytest.mark.parametrize(
    "holder",
    [
        {"response_format": {"type": "json_object"}},
        {"text": {"format": {"type": "json_object"}}},
        {"responseMimeType": "application/json"},
        {"format": "json"},
    ],
)
def test_the_form_of_the_answer(holder: dict[str, Any]) -> None:
    assert call_options(holder) == {"response_format": {"type": "json_object"}}


def test_tools_of_the_provider_itself_are_named_as_lost() -> None:
    notes: list[str] = []
    options = request_options({"tools": [{"type": "web_search"}, FUNCTION]}, notes=notes)
    assert (options, notes) == ({"tools": [FUNCTION]}, [LOST_TOOLS])
