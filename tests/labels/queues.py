"""Rows of label queues for the tests."""

from __future__ import annotations

from collections.abc import Iterable

from curator.labels.queue import QueueRow, queue_rows
from curator.records import Case, Message, Pick, Source

HOSTILE = (
    "plain", "=HYPERLINK(1)", "+1", "-1", "@x", "a\nb", "a\r\nb", 'say "no", twice', ";,\t|", "'quoted'", "👍🏽 naïve", "\u202egnirts",
    "x" * 40_000, '{"json": [1, null]}', "null", "<script>",
)  # fmt: skip


def rows_of(texts: Iterable[str]) -> list[QueueRow]:
    cases = {
        f"c{n}": Case(f"c{n}", (Message("user", text),), Source("a", n), target=text) for n, text in enumerate(texts)
    }
    picks = [Pick(name, rank, "random", 0.25, "eval") for rank, name in enumerate(cases, 1)]
    return list(queue_rows(picks, cases=cases, scores={}, answers_of=lambda _: ()))
