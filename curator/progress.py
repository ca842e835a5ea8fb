"""What the user sees while a run works: bars on a terminal, plain lines without one, JSON events, or nothing."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A listener to long work. A stage calls `start`, then `advance` as it goes, then `finish`."""

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """A stage of `total` units begins (None: nobody knows how many)."""

    def advance(self, count: int = 1, *, note: str = "") -> None:
        """`count` more units are done; `note` is shown beside the bar."""

    def finish(self, note: str = "") -> None:
        """The stage is over; `note` sums it up."""


class Silent:
    """No output at all."""

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """Nothing is shown."""

    def advance(self, count: int = 1, *, note: str = "") -> None:
        """Nothing is shown."""

    def finish(self, note: str = "") -> None:
        """Nothing is shown."""
