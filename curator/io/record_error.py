"""Why one record, or one file, cannot be read; it never leaves this room but as an `Unreadable`."""

from __future__ import annotations

from curator.records import Source, Unreadable


class Problem(Exception):
    """What is wrong with a record and what its owner can do. Raised by parsers, caught by the readers."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy

    def at(self, file: str, line: int) -> Unreadable:
        """The record to set aside."""
        return Unreadable(Source(file, line), self.reason, self.remedy)

    def inside(self, place: str) -> Problem:
        """The same problem, with the place in the record where it was found."""
        return Problem(f"{place}: {self.reason}", self.remedy)
