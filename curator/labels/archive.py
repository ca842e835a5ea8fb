"""Filled-in label queues, archived before their folder is written again."""

from __future__ import annotations

import re
from pathlib import Path

from curator.errors import RecordError, UserError
from curator.io.atomic import write_atomic
from curator.labels import QUEUE_STEM, is_label_file, queues_in, tool_of
from curator.labels.current_answers import CurrentAnswers
from curator.labels.history import ARCHIVE
from curator.labels.merge import LabelSet
from curator.labels.queue_hashes import is_as_written
from curator.labels.read import read_imports, read_labels
from curator.records import RejectedRecord


def archive_labels(folder: Path, *, into: Path | None = None) -> list[Path]:
    """Archive filled-in label queues to `labels/NNNN.*` and return the new paths.

    `into` is the folder whose `labels/` gets them; by default the folder of the queues. A file that cannot be read stays where it
    is (`unreadable_queues`).
    """
    touched = (queue for queue in changed_queues(folder) if read_labels([str(queue)]).touched)
    return [path for queue in touched if (path := archive_file(queue, into or folder))]


def changed_queues(folder: Path) -> list[Path]:
    """Return the readable queues of a folder that are not as curator wrote them.

    Only these can hold labels.
    """
    return [queue for queue in queues_in(folder) if not is_as_written(queue) and is_readable(queue)]


def is_readable(queue: Path) -> bool:
    """Return whether a file that is named as a queue can be read."""
    return _refusal(queue) is None


def unreadable_queues(folder: Path) -> list[RejectedRecord]:
    """Return why files that are named as queues cannot be read at all."""
    changed = (queue for queue in queues_in(folder) if not is_as_written(queue))
    return [refusal for queue in changed if (refusal := _refusal(queue))]


def _refusal(queue: Path) -> RejectedRecord | None:
    """Return why a file cannot be read at all; None where it can."""
    try:
        label_set = read_labels([str(queue)])
    except UserError as error:
        return RecordError(error.what, error.remedy).at(str(queue), 1)
    return next(iter(label_set.rejected), None) if tool_of(queue) is None and not label_set.labels else None


def archive_file(file: Path, folder: Path, *, suffix: str = "") -> Path | None:
    """Archive a file of labels in a folder; None where it is archived already.

    The copy has a number in place of the `label_queue` of a queue's name, and before any other name. `suffix` is that of the label
    tool which reads it, where its name has another end.
    """
    content = file.read_bytes()
    if any(Path(path).read_bytes() == content for path in archived_labels(folder)):
        return None
    rest = file.name.removeprefix(QUEUE_STEM)
    path = folder / ARCHIVE / f"{_last_number(folder) + 1:04d}{rest if rest != file.name else f'.{file.name}'}{suffix}"
    write_atomic(path, [content])
    return path


def _last_number(folder: Path) -> int:
    """Return the highest number of an archived queue; 0 without one.

    The queues of a label tool that was uninstalled count too, so that none of them is overwritten.
    """
    return max(map(_number, (folder / ARCHIVE).glob("*")), default=0)


def _number(path: Path) -> int:
    """Return the number in the name of an archived queue; 0 without one."""
    digits = re.match(r"\d+", path.name)
    return int(digits[0]) if digits else 0


def archived_labels(folder: Path | None) -> list[str]:
    """Return the archived queues of a run folder, the oldest first."""
    paths = sorted((folder / ARCHIVE).glob("*"), key=lambda path: (_number(path), path.name)) if folder else []
    return [str(path) for path in paths if is_label_file(path)]


def labels_in(folder: Path, *, current: CurrentAnswers | None = None) -> LabelSet:
    """Read the archived queues of a folder one after another, then those there now."""
    queues = [str(path) for path in queues_in(folder)]
    return read_imports([*([path] for path in archived_labels(folder)), queues], current=current)
