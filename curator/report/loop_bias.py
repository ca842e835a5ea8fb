"""Errors on random cases against errors on chosen ones: a check for confirmation bias.

A loop that labels only what its model doubts never sees an error that the model is sure of. The random slice of each round does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from curator.records.loop import LoopRound, SliceErrors
from curator.report.format import NO_DATA, count, percent, rate_cell
from curator.stats import rate
from curator.text.display import one_line

PERIOD_CASES = 30
"""Random cases behind a row of the table over rounds. A round draws about 8; the interval of 30 reaches 17 points to each side of 50%."""
MOST_TASKS = 30
TASK_LENGTH = 60

READING = (
    "The random slice is drawn from all cases that are left, so it shows the errors that the model makes where nothing was chosen. The"
    " chosen cases are those that the model doubts or that no label covers, so their error is higher by design. Where the random"
    " slice's error does not fall though that of the held-out set does, or where it rises in a task, the loop confirms what its model"
    " believes already: raise `loop.random_share`, and read the random cases of that task."
)


@dataclass(frozen=True, slots=True)
class Period:
    """Some rounds in a row, each with the held-out error of the model before it."""

    rounds: tuple[LoopRound, ...]
    held_out_errors: tuple[float, ...]

    @property
    def name(self) -> str:
        """The numbers of its rounds."""
        first, last = self.rounds[0].number, self.rounds[-1].number
        return f"round {first}" if first == last else f"rounds {first}-{last}"

    def counts(self, task: str, *, chosen: bool) -> tuple[int, int]:
        """Return errors and cases of a task, "" for all: the chosen ones, or the random slice."""
        slices = [part for done in self.rounds for part in done.slices if part.task == task and _chosen(part) == chosen]
        return sum(part.errors for part in slices), sum(part.cases for part in slices)


def periods(rounds: Sequence[LoopRound]) -> list[Period]:
    """Return the rounds in groups with at least `PERIOD_CASES` random cases.

    The first round has no model before it, and is left out. The last group takes what is left; without a random slice it is the only
    one.
    """
    watched = _watched(rounds)
    ends, cases = [0], 0
    for place, (_, after) in enumerate(watched, 1):
        cases += sum(part.cases for part in after.slices if not part.task and not _chosen(part))
        if cases >= PERIOD_CASES:
            ends.append(place)
            cases = 0
    ends = [*(ends[:-1] if len(ends) > 1 else ends), len(watched)]
    return [_period(watched[start:end]) for start, end in pairwise(ends) if end > start]


def halves(rounds: Sequence[LoopRound]) -> list[Period]:
    """Return the earlier and the later half of the rounds after the first; one half for one."""
    watched = _watched(rounds)
    middle = len(watched) // 2
    return [_period(part) for part in (watched[:middle], watched[middle:]) if part]


def bias_rows(rounds: Sequence[LoopRound]) -> list[tuple[str, ...]]:
    """Return the table over rounds, its head first; empty before the second round."""
    head = ("rounds", "random slice", "chosen cases", "held-out set")
    return _with_head(head, [(p.name, *_errors(p, ""), _held_out(p)) for p in periods(rounds)])


def task_rows(rounds: Sequence[LoopRound]) -> list[tuple[str, ...]]:
    """Return the table by task, those with most cases first; empty without tasks."""
    parts = halves(rounds)
    head = ("task", *(f"{kind}, {part.name}" for kind in ("random slice", "chosen cases") for part in parts))
    rows = [
        (one_line(task, TASK_LENGTH), *(_error(*part.counts(task, chosen=chosen)) for chosen in (False, True) for part in parts))
        for task in _tasks(rounds)[:MOST_TASKS]
    ]  # fmt: skip
    return _with_head(head, rows)


def tasks_left_out(rounds: Sequence[LoopRound]) -> int:
    """Return the number of tasks that the table has no room for."""
    return max(0, len(_tasks(rounds)) - MOST_TASKS)


def without_random_slice(rounds: Sequence[LoopRound]) -> bool:
    """Return True where cases were chosen and none was drawn at random."""
    parts = [part for done in rounds for part in done.slices]
    return bool(parts) and all(_chosen(part) for part in parts)


def _watched(rounds: Sequence[LoopRound]) -> list[tuple[LoopRound, LoopRound]]:
    return [(before, after) for before, after in pairwise(rounds) if after.slices]


def _period(watched: Sequence[tuple[LoopRound, LoopRound]]) -> Period:
    return Period(tuple(after for _, after in watched), tuple(1 - before.score for before, _ in watched))


def _chosen(part: SliceErrors) -> bool:
    return part.slice != "random"


def _tasks(rounds: Sequence[LoopRound]) -> list[str]:
    cases: dict[str, int] = {}
    for part in (part for done in rounds for part in done.slices if part.task):
        cases[part.task] = cases.get(part.task, 0) + part.cases
    return sorted(cases, key=lambda task: (-cases[task], task))


def _errors(period: Period, task: str) -> tuple[str, str]:
    return _error(*period.counts(task, chosen=False)), _error(*period.counts(task, chosen=True))


def _error(errors: int, cases: int) -> str:
    """Return a share of errors with its interval and n; only the counts of few cases."""
    if not cases:
        return "-"
    estimate = rate(errors, cases)
    if estimate.value is None:
        return f"{NO_DATA}: {count(errors)} of {count(cases)}"
    return f"{rate_cell(estimate)}, n={count(cases)}"


def _held_out(period: Period) -> str:
    """Return the held-out error of the models before the first and the last round."""
    first, last = period.held_out_errors[0], period.held_out_errors[-1]
    return percent(first) if len(period.rounds) == 1 else f"{percent(first)} to {percent(last)}"


def _with_head(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [head, *rows] if rows else []
