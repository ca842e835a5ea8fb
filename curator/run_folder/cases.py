"""`cases.jsonl`: every case of a run or a selection with what is known of it, which an estimate later takes as its pool."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import orjson

from curator.errors import LogsError
from curator.io.lines import MAX_LINE_BYTES, physical_lines
from curator.records import Case, JsonValue, Score, Slice, Split
from curator.run_folder.layout import CASES


def read_rows(folder: Path) -> list[dict[str, JsonValue]]:
    """The rows of `cases.jsonl`.

    Raises:
        LogsError: it is not there, or damaged.
    """
    path = CASES.of(folder)
    if not path.is_file():
        raise LogsError(
            f"{str(folder)!r} holds no {CASES}", remedy="name the folder that `curator select` or `curator run` wrote"
        )
    rows = []
    for line in physical_lines(path, max_bytes=MAX_LINE_BYTES):
        try:
            row = orjson.loads(line.data or b"null")
        except orjson.JSONDecodeError:
            row = None
        if not isinstance(row, dict) or not row.get("id"):
            raise LogsError(
                f"{str(path)!r}, line {line.number}: no case",
                remedy="restore the file as curator wrote it, or select anew",
            )
        rows.append(row)
    return rows


_OF_SCORE = tuple(field.name for field in fields(Score) if field.name not in {"id", "fields"})


def case_row(
    case: Case, score: Score | None, *, split: Split, category: str | None, slice: Slice | None
) -> dict[str, JsonValue]:
    """The row of one case; `fields` of the score only where there are some, and the fields of it that need no score."""
    return {
        "id": case.id,
        "log_id": case.log_id,
        "source": str(case.source),
        "task": case.task,
        "weight": case.weight,
        "group": case.group,
        "split": split,
        "category": category,
        "slice": slice,
        "characters": None if case.target is None else len(case.target),
        "thumb": case.feedback.thumb if case.feedback else None,
        "metadata": dict(case.metadata),
        **score_fields(score),
    }


def score_fields(score: Score | None) -> dict[str, JsonValue]:
    """The score without its id, and without `fields` where the answers are not structured."""
    if score is None:
        return {}
    found: dict[str, JsonValue] = {
        name: getattr(score, name) for name in _OF_SCORE
    }  # asdict copies deeply: ten times slower
    return found if score.fields is None else {**found, "fields": dict(score.fields)}
