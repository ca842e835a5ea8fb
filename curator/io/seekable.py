"""The unpacked content of a file that can seek, as Parquet, Arrow and workbooks need it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from curator.errors import RecordError
from curator.io.compression import chunks
from curator.io.log_file import LogFile

_IN_MEMORY = 1 << 24
"""Unpacked bytes that are kept in memory; more go to a temporary file."""
_MARK = 4


@contextlib.contextmanager
def seekable(path: LogFile, head: bytes) -> Iterator[BinaryIO]:
    """Open a file whose unpacked content begins with `head`.

    A packed one is unpacked into a temporary file.

    Raises:
        RecordError: it cannot be opened or unpacked.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise RecordError(
            f"the file cannot be read ({error.strerror or error})", "check that it exists and that you may read it"
        ) from error
    with file:
        if file.read(_MARK) == head[:_MARK]:
            file.seek(0)
            yield file
            return
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as unpacked:
        for piece in chunks(path):
            unpacked.write(piece)
        unpacked.seek(0)
        yield unpacked  # type: ignore[misc]
