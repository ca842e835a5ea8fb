"""Rows of a table or of JSON to labels: of a filled-in label queue, or of an export."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from curator.errors import LogsError, RecordError
from curator.labels.columns import LABEL_ROLES, REMARK_ROLES, Role, by_role, columns_by_role, renamed
from curator.labels.damage import Cells, is_untouched, repaired
from curator.labels.doubts import certain_answers, yes_and_no
from curator.labels.exports import rows_of_export
from curator.labels.guard import unguarded
from curator.labels.sheet import QUEUE_SHEET
from curator.readers.cells import is_error_value
from curator.readers.feedback import case_id_of, nonblank, read_verdict, read_wrong, verdict_number
from curator.readers.hints import listed, nearest
from curator.readers.json_text import decoded
from curator.readers.label_files import Program
from curator.readers.rows import open_records
from curator.readers.table import Row
from curator.readers.times import seconds_of
from curator.records import JsonValue, Label, RejectedRecord, Slice, Source, marked_answer
from curator.text.display import one_line, plural

_MAX_BYTES = 16_000_000
_MAX_ROWS = 1_000_000
_ONLY_SHEET = re.compile(rf"the sheet (?:{QUEUE_SHEET!r} was read|.* was read$)")
"""A note that says nothing new: the sheet is the queue's, or the only one."""
_NULLS = frozenset(("nan", "none", "null", "<na>", "nat"))
"""The text of an empty cell, as programs write it."""
_NULLS_OF_PROGRAMS: Sequence[Role] = (
    "verdict", "wrong", "note", "corrected_category", "labelled_by", "content_hash", "slice", "inclusion_probability", "kind",
)  # fmt: skip
_JUDGEMENTS = frozenset(("pass", "passed", "fail", "failed", "correct", "incorrect", "wrong", "not ok", "unsure"))
"""Words of which a column without a usual name is a verdict; `yes` and `bad` may be of anything."""
_COUNTED = re.compile(r"\d+ x (.*)")


@dataclass(frozen=True, slots=True)
class LabelFile:
    """The rows of one file of labels.

    Attributes:
        rows: the labels, and the rows that cannot be read, in their order.
        answers: placeholders that are among the answers which the file shows, see `doubts`.
        notes: sentences on the form of the file: the program that exported it, the columns with other names.
    """

    rows: Sequence[Label | RejectedRecord]
    answers: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def read_label_rows(path: Path) -> Sequence[Label | RejectedRecord]:
    """Read the rows of a file, see `read_label_file`."""
    return read_label_file(path).rows


def read_label_file(path: Path) -> LabelFile:
    """Read the filled-in rows of a file and reject those that cannot be read, in their order.

    A row is still to do, and left out, where its `verdict`, `wrong` and `label` are blank; one with a `note` or a
    `corrected_category` and none of them is a case that the person could not judge. A row whose `verdict`
    and `wrong` contradict each other is rejected; where they do not, the number in `verdict` counts. Columns may have other
    names (`columns`), and the file may be an export of a labelling program (`exports`). Rows of a table are numbered as a
    spreadsheet numbers them.

    Raises:
        LogsError: the file lacks the column of the case or every column of a label.
    """
    wanted = ("case_id", "id", *LABEL_ROLES)
    records = open_records(path, wanted=wanted, max_bytes=_MAX_BYTES, is_record=_is_record, by_hand=True)
    rows = list(islice(records.rows, _MAX_ROWS + 1))
    if len(rows) > _MAX_ROWS:
        raise LogsError(
            f"{str(path)!r} has more than {_MAX_ROWS:,} rows, too many for labels",
            remedy="name the file that people filled in",
        )
    sheet = _Sheet(path, guarded=records.columns is not None)
    unfolded = [cells for row in rows for cells in sheet.unfold(row)]
    sheet.find_columns([cells for _, cells in unfolded], records.columns)
    judged = repaired(list(sheet.judgements(unfolded)))
    beyond = any((verdict_number(cells.get("verdict")) or 0) > 1 for _, cells in judged)
    results: list[Label | RejectedRecord] = [*sheet.rejected]
    edited: list[Source] = []
    for source, cells in judged:
        try:
            label, unclear = _read_row(cells, source, beyond=beyond)
            results += [error.at(source.file, source.line) for error in unclear]
            if label:
                if not is_untouched(cells, label.case_id):
                    edited.append(source)
                results.append(label)
        except RecordError as error:
            results.append(error.at(source.file, source.line))
    answers = certain_answers(text for _, cells in judged for text in _answers_in(cells))
    if any(cells.get("kind") == "boolean" for _, cells in judged):
        answers |= yes_and_no()
    notes = (note for note in records.notes_elsewhere(path) if not _ONLY_SHEET.search(note))
    return LabelFile([*results, *_edited(edited)], answers, (*notes, *sheet.notes(records.columns)))


