"""Redaction of JSON values, where the key of a value says what it may be."""

from __future__ import annotations

import json

import orjson

from curator.records import JsonValue
from curator.redaction.change import Change


def dumped(value: object) -> str:
    """Return a JSON value as one text, to search it as a whole."""
    try:
        return orjson.dumps(value, default=str).decode()
    except TypeError:  # a number beyond 64 bits, or half of a surrogate pair
        return json.dumps(value, ensure_ascii=False, default=str)


def is_json(text: str) -> bool:
    """Return whether a text is JSON."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def redacted_json_text(text: str, change: Change) -> str:
    """Redact a text that is JSON by its values, so that it stays JSON."""
    value = redacted_value(json.loads(text), change)
    indented = "\n" in text.strip()
    return json.dumps(value, ensure_ascii=False, indent=2 if indented else None)


def redacted_value(value: JsonValue, change: Change, name: str = "") -> JsonValue:
    """Redact a value and everything in it; `name` is the key that leads to it."""
    if isinstance(value, str):
        return change.named(name, value) if name else change.text(value)
    if isinstance(value, dict):
        return {change.text(key): redacted_value(item, change, key) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted_value(item, change, name) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
        changed = change.named(name, text) if name else change.text(text)
        return value if changed == text else int(changed) if changed.isdecimal() else changed
    return value
