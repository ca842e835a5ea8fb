"""The quality of the score that ranks the cases and of a judge, as labels measure it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from curator.records.findings import Rate
from curator.records.values import Slice

ScoreVerdict = Literal["better than chance", "open", "not better than chance", "not enough labels"]
"""`open`: the labels support neither statement."""


@dataclass(frozen=True, slots=True)
class PartQuality:
    """The AUROC of the score, and of the length of the answers, over one part of the labels.

    An AUROC is the probability that a failure ranks above a pass; chance has .5.

    Attributes:
        labels: labelled cases with a score.
        failures: how many of them failed.
        score: AUROC of the score with its 95% interval; without numbers where failures or passes are too few.
        length: AUROC of the mean length of the answers; also without numbers where it is not known.
        verdict: the comparison of the score with chance.
        missing: about how many more labels a comparison takes; 0 where there is one.
    """

    labels: int
    failures: int
    score: Rate
    length: Rate
    verdict: ScoreVerdict
    missing: int = 0

    @property
    def settled(self) -> bool:
        """True if the labels say that the score is better than chance, or that it is not."""
        return self.verdict in ("better than chance", "not better than chance")


@dataclass(frozen=True, slots=True)
class TaskQuality:
    """The quality of the score on one task; `task` is "" for cases without one."""

    task: str
    quality: PartQuality


@dataclass(frozen=True, slots=True)
class ScoreQuality:
    """The quality of a score by the labels so far.

    Attributes:
        pooled: over all pairs of a failure and a pass, also those of two tasks: the ranking that discovery uses.
        within: over pairs of the same task only; None with one task. If it is above `pooled`, the scale of the score differs
            from task to task.
        tasks: the tasks with labels, those with the most first.
        represents: the cases that the labels represent: `all`, or the `rest` that was not picked by discovery, because none
            of its picks has a label.
    """

    pooled: PartQuality
    within: PartQuality | None
    tasks: tuple[TaskQuality, ...]
    represents: Literal["all", "rest"] = "all"

    def not_ranked(self, tasks: Iterable[str]) -> frozenset[str]:
        """Return the tasks on which the score is not better than chance, so that it should not rank.

        A task's own labels decide where they can; for other tasks those of the whole pool do.
        """
        by_task = {t.task: t.quality for t in self.tasks}
        misleading = self.pooled.verdict == "not better than chance"
        return frozenset(
            task
            for task in tasks
            if (
                by_task[task].verdict == "not better than chance"
                if task in by_task and by_task[task].settled
                else misleading
            )
        )


@dataclass(frozen=True, slots=True)
class StrategyYield:
    """The failures among the labels of one slice.

    Attributes:
        slice: the part of the selections so far.
        labels: labelled cases of it.
        failures: how many of them failed; a case that is half right counts a half.
        rate: the share of failures, 0..1; in the random slice each case counts with 1 over its inclusion probability.
        worth: the number of labels that count the same and say as much as these; `labels` outside the random slice.
    """

    slice: Slice
    labels: int
    failures: float
    rate: float
    worth: float


@dataclass(frozen=True, slots=True)
class JudgeQuality:
    """A judge of answers by the labels of drawn cases, which represent all cases.

    Attributes:
        sensitivity: the share of the failures that it calls a failure.
        specificity: the share of the right answers that it passes.
        labels: labelled cases with a verdict; those that are half a failure do not count.
        unjudged: labelled cases without a verdict.
    """

    sensitivity: Rate
    specificity: Rate
    labels: int
    unjudged: int

    @property
    def better_than_chance(self) -> bool:
        """True if the labels show it: at their lower ends the two add up to more than 1."""
        low = (self.sensitivity.low, self.specificity.low)
        return None not in low and sum(value or 0.0 for value in low) > 1
