from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from curator.errors import UserError
from curator.executors.local import AHEAD, cores, map_ordered


def square(x: int) -> int:
    return x * x


def who(_: int) -> int:
    return os.getpid()


def die(x: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return x


def refuse(x: int) -> int:
    if x == 3:
        raise ValueError(f"no {x}")
    return x


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_items(processes: int) -> None:
    assert list(map_ordered(square, range(50), processes=processes)) == [x * x for x in range(50)]


def test_the_work_is_done_in_other_processes_or_in_this_one() -> None:
    assert os.getpid() not in set(map_ordered(who, range(20), processes=2))
    assert set(map_ordered(who, range(20), processes=1)) == {os.getpid()}


def test_items_are_read_only_a_little_ahead_of_the_results() -> None:
    read = 0

    def items() -> Iterator[int]:
        nonlocal read
        for i in range(1000):
            read += 1
            yield i

    results = map_ordered(square, items(), processes=2)
    assert next(results) == 0
    assert read == 2 * AHEAD
    results.close()  # type: ignore[attr-defined]
    assert read == 2 * AHEAD


def test_a_worker_that_is_killed_is_told_with_a_remedy() -> None:
    with pytest.raises(UserError, match="--jobs 1"):
        list(map_ordered(die, range(4), processes=2))


def test_what_the_function_raises_passes_through() -> None:
    with pytest.raises(ValueError, match="no 3"):
        list(map_ordered(refuse, range(9), processes=2))


def test_there_is_at_least_one_core() -> None:
    assert cores() >= 1
