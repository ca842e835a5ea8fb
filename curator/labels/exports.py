"""Rows of labels in the exports of labelling programs: Label Studio and Prodigy."""

from __future__ import annotations

from typing import cast

from curator.labels.columns import LABEL_ROLES, REMARK_ROLES, columns_by_role
from curator.labels.doubts import quoted
from curator.readers.feedback import right_or_wrong
from curator.readers.json_text import decoded
from curator.readers.label_files import PRODIGY_ANSWERS, Program, labelling_program
from curator.records import JsonValue

Row = dict[str, JsonValue]

_VALUES = ("choices", "text", "rating", "number", "selected", "labels", "taxonomy", "datetime")
"""The keys of a Label Studio value that hold what the person said."""


def rows_of_export(row: Row) -> tuple[Program, list[Row]] | None:
    """Return the program that wrote a record, and a row for each person's annotation in it.

    None for a record of no such program. A task without an annotation has no row.
    """
    program = labelling_program(row)
    if program == "Prodigy":
        return program, [_prodigy(row)] if "answer" in row else []
    if program is None:
        return None
    return program, [_label_studio_flat(row)] if "annotation_id" in row else _label_studio(row)


def _label_studio(task: Row) -> list[Row]:
    """The annotations of a task, without labels in its data: those are not a person's."""
    data, meta = cast(Row, task["data"]), task.get("meta")
    shown = {**(meta if isinstance(meta, dict) else {}), **data}
    roles = columns_by_role(tuple(shown))
    persons = (*LABEL_ROLES, *REMARK_ROLES, "labelled_by", "seconds", "labelled_at")
    labels = {column for role in persons for column in roles.get(role, ())}
    shown = {key: value for key, value in shown.items() if key not in labels}
    annotations = [item for item in cast("list[JsonValue]", task["annotations"]) if isinstance(item, dict)]
    return [
        {
            **shown,
            "seconds": annotation.get("lead_time"),
            "labelled_at": annotation.get("updated_at") or annotation.get("created_at"),
            **_controls(annotation),
            "labelled_by": _person(annotation),
        }
        for annotation in annotations
    ]


def _controls(annotation: Row) -> Row:
    """The values that a person gave, by the name of the control; `unsure` of a skipped task."""
    if annotation.get("was_cancelled"):
        return {"verdict": "unsure"}
    controls: Row = {}
    results = annotation.get("result")
    for result in results if isinstance(results, list) else ():
        if isinstance(result, dict) and isinstance(result.get("from_name"), str):
            controls[str(result["from_name"])] = _value(result.get("value"))
    return controls


def _person(annotation: Row) -> JsonValue:
    who = annotation.get("completed_by")
    return (
        next((who[key] for key in ("email", "username", "id") if who.get(key)), None) if isinstance(who, dict) else who
    )


def _label_studio_flat(row: Row) -> Row:
    """A row of the CSV or the short JSON: one annotation, its person in `annotator`."""
    roles = columns_by_role(tuple(row))
    labels = {column for role in (*LABEL_ROLES, *REMARK_ROLES) for column in roles.get(role, ())}
    return {**row, **{column: _value(decoded(row[column])) for column in labels}, "labelled_by": row["annotator"]}


def _value(value: JsonValue) -> JsonValue:
    """The only text or number of a control's value; several ones as they are."""
    while True:
        if isinstance(value, dict):
            inner = next((value[key] for key in _VALUES if key in value), None)
            if inner is None:
                return value
            value = inner
        elif isinstance(value, list) and len(value) == 1:
            value = value[0]
        else:
            return value


def _prodigy(task: Row) -> Row:
    """A decision: `accept` and `reject` are verdicts; of a choice the option counts.

    Its `label` was shown to the person, so that it is not the person's.
    """
    meta = task.get("meta")
    shown = {
        **(meta if isinstance(meta, dict) else {}),
        **{key: value for key, value in task.items() if key != "label"},
    }
    row = {
        **shown,
        "labelled_by": task.get("_annotator_id") or task.get("_session_id"),
        "label": task.get("user_input"),
    }
    verdict = PRODIGY_ANSWERS[str(task["answer"])]
    chosen = task.get("accept")
    if not isinstance(chosen, list) or verdict != "pass":
        return {**row, "verdict": verdict}
    if not chosen:
        return row  # accepted without a choice: only what was typed counts
    choice = _value(chosen)
    asks_verdict = task.get("asks") == "verdict" or ("asks" not in task and right_or_wrong(choice) is not None)
    return {**row, "verdict": choice} if asks_verdict else {**row, "label": _certain(choice)}


def _certain(choice: JsonValue) -> JsonValue:
    """A choice among labels: it is an answer even where it reads like a placeholder."""
    return quoted(choice) if isinstance(choice, str) else choice
