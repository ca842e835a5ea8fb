"""Ordered map over worker processes, in constant memory.

It reads its input as it goes.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from curator.errors import UserError

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 4
"""Items per process that are submitted before their results are read."""


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_ordered(function: Callable[[T], R], items: Iterable[T], *, processes: int) -> Iterator[R]:
    """Map a function over items in worker processes; the results are in order.

    Only a few items are read ahead of the results.

    With one process everything happens in this one. `function`, items and results are pickled otherwise. Workers are
    fresh interpreters: a fork would copy the locks of whatever threads the caller has.

    Raises:
        UserError: a worker was killed, as by the system when memory runs out.
    """
    if processes <= 1:
        yield from map(function, items)
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_leave_interrupts)
    try:
        yield from _through(pool, function, items, ahead=AHEAD * processes)
    except BrokenProcessPool as error:
        raise UserError("a worker process was killed", remedy="free some memory, or use fewer with --jobs 1") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _through(pool: ProcessPoolExecutor, function: Callable[[T], R], items: Iterable[T], *, ahead: int) -> Iterator[R]:
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _leave_interrupts() -> None:
    """Ignore Ctrl-C, which reaches every process of the terminal: the parent ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
