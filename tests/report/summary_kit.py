"""A small run for tests of the report: records in, `Summary` out, without the stages before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from curator.records import (
    BlindShare,
    Case,
    Category,
    Contrast,
    Diagnosis,
    DuplicateRecord,
    FailureRate,
    Generation,
    GoneCategory,
    JudgeQuality,
    Member,
    MemberHealth,
    NoiseFloor,
    Pick,
    RejectedRecord,
    Score,
)
from curator.report.answer_groups import AnswerGroup
from curator.report.best_variant import Matches
from curator.report.category_summary import CategoryBuilder, people_categories, summarise_categories
from curator.report.summarise import (
    count_diagnoses,
    count_kinds,
    count_records,
    count_tasks,
    length_baselines,
    map_points,
    summarise_committee,
    summarise_disagreement,
    summarise_rejected,
    summarise_selection,
)
from curator.report.summary import AdaptiveSummary, CalibrationSummary, FinetuneSummary, Summary
from curator.report.summary_cases import CoverageSummary
from curator.text.display import clean


@dataclass(frozen=True)
class RunRecords:
    name: str
    logs: Sequence[str]
    read: int
    cases: Sequence[Case]
    merged: Sequence[DuplicateRecord]
    unreadable: Sequence[RejectedRecord]
    members: Sequence[Member]
    generations: Mapping[str, Sequence[Generation]]
    scores: Mapping[str, Score]
    answers_of: Callable[[str], Sequence[AnswerGroup]]
    embedded: Sequence[str]
    layout: NDArray[np.float32]
    categories: Sequence[Category]
    picks: Sequence[Pick]
    finetune: FinetuneSummary
    outputs: Mapping[str, int]
    health: Sequence[MemberHealth]
    noise: NoiseFloor
    blind: BlindShare
    diagnoses: Mapping[str, Diagnosis]
    diagnose: Callable[[Sequence[str]], Diagnosis]
    adaptive: AdaptiveSummary | None = None
    calibration: CalibrationSummary | None = None
    failure_rate: FailureRate | None = None
    coverage: CoverageSummary | None = None
    gone: Sequence[GoneCategory] = ()
    contrasts: Mapping[str, Contrast] = field(default_factory=dict)
    failures: Mapping[str, float] = field(default_factory=dict)
    label_matches: Matches = field(default_factory=dict)
    majority_matches: Matches = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    judge: JudgeQuality | None = None


def summarise(run: RunRecords) -> Summary:
    cases = {case.id: case for case in run.cases}
    builder = CategoryBuilder(
        cases=cases,
        scores=run.scores,
        generations=run.generations,
        answers_of=run.answers_of,
        selected=frozenset(pick.case_id for pick in run.picks),
        queue=frozenset(pick.case_id for pick in run.picks if cases[pick.case_id].needs_label),
        eval_set=frozenset(pick.case_id for pick in run.picks if pick.split == "eval"),
        asked_records=sum(case.weight for case in run.cases if run.generations.get(case.id)),
        failures=run.failures,
        label_matches=run.label_matches,
        majority_matches=run.majority_matches,
        contrasts=run.contrasts,
        diagnoses=run.diagnoses,
        diagnose=run.diagnose,
        moved=run.moved,
        pooled=run.failure_rate.by_category if run.failure_rate else {},
    )
    return Summary(
        name=run.name,
        logs=tuple(map(clean, run.logs)),
        counts=count_records(
            read=run.read, cases=run.cases, duplicates=run.merged, rejected=run.unreadable, generations=run.generations,
            scores=run.scores, embedded=run.embedded, picks=run.picks,
        ),
        by_kind=count_kinds(run.cases, run.scores),
        by_task=count_tasks(run.cases),
        set_aside=summarise_rejected(run.unreadable),
        committee=summarise_committee(run.members, run.generations, run.health),
        adaptive=run.adaptive,
        disagreement=summarise_disagreement(run.scores.values()),
        length=length_baselines(run.cases, run.scores, run.generations),
        noise=run.noise,
        blind=run.blind,
        diagnoses=count_diagnoses(run.cases, run.diagnoses),
        categories=summarise_categories(builder, run.categories),
        points=map_points(run.cases, run.embedded, run.layout, run.categories, run.picks),
        selection=summarise_selection(run.cases, run.picks),
        finetune=run.finetune,
        outputs=dict(sorted(run.outputs.items())),
        calibration=run.calibration,
        failure_rate=run.failure_rate,
        judge=run.judge,
        by_people=people_categories(builder, run.categories),
        coverage=run.coverage,
        gone=tuple(run.gone),
    )  # fmt: skip
