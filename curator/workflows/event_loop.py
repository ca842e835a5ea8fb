"""Run a job also where an event loop is running, as in a notebook or a web server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class _Worker(threading.local):
    """The interruption of this thread's job; None in threads that `run_job` did not start."""

    interruption: Interruption | None = None


class Interruption:
    """Passes Ctrl-C from the thread that waits for a job to the event loop of the job."""

    def __init__(self) -> None:
        self.raised = False
        self._task: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None

    def watch(self, task: asyncio.Task[Any]) -> None:
        """Cancel this task on an interruption; at once if there was one."""
        self._task = task.get_loop(), task
        if self.raised:
            task.cancel()

    def interrupt(self) -> None:
        """Cancel the task, from another thread."""
        self.raised = True
        if self._task is not None:
            loop, task = self._task
            with suppress(RuntimeError):  # the loop has ended since, and with it the task
                loop.call_soon_threadsafe(task.cancel)


_worker = _Worker()


def run_job(job: Callable[[], T]) -> T:
    """Run a job in this thread, or in another one if this thread runs an event loop.

    Ctrl-C in the waiting thread ends the job as it would end it here: the answers in flight are stored first.
    """
    if not _has_running_loop():
        return job()
    interruption = Interruption()

    def work() -> T:
        _worker.interruption = interruption
        return job()

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="curator") as pool:
        future = pool.submit(work)
        try:
            return future.result()
        except KeyboardInterrupt:
            interruption.interrupt()
            raise


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a new event loop of this thread, which runs none.

    Raises:
        KeyboardInterrupt: the thread that waits for the job was interrupted.
    """
    interruption = _worker.interruption
    if interruption is None:
        return asyncio.run(coroutine)

    async def watched() -> T:
        task = asyncio.current_task()
        if task is not None:
            interruption.watch(task)
        return await coroutine

    try:
        return asyncio.run(watched())
    except asyncio.CancelledError:
        if interruption.raised:
            raise KeyboardInterrupt from None
        raise


def _has_running_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
