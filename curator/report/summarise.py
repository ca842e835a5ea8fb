"""Sums a run's records up into the `Summary` that the pages show."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.records import (
    BlindShare,
    Case,
    Category,
    Diagnosis,
    DiagnosisName,
    DuplicateRecord,
    FailureRate,
    Generation,
    GoneCategory,
    Member,
    MemberHealth,
    NoiseFloor,
    Pick,
    RejectedRecord,
    Score,
    stable_unit,
)
from curator.report.answer_groups import AnswerGroup
from curator.report.category_summary import CategoryBuilder, summarise_categories
from curator.report.summary import (
    AdaptiveSummary,
    CalibrationSummary,
    CommitteeSummary,
    Counts,
    CoverageSummary,
    DiagnosisCount,
    DisagreementSummary,
    FinetuneSummary,
    LengthBaseline,
    MemberSummary,
    Point,
    SelectionSummary,
    SetAside,
    SetAsideRecord,
    Summary,
)
from curator.stats import UNANIMOUS, histogram, mean, pearson, rounded, share, spearman
from curator.text.display import clean, one_line

FIRST_SET_ASIDE = 50
MOST_POINTS = 1500
MOST_REASONS = 20
_TITLE_LIMIT = 40
_REASON_LIMIT = 300


@dataclass(frozen=True, slots=True)
class RunRecords:
    """What a run left behind, for `summarise`.

    `read` is the number of log records as counted while reading. `cases` are all kept ones; those that the committee was
    asked about have answers in `generations`. `embedded` names the cases that were clustered, in the order of the rows
    of `layout` (n, 2), which places each one on the map, in 0..1. `answers_of` gives a case's answers grouped by what
    they say. `outputs` counts the rows of each file written. `adaptive` is None where every case got the whole committee.

    `diagnoses` are those of the cases that were asked, by case id; `diagnose` gives that of a group of cases. `health` is
    that of every member that was asked something. `gone` are the categories of the night before that are not seen any more.
    """

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


def summarise(run: RunRecords) -> Summary:
    """Sum a run up.

    Raises:
        ValueError: records were lost on the way: read != kept + merged + set aside.
    """
    committee = _committee(run)
    builder = _category_builder(run)
    categories, unclustered = summarise_categories(builder, run.categories, run.embedded)
    return Summary(
        name=run.name,
        logs=tuple(clean(path) for path in run.logs),
        counts=_counts(run),
        by_kind=_counted(_kind(c, run.scores) for c in run.cases),
        by_task=_counted(one_line(c.task or "(none)", _TITLE_LIMIT) for c in run.cases),
        set_aside=_set_aside(run.unreadable),
        committee=committee,
        adaptive=run.adaptive,
        disagreement=_disagreement(run.scores.values()),
        length=_length(run),
        noise=run.noise,
        blind=run.blind,
        diagnoses=_diagnoses(run),
        categories=categories,
        unclustered=unclustered,
        points=_points(run),
        selection=_selection(run),
        finetune=run.finetune,
        outputs=dict(sorted(run.outputs.items())),
        calibration=run.calibration,
        failure_rate=run.failure_rate,
        coverage=run.coverage,
        gone=tuple(run.gone),
    )


def _counts(run: RunRecords) -> Counts:
    merged = Counter(m.how for m in run.merged)
    counts = Counts(
        read=run.read,
        set_aside=len(run.unreadable),
        merged_exact=merged["exact"],
        merged_near=merged["near"],
        kept=len(run.cases),
        groups=len({c.group or c.id for c in run.cases}),
        asked=sum(bool(generations) for generations in run.generations.values()),
        scored=sum(s.disagreement is not None for s in run.scores.values()),
        embedded=len(run.embedded),
        selected=len(run.picks),
    )
    found = counts.kept + counts.merged_exact + counts.merged_near + counts.set_aside
    if counts.read != found:
        raise ValueError(
            f"records were lost: {counts.read} read, but {counts.kept} kept + {len(run.merged)} merged"
            f" + {counts.set_aside} set aside = {found}"
        )
    return counts


def _set_aside(unreadable: Sequence[RejectedRecord]) -> SetAside:
    return SetAside(
        total=len(unreadable),
        by_reason=_counted(one_line(u.reason, _REASON_LIMIT) for u in unreadable),
        first=tuple(
            SetAsideRecord(
                clean(u.source.file),
                u.source.line,
                one_line(u.reason, _REASON_LIMIT),
                one_line(u.remedy, _REASON_LIMIT),
            )
            for u in unreadable[:FIRST_SET_ASIDE]
        ),
    )


def _committee(run: RunRecords) -> CommitteeSummary:
    every = [g for generations in run.generations.values() for g in generations]
    by_member: dict[tuple[str | None, str | None, float | None], list[Generation]] = {}
    for generation in every:
        by_member.setdefault((generation.model, generation.variant, generation.temperature), []).append(generation)
    samples = Counter((g.case_id, g.model, g.variant) for g in every)
    usages = [g.usage for g in every if g.usage]
    health = {(h.model, h.variant, h.temperature): h for h in run.health}
    return CommitteeSummary(
        members=tuple(
            _member(m, by_member.get(seat := (m.model, m.variant, m.temperature), []), health.get(seat))
            for m in run.members
        ),
        generations=len(every),
        failed=sum(g.error is not None for g in every),
        failures=_counted(one_line(g.error, _REASON_LIMIT) for g in every if g.error is not None),
        cut_off=sum(g.finish_reason == "length" for g in every),
        input_tokens=sum(u.input_tokens for u in usages),
        output_tokens=sum(u.output_tokens for u in usages),
        estimated_usage=sum(u.estimated for u in usages),
        cost_usd=rounded(math.fsum(g.cost_usd for g in every)),
        sees_within=any(count > 1 for count in samples.values()),
        sees_between=len({(g.model, g.variant) for g in every}) > 1,
    )


def _member(member: Member, generations: Sequence[Generation], health: MemberHealth | None) -> MemberSummary:
    return MemberSummary(
        id=member.id,
        model=member.model,
        variant=member.variant,
        temperature=member.temperature,
        max_tokens=member.max_tokens,
        generations=len(generations),
        failed=sum(g.error is not None for g in generations),
        cut_off=sum(g.finish_reason == "length" for g in generations),
        output_tokens=mean(float(g.usage.output_tokens) for g in generations if g.usage),
        cost_usd=rounded(math.fsum(g.cost_usd for g in generations)),
        health=health,
    )


def _diagnoses(run: RunRecords) -> tuple[DiagnosisCount, ...]:
    """The cases by diagnosis, the most frequent first."""
    weights = {case.id: case.weight for case in run.cases}
    by_name: dict[DiagnosisName, list[str]] = {}
    for case_id, found in run.diagnoses.items():
        by_name.setdefault(found.name, []).append(case_id)
    return tuple(
        DiagnosisCount(
            name=name,
            cases=len(ids),
            possible=sum(not run.diagnoses[i].certain for i in ids),
            records=sum(weights[i] for i in ids),
            share=share(len(ids), len(run.diagnoses)),
            advice=run.diagnoses[ids[0]].advice,
        )
        for name, ids in sorted(by_name.items(), key=lambda item: (-len(item[1]), item[0]))
    )


def _disagreement(scores: Iterable[Score]) -> DisagreementSummary:
    scored = list(scores)
    unanimous = [s for s in scored if s.agreement is not None and s.agreement >= UNANIMOUS]
    return DisagreementSummary(
        scorers=tuple(sorted({s.scorer for s in scored})),
        mean=mean(s.disagreement for s in scored),
        within=mean(s.within for s in scored),
        between=mean(s.between for s in scored),
        against_target=mean(s.against_target for s in scored),
        histogram=histogram(s.disagreement for s in scored if s.disagreement is not None),
        unanimous=len(unanimous),
        unanimous_against_target=sum((s.against_target or 0.0) >= UNANIMOUS for s in unanimous),
        unscored=_counted(s.reason or "no reason given" for s in scored if s.disagreement is None),
    )


def _length(run: RunRecords) -> tuple[LengthBaseline, ...]:
    """Disagreement against the length of the input, and of the answers."""
    disagreement: list[float] = []
    inputs: list[float] = []
    answers: list[float] = []
    for case in run.cases:
        score = run.scores.get(case.id)
        lengths = [len(g.text) for g in run.generations.get(case.id, ()) if g.error is None]
        if score is not None and score.disagreement is not None and lengths:
            disagreement.append(score.disagreement)
            inputs.append(float(sum(len(m.content) for m in case.messages)))
            answers.append(sum(lengths) / len(lengths))
    return tuple(
        LengthBaseline(of, spearman(disagreement, lengths), pearson(disagreement, lengths))
        for of, lengths in (("the committee's answers", answers), ("the input", inputs))
    )


def _points(run: RunRecords) -> tuple[Point, ...]:
    """The map; of more cases than it can show, the same ones in every run, and selected ones first."""
    category = {case_id: c.id for c in run.categories for case_id in c.case_ids}
    selected = {p.case_id for p in run.picks}
    order = sorted(range(len(run.embedded)), key=lambda i: _map_order(run.embedded[i], selected))[:MOST_POINTS]
    by_id = {c.id: c for c in run.cases}
    return tuple(
        Point(
            case_id=(case_id := run.embedded[i]),
            x=rounded(run.layout[i, 0]),
            y=rounded(run.layout[i, 1]),
            category=category.get(case_id),
            selected=case_id in selected,
            title=one_line(by_id[case_id].user, _TITLE_LIMIT),
        )
        for i in sorted(order)
    )


def _map_order(case_id: str, selected: set[str]) -> tuple[bool, float]:
    return case_id not in selected, stable_unit("map", case_id)


def _selection(run: RunRecords) -> SelectionSummary:
    known = {c.id for c in run.cases if c.reference or c.verdict}
    return SelectionSummary(
        total=len(run.picks),
        by_slice={name: sum(p.slice == name for p in run.picks) for name in ("random", "disagreement")},
        by_split={name: sum(p.split == name for p in run.picks) for name in ("eval", "train")},
        to_label=sum(p.case_id not in known for p in run.picks),
        probabilities=_span(p.inclusion_probability for p in run.picks if p.slice == "random"),
        strata=len({p.stratum for p in run.picks if p.slice == "random"}),
    )


def _span(values: Iterable[float]) -> tuple[float, float] | None:
    found = [rounded(value) for value in values]
    return (min(found), max(found)) if found else None


def _category_builder(run: RunRecords) -> CategoryBuilder:
    return CategoryBuilder(
        cases={c.id: c for c in run.cases},
        scores=run.scores,
        generations=run.generations,
        answers_of=run.answers_of,
        selected=frozenset(p.case_id for p in run.picks),
        asked_records=sum(c.weight for c in run.cases if run.generations.get(c.id)),
        diagnoses=run.diagnoses,
        diagnose=run.diagnose,
    )


def _kind(case: Case, scores: Mapping[str, Score]) -> str:
    score = scores.get(case.id)
    return case.kind or (score.kind if score else None) or "(not asked)"


def _counted(values: Iterable[str]) -> dict[str, int]:
    """Counts from the largest on; beyond twenty different values the rest is summed."""
    ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    counts = dict(ranked[:MOST_REASONS])
    if rest := ranked[MOST_REASONS:]:
        counts[f"({len(rest)} others)"] = sum(count for _, count in rest)
    return counts
