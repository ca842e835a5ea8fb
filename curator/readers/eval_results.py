"""Results of several systems on the same cases: long or wide rows of JSONL or CSV."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curator.errors import LogsError, RecordError
from curator.io.compression import PACKED_SUFFIXES
from curator.io.file_kinds import SUFFIXES
from curator.io.lines import expand, physical_lines
from curator.readers.feedback import CASE_ID_KEYS, case_id_of, nonblank, right_or_wrong
from curator.readers.hints import listed
from curator.readers.rows import open_records
from curator.records import JsonValue, RejectedRecord, Source

NAMES = ("system", "model", "prompt", "variant", "prompt_variant")
GOOD = ("score", "passed", "pass", "correct", "is_correct", "success", "accuracy")
BAD = ("wrong", "failed", "fail", "is_wrong")
DESIGN = ("weight", "inclusion_probability", "slice", "stage", "stratum", "distilled")
ANSWERS = ("answer", "output", "response", "completion", "prediction")
"""Keys of the system's answer in a row of one system."""
_NESTED = ("scores", "results")
_OTHER_NUMBERS = frozenset((
    *DESIGN, "disagreement", "within", "between", "against_target", "agreement", "n", "rank", "gain", "draw", "temperature",
    "latency", "latency_s", "cost", "cost_usd", "usd", "input_tokens", "output_tokens", "tokens", "seed", "index",
    "input", "question", "prompt", "text", "target", "output", "answer", "response", "reference", "label", "category",
    "group", "task", "kind", "metadata", "options", "source",
    "batch", "content_hash", "split", "committee_majority", "alternatives", "verdict", "labelled_by",
    "note", "documents", "corrected_category", "allowed_labels", "case_id", "failure", "round",
))  # fmt: skip
"""Keys of a row that are never scores, among them all columns of a label queue."""
IN_MEMORY = "rows"
"""Names rows in memory in messages, and a system that such rows do not name."""
_MAX_BYTES = 64_000_000
_SCORE_REMEDY = "give a score in 0..1, or pass and fail as true and false; divide other marks by the highest one"


@dataclass(frozen=True, slots=True)
class SystemScores:
    """The scores that were read.

    Attributes:
        scores: by system and case id, in 0..1, higher is better; of several scores of one system for a case the mean.
        design: by case id the `weight`, `inclusion_probability`, `slice`, `stage` and `stratum`.
        repeated: how many means were made of several scores.
        rejected: the rows that give none though they should.
        rows: how many rows gave a score.
        notes: sentences about how the files were read, such as a guessed encoding.
        answers: by system and case id, where rows of one system hold an answer under one of `ANSWERS`.
    """

    scores: Mapping[str, Mapping[str, float]]
    design: Mapping[str, Mapping[str, JsonValue]]
    repeated: int = 0
    rejected: tuple[RejectedRecord, ...] = ()
    rows: int = 0
    notes: tuple[str, ...] = ()
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Seen:
    """The rows that were read so far."""

    sums: dict[str, dict[str, tuple[float, int]]] = field(default_factory=dict)
    design: dict[str, dict[str, JsonValue]] = field(default_factory=dict)
    rejected: list[RejectedRecord] = field(default_factory=list)
    rows: int = 0
    notes: list[str] = field(default_factory=list)
    answers: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, system: str, case_id: str, score: float) -> None:
        cases = self.sums.setdefault(system, {})
        total, count = cases.get(case_id, (0.0, 0))
        cases[case_id] = (total + score, count + 1)


def read_system_scores(paths: Sequence[str], *, by: Sequence[str] = ()) -> SystemScores:
    """Read rows of `id` (or `case_id`) with a score, or with one score for each system.

    A row with one of `GOOD` or `BAD` is long: its system is what stands under the keys `by` (default: those of `NAMES`
    that are there, joined by "/"), or else the name of the file. Any other row is wide: each further key is a system
    whose value is a score, or an object with one; under `scores` or `results` all of them may stand together.

    Raises:
        LogsError: a path matches nothing, or no row gives a score.
    """
    seen = _Seen()
    for path in expand(paths):
        for source, cells in _rows(path, seen):
            try:
                _read_row(cells, path, by, seen)
            except RecordError as error:
                seen.rejected.append(error.at(source.file, source.line, source.part))
    return _means(seen, paths)


