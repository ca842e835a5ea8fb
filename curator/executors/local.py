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
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.context import BaseContext
from threading import Thread
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

    With one process everything happens in this one. Functions, items and results are pickled otherwise. Workers are copies of a
    fresh interpreter, not of this process: that would copy the locks of whatever threads the caller has.
    """

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def map_ordered(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Map a function over items; the results are in order.

        Only a few items are read ahead of the results. While the processes start, about half a second, this one does the work.

        Raises:
            UserError: a worker was killed, as by the system when memory runs out.
        """
        if self.processes <= 1:
            yield from map(function, items)
            return
        rest = iter(items)
        try:
            if self._pool is None:
                context = _context(function.__module__)
                self._pool = ProcessPoolExecutor(self.processes, mp_context=context, initializer=_begin)
                # The first task starts the processes, which takes as long as their imports.
                starting = Thread(target=self._pool.submit, args=(os.getpid,))
                starting.start()
                for item in rest:
                    yield function(item)
                    if not starting.is_alive():
                        break
            yield from _through(self._pool, function, rest, ahead=AHEAD * self.processes)
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


def _context(module: str) -> BaseContext:
    """The way to start processes: as copies of one interpreter that imported the module.

    Where the system cannot copy a process, each is an interpreter of its own.
    """
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


def _begin() -> None:
    """Prepare a worker, which ends with its parent.

    It ignores Ctrl-C, which reaches every process of the terminal.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for a parent that is killed: the queue of a worker never ends by itself."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
