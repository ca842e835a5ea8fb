"""Read tool calls in every usual spelling: JSON, tags, labelled lines, `name(x=1)`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from curator.answers.call_expressions import Call, calls_in_expression, calls_in_lines, loose_value
from curator.answers.call_tags import ARGUMENT_KEYS, NAME_KEYS, calls_in_tags
from curator.answers.json_values import canonical, is_mostly_json, json_span, json_values, parse_json
from curator.answers.normalization import answer_part, is_refusal
from curator.records import JsonValue

NO_CALL = "[]"
"""The key of an answer in words, where other answers call a tool."""

_LABELLED = re.compile(
    r"^[ \t>*#-]*(?:action|tool|function|api)(?:[ _]?(?:name|call))?[* \t]*:[* \t]*`?([\w.:/-]+)`?[ \t]*(?:\(\))?[ \t]*\n"
    r"\s*[>*#-]*[ \t]*(?:action|tool|function)?[ _]?(?:input|args?|arguments|param(?:eter)?s)[* \t]*:[* \t]*"
    r"((?s:.*?))(?=\n[ \t*]*(?:Observation|Action|Tool|Function|Thought|Final Answer)(?:[ _][\w ]*)?\**:|\Z)",
    re.MULTILINE | re.IGNORECASE,
)
_MARKER = re.compile(r"<[|\uff5c][^<>\n]{1,60}[|\uff5c]>|\[/?[A-Z]{3,}(?:_[A-Z]+)*\]")
_NAME_THEN_OBJECT = re.compile(r"([A-Za-z_][\w.-]*)(?::\d+)?\s*(?=\{)")
_LINE = re.compile(r"[ \t]*[-*\u2022]?[ \t]*`?([A-Za-z_]\w*)`?[ \t]*:[ \t]+(.*)")
_FENCE = re.compile(r"```[\w+-]*")
_GENERIC = re.compile(r"^(?:functions?|tools?|default_api|api|client|self|assistant|multi_tool_use)[._:/]+(?=\w)")
_SEPARATORS = re.compile(r"[^\w]+|_+")
_WRAPPERS = (
    "tool_calls",
    "tool_uses",
    "content",
    "parts",
    "function_call",
    "functionCall",
    "message",
    "choices",
    "output",
    "toolUse",
)
_TYPES = frozenset({"tool_use", "function_call", "function", "tool_call", "toolUse"})
_DEEPEST = 8
_MOST_NAMES = 64
_LONGEST = 1_000_000
"""Characters of a text up to which calls are searched."""


@lru_cache(maxsize=256)
def read_calls(text: str) -> tuple[Call, ...]:
    """Return the calls that an answer makes, in order; () for an answer in words.

    Read are the JSON of providers (`tool_calls`, `tool_use`, `functionCall`), objects with a name and arguments, JSON inside a
    string, tags, labelled lines (`Action:` with `Action Input:`), and calls as expressions that take whole lines. Words beside
    the calls do not matter. The calls of a program are not tool calls.
    """
    text = answer_part(text)
    if len(text) > _LONGEST or not any(sign in text for sign in ("{", "(", ":", "<")):
        return ()
    try:
        return _read(text)
    except RecursionError:
        return ()


def read_tool_calls(text: str) -> tuple[str, str] | None:
    """Read the tool calls of a text, as canonical JSON and wording.

    None for a refusal and for unsound JSON. The canonical JSON is `[{"arguments": ..., "name": ...}, ...]`. The calls of one
    answer are made at once, so that their order does not matter; ids are left out, and arguments are compared as JSON values.
    All answers in words that are not refusals have the key `NO_CALL`. JSON that cannot be compared (1e999) is unsound.
    """
    text = answer_part(text)
    calls = read_calls(text)
    try:
        if calls:
            names = (f"{call.name}({json.dumps(call.arguments, ensure_ascii=False)[1:-1]})" for call in calls)
            return canonical_calls(calls), ", ".join(names)
        unsound = parse_json(text) is None and is_mostly_json(text)
        return None if not text or unsound or is_refusal(text) else (NO_CALL, text)
    except RecursionError:
        return None


def is_tool_call(text: str) -> bool:
    """Return True if a text is a tool call with little else; code with calls is not one."""
    text = answer_part(text)
    if not read_calls(text):
        return False
    bare = _FENCE.sub("", text).strip()
    return any(sign in bare for sign in ("{", "<", ":\n", "nput:")) or bool(calls_in_expression(bare))


def canonical_calls(calls: Sequence[Call]) -> str:
    """Write the calls as JSON, sorted, so that the same calls are the same text."""
    values: list[JsonValue] = [{"name": folded_name(call.name), "arguments": call.arguments} for call in calls]
    return canonical(sorted(values, key=canonical))


def folded_name(name: str) -> str:
    """Return the name of a function without its spelling: `api.getUser` is `getuser`.

    Providers accept no dots in names, so that models write `math_factorial` for `math.factorial`.
    """
    return _SEPARATORS.sub("", _GENERIC.sub("", name.strip())).casefold() or name


def _read(text: str) -> tuple[Call, ...]:
    bare = _FENCE.sub("", text).strip()
    if not bare.startswith(("{", "[{")) and (tagged := calls_in_tags(text, read_calls)):
        return tagged
    marked = _MARKER.sub("\n", bare)
    if calls := tuple(call for value in json_values(marked) for call in _calls(value)):
        return calls
    if marked != bare and (named := _named_objects(marked)):
        return named
    if lines := _LABELLED.findall(bare):
        return tuple(Call(name, _arguments_of_text(arguments)) for name, arguments in lines)
    return (calls_in_expression(bare) if bare.endswith((")", "]", ";")) else ()) or calls_in_lines(bare)


def _calls(value: JsonValue, *, typed: bool = False, depth: int = 0) -> Iterator[Call]:
    """Yield the calls in a message, in its `tool_calls` or `content` blocks, or the call itself."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        yield from _read(value) if "{" in value or "(" in value else ()
    elif isinstance(value, list):
        dictionaries = [item for item in value if isinstance(item, dict)]
        calls = [call for item in dictionaries for call in _calls(item, typed=typed, depth=depth + 1)]
        yield from calls or (_keyed(item) for item in dictionaries if all(map(_is_keyed, dictionaries)))
    elif isinstance(value, dict):
        if isinstance(function := value.get("function"), dict):
            yield from _calls(function, typed=True, depth=depth + 1)
        elif call := _bare(value, typed=typed):
            yield call
        else:
            for wrapper in _WRAPPERS:
                if isinstance(inner := value.get(wrapper), dict | list):
                    held = wrapper in ("function_call", "functionCall", "toolUse")
                    yield from _calls(inner, typed=held, depth=depth + 1)
            if _is_keyed(value) and not isinstance(next(iter(value.values())), dict):
                yield _keyed(value)


def _bare(value: dict[str, JsonValue], *, typed: bool) -> Call | None:
    """Read an object with a name and arguments as a call; None if it is not one.

    Beside `name`, which persons have too, `input` holds arguments only if the object's `type` is a call.
    """
    key = next((key for key in NAME_KEYS if isinstance(value.get(key), str)), "")
    typed = typed or value.get("type") in _TYPES
    held = [name for name in ARGUMENT_KEYS if name in value and (typed or name != "input" or key != "name")]
    if not key or not (held or typed):
        return None
    arguments = value[held[0]] if held else None
    return Call(str(value[key]), _decoded(arguments)) if typed or isinstance(arguments, dict | str | None) else None


def _is_keyed(value: dict[str, JsonValue]) -> bool:
    """Return True for an object such as `{"f": {"x": 1}}`, or with its inner object as text."""
    if len(value) != 1:
        return False
    ((name, inner),) = value.items()
    encoded = isinstance(inner, str) and inner.lstrip().startswith("{") and isinstance(_object(inner), dict)
    return name.replace(".", "_").isidentifier() and (encoded or isinstance(inner, dict))


def _keyed(value: dict[str, JsonValue]) -> Call:
    ((name, inner),) = value.items()
    return Call(name, _decoded(inner))


def _decoded(value: JsonValue) -> dict[str, JsonValue]:
    """Return arguments as an object; they may be the text of one, or a value without a name."""
    if isinstance(value, dict):
        return value
    if value is None or value == "":
        return {}
    if isinstance(value, list):
        return {str(place): item for place, item in enumerate(value)}
    return _arguments_of_text(value) if isinstance(value, str) else {"0": value}


def _arguments_of_text(text: str) -> dict[str, JsonValue]:
    text = _FENCE.sub("", text).strip().strip("`").strip()
    if (inner := _object(text)) is not None:
        return inner
    if not text or text.lower() in ("none", "null", "n/a"):
        return {}
    if re.match(r"\w+\s*=", text):
        return next(iter(calls_in_expression(f"f({text})")), Call("", {"0": text})).arguments
    lines = [_LINE.fullmatch(line) for line in text.splitlines() if line.strip()]
    if lines and all(lines):
        return {line[1]: loose_value(line[2]) for line in lines if line}
    return {"0": loose_value(text)}


def _object(text: str) -> dict[str, JsonValue] | None:
    parsed = parse_json(text)
    return parsed[0] if parsed and isinstance(parsed[0], dict) else None


def _named_objects(text: str) -> tuple[Call, ...]:
    """Read a name before an object, as between the control tokens of chat templates."""
    calls, position = [], 0
    for _ in range(_MOST_NAMES):
        match = _NAME_THEN_OBJECT.search(text, position)
        if match is None:
            break
        span = json_span(text, match.end())
        position = match.end() + 1 if span is None else span[1]
        if span is not None and isinstance(span[0], dict):
            calls.append(Call(match[1], span[0]))
    return tuple(calls)