def system_scores_of(rows: Iterable[Mapping[str, JsonValue]], *, by: Sequence[str] = ()) -> SystemScores:
    """Read rows in memory, with the keys of a row of a file of results.

    Raises:
        LogsError: no row gives a score.
    """
    seen = _Seen()
    for number, row in enumerate(rows, 1):
        try:
            _read_row(dict(row), Path(IN_MEMORY), by, seen)
        except RecordError as error:
            seen.rejected.append(error.at(IN_MEMORY, number))
    return _means(seen, [IN_MEMORY])


def _means(seen: _Seen, paths: Sequence[str]) -> SystemScores:
    """Return the scores, each the mean of all scores of a system for a case."""
    if not seen.rows:
        raise _nothing(paths, seen.rejected)
    means = {name: {i: total / count for i, (total, count) in cases.items()} for name, cases in seen.sums.items()}
    repeated = sum(count > 1 for cases in seen.sums.values() for _, count in cases.values())
    return SystemScores(means, seen.design, repeated, tuple(seen.rejected), seen.rows, tuple(seen.notes), seen.answers)


def read_designs(path: str) -> tuple[Mapping[str, Mapping[str, JsonValue]], tuple[str, ...]]:
    """Read the sampling design from the rows of an eval set, by case id, and notes on the file.

    A row without one gives an empty mapping.

    Raises:
        LogsError: the file is not there, or a row cannot be read or has no id.
    """
    seen, designs = _Seen(), dict[str, Mapping[str, JsonValue]]()
    for file in expand([path]):
        for source, cells in _rows(file, seen):
            try:
                designs[case_id_of(cells)] = {key: cells[key] for key in DESIGN if cells.get(key) is not None}
            except RecordError as error:
                seen.rejected.append(error.at(source.file, source.line, source.part))
    if seen.rejected:
        first = seen.rejected[0]
        raise LogsError(f"{first.source}: {first.reason}", remedy=first.remedy)
    return designs, tuple(seen.notes)


def read_rows(paths: Sequence[str]) -> Iterator[tuple[str, bytes | None, Mapping[str, JsonValue]]]:
    """Yield each row with an id: the id, the written line (None except for JSONL) and the cells."""
    seen = _Seen()
    for path in expand(paths):
        is_json = open_records(path, wanted=CASE_ID_KEYS, max_bytes=_MAX_BYTES).kind == "jsonl"
        lines = physical_lines(path, max_bytes=_MAX_BYTES)
        for source, cells in _rows(path, seen):
            if has_case_id(cells):
                # a JSON record is one line, so that the second reading of the file keeps step with the first
                written = next(line.data for line in lines if line.number == source.line) if is_json else None
                yield case_id_of(cells), written, cells


def has_case_id(cells: Mapping[str, JsonValue]) -> bool:
    """Return whether a row names its case."""
    return any(nonblank(cells.get(key)) for key in CASE_ID_KEYS)


def _rows(path: Path, seen: _Seen) -> Iterator[tuple[Source, dict[str, JsonValue]]]:
    wanted = (*CASE_ID_KEYS, *NAMES, *GOOD, *BAD)
    records = open_records(path, wanted=wanted, max_bytes=_MAX_BYTES, by_hand=True)
    seen.notes += records.notes_elsewhere(path)
    for row in records.rows:
        source = Source(str(path), row.sheet_row or row.number)
        if isinstance(row.cells, RecordError):
            seen.rejected.append(row.cells.at(source.file, source.line, source.part))
        else:
            yield source, row.cells


