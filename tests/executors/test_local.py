from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import chain, repeat
from multiprocessing import parent_process
from pathlib import Path

import pytest

from curator.errors import UserError
from curator.executors.local import AHEAD, cores, map_ordered


def square(x: int) -> int:
    return x * x


def who(_: int) -> int:
    time.sleep(0.02)
    return os.getpid()


def die(parent: int) -> int:
    time.sleep(0.02)
    if parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return parent


def refuse(x: int) -> int:
    if x == 3:
        raise ValueError(f"no {x}")
    return x


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_items(processes: int) -> None:
    assert list(map_ordered(square, range(50), processes=processes)) == [x * x for x in range(50)]


def test_the_work_is_done_in_other_processes_when_they_have_started() -> None:
    processes = list(map_ordered(who, range(200), processes=2))
    assert processes[0] == os.getpid()
    assert os.getpid() not in processes[-20:]
    assert set(map_ordered(who, range(20), processes=1)) == {os.getpid()}


def test_items_are_read_only_a_little_ahead_of_the_results() -> None:
    read = 0

    def items() -> Iterator[int]:
        nonlocal read
        for i in range(1000):
            read += 1
            yield i

    results = map_ordered(who, items(), processes=2)
    for count, process in enumerate(results, 1):
        assert read <= count + 2 * AHEAD
        if process != os.getpid():
            break
    assert read > count
    results.close()  # type: ignore[attr-defined]
    assert read <= count + 2 * AHEAD


def test_a_worker_that_is_killed_is_told_with_a_remedy() -> None:
    results = map_ordered(die, chain([os.getpid()], repeat(0)), processes=2)
    assert next(results) == os.getpid()
    with pytest.raises(UserError, match="--jobs 1"):
        list(results)


def test_workers_end_with_a_parent_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, env=os.environ) as parent:
        assert parent.stdout is not None
        worker = Path("/proc") / parent.stdout.readline().decode().strip()
        assert worker.is_dir()
        parent.kill()
    for _ in range(100):
        if not worker.is_dir() or (worker / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the worker is still there")


def test_what_the_function_raises_passes_through() -> None:
    with pytest.raises(ValueError, match="no 3"):
        list(map_ordered(refuse, range(9), processes=2))


def test_there_is_at_least_one_core() -> None:
    assert cores() >= 1


if __name__ == "__main__":
    for process in map_ordered(who, repeat(0), processes=2):
        if process != os.getpid():
            print(process, flush=True)  # noqa: T201  the test reads it
