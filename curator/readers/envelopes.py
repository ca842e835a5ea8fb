"""Objects that only wrap a list of records, as the answers and exports of many services do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeGuard

from curator.records import JsonValue

IsRecord: TypeAlias = Callable[[Mapping[str, JsonValue]], bool]
"""Tells whether a reader recognises an object as a record of its format."""

_PARTS = frozenset(
    {
        "messages", "choices", "conversation", "conversations", "turns", "contents", "candidates", "output", "input",
        "resourceSpans", "resource_spans", "resourceLogs", "resourceMetrics", "scopeSpans", "spans", "observations",
        "tools", "documents", "contexts",
    }
)  # fmt: skip
"""Keys of lists that are parts of one exchange or trace, so that their object is a record."""
_CONTENT = frozenset(
    {
        "input", "prompt", "question", "query", "instruction", "output", "response", "answer", "completion", "request",
        "text", "content",
    }
)  # fmt: skip
"""Keys that bear content, so that their object is a record."""
_LOOKED_AT = 20
"""Elements of a list that are looked at: a list may be long, and all of its elements be of one kind."""
_PROSE_WORDS = 4
"""From this many words on, a text is content; names, dates, cursors and states have fewer."""


def wraps_records(value: Mapping[str, JsonValue], *, alone: bool, is_record: IsRecord) -> bool:
    """Return whether an object only wraps lists of records, with scalars beside them.

    An object that a reader recognises is a record, and so is one with content of its own. Where it is not `alone` in its
    file, or has several lists, a reader must recognise an element of a list.
    """
    lists = {key: item[0] for key, item in value.items() if _holds_objects(item)}
    if not lists or not _PARTS.isdisjoint(lists) or is_record(value):
        return False
    if any(_is_content(key, item) for key, item in value.items() if key not in lists):
        return False
    return (alone and len(lists) == 1) or any(is_record(first) for first in lists.values() if isinstance(first, dict))


def _holds_objects(value: JsonValue) -> TypeGuard[list[JsonValue]]:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(item, dict) and item for item in value[:_LOOKED_AT])
    )


def _is_content(key: str, value: JsonValue) -> bool:
    if isinstance(value, dict):
        return any(_is_content(inner, item) for inner, item in value.items())
    if isinstance(value, list):
        return any(isinstance(item, dict) for item in value)
    return isinstance(value, str) and (key.lower() in _CONTENT or len(value.split()) >= _PROSE_WORDS)
