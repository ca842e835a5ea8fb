"""From what the user names to files, and from a file to its lines, with constant memory."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from curator.errors import LogsError, RecordError
from curator.io.compression import chunks

SUFFIXES = (".jsonl", ".ndjson", ".csv")
MAX_LINE_BYTES = 64 * 2**20
"""The longest line of the files that curator itself writes, or that are made for it."""
_PACKED = (".gz", ".zst")
_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, counted from 1, without its line feed; no `data` with a `problem`."""

    number: int
    data: bytes | None
    problem: str | None = None
    remedy: str = ""


def expand(paths: Sequence[str]) -> list[Path]:
    """Expand files, folders and globs to files, each once, in the order of their names.

    A folder is searched at every depth for .jsonl, .ndjson and .csv files, also .gz and .zst ones; hidden ones are
    left out. A file that is named is read whatever it is called.

    Raises:
        LogsError: a path matches nothing.
    """
    files: dict[Path, Path] = {}
    for path in paths:
        for file in _matches(path):
            files.setdefault(file.resolve(), file)
    return sorted(files.values(), key=str)


def bare_suffix(path: Path) -> str:
    """The suffix in lower case that tells the format: `.csv` for `a.csv` and for `a.CSV.gz`."""
    name = Path(path.name.lower())
    return Path(name.stem).suffix if name.suffix in _PACKED else name.suffix


def lines(path: Path, *, max_bytes: int) -> Iterator[Line]:
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


def physical_lines(path: Path, *, max_bytes: int) -> Iterator[Line]:
    """Yield every line: blank ones and carriage returns may belong to a quoted CSV cell."""
    split = _split(chunks(path), max_bytes)
    first = next(split, None)
    if first is None:
        return
    if first.data is not None and first.data.startswith(_UTF16_BOMS):
        yield Line(1, None, "the file is UTF-16, not UTF-8", "convert it: `iconv -f UTF-16 -t UTF-8 FILE > NEW`")
        return
    yield first if first.data is None else replace(first, data=first.data.removeprefix(_BOM))
    yield from split


def _split(pieces: Iterable[bytes], max_bytes: int) -> Iterator[Line]:
    number, tail, too_long = 1, bytearray(), False
    try:
        for piece in pieces:
            *ends, rest = piece.split(b"\n")
            for end in ends:
                if too_long or len(tail) + len(end) > max_bytes:
                    yield _too_long(number, max_bytes)
                else:
                    yield Line(number, bytes(tail) + end if tail else end)
                number += 1
                tail, too_long = bytearray(), False
            too_long = too_long or len(tail) + len(rest) > max_bytes
            if too_long:
                tail = bytearray()
            else:
                tail += rest
    except RecordError as problem:
        yield Line(number, None, problem.reason, problem.remedy)
        return
    if too_long:
        yield _too_long(number, max_bytes)
    elif tail:
        yield Line(number, bytes(tail))


def _too_long(number: int, max_bytes: int) -> Line:
    return Line(
        number,
        None,
        f"the record is longer than {max_bytes / 1e6:g} MB",
        "raise `logs: {max_record_mb: ...}` if such a record is real; a file that is one JSON array becomes JSONL "
        "with `jq -c '.[]' FILE > NEW.jsonl`",
    )


def _matches(path: str) -> list[Path]:
    try:
        named = Path(path).expanduser()
        if named.is_dir():
            files = _in_folder(named)
        elif named.exists():
            files = [named]
        else:
            hits = map(Path, glob.glob(str(named), recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)
            files = [file for hit in hits for file in (_in_folder(hit) if hit.is_dir() else [hit])]
    except (OSError, ValueError, RuntimeError) as error:
        raise LogsError(f"{path!r}: cannot be looked up ({error})", remedy="check that you may read it") from error
    if not files:
        raise _no_match(path, named)
    return files


def _in_folder(folder: Path) -> list[Path]:
    return [
        file
        for file in folder.rglob("*")
        if bare_suffix(file) in SUFFIXES
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and file.is_file()
    ]


def _no_match(path: str, named: Path) -> LogsError:
    if named.is_dir():
        return LogsError(
            f"{path!r}: the folder holds no log",
            remedy=f"a folder is searched for {', '.join(SUFFIXES)} files, also .gz and .zst; "
            "other files have to be named one by one or by a glob",
        )
    what = "the pattern matches no file" if glob.has_magic(path) else "no such file or folder"
    where = "" if named.is_absolute() else f"; the path is looked up from {str(Path.cwd())!r}"
    return LogsError(f"{path!r}: {what}", remedy=f"name a file, a folder or a glob that exists{where}")
