"""Display of progress: bars on a terminal, plain lines, JSON events, or nothing."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Task, TaskID

    from curator.records import JsonValue


LINE_EVERY_S = 10.0
EVENT_EVERY_S = 1.0
Facts = Mapping[str, "JsonValue"]


class Progress(Protocol):
    """A listener to long work. A stage calls `start`, then `advance` as it goes, then `finish`."""

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """Begin a stage of `total` units; None if the number is unknown."""

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
        """Add `count` finished units; `facts` are the figures of `note` for machines."""

    def finish(self, note: str = "") -> None:
        """End the stage; `note` sums it up."""


class Silent:
    """No output at all."""

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """Show nothing."""

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
        """Show nothing."""

    def finish(self, note: str = "") -> None:
        """Show nothing."""


class Lines:
    """Plain lines for logs and CI: every ten seconds, when a wait begins, and at the end."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._stage, self._unit = "", ""
        self._total: int | None = None
        self._done = 0
        self._waits = False
        self._started = self._last = clock()

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """Remember the stage, and show nothing yet."""
        self._stage, self._total, self._unit, self._done = stage, total, unit, 0
        self._started = self._last = self._clock()

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
        """Show a line if the last one is ten seconds old, or if the stage begins to wait."""
        self._done += count
        now = self._clock()
        waits = bool(facts and facts.get("waiting"))
        begins, self._waits = waits and not self._waits, waits
        if now - self._last < LINE_EVERY_S and not begins:
            return
        self._last = now
        rate = self._done / max(now - self._started, 1e-9)
        of_total, left = "", ""
        if self._total:
            of_total = f" of {self._total:,}"
            left = f", {span((self._total - self._done) / rate)} left" if rate else ""
        shown = f", {note}" if note else ""
        self._show(f"{self._done:,}{of_total} {self._unit}, {rate:.1f}/s{left}{shown}")

    def finish(self, note: str = "") -> None:
        """Show the result of the stage."""
        took = self._clock() - self._started
        self._show(f"{note or f'{self._done:,} {self._unit}'} ({span(took)})")

    def _show(self, text: str) -> None:
        _write(self._stream, f"{self._stage:<8} {text}\n")


class Events:
    """One JSON object a line for CI and other machines.

    Its keys: `event` (`start`, `progress` or `finish`), `stage`, `done`, `total` (null if unknown), `unit`, `note`,
    `elapsed_s` (seconds since the stage began) and `facts`, the last figures of the stage.
    """

    def __init__(
        self, stream: TextIO, *, every_s: float = EVENT_EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._every_s, self._clock = stream, every_s, clock
        self._stage, self._unit = "", ""
        self._total: int | None = None
        self._done = 0
        self._facts: Facts = {}
        self._started = self._last = clock()

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """Write that the stage begins."""
        self._stage, self._total, self._unit, self._done, self._facts = stage, total, unit, 0, {}
        self._started = self._clock()
        self._write("start", "")

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
        """Write the state of the stage, unless the last event is less than `every_s` seconds old."""
        self._done += count
        if facts is not None:
            self._facts = facts
        if self._clock() - self._last >= self._every_s:
            self._write("progress", note)

    def finish(self, note: str = "") -> None:
        """Write that the stage is over."""
        self._write("finish", note)

    def _write(self, event: Literal["start", "progress", "finish"], note: str) -> None:
        self._last = self._clock()
        line = {
            "event": event, "stage": self._stage, "done": self._done, "total": self._total, "unit": self._unit,
            "note": note, "elapsed_s": round(self._last - self._started, 3), "facts": dict(self._facts),
        }  # fmt: skip
        _write(self._stream, json.dumps(line) + "\n")


class Bars:
    """A bar per stage with rate and time left; a context manager that restores the terminal."""

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

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hide the bars, so that a question can be asked; full bars are not shown again."""
        self._bars.stop()
        for task in self._bars.task_ids:
            if task != self._task:
                self._bars.remove_task(task)
        try:
            yield
        finally:
            self._bars.start()

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """Show a new bar."""
        self._task = self._bars.add_task(stage, total=total, stage=stage, unit=unit, note="", rate="")

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:  # noqa: ARG002  the note says it
        """Move the bar on."""
        if self._task is None:
            return
        speed = self._shown(self._task).speed
        self._bars.update(self._task, advance=count, note=note, rate=f"{speed:.1f}/s" if speed else "")

    def finish(self, note: str = "") -> None:
        """Fill the bar."""
        if self._task is None:
            return
        task = self._shown(self._task)
        self._bars.update(self._task, total=task.completed, completed=task.completed, note=note, rate="")
        self._task = None

    def _shown(self, task: TaskID) -> Task:
        """Return the bar with an id. After bars were removed, the id is not its index."""
        return next(shown for shown in self._bars.tasks if shown.id == task)


def _write(stream: TextIO, text: str) -> None:
    """Write and flush; errors are ignored, because a closed pipe must not end the run."""
    with contextlib.suppress(OSError):
        stream.write(text)
        stream.flush()


def span(seconds: float) -> str:
    """Return a time span in words: `8 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def until(moment: float) -> str:
    """Return a time in seconds since 1970 for people: `14:05:09`, `Tue 1 Dec, 14:05 (CET)`.

    The day is given for times that are not today's.
    """
    local = datetime.fromtimestamp(moment, UTC).astimezone()
    if local.date() == datetime.now(UTC).astimezone().date():
        return f"{local:%H:%M:%S}"
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M} ({local:%Z})"
