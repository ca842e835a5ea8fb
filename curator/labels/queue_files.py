"""The label queues of a folder, written so that no file in which a person works is replaced.

A person works in a file that was changed since it was written, or that a program has open. A new queue is then written beside it,
as `label_queue_2.csv`. The hashes of the queues as they were written, in `queue_hashes.json`, show which file was changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path

from curator.io.atomic import write_atomic
from curator.labels import QUEUE_STEM, LabelTool, QueueRow, queues_in
from curator.labels.archive import archive_labels, archived_labels, changed_queues, is_readable
from curator.labels.current_answers import CurrentAnswers
from curator.labels.merge import decided
from curator.labels.queue_hashes import is_as_written, is_remembered, remember
from curator.labels.read import read_imports, read_labels

_LOCKS = (".~lock.{}#", "~${}", ".{}.swp", ".#{}")
"""The files that LibreOffice, Excel, Vim and Emacs keep beside one that they have open."""


def write_queues(folder: Path, rows: Sequence[QueueRow], tools: Iterable[LabelTool]) -> dict[str, str]:
    """Write a label queue for each tool, and return the names of the files by tool.

    What people filled in meanwhile is archived first. A tool whose queue is being worked in gets a file beside it, or none where
    there is nothing left to label; untouched ones with higher numbers are removed.

    Raises:
        StorageError: a file cannot be written.
    """
    archive_labels(folder)
    names: dict[str, str] = {}
    for tool in tools:
        path = free_place(folder, tool)
        if rows or path.name == tool.queue_name or path.exists():
            _write(path, b"".join(tool.write(rows)))
            names[tool.name] = path.name
        for number, later in _numbered(folder, tool).items():
            if number > _number(path, tool) and not is_worked_in(later):
                later.unlink(missing_ok=True)
    return names


def free_place(folder: Path, tool: LabelTool) -> Path:
    """Return the first name for a queue of a tool under which no person works."""
    return next(path for path in _places(folder, tool) if not is_worked_in(path))


def is_worked_in(path: Path) -> bool:
    """Return whether a person works in a file: a program has it open, or it was changed.

    A file that curator has no hash of counts where something is filled in.
    """
    if not path.is_file():
        return False
    if any((path.parent / lock.format(path.name)).exists() for lock in _LOCKS):
        return True
    if is_remembered(path):
        return not is_as_written(path)
    return not is_readable(path) or read_labels([str(path)]).touched


def worked_in(folder: Path) -> list[Path]:
    """Return the queues of a folder in which a person works."""
    return [path for path in queues_in(folder) if is_worked_in(path)]


def current_queue(folder: Path, tool: LabelTool) -> Path:
    """Return the newest queue of a tool in a folder, which need not exist."""
    return [folder / tool.queue_name, *_numbered(folder, tool).values()][-1]


def labelled_since_archived(folder: Path, queue: Iterable[QueueRow] = ()) -> set[str]:
    """Return the cases of a folder that were labelled since its labels were archived.

    A verdict on another answer than that of the new `queue` does not count.
    """
    current = CurrentAnswers.of_queue(queue)
    archived = [[path] for path in archived_labels(folder)]
    now = read_imports([*archived, list(map(str, changed_queues(folder)))], current=current)
    return decided(now.labels) - decided(read_imports(archived, current=current).labels)


def labelled_in_work(folder: Path, queue: Iterable[QueueRow] = ()) -> set[str]:
    """Return the cases that are labelled in the queues in which a person works.

    A verdict on another answer than that of the new `queue` does not count.
    """
    return decided(
        read_labels([str(path) for path in changed_queues(folder)], current=CurrentAnswers.of_queue(queue)).labels
    )


def _places(folder: Path, tool: LabelTool) -> Iterator[Path]:
    """Yield the names that a queue may have, in their order."""
    yield folder / tool.queue_name
    for number in count(2):
        yield folder / f"{QUEUE_STEM}_{number}{tool.suffix}"


def _numbered(folder: Path, tool: LabelTool) -> dict[int, Path]:
    """Return the queues of a tool by the number in their name, in its order."""
    numbers = {_number(path, tool): path for path in queues_in(folder) if path.name.endswith(tool.suffix)}
    return {number: numbers[number] for number in sorted(numbers) if number}


def _number(path: Path, tool: LabelTool) -> int:
    """Return the number in the name of a queue of a tool; 0 without one."""
    end = path.name.removeprefix(f"{QUEUE_STEM}_").removesuffix(tool.suffix)
    return int(end) if end.isdecimal() else 0


def _write(path: Path, content: bytes) -> None:
    """Write a queue; its hash comes first, so that no queue of a killed run seems to be changed."""
    remember(path, content)
    write_atomic(path, [content])
