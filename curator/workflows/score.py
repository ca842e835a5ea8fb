"""`curator score`: scores generations that somebody already has, as a stream; no model is called."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, TypeVar

import orjson

from curator.disagreement.calibration import Calibration
from curator.disagreement.equivalence.comparers import ComparerFactory, WordComparer
from curator.disagreement.estimators import require_estimators
from curator.disagreement.members.health import group_weights, health_warnings
from curator.disagreement.recorded import estimator_values, recorded_health, score_record
from curator.disagreement.score import DEFAULT, Formula
from curator.errors import ConfigError, ExitCode, LogsError, RecordError, StorageError
from curator.executors.local import cores, map_ordered
from curator.io.atomic import write_atomic
from curator.io.lines import MAX_LINE_BYTES, Line, expand, physical_lines
from curator.records import JsonValue, MemberHealth, RejectedRecord, Score, Source, too_many_rejected
from curator.records.recorded import Recorded
from curator.records.result import Result
from curator.run_folder.recorded import read_record
from curator.text.display import plural
from curator.workflows.score_report import ScoreFigures, Seen, Spread, Watch, see

T = TypeVar("T")
CHUNK_LINES = 200
CHUNK_BYTES = 2**20
LEARN_FROM = 2000
"""Records that the members are judged by: their rates are known to a percent or two then."""
LEARN_BYTES = 2**26
KEPT_REJECTED = 1000
"""Of more rejected records only the number is kept: a file is scored with constant memory."""
WORTH_A_PROCESS = 8
"""Chunks from which on more than one process is worth its start."""


@dataclass(frozen=True, slots=True)
class ScoreResult(Result):
    """How many records were scored, how many were set aside, and where the scores went (None: stdout).

    `health` is that of the members, over a sample of the records; it is empty where every member counts the same.
    `notes` are what else the user should know. `figures` are what the scores look like as a whole. `rejected` are the first
    `KEPT_REJECTED` records that were set aside.
    """

    scored: int
    set_aside: int
    out: Path | None
    health: tuple[MemberHealth, ...] = ()
    notes: tuple[str, ...] = ()
    figures: ScoreFigures = field(default_factory=ScoreFigures)
    rejected: tuple[RejectedRecord, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """6 if more than a fifth of the records could not be read, or none; else 0."""
        total = self.scored + self.set_aside
        unreadable = not self.scored or too_many_rejected(self.set_aside, total)
        return ExitCode.UNREADABLE if unreadable else ExitCode.DONE

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each member that does not count in full, each reason to mistrust the scores, and the notes."""
        return (*self._unread(), *health_warnings(self.health), *self.figures.warnings, *self.notes)

    def _unread(self) -> Iterator[str]:
        total = self.scored + self.set_aside
        if not total:
            yield "the file holds no record"
        elif self.exit_code:
            yield f"{self.set_aside:,} of {plural(total, 'record')} cannot be read, which is too many to trust the rest"

    def to_dict(self) -> dict[str, JsonValue]:
        """The figures for machines."""
        return {
            "scored": self.scored,
            "set_aside": self.set_aside,
            "out": str(self.out) if self.out else None,
            **self.figures.to_dict(),
            "weights": dict(group_weights(self.health)),
            "warnings": list(self.warnings),
            "rejected": self.rejected_rows(),
        }

    def to_text(self) -> str:
        """The figures for people."""
        return f"{plural(self.scored, 'record')} scored, {self.set_aside:,} set aside: {self.out}\n{self.figures.to_text()}"


@dataclass(frozen=True, slots=True)
class Scoring:
    """How records are scored.

    Attributes:
        comparer: what says which answers mean the same; any other than the default works in one process, which has its
            model.
        equal_members: count every member the same; else each counts by its health, see `health.group_weights`.
        formula: what makes the score of the signals; a `Calibration` is one.
        processes: how many processors to use; None for all.
        estimators: names of `ESTIMATORS` whose values are added to every score.
    """

    comparer: ComparerFactory = WordComparer
    equal_members: bool = False
    formula: Formula = DEFAULT
    processes: int | None = None
    estimators: tuple[str, ...] = ()


