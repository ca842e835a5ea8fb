"""Hints name the keys that hold values, however deep, for a mapping that works at once."""

from __future__ import annotations

from curator.readers.hints import key_inside, key_paths, nearest
from curator.readers.suggest import suggested_mapping

RECORD = {"id": 1, "turn": {"user": {"said": "hi"}, "response": {"text": "hello", "ms": 3}}, "empty": {}}


def test_keys_go_down_to_the_values() -> None:
    assert key_paths(RECORD) == ["id", "turn.user.said", "turn.response.text", "turn.response.ms", "empty"]
    assert nearest("turn.user.text", ["id", "turn.user.said"]) == ", did you mean 'turn.user.said'?"


def test_an_object_by_the_name_of_an_input_is_gone_into() -> None:
    assert (
        suggested_mapping([{"id": None, "turn": {"user": {"said": "hi"}}}])
        == "`logs: {mapping: {input: turn.user.said, id: id}}`"
    )
    assert (
        suggested_mapping([{"user": {"id": 3, "name": "x"}}])
        == "`logs: {mapping: {input: <the key of the user text>}}`"
    )
    assert key_inside("turn", {"user": {"said": "hi"}, "at": 3}) == "turn.user.said"