def _is_record(row: Mapping[str, JsonValue]) -> bool:
    """Return whether a JSON object is a row of labels, and not the wrapper of a list of them."""
    return rows_of_export({**row}) is not None or bool({"case_id", *LABEL_ROLES} & columns_by_role(tuple(row)).keys())


Unfolded = tuple[Source, dict[str, JsonValue]]
"""The place and the cells of a row, or of one person's annotation in it."""


class _Sheet:
    """Takes the rows of a file apart into judgements: one cell a role, one judgement a person."""

    def __init__(self, path: Path, *, guarded: bool) -> None:
        self.rejected: list[RejectedRecord] = []
        self._path, self._guarded = path, guarded
        self._verdict: str | None = None
        self._tasks: Counter[Program] = Counter()
        self._people: set[str] = set()
        self._annotations = 0

    def unfold(self, row: Row) -> Iterator[Unfolded]:
        """Yield a row, or each annotation in it; one that cannot be read is rejected."""
        source = Source(str(self._path), row.sheet_row or row.number)
        if isinstance(row.cells, RecordError):
            self.rejected.append(row.cells.at(source.file, source.line))
            return
        export = rows_of_export(row.cells)
        if export is not None:
            program, annotations = export
            self._tasks[program] += 1
        for cells in [row.cells] if export is None else annotations:
            yield source, {key: _unguarded(value) for key, value in cells.items()} if self._guarded else cells

    def find_columns(self, rows: Sequence[Mapping[str, JsonValue]], columns: Sequence[str] | None) -> None:
        """Find the columns of a label; without one, the only column in which all cells are verdicts.

        Raises:
            LogsError: there are rows or columns, and none of a label, or a table has none for the case.
        """
        keys = tuple(columns or dict.fromkeys(key for row in rows for key in row))
        roles = columns_by_role(keys)
        if columns and "case_id" not in roles:
            raise _no_column(self._path, ("case_id", "id"), columns, "case_id")
        if not keys or set(LABEL_ROLES) & roles.keys():
            return
        others = [key for key in keys if not any(key in of_role for of_role in roles.values())]
        verdicts = [key for key in others if _all_verdicts(row.get(key) for row in rows)]
        if len(verdicts) != 1:
            raise _no_column(self._path, LABEL_ROLES, keys, "label")
        self._verdict = verdicts[0]

    def judgements(self, rows: Iterable[Unfolded]) -> Iterator[tuple[Source, Cells]]:
        """Yield the cells of each row by role; a row without a case is rejected."""
        for source, cells in rows:
            values = by_role(cells)
            if self._verdict is not None:
                values["verdict"] = cells.get(self._verdict)
            try:
                values["case_id"] = nonblank(values.get("case_id")) or case_id_of(cells)
            except RecordError as error:
                self.rejected.append(error.at(source.file, source.line))
                continue
            for role in _NULLS_OF_PROGRAMS:
                if str(values.get(role)).strip().casefold() in _NULLS:
                    values[role] = None
            if self._tasks and any(nonblank(values.get(role)) for role in LABEL_ROLES):
                self._annotations += 1
                self._people.add(nonblank(values.get("labelled_by")) or "")
            yield source, values

    def notes(self, columns: Sequence[str] | None) -> Iterator[str]:
        """Yield what the user should know of the form of the file."""
        for program, tasks in self._tasks.items():
            people = sorted(self._people - {""})
            by = f" by {plural(len(people), 'person', 'people')} ({listed(people)})" if people else ""
            what = plural(self._annotations, "annotation")
            yield f"{self._path}: an export of {program}, {plural(tasks, 'record')} with {what}{by}"
        names = [*renamed(columns or ()), *([f"`verdict` from {self._verdict!r}"] if self._verdict else [])]
        if names:
            yield f"{self._path}: the columns are read as {one_line(', '.join(names), 500)}"


def _all_verdicts(cells: Iterable[JsonValue]) -> bool:
    """Return whether all filled cells are words that judge an answer, and nothing else."""
    words = {str(cell).strip().casefold() for cell in cells if nonblank(cell) is not None}
    return bool(words) and words <= _JUDGEMENTS


def _answers_in(cells: Cells) -> Iterator[str | None]:
    """Yield the answers of production and of the committee that a row shows."""
    yield nonblank(cells.get("target"))
    yield nonblank(cells.get("committee_majority"))
    alternatives = decoded(cells.get("alternatives"))
    if isinstance(alternatives, list):
        yield from (nonblank(answer.get("text")) for answer in alternatives if isinstance(answer, dict))
    elif isinstance(alternatives, str):
        yield from (match[1] for line in alternatives.splitlines() if (match := _COUNTED.fullmatch(line)))


