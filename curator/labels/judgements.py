"""Judgements of answers, as `curator calibrate` takes them: whether a case's answer is wrong, or the label it should have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from curator.errors import LogsError, RecordError
from curator.io.lines import expand
from curator.labels.read import beyond_one, probability_of, slice_of, unguarded, verdict_of
from curator.readers.feedback import CASE_ID_KEYS, case_id_of, nonblank, read_wrong
from curator.readers.hints import listed
from curator.readers.rows import Records, open_records
from curator.records import JsonValue, RejectedRecord, Slice, Source

_VERDICTS = ("wrong", "verdict", "label")
_HALF = 0.5
_MAX_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """What somebody said of one case: `wrong`, or else the `label` that a right answer has.

    `slice` is how the case came into the selection, and `probability` the chance with which it was drawn, where the file
    says so, as a label queue does.
    """

    wrong: bool | None
    label: str | None
    slice: Slice | None
    source: Source
    probability: float = 1.0

    def agrees(self, other: Judgement) -> bool:
        """Whether both say the same."""
        return (self.wrong, self.label) == (other.wrong, other.label)


@dataclass(frozen=True, slots=True)
class JudgementFile:
    """The judgements by case id, and the rows that give none though they should."""

    judgements: Mapping[str, Judgement]
    problems: tuple[RejectedRecord, ...]


def read_judgements(paths: Sequence[str]) -> JudgementFile:
    """Read JSONL or CSV rows of `id` (or `case_id`) with `wrong`, `verdict` or `label`; the label queue is such a file.

    The first of the three that is given counts; an answer is wrong whose verdict is half good or less. A row with none, or
    whose verdict is unsure, is still to do. Two different judgements of one case cancel each other out: neither is used,
    and the later one is a problem.

    Raises:
        LogsError: a path matches nothing, or a CSV file lacks the columns.
    """
    found: dict[str, Judgement] = {}
    disputed: set[str] = set()
    problems: list[RejectedRecord] = []
    for path in expand(paths):
        records = open_records(path, wanted=(*CASE_ID_KEYS, *_VERDICTS), max_bytes=_MAX_BYTES)
        _check_columns(records, path)
        rows = list(records.rows)
        beyond = beyond_one(rows)
        for row in rows:
            source = Source(str(path), row.number)
            try:
                if isinstance(row.cells, RecordError):
                    raise row.cells
                case_id, judgement = _read_row(row.cells, source, is_csv=records.columns is not None, beyond=beyond)
                if judgement is None:
                    continue
                first = found.setdefault(case_id, judgement)
                if not first.agrees(judgement):
                    disputed.add(case_id)
                    raise _conflict(case_id, first.source)
            except RecordError as problem:
                problems.append(problem.at(source.file, source.line))
    return JudgementFile({i: j for i, j in found.items() if i not in disputed}, tuple(problems))


def _read_row(
    cells: Mapping[str, JsonValue], source: Source, *, is_csv: bool, beyond: bool
) -> tuple[str, Judgement | None]:
    """The case id and the judgement, None where none was made yet.

    Raises:
        RecordError: the row names no case, or what stands under `wrong` or `verdict` is not clear.
    """
    case_id = case_id_of(cells)
    wrong, label = read_wrong(cells.get("wrong")), nonblank(cells.get("label"))
    if label is not None:
        label = (unguarded(label) if is_csv else label).strip()
    good = verdict_of(cells.get("verdict"), beyond=beyond) if wrong is None else None
    if isinstance(good, float):
        wrong = good <= _HALF
    if wrong is None and label is None:
        return case_id, None
    drawn = slice_of(cells.get("slice")), probability_of(cells.get("inclusion_probability"))
    return case_id, Judgement(wrong, label if wrong is None else None, drawn[0], source, drawn[1])


def _conflict(case_id: str, first: Source) -> RecordError:
    return RecordError(
        f"another judgement of {case_id!r} than at {first}", "keep one of the two; until then neither is used"
    )


def _check_columns(records: Records, path: Path) -> None:
    """Raise `LogsError` where a CSV file has no column for the case or none for the judgement."""
    for needed in (CASE_ID_KEYS, _VERDICTS):
        if records.columns and not set(needed) & set(records.columns):
            raise LogsError(
                f"{str(path)!r}: there is no column {' or '.join(map(repr, needed))};"
                f" the columns are {listed(records.columns)}",
                remedy="name the columns `id` and `wrong` (true or false), `verdict` (pass or fail) or `label`",
            )
