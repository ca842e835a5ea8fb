"""Part of `chaos.py`: kills and interrupts at random moments, and their cost.

Money is counted by the mock's record and answers by the rows of the store, never by what the engine says of itself.
"""

from __future__ import annotations

import functools
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from benchmarks.common.harness import Billed, Check, MockServer, mock_server, planned_calls
from benchmarks.common.mock_server import AMBIGUOUS, identity_of
from benchmarks.engine.child import ChildJob

FAULTS = {"rate_429": 0.10, "rate_500": 0.05, "rate_hang": 0.02, "rate_truncate": 0.02, "rate_invalid": 0.01}
LATENCY_MS = 8.0
_CHILD = Path(__file__).with_name("child.py")
_SETTLE_S = 0.03  # what a dead client had sent is read by the mock within this time
_POLL_S = 0.003
_ENOUGH_RUNS = 40  # runs without an interruption: each one asks again what failed for good before

Rows = dict[bytes, tuple[object, ...]]
"""The rows of a store by their key."""


@dataclass(frozen=True)
class Storm:
    """The number of requests, and the number and kind of interruptions."""

    times: int
    requests: int
    in_flight: int = 50
    timeout_s: float = 0.3
    nap_share: float = 0.02
    seed: int = 0

    def job(self, mock: MockServer, folder: Path) -> ChildJob:
        """Return the work of the child, with its files in `folder`."""
        folder.mkdir()
        store, out = str(folder / "store.sqlite"), str(folder / "answers.jsonl")
        return ChildJob(mock.base_url, store, out, self.requests, self.in_flight, self.timeout_s, self.nap_share)


@dataclass
class Toll:
    """Counts of a storm, run by run: a run ends with an interruption, or by itself."""

    landed: int = 0
    exit_codes: Counter[int] = field(default_factory=Counter)
    rows_lost: int = 0
    asked_again: int = 0
    unstored: list[int] = field(default_factory=list)
    most_unsure: int = 0
    billed: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def paid_twice(self) -> int:
        """Whole answers to requests that had a whole answer already."""
        return sum(count - 1 for (_, outcome), count in self.billed.items() if outcome == "ok")

    @property
    def unsure(self) -> int:
        """Billings without a whole answer: the faults, whose questions have to be asked again."""
        return sum(count for (_, outcome), count in self.billed.items() if outcome in AMBIGUOUS)

    def count(self, entries: Iterable[Billed], *, before: Rows, after: Rows, keys: Mapping[str, bytes]) -> None:
        """Add a run's part of the mock's record.

        `before` and `after` are the store's rows around it.
        """
        unsure: Counter[str] = Counter()
        unstored = 0
        for entry in entries:
            key = keys[entry.identity]
            self.billed[entry.identity, entry.outcome] += 1
            self.asked_again += key in before
            unstored += entry.outcome == "ok" and key not in after
            unsure[entry.identity] += entry.outcome in AMBIGUOUS
        self.unstored.append(unstored)
        self.most_unsure = max(self.most_unsure, *unsure.values(), 0)


def kills(storm: Storm) -> list[Check]:
    """SIGKILL at random moments, until nothing is left to ask."""
    toll, same, sound = weather(storm, lambda child: child.kill())
    return [
        Check("kills that met a running child", toll.landed),
        Check("committed rows lost", toll.rows_lost, 0),
        Check("committed keys asked again", toll.asked_again, 0),
        Check("answers paid twice, all kills", toll.paid_twice),
        Check("answers paid twice per kill, mean", toll.paid_twice / max(toll.landed, 1), storm.in_flight),
        Check("answers paid and not stored at a kill, maximum", max(toll.unstored), storm.in_flight),
        *_fault_counts(toll),
        Check("outputs that differ from those of an unkilled run", int(not same), 0),
        Check("stores that fail SQLite's integrity check", int(not sound), 0),
    ]


def interrupts(storm: Storm) -> list[Check]:
    """SIGINT at random moments, until nothing is left to ask."""
    toll, same, sound = weather(storm, lambda child: child.send_signal(signal.SIGINT))
    odd = toll.exit_codes.total() - toll.exit_codes[0] - toll.exit_codes[130]
    return [
        Check("interrupts that met a running child", toll.landed),
        Check("ended with 130", toll.exit_codes[130]),
        Check("ended with anything but 130, or 0 when done", odd, 0),
        Check("committed rows lost", toll.rows_lost, 0),
        Check("committed keys asked again", toll.asked_again, 0),
        Check("answers paid twice", toll.paid_twice, 0),
        Check("answers paid and not stored at an interrupt, maximum", max(toll.unstored), 0),
        *_fault_counts(toll),
        Check("outputs that differ from those of an undisturbed run", int(not same), 0),
        Check("stores that fail SQLite's integrity check", int(not sound), 0),
    ]


