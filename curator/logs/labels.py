"""Labels that came back: a `label_queue.csv` or `.jsonl` whose `label` column somebody filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from curator.errors import LogsError
from curator.logs.files import expand
from curator.logs.hints import listed, nearest
from curator.logs.problem import Problem
from curator.logs.rows import Records, open_records
from curator.logs.verdicts import reference, said
from curator.records import FORMULA_STARTS, JsonValue, Reference, Slice, Source, Unreadable

_REQUIRED = ("case_id", "label")
_MAX_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class LabelFile:
    """The labels by case id, and the records that give none though they should."""

    labels: Mapping[str, Reference]
    problems: tuple[Unreadable, ...]


def read_labels(paths: Sequence[str]) -> LabelFile:
    """Read the labels of all files. A record without a label is one that is still to do.

    Two different labels for one case cancel each other out: neither is used, and the later one is a problem.

    Raises:
        LogsError: a path matches nothing, or a CSV file lacks the column `case_id` or `label`.
    """
    labels: dict[str, Reference] = {}
    places: dict[str, Source] = {}
    disputed: set[str] = set()
    problems: list[Unreadable] = []
    for path in expand(paths):
        records = open_records(path, wanted=_REQUIRED, max_bytes=_MAX_BYTES)
        _check_columns(records, path)
        for row in records.rows:
            source = Source(str(path), row.number)
            try:
                if isinstance(row.cells, Problem):
                    raise row.cells
                case, label = _read_record(row.cells, is_csv=records.columns is not None)
                if label is None:
                    continue
                first = labels.setdefault(case, label)
                place = places.setdefault(case, source)
                if first.text != label.text:
                    disputed.add(case)
                    raise _conflict(case, place)
            except Problem as problem:
                problems.append(problem.at(source.file, source.line))
    return LabelFile({case: label for case, label in labels.items() if case not in disputed}, tuple(problems))


def _read_record(record: dict[str, JsonValue], *, is_csv: bool) -> tuple[str, Reference | None]:
    """The case id and the label, None where the label is empty.

    Raises:
        Problem: the record names no case.
    """
    case, label = said(record.get("case_id")), said(record.get("label"))
    if case is None:
        keys = list(record)
        raise Problem(
            "the `case_id` is empty" if "case_id" in record else f"no `case_id` among the keys {listed(keys)}",
            "keep the column `case_id` as it stands in the label queue; it says which case the label is for",
        )
    if label is not None:
        label = (unguarded(label) if is_csv else label).strip()
    found = reference(label, None, by=record.get("labelled_by"))
    return case.strip(), found and replace(found, slice=slice_of(record.get("slice")))


def slice_of(cell: JsonValue) -> Slice | None:
    """The slice that the label queue names; None where the column is missing or was changed."""
    return next((name for name in get_args(Slice) if name == cell), None)


def unguarded(cell: str) -> str:
    """A cell without the `'` that keeps spreadsheets from running it as a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell


def _conflict(case: str, first: Source) -> Problem:
    return Problem(f"another label for {case!r} than at {first}", "keep one of the two; until then neither is used")


def _check_columns(records: Records, path: Path) -> None:
    """Raise `LogsError` where a CSV file lacks a column that is needed."""
    for column in _REQUIRED:
        if records.columns and column not in records.columns:
            raise LogsError(
                f"{str(path)!r}: there is no column {column!r}; the columns are {listed(records.columns)}",
                remedy=f"keep the columns of the label queue as they are{nearest(column, records.columns)}",
            )
