"""What the stages of a run hand on, and what a finished one says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curator.committee.judge import JudgeEstimate
from curator.committee.plan import Estimate, ModelEstimate
from curator.disagreement.pattern import Pattern
from curator.diversity.nights import Memory
from curator.progress import span
from curator.records import (
    BlindShare,
    Case,
    Category,
    Generation,
    GoneCategory,
    JsonValue,
    MemberHealth,
    Merged,
    NoiseFloor,
    Score,
    Unreadable,
)
from curator.report.answers import AnswerGroup
from curator.report.summary import Summary
from curator.report.trends import since_last_night
from curator.selection.labelling import Workload


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of the logs: `read` records = `cases` + `merged` + `unreadable`.

    `asked` are the cases that go on: all of them, or the random subset that `logs.sample` wants. `labels` of those
    that came back are used; `warnings` tell of the others.
    """

    read: int
    cases: tuple[Case, ...]
    asked: tuple[Case, ...]
    merged: tuple[Merged, ...]
    unreadable: tuple[Unreadable, ...]
    labels: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What a run would ask and cost; `max_usd` is the limit that its budget sets, in US dollars.

    The estimate is that of the whole committee; an adaptive one makes about the share `adaptive` of its calls. `judge`
    is the most that a judge of answers can come to on top, None where there is none. `workload` is what it takes to label
    the selection.
    """

    intake: Intake
    estimate: Estimate
    max_usd: float | None = None
    adaptive: float | None = None
    judge: JudgeEstimate | None = None
    workload: Workload | None = None

    @property
    def most_usd(self) -> float:
        """The ceiling of the committee and the judge, in US dollars."""
        return self.estimate.usd_max + (self.judge.usd_max if self.judge else 0.0)

    @property
    def ceiling_usd(self) -> float:
        """The most the run can cost: the estimate's ceiling, or the budget's limit where that is lower."""
        return self.most_usd if self.max_usd is None else min(self.most_usd, self.max_usd)

    def as_json(self) -> dict[str, JsonValue]:
        """The figures for machines."""
        e, i = self.estimate, self.intake
        return {
            "read": i.read, "cases": len(i.cases), "merged": len(i.merged), "set_aside": len(i.unreadable),
            "asked": e.cases, "members": e.members, "calls": e.calls, "stored_calls": e.stored_calls,
            "input_tokens": e.input_tokens, "max_output_tokens": e.max_output_tokens, "max_usd": e.usd_max,
            "max_usd_live": e.usd_live, "max_usd_batch": e.usd_batch, "budget_max_usd": self.max_usd,
            "expected_s": e.seconds, "adaptive_share": self.adaptive,
            "judge": asdict(self.judge) if self.judge else None,
            "labelling": asdict(self.workload) if self.workload else None,
            "by_model": {
                m.model: {
                    "mode": m.mode, "calls": m.calls, "stored_calls": m.stored_calls, "input_tokens": m.input_tokens,
                    "max_output_tokens": m.max_output_tokens, "max_usd": m.usd_max, "max_usd_live": m.usd_live,
                    "max_usd_batch": m.usd_batch, "expected_s": m.seconds,
                }
                for m in e.by_model
            },
        }  # fmt: skip

    def as_text(self) -> str:
        """The figures for people."""
        e, i = self.estimate, self.intake
        lines = [
            _adding_up(i.read, len(i.cases), len(i.merged), len(i.unreadable)),
            f"{e.cases:,} cases, {e.members} members: {e.calls:,} calls, {e.stored_calls:,} of them stored already",
            f"{e.input_tokens:,} input tokens (estimated), {e.max_output_tokens:,} output tokens at most",
        ]
        lines += [
            f"  {m.model}: {m.calls - m.stored_calls:,} calls, ${m.usd_max:,.4f} at most{_other_mode(m)}, {_time(m)}"
            for m in e.by_model
        ]
        lines.append(f"${e.usd_max:,.4f} at most, tries that fail not counted")
        if e.usd_batch is not None:
            lines.append(f"live ${e.usd_live:,.4f}, with `mode: batch` ${e.usd_batch:,.4f}, both at most")
        if self.adaptive is not None:
            lines.append(f"that is the whole committee: an adaptive one makes about {self.adaptive:.0%} of the calls")
        if self.judge is not None:
            lines.append(
                f"judge: {self.judge.calls:,} calls at most, ${self.judge.usd_max:,.4f}; as many as words leave pairs of"
                " answers open, which nobody knows before the answers are there"
            )
        if self.ceiling_usd < self.most_usd:
            lines.append(f"the budget stops the run at ${self.ceiling_usd:,.4f}")
        lines.append(f"time: {_total_time(e)}")
        if self.workload is not None:
            lines.append(f"labelling: {self.workload.as_text()}")
        return "\n".join([*lines, *(f"warning: {w}" for w in i.warnings)])


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: where it is, what it came to, what it asked (`sent`) or found stored, and the labels it used.

    `workload` is what labelling the queue takes.
    """

    folder: Path
    summary: Summary
    sent: int
    from_store: int
    labels: int
    warnings: tuple[str, ...]
    workload: Workload | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """The figures for machines; everything else is in `summary.json`."""
        c = self.summary.counts
        return {
            "folder": str(self.folder), "read": c.read, "cases": c.kept, "merged": c.merged_exact + c.merged_near,
            "set_aside": c.set_aside, "asked": c.asked, "sent": self.sent, "from_store": self.from_store,
            "labels": self.labels, "cost_usd": self.summary.committee.cost_usd, "categories": len(self.summary.categories),
            "labelling": asdict(self.workload) if self.workload else None,
            "selected": c.selected, "files": dict(self.summary.outputs), "warnings": list(self.warnings),
        }  # fmt: skip

    def as_text(self) -> str:
        """The figures for people, and where to look first."""
        s, c = self.summary, self.summary.counts
        merged = c.merged_exact + c.merged_near
        adaptive = f" ({s.adaptive.calls_full:,} by the whole committee)" if s.adaptive else ""
        answers = (
            f"{s.committee.generations:,} answers of {len(s.committee.members)} members to {c.asked:,} cases{adaptive}:"
            f" {self.sent:,} requests sent now, {self.from_store:,} answers stored before"
        )
        selected = (
            f"{len(s.categories)} categories{since_last_night(s)}, {c.selected} cases selected"
            f" ({s.selection.by_slice['disagreement']} by disagreement, {s.selection.by_slice['random']} at random)"
        )
        lines = [
            _adding_up(c.read, c.kept, merged, c.set_aside),
            answers,
            selected,
            *([f"{self.labels:,} labels that came back were used"] if self.labels else []),
            *([f"labelling: {self.workload.as_text()}"] if self.workload and self.workload.cases else []),
            "",
            f"{self.folder / 'report.html'}  <- open this first",
            *(f"{self.folder / name}  {rows:,} rows" for name, rows in s.outputs.items()),
        ]
        return "\n".join([*lines, *(f"warning: {w}" for w in self.warnings)])


