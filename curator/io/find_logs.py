"""From what the user names to files: files, folders, globs, standard input and addresses."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import cast
from urllib.request import url2pathname

from curator.errors import LogsError, RecordError
from curator.io.compression import PACKED_SUFFIXES, chunks
from curator.io.file_kinds import SUFFIXES, Skipped, bare_suffix, binary_kind, describes, foreign, is_hidden
from curator.io.log_file import (
    STANDARD_INPUT,
    LogFile,
    OtherFile,
    explained,
    file_system,
    is_address,
    shown_address,
    standard_input,
)

_HEAD_BYTES = 4096
_DELIMITERS = (b",", b";", b"\t", b"|")
_TABLE_LINES = 6
_STATE = "state.json"
_JSON_LINE = re.compile(rb"^\s*[\[{]\s*($|[\[{\"\]}])", re.MULTILINE)
"""A line that begins as JSON does, and not as a section of a settings file, `[section]`, does."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class FoundLogs:
    """The files to read, in the order of their names, and what was passed over in folders."""

    files: tuple[LogFile, ...]
    skipped: tuple[Skipped, ...] = ()


def find_logs(paths: Sequence[str]) -> FoundLogs:
    """Find the files that paths, globs, addresses and `-` (standard input) name.

    A file that is named is read whatever it is called. A folder is searched at every depth: a file with a usual suffix is
    read, also a packed one; any other is read if its content looks like JSON, a table, Parquet, Arrow or a workbook.

    Raises:
        LogsError: a path matches nothing.
        MissingDependency: the package that opens an address is not installed.
    """
    files: dict[str, LogFile] = {}
    skipped: list[Skipped] = []
    for path in paths:
        for file in _matches(path, skipped):
            key = str(file.resolve()) if isinstance(file, Path) else file.address
            files.setdefault(key, file)
    return FoundLogs(tuple(sorted(files.values(), key=str)), tuple(dict.fromkeys(skipped)))


