"""A program in a process group of its own, which ends with all that it started.

A killed `curator` cannot end its program. The program therefore holds a lock on a file of the job's folder, in a descriptor that it
inherits; the next start finds the lock held, and ends the group whose id is in the file.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from curator.errors import ConfigError, RunLocked

_TAIL = 30
"""Lines of stderr that are kept."""
_WAITING = 1000
"""Lines of stdout that wait to be read; older ones are dropped."""
_LINE_BYTES = 65_536
_END_S = 5.0
"""Seconds for a program to end after SIGTERM, before SIGKILL."""
_LOOK_S = 0.05


class Program:
    """A running program.

    Attributes:
        errors: the last lines of its stderr.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.errors: deque[str] = deque(maxlen=_TAIL)
        self._process = process
        self._lines: deque[str] = deque(maxlen=_WAITING)
        self._ended = False
        streams = ((process.stdout, self._lines.append), (process.stderr, self.errors.append))
        self._readers = [threading.Thread(target=_read, args=pair, daemon=True) for pair in streams]
        for reader in self._readers:
            reader.start()

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def lines(self, *, until: float) -> Iterator[str]:
        """Iterate over the lines of stdout until the program ends.

        Raises:
            TimeoutError: it still runs at `until`, in seconds of `time.monotonic`.
        """
        while self.exit_code is None:
            yield from self._waiting()
            if time.monotonic() > until:
                raise TimeoutError
            time.sleep(_LOOK_S)
        self.end()
        yield from self._waiting()

    def _waiting(self) -> Iterator[str]:
        while self._lines:
            yield self._lines.popleft()

    def end(self) -> None:
        """End the whole group, and read the rest of its output."""
        if self._ended:  # its id may be that of another group by now
            return
        self._ended = True
        _end_group(self._process.pid, lambda: self._process.poll() is not None)
        self._process.wait()
        for reader in self._readers:
            reader.join(_END_S)


@contextmanager
def running(command: Sequence[str], environ: Mapping[str, str], lock: Path) -> Iterator[Program]:
    """Start a program; its group is ended with the context. No shell is started.

    What an earlier process left running under the same lock is ended first.

    Raises:
        ConfigError: the program does not exist or cannot be started.
        RunLocked: the earlier program cannot be ended.
    """
    with lock.open("a+b") as file:
        _end_earlier(file, lock)
        try:
            process = subprocess.Popen(  # noqa: S603  the program of the user's config
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environ),
                start_new_session=True,
                pass_fds=(file.fileno(),),
            )
        except OSError as error:
            raise ConfigError(
                f"loop.trainer.command: {command[0]!r} cannot be started ({error.strerror or error})",
                remedy="name a program that exists and may be executed; a relative path is looked up from the working directory",
            ) from error
        file.truncate(0)
        file.write(str(process.pid).encode())
        file.flush()
        program = Program(process)
        try:
            yield program
        finally:
            program.end()


def _read(stream: IO[bytes], keep: Callable[[str], object]) -> None:
    """Keep each line that is not empty; a progress bar writes over its line."""
    with stream:
        while piece := stream.readline(_LINE_BYTES):
            text = piece.decode(errors="replace").rstrip().rpartition("\r")[2].strip()
            if text:
                keep(text)


def _end_earlier(file: BinaryIO, path: Path) -> None:
    """Take the lock; end the program that holds it."""
    if _taken(file):
        return
    file.seek(0)
    group = file.read()
    if group.isdigit():
        _end_group(int(group), lambda: _taken(file))
    if not _taken(file):
        raise RunLocked(
            f"{str(path)!r}: a program that an earlier command started still runs",
            remedy="wait until it ends, or end it; then run the command again",
        )


def _taken(file: BinaryIO) -> bool:
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _end_group(group: int, ended: Callable[[], bool]) -> None:
    """Send SIGTERM to a process group, and SIGKILL to what is left of it after five seconds."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
        until = time.monotonic() + _END_S
        while not ended() and time.monotonic() < until:
            time.sleep(_LOOK_S)
