"""`status.json` in a run folder: what a run says of itself while it works, for those who look on from elsewhere."""

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
from curator.progress import Facts, Progress, span
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
    """A progress that passes everything on to another one, and keeps `status.json` up to date; a context manager.

    The file is written when a stage begins and ends, at most once a second in between, and when the run is over: its
    state is then `finished`, `interrupted` or `failed`. `facts` are the last ones that any stage gave. A file that cannot
    be written never disturbs the run: a full disk is told by what matters more.
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
        """A stage begins."""
        self._stage, self._total, self._unit, self._done, self._note = stage, total, unit, 0, ""
        self._write("running")
        self._inner.start(stage, total=total, unit=unit)

    def advance(self, count: int = 1, *, note: str = "", facts: Facts | None = None) -> None:
        """`count` more units are done."""
        self._done += count
        self._note = note or self._note
        if facts is not None:
            self._facts = facts
        if self._clock() - self._written >= WRITE_EVERY_S:
            self._write("running")
        self._inner.advance(count, note=note, facts=facts)

    def finish(self, note: str = "") -> None:
        """The stage is over."""
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
    """What went wrong. Only our own errors are known to repeat no secret: of another one there is its name alone."""
    return error.what if isinstance(error, UserError) else type(error).__name__


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Status(Result):
    """What is known of a run: the content of its `status.json`, and whether the process that wrote it is still there.

    `age_s` is how old the information is, in seconds.
    """

    folder: Path
    content: Mapping[str, JsonValue]
    age_s: float
    stopped: bool

    @property
    def state(self) -> str:
        """`running`, `finished`, `interrupted`, `failed`, or `stopped` where a run ended without saying so."""
        return "stopped" if self.stopped else str(self.content["state"])

    def to_dict(self) -> dict[str, JsonValue]:
        """Everything for machines."""
        return {"folder": str(self.folder), **self.content, "state": self.state, "age_s": round(self.age_s, 1)}

    def to_text(self) -> str:
        """Everything for people. Speed and time left are those of a run that is sampling."""
        content, facts = self.content, _section(self.content, "facts")
        total = content.get("total")
        of_total = f" of {total:,}" if isinstance(total, int) else ""
        note = f" ({content['note']})" if content.get("note") else ""
        lines = [f"{self.folder}: {self._state_in_words()}"]
        if content.get("stage"):
            lines.append(f"{content['stage']}: {_figure(content, 'done')}{of_total} {content.get('unit')}{note}")
        if self.state == "running" and content.get("stage") == "ask":
            lines += _speed(facts)
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
            return f"failed: {self.content.get('error', 'nobody knows why')}"
        return f"running (process {self.content.get('pid')})" if self.state == "running" else self.state


def read_status(folder: Path, *, now: datetime | None = None) -> Status:
    """The status of the run in a folder.

    Raises:
        ConfigError: no run has written one there, or it is damaged.
    """
    path = STATUS.of(folder)
    remedy = "name a folder in which `curator run` works or has worked (runs/NAME, or what `--out` said)"
    try:
        content = json.loads(path.read_bytes())
        updated = datetime.fromisoformat(content["updated"])
        age_s = max(0.0, ((now or _utc_now()) - updated).total_seconds())
        known = content["state"] in get_args(State)
    except OSError as error:
        raise ConfigError(f"{str(path)!r}: no status to read there ({error.strerror})", remedy=remedy) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{str(path)!r}: no status of a run ({error})", remedy=remedy) from error
    if not known:
        raise ConfigError(f"{str(path)!r}: {content['state']!r} is no state of a run", remedy=remedy)
    return Status(folder, content, age_s, stopped=content["state"] == "running" and not _alive(folder, content))


def newest_run(runs: Path) -> Path:
    """The folder in `runs` whose status was written last.

    Raises:
        ConfigError: there is none.
    """
    found = [path for path in runs.glob(f"*/{STATUS}") if path.is_file()]
    if not found:
        raise ConfigError(
            f"{str(runs)!r}: no run has written its status there", remedy="name the run folder: `curator status RUN`"
        )
    return max(found, key=lambda path: path.stat().st_mtime).parent


def _alive(folder: Path, content: Mapping[str, JsonValue]) -> bool:
    """Whether a run holds the folder; its process tells where the lock cannot be tried, as in another user's folder."""
    try:
        return is_locked(folder)
    except OSError:
        pid = content.get("pid")
        return isinstance(pid, int) and _exists(pid)


def _exists(pid: int) -> bool:
    if os.name == "nt":  # os.kill would end it there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is another user's
    return True


def _in_flight(facts: Mapping[str, JsonValue]) -> str:
    """Return the line on requests in flight. More than allowed are left over from before a refusal lowered the limit."""
    in_flight, allowed = facts.get("in_flight"), facts.get("allowed")
    if isinstance(in_flight, int) and isinstance(allowed, int) and in_flight > allowed:
        return f"in flight: {plural(in_flight, 'request')}; no new one until fewer than {allowed:,}, the present limit, are left"
    return f"in flight: {_figure(facts, 'in_flight')} of {_figure(facts, 'allowed')} requests"


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
    found = content.get(key)
    return found if isinstance(found, Mapping) else {}


def _figure(content: Mapping[str, JsonValue], key: str) -> str:
    value = content.get(key)
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else "?"