DEFAULT_SCORING = Scoring()


def score(
    records: Iterable[Mapping[str, object]],
    *,
    scoring: Scoring = DEFAULT_SCORING,
    calibration: Calibration | None = None,
    estimators: Sequence[str] = (),
) -> list[Score]:
    """Score generations you already have: records of contract 4, in order.

    A `calibration` whose gain is there makes the scores instead of `scoring.formula`; `Score.scorer` says which did.
    The values of `estimators`, by their names in `docs/estimators.md`, are added as `Score.estimators`.

    Raises:
        ConfigError: there is no estimator of a name; the message lists all names.
        LogsError: a record does not fit; the message gives its number, counted from 1.
    """
    if calibration is not None and calibration.better:
        scoring = replace(scoring, formula=calibration)
    if estimators:
        scoring = replace(scoring, estimators=require_estimators(estimators, where="estimators"))
    found = read_records(records)
    weights = {} if scoring.equal_members else group_weights(recorded_health(spread(found), scoring.comparer))
    return [_scored(record, scoring, weights) for record in found]


def read_records(records: Iterable[Mapping[str, object]]) -> list[Recorded]:
    """Records of contract 4 as they are read.

    Raises:
        LogsError: a record does not fit; the message gives its number, counted from 1.
    """
    found: list[Recorded] = []
    for number, record in enumerate(records, 1):
        try:
            found.append(read_record(as_json(record, number)))
        except RecordError as unfit:
            raise LogsError(f"record {number}: {unfit.reason}", remedy=unfit.remedy) from unfit
    return found


def as_json(record: Mapping[str, object], number: int) -> bytes:
    """A record in memory as a line of a file would have it.

    Raises:
        LogsError: it is more than JSON can say; the message gives its number.
    """
    try:
        return orjson.dumps(record)
    except TypeError as error:  # orjson's
        raise LogsError(
            f"record {number}: it cannot be written as JSON ({error})", remedy="use JSON's types"
        ) from error


def score_file(
    recorded: Path,
    out: Path | None,
    *,
    stdout: BinaryIO,
    on_problem: Callable[[RejectedRecord], None] = lambda _: None,
    scoring: Scoring = DEFAULT_SCORING,
) -> ScoreResult:
    """Score a file of records (plain, gzip or zstd) with constant memory.

    The scores go to `out`, whole or not at all, or to `stdout` as they come, in the order of the file. `on_problem` is
    told of each line that was set aside. The file is read twice, so that of a pipe every member counts the same.

    Raises:
        LogsError: there is no such file, or no record in it.
        ConfigError: `out` is the recorded file itself.
        StorageError: `out` cannot be written.
    """
    path, *others = expand([str(recorded)])
    if others:
        raise LogsError(f"{str(recorded)!r} is {plural(len(others) + 1, 'file')}", remedy="score them one by one")
    if out is not None and out.exists() and out.samefile(path):
        raise ConfigError(
            f"the scores would replace the recorded answers in {str(out)!r}", remedy="give --out another name"
        )
    health = recorded_health(readable(path), scoring.comparer) if path.is_file() and not scoring.equal_members else ()
    tally = _Tally(str(path), on_problem)
    scores = tally.scores(path, scoring, group_weights(health))
    if out is not None:
        write_atomic(out, scores)
        return tally.result(out, health)
    try:
        stdout.writelines(scores)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(f"stdout cannot be written ({error.strerror})", remedy="free some space") from error
    return tally.result(out, health)


def readable(path: Path) -> Iterator[Recorded]:
    """The records of a file that can be read, or where there are many of them, `LEARN_FROM` and more, evenly spread.

    Of large records there are fewer: no more than `LEARN_BYTES` of them and the longest one are held.
    """
    found: Spread[Line] = Spread(LEARN_FROM, most=LEARN_BYTES, size=lambda line: len(line.data or b""))
    for line in physical_lines(path, max_bytes=MAX_LINE_BYTES):
        found.add(line)
    for line in found.kept:
        if line.data and line.data.strip():
            with contextlib.suppress(RecordError):
                yield read_record(line.data)


