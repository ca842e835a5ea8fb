"""Objects that only wrap a list of records, as the answers and exports of many services do."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Protocol, TypeAlias, TypeGuard

from curator.readers.speakers import name_words
from curator.records import JsonValue

IsRecord: TypeAlias = Callable[[Mapping[str, JsonValue]], bool]
"""Tells whether a reader recognises an object as a record of its format."""


class Wraps(Protocol):
    """Finds the records that an object only wraps; `alone` if the file holds no other object."""

    def __call__(self, value: Mapping[str, JsonValue], *, alone: bool) -> bytes:
        """Return the brackets around its records, such as b"{["; b"" where it is a record."""


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
_NAMES = frozenset(
    {
        *_CONTENT, "inputs", "outputs", "responses", "message", "messages", "body", "data", "metadata", "user", "assistant", "chosen",
        "rejected", "expected", "reference", "before", "after", "first", "second", "model", "options", "parameters", "context", "left",
        "right", "old", "new", "conversation", "result", "results", "inference", "event",
    }
)  # fmt: skip
"""Words of keys that name the parts of one record, so that they are no ids of several."""
_FEWEST_KEYED = 2
_DEEPEST = 3
_LOOKED_AT = 20
"""Elements of a list that are looked at: a list may be long, and all of its elements be of one kind."""
_PROSE_WORDS = 4
"""From this many words on, a text is content; names, dates, cursors and states have fewer."""


def brackets_around_records(value: Mapping[str, JsonValue], *, alone: bool, is_record: IsRecord) -> bytes:
    """The brackets around the records that an object wraps; b"" where it is a record itself.

    b"{[" is an object with a list of records, with scalars beside it, b"{" one with a record under each of its keys, b"{{[" and
    b"{{" the same inside of another object. An object that a reader recognises is a record, and so is one with content of
    its own. Where it is not `alone` in its file, has several lists or other objects around it, a reader must recognise an
    element.
    """
    return _brackets(value, alone=alone, is_record=is_record, depth=0)


def _brackets(value: Mapping[str, JsonValue], *, alone: bool, is_record: IsRecord, depth: int) -> bytes:
    if _is_keyed_by_ids(value, is_record):
        return b"{"
    if _wraps_lists(value, alone=alone, is_record=is_record):
        return b"{["
    inner = [key for key, item in value.items() if isinstance(item, dict) and _may_wrap(item, depth)]
    only = value[inner[0]] if len(inner) == 1 and not _is_content_beside(inner, value) else None
    around = _brackets(only, alone=False, is_record=is_record, depth=depth + 1) if isinstance(only, dict) else b""
    if around.endswith(b"[") and is_record(value):  # of records by id, a reader may take the first one for the only one
        return b""
    return b"{" + around if around else b""


def _may_wrap(value: Mapping[str, JsonValue], depth: int) -> bool:
    """Return whether an object has lists of objects or objects of objects inside."""
    return depth < _DEEPEST and (
        _holds_objects_only(value)
        or any(
            _holds_objects(item) or (isinstance(item, dict) and _may_wrap(item, depth + 1)) for item in value.values()
        )
    )


def _holds_objects_only(value: Mapping[str, JsonValue]) -> bool:
    return len(value) >= _FEWEST_KEYED and all(isinstance(item, dict) and item for item in value.values())


def _is_keyed_by_ids(value: Mapping[str, JsonValue], is_record: IsRecord) -> bool:
    """Return whether an object has records of one form under keys that name no parts of one."""
    if not _holds_objects_only(value) or any(set(name_words(key)) & _NAMES for key in value):
        return False
    first = [item for _, item in zip(range(_LOOKED_AT), value.values(), strict=False) if isinstance(item, dict)]
    common = set.intersection(*(set(item) for item in first))
    return 2 * len(common) >= max(map(len, first)) and all(map(is_record, first))


def _wraps_lists(value: Mapping[str, JsonValue], *, alone: bool, is_record: IsRecord) -> bool:
    """Return whether an object only wraps lists of records, with scalars beside them."""
    lists = {key: item[0] for key, item in value.items() if _holds_objects(item)}
    if not lists or not _PARTS.isdisjoint(lists) or is_record(value) or _is_content_beside(lists, value):
        return False
    return (alone and len(lists) == 1) or any(is_record(first) for first in lists.values() if isinstance(first, dict))


def _is_content_beside(keys: Container[str], value: Mapping[str, JsonValue]) -> bool:
    return any(_is_content(key, item) for key, item in value.items() if key not in keys)


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