def _matches(path: str, skipped: list[Skipped]) -> list[LogFile]:
    if path == STANDARD_INPUT:
        return [standard_input()]
    if path.startswith("file://"):
        path = url2pathname(path.removeprefix("file://"))
    if is_address(path):
        return _at_address(path, skipped)
    try:
        named = Path(path).expanduser()
        if named.is_dir():
            files = _in_folder(named, skipped)
        elif named.exists():
            files = [named]
        else:
            hits = map(Path, glob.glob(str(named), recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)
            files = [file for hit in hits for file in (_in_folder(hit, skipped) if hit.is_dir() else [hit])]
    except (OSError, ValueError, RuntimeError) as error:
        raise LogsError(f"{path!r}: cannot be looked up ({error})", remedy="check that you may read it") from error
    if not files:
        raise _no_match(path, named, skipped)
    return list(files)


def _in_folder(folder: Path, skipped: list[Skipped]) -> list[Path]:
    inside = [
        (file, parts)
        for file in sorted(folder.rglob("*"))
        if not any(map(is_hidden, (parts := file.relative_to(folder).parts)[:-1])) and file.is_file()
    ]
    return [cast(Path, file) for file in _logs_among(inside, skipped)]


def _at_address(address: str, skipped: list[Skipped]) -> list[LogFile]:
    """Find the files at an address: a file, a folder or a glob.

    Raises:
        LogsError: nothing is there, or it cannot be looked up.
    """
    filesystem, root = file_system(address)
    shown = shown_address(address)
    is_web = address.startswith(("http://", "https://"))  # web servers list no folders

    def file_at(path: str) -> OtherFile:
        whole = str(filesystem.unstrip_protocol(path))
        return OtherFile(whole, shown_address(whole))

    try:
        hits = [root] if is_web or explained(filesystem.exists, root) else []
        if not hits and glob.has_magic(root):
            hits = [str(hit) for hit in explained(filesystem.glob, root)]
            hits = [hit for hit in hits if "/." not in hit or "/." in root]  # as globs of this machine leave them out
        files: list[LogFile] = []
        for hit in sorted(hits):
            if not is_web and explained(filesystem.isdir, hit):
                paths = sorted(map(str, explained(filesystem.find, hit)))
                files += _logs_among(list(_relative(paths, hit, file_at)), skipped)
            else:
                files.append(file_at(hit))
    except OSError as error:
        raise LogsError(
            f"{shown!r}: cannot be looked up ({error.strerror or error})",
            remedy="check the address, the network and the credentials of this machine",
        ) from error
    if not files:
        raise _no_match_at(shown, skipped, is_glob=glob.has_magic(root), is_there=bool(hits))
    return files


def _relative(
    paths: Iterable[str], folder: str, file_at: Callable[[str], OtherFile]
) -> Iterator[tuple[LogFile, tuple[str, ...]]]:
    """Files of a folder that are not in hidden folders, with the parts of their paths."""
    for path in paths:
        parts = PurePosixPath(path.removeprefix(folder).lstrip("/")).parts
        if parts and not any(map(is_hidden, parts[:-1])):
            yield file_at(path), parts


def _logs_among(candidates: Sequence[tuple[LogFile, tuple[str, ...]]], skipped: list[Skipped]) -> Iterator[LogFile]:
    """Yield the files of a folder that are logs by name or content."""
    datasets = {
        parts[:-1]: names for file, parts in candidates if parts[-1] == _STATE and (names := _files_of_dataset(file))
    }
    for file, parts in candidates:
        names = datasets.get(parts[:-1])
        reason = describes(parts)
        if reason is None and names is not None and parts[-1] not in names:
            reason = "not a data file of the dataset"
        if reason is None and bare_suffix(file.name) not in SUFFIXES:
            reason = _no_log_inside(file)
        if reason is None:
            yield file
        else:
            skipped.append(Skipped(str(file), reason))


def _files_of_dataset(state: LogFile) -> frozenset[str] | None:
    """The data files that the `state.json` of a saved dataset names; None if it is another file.

    The folder may hold further Arrow files, which `datasets` keeps there as a cache.
    """
    try:
        files = json.loads(b"".join(chunks(state)))["_data_files"]
        return frozenset(str(file["filename"]) for file in files)
    except (RecordError, ValueError, LookupError, TypeError):
        return None


def _no_log_inside(file: LogFile) -> str | None:
    """Return why the content of a file does not look like a log; None if it does."""
    try:
        head = next(chunks(file), b"")
    except RecordError as error:
        return error.reason
    if other := foreign(head):
        return other.reason
    if binary_kind(head) or head.startswith(_UTF16):
        return None
    if not head.strip():
        return "empty"
    if b"\0" in head:
        return "a binary file"
    head = head[:_HEAD_BYTES]
    return None if _JSON_LINE.search(head) or _is_table(head) else "neither JSON nor a table"


def _is_table(head: bytes) -> bool:
    """Return whether the first lines have a usual delimiter, each the same number of times."""
    lines = [line for line in head.split(b"\n")[:-1] if line.strip()][:_TABLE_LINES]
    if len(lines) < _TABLE_LINES // 2:
        return False
    return any(
        len({line.count(delimiter) for line in lines}) == 1 and delimiter in lines[0] for delimiter in _DELIMITERS
    )


def _no_match(path: str, named: Path, skipped: Sequence[Skipped]) -> LogsError:
    if named.is_dir():
        return _no_log_in(path, [item for item in skipped if Path(item.file).is_relative_to(named)])
    what = "the pattern matches no file" if glob.has_magic(path) else "no such file or folder"
    where = "" if named.is_absolute() else f"; the path is looked up from {str(Path.cwd())!r}"
    return LogsError(f"{path!r}: {what}", remedy=f"name a file, a folder or a glob that exists{where}")


def _no_match_at(shown: str, skipped: Sequence[Skipped], *, is_glob: bool, is_there: bool) -> LogsError:
    if is_there:
        return _no_log_in(shown, [item for item in skipped if item.file.startswith(shown.partition("*")[0])])
    what = "the pattern matches no file" if is_glob else "no such file or folder"
    return LogsError(f"{shown!r}: {what}", remedy="name a file, a folder or a glob that exists there")


def _no_log_in(shown: str, skipped: Sequence[Skipped]) -> LogsError:
    examples = "; ".join(f"{PurePosixPath(item.file).name!r}: {item.reason}" for item in skipped[:3])
    return LogsError(
        f"{shown!r}: the folder holds no log" + (f" ({len(skipped)} skipped, such as {examples})" if skipped else ""),
        remedy=f"a folder is searched for {', '.join(SUFFIXES)} files, also packed ones ({', '.join(PACKED_SUFFIXES)}), and for"
        " others with JSON or a table in them; name any other file one by one or by a glob",
    )
