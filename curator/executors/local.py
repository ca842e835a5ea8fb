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


class Workers:
    """Worker processes, started at the first use; several maps one after the other share them.

    With one process everything happens in this one. Functions, items and results are pickled otherwise. Workers are fresh
    interpreters: a fork would copy the locks of whatever threads the caller has.
    """

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def map_ordered(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Map a function over items; the results are in order.

        Only a few items are read ahead of the results.

        Raises:
            UserError: a worker was killed, as by the system when memory runs out.
        """
        if self.processes <= 1:
            yield from map(function, items)
            return
        if self._pool is None:
            context = get_context("spawn")
            self._pool = ProcessPoolExecutor(self.processes, mp_context=context, initializer=_leave_interrupts)
        try:
            yield from _through(self._pool, function, items, ahead=AHEAD * self.processes)
        except BrokenProcessPool as error:
            remedy = "free some memory, or use fewer with --jobs 1"
            raise UserError("a worker process was killed", remedy=remedy) from error

    def close(self) -> None:
        """End the processes; what they had not begun is left out."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def map_ordered(function: Callable[[T], R], items: Iterable[T], *, processes: int) -> Iterator[R]:
    """Map a function over items in `Workers` of its own.

    Raises:
        UserError: a worker was killed, as by the system when memory runs out.
    """
    workers = Workers(processes)
    try:
        yield from workers.map_ordered(function, items)
    finally:
        workers.close()


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
