"""Parse calls that are written as expressions: `f(x=1)`, `[f(1), g("a")]`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curator.answers.json_values import as_json, parse_json, parse_python
from curator.records import JsonValue

LONGEST_EXPRESSION = 100_000
"""Characters of an expression up to which it is parsed."""
_MOST_CALLS = 64
_NAME = r"[A-Za-z_$][\w$]*(?:(?:\.|::|->|/)[A-Za-z_$][\w$]*)*"
_BEGINS = re.compile(
    rf"^[ \t>*•`\[('\"-]*(?:\d+[.)][ \t]+)?(?:\w+(?:[ _]\w+){{0,2}}[*]*:[*]*[ \t]*)?`*(?:(?:const|let|var)[ \t]+)?(?:\w+[ \t]*=[ \t]*)?(?:await[ \t]+)?(?={_NAME}\()",
    re.MULTILINE,
)
_EXPRESSION = re.compile(rf"[\[\s(]*(?:['\"]|await\s)?{_NAME}\(")
_CALL = re.compile(rf"\s*({_NAME})\((.*)\)\s*", re.DOTALL)
_LITTLE = re.compile(r"[ \t\])}`'\";,.*]*(?:(?://|#)[^\n]*)?(?=\n|\Z)")
_FOLLOWING = re.compile(rf"\s*,\s*(?={_NAME}\()")
_BRACKETS = re.compile(r"""[()\[\]{}]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""", re.DOTALL)
_SEPARATORS = re.compile(r"""[()\[\]{},]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""", re.DOTALL)
_KEYWORD = re.compile(r"\s*([A-Za-z_][\w-]*)\s*(?:=(?!=)|:)\s*(.*)", re.DOTALL)
PROGRAM = re.compile(
    r"^[ \t]*(?:def \w|class \w|import \w|from [\w.]+ import |@\w|(?:for|while|if|with|try|elif|else)\b[^\n]*[:{][ \t]*$|return\b|"
    r"assert\b|function\b|func \w|fn \w|public \w|private \w|#include|package \w|\#!)",
    re.MULTILINE,
)
_WORDS_FOR_VALUES: dict[str, JsonValue] = {
    "true": True,
    "false": False,
    "null": None,
    "none": None,
    "undefined": None,
    "nil": None,
}
_PRINTING = frozenset({"print", "console.log", "return", "str"})


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function or tool.

    Attributes:
        name: the name as it was written, with its dots.
        arguments: the values by name; an argument without a name has its position, from `0`. A call inside an argument is
            an object with `name` and `arguments`.
    """

    name: str
    arguments: dict[str, JsonValue]


def calls_in_lines(text: str) -> tuple[Call, ...]:
    """Return the calls that take whole lines of a text; () for a program.

    Words beside a call in its line make it part of a sentence, which is not a call.
    """
    if "(" not in text or PROGRAM.search(text):
        return ()
    calls: list[Call] = []
    position = 0
    while len(calls) < _MOST_CALLS and (start := _BEGINS.search(text, position)):
        position = start.end()
        while len(calls) < _MOST_CALLS:
            end = _end(text, position)
            if end is None:
                position = _line_end(text, position)
                break
            calls += calls_in_expression(text[position:end], loose=True)
            following = _FOLLOWING.match(text, end)
            position = following.end() if following else end
            if following is None:
                break
    return tuple(calls[:_MOST_CALLS])


def calls_in_expression(text: str, *, loose: bool = False) -> tuple[Call, ...]:
    """Parse an expression that is a call or a list of calls; () if it is neither.

    With `loose`, the arguments of one call need not be Python: `f(city=New York, date=2024-01-05)`.
    """
    if len(text) > LONGEST_EXPRESSION or not _EXPRESSION.match(text):
        return ()
    try:
        tree = parse_python(text.strip().rstrip(";"), "eval")
        if isinstance(tree, ast.Expression):
            return tuple(_calls(tree.body))
        call = _CALL.fullmatch(text) if loose else None
        return (Call(call[1], _loose_arguments(call[2])),) if call else ()
    except RecursionError:
        return ()