@dataclass(frozen=True, slots=True)
class Scored:
    """The committee's answers as they are compared, by case id: the score, and the groups of equal answers.

    `compared` are the generations whose answers were compared, each with the text that its prompt variant's rule reads;
    `left_out` those of members whose health says that they count for nothing. `patterns` are what a diagnosis is made of.
    `failures` is how far production failed, 0..1, where a person's judgement or a trusted answer tells.
    """

    scores: Mapping[str, Score]
    answers: Mapping[str, tuple[AnswerGroup, ...]]
    compared: Mapping[str, Sequence[Generation]]
    left_out: Mapping[str, Sequence[Generation]]
    health: tuple[MemberHealth, ...]
    patterns: Mapping[str, Pattern]
    noise: NoiseFloor
    blind: BlindShare
    failures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Studied:
    """The cases that were embedded, in the order of the rows of `vectors` (n, d) and `places` (n, 2).

    `memory` is what the next night compares its categories with; `gone` was there the night before.
    """

    ids: tuple[str, ...]
    vectors: NDArray[np.float32]
    places: NDArray[np.float32]
    categories: tuple[Category, ...]
    encoder: str
    gone: tuple[GoneCategory, ...] = ()
    memory: Memory | None = None
    warnings: tuple[str, ...] = ()


def _other_mode(model: ModelEstimate) -> str:
    """What the model would cost in the mode that it is not in."""
    if model.usd_batch is None:
        return ""
    return f" (live: ${model.usd_live:,.4f})" if model.mode == "batch" else f" (in batches: ${model.usd_batch:,.4f})"


def _time(model: ModelEstimate) -> str:
    if model.seconds is None:
        return "time unknown until its first answers are stored"
    return "within 24 h" if model.mode == "batch" and model.seconds else f"about {span(model.seconds)}"


def _total_time(estimate: Estimate) -> str:
    """The time of the whole committee, whose models are asked side by side."""
    if estimate.seconds is None:
        return "unknown until the first answers of every model are stored"
    return (
        "within 24 h"
        if any(m.mode == "batch" and m.seconds for m in estimate.by_model)
        else f"about {span(estimate.seconds)}"
    )


def _adding_up(read: int, cases: int, merged: int, set_aside: int) -> str:
    return f"{read:,} records read = {cases:,} cases + {merged:,} merged + {set_aside:,} set aside"
