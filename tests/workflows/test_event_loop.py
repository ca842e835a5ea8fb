"""A job runs beside an event loop, and Ctrl-C reaches it there."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from curator.workflows.event_loop import run_coroutine, run_job


async def answer() -> int:
    await asyncio.sleep(0)
    return 42


def test_a_job_runs_here_where_no_loop_runs() -> None:
    assert run_job(lambda: (threading.get_ident(), run_coroutine(answer()))) == (threading.get_ident(), 42)


async def test_a_job_runs_in_a_thread_beside_a_loop() -> None:
    thread, value = run_job(lambda: (threading.get_ident(), run_coroutine(answer())))
    assert thread != threading.get_ident()
    assert value == 42


async def test_an_error_of_the_job_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        run_job(lambda: 1 // 0)


async def test_ctrl_c_beside_an_event_loop_ends_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook's interrupt comes to the thread that waits."""
    asking, ended = threading.Event(), threading.Event()

    async def ask() -> None:
        asking.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    def interrupted(self: Any, timeout: float | None = None) -> None:
        assert asking.wait(30)
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_job(lambda: run_coroutine(ask()))
    assert ended.is_set()


async def test_ctrl_c_after_the_asking_ends_the_job_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop is closed by then, while the job still writes its files."""
    asked, finished = threading.Event(), threading.Event()

    def job() -> None:
        run_coroutine(answer())
        asked.set()
        finished.set()

    def interrupted(self: Any, timeout: float | None = None) -> None:
        assert asked.wait(30)
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_job(job)
    assert finished.is_set()
