"""The task of a call, by a key that names it or by the stored prompt that was used."""

from __future__ import annotations

from typing import Any

import pytest

from curator.readers.task_names import named_task, task_of_call


@pytest.mark.parametrize(
    ("holder", "task"),
    [
        ({"prompt_name": "orders", "task": "returns"}, "returns"),
        ({"task": " ", "task_name": "returns"}, "returns"),
        ({"task": 3}, "3"),
        ({"task": {"id": "t"}}, None),
        ({"task": True}, None),
        ({"promptName": "orders"}, "orders"),
        ({"lc_hub_repo": "orders"}, "orders"),
        ({"prompt": {"id": "pmpt_1", "version": "2", "variables": {"city": "Rome"}}}, "pmpt_1"),
        ({"prompt": {"name": "orders", "id": "pmpt_1"}}, "orders"),
        ({"prompt": "Where is my order?"}, None),
        ({"prompt": {"id": "q1", "messages": [{"role": "user", "content": "Where?"}]}}, None),
        ({"prompt": {"id": "q1", "text": "Where?"}}, None),
        ({"prompt_management_metadata": {"prompt_id": "orders", "prompt_variables": {}}}, "orders"),
        ({"mlflow.linkedPrompts": '[{"name": "orders", "version": "1"}]'}, "orders"),
        ({"mlflow.linkedPrompts": "[]"}, None),
        ({}, None),
    ],
)
def test_the_task_is_named_by_a_key_or_by_a_stored_prompt(holder: dict[str, Any], task: str | None) -> None:
    assert named_task(None, "text", holder) == task


def test_an_earlier_holder_counts_first_but_a_task_before_any_prompt() -> None:
    assert named_task({"task": "a"}, {"task": "b"}) == "a"
    assert named_task({"prompt_name": "a"}, {"task": "b"}) == "b"


@pytest.mark.parametrize("key", ["metadata", "requestMetadata", "properties", "request_properties"])
def test_metadata_of_a_record_and_of_its_request_name_the_task(key: str) -> None:
    assert task_of_call({key: {"task": "orders"}}, {}) == "orders"
    assert task_of_call({}, {key: '{"Helicone-Prompt-Id": "orders"}'}) == "orders"
    assert task_of_call({key: ["task"]}, {}) is None
