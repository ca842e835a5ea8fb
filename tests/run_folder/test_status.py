"""`status.json`: what a run writes of itself, and what somebody else reads there."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from curator.errors import BudgetReached, ConfigError
from curator.io.atomic import run_lock
from curator.progress import Silent, until
from curator.records import JsonValue
from curator.run_folder import status
from curator.run_folder.status import StatusFile, newest_run, read_status

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FACTS = {
    "sent": 12, "from_store": 3, "failed": 1, "in_flight": 4, "allowed": 16, "requests_per_s": 2.5,
    "tokens_per_s": 1234.0, "usd": 0.5, "usd_left": 4.5, "errors": {"ambiguous": 2, "429": 7}, "seconds_left": 200,
}  # fmt: skip


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


class Told(Silent):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        self.calls.append(("start", stage, total, unit))

    def advance(self, count: int = 1, *, note: str = "", facts: Any = None) -> None:
        self.calls.append(("advance", count, note, facts))

    def finish(self, note: str = "") -> None:
        self.calls.append(("finish", note))


def written(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "status.json").read_text())
    return content


def test_everything_is_passed_on(tmp_path: Path) -> None:
    told = Told()
    with StatusFile(tmp_path, told) as progress:
        progress.start("ask", total=9, unit="answers")
        progress.advance(2, note="busy", facts=FACTS)
        progress.finish("done")
    assert told.calls == [("start", "ask", 9, "answers"), ("advance", 2, "busy", FACTS), ("finish", "done")]


def test_it_is_written_at_most_once_a_second_and_at_the_ends_of_a_stage(tmp_path: Path) -> None:
    clock = Clock()
    with StatusFile(tmp_path, Silent(), clock=clock, now=lambda: NOW) as progress:
        assert (written(tmp_path)["state"], written(tmp_path)["stage"]) == ("running", "")
        progress.start("ask", total=9, unit="answers")
        clock.now += 0.9
        progress.advance(2, note="busy", facts=FACTS)
        assert written(tmp_path)["done"] == 0
        clock.now += 0.2
        progress.advance(3)
        assert written(tmp_path) == {
            "state": "running", "pid": os.getpid(), "started": "2026-03-04T05:06:07.000+00:00",
            "updated": "2026-03-04T05:06:07.000+00:00", "stage": "ask", "done": 5, "total": 9, "unit": "answers",
            "note": "busy", "facts": FACTS,
        }  # fmt: skip
        progress.advance(4)
        progress.finish("done")
        assert (written(tmp_path)["done"], written(tmp_path)["note"]) == (9, "done")


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (None, "finished", None),
        (KeyboardInterrupt(), "interrupted", None),
        (
            BudgetReached("`budget.max_usd: 1` is used up", remedy="raise it"),
            "failed",
            "`budget.max_usd: 1` is used up",
        ),
        (RuntimeError("Bearer canary-8"), "failed", "RuntimeError"),
    ],
    ids=["finished", "interrupted", "budget", "unexpected"],
)
def test_the_end_is_told(error: BaseException | None, state: str, words: str | None, tmp_path: Path) -> None:
    def work() -> None:
        with StatusFile(tmp_path, Silent()):
            if error is not None:
                raise error

    if error is None:
        work()
    else:
        with pytest.raises(type(error)):
            work()
    assert (written(tmp_path)["state"], written(tmp_path).get("error")) == (state, words)
    assert "canary" not in (tmp_path / "status.json").read_text()


def test_a_full_disk_does_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Path] = []

    def full(path: Path, content: bytes) -> None:
        tried.append(path)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(status, "write_unsynced", full)
    told = Told()
    with StatusFile(tmp_path, told) as progress:
        progress.start("ask", total=None, unit="answers")
    assert told.calls == [("start", "ask", None, "answers")]
    assert len(tried) == 3


def test_a_reader_never_sees_a_part(tmp_path: Path) -> None:
    with StatusFile(tmp_path, Silent()) as progress:
        progress.start("ask", total=None, unit="answers")
        with (tmp_path / "status.json").open() as before:
            progress.finish("a longer note")
            assert json.load(before)["note"] == ""
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def sampling(folder: Path) -> None:
    """Leave what a run writes in the middle of its work."""
    progress = StatusFile(folder, Silent(), now=lambda: NOW)
    progress.start("ask", total=1600, unit="answers")
    progress.advance(400, note="busy", facts=FACTS)
    progress._write("running")


def test_requests_above_a_limit_that_fell_are_explained(tmp_path: Path) -> None:
    with run_lock(tmp_path):
        progress = StatusFile(tmp_path, Silent())
        progress.start("ask", total=1600, unit="answers")
        progress.advance(400, facts={**FACTS, "in_flight": 15, "allowed": 12})
        progress._write("running")
        lines = read_status(tmp_path).to_text().splitlines()
    assert "in flight: 15 requests; no new one until fewer than 12, the present limit, are left" in lines


def test_a_run_that_works_is_shown_with_speed_money_and_errors(tmp_path: Path) -> None:
    with run_lock(tmp_path):
        sampling(tmp_path)
        found = read_status(tmp_path, now=NOW + timedelta(seconds=61))
    assert found.to_text().splitlines() == [
        f"{tmp_path}: running (process {os.getpid()})",
        "ask: 400 of 1,600 answers (busy)",
        "speed: 2.5 requests/s, 1,234.0 tokens/s",
        "in flight: 4 of 16 requests",
        "time left: 3 min 20 s",
        "spent: $0.50, $4.50 left of the limit",
        "tries that failed: 7 refused by a rate limit (429); 2 without an answer (timed out or cut off)",
        "as of 1 min 1 s ago",
    ]
    shown = found.to_dict()
    assert (shown["state"], shown["age_s"], shown["facts"]) == ("running", 61.0, FACTS)


def test_a_wait_is_shown_with_its_reason_and_its_end(tmp_path: Path) -> None:
    ends = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)
    wait: dict[str, JsonValue] = {"model": "m", "reason": "429 slow down", "seconds": 60.0, "until": ends.isoformat()}
    with run_lock(tmp_path):
        progress = StatusFile(tmp_path, Silent())
        progress.start("ask", total=9, unit="answers")
        progress.advance(0, facts={**FACTS, "waiting": [wait, "damaged", {"until": "soon"}]})
        progress._write("running")
        lines = read_status(tmp_path).to_text().splitlines()
    assert [line for line in lines if "waiting" in line] == [
        f"waiting: model 'm', until {until(ends.timestamp())}: 429 slow down"
    ]


def test_what_is_not_known_is_said_to_be(tmp_path: Path) -> None:
    with run_lock(tmp_path), StatusFile(tmp_path, Silent()) as progress:
        progress.start("ask", total=None, unit="answers")
        progress.advance(facts=FACTS | {"usd_left": None, "seconds_left": None, "errors": {}})
        progress.finish()
        said = read_status(tmp_path).to_text()
    assert "time left: unknown" in said
    assert "spent: $0.50, no limit" in said
    assert "failed" not in said


def test_a_killed_run_is_told_from_one_that_works(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom curator.io.atomic import run_lock\n"
        "from curator.progress import Silent\nfrom curator.run_folder.status import StatusFile\n"
        "folder = Path(sys.argv[1])\n"
        "with run_lock(folder), StatusFile(folder, Silent()):\n    print('up', flush=True)\n    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "up\n"
    assert read_status(tmp_path).state == "running"
    process.kill()
    process.wait(10)
    process.stdout.close()
    process.stdin.close()
    found = read_status(tmp_path)
    assert found.to_dict()["state"] == "stopped"
    assert "stopped (killed?); the same command goes on from there" in found.to_text()


def test_where_the_lock_cannot_be_tried_the_process_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(folder: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(status, "is_locked", forbidden)
    sampling(tmp_path)
    assert read_status(tmp_path).state == "running"
    content = written(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "status.json").write_text(json.dumps(content | {"pid": gone.pid}))
    assert read_status(tmp_path).state == "stopped"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"state": "running"}', '{"state": "x", "updated": "2026-01-01"}'])
def test_a_damaged_status_has_a_remedy(content: str, tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text(content)
    with pytest.raises(ConfigError, match=r"status\.json"):
        read_status(tmp_path)


def test_a_folder_without_status_has_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the status cannot be read"):
        read_status(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="curator status RUN"):
        newest_run(tmp_path / "runs")


def test_the_newest_run_is_the_one_that_wrote_last(tmp_path: Path) -> None:
    for age, name in enumerate(("b", "a", "c")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "status.json").touch()
        os.utime(tmp_path / name / "status.json", (1e9 - age, 1e9 - age))
    os.utime(tmp_path / "a" / "status.json", (2e9, 2e9))
    assert newest_run(tmp_path) == tmp_path / "a"