def _calls(node: ast.expr) -> Iterator[Call]:
    if isinstance(node, ast.Await):
        yield from _calls(node.value)
    elif isinstance(node, ast.List | ast.Tuple):
        for item in node.elts:
            yield from _calls(item)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _CALL.fullmatch(node.value):
        yield from calls_in_expression(node.value)
    elif isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        if name in _PRINTING and len(node.args) == 1 and isinstance(node.args[0], ast.Call):
            yield from _calls(node.args[0])
        else:
            yield Call(name, _arguments(node))


def _arguments(call: ast.Call) -> dict[str, JsonValue]:
    given: dict[str, JsonValue] = {str(place): _value(node) for place, node in enumerate(call.args)}
    given |= {keyword.arg or "**": _value(keyword.value) for keyword in call.keywords}
    return unwrapped(given)


def unwrapped(arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the object that is the only argument, as in `f(params={"x": 1})`."""
    if len(arguments) == 1:
        ((name, value),) = arguments.items()
        if name in {"0", "**", "args", "kwargs", "params", "parameters", "arguments"} and isinstance(value, dict):
            return value
    return arguments


def _value(node: ast.expr) -> JsonValue:
    """Convert the expression of an argument; one that is not a literal is its text."""
    if isinstance(node, ast.Name):
        return _WORDS_FOR_VALUES.get(node.id.lower(), node.id)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {
            str(_value(key)) if key else "**": _value(value) for key, value in zip(node.keys, node.values, strict=True)
        }
    if isinstance(node, ast.Call):
        return {"name": ast.unparse(node.func), "arguments": _arguments(node)}
    try:
        return as_json(ast.literal_eval(node))
    except (ValueError, TypeError, MemoryError):
        return ast.unparse(node)


def _loose_arguments(text: str) -> dict[str, JsonValue]:
    """Read arguments that are not Python, such as `city=New York, date=2024-01-05`."""
    given: dict[str, JsonValue] = {}
    for place, part in enumerate(_split(text)):
        keyword = _KEYWORD.fullmatch(part)
        given[keyword[1] if keyword else str(place)] = loose_value(keyword[2] if keyword else part)
    return unwrapped(given)


def loose_value(text: str) -> JsonValue:
    """Read a value as JSON, else as a Python literal, else as its text without quotes."""
    text = text.strip()
    if text.lower() in _WORDS_FOR_VALUES:
        return _WORDS_FOR_VALUES[text.lower()]
    if (parsed := parse_json(text)) and parsed[1] == text:
        return parsed[0]
    tree = parse_python(text, "eval") if len(text) <= LONGEST_EXPRESSION else None
    try:
        return as_json(ast.literal_eval(tree)) if tree else text.strip("\"'")
    except (ValueError, TypeError, MemoryError, RecursionError):
        return text.strip("\"'")


def _split(text: str) -> Sequence[str]:
    """Split at the commas outside of brackets and strings."""
    parts, start, depth = [], 0, 0
    for match in _SEPARATORS.finditer(text):
        sign = match[0]
        if sign == "," and depth == 0:
            parts.append(text[start : match.start()])
            start = match.end()
        elif len(sign) == 1:
            depth += (sign in "([{") - (sign in ")]}")
    return [part for part in (*parts, text[start:]) if part.strip()]


def _end(text: str, start: int) -> int | None:
    """Return the end of the call that begins at `start`; None if words follow it in its line."""
    depth = 0
    for match in _BRACKETS.finditer(text, start, start + LONGEST_EXPRESSION):
        if len(match[0]) == 1:
            depth += 1 if match[0] in "([{" else -1
            if depth <= 0:
                if _FOLLOWING.match(text, match.end()) or _LITTLE.match(text, match.end()):
                    return match.end()
                break
    # A quote inside a string may have hidden the bracket.
    end = text.rfind(")", start, _line_end(text, start)) + 1
    quoted = "'" in text[start:end] or '"' in text[start:end]
    return end if quoted and _LITTLE.match(text, end) else None


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return end if end >= 0 else len(text)