def spread(items: Iterable[T]) -> list[T]:
    """All items, or where there are many, `LEARN_FROM` to twice as many that are evenly spread; others are not kept."""
    found: Spread[T] = Spread(LEARN_FROM)
    for item in items:
        found.add(item)
    return found.kept


class _Tally:
    """Counts what is scored and what is set aside while the scores stream by."""

    def __init__(self, file: str, on_problem: Callable[[RejectedRecord], None]) -> None:
        self.scored = self.set_aside = 0
        self._rejected: list[RejectedRecord] = []
        self._watch = Watch()
        self._file = file
        self._on_problem = on_problem

    def scores(self, path: Path, scoring: Scoring, weights: Mapping[str, float]) -> Iterator[bytes]:
        """The scores of a file, a JSON line each."""
        work = partial(score_lines, file=self._file, scoring=scoring, weights=weights)
        for result in over_lines(path, work, scoring):
            if isinstance(result, RejectedRecord):
                self.set_aside += 1
                self._on_problem(result)
                if len(self._rejected) < KEPT_REJECTED:
                    self._rejected.append(result)
            else:
                self.scored += 1
                self._watch.add(result[1])
                yield result[0]

    def result(self, out: Path | None, health: tuple[MemberHealth, ...]) -> ScoreResult:
        """What it came to, when the scores are through."""
        return ScoreResult(
            self.scored, self.set_aside, out, health, figures=self._watch.figures(), rejected=tuple(self._rejected)
        )


def over_lines(path: Path, work: Callable[[Sequence[Line]], Sequence[T]], scoring: Scoring) -> Iterator[T]:
    """What `work` makes of the lines of a file, in order; in worker processes where the file is worth their start.

    Raises:
        LogsError: the file holds nothing.
    """
    parts = _chunks(physical_lines(path, max_bytes=MAX_LINE_BYTES))
    first = list(islice(parts, WORTH_A_PROCESS))
    if not first:
        raise LogsError(f"{str(path)!r} holds no record", remedy="name a file with one JSON record a line")
    alone = len(first) < WORTH_A_PROCESS or scoring.comparer is not WordComparer
    processes = 1 if alone else scoring.processes or cores()
    return chain.from_iterable(map_ordered(work, chain(first, parts), processes=processes))


Scored = tuple[bytes, Seen]
"""A score as a JSON line, and what is kept of its record."""


def score_lines(
    lines: Sequence[Line], *, file: str, scoring: Scoring, weights: Mapping[str, float]
) -> list[Scored | RejectedRecord]:
    """Score each line of a file that is not blank, or reject it with the reason; runs in a worker process."""
    results: list[Scored | RejectedRecord] = []
    for line in lines:
        if line.data is None:
            remedy = "fix or remove the line; the others are scored"
            results.append(RejectedRecord(Source(file, line.number), line.problem or "", remedy))
        elif line.data.strip():
            try:
                record = read_record(line.data)
                found = _scored(record, scoring, weights)
                results.append((_line(found), see(record, found)))
            except RecordError as error:
                results.append(error.at(file, line.number))
    return results


def _scored(record: Recorded, scoring: Scoring, weights: Mapping[str, float]) -> Score:
    score = score_record(record, comparer=scoring.comparer, weights=weights, formula=scoring.formula)
    if not scoring.estimators:
        return score
    return replace(score, estimators=estimator_values(record, scoring.estimators, comparer=scoring.comparer))


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines in lists that are worth the way to another process and back."""
    chunk: list[Line] = []
    size = 0
    for line in lines:
        chunk.append(line)
        size += len(line.data or b"")
        if len(chunk) == CHUNK_LINES or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _line(found: Score) -> bytes:
    """Write the score as a JSON line of contract 4, without the optional fields that have no value."""
    fields = asdict(found)
    for name in ("reason", "fields", "estimators"):
        if fields[name] is None:
            del fields[name]
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
