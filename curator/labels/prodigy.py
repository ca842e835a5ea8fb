"""Prodigy: the label queue as tasks of its `choice` interface.

The format is that of https://prodi.gy/docs/api-interfaces#choice. Tasks carry hashes of their case, so that Prodigy neither takes
two cases with the same text for one nor shows a case again that its data set has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from curator.io.atomic import json_lines
from curator.labels.queue import VERDICTS, QueueRow
from curator.labels.returned import context_of
from curator.labels.rows import read_label_rows
from curator.labels.shown import answer, by_case, conversation
from curator.labels.tool import LabelTool
from curator.records import JsonValue, stable_unit

_HASHES = 2**31 - 1
"""Prodigy's hashes are signed numbers of 32 bits."""


def _tasks(rows: Iterable[QueueRow]) -> Iterator[dict[str, JsonValue]]:
    """Yield a task for each case: which label is right, or whether the answer is."""
    for row, *_ in by_case(list(rows)).values():
        options = row.labels or VERDICTS
        yield {
            **context_of(row),
            "text": f"{conversation(row)}\n\n[production's answer]\n{answer(row)}",
            "target": row.target,
            "asks": "label" if row.labels else "verdict",
            "options": [{"id": option, "text": option} for option in options],
            "meta": {"batch": row.batch},
            "_input_hash": _hash(row, "input"),
            "_task_hash": _hash(row, "task"),
        }


def _hash(row: QueueRow, of: str) -> int:
    return int(stable_unit("prodigy", of, row.case_id) * _HASHES)


def _write(rows: Iterable[QueueRow]) -> Iterator[bytes]:
    return json_lines(_tasks(rows))


PRODIGY = LabelTool(
    "prodigy",
    "Tasks of Prodigy's `choice` interface, to be shown in their order: `prodigy mark NAME FILE --view-id choice`.",
    ".prodigy.jsonl",
    _write,
    read_label_rows,
)
