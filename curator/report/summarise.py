"""The sections of the `Summary`, each one computed from the records that it is about."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from curator.records import (
    SLICES,
    Case,
    Category,
    Diagnosis,
    DiagnosisName,
    DuplicateRecord,
    Generation,
    IntakeCounts,
    Member,
    MemberHealth,
    Pick,
    RejectedRecord,
    Score,
    stable_unit,
)
from curator.report.summary import (
    CommitteeSummary,
    Counts,
    DiagnosisCount,
    DisagreementSummary,
    LengthBaseline,
    MemberSummary,
    SelectionSummary,
    SetAside,
    SetAsideRecord,
)
from curator.report.summary_cases import Point
from curator.stats import UNANIMOUS, histogram, mean, pearson, rounded, share, spearman
from curator.text.display import clean, one_line

FIRST_SET_ASIDE = 50
MOST_POINTS = 1500
MOST_REASONS = 20
_TITLE_LIMIT = 40
_REASON_LIMIT = 300

Generations = Mapping[str, Sequence[Generation]]


def count_records(  # noqa: PLR0913  one count for each stage
    *,
    read: int,
    cases: Sequence[Case],
    duplicates: Sequence[DuplicateRecord],
    rejected: Sequence[RejectedRecord],
    generations: Generations,
    scores: Mapping[str, Score],
    embedded: Sequence[str],
    picks: Sequence[Pick],
    intake: IntakeCounts | None = None,
) -> Counts:
    """Count records and cases at each stage; `read` is the reader's count of log records.

    Raises:
        ValueError: records were lost: read != kept + merged + set aside.
    """
    merged = Counter(duplicate.how for duplicate in duplicates)
    counts = Counts(
        read=read,
        set_aside=len(rejected),
        merged_exact=merged["exact"],
        merged_near=merged["near"],
        kept=len(cases),
        groups=len({case.group or case.id for case in cases}),
        asked=sum(bool(answers) for answers in generations.values()),
        scored=sum(score.disagreement is not None for score in scores.values()),
        embedded=len(embedded),
        selected=len(picks),
        intake=intake or IntakeCounts(),
    )
    accounted = counts.kept + counts.merged_exact + counts.merged_near + counts.set_aside
    if counts.read != accounted:
        raise ValueError(
            f"records were lost: {counts.read} read, but {counts.kept} kept + {len(duplicates)} merged"
            f" + {counts.set_aside} set aside = {accounted}"
        )
    return counts


def count_kinds(cases: Iterable[Case], scores: Mapping[str, Score]) -> dict[str, int]:
    """Count the cases by kind of answer, the most frequent first."""
    return _counted(_kind(case, scores.get(case.id)) for case in cases)


def count_tasks(cases: Iterable[Case]) -> dict[str, int]:
    """Count the cases by task, the most frequent first."""
    return _counted(one_line(case.task or "(none)", _TITLE_LIMIT) for case in cases)


def summarise_rejected(rejected: Sequence[RejectedRecord]) -> SetAside:
    """Count the records that could not be read by reason, and show the first of them."""
    return SetAside(
        total=len(rejected),
        by_reason=_counted(one_line(record.reason, _REASON_LIMIT) for record in rejected),
        first=tuple(
            SetAsideRecord(
                clean(record.source.file),
                record.source.line,
                one_line(record.reason, _REASON_LIMIT),
                one_line(record.remedy, _REASON_LIMIT),
            )
            for record in rejected[:FIRST_SET_ASIDE]
        ),
    )


def summarise_committee(
    members: Sequence[Member],
    generations: Generations,
    health: Sequence[MemberHealth],
    *,
    beside_usd: float = 0.0,
) -> CommitteeSummary:
    """Sum up every answer that the run used, by member; `beside_usd` is added to the cost."""
    answers = [generation for case in generations.values() for generation in case]
    by_member: dict[tuple[str | None, str | None, float | None], list[Generation]] = {}
    for generation in answers:
        by_member.setdefault((generation.model, generation.variant, generation.temperature), []).append(generation)
    samples = Counter((generation.case_id, generation.model, generation.variant) for generation in answers)
    usages = [generation.usage for generation in answers if generation.usage]
    health_of = {(item.model, item.variant, item.temperature): item for item in health}
    cost = rounded(math.fsum(generation.cost_usd for generation in answers))
    return CommitteeSummary(
        members=tuple(
            _summarise_member(m, by_member.get(key := (m.model, m.variant, m.temperature), []), health_of.get(key))
            for m in members
        ),
        generations=len(answers),
        questions=sum(bool(case) for case in generations.values()),
        failed=sum(generation.error is not None for generation in answers),
        failures=_counted(one_line(g.error, _REASON_LIMIT) for g in answers if g.error is not None),
        cut_off=sum(generation.finish_reason == "length" for generation in answers),
        input_tokens=sum(usage.input_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        estimated_usage=sum(usage.estimated for usage in usages),
        cost_usd=rounded(cost + beside_usd) if beside_usd else cost,
        sees_within=any(count > 1 for count in samples.values()),
        sees_between=len({(generation.model, generation.variant) for generation in answers}) > 1,
    )


def _summarise_member(member: Member, generations: Sequence[Generation], health: MemberHealth | None) -> MemberSummary:
    return MemberSummary(
        id=member.id,
        model=member.model,
        variant=member.variant,
        temperature=member.temperature,
        max_tokens=member.max_tokens,
        generations=len(generations),
        failed=sum(generation.error is not None for generation in generations),
        cut_off=sum(generation.finish_reason == "length" for generation in generations),
        output_tokens=mean(float(g.usage.output_tokens) for g in generations if g.usage),
        cost_usd=rounded(math.fsum(generation.cost_usd for generation in generations)),
        health=health,
    )


def count_diagnoses(cases: Iterable[Case], diagnoses: Mapping[str, Diagnosis]) -> tuple[DiagnosisCount, ...]:
    """Count the diagnosed cases by diagnosis, the most frequent first."""
    weights = {case.id: case.weight for case in cases}
    by_name: dict[DiagnosisName, list[str]] = {}
    for case_id, diagnosis in diagnoses.items():
        by_name.setdefault(diagnosis.name, []).append(case_id)
    return tuple(
        DiagnosisCount(
            name=name,
            cases=len(ids),
            possible=sum(not diagnoses[i].certain for i in ids),
            records=sum(weights[i] for i in ids),
            share=share(len(ids), len(diagnoses)),
            advice=_most_frequent(diagnoses[i].advice for i in ids),
        )
        for name, ids in sorted(by_name.items(), key=lambda item: (-len(item[1]), item[0]))
    )


def _most_frequent(texts: Iterable[str]) -> str:
    """Return the most frequent of some texts, in a tie the first in the alphabet."""
    counts = Counter(texts)
    return min(counts, key=lambda text: (-counts[text], text))


def summarise_disagreement(scores: Iterable[Score]) -> DisagreementSummary:
    """Sum up the distribution of disagreement over the scored cases."""
    scored = list(scores)
    unanimous = [score for score in scored if score.agreement is not None and score.agreement >= UNANIMOUS]
    return DisagreementSummary(
        scorers=tuple(sorted({score.scorer for score in scored})),
        mean=mean(score.disagreement for score in scored),
        spread=mean(score.spread for score in scored),
        spread_within=mean(score.within for score in scored),
        spread_between=mean(score.between for score in scored),
        against_target=mean(score.against_target for score in scored),
        histogram=histogram(score.disagreement for score in scored if score.disagreement is not None),
        unanimous=len(unanimous),
        unanimous_against_target=sum((score.against_target or 0.0) >= UNANIMOUS for score in unanimous),
        unscored=_counted(score.reason or "no reason given" for score in scored if score.disagreement is None),
    )


def length_baselines(
    cases: Iterable[Case], scores: Mapping[str, Score], generations: Generations
) -> tuple[LengthBaseline, ...]:
    """Correlate disagreement with the length of the answers and of the input, in characters."""
    disagreement: list[float] = []
    inputs: list[float] = []
    answers: list[float] = []
    for case in cases:
        score = scores.get(case.id)
        lengths = [len(g.text) for g in generations.get(case.id, ()) if g.error is None]
        if score is not None and score.disagreement is not None and lengths:
            disagreement.append(score.disagreement)
            inputs.append(float(sum(len(m.content) for m in case.messages)))
            answers.append(sum(lengths) / len(lengths))
    return tuple(
        LengthBaseline(of, spearman(disagreement, lengths), pearson(disagreement, lengths))
        for of, lengths in (("the committee's answers", answers), ("the input", inputs))
    )


def map_points(
    cases: Iterable[Case],
    embedded: Sequence[str],
    layout: NDArray[np.float32],
    categories: Sequence[Category],
    picks: Sequence[Pick],
) -> tuple[Point, ...]:
    """Place the embedded cases on the map; `layout` (n, 2) is in their order, in 0..1.

    A case is marked with its top-level category. Above `MOST_POINTS` cases the map shows the selected ones first, then a sample that is the same in every run.
    """
    category = {case_id: c.id for c in categories if c.parent is None for case_id in c.case_ids}
    selected = {pick.case_id for pick in picks}
    order = sorted(range(len(embedded)), key=lambda i: _map_order(embedded[i], selected))[:MOST_POINTS]
    by_id = {case.id: case for case in cases}
    return tuple(
        Point(
            case_id=(case_id := embedded[i]),
            x=rounded(layout[i, 0]),
            y=rounded(layout[i, 1]),
            category=category.get(case_id),
            selected=case_id in selected,
            title=one_line(by_id[case_id].user, _TITLE_LIMIT),
        )
        for i in sorted(order)
    )


def _map_order(case_id: str, selected: set[str]) -> tuple[bool, float]:
    return case_id not in selected, stable_unit("map", case_id)


def summarise_selection(cases: Iterable[Case], picks: Sequence[Pick]) -> SelectionSummary:
    """Count the picks by slice and split, and those that have no label yet."""
    labelled = {case.id for case in cases if not case.needs_label}
    return SelectionSummary(
        total=len(picks),
        by_slice={name: sum(pick.slice == name for pick in picks) for name in SLICES},
        by_split={name: sum(pick.split == name for pick in picks) for name in ("eval", "train")},
        to_label=sum(pick.case_id not in labelled for pick in picks),
        probabilities=_value_range(pick.inclusion_probability for pick in picks if pick.slice == "random"),
        strata=len({pick.stratum for pick in picks if pick.slice == "random"}),
    )


def _value_range(values: Iterable[float]) -> tuple[float, float] | None:
    rounded_values = [rounded(value) for value in values]
    return (min(rounded_values), max(rounded_values)) if rounded_values else None


def _kind(case: Case, score: Score | None) -> str:
    return case.kind or (score.kind if score else None) or "(not asked)"


def _counted(values: Iterable[str]) -> dict[str, int]:
    """Count equal values, the most frequent first; one entry sums up all beyond `MOST_REASONS`."""
    ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    counts = dict(ranked[:MOST_REASONS])
    if rest := ranked[MOST_REASONS:]:
        counts[f"({len(rest)} others)"] = sum(count for _, count in rest)
    return counts
