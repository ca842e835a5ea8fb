"""Recorded answers: batches of lines for processes, an even sample, records in memory."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import orjson

from curator.errors import LogsError, RecordError
from curator.executors.local import cores, map_ordered
from curator.io.file_kinds import bare_suffix
from curator.io.lines import MAX_LINE_BYTES, Line, physical_lines
from curator.readers.json_text import decoded
from curator.readers.rows import open_records
from curator.records import JsonValue, RejectedRecord
from curator.records.recorded import Recorded
from curator.run_folder.peer_records import KeyUse, Role, contract_record
from curator.run_folder.recorded import read_keyed, read_record
from curator.text.display import one_line, plural
from curator.workflows.score_report import Spread

T = TypeVar("T")
CHUNK_LINES = 200
CHUNK_BYTES = 2**20
IN_MEMORY = "records"
"""The place of rejected records in memory."""
SAMPLED_RECORDS = 2000
"""Records that the health of the members is measured on: enough to know a rate to a percent or two."""
SAMPLED_BYTES = 2**26
WORTH_A_PROCESS = 8
"""From this many chunks on, the start of further processes pays for itself."""
_NOT_LINES = (".json", ".csv", ".tsv", ".parquet", ".arrow", ".xlsx")
_USUAL_KEYS = ("id", "input", "target", "generations", "prompt", "question", "response")
_MOST_KEYS, _LONGEST_KEY = 12, 60
_RENAME = "where that is wrong, name the keys `input`, `target`, `reference` and `generations`"


def map_lines(path: Path, work: Callable[[Sequence[Line]], Sequence[T]], *, processes: int | None) -> Iterator[T]:
    """Apply `work` to batches of the lines of a file and yield its results in order.

    A short file is worked on in this process, whatever `processes` says; None means all cores.

    Raises:
        LogsError: the file holds nothing.
    """
    batches = _batches(record_lines(path))
    first = list(islice(batches, WORTH_A_PROCESS))
    if not first:
        raise LogsError(f"{str(path)!r} holds no record", remedy="name a file with one JSON record a line")
    workers = 1 if len(first) < WORTH_A_PROCESS else processes or cores()
    return chain.from_iterable(map_ordered(work, chain(first, batches), processes=workers))


def record_lines(path: Path) -> Iterator[Line]:
    """Yield the records of a file as JSON lines, with their places.

    Any file is read line by line, also a pipe, but one whose suffix says that it is a table or one JSON document: there lists that
    were written as text, as pandas does, become lists again.
    """
    if bare_suffix(path.name) not in _NOT_LINES or not path.is_file():
        yield from physical_lines(path, max_bytes=MAX_LINE_BYTES)
        return
    for row in open_records(path, wanted=_USUAL_KEYS, max_bytes=MAX_LINE_BYTES, is_record=_is_record).rows:
        number = row.sheet_row or row.number
        if isinstance(row.cells, RecordError):
            yield Line(number, None, row.cells.reason, row.cells.remedy)
        else:
            yield Line(number, orjson.dumps({key: _list_of(value) for key, value in row.cells.items()}))


def _is_record(row: Mapping[str, JsonValue]) -> bool:
    try:
        contract_record({**row})
    except RecordError:
        return False
    return True


def _list_of(cell: JsonValue) -> JsonValue:
    """Return the list that a cell holds as text, of JSON or Python; any other cell as it is."""
    if not isinstance(cell, str) or not cell.startswith("[") or not cell.rstrip().endswith("]"):
        return cell
    value = decoded(cell)
    if isinstance(value, list):
        return value
    with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        value = ast.literal_eval(cell)
    return value if isinstance(value, list) and _fits_json(value) else cell


def _fits_json(value: object) -> bool:
    with contextlib.suppress(TypeError):
        return bool(orjson.dumps(value))
    return False


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Group lines into lists that are worth sending to another process."""
    batch: list[Line] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line.data or b"")
        if len(batch) == CHUNK_LINES or size >= CHUNK_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def sample_records(path: Path) -> Iterator[Recorded]:
    """Yield a random sample of the readable records of a file, the same in any order.

    It holds all of a few records, and `SAMPLED_RECORDS` of more; of large records fewer, so that at most `SAMPLED_BYTES` and
    the longest line are held in memory.
    """
    sample = _HashSample()
    for line in record_lines(path):
        if line.data and line.data.strip():
            sample.add(line.data.strip())
    for data in sample.lines():
        with contextlib.suppress(RecordError):
            yield read_record(data)


