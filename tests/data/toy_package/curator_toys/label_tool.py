"""Files of the toy board: one card a line, with the field `good` to fill in."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from curator.labels import LabelTool, QueueRow
from curator.records import Label, Source


def write(rows: Iterable[QueueRow]) -> Iterator[bytes]:
    """Write a card for each case of the label queue."""
    for row in rows:
        card = {"case": row.case_id, "input": row.input, "output": row.target, "good": None}
        yield json.dumps(card).encode() + b"\n"


def read(path: Path) -> Iterator[Label]:
    """Read the cards that were filled in."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        card = json.loads(line)
        if card["good"] is not None:
            yield Label(card["case"], Source(str(path), number), failure=0.0 if card["good"] else 1.0)


TOOL = LabelTool(
    name="toy-board",
    description="cards of the toy board",
    suffix=".board.jsonl",
    write=write,
    read=read,
)