def probability_of(cell: JsonValue) -> float:
    """Read an inclusion probability; 1 where the column is missing or was changed."""
    try:
        probability = float(str(cell).replace(",", "."))
    except ValueError:
        return 1.0
    return probability if 0 < probability <= 1 else 1.0


def _slice_of(cell: JsonValue) -> Slice | None:
    """The slice that the label queue names; None where the column is missing or was changed."""
    return next((name for name in get_args(Slice) if name == cell), None)


def _read_row(cells: Cells, source: Source, *, beyond: bool) -> tuple[Label | None, tuple[RecordError, ...]]:
    """The label of a row, None where the row is still to do, and what in it is not clear.

    Raises:
        RecordError: `wrong` is neither true nor false, or `verdict` contradicts it.
    """
    case_id, text = str(cells["case_id"]).strip(), nonblank(cells.get("label"))
    quality, unclear = _read_quality(cells.get("verdict"), beyond=beyond)
    wrong = read_wrong(cells.get("wrong"))
    note, category = ((nonblank(cells.get(role)) or "").strip() for role in REMARK_ROLES)
    if text is None and quality is None and wrong is None and (unclear or not (note or category)):
        return None, unclear
    failure = 1.0 - quality if isinstance(quality, float) else wrong
    if wrong is not None and isinstance(quality, float) and (quality > 0.5 if wrong else quality < 0.5):
        raise RecordError(
            f"the verdict {nonblank(cells.get('verdict'))!r} contradicts `wrong: {str(bool(wrong)).lower()}`",
            "keep one of the two",
        )
    label = Label(
        case_id,
        source,
        failure=None if failure is None else float(failure),
        text=text.strip() if text else None,
        by=_person(cells.get("labelled_by")),
        slice=_slice_of(cells.get("slice")),
        probability=probability_of(cells.get("inclusion_probability")),
        category=category or None,
        note=note,
        seconds=_seconds(cells.get("seconds")),
        at=_time(cells.get("labelled_at")),
        answer_mark=marked_answer((nonblank(cells.get("content_hash")) or "").strip()),
    )
    return label, unclear


def _seconds(cell: JsonValue) -> float | None:
    """Read how long a person took; None where the cell does not say."""
    try:
        seconds = float(str(cell).replace(",", "."))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _time(cell: JsonValue) -> str:
    """Read a time as ISO 8601 in UTC; "" where the cell is none."""
    seconds = seconds_of(cell)
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def _read_quality(cell: JsonValue, *, beyond: bool) -> tuple[float | Literal["unsure"] | None, tuple[RecordError, ...]]:
    """Read a verdict as quality, 0 to 1, and what is not clear in it.

    A file with numbers `beyond` 1 may hold stars.
    """
    try:
        quality = read_verdict(cell)
    except RecordError as error:
        return None, (error,)
    if not beyond or verdict_number(cell) is None:
        return quality, ()
    star = RecordError(
        f"the verdict {nonblank(cell)!r} is not clear, as other numbers of this file are above 1",
        "write pass or fail, or numbers from 0 (production's answer failed) to 1 (it is right) in all of them",
    )
    return None, (star,)


def _person(cell: JsonValue) -> str:
    """Return the person's name; "" where the cell is blank or an error of the spreadsheet."""
    name = (nonblank(cell) or "").strip()
    return "" if is_error_value(name) else name


def _unguarded(cell: JsonValue) -> JsonValue:
    """Return a cell without the `'` that keeps spreadsheets from running or changing it."""
    return unguarded(cell) if isinstance(cell, str) else cell


def _edited(places: Sequence[Source]) -> Iterator[RejectedRecord]:
    """One note for all rows whose input was edited; their labels are used all the same."""
    if places:
        error = RecordError(
            f"the input was edited here and in {plural(len(places) - 1, 'more record')}; the labels are used all the same",
            "check that the input is still the one that was judged; fill in only `verdict`, `label` and `labelled_by`",
        )
        yield error.at(places[0].file, places[0].line)


def _no_column(path: Path, needed: Sequence[str], columns: Sequence[str], usual: str) -> LogsError:
    return LogsError(
        f"{str(path)!r}: no column {' or '.join(map(repr, needed))}; the columns are {listed(columns)}",
        remedy="keep the columns of the label queue, or name them `id` and `wrong` (true or false), `verdict` (pass or"
        f" fail) or `label`{nearest(usual, columns)}",
    )