def _fault_counts(toll: Toll) -> list[Check]:
    """Return the counts that the faults explain."""
    return [
        Check("billed without an answer (hang, truncated, no JSON)", toll.unsure),
        Check("such billings of one request in one run, maximum", toll.most_unsure, 2),
    ]


def weather(storm: Storm, end: Callable[[subprocess.Popen[bytes]], None]) -> tuple[Toll, bool, bool]:
    """Run a storm; return its toll, whether its answers are right, and whether the store is.

    Right answers are those of a run without faults and interruptions.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with mock_server(latency_ms=LATENCY_MS, seed=storm.seed, **FAULTS) as mock:
            job = storm.job(mock, folder / "storm")
            toll = _go_through(storm, mock, job, end)
        same = Path(job.out).read_bytes() == quiet_answers(storm.requests)
        with closing(sqlite3.connect(job.store)) as store:
            sound = store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return toll, same, sound


@functools.cache
def quiet_answers(requests: int) -> bytes:
    """Return the answers of a run without faults and interruptions."""
    with tempfile.TemporaryDirectory() as folder, mock_server(latency_ms=LATENCY_MS) as mock:
        job = Storm(0, requests, timeout_s=30.0).job(mock, Path(folder) / "quiet")
        with running(job) as child:
            finish(child)
        return Path(job.out).read_bytes()


def _go_through(storm: Storm, mock: MockServer, job: ChildJob, end: Callable[[subprocess.Popen[bytes]], None]) -> Toll:
    """Start the child and end it at a random moment, again and again, and then let it finish."""
    chance = random.Random(storm.seed)
    keys = {identity_of(c.request.body()): bytes.fromhex(c.request.key) for c in planned_calls(storm.requests)}
    toll, rows, position, quiet_runs = Toll(), Rows(), 0, 0
    while quiet_runs < _ENOUGH_RUNS:
        with running(job) as child:
            seen = None
            if toll.landed < storm.times:
                share = (storm.requests - len(rows)) / (storm.times - toll.landed + 1)
                if _wait(child, mock, position + chance.uniform(0.0, 2 * share), chance):
                    seen = rows_in(job.store)
                    end(child)
            answered = finish(child)
        if answered is None and seen is None:
            raise SystemExit(f"the child failed with {child.returncode}")
        time.sleep(_SETTLE_S)
        after = rows_left(job.store)
        toll.exit_codes[child.returncode] += 1
        toll.landed += seen is not None
        toll.rows_lost += sum(after.get(key) != row for key, row in {**rows, **(seen or {})}.items())
        entries = mock.log(position)
        toll.count(entries, before=rows, after=after, keys=keys)
        rows, position = after, position + len(entries)
        if answered is not None and answered["failed"] == 0:
            return toll
        quiet_runs += seen is None
    raise SystemExit(f"not done after {_ENOUGH_RUNS} runs without an interruption")


def _wait(child: subprocess.Popen[bytes], mock: MockServer, goal: float, chance: random.Random) -> bool:
    """Wait until the mock has `goal` requests; return whether the child still works then."""
    while child.poll() is None and mock.count() < goal:
        time.sleep(_POLL_S)
    time.sleep(chance.uniform(0.0, 2 * LATENCY_MS / 1000))
    return child.poll() is None


@contextmanager
def running(job: ChildJob) -> Iterator[subprocess.Popen[bytes]]:
    """A child that handles signals already; it does not outlive the context."""
    command = [sys.executable, str(_CHILD), orjson.dumps(asdict(job)).decode()]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603
    assert child.stdout is not None  # noqa: S101  it is a pipe
    try:
        child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def finish(child: subprocess.Popen[bytes]) -> dict[str, int] | None:
    """Wait for the child and return its report; None if it did not finish."""
    output, _ = child.communicate()
    if child.returncode != 0:
        return None
    result: dict[str, int] = orjson.loads(output)
    return result


def rows_left(store: str) -> Rows:
    """Return the rows that a dead child left, from a copy of the store.

    Opening the file itself would do the next child's recovery for it.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "store.sqlite"
        for suffix in ("", "-wal"):
            if Path(store + suffix).exists():
                shutil.copy(store + suffix, f"{copy}{suffix}")
        return rows_in(str(copy))


def rows_in(store: str) -> Rows:
    """The committed rows of a store; none where it is not made yet."""
    if not Path(store).exists():
        return {}
    with closing(sqlite3.connect(store, timeout=30)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'generation'").fetchone():
            return {}
        rows = connection.execute("SELECT key, text, finish_reason, cost_usd, created_at FROM generation")
        return {row[0]: row[1:] for row in rows}
