"""The lines of a file, one by one, or in batches for worker processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from curator.errors import LogsError, RecordError
from curator.io.compression import chunks
from curator.io.encodings import Encoding, as_utf8
from curator.io.file_kinds import binary_kind, foreign
from curator.io.find_logs import find_logs
from curator.io.log_file import LogFile

MAX_LINE_BYTES = 64 * 2**20
"""The longest line of the files that curator itself writes, or that are made for it."""
BATCH_BYTES = 1 << 18
"""The least size of a batch of lines: handing one to another process then costs little beside parsing it."""
_NO_TEXT = "name a text file; Parquet, Arrow and workbooks are read as logs and as labels only"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, counted from 1, without its line feed; no `data` with a `problem`."""

    number: int
    data: bytes | None
    problem: str | None = None
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class LineBatch:
    """Whole lines that stand one after the other, as one piece of bytes that is cheap to pickle.

    Attributes:
        number: the line of the file that it begins with, counted from 1.
        data: the lines with their line feeds; the last line of a file may lack its own.
        problem: why the line at `number` has no data; `data` is empty then.
        remedy: of the problem.
    """

    number: int
    data: bytes
    problem: str | None = None
    remedy: str = ""

    def __iter__(self) -> Iterator[Line]:
        """Yield its lines."""
        if self.problem is not None:
            yield Line(self.number, None, self.problem, self.remedy)
            return
        yield from map(Line, range(self.number, self.number + len(self.data) + 1), self.texts())

    def texts(self) -> list[bytes]:
        """The lines without line feeds, the first one at `number`; none of a problem."""
        texts = self.data.split(b"\n")
        if not texts[-1]:
            texts.pop()
        return texts


def expand(paths: Sequence[str]) -> list[Path]:
    """Expand files, folders and globs of this machine to files, in the order of their names.

    Folders are searched as `find_logs` says.

    Raises:
        LogsError: a path matches nothing, or is an address of another file system.
    """
    files: list[Path] = []
    for file in find_logs(paths).files:
        if not isinstance(file, Path):
            raise LogsError(
                f"{str(file)!r}: only logs are read from there",
                remedy="copy the file to this machine, and name the copy",
            )
        files.append(file)
    return files


def lines(path: LogFile, *, max_bytes: int) -> Iterator[Line]:
    """Yield the lines that are not blank, without carriage returns at their ends.

    A line longer than `max_bytes` is skipped over without being held in memory, and stands there as a problem. A
    damaged file gives the lines before the damage and then one problem.
    """
    for line in physical_lines(path, max_bytes=max_bytes):
        data = line.data
        if data is None:
            yield line
        elif data and not data.isspace():
            yield Line(line.number, data[:-1]) if data[-1] == 0x0D else line


def physical_lines(path: LogFile, *, max_bytes: int) -> Iterator[Line]:
    """Yield every line: blank ones and carriage returns may belong to a quoted CSV cell."""
    return chain.from_iterable(line_batches(path, max_bytes=max_bytes))


def line_batches(path: LogFile, *, max_bytes: int) -> Iterator[LineBatch]:
    """Yield the lines of a text file in UTF-8, in batches.

    A batch has at least `BATCH_BYTES`, except the last one and those beside a line with a problem. A line that is too long and damage at the end of the file are batches of their own, with a problem.
    """
    try:
        _, pieces = text_of(path)
    except RecordError as error:
        yield LineBatch(1, b"", error.reason, error.remedy)
        return
    yield from batches(pieces, max_bytes=max_bytes)


def text_of(path: LogFile, encoding: str | None = None) -> tuple[Encoding, Iterator[bytes]]:
    """Return the encoding of a text file and its unpacked content as UTF-8.

    Raises:
        RecordError: the file cannot be opened, or is not a text. Damage that stands later is raised by the iterator.
    """
    pieces = chunks(path)
    head = next(pieces, b"")
    if error := foreign(head):
        raise error
    if kind := binary_kind(head):
        raise RecordError(f"this is a {kind} file, not text", _NO_TEXT)
    return as_utf8(chain([head], pieces), encoding)


def batches(pieces: Iterable[bytes], *, max_bytes: int) -> Iterator[LineBatch]:
    """Cut a text into batches of whole lines; see `line_batches`."""
    number, too_long, rest_size = 1, False, 0
    whole: list[memoryview] = []  # lines that are not yielded yet
    rest: list[memoryview] = []  # the beginning of the next line
    damage: RecordError | None = None
    for piece in _until_damage(pieces):
        if isinstance(piece, RecordError):
            damage = piece
            break
        view, start, end = memoryview(piece), piece.find(b"\n") + 1, piece.rfind(b"\n") + 1
        too_long = too_long or rest_size + (start - 1 if start else len(piece)) > max_bytes
        if too_long:
            rest, rest_size = [], 0
        if not start:
            if not too_long:
                rest.append(view)
                rest_size += len(view)
            continue
        if too_long:
            data = b"".join(whole)
            yield from _checked(number, data, max_bytes)
            number += data.count(b"\n")
            yield _too_long(number, max_bytes)
            number, too_long, whole = number + 1, False, [view[start:end]]
        else:
            whole += [*rest, view[:end]]
        rest, rest_size = [view[end:]], len(view) - end
        if sum(map(len, whole)) >= BATCH_BYTES:
            data, whole = b"".join(whole), []
            yield from _checked(number, data, max_bytes)
            number += data.count(b"\n")
    data = b"".join(whole if damage else [*whole, *rest])
    yield from _checked(number, data, max_bytes)
    if damage:
        yield LineBatch(number + data.count(b"\n"), b"", damage.reason, damage.remedy)
    elif too_long:
        yield _too_long(number + data.count(b"\n"), max_bytes)


def _until_damage(pieces: Iterable[bytes]) -> Iterator[bytes | RecordError]:
    """Yield the pieces, and the damage at which they end."""
    try:
        yield from pieces
    except RecordError as damage:
        yield damage


def _checked(number: int, data: bytes, max_bytes: int) -> Iterator[LineBatch]:
    """Yield the lines as one batch; lines that are too long become problems between batches."""
    first, begin, place = number, 0, 0
    for index, text in enumerate(LineBatch(0, data).texts() if len(data) > max_bytes else ()):
        if len(text) > max_bytes:
            if place > begin:
                yield LineBatch(number, data[begin:place])
            number, begin = first + index + 1, place + len(text) + 1
            yield _too_long(number - 1, max_bytes)
        place += len(text) + 1
    if len(data) > begin:
        yield LineBatch(number, data[begin:])


def _too_long(number: int, max_bytes: int) -> LineBatch:
    return LineBatch(
        number,
        b"",
        f"the record is longer than {max_bytes / 1e6:g} MB",
        "raise `logs: {max_record_mb: ...}` if such a record is real",
    )
