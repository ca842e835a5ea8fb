"""`status.json`: the progress of a run, for another process that watches it."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, get_args

from curator.errors import ConfigError, UserError
from curator.io.atomic import is_locked, write_unsynced
from curator.progress import Facts, Progress, span, until
from curator.records import JsonValue
from curator.records.result import Result
from curator.run_folder.layout import STATUS
from curator.text.display import money, plural
from curator.text.failures import failures_in_words

WRITE_EVERY_S = 1.0

State = Literal["running", "finished", "interrupted", "failed"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class StatusFile:
    """Keep `status.json` up to date and pass all progress on to `inner`; a context manager.

    The file is written when a stage begins and ends, at most once a second in between, and when the run is over: its
    state is then `finished`, `interrupted` or `failed`. `facts` are the last ones of any stage. A file that cannot be written
    does not end the run: on a full disk the outputs of the run report the error.
    """

    def __init__(
        self,
        folder: Path,
        inner: Progress,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._path, self._inner, self._clock, self._now = STATUS.of(folder), inner, clock, now
        self._started = _iso(now())
        self._written = clock()
        self._stage, self._unit, self._note = "", "", ""
        self._total: int | None = None
        self._done = 0
        self._facts: Facts = {}

    def __enter__(self) -> Self:
        self._write("running")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._write("finished")
        elif isinstance(error, Exception):
            self._write("failed", _in_words(error))
        else:  # Ctrl-C, SIGTERM, a cancellation
            self._write("interrupted")

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        """Begin a stage."""
        self._stage, self._total, self._unit, self._done, self._note = stage, total, unit, 0, ""
        self._write("running")
        self._inner.start(stage, total=total, unit=unit)

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
        """Count `count` more units as done."""
        self._done += count
        self._note = note or self._note
        if facts is not None:
            self._facts = facts
        if self._clock() - self._written >= WRITE_EVERY_S:
            self._write("running")
        self._inner.advance(count, note=note, facts=facts)

    def finish(self, note: str = "") -> None:
        """End the stage."""
        self._note = note or self._note
        self._write("running")
        self._inner.finish(note)

    def _write(self, state: State, error: str | None = None) -> None:
        self._written = self._clock()
        content: dict[str, JsonValue] = {
            "state": state, "pid": os.getpid(), "started": self._started, "updated": _iso(self._now()),
            "stage": self._stage, "done": self._done, "total": self._total, "unit": self._unit, "note": self._note,
            "facts": dict(self._facts), **({"error": error} if error else {}),
        }  # fmt: skip
        with contextlib.suppress(OSError):
            write_unsynced(self._path, json.dumps(content, indent=2).encode() + b"\n")


def _in_words(error: Exception) -> str:
    """Return the message of a `UserError`, else only the class: other messages may hold secrets."""
    return error.what if isinstance(error, UserError) else type(error).__name__


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Status(Result):
    """The content of `status.json`; `stopped` if the process ended without a final state.

    `age_s` is how old the information is, in seconds.
    """

    folder: Path
    content: Mapping[str, JsonValue]
    age_s: float
    stopped: bool

    @property
    def state(self) -> str:
        """One of `running`, `finished`, `interrupted`, `failed` and `stopped`."""
        return "stopped" if self.stopped else str(self.content["state"])

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the status for machines."""
        return {"folder": str(self.folder), **self.content, "state": self.state, "age_s": round(self.age_s, 1)}

    def to_text(self) -> str:
        """Return the status for people. Speed and time left are shown while the run is sampling."""
        content, facts = self.content, _section(self.content, "facts")
        total = content.get("total")
        of_total = f" of {total:,}" if isinstance(total, int) else ""
        lines = [f"{self.folder}: {self._state_in_words()}"]
        if content.get("stage"):
            amount, note = f"{_figure(content, 'done')}{of_total} {content.get('unit')}", str(content.get("note") or "")
            shown = f"{amount} ({note})" if note else amount
            lines.append(f"{content['stage']}: {note if note.startswith(f'{amount} ') else shown}")
        if self.state == "running" and content.get("stage") == "ask":
            lines += [*_waits(facts), *_speed(facts)]
        lines += _spent(facts)
        ago = f"{span(self.age_s)} ago"
        lines.append(f"as of {ago}" if self.state == "running" else f"ended {ago}")
        return "\n".join(lines)

    def _state_in_words(self) -> str:
        again = "the same command goes on from there"
        if self.state == "stopped":
            return f"stopped (killed?); {again}"
        if self.state == "interrupted":
            return f"interrupted; {again}"
        if self.state == "failed":
            return f"failed: {self.content.get('error', 'the reason is not known')}"
        return f"running (process {self.content.get('pid')})" if self.state == "running" else self.state


