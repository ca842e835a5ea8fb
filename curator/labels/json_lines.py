"""The label queue as JSONL, for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from curator.io.atomic import json_lines
from curator.labels.queue import QueueRow
from curator.labels.rows import read_label_rows
from curator.labels.tool import LabelTool


def _write(rows: Iterable[QueueRow]) -> Iterator[bytes]:
    return json_lines(row.to_json() for row in rows)


JSONL = LabelTool("jsonl", "JSONL with every text as it is, for programs.", ".jsonl", _write, read_label_rows)
