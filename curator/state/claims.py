"""Claims on answers that a run is about to buy, so that no other run buys them as well.

A claim is a lock on one byte, in one of the files in a folder beside the store. The key gives the offset of the byte. The
kernel drops a process's locks when it ends, however it ends: a killed run leaves no claim behind.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

from curator.io.closeable import Closeable

if sys.platform != "win32":
    import fcntl

_SUFFIX = ".claims"
_FILES = 16  # for each new lock, the kernel reads all locks of the file
_OFFSET_BITS = 62  # a lock's offset is a signed 64-bit number


class Claims(Closeable):
    """A set of claimed keys; a context manager that drops all claims at its end.

    Where the system has them (Linux), the locks belong to this object's open files, so that two runs in one process
    exclude each other as well; elsewhere they belong to the process. On Windows every claim is granted.
    """

    def __init__(self, store: Path) -> None:
        folder = store.with_name(store.name + _SUFFIX)
        folder.mkdir(exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._files: list[int] = []
        try:
            self._files += (os.open(folder / f"{n:x}", flags, 0o644) for n in range(_FILES))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Drop all claims."""
        while self._files:
            os.close(self._files.pop())

    def take(self, key: str) -> bool:
        """Claim a key (hex digest); False if another run has claimed it."""
        if sys.platform == "win32":
            return True
        try:
            self._lock(key, fcntl.F_WRLCK)
        except (BlockingIOError, PermissionError):  # POSIX allows either
            return False
        return True

    def drop(self, key: str) -> None:
        """Release a key."""
        if sys.platform != "win32":
            self._lock(key, fcntl.F_UNLCK)

    def _lock(self, key: str, kind: int) -> None:
        file = self._files[int(key[-1], 16)]
        offset = int(key[:16], 16) >> (64 - _OFFSET_BITS)
        if sys.platform == "linux":
            # struct flock of 64-bit Linux: type, whence, start, length, and a process id that must be 0 for these locks
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi", kind, os.SEEK_SET, offset, 1, 0))
        elif kind == fcntl.F_UNLCK:
            fcntl.lockf(file, fcntl.LOCK_UN, 1, offset)
        else:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
