"""JSON as people read it: one member a line, with every character of its values as it was."""

from __future__ import annotations

import json
import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_SHORT = 72
"""Characters of a text that stays on one line."""
_INDENT = "  "


def laid_out(text: str) -> str:
    """Return a JSON object or list with one member a line; any other text as it is.

    Only white space between the values changes: numbers, the order of the keys and escapes stay, as they may be what an
    answer is judged for.
    """
    if not text.lstrip().startswith(("{", "[")) or (len(text.strip()) <= _SHORT and "\n" not in text.strip()):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    parts: list[str] = []
    depth, before = 0, ""
    for piece in _TOKEN.findall(text):
        if piece in "}]":
            depth -= 1
        if before and (before in "{[," or piece in "}]") and before + piece not in ("{}", "[]"):
            parts.append("\n" + _INDENT * depth)
        parts.append(piece)
        if piece == ":":
            parts.append(" ")
        elif piece in "{[":
            depth += 1
        before = piece
    return "".join(parts)
