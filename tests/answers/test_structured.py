"""Answers in code, JSON and tool calls that are long, cut off, malformed or written in an unusual way."""

from __future__ import annotations

import json

import pytest

from curator.answers.read import ReadRule, detect_kind, extract, read_answer
from curator.records import KINDS, Kind


def key(text: str, kind: Kind) -> str:
    return read_answer(text, kind).key


@pytest.mark.parametrize("kind", ["tool_call", "json"])
def test_half_of_an_escaped_pair_is_replaced(kind: Kind) -> None:
    answer = read_answer(r'{"name":"f","arguments":{"x":"\ud83d", "\ude00": "\ud83d\ude00"}}', kind)
    assert answer.text.encode()
    assert r"\ufffd" in answer.key
    assert r"\ud83d\ude00" in answer.key


def test_half_of_an_escaped_pair_is_replaced_in_what_a_path_leads_to() -> None:
    assert extract(r'{"a": "x\ud83d"}', ReadRule("json", path="a")) == "x\ufffd"


@pytest.mark.parametrize("end", ["", "\nObservation: fur", "\nThought: fine", "\n```"])
def test_the_input_of_a_react_call_may_have_many_lines(end: str) -> None:
    call = 'Action: search\nAction Input: {\n  "q": "%s"\n}'
    assert key(call % "cats" + end, "tool_call") == key('search(q="cats")', "tool_call")
    assert key(call % "cats" + end, "tool_call") != key(call % "dogs" + end, "tool_call")
    two = f"{call % 'cats'}\n{call % 'dogs'}{end}"
    assert json.loads(key(two, "tool_call"))[1] == {"name": "search", "arguments": {"q": "dogs"}}


@pytest.mark.parametrize(
    "call",
    [
        '{"name": "f", "arguments": {"x": "%s"}}',
        '<tool_call>{"name": "f", "arguments": {"x": "%s"}}</tool_call>',
        'f(x="%s")',
        'Action: f\nAction Input: {"x": "%s"}',
    ],
)
def test_long_tool_calls_are_read_to_their_end(call: str) -> None:
    long = "a" * 30_000
    assert json.loads(key(call % long, "tool_call")) == [{"name": "f", "arguments": {"x": long}}]


def test_code_that_differs_late_differs() -> None:
    long = "x = 1\n" * 10_000
    assert key(f"```python\n{long}y = 1\n```", "code") == key(f"{long}y = 1", "code")
    assert key(f"```python\n{long}y = 1\n```", "code") != key(f"```python\n{long}y = 2\n```", "code")


def test_numbers_of_a_call_in_python_are_those_of_json() -> None:
    assert key("f(x=2.0, y=0.1234567891)", "tool_call") == key(
        '{"name": "f", "arguments": {"x": 2, "y": 0.1234567890}}', "tool_call"
    )


@pytest.mark.parametrize("text", ["```sql\nselect 1```", "```sql\nselect 1``` \nIt counts.", "````sql\nselect 1\n````"])
def test_a_closing_fence_is_no_code(text: str) -> None:
    assert read_answer(text, "code").text == "select 1"
    assert key(text, "code") == key("select 1", "code")


@pytest.mark.parametrize("fence", ["```yaml\n%s\n```", "%s"])
def test_indentation_counts_where_it_makes_the_blocks(fence: str) -> None:
    nested = "a:\n  b: 1\n  c: 2"
    assert key(fence % nested, "code") != key(fence % "a:\n  b: 1\nc: 2", "code")
    assert key(fence % nested, "code") == key(fence % "a:\n    b: 1  # one\n\n    # two\n    c:  2\n", "code")
    assert key(fence % "a:\n  b:\n    c: 1\nd: 1", "code") != key(fence % "a:\n  b:\n    c: 1\n  d: 1", "code")


def test_indentation_counts_in_python_that_does_not_parse() -> None:
    old = "for x in y:\n    print x\n{}print z"
    assert key(old.format("    "), "code") != key(old.format(""), "code")
    assert key("for x in y:\n  print x\nprint z", "code") == key(old.format(""), "code")


def test_indentation_is_layout_in_other_languages() -> None:
    assert key("```js\nif (a) {\n  b()\n}\n```", "code") == key("```js\nif (a) { b() }\n```", "code")
    assert key("if (a) {\n  x = b ? c :\n  d\n}", "code") == key("if (a) {\nx = b ? c :\nd\n}", "code")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("```yaml\na: http://x#q\n```", "```yaml\na: http://x#r\n```"),
        ("curl http://x", "curl http://y"),
        ("```js\nf(a/*\n```", "```js\nf(b/*\n```"),
        ("```js\nf(/* x\na\n```", "```js\nf(/* x\nb\n```"),
    ],
)
def test_what_only_looks_like_a_comment_counts(one: str, other: str) -> None:
    assert key(one, "code") != key(other, "code")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity"])
def test_what_is_no_finite_number_is_not_read(number: str) -> None:
    assert key(f'{{"a":{number}}}', "json") == ""
    assert key(f'{{"name":"f","arguments":{{"x":{number}}}}}', "tool_call") == ""
    assert key('{"a":1e99}', "json") != key('{"a":2e99}', "json")


def test_an_infinite_number_does_not_leave_an_inner_object_as_the_value() -> None:
    assert key('{"a":1e999,"b":{"c":1}}', "json") == ""


@pytest.mark.filterwarnings("error")
def test_a_literal_with_an_unknown_escape_is_read_without_a_warning() -> None:
    assert key(r"{'a': '\d'}", "json") == r'{"a":"\\d"}'
    assert key(r"f(a='\d')", "tool_call") == key(r'{"name": "f", "arguments": {"a": "\\d"}}', "tool_call")
    assert key(r"x = '\d'", "code")


@pytest.mark.parametrize(
    "text",
    [
        "`" * 100_000 + "x",
        "``` x " * 16_000,
        "```c\n" + "/* " * 16_000,
        "```js\n" + '"' + '\\"' * 24_000,
        "def f(" + ")" * 100_000,
        "class " + "a" * 100_000,
    ],
    ids=["backticks", "fences", "comments", "quotes", "brackets", "class"],
)
def test_long_malformed_code_is_read_to_its_end(text: str) -> None:
    assert detect_kind([text]) in KINDS
    assert read_answer(text, "code").kind == "code"


@pytest.mark.parametrize("text", ["<tool>" * 16_000 + "{", "f(" + ")]" * 50_000 + "x", "Action: a\n" * 10_000 + "{"])
def test_long_malformed_calls_are_read_to_their_end(text: str) -> None:
    assert detect_kind([text]) in KINDS
    assert read_answer(text, "tool_call").key == "[]"


@pytest.mark.parametrize("cue", ["options", "options are", "one of", "answer with"])
def test_long_blanks_before_options_are_read_to_their_end(cue: str) -> None:
    assert read_answer("cat", "choice", input=f"Give {cue}" + "\n" * 19_000 + "!").text == "cat"
    assert read_answer("Cat.", "choice", input=f"Give {cue}:" + "\n" * 900 + "- cat\n- dog").key == "cat"
