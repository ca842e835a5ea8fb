"""The form of a label tool: an entry of LABEL_TOOLS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from curator.labels.queue import QueueRow
from curator.records import Label, RejectedRecord

QUEUE_STEM = "label_queue"


@dataclass(frozen=True, slots=True)
class LabelTool:
    """A program that people label with, and its file, which comes back with the labels.

    Attributes:
        name: the value in `labelling.tools`.
        description: one line for the documentation.
        suffix: the end of its files' names, with the dot; one of its own, such as `.my-tool.json`, as a label file that comes back
            is recognised by it.
        write: encodes the rows of the label queue, in their order, as the bytes of the file.
        read: reads a file that came back: a `Label` for each row that a person filled in, with the `case_id` of the queue, and a
            rejected record for each row that cannot be read. Rows that are still to do are left out.
        settings: further files that set the program up for a queue, by the end of their names; None without any.
    """

    name: str
    description: str
    suffix: str
    write: Callable[[Iterable[QueueRow]], Iterable[bytes]]
    read: Callable[[Path], Iterable[Label | RejectedRecord]]
    settings: Callable[[Sequence[QueueRow]], Mapping[str, bytes]] | None = None

    @property
    def queue_name(self) -> str:
        """The name of the label queue in a run folder."""
        return f"{QUEUE_STEM}{self.suffix}"
