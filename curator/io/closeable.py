"""A base class for what holds a file open: a context manager that closes it."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closeable:
    """Call `close` when the `with` block ends, however it ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. A subclass says how."""
        raise NotImplementedError
