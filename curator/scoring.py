"""`curator score`: scores generations that somebody already has, as a stream; no model is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from curator.disagreement.compare import Comparer, by_words
from curator.disagreement.recorded import Problem, score_recorded
from curator.errors import LogsError, StorageError
from curator.logs.files import expand, physical_lines
from curator.outputs.files import write_atomic
from curator.records import JsonValue, Score, Source, Unreadable

MAX_LINE_BYTES = 64 * 2**20
MAX_UNREADABLE = 0.2


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
    comparer: Callable[[str], Comparer] = by_words,
) -> ScoreResult:
    """Score a file of records (plain, gzip or zstd) line by line, with constant memory.

    The scores go to `out`, whole or not at all, or to `stdout` as they come. `on_problem` is told of each line that was
    set aside; `comparer` says what means the same.

    Raises:
        LogsError: there is no such file.
        StorageError: `out` cannot be written.
    """
    path, *others = expand([str(recorded)])
    if others:
        raise LogsError(f"{str(recorded)!r} is {len(others) + 1} files", remedy="score them one by one")
    tally = _Tally(str(path), on_problem, comparer)
    if out is not None:
        write_atomic(out, tally.scores(path))
        return ScoreResult(tally.scored, tally.set_aside, out)
    try:
        stdout.writelines(tally.scores(path))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(f"stdout cannot be written ({error.strerror})", remedy="free some space") from error
    return ScoreResult(tally.scored, tally.set_aside, out)


class _Tally:
    """Counts what is scored and what is set aside while the scores stream by."""

    def __init__(
        self, file: str, on_problem: Callable[[Unreadable], None], comparer: Callable[[str], Comparer]
    ) -> None:
        self.scored = self.set_aside = 0
        self._file = file
        self._on_problem = on_problem
        self._comparer = comparer

    def scores(self, path: Path) -> Iterator[bytes]:
        """The scores of a file, a JSON line each."""
        for result in score_recorded(self._lines(path), comparer=self._comparer):
            if isinstance(result, Problem):
                self._put_aside(result.line, result.reason, result.remedy)
            else:
                self.scored += 1
                yield _line(result)

    def _lines(self, path: Path) -> Iterator[bytes]:
        """The file's lines; one that cannot be read is told and stands there as a blank one, so that numbers agree."""
        for line in physical_lines(path, max_bytes=MAX_LINE_BYTES):
            if line.data is None:
                self._put_aside(line.number, line.problem or "", "mend or remove the line; the others are scored")
            yield line.data or b""

    def _put_aside(self, line: int, reason: str, remedy: str) -> None:
        self.set_aside += 1
        self._on_problem(Unreadable(Source(self._file, line), reason, remedy))


def _line(found: Score) -> bytes:
    """The score as contract 4 has it, with `reason` where the numbers are null."""
    fields = asdict(found)
    if found.reason is None:
        del fields["reason"]
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