class _HashSample:
    """The lines with the smallest hashes, within a number of lines and of bytes."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, bytes]] = []  # the largest hash first
        self._bytes = 0

    def add(self, line: bytes) -> None:
        """Take the next line in."""
        rank = -int.from_bytes(hashlib.blake2b(line, digest_size=8).digest())
        if len(self._heap) >= SAMPLED_RECORDS and rank <= self._heap[0][0]:
            return
        heapq.heappush(self._heap, (rank, line))
        self._bytes += len(line)
        while len(self._heap) > SAMPLED_RECORDS or (self._bytes > SAMPLED_BYTES and len(self._heap) > 1):
            self._bytes -= len(heapq.heappop(self._heap)[1])

    def lines(self) -> list[bytes]:
        """Return the lines, the smallest hash first."""
        return [line for _, line in sorted(self._heap, reverse=True)]


def sample_items(items: Iterable[T]) -> list[T]:
    """Return all items; of many, `SAMPLED_RECORDS` to twice as many, evenly spread."""
    spread: Spread[T] = Spread(SAMPLED_RECORDS)
    for item in items:
        spread.add(item)
    return spread.kept


def read_records(records: Iterable[Mapping[str, object]]) -> list[Recorded]:
    """Read records in memory, with the keys of a line of recorded answers.

    Raises:
        LogsError: a record does not fit; the message gives its number, counted from 1.
    """
    read: list[Recorded] = []
    for number, record in enumerate(records, 1):
        try:
            read.append(read_record(json_line(record, number)))
        except RecordError as error:
            raise LogsError(f"record {number}: {error.reason}", remedy=error.remedy) from error
    return read


def readable_records(
    records: Iterable[Mapping[str, object]],
) -> tuple[list[tuple[Recorded, KeyUse]], tuple[RejectedRecord, ...]]:
    """Read the records in memory that fit, and reject the others; a place is counted from 1."""
    read: list[tuple[Recorded, KeyUse]] = []
    rejected: list[RejectedRecord] = []
    for number, record in enumerate(records, 1):
        try:
            read.append(read_keyed(_json_line(record)))
        except RecordError as error:
            rejected.append(error.at(IN_MEMORY, number))
    return read, tuple(rejected)


class KeyTally:
    """Counts which keys of the records were taken for what, and which were not used."""

    def __init__(self) -> None:
        self._records = self._with_target = 0
        self._taken: Counter[tuple[Role, str]] = Counter()
        self._unused: Counter[str] = Counter()

    def add(self, keys: KeyUse) -> None:
        """Take the next record in."""
        self._records += 1
        self._with_target += keys.has_target
        self._taken.update(keys.taken.items())
        self._unused.update(keys.unused)

    def notes(self) -> tuple[str, ...]:
        """Return a sentence on the keys of another tool, and one on the keys that were not used."""
        notes = []
        if self._taken:
            parts = [self._part(role, key, count) for (role, key), count in self._taken.most_common(_MOST_KEYS)]
            if not self._with_target:
                parts.append("no key holds production's answer (`target`)")
            notes.append(f"read from keys of another tool: {', '.join(parts)}; {_RENAME}")
        if self._unused:
            keys = [f"{_quoted(key)}{self._share(count)}" for key, count in self._unused.most_common(_MOST_KEYS)]
            more = f" and {len(self._unused) - len(keys)} more" if len(self._unused) > len(keys) else ""
            notes.append(f"keys that are not used: {', '.join(keys)}{more}")
        return tuple(notes)

    def _part(self, role: Role, key: str, count: int) -> str:
        source = f"from {_quoted(key)}" if key else "made from the content, as no key holds one"
        return f"{role} {source}{self._share(count)}"

    def _share(self, count: int) -> str:
        return "" if count == self._records else f" ({count:,} of {plural(self._records, 'record')})"


def _quoted(key: str) -> str:
    return f"`{one_line(key, _LONGEST_KEY)}`"


def json_line(record: Mapping[str, object], number: int) -> bytes:
    """Write a record in memory as the line of a file.

    Raises:
        LogsError: it holds values that JSON does not have; the message gives its number.
    """
    try:
        return _json_line(record)
    except RecordError as error:
        raise LogsError(f"record {number}: {error.reason}", remedy=error.remedy) from error


def _json_line(record: Mapping[str, object]) -> bytes:
    try:
        return orjson.dumps(record)
    except TypeError as error:  # orjson's
        raise RecordError(f"it cannot be written as JSON ({error})", "use JSON's types") from error
