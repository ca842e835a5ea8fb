"""Sentences on how the answers of each task were read."""

from __future__ import annotations

from curator.records import TaskReadings
from curator.text.display import one_line, plural

SHOWN = 4
"""Readings of a task that people are shown, the heaviest first."""
_NAME_LENGTH = 60


def readings_sentence(task: TaskReadings) -> str:
    """Return one line on the kind of a task's answers and the readings that count most."""
    subject = f"answers of task {one_line(task.task, _NAME_LENGTH)!r}" if task.task else "answers"
    kind = f"of kind {task.kind}" if task.kind else "of the kind that each record names"
    if task.frames:
        kind += f", read from {', '.join(task.frames)}"
    if not task.readings:
        return f"{subject}: {kind}"
    readings = ", ".join(f"{reading.name} {reading.weight:.0%}" for reading in task.readings[:SHOWN])
    return f"{subject}: {kind}, compared by {readings} (fitted to {plural(task.cases, 'case')} without labels)"
