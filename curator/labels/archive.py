"""Filled-in label queues, archived before their folder is written again."""

from __future__ import annotations

from pathlib import Path

from curator.io.atomic import write_atomic
from curator.labels import queues_in, tool_of
from curator.labels.merge import LabelSet, corrected
from curator.labels.read import read_labels

ARCHIVE = "labels"


def archive_labels(folder: Path, *, into: Path | None = None) -> list[Path]:
    """Archive filled-in label queues to `labels/NNNN.*` and return the new paths.

    `into` is the folder whose `labels/` gets them; by default the folder of the queues.
    """
    destination = into or folder
    archived = []
    for queue in queues_in(folder):
        if not read_labels([str(queue)]).touched:
            continue
        content, earlier, tool = queue.read_bytes(), archived_labels(destination), tool_of(queue)
        if all(Path(path).read_bytes() != content for path in earlier):
            suffix = tool.suffix if tool else queue.suffix
            path = destination / ARCHIVE / f"{_last_number(destination) + 1:04d}{suffix}"
            write_atomic(path, [content])
            archived.append(path)
    return archived


def _last_number(folder: Path) -> int:
    """Return the highest number of an archived queue; 0 without one.

    The queues of a label tool that was uninstalled count too, so that none of them is overwritten.
    """
    numbers = [path.name.partition(".")[0] for path in (folder / ARCHIVE).glob("*")]
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def archived_labels(folder: Path | None) -> list[str]:
    """The archived queues of a run folder, the oldest first."""
    paths = sorted((folder / ARCHIVE).glob("*")) if folder else []
    return [str(path) for path in paths if tool_of(path)]


def labels_in(folder: Path) -> LabelSet:
    """Read the queues of a folder, archived ones first; a later one corrects an earlier one."""
    queues = [str(path) for path in queues_in(folder)]
    label_sets = [read_labels(paths) for paths in (*([path] for path in archived_labels(folder)), queues) if paths]
    return LabelSet(corrected(label_sets), tuple(row for label_set in label_sets for row in label_set.rejected))
