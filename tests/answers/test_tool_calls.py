"""One tool call in every spelling that models and providers use."""

from __future__ import annotations

import time

import pytest

from curator.answers.call_expressions import Call
from curator.answers.read import read_answer
from curator.answers.tool_calls import canonical_calls, is_tool_call, read_calls

USUAL = (Call("get_weather", {"city": "Berlin", "days": 3}),)
SPELLINGS = {
    "python": 'get_weather(city="Berlin", days=3)',
    "list": "[get_weather(city='Berlin', days=3)]",
    "item": '- get_weather(city="Berlin", days=3)',
    "several lines": 'get_weather(\n    city="Berlin",\n    days=3,\n)',
    "assigned": 'weather = get_weather(city="Berlin", days=3)',
    "printed": '```tool_code\nprint(default_api.get_weather(city="Berlin", days=3))\n```',
    "label": 'Knowledge: f(x) = 2x\nAction: get_weather(city="Berlin", days=3)',
    "in code": 'I would call:\n\n`get_weather(city="Berlin", days=3)`\n\nIt gives the weather.',
    "bare words": "get_weather(city=Berlin, days=3)",
    "one object": "get_weather(params={'city': 'Berlin', 'days': 3})",
    "javascript": 'const r = await getWeather({city: "Berlin", days: 3});',
    "strings": '["get_weather(city=\\"Berlin\\", days=3)"]',
    "object": '{"name": "get_weather", "arguments": {"city": "Berlin", "days": 3.0}}',
    "parameters": '```json\n{"name": "get_weather", "parameters": {"days": 3, "city": "Berlin"}}\n```',
    "encoded arguments": '{"name": "get_weather", "arguments": "{\\"city\\": \\"Berlin\\", \\"days\\": 3}"}',
    "encoded twice": '"{\\"name\\": \\"get_weather\\", \\"arguments\\": {\\"city\\": \\"Berlin\\", \\"days\\": 3}}"',
    "python literal": "{'name': 'get_weather', 'args': {'city': 'Berlin', 'days': 3}}",
    "name as key": '[{"get_weather": "{\\"city\\": \\"Berlin\\", \\"days\\": 3}"}]',
    "openai": '{"tool_calls": [{"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '
    '"{\\"city\\":\\"Berlin\\",\\"days\\":3}"}}]}',
    "anthropic": '{"content": [{"type": "text", "text": "Let me look."}, {"type": "tool_use", "id": "t", '
    '"name": "get_weather", "input": {"city": "Berlin", "days": 3}}]}',
    "gemini": '{"functionCall": {"name": "get_weather", "args": {"city": "Berlin", "days": 3}}}',
    "bedrock": '{"toolUse": {"toolUseId": "1", "name": "get_weather", "input": {"city": "Berlin", "days": 3}}}',
    "action": '{"action": "get_weather", "action_input": {"city": "Berlin", "days": 3}}',
    "tag": '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Berlin", "days": 3}}\n</tool_call>',
    "tag without end": '<tool_call>{"name": "get_weather", "arguments": {"city": "Berlin", "days": 3}}',
    "tag of python": '<tool_call>get_weather(city="Berlin", days=3)</tool_call>',
    "function tag": '<function=get_weather>{"city": "Berlin", "days": 3}</function>',
    "parameter tags": "<tool_call><function=get_weather>\n<parameter=city>\nBerlin\n</parameter>\n"
    "<parameter=days>3</parameter></function></tool_call>",
    "invoke": 'I will check.\n<function_calls><invoke name="get_weather"><parameter name="city">Berlin</parameter>'
    '<parameter name="days">3</parameter></invoke></function_calls>',
    "xml": "<get_weather><city>Berlin</city><days>3</days></get_weather>",
    "xml of names": '<tool><tool_name>get_weather</tool_name><args>{"city": "Berlin", "days": 3}</args></tool>',
    "pairs": "<tool_call>get_weather\n<arg_key>city</arg_key><arg_value>Berlin</arg_value><arg_key>days</arg_key>"
    "<arg_value>3</arg_value></tool_call>",
    "react": 'Thought: ...\nAction: get_weather\nAction Input: {"city": "Berlin", "days": 3}\nObservation: sun',
    "labels": '**Tool:** get_weather\n**Arguments:** city="Berlin", days=3',
    "list of parameters": "Function: get_weather\nParameters:\n- city: Berlin\n- days: 3",
    "control token": '[TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Berlin", "days": 3}}]',
    "name and object": '<|call_begin|>functions.get_weather:0<|args|>{"city": "Berlin", "days": 3}<|call_end|>',
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_call_is_one_call_in_every_spelling(text: str) -> None:
    assert canonical_calls(read_calls(text)) == canonical_calls(USUAL)
    assert read_answer(text, "tool_call").key == canonical_calls(USUAL)


@pytest.mark.parametrize("text", ["[f(a=1), g(b=2)]", "f(a=1)\ng(b=2)", "f(a=1), g(b=2)", "[\n  g(b=2),\n  f(a=1)\n]"])
def test_all_calls_of_an_answer_are_read_in_any_order(text: str) -> None:
    assert canonical_calls(read_calls(text)) == canonical_calls((Call("f", {"a": 1}), Call("g", {"b": 2})))


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("f(5)", {"0": 5}),
        ("f(true, None, null)", {"0": True, "1": None, "2": None}),
        ("f(x=g(y=2))", {"x": {"name": "g", "arguments": {"y": 2}}}),
        ("f(d=2024-01-05, c=New York)", {"d": "2024-01-05", "c": "New York"}),
        ("f('it's')", {"0": "it's"}),
        ("f(a=[1, (2, 3)], b={'c': -1})", {"a": [1, [2, 3]], "b": {"c": -1}}),
        ("f()", {}),
        ("Action: f\nAction Input: cats and dogs", {"0": "cats and dogs"}),
        ('{"tool": "f", "input": {"x": 1}}', {"x": 1}),
    ],
)
def test_arguments_are_values(text: str, arguments: object) -> None:
    (call,) = read_calls(text)
    assert (call.name, call.arguments) == ("f", arguments)


