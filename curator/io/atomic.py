"""Writing of run folders: one process at a time, each file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from curator.errors import RunLocked, StorageError
from curator.records import JsonValue, dump_line

LOCK_NAME = ".curator.lock"
_TEMPORARY_SUFFIX = ".curator-tmp"
_LOOK_S = 0.2  # a process that only looks whether the folder is locked, with `is_locked`, is gone by then
_BUFFER_BYTES = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def write_atomic(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part.

    The new content goes into a temporary file beside it and reaches the disk before it takes the old one's name.
    Whatever `chunks` itself raises passes through; the old file stays and the temporary one goes then, too.

    Raises:
        StorageError: the disk is full, or the folder may not be written.
    """
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_TEMPORARY_SUFFIX}")
    try:
        _write_through(temporary, chunks, shown=path)
        with _explained(path):
            temporary.replace(path)
            _sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_unsynced(path: Path, content: bytes) -> None:
    """Write a small file whole or not at all, without waiting for the disk.

    It is for content that is written often and soon outdated. After a power cut it may be empty or gone.

    Raises:
        OSError: it cannot be written; the old file stays. A leftover goes with the next `run_lock`.
    """
    temporary = path.with_name(f".{path.name}{_TEMPORARY_SUFFIX}")
    temporary.write_bytes(content)
    temporary.replace(path)


def json_lines(rows: Iterable[Mapping[str, JsonValue]]) -> Iterator[bytes]:
    """Each row as one line of JSON with sorted keys."""
    return map(dump_line, rows)


@contextlib.contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Lock a run folder for this process.

    The folder is made if need be, and temporary files that a killed run left are removed.

    Raises:
        RunLocked: another process holds it.
        StorageError: the folder cannot be made or written.
    """
    lock = FileLock(folder / LOCK_NAME)
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _acquire(lock, folder)
    try:
        with _explained(folder):
            for leftover in folder.glob(f".*{_TEMPORARY_SUFFIX}"):
                leftover.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Return whether a process holds the run folder now; a free lock is taken for an instant.

    Raises:
        OSError: the lock cannot be tried, as in another user's folder.
    """
    if not (folder / LOCK_NAME).exists():
        return False
    lock = FileLock(folder / LOCK_NAME)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def _acquire(lock: BaseFileLock, folder: Path) -> None:
    try:
        lock.acquire(timeout=_LOOK_S, poll_interval=_LOOK_S / 10)
    except Timeout as error:
        raise RunLocked(
            f"{str(folder)!r}: another curator run is working on this folder",
            remedy="wait until it ends or stop it, or choose another folder with `--out`",
        ) from error


def _write_through(temporary: Path, chunks: Iterable[bytes], *, shown: Path) -> None:
    """Write the chunks to a new file and wait until the disk has them."""
    with _explained(shown):
        file = temporary.open("xb", buffering=0)
    with file:
        for block in _blocks(chunks):
            with _explained(shown):
                _write_whole(file.fileno(), block)
        with _explained(shown):
            os.fsync(file.fileno())


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at least a megabyte (the last one aside)."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        if len(buffer) >= _BUFFER_BYTES:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer)


def _write_whole(descriptor: int, block: bytes) -> None:
    """Write all of a block: one call may write less than it was given, as on a full disk."""
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path) -> None:
    """Let the rename survive a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a StorageError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            what, remedy = "the disk or the quota is full", "free some space and run the command again; it goes on"
        elif error.errno in _FORBIDDEN:
            what, remedy = (
                "may not be written",
                "choose a folder you may write, with `--out`, or change its permissions",
            )
        else:
            what, remedy = "cannot be written", "choose another folder with `--out`, or look at this one"
        raise StorageError(f"{str(path)!r}: {what} ({error.strerror or error})", remedy=remedy) from error
