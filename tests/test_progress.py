"""What is shown while a run works: events for machines, lines and bars for people."""

from __future__ import annotations

import io
import json
import time
from typing import Any

from curator.progress import Bars, Events, Lines, until


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_events_come_at_most_once_a_second_and_always_at_the_ends() -> None:
    stream, clock = io.StringIO(), Clock()
    shown = Events(stream, clock=clock)
    shown.start("ask", total=50, unit="answers")
    for _ in range(50):  # 2.5 seconds
        clock.now += 0.05
        shown.advance(note="busy", facts={"sent": 1})
    shown.finish("done")
    found = events(stream)
    assert [e["event"] for e in found] == ["start", "progress", "progress", "finish"]
    assert 1.0 <= found[1]["elapsed_s"] < 1.1
    assert [e["done"] for e in found[::3]] == [0, 50]
    assert found[-1] == {
        "event": "finish", "stage": "ask", "done": 50, "total": 50, "unit": "answers", "note": "done",
        "elapsed_s": 2.5, "facts": {"sent": 1},
    }  # fmt: skip


def test_the_time_between_events_is_an_argument() -> None:
    stream, clock = io.StringIO(), Clock()
    shown = Events(stream, every_s=0, clock=clock)
    shown.start("ask", total=None, unit="answers")
    shown.advance(3)
    shown.advance(4)
    assert [e["done"] for e in events(stream)] == [0, 3, 7]


def test_a_stage_does_not_repeat_the_facts_of_the_one_before() -> None:
    stream = io.StringIO()
    shown = Events(stream, every_s=0)
    shown.start("ask", total=None, unit="answers")
    shown.advance(facts={"usd": 1.5})
    shown.advance()
    shown.start("embed", total=None, unit="cases")
    shown.finish()
    assert [e["facts"] for e in events(stream)] == [{}, {"usd": 1.5}, {"usd": 1.5}, {}, {}]


def test_an_event_is_one_line_whatever_the_note_says() -> None:
    stream = io.StringIO()
    Events(stream).finish("two\nlines, \ud800 and ü")
    assert len(stream.getvalue().splitlines()) == 1
    assert stream.getvalue().isascii()


def test_lines_show_the_note_and_not_the_facts() -> None:
    stream, clock = io.StringIO(), Clock()
    shown = Lines(stream, clock=clock)
    shown.start("ask", total=200, unit="answers")
    clock.now += 10
    shown.advance(100, note="3 failed", facts={"failed": 99})
    assert stream.getvalue() == "ask      100 of 200 answers, 10.0/s, 10 s left, 3 failed\n"


def test_lines_show_a_wait_when_it_begins() -> None:
    stream, clock = io.StringIO(), Clock()
    shown = Lines(stream, clock=clock)
    shown.start("ask", total=None, unit="answers")
    for _ in range(5):
        clock.now += 1
        shown.advance(0, note="'m' waits 60 s", facts={"waiting": [{"model": "m"}]})
    assert stream.getvalue() == "ask      0 answers, 0.0/s, 'm' waits 60 s\n"


def test_a_time_of_another_day_has_its_day() -> None:
    assert len(until(time.time())) == len("14:05:09")
    assert "(" in until(time.time() + 3 * 86_400)


def test_bars_leave_the_terminal_alone_while_they_are_paused() -> None:
    stream = io.StringIO()
    with Bars(stream) as bars:
        bars.start("read", total=None, unit="records")
        bars.finish("all of it")
        bars.start("plan", total=10, unit="calls")
        with bars.paused():
            assert not bars._bars.live.is_started
            bars.advance(5)
        assert bars._bars.live.is_started
        bars.finish("planned")
        assert [task.fields["stage"] for task in bars._bars.tasks] == ["plan"]
