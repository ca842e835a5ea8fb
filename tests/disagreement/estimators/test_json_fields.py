from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.answers.read import read_answer
from curator.disagreement.estimators.json_fields import field_disagreement
from curator.records import Kind


def shares(*texts: str, kind: Kind = "json") -> dict[str, float]:
    return field_disagreement([read_answer(text, kind) for text in texts])


def test_each_field_has_the_share_of_pairs_that_differ_there() -> None:
    found = shares('{"a": 1, "b": {"c": "x"}}', '{"a": 1.0, "b": {"c": "y"}}', '{"b": {"c": "x"}, "a": 2}')
    assert found == {"a": pytest.approx(2 / 3), "b.c": pytest.approx(2 / 3)}
    assert shares('{"a": 1}', '{"a": 1}') == {"a": 0}


def test_a_missing_field_differs_from_null_and_from_any_value() -> None:
    assert shares('{"a": null, "b": 1}', '{"b": 1}') == {"a": 1, "b": 0}
    assert shares('{"b": 1}', '{"b": 1, "a": "missing"}')["a"] == 1


def test_the_most_disagreeing_field_comes_first() -> None:
    assert list(shares('{"z": 1, "a": 1, "m": 1}', '{"z": 2, "a": 1, "m": 1}')) == ["z", "a", "m"]


def test_sets_are_one_field_and_lists_are_not() -> None:
    assert shares('{"tags": ["x", "y"]}', '{"tags": ["y", "x"]}') == {"tags": 0}
    assert shares('{"tags": ["x", "y"]}', '{"tags": ["y", "z"]}') == {"tags": 1}
    assert shares('{"steps": ["x", "y"]}', '{"steps": ["y", "x"]}') == {"steps[0]": 1, "steps[1]": 1}
    assert shares('{"at": [1, 2]}', '{"at": [1, 3]}') == {"at[1]": 1, "at[0]": 0}


def test_tool_calls_have_fields_too() -> None:
    found = shares(
        '{"name": "f", "arguments": {"x": 1, "y": 2}}', '{"name": "f", "arguments": {"x": 1, "y": 3}}', kind="tool_call"
    )
    assert found == {"[0].arguments.y": 1, "[0].arguments.x": 0, "[0].name": 0}


def test_what_cannot_be_read_is_left_out() -> None:
    assert shares("no JSON", '{"a": 1}', "", "I'm sorry, I can't do that.", '{"a": 2}') == {"a": 1}
    assert shares('{"a": 1}', "no JSON") == {}
    assert shares("[]", "[1]") == {"$": 1, "[0]": 1}


fields = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2) | st.none(), max_size=3)


@given(st.lists(fields, min_size=2, max_size=6))
def test_every_share_is_that_of_its_pairs(values: list[dict[str, int | None]]) -> None:
    import itertools
    import json

    found = shares(*map(json.dumps, values))
    pairs = list(itertools.combinations(values, 2))
    for path in found.keys() - {"$"}:
        differ = sum(left.get(path, "no") != right.get(path, "no") for left, right in pairs)
        assert found[path] == pytest.approx(differ / len(pairs))
