"""`leaks.jsonl`: one row per training candidate that asks a held-out question."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from curator.contamination.records import Match
from curator.records import JsonValue

_SHOWN_CHARACTERS = 300


def leak_row(
    match: Match, exported_before: Collection[str] = (), held_by: Mapping[str, str] | None = None
) -> dict[str, JsonValue]:
    """Return the line of a match.

    `exported_before` are ids that an earlier run exported; `held_by` has the name of the job that holds a question, by its id.
    """
    return {
        "id": match.row,
        "held_out_id": match.held,
        **({"held_out_by": held_by[match.held]} if held_by and match.held in held_by else {}),
        "kind": match.kind,
        "similarity": match.similarity,
        "shared": list(match.shared),
        "text": match.question[:_SHOWN_CHARACTERS],
        "held_out_text": match.held_text[:_SHOWN_CHARACTERS],
        "exported_before": match.row in exported_before,
    }
