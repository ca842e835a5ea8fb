"""Markdown in which no text from the logs is markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from curator.report.format import count
from curator.text.display import Excerpt, clean

_MARKUP = re.compile(r"([\\`*_\[\]<>|#~!&])")


def code_span(text: str) -> str:
    """Return a text as inline code on one line; it fits into a table cell."""
    flat = " ".join(clean(text).split()).replace("|", "\\|") or " "
    fence = "`" * (_longest_run(flat) + 1)
    return f"{fence} {flat} {fence}" if "`" in flat else f"{fence}{flat}{fence}"


def code_block(shown: Excerpt) -> str:
    """Return a text as a fenced block that its content cannot end."""
    fence = "`" * max(3, _longest_run(shown.text) + 1)
    note = f"\n\n({count(shown.omitted)} more characters)" if shown.omitted else ""
    return f"{fence}text\n{shown.text}\n{fence}{note}"


def plain(text: str) -> str:
    """Return a text on one line, with every character that is markup escaped."""
    return _MARKUP.sub(r"\\\1", " ".join(clean(text).split()))


def _longest_run(text: str) -> int:
    return max((len(list(run)) for character, run in groupby(text) if character == "`"), default=0)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
