"""What the user sees while a run works: bars on a terminal, plain lines without one, or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from curator.records import JsonValue

if TYPE_CHECKING:
    from rich.progress import TaskID

LINE_EVERY_S = 10.0
Facts = Mapping[str, JsonValue]


class Progress(Protocol):
    """A listener to long work. A stage calls `start`, then `advance` as it goes, then `finish`."""

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """A stage of `total` units begins (None: nobody knows how many)."""

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
        """`count` more units are done; `note` is shown beside the bar, `facts` are the same figures for machines."""

    def finish(self, note: str = "") -> None:
        """The stage is over; `note` sums it up."""


class Silent:
    """No output at all."""

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """Nothing is shown."""

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
        """Nothing is shown."""

    def finish(self, note: str = "") -> None:
        """Nothing is shown."""


class Lines:
    """Plain lines for logs and CI: one when a stage ends, and one every ten seconds while it works."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._stage, self._unit = "", ""
        self._total: int | None = None
        self._done = 0
        self._started = self._last = clock()

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """Remember the stage; nothing is shown yet."""
        self._stage, self._total, self._unit, self._done = stage, total, unit, 0
        self._started = self._last = self._clock()

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
        """Show a line if the last one is ten seconds old."""
        self._done += count
        now = self._clock()
        if now - self._last < LINE_EVERY_S:
            return
        self._last = now
        rate = self._done / (now - self._started)
        of_total, left = "", ""
        if self._total:
            of_total = f" of {self._total:,}"
            left = f", {_span((self._total - self._done) / rate)} left" if rate else ""
        shown = f", {note}" if note else ""
        self._show(f"{self._done:,}{of_total} {self._unit}, {rate:.1f}/s{left}{shown}")

    def finish(self, note: str = "") -> None:
        """Show what the stage came to."""
        took = self._clock() - self._started
        self._show(f"{note or f'{self._done:,} {self._unit}'} ({_span(took)})")

    def _show(self, text: str) -> None:
        self._stream.write(f"{self._stage:<8} {text}\n")
        self._stream.flush()


class Bars:
    """A bar with rate and time left per stage, on a terminal. A context manager: the terminal is restored at its end."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress
        from rich.table import Column

        def whole() -> Column:
            return Column(no_wrap=True, overflow="ignore")

        # Where the terminal is narrow the note gives way, never the figures.
        self._bars = RichProgress(
            TextColumn("{task.fields[stage]:<7}", table_column=whole()),
            BarColumn(bar_width=12, table_column=whole()),
            MofNCompleteColumn(table_column=whole()),
            TextColumn("{task.fields[unit]} {task.fields[rate]}", table_column=whole()),
            TimeRemainingColumn(compact=True, table_column=whole()),
            TextColumn("{task.fields[note]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
            console=Console(file=stream),
            expand=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """Show a new bar."""
        self._task = self._bars.add_task(stage, total=total, stage=stage, unit=unit, note="", rate="")

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
        """Move the bar on."""
        if self._task is None:
            return
        speed = self._bars.tasks[self._task].speed
        self._bars.update(self._task, advance=count, note=note, rate=f"{speed:.1f}/s" if speed else "")

    def finish(self, note: str = "") -> None:
        """Fill the bar."""
        if self._task is None:
            return
        task = self._bars.tasks[self._task]
        self._bars.update(self._task, total=task.completed, completed=task.completed, note=note, rate="")
        self._task = None


def _span(seconds: float) -> str:
    """A time span as people say it: 8 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
