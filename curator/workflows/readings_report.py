"""Show the kind and the readings of each task, for people and for machines."""

from __future__ import annotations

from curator.disagreement.scoring_model import REST, TaskModel
from curator.records import JsonValue
from curator.text.display import one_line, plural

SHOWN = 4
"""Readings of a task that people are shown, the heaviest first."""
_NAME_LENGTH = 60


def task_text(name: str, task: TaskModel) -> str:
    """Return one line on the kind of a task's answers and the readings that count most."""
    shown = f"task {one_line(name, _NAME_LENGTH)!r}" if name != REST else "answers"
    readings = ", ".join(f"{entry.name} {entry.weight:.0%}" for entry in task.mixture.evidence[:SHOWN])
    fitted = (
        f"; read by {readings} (fitted to {plural(task.mixture.cases, 'case')}, without labels)" if readings else ""
    )
    return f"{shown}: {task.kind or 'of the kind that each record names'}{fitted}"


def task_json(name: str, task: TaskModel) -> dict[str, JsonValue]:
    """Return the kind of a task, and the evidence for each reading."""
    return {
        "task": name,
        "kind": task.kind,
        "cases": task.mixture.cases,
        "readings": [
            {
                "name": entry.name,
                "coverage": round(entry.coverage, 4),
                "agreement": round(entry.agreement, 4),
                "chance": round(entry.chance, 4),
                "weight": round(entry.weight, 4),
            }
            for entry in task.mixture.evidence
        ],
    }
