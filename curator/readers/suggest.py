"""The mapping that a remedy prints; it reads the records right when it is followed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from curator.readers.layout import found_mapping
from curator.records import JsonValue

_PLAIN = re.compile(r"[A-Za-z_][\w .\-/$]*(?<! )")
_YAML_WORDS = frozenset(("true", "false", "yes", "no", "null", "on", "off", "y", "n", "none"))
_MOST = 120
_PLACEHOLDER = "<the key of the user text>"


def suggested_mapping(records: Sequence[Mapping[str, JsonValue]]) -> str:
    """The mapping that would read records like these, as a config has it.

    Where no key of a question is found, a placeholder says so.
    """
    fields = found_mapping(records, guess=True)
    shown = [f"{name}: {text}" for name, value in fields.items() if (text := _yaml(value)) is not None]
    if "input" not in fields or not shown or not shown[0].startswith("input"):
        return f"`logs: {{mapping: {{input: {_PLACEHOLDER}}}}}`"
    return f"`logs: {{mapping: {{{', '.join(shown)}}}}}`"


def names_question(mapping: str) -> bool:
    """Return whether a mapping of `suggested_mapping` names the key of the question."""
    return _PLACEHOLDER not in mapping


def _yaml(value: object) -> str | None:
    """A value in YAML's flow style; None for a key that cannot be shown whole."""
    if isinstance(value, list):
        parts = [_yaml(part) for part in value]
        return None if None in parts else f"[{', '.join(filter(None, parts))}]"
    if isinstance(value, dict):
        pairs = [(_yaml(key), _yaml(inner)) for key, inner in value.items()]
        return "{" + ", ".join(f"{key}: {inner}" for key, inner in pairs) + "}"
    text = str(value)
    if not text.isprintable() or len(text) > _MOST or "`" in text:
        return None
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return "'" + text.replace("'", "''") + "'"
