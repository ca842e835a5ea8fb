"""Progress of a sampling run: note, figures for machines, and speed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from curator.committee.budget import Budget
from curator.committee.clock import Clock
from curator.committee.dispatcher import Dispatcher
from curator.committee.engine_context import Tally
from curator.committee.waits import Wait
from curator.progress import Facts, Progress
from curator.text.display import money
from curator.text.failures import failures_in_words

_SHOW_EVERY_S = 0.1


@dataclass(slots=True)
class Speed:
    """Growth rate of a count over the last seconds."""

    span_s: float = 10.0
    _points: list[tuple[float, int]] | None = None

    def per_s(self, count: int, now: float) -> float:
        """Return the growth of `count` per second; call it a few times a second."""
        points = self._points = [p for p in self._points or [] if now - p[0] <= self.span_s] + [(now, count)]
        elapsed = now - points[0][0]
        return (count - points[0][1]) / elapsed if elapsed > 0 else 0.0


class RunProgress:
    """Shows the progress of one run a few times a second.

    `elsewhere` counts the calls that another process is asking.
    """

    def __init__(self, progress: Progress, tally: Tally, budget: Budget, clock: Clock, *, total: int | None) -> None:
        self._progress = progress
        self._tally = tally
        self._budget = budget
        self._clock = clock
        self._total = total
        self.elsewhere = 0
        self._shown = self._unshown = 0
        self._shown_at = clock.monotonic()
        self._requests, self._tokens, self._answers = Speed(), Speed(), Speed()
        progress.start("ask", total=total, unit="answers")

    def count(self, dispatchers: Iterable[Dispatcher]) -> None:
        """Count one more delivered answer."""
        self._unshown += 1
        if self._clock.monotonic() - self._shown_at >= _SHOW_EVERY_S:
            self.show(dispatchers)

    def show(self, dispatchers: Iterable[Dispatcher]) -> None:
        """Move the bar by the answers that were counted since it moved last."""
        dispatchers = list(dispatchers)
        waits = [wait for dispatcher in dispatchers if (wait := dispatcher.wait()) is not None]
        self._shown += self._unshown
        self._progress.advance(self._unshown, note=self.note(waits), facts=self._facts(dispatchers, waits))
        self._unshown, self._shown_at = 0, self._clock.monotonic()

    def finish(self) -> None:
        """End the stage."""
        self._progress.finish(self.note())

    def note(self, waits: Sequence[Wait] = ()) -> str:
        """Return the text beside the bar, with the waits first."""
        tally, ledger = self._tally, self._budget.ledger
        parts = [f"{tally.sent:,} sent", f"{tally.from_store:,} stored before", money(ledger.usd)]
        if tally.errors:
            parts.insert(2, f"{tally.failed:,} failed")
            parts.append(f"failed tries: {failures_in_words(tally.errors)}")
        if tally.not_asked:
            parts.append(f"{tally.not_asked:,} not asked (refused before or too long)")
        if self.elsewhere:
            parts.append(f"{self.elsewhere:,} asked by another process")
        now = self._clock.now()
        return "; ".join([*(wait.in_words(now) for wait in waits), ", ".join(parts)])

    def _facts(self, dispatchers: Sequence[Dispatcher], waits: Sequence[Wait]) -> Facts:
        """Return the figures for machines."""
        tally, ledger, now = self._tally, self._budget.ledger, self._clock.monotonic()
        answers_per_s = self._answers.per_s(self._shown, now)
        left = None if self._total is None or not answers_per_s else (self._total - self._shown) / answers_per_s
        return {
            "sent": tally.sent,
            "from_store": tally.from_store,
            "failed": tally.failed,
            "in_flight": sum(dispatcher.in_flight for dispatcher in dispatchers),
            "allowed": sum(dispatcher.allowed for dispatcher in dispatchers),
            "requests_per_s": round(self._requests.per_s(tally.sent, now), 2),
            "tokens_per_s": round(self._tokens.per_s(tally.input_tokens + tally.output_tokens, now), 2),
            "usd": ledger.usd,
            "usd_left": self._budget.usd_left,
            "errors": dict(tally.errors),
            "not_asked": tally.not_asked,
            "waiting": [wait.facts(self._clock.now()) for wait in waits],
            "seconds_left": None if left is None else round(left, 1),
        }
