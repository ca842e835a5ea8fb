"""Keeps a run's training data clear of what is held out: settles the splits by the registry, and checks what is exported."""

from __future__ import annotations

from collections.abc import Collection

from curator.contamination.records import Match
from curator.records import JsonValue

_SHOWN_CHARACTERS = 300


def leak_row(match: Match, exported_before: Collection[str] = ()) -> dict[str, JsonValue]:
    """A match as a row of `leaks.jsonl`."""
    return {
        "id": match.row,
        "held_out_id": match.held,
        "kind": match.kind,
        "similarity": match.similarity,
        "shared": list(match.shared),
        "text": match.question[:_SHOWN_CHARACTERS],
        "held_out_text": match.held_text[:_SHOWN_CHARACTERS],
        "exported_before": match.row in exported_before,
    }