def _read_row(cells: dict[str, JsonValue], path: Path, by: Sequence[str], seen: _Seen) -> None:
    case_id = case_id_of(cells)
    scores = list(_long(cells, path, by) if _verdict_key(cells) else _wide(cells))
    if not scores:
        raise RecordError(
            f"no score among the keys {listed(list(cells))}",
            "name it `score` (0..1), `passed` or `wrong`, or give one column for each system",
        )
    for system, score in scores:
        seen.add(system, case_id, score)
        if (answer := _answer(cells)) is not None:
            seen.answers.setdefault(system, {}).setdefault(case_id, answer)
    seen.rows += 1
    design = seen.design.setdefault(case_id, {})
    design.update({key: cells[key] for key in DESIGN if cells.get(key) is not None})


def _answer(cells: Mapping[str, JsonValue]) -> str | None:
    """Return the answer of the system in a row of its own; None in a row of several."""
    if not _verdict_key(cells):
        return None
    return next((text for key in ANSWERS if (text := nonblank(cells.get(key)))), None)


def _long(cells: Mapping[str, JsonValue], path: Path, by: Sequence[str]) -> Iterator[tuple[str, float]]:
    missing = [key for key in by if nonblank(cells.get(key)) is None]
    if missing:
        raise RecordError(
            f"no {missing[0]!r} among the keys {listed(list(cells))}", "name keys with --by that all rows have"
        )
    names = [text.strip() for key in (by or NAMES) if (text := nonblank(cells.get(key)))]
    score = _verdict(cells)
    if score is not None:
        yield "/".join(names) or _bare_name(path), score


def _wide(cells: Mapping[str, JsonValue]) -> Iterator[tuple[str, float]]:
    for key, value in cells.items():
        if key in _NESTED and isinstance(value, dict):
            yield from _wide(value)
        elif key not in _OTHER_NUMBERS and key not in CASE_ID_KEYS:
            score = _verdict(value) if isinstance(value, dict) else _plain(value)
            if score is not None:
                yield key, score


def _plain(value: JsonValue) -> float | None:
    """The score in a column of a wide row; None for inputs, answers and the like."""
    if isinstance(value, str) and not value[:1].isdigit() and value.lower() not in ("true", "false"):
        return None
    try:
        return _score(value, key="score")
    except RecordError:
        return None


def _bare_name(path: Path) -> str:
    """The name of a file without its suffixes: `gpt-4.1` for `gpt-4.1.jsonl.gz`."""
    name = path.name
    for suffix in (*PACKED_SUFFIXES, *SUFFIXES):
        name = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    return name or path.name


def _verdict_key(cells: Mapping[str, JsonValue]) -> str | None:
    return next((key for key in (*GOOD, *BAD) if key in cells and not isinstance(cells[key], dict)), None)


def _verdict(cells: Mapping[str, JsonValue]) -> float | None:
    """The score under the first key that holds one; None where no key does.

    Raises:
        RecordError: the only keys for a score are blank, or hold something else.
    """
    for key in (*GOOD, *BAD):
        score = _score(cells.get(key), key=key)
        if score is not None:
            return score
    if _verdict_key(cells) is None:
        return None
    raise RecordError("the score is blank", "leave rows out that were not judged")


def _score(value: JsonValue, *, key: str) -> float | None:
    """A score in 0..1, higher is better; None for a blank.

    Under a key of `BAD`, yes, true and 1 are failures.

    Raises:
        RecordError: the value is neither a word for right or wrong nor a number in 0..1.
    """
    text = nonblank(value)
    if text is None:
        return None
    right = right_or_wrong(value, yes_means_right=key not in BAD)
    if right is not None:
        return float(right)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise RecordError(f"the score is {text[:60]!r}, which is not in 0..1", _SCORE_REMEDY)
    return 1 - number if key in BAD else number


def _nothing(paths: Sequence[str], rejected: Sequence[RejectedRecord]) -> LogsError:
    if rejected:
        first = rejected[0]
        return LogsError(f"no row gives a score; the first is {first.source}: {first.reason}", remedy=first.remedy)
    return LogsError(
        f"{', '.join(map(repr, paths))}: no row was found", remedy="give rows of `id`, `system` and `score` (0..1)"
    )