def read_status(folder: Path, *, now: datetime | None = None) -> Status:
    """Read the status of the run in a folder.

    Raises:
        ConfigError: no run has written one there, or it is damaged.
    """
    path = STATUS.of(folder)
    remedy = "name a folder in which `curator run` works or has worked (runs/NAME, or what `--out` said)"
    try:
        content = json.loads(path.read_bytes())
        updated = datetime.fromisoformat(content["updated"])
        age_s = max(0.0, ((now or _utc_now()) - updated).total_seconds())
        is_state = content["state"] in get_args(State)
    except OSError as error:
        raise ConfigError(f"{str(path)!r}: the status cannot be read ({error.strerror})", remedy=remedy) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{str(path)!r}: this is not the status of a run ({error})", remedy=remedy) from error
    if not is_state:
        raise ConfigError(f"{str(path)!r}: {content['state']!r} is not a state of a run", remedy=remedy)
    return Status(folder, content, age_s, stopped=content["state"] == "running" and not _alive(folder, content))


def newest_run(runs: Path) -> Path:
    """Return the folder in `runs` whose status was written last.

    Raises:
        ConfigError: there is none.
    """
    files = [path for path in runs.glob(f"*/{STATUS}") if path.is_file()]
    if not files:
        raise ConfigError(
            f"{str(runs)!r}: no run has written its status there", remedy="name the run folder: `curator status RUN`"
        )
    return max(files, key=lambda path: path.stat().st_mtime).parent


def _alive(folder: Path, content: Mapping[str, JsonValue]) -> bool:
    """Return whether a run holds the folder."""
    try:
        return is_locked(folder)
    except OSError:  # the lock of another user's folder cannot be tried: look for the process instead
        pid = content.get("pid")
        return isinstance(pid, int) and _exists(pid)


def _exists(pid: int) -> bool:
    if os.name == "nt":  # on Windows `os.kill` would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # the process of another user
    return True


def _in_flight(facts: Mapping[str, JsonValue]) -> str:
    """Return the line on requests in flight; a refusal may have lowered the limit below them."""
    in_flight, allowed = facts.get("in_flight"), facts.get("allowed")
    if isinstance(in_flight, int) and isinstance(allowed, int) and in_flight > allowed:
        return f"in flight: {plural(in_flight, 'request')}; no new one until fewer than {allowed:,}, the present limit, are left"
    return f"in flight: {_figure(facts, 'in_flight')} of {_figure(facts, 'allowed')} requests"


def _waits(facts: Mapping[str, JsonValue]) -> list[str]:
    """Return a line for each model that waits: until when, in local time, and why."""
    lines = []
    waiting = facts.get("waiting")
    for wait in waiting if isinstance(waiting, list) else ():
        if isinstance(wait, Mapping):
            with contextlib.suppress(ValueError):
                ends = until(datetime.fromisoformat(str(wait.get("until"))).timestamp())
                lines.append(f"waiting: model {str(wait.get('model'))!r}, until {ends}: {wait.get('reason')}")
    return lines


def _speed(facts: Mapping[str, JsonValue]) -> list[str]:
    lines = []
    if "requests_per_s" in facts:
        lines.append(f"speed: {_figure(facts, 'requests_per_s')} requests/s, {_figure(facts, 'tokens_per_s')} tokens/s")
    if "in_flight" in facts:
        lines.append(_in_flight(facts))
    if "seconds_left" in facts:
        left = facts["seconds_left"]
        lines.append(f"time left: {span(left) if isinstance(left, int | float) else 'unknown'}")
    return lines


def _spent(facts: Mapping[str, JsonValue]) -> list[str]:
    lines = []
    usd, left = facts.get("usd"), facts.get("usd_left")
    if isinstance(usd, int | float):
        limit = f"{money(left)} left of the limit" if isinstance(left, int | float) else "no limit"
        lines.append(f"spent: {money(usd)}, {limit}")
    if errors := _section(facts, "errors"):
        counts = {label: count for label, count in errors.items() if isinstance(count, int)}
        lines.append(f"tries that failed: {failures_in_words(counts)}")
    return lines


def _section(content: Mapping[str, JsonValue], key: str) -> Mapping[str, JsonValue]:
    section = content.get(key)
    return section if isinstance(section, Mapping) else {}


def _figure(content: Mapping[str, JsonValue], key: str) -> str:
    value = content.get(key)
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else "?"
