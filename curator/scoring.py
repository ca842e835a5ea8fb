"""`curator score`: scores generations that somebody already has, as a stream; no model is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import orjson

from curator.disagreement.compare import by_words
from curator.disagreement.recorded import Comparers, Problem, Unfit, read_record, score_record, score_recorded
from curator.errors import LogsError, StorageError
from curator.logs.files import Line, expand, physical_lines
from curator.outputs.files import write_atomic
from curator.processes import cores, map_ordered
from curator.records import JsonValue, Score, Source, Unreadable

MAX_LINE_BYTES = 64 * 2**20
MAX_UNREADABLE = 0.2
CHUNK_LINES = 200
CHUNK_BYTES = 2**20
WORTH_A_PROCESS = 8
"""Chunks from which on more than one process is worth its start."""


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """How many records were scored, how many were set aside, and where the scores went (None: stdout)."""

    scored: int
    set_aside: int
    out: Path | None

    @property
    def exit_code(self) -> int:
        """6 if more than a fifth of the records could not be read, or none; else 0."""
        total = self.scored + self.set_aside
        return LogsError.exit_code if not self.scored or self.set_aside > MAX_UNREADABLE * total else 0

    def as_json(self) -> dict[str, JsonValue]:
        """The figures for machines."""
        return {"scored": self.scored, "set_aside": self.set_aside, "out": str(self.out) if self.out else None}

    def as_text(self) -> str:
        """The figures for people."""
        return f"{self.scored:,} records scored, {self.set_aside:,} set aside: {self.out}"


def score(records: Iterable[Mapping[str, object]]) -> list[Score]:
    """Score generations you already have: records of contract 4, in order.

    Raises:
        LogsError: a record does not fit; the message gives its number, counted from 1.
    """
    found: list[Score] = []
    for result in score_recorded(map(orjson.dumps, records)):
        if isinstance(result, Problem):
            raise LogsError(f"record {result.line}: {result.reason}", remedy=result.remedy)
        found.append(result)
    return found


def score_file(
    recorded: Path,
    out: Path | None,
    *,
    stdout: BinaryIO,
    on_problem: Callable[[Unreadable], None],
    comparer: Comparers = by_words,
    processes: int | None = None,
) -> ScoreResult:
    """Score a file of records (plain, gzip or zstd) with constant memory, on `processes` processors (None: all).

    The scores go to `out`, whole or not at all, or to `stdout` as they come, in the order of the file. `on_problem` is
    told of each line that was set aside; `comparer` says what means the same, and any other than the default works in
    this process alone, which has its model.

    Raises:
        LogsError: there is no such file.
        StorageError: `out` cannot be written.
    """
    path, *others = expand([str(recorded)])
    if others:
        raise LogsError(f"{str(recorded)!r} is {len(others) + 1} files", remedy="score them one by one")
    tally = _Tally(str(path), on_problem)
    scores = tally.scores(path, comparer, 1 if comparer is not by_words else processes or cores())
    if out is not None:
        write_atomic(out, scores)
        return ScoreResult(tally.scored, tally.set_aside, out)
    try:
        stdout.writelines(scores)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(f"stdout cannot be written ({error.strerror})", remedy="free some space") from error
    return ScoreResult(tally.scored, tally.set_aside, out)


class _Tally:
    """Counts what is scored and what is set aside while the scores stream by."""

    def __init__(self, file: str, on_problem: Callable[[Unreadable], None]) -> None:
        self.scored = self.set_aside = 0
        self._file = file
        self._on_problem = on_problem

    def scores(self, path: Path, comparer: Comparers, processes: int) -> Iterator[bytes]:
        """The scores of a file, a JSON line each."""
        chunks = _chunks(physical_lines(path, max_bytes=MAX_LINE_BYTES))
        first = list(islice(chunks, WORTH_A_PROCESS))
        if len(first) < WORTH_A_PROCESS:
            processes = 1
        for results in map_ordered(partial(score_lines, comparer=comparer), chain(first, chunks), processes=processes):
            for result in results:
                if isinstance(result, Problem):
                    self.set_aside += 1
                    self._on_problem(Unreadable(Source(self._file, result.line), result.reason, result.remedy))
                else:
                    self.scored += 1
                    yield result


def score_lines(lines: Sequence[Line], *, comparer: Comparers) -> list[bytes | Problem]:
    """The score of each line that is not blank, as a JSON line, or what is wrong with it; done in a worker process."""
    results: list[bytes | Problem] = []
    for line in lines:
        if line.data is None:
            remedy = "mend or remove the line; the others are scored"
            results.append(Problem(line.number, line.problem or "", remedy))
        elif line.data.strip():
            try:
                results.append(_line(score_record(read_record(line.data), comparer=comparer)))
            except Unfit as unfit:
                results.append(Problem(line.number, unfit.reason, unfit.remedy))
    return results


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
    """The score as contract 4 has it, with `reason` where the numbers are null."""
    fields = asdict(found)
    if found.reason is None:
        del fields["reason"]
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
