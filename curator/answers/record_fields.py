"""Read a record from a text (JSON, a Python literal, YAML or XML) and list its fields."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

import yaml

from curator.answers.json_values import as_json, json_span, json_values, parse_python
from curator.answers.normalization import answer_part, normal_form
from curator.answers.tags import Element, parse_tags
from curator.records import JsonValue

MOST_FIELDS = 2_000
"""Fields of a record that are compared."""
_LONGEST = 1_000_000
_LONGEST_LITERAL = 20_000
_LONGEST_YAML = 20_000
_MOST_STARTS = 64
_LONGEST_BROKEN = 50_000
_MOST_WORDS = 200
_DEEPEST = 40
_FENCED = re.compile(r"```[ \t]*([\w+-]*)[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_BEGINS = re.compile(r"(?<![\w(=])[{\[]")
_BROKEN_FIELD = re.compile(
    r'"([^"\\\n]{1,80})"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?![\w.])|true|false|null)', re.DOTALL
)
_YAML_LINE = re.compile(
    r"[ \t]*(?:- )*(?:[\w.-]+|\"[^\"\n]+\"):(?:[ \t]+[^&*!|>%@`\n][^\n]*)?[ \t]*|[ \t]*- [^&*!\n][^\n]*"
)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = re.compile(
    r"[$\u20ac\u00a3\u00a5]?\s*([-+]?(?:0|[1-9]\d*|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?)"
)
_WORDS = re.compile(r"\w+")
_KEY_SIGNS = re.compile(r"[\W_]+")


def parse_record(text: str) -> JsonValue:
    """Parse the object or array of an answer, in whichever notation; None without one.

    Several objects in one text are an array. Of JSON that is cut off or broken the fields that are whole are read.
    """
    text = answer_part(text)
    if len(text) > _LONGEST:
        return None
    try:
        return _parsed(text)
    except (ValueError, RecursionError):
        return None


def _parsed(text: str) -> JsonValue:
    blocks = _FENCED.findall(text) if "```" in text else []
    language, block = max(blocks, key=lambda item: len(item[1])) if blocks else ("", text)
    block = block.strip()
    if "{" in text or "[" in text:
        held = _containers(block if blocks else text)
        objects = [value for value in held if isinstance(value, dict)] or held
        if len(objects) == 1:
            return objects[0]
        if objects:
            return list(objects)
    if block.startswith(("{", "[", "(")) and (literal := _literal(block)) is not None:
        return literal
    if "{" in block and (fields := _BROKEN_FIELD.findall(block, 0, _LONGEST_BROKEN)):
        return {name: _scalar(value) for name, value in reversed(fields)}
    if language in ("xml", "") and block.startswith("<") and block.endswith(">"):
        elements = parse_tags(block)
        root = elements[0] if len(elements) == 1 and elements[0].children else Element("", "", 0, 0, elements)
        return _in_tags(root, block) if elements else None
    return _yaml(block) if language in ("yaml", "yml") or not blocks else None


def _containers(text: str) -> list[JsonValue]:
    """Parse the objects and arrays of a text, except those in a call or an index of code."""
    values: list[JsonValue] = []
    position = 0
    for _ in range(_MOST_STARTS):
        begin = _BEGINS.search(text, position)
        if begin is None:
            break
        span = json_span(text, begin.start())
        position = begin.end() if span is None else span[1]
        values += [] if span is None else [span[0]]
    if values or not text.startswith('"'):
        return values
    return [value for value in json_values(text) if isinstance(value, dict | list)]


def _literal(text: str) -> JsonValue:
    tree = parse_python(text, "eval") if len(text) <= _LONGEST_LITERAL else None
    try:
        value = ast.literal_eval(tree) if tree else None
        value = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return as_json(value) if isinstance(value, dict | list | tuple) else None
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None


def _scalar(text: str) -> JsonValue:
    values = json_values(text)
    return values[0] if values else text.strip('"')


def _in_tags(element: Element, text: str) -> JsonValue:
    """Convert a tag to an object of the tags in it; several tags of one name are an array."""
    if not element.children:
        return text[element.start : element.end].strip()
    fields: dict[str, list[JsonValue]] = {}
    for child in element.children:
        fields.setdefault(child.name or child.tag, []).append(_in_tags(child, text))
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _yaml(text: str) -> JsonValue:
    """Parse YAML of at least two lines, each a field or item; aliases and tags are not read."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(text) > _LONGEST_YAML or len(lines) < 2 or not all(map(_YAML_LINE.fullmatch, lines)):
        return None
    try:
        value = yaml.load(text, _LOADER)  # noqa: S506 - the loader is a safe one
        return as_json(value) if isinstance(value, dict | list) else None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return None


def fields_of(value: JsonValue, path: str = "", depth: int = 0) -> Iterator[tuple[str, JsonValue]]:
    """Yield the path and value of each field; items of an array share a path with `[]`."""
    if isinstance(value, dict) and depth < _DEEPEST:
        for name, inner in value.items():
            key = folded_key(name)
            yield from fields_of(inner, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST:
        for inner in value:
            yield from fields_of(inner, f"{path}[]", depth + 1)
    else:
        yield path or "$", value


def folded_key(name: str) -> str:
    """Return the name of a field without case and signs: `customerId`, `customer_id` are one."""
    return _KEY_SIGNS.sub("", name).casefold() or name


def value_features(path: str, value: JsonValue) -> Sequence[tuple[str, str]]:
    """Return the features of a field: its folded value, and under `path~` its words."""
    folded = folded_value(value)
    words = _WORDS.findall(folded)[:_MOST_WORDS] if isinstance(value, str) else []
    return [(path, folded), *((f"{path}~", word) for word in (words if len(words) > 1 else ()))]


def folded_value(value: JsonValue) -> str:
    """Write a value so that spellings of one value are equal.

    Numbers are compared by value, also in a string and after a currency sign; strings without case and most punctuation; null
    and the empty string are one value.
    """
    if value is None or value == "":
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        number = _NUMBER.fullmatch(value.strip())
        return f"{float(number[1].replace(',', '')):.9g}" if number else normal_form(value)
    if isinstance(value, int | float):
        return f"{float(value):.9g}" if abs(value) < 1e300 else str(value)
    return "[]" if isinstance(value, list) else "{}"
