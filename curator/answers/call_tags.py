"""Parse calls that are written in tags, such as `<invoke name="f">` or `<function=f>`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from curator.answers.call_expressions import Call, loose_value, unwrapped
from curator.answers.json_values import parse_json
from curator.answers.tags import Element, parse_tags
from curator.records import JsonValue

NAME_KEYS = ("name", "tool_name", "tool", "function_name", "function", "action", "recipient_name")
ARGUMENT_KEYS = (
    "arguments",
    "parameters",
    "args",
    "input",
    "kwargs",
    "params",
    "action_input",
    "tool_input",
    "tool_arguments",
)
_COMPOUND = re.compile(r"[^\W_]_[^\W_]|[a-z][A-Z]")
_CALLING = re.compile(r"(?:tool|function|invoke|call|action|use)", re.IGNORECASE)
_ARGUMENT = re.compile(r"(?:param|arg|property|field)", re.IGNORECASE)

Inner = Callable[[str], Sequence[Call]]
"""A reader of the calls in the text of a tag."""


def calls_in_tags(text: str, read_inner: Inner) -> tuple[Call, ...]:
    """Return the calls in the tags of a text; () without.

    A call is a tag that names a function (`<function=f>`, `<invoke name="f">`), a tag with one for the name and one for the
    arguments, a tag of a compound name with only arguments in it (`<read_file><path>a</path></read_file>`), or a tag such
    as `<tool_call>` around a call in another spelling, which `read_inner` reads.
    """
    if "<" not in text or ">" not in text:
        return ()
    return tuple(call for element in parse_tags(text) for call in _calls(element, text, read_inner))


def _calls(element: Element, text: str, read_inner: Inner) -> Sequence[Call]:
    if element.name and not _ARGUMENT.match(element.tag):
        return [Call(element.name, _arguments(element, text))]
    by_tag = {child.tag.lower(): child for child in element.children}
    named = next((by_tag[key] for key in NAME_KEYS if key in by_tag and not by_tag[key].children), None)
    held = next((by_tag[key] for key in ARGUMENT_KEYS if key in by_tag), None)
    if named and held:
        return [Call(text[named.start : named.end].strip(), _arguments(held, text))]
    inner = [call for child in element.children for call in _calls(child, text, read_inner)]
    return inner or _bare(element, text, read_inner)


def _bare(element: Element, text: str, read_inner: Inner) -> Sequence[Call]:
    """Read a tag without a name: the tag is the name, or its text is a call."""
    leaves = bool(element.children) and all(not child.children for child in element.children)
    if leaves and _COMPOUND.search(element.tag) and not _CALLING.match(element.tag):
        return [Call(element.tag, _arguments(element, text))]
    inside = text[element.start : element.end].strip()
    if leaves and _CALLING.search(element.tag) and element.children[0].tag == "arg_key":
        return [Call(inside.partition("<")[0].strip(), _paired(element, text))]
    return read_inner(inside) if _CALLING.search(element.tag) and not element.children else []


def _arguments(element: Element, text: str) -> dict[str, JsonValue]:
    """Read the arguments: a tag each, or an object as JSON, else the text as one value."""
    if element.children:
        return {child.name or child.tag: loose_value(text[child.start : child.end]) for child in element.children}
    inside = text[element.start : element.end].strip()
    parsed = parse_json(inside)
    if parsed and isinstance(parsed[0], dict):
        return parsed[0]
    return unwrapped({"0": loose_value(inside)}) if inside else {}


def _paired(element: Element, text: str) -> dict[str, JsonValue]:
    values = [text[child.start : child.end].strip() for child in element.children]
    return {key: loose_value(value) for key, value in zip(values[::2], values[1::2], strict=False)}
