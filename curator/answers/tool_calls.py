"""Read tool calls: OpenAI, Anthropic and Gemini shapes, tags, ReAct lines, `name(x=1)`."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

from curator.answers.json_values import as_json, canonical, is_mostly_json, parse_json, parse_python
from curator.answers.normalization import answer_part, is_refusal
from curator.records import JsonValue

NO_CALL = "[]"
"""The key of an answer in words, where other answers call a tool."""

_TAGGED = re.compile(r"<(tool_call|function_call|tool)>(.+?)(?:</\1>|\Z)", re.DOTALL)
_REACT = re.compile(
    r"^[ \t]*Action:[ \t]*([\w.-]+)[ \t]*\n[ \t]*Action Input:[ \t]*"
    r"((?s:.*?))(?=\n[ \t]*(?:Observation|Action|Thought|Final Answer):|\Z)",
    re.MULTILINE,
)
_FENCE = re.compile(r"```\w*")
_IN_WORDS = re.compile(r"(?:^|\n)[ \t`\[]*([A-Za-z_][\w.]*\([^\n]*\))[\]`]*[ \t]*(?=\n|$)")
_HINTS = ("{", "(", "Action:")
_NAME_KEYS = ("name", "tool", "tool_name", "function", "action")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "action_input", "tool_input")
_BARE_ARGUMENTS = frozenset(_ARGUMENT_KEYS) - {"input"}


def read_tool_calls(text: str) -> tuple[str, str] | None:
    """Read the tool calls of a text, as canonical JSON and wording.

    None for a refusal and for unsound JSON. The canonical JSON is `[{"arguments": ..., "name": ...}, ...]`. The calls of one answer are made at once, so that their
    order does not matter; ids are left out, and arguments are compared as JSON values. All answers in words that are not
    refusals have the key `NO_CALL`. JSON that cannot be compared (1e999) is unsound.
    """
    text = answer_part(text)
    try:
        if reading := _read_calls(tool_calls(text)):
            return reading
        unsound = parse_json(text) is None and is_mostly_json(text)
        return None if not text or unsound or is_refusal(text) else (NO_CALL, text)
    except RecursionError:
        return None


def is_tool_call(text: str) -> bool:
    """Return True if a text is a tool call with little else; code with calls is not one."""
    text = answer_part(text)
    if not tool_calls(text):
        return False
    bare = _FENCE.sub("", text).strip()
    return "{" in bare or "Action:" in bare or _IN_WORDS.fullmatch(bare) is not None


def tool_calls(text: str) -> list[dict[str, JsonValue]]:
    """Return the tool calls of a text in order, each with `name` and `arguments`."""
    if not any(hint in text for hint in _HINTS):
        return []
    if tagged := _TAGGED.findall(text):
        return [call for _, inside in tagged for call in _in_json(inside)]
    bare = _FENCE.sub("", text)
    if calls := _in_json(bare):
        return calls
    if lines := _REACT.findall(bare):
        return [_call(name, _decoded(arguments)) for name, arguments in lines]
    return [call for line in _IN_WORDS.findall(text) if (call := _in_python(line)) is not None]


def _read_calls(calls: list[dict[str, JsonValue]]) -> tuple[str, str] | None:
    if not calls:
        return None
    ordered: list[JsonValue] = sorted(calls, key=canonical)
    names = (f"{call['name']}({json.dumps(call['arguments'], ensure_ascii=False)[1:-1]})" for call in calls)
    return canonical(ordered), ", ".join(names)


def _in_json(text: str) -> list[dict[str, JsonValue]]:
    parsed = parse_json(text.strip())
    return list(_calls(parsed[0])) if parsed else []


def _calls(value: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """Yield the calls in a message, in its `tool_calls` or `content` blocks, or the call itself."""
    if isinstance(value, list):
        for item in value:
            yield from _calls(item)
        return
    if not isinstance(value, dict):
        return
    for wrapper in ("tool_calls", "content", "parts", "function_call", "functionCall", "message"):
        if isinstance(inner := value.get(wrapper), dict | list):
            yield from _calls(inner)
            return
    if isinstance(function := value.get("function"), dict):
        yield from _calls(function)
    elif call := _bare(value):
        yield call


def _bare(value: dict[str, JsonValue]) -> dict[str, JsonValue] | None:
    """Read an object with a name and arguments as a call; None if it is not one.

    `input` holds the arguments only if the object's `type` is a call.
    """
    name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
    typed = value.get("type") in {"tool_use", "function_call", "function", "tool_call"}
    held = [key for key in _ARGUMENT_KEYS if key in value and (typed or key in _BARE_ARGUMENTS)]
    if not isinstance(name, str) or not held:
        return None
    arguments = _decoded(value[held[0]])
    return _call(name, arguments) if typed or isinstance(arguments, dict) or held[0] == "action_input" else None


def _call(name: str, arguments: JsonValue) -> dict[str, JsonValue]:
    return {"name": name, "arguments": {} if arguments in (None, "") else arguments}


def _decoded(value: JsonValue) -> JsonValue:
    """Parse arguments that are the text of a JSON object; other text does not change."""
    if not isinstance(value, str):
        return value
    parsed = parse_json(value.strip())
    return parsed[0] if parsed and isinstance(parsed[0], dict) else value.strip()


def _in_python(line: str) -> dict[str, JsonValue] | None:
    """Read `name(x=1, y="b")` as a call; None if an argument has no name or is not a literal."""
    tree = parse_python(line, "eval")
    call = tree.body if isinstance(tree, ast.Expression) else None
    if not isinstance(call, ast.Call) or call.args or not call.keywords:
        return None
    try:
        arguments = as_json({keyword.arg or "": ast.literal_eval(keyword.value) for keyword in call.keywords})
        return _call(ast.unparse(call.func), arguments)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None
