"""Files of labelling programs, which are labels and no logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from curator.errors import RecordError
from curator.records import JsonValue

Program = Literal["Label Studio", "Prodigy"]
PRODIGY_ANSWERS: Mapping[str, str] = {"accept": "pass", "reject": "fail", "ignore": "unsure"}
"""The decisions of Prodigy, as verdicts."""
_BARE_TASK = frozenset(("id", "data", "meta"))
"""The keys of a task of which nothing is known; other records of the file say what it is."""


def labelling_program(row: Mapping[str, JsonValue]) -> Program | None:
    """The program that wrote a record for the labels of a person; None for any other record."""
    if isinstance(row.get("annotations"), list) and isinstance(row.get("data"), dict):
        return "Label Studio"
    if "annotation_id" in row and "annotator" in row:
        return "Label Studio"
    hashed = "_task_hash" in row or "_input_hash" in row
    return "Prodigy" if hashed and str(row.get("answer", "ignore")) in PRODIGY_ANSWERS else None


def no_logs(first: Sequence[Mapping[str, JsonValue]]) -> RecordError | None:
    """The reason why a file of a labelling program is not read as logs, by its first records.

    Read as logs, its tasks would be asked again without what people said about them. None for any other file.
    """
    programs = {labelling_program(row) or _program_of_task(row) for row in first if not row.keys() <= _BARE_TASK}
    program = next(iter(programs), None) if len(programs) == 1 else None
    if program is None:
        return None
    return RecordError(
        f"a file of labels or of tasks to label ({program}), not logs",
        "name it as labels: `labels: [FILE]` in the config; `logs` names the logs that its tasks were made of",
    )


def _program_of_task(row: Mapping[str, JsonValue]) -> Program | None:
    """The program of a task that has no label yet, as it is imported or exported."""
    data, predictions = row.get("data"), row.get("predictions")
    if not isinstance(data, dict):
        return None
    results = isinstance(predictions, list) and all(isinstance(each, dict) and "result" in each for each in predictions)
    return "Label Studio" if predictions and results else None