@pytest.mark.parametrize(
    "text",
    [
        "B",
        "It is (probably) right.",
        "Use foo(x=1) to call it.",
        "Paris (France)",
        "n(A or B) = n(A) + n(B) - n(A and B)",
        "Answer: 3 (three)",
        '{"answer": "B"}',
        '{"name": "Bob", "input": "x"}',
        "<answer>Paris</answer>",
        "def f(x):\n    return g(x)\n\nprint(f(1))",
        "import os\nos.remove('x')",
        "(10 - 4) * 5 = 30",
        "SELECT count(*) FROM t",
        "",
    ],
)
def test_other_answers_are_not_calls(text: str) -> None:
    assert read_calls(text) == ()
    assert not is_tool_call(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f(x=1)", "f(x='1')"),
        ("f(x=1)", "f(x=True)"),
        ("f(x=1)", "f(y=1)"),
        ("f(x=1)", "g(x=1)"),
        ("f(x=1)", "[f(x=1), f(x=1)]"),
        ('f(x="a")', 'f(x="b")'),
    ],
)
def test_other_calls_differ(one: str, other: str) -> None:
    assert canonical_calls(read_calls(one)) != canonical_calls(read_calls(other))


def test_dots_and_case_of_names_do_not_count() -> None:
    names = ("math.factorial(n=5)", "math_factorial(n=5)", "mathFactorial(n=5)", "functions.math_factorial(n=5)")
    assert len({canonical_calls(read_calls(text)) for text in names}) == 1


@pytest.mark.parametrize(
    "text",
    [
        "f(a=1), " * 20_000,
        "[TOOL_CALLS]f{" * 10_000,
        "f(" * 50_000,
        "<a>" * 50_000,
        '{"name":"f","arguments":' * 5_000,
        "f(x=" * 20_000 + "1" + ")" * 20_000,
        "f(" + "-" * 40_000 + "1)",
        "f(a" + ".b" * 40_000 + ")",
    ],
    ids=["list", "tokens", "open", "tags", "objects", "nested", "signs", "dots"],
)
def test_malformed_and_nested_calls_are_read_in_linear_time(text: str) -> None:
    begin = time.perf_counter()
    read_calls(text)
    assert time.perf_counter() - begin < 10
