"""The frozen summary of a run: everything the report shows, and what `summary.json` holds.

It holds no clock time, no duration and no machine's paths: two runs over the same logs and the same stored answers
give the same bytes. Texts out of the logs are cut and cleaned (`report.text`) before they get here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import orjson

from curator.records import (
    BlindShare,
    DiagnosisName,
    FailureRate,
    GoneCategory,
    IntakeCounts,
    JudgeQuality,
    MemberHealth,
    NoiseFloor,
    ScoreQuality,
    Slice,
    Split,
    StrategyYield,
    TaskReadings,
)
from curator.records.committee_advice import CommitteeAdvice
from curator.report.summary_cases import CategorySummary, CoverageSummary, PeopleCategory, Point
from curator.stats import Figure

SCHEMA = 4


@dataclass(frozen=True, slots=True)
class Counts:
    """Records (log lines) and cases (unique inputs) at each stage.

    read = kept + merged_exact + merged_near + set_aside, where `intake` says how many records these are.
    """

    read: int
    set_aside: int
    merged_exact: int
    merged_near: int
    kept: int
    groups: int
    asked: int
    scored: int
    embedded: int
    selected: int
    intake: IntakeCounts = field(default_factory=IntakeCounts)


@dataclass(frozen=True, slots=True)
class SetAsideRecord:
    """A log record that could not be read."""

    file: str
    line: int
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """All such records by reason, and the first of them."""

    total: int
    by_reason: Mapping[str, int]
    first: tuple[SetAsideRecord, ...]


@dataclass(frozen=True, slots=True)
class MemberSummary:
    """A member of the committee and its answers; `cut_off` of them stopped at the token limit.

    `health` is None for a member that was not asked.
    """

    id: str
    model: str
    variant: str
    temperature: float
    max_tokens: int
    generations: int
    failed: int
    cut_off: int
    output_tokens: Figure
    cost_usd: float
    health: MemberHealth | None


@dataclass(frozen=True, slots=True)
class CommitteeSummary:
    """Every answer that the run used, stored ones included.

    `sees_within`: some prompt was sampled more than once, so that sampling noise shows; `sees_between`: there was more
    than one prompt or model, so that sensitivity to it shows. `estimated_usage` counts answers whose tokens were estimated.
    `questions` were answered: several cases may ask the same one.
    """

    members: tuple[MemberSummary, ...]
    generations: int
    failed: int
    failures: Mapping[str, int]
    cut_off: int
    input_tokens: int
    output_tokens: int
    estimated_usage: int
    cost_usd: float
    sees_within: bool
    sees_between: bool
    questions: int = 0


@dataclass(frozen=True, slots=True)
class AdaptiveSummary:
    """The calls that an adaptive committee saved, and what that cost its ranking.

    The ranking is compared on a random share of the cases, which got the whole committee.

    Attributes:
        calls: what was asked.
        calls_full: what the whole committee would have been asked.
        cases: the random share that got the whole committee.
        least_cases: how many it takes for a rank correlation.
        in_top: how many of them the whole committee ranks into their top.
        least_in_top: how many it takes to tell what was missed.
        missed: the share of those that stopping early ranked out of the top, 0..1; None where they are too few.
        low: the lower end of its 95% interval.
        high: the upper end.
        rank_correlation: Spearman's between both rankings; None where the cases are too few, or all stand alike.
    """

    calls: int
    calls_full: int
    cases: int
    least_cases: int
    in_top: int
    least_in_top: int
    missed: float | None
    low: float | None
    high: float | None
    rank_correlation: float | None


@dataclass(frozen=True, slots=True)
class FitSummary:
    """The cross-fitted gain of a fitted score; low to high is its 95% interval."""

    cases: int
    failures: int
    default_auroc: float
    fitted_auroc: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CalibrationSummary:
    """The calibration of the config, and whether it ranks; `fit` is None without enough labels."""

    used: bool
    fit: FitSummary | None


@dataclass(frozen=True, slots=True)
class DisagreementSummary:
    """The distribution of disagreement over the scored cases.

    `spread` is the mean difference between the committee's own answers; `spread_within` is the part of it inside one
    prompt, `spread_between` the part between prompts and models. `histogram` has ten equal bins over 0..1. A case is
    unanimous when all of its answers are the same; `unanimous_against_target` are those whose answers differ from
    production's.
    """

    scorers: tuple[str, ...]
    mean: Figure
    spread: Figure
    spread_within: Figure
    spread_between: Figure
    against_target: Figure
    histogram: tuple[int, ...]
    unanimous: int
    unanimous_against_target: int
    unscored: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LengthBaseline:
    """The correlation of disagreement with a length in characters.

    A score that only measures length is worth little.
    """

    of: str
    spearman: Figure
    pearson: Figure


@dataclass(frozen=True, slots=True)
class DiagnosisCount:
    """The cases with one diagnosis, and the `share` of all diagnosed cases that they are.

    `possible` of them have a pattern that only suggests the diagnosis. `records` counts the log records behind them.
    """

    name: DiagnosisName
    cases: int
    possible: int
    records: int
    share: float
    advice: str


@dataclass(frozen=True, slots=True)
class Leak:
    """A training case that asks a held-out question, and the evidence; it was left out."""

    case_id: str
    held_out_id: str
    kind: str
    similarity: float
    shared: tuple[str, ...]
    question: str
    held_out_question: str


@dataclass(frozen=True, slots=True)
class SelectionSummary:
    """The selected cases by slice and split.

    `probabilities` are the least and the greatest inclusion probability of the random slice; `strata` is the number of its strata.
    """

    total: int
    by_slice: Mapping[Slice, int]
    by_split: Mapping[Split, int]
    to_label: int
    probabilities: tuple[float, float] | None
    strata: int


@dataclass(frozen=True, slots=True)
class FinetuneSummary:
    """Training rows by the source of their target, and the excluded cases by reason.

    `leaks` are the first of those that ask a held-out question; `leaks.jsonl` has all.
    """

    rows: int
    by_source: Mapping[str, int]
    excluded: Mapping[str, int]
    leaks: tuple[Leak, ...] = ()


@dataclass(frozen=True, slots=True)
class StoppedSummary:
    """A run that ended before every planned answer was there.

    Attributes:
        cause: `budget`, for a limit of the config's `budget`; `no-answers`, for models that gave no answer that can be used.
        answers: the committee's answers that the report is made from.
        planned: the answers that the plan asks for; None of an adaptive committee, which decides as it goes.
        cases_without_answers: the cases that were to be asked and have no answer.
    """

    cause: Literal["budget", "no-answers"]
    answers: int
    planned: int | None
    cases_without_answers: int


@dataclass(frozen=True, slots=True)
class Summary:
    """One run; `categories` are those at the top by expected failures, then their parts.

    `adaptive` is None where every case got the whole committee, `calibration` where the config names none,
    `failure_rate` where there are no labels, `score_quality` where none of the random slice has a label, `judge` where no
    labelled case has its verdict. `ungrouped` counts the asked cases that show a difference and are in no category. `gone` are
    categories of the night before, `by_people` those that only people named. `yields` are the failures among the labels of each
    slice. `readings` say how the answers of each task were compared. `redacted` counts the secrets and the personal data that were
    replaced in the logs, by kind.
    """

    name: str
    logs: tuple[str, ...]
    counts: Counts
    by_kind: Mapping[str, int]
    by_task: Mapping[str, int]
    set_aside: SetAside
    committee: CommitteeSummary
    adaptive: AdaptiveSummary | None
    disagreement: DisagreementSummary
    length: tuple[LengthBaseline, ...]
    noise: NoiseFloor
    blind: BlindShare
    diagnoses: tuple[DiagnosisCount, ...]
    categories: tuple[CategorySummary, ...]
    points: tuple[Point, ...]
    selection: SelectionSummary
    finetune: FinetuneSummary
    outputs: Mapping[str, int]
    calibration: CalibrationSummary | None = None
    failure_rate: FailureRate | None = None
    coverage: CoverageSummary | None = None
    gone: tuple[GoneCategory, ...] = ()
    ungrouped: int = 0
    stopped: StoppedSummary | None = None
    score_quality: ScoreQuality | None = None
    judge: JudgeQuality | None = None
    by_people: tuple[PeopleCategory, ...] = ()
    yields: tuple[StrategyYield, ...] = ()
    committee_advice: CommitteeAdvice | None = None
    readings: tuple[TaskReadings, ...] = ()
    redacted: Mapping[str, int] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def top_categories(self) -> tuple[CategorySummary, ...]:
        """The categories that are not a part of another, in their order."""
        return tuple(category for category in self.categories if category.parent is None)


def summary_json(summary: Summary) -> bytes:
    """The summary as indented JSON with sorted keys, for `summary.json`."""
    return orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
