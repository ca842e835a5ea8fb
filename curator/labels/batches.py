"""Divide the cases to label into batches after which people may stop.

Two rules shape the batches.

*Stopping early is fine.* The estimation draw has an order, and so have the discovery picks. Batch by batch, both lists are
taken from their front, in the proportion of the whole: the first m batches hold a first part of each, so that a draw
that is in random order within each stratum stays a valid smaller sample, and the picks are the best so many.

*No batch has only hard cases.* Within a batch the cases of a category stand together, so that their context is read once,
and at most two hard cases follow each other; where a batch has too few easy ones for that, the longest row is as short
as can be. A case is hard if its difficulty is at least the median of all, and above the lowest. To keep the rule, an easy
case of another category may stand between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from curator.config import LabellingConfig
from curator.records import stable_unit
from curator.text.display import plural

MOST_HARD_IN_A_ROW = 2


@dataclass(frozen=True, slots=True)
class Task:
    """A case to label.

    Attributes:
        case_id: names it.
        sampled: whether it belongs to the estimation draw, else to the discovery picks.
        place: where it stands in the order of its list: any numbers, the first to label the lowest.
        difficulty: how much the committee disagrees on it, in 0..1; None where that is not known.
        category: its category; None where it is in none.
    """

    case_id: str
    sampled: bool
    place: int
    difficulty: float | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A row of the label queue: the case, its batch (from 1) and its annotator ("" for anybody)."""

    case_id: str
    batch: int
    annotator: str


@dataclass(frozen=True, slots=True)
class Workload:
    """The effort of labelling.

    `judgements` counts a case twice that two people label; `cost` is None where it is unknown.
    """

    cases: int
    judgements: int
    batches: int
    minutes: float
    cost: float | None
    minutes_each: float

    def to_text(self) -> str:
        """One line for people."""
        twice = (
            f" ({plural(self.judgements, 'label')}, as some are labelled twice)" if self.judgements > self.cases else ""
        )
        cost = "" if self.cost is None else f", at a cost of {self.cost:,.2f}"
        return (
            f"{plural(self.cases, 'case')} to label{twice} in {plural(self.batches, 'batch', 'batches')}: about {_span(self.minutes)} at"
            f" {self.minutes_each:g} min each{cost}"
        )


def workload(cases: int, config: LabellingConfig) -> Workload:
    """Estimate the effort of labelling so many cases."""
    judgements = cases + round(cases * config.overlap_of(cases))
    cost = None if config.cost_per_label is None else judgements * config.cost_per_label
    minutes = judgements * config.minutes_per_label
    return Workload(cases, judgements, _count(cases, config.batch_size), minutes, cost, config.minutes_per_label)


def batches(tasks: Sequence[Task], *, size: int, seed: int) -> tuple[tuple[Task, ...], ...]:
    """Divide the tasks into batches of about the same size, at most `size`.

    Each batch is in the order in which to label it. The order of `tasks` makes no difference.

    Args:
        tasks: each case once.
        size: at least 1.
        seed: settles which of equal cases comes first.
    """
    count = _count(len(tasks), size)
    sampled = sorted((t for t in tasks if t.sampled), key=lambda t: (t.place, t.case_id))
    others = sorted((t for t in tasks if not t.sampled), key=lambda t: (t.place, t.case_id))
    limit = _hard_from(tasks)
    divided, taken, drawn = [], 0, 0
    for number in range(1, count + 1):
        until = len(tasks) * number // count
        drawn_until = -(-len(sampled) * until // len(tasks))
        batch = [*sampled[drawn:drawn_until], *others[taken - drawn : until - drawn_until]]
        divided.append(tuple(_ordered(batch, limit, seed)))
        taken, drawn = until, drawn_until
    return tuple(divided)


def assignments(tasks: Sequence[Task], config: LabellingConfig, *, seed: int) -> tuple[Assignment, ...]:
    """List the rows of the label queue, in order.

    The batches go round the annotators. Of the `overlap` share, evenly spread over all cases in their order, each case
    stands a second time at the end of its batch, for the annotator who is next.
    """
    rows, people, position = [], config.annotators or ("",), 0
    overlap = config.overlap_of(len(tasks))
    for number, batch in enumerate(batches(tasks, size=config.batch_size, seed=seed), start=1):
        first, second = people[(number - 1) % len(people)], people[number % len(people)]
        rows += [Assignment(task.case_id, number, first) for task in batch]
        for task in batch:
            position += 1
            if round(position * overlap) > round((position - 1) * overlap):
                rows.append(Assignment(task.case_id, number, second))
    return tuple(rows)


def _count(cases: int, size: int) -> int:
    return math.ceil(cases / size)


def _hard_from(tasks: Sequence[Task]) -> float:
    """The lowest difficulty of a hard case; infinite where all are alike or none is known."""
    difficulties = [task.difficulty for task in tasks if task.difficulty is not None]
    if not difficulties or min(difficulties) == max(difficulties):
        return math.inf
    return max(median(difficulties), min(d for d in difficulties if d > min(difficulties)))


def _ordered(batch: Sequence[Task], limit: float, seed: int) -> list[Task]:
    """The batch with its categories together and no long row of hard cases."""
    groups = _by_category(batch, limit, seed)
    hard = sum(len(group.hard) for group in groups)
    easy = len(batch) - hard
    longest = max(MOST_HARD_IN_A_ROW, -(-hard // (easy + 1)))
    ordered: list[Task] = []
    row = 0
    for place, home in enumerate(groups):
        rest = groups[place:]
        while home.hard or home.easy:
            # Another easy case may be taken only while the remaining ones still part all hard cases.
            if row < longest and (_wants_hard(home) or hard > longest * easy):
                source = home if home.hard else next(group for group in rest if group.hard)
                ordered.append(source.hard.pop())
                row, hard = row + 1, hard - 1
                continue
            source = home if home.easy else max(rest, key=lambda g: (bool(g.easy), len(g.easy) - len(g.hard)))
            ordered.append(source.easy.pop())
            row, easy = 0, easy - 1
    return ordered


@dataclass(frozen=True, slots=True)
class _Group:
    """The cases of a category that are still to be placed, the next one last."""

    hard: list[Task]
    easy: list[Task]


def _by_category(batch: Sequence[Task], limit: float, seed: int) -> list[_Group]:
    """The batch by category, the largest first, those without one last."""
    members: dict[str | None, list[Task]] = {}
    for task in sorted(batch, key=lambda t: (stable_unit("labelling", str(seed), t.case_id), t.case_id)):
        members.setdefault(task.category, []).append(task)
    names = sorted(members, key=lambda name: (name is None, -len(members[name]), name or ""))
    return [
        _Group(
            hard=[task for task in members[name] if _is_hard(task, limit)],
            easy=[task for task in members[name] if not _is_hard(task, limit)],
        )
        for name in names
    ]


def _wants_hard(group: _Group) -> bool:
    """Return whether a hard case is next: hard and easy alternate, the more frequent first."""
    return len(group.hard) > len(group.easy)


def _is_hard(task: Task, limit: float) -> bool:
    return task.difficulty is not None and task.difficulty >= limit


def _span(minutes: float) -> str:
    """A time as people say it."""
    if minutes < 60:
        return f"{math.ceil(minutes)} min"
    return f"{minutes / 60:.1f} h"
