"""A file to read: a path of this machine, or a file under another name (`OtherFile`).

Both have `name`, `open("rb")` and a text for messages, `str(file)`.
"""

from __future__ import annotations

import atexit
import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, cast

from curator.errors import LogsError, MissingDependency

STANDARD_INPUT = "-"
"""The name under which a user gives standard input."""
_SHOWN_STANDARD_INPUT = "<stdin>"


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A file at an address, such as `s3://bucket/key`, or a copy of standard input.

    Attributes:
        address: where fsspec opens it.
        shown: its name in messages and records, without the secrets that an address may hold.
    """

    address: str
    shown: str

    def __str__(self) -> str:
        return self.shown

    @property
    def name(self) -> str:
        """The last part of its name, with the suffix."""
        return self.shown.rpartition("/")[2]

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Open it for reading; the file can seek.

        Raises:
            OSError: it cannot be opened. So does a later `read` that fails.
        """
        filesystem, path = file_system(self.address)
        opened = explained(filesystem.open, path, mode)
        return io.BufferedReader(_Explained(opened), buffer_size=1 << 16)


LogFile: TypeAlias = Path | OtherFile


def name_of(file: LogFile) -> str:
    """Return the path or address under which a file can be named again."""
    return file.address if isinstance(file, OtherFile) else str(file)


def is_address(path: str) -> bool:
    """Return whether a path is an address of another file system, such as `s3://bucket/key`."""
    return "://" in path


def shown_address(address: str) -> str:
    """An address without user name, password and query, which may hold a signature."""
    scheme, _, rest = address.partition("://")
    path, _, query = rest.partition("?")
    host, slash, key = (path if "=" in query else rest).partition("/")  # a glob may hold a question mark
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{key}"


def file_system(address: str) -> tuple[Any, str]:
    """Return the fsspec file system of an address and the path in it.

    Raises:
        MissingDependency: the package of the file system is not installed.
        LogsError: fsspec does not know such a file system.
    """
    import fsspec
    from fsspec.registry import known_implementations

    scheme = address.partition("://")[0]
    try:
        filesystem, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        package = known_implementations.get(scheme, {}).get("class", scheme).partition(".")[0]
        raise MissingDependency(
            f"{shown_address(address)!r}: {scheme}:// needs the package {package!r}",
            remedy=f"install it with `pip install {package}`, or copy the files to this machine",
        ) from error
    except Exception as error:  # each file system raises errors of its own
        raise LogsError(
            f"{shown_address(address)!r}: {scheme}:// cannot be opened ({_first_line(error)})",
            remedy="name files of this machine, or an address that fsspec knows, such as s3://, gs:// or https://",
        ) from error
    return filesystem, str(path)


def standard_input() -> OtherFile:
    """Return a copy of standard input, which is read once in a process.

    Raises:
        LogsError: nothing is piped in.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise LogsError(
            "'-': nothing is piped into the command", remedy="pipe a log in: `curator run CONFIG --logs - < FILE`"
        )
    return _copy_of_standard_input()


@cache
def _copy_of_standard_input() -> OtherFile:
    with tempfile.NamedTemporaryFile(prefix="curator-stdin-", delete=False) as copy:
        atexit.register(Path(copy.name).unlink, missing_ok=True)
        shutil.copyfileobj(sys.stdin.buffer, copy)
    return OtherFile(Path(copy.name).as_uri(), _SHOWN_STANDARD_INPUT)


def explained(call: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401  (fsspec has no types)
    """Call a function of a file system; whatever it raises becomes an OSError.

    Raises:
        OSError: the call failed.
    """
    try:
        return call(*arguments)
    except OSError:
        raise
    except Exception as error:
        raise OSError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200] or type(error).__name__


class _Explained(io.RawIOBase):
    """A file of fsspec whose errors are all OSError."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(explained(self._file.seekable))

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        data = explained(self._file.read, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return cast(int, explained(self._file.seek, offset, whence))

    def tell(self) -> int:
        return cast(int, explained(self._file.tell))

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
