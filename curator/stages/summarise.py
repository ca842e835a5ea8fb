"""Stage results to the `Summary` that the report shows and `summary.json` holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from curator.contamination.records import Match
from curator.disagreement.diagnosis.answer_pattern import AnswerPattern, SideRates
from curator.disagreement.diagnosis.diagnose import diagnose_category
from curator.errors import BudgetReached
from curator.records import Case, Category, Diagnosis
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
from curator.report.summary import (
    AdaptiveSummary,
    CalibrationSummary,
    FinetuneSummary,
    FitSummary,
    Leak,
    StoppedSummary,
    Summary,
)
from curator.report.summary_cases import CoverageSummary, RegionSummary
from curator.run_folder.calibration import CalibrationFile
from curator.selection.adaptive_audit import MIN_IN_TOP, CascadeAudit
from curator.selection.coverage import Region
from curator.stages.artifacts import RunArtifacts
from curator.stages.ask import SamplingResult
from curator.stats import MIN_FOR_CORRELATION, rounded, rounded_or_none
from curator.text.display import clean, one_line

MOST_LEAKS = 10
"""Leaks that the report shows; `leaks.jsonl` has all."""
MOST_REGIONS = 5
"""Regions without a pick that the report shows."""
LEAK_CHARACTERS = 160


def summarise(run: RunArtifacts, diagnoses: Mapping[str, Diagnosis], outputs: Mapping[str, int]) -> Summary:
    """Sum a run up; `outputs` has the number of rows of each file.

    Raises:
        ValueError: records were lost: read != kept + merged + set aside.
    """
    ingest, generations, scores = run.ingest, run.sampling.generations, run.scoring.scores
    embedded, picks = run.embedded, run.selection.picks
    categories, builder = categories_of(run), _category_builder(run, diagnoses)
    return Summary(
        name=run.config.name,
        logs=tuple(clean(path) for path in ingest.files),
        counts=count_records(
            read=ingest.read,
            cases=ingest.cases,
            duplicates=ingest.merged,
            rejected=ingest.unreadable,
            generations=generations,
            scores=scores,
            embedded=embedded.ids,
            picks=picks,
            intake=ingest.counts,
        ),
        by_kind=count_kinds(ingest.cases, scores),
        by_task=count_tasks(ingest.cases),
        set_aside=summarise_rejected(ingest.unreadable),
        committee=summarise_committee(
            run.sampling.plan.members,
            {case.id: generations[case.id] for case in run.sampling.plan.cases if case.id in generations},
            run.scoring.health,
            beside_usd=run.beside_usd,
        ),
        adaptive=None if run.audit is None else _summarise_audit(run.audit),
        disagreement=summarise_disagreement(scores.values()),
        length=length_baselines(ingest.cases, scores, generations),
        noise=run.scoring.noise,
        blind=run.scoring.blind,
        diagnoses=count_diagnoses(ingest.cases, diagnoses),
        categories=summarise_categories(builder, categories),
        points=map_points(ingest.cases, embedded.ids, embedded.places(seed=run.config.seed), categories, picks),
        selection=summarise_selection(ingest.cases, picks),
        finetune=_summarise_training(run),
        outputs=dict(sorted(outputs.items())),
        calibration=None if run.calibration is None else _summarise_calibration(run.calibration),
        failure_rate=run.failure_rate,
        coverage=_summarise_coverage(run),
        gone=run.categories.gone,
        ungrouped=run.categories.ungrouped,
        stopped=_summarise_stop(run.sampling),
        score_quality=run.score_quality,
        judge=run.judge,
        by_people=people_categories(builder, categories),
        yields=run.yields,
        readings=run.scoring.readings,
        redacted=dict(sorted(ingest.redacted.items())),
    )


def categories_of(run: RunArtifacts) -> tuple[Category, ...]:
    """Return the categories of a run."""
    return run.categories.categories


def _summarise_stop(sampling: SamplingResult) -> StoppedSummary | None:
    """Return what is missing of a run that ended early; None of a run that is complete."""
    if sampling.stopped is None:
        return None
    return StoppedSummary(
        cause="budget" if isinstance(sampling.stopped, BudgetReached) else "no-answers",
        answers=sampling.answers,
        planned=None if sampling.plan.config.adaptive else len(sampling.plan),
        cases_without_answers=sum(not answers for answers in sampling.generations.values()),
    )


def _category_builder(run: RunArtifacts, diagnoses: Mapping[str, Diagnosis]) -> CategoryBuilder:
    patterns, generations, picks = run.scoring.patterns, run.sampling.generations, run.selection.picks
    cases = {case.id: case for case in run.ingest.cases}

    def diagnose_group(ids: Sequence[str]) -> Diagnosis:
        contrasts = [run.categories.contrasts[i] for i in ids if i in run.categories.contrasts]
        return diagnose_category([run.scoring.inputs[i] for i in ids], [patterns[i] for i in ids], contrasts)

    return CategoryBuilder(
        cases=cases,
        scores=run.scoring.scores,
        generations=generations,
        answers_of=run.scoring.answers.__getitem__,
        selected=frozenset(pick.case_id for pick in picks),
        queue=frozenset(pick.case_id for pick in picks if cases[pick.case_id].needs_label),
        eval_set=frozenset(pick.case_id for pick in picks if pick.split == "eval"),
        asked_records=sum(case.weight for case in run.ingest.cases if generations.get(case.id)),
        failures=run.scoring.failures,
        label_matches=_variant_matches(patterns, lambda rates: rates.label),
        majority_matches=_variant_matches(patterns, lambda rates: rates.majority),
        diagnoses=diagnoses,
        diagnose=diagnose_group,
        contrasts=run.categories.contrasts,
        moved=run.by_people.moved,
        pooled=run.failure_rate.by_category if run.failure_rate else {},
    )


def _variant_matches(
    patterns: Mapping[str, AnswerPattern], rate_of: Callable[[SideRates], float | None]
) -> dict[str, dict[str, float]]:
    """Return the match rates of each prompt variant, by id of the cases that have any."""
    matches = {
        case_id: {name: rate for name, rates in pattern.variants.items() if (rate := rate_of(rates)) is not None}
        for case_id, pattern in patterns.items()
    }
    return {case_id: by_name for case_id, by_name in matches.items() if by_name}


def _summarise_training(run: RunArtifacts) -> FinetuneSummary:
    training = run.exports.training
    leaks = tuple(_summarise_leak(match) for match in run.holdout.leaks[:MOST_LEAKS])
    return FinetuneSummary(len(training.examples), training.by_source, training.excluded, leaks)


def _summarise_leak(match: Match) -> Leak:
    return Leak(
        case_id=match.row,
        held_out_id=match.held,
        kind=match.kind,
        similarity=rounded(match.similarity),
        shared=match.shared,
        question=one_line(match.question, LEAK_CHARACTERS),
        held_out_question=one_line(match.held_text, LEAK_CHARACTERS),
    )


def _summarise_coverage(run: RunArtifacts) -> CoverageSummary | None:
    """Return the regions of the embedded cases; None where no case was embedded."""
    discovery = run.selection.discovery
    if not discovery.regions:
        return None
    selected = {pick.case_id for pick in run.selection.picks}
    by_id = {case.id: case for case in run.ingest.asked}
    regions = [_summarise_region(region, selected, by_id) for region in discovery.regions if region.kind != "outliers"]
    outliers = (_summarise_region(region, selected, by_id) for region in discovery.regions if region.kind == "outliers")
    unseen = [region for region in regions if not region.picks]
    return CoverageSummary(
        embedded=sum(region.cases for region in regions),
        represented=rounded(discovery.represented),
        unseen=tuple(unseen[:MOST_REGIONS]),
        unseen_regions=len(unseen),
        regions=len(regions),
        outliers=next(outliers, None),
    )


def _summarise_region(region: Region, selected: set[str], cases: Mapping[str, Case]) -> RegionSummary:
    return RegionSummary(
        name=region.name,
        cases=region.cases,
        picks=len(selected & set(region.case_ids)),
        evidence=region.evidence,
        example=one_line(cases[region.case_ids[0]].user, LEAK_CHARACTERS),
    )


def _summarise_calibration(file: CalibrationFile) -> CalibrationSummary:
    calibration = file.calibration
    if calibration is None:
        return CalibrationSummary(used=False, fit=None)
    fit = FitSummary(
        cases=calibration.cases,
        failures=calibration.failures,
        default_auroc=rounded(calibration.default_auroc),
        fitted_auroc=rounded(calibration.fitted_auroc),
        gain=rounded(calibration.gain),
        low=rounded(calibration.low),
        high=rounded(calibration.high),
    )
    return CalibrationSummary(used=calibration.better, fit=fit)


def _summarise_audit(audit: CascadeAudit) -> AdaptiveSummary:
    return AdaptiveSummary(
        calls=audit.calls,
        calls_full=audit.calls_full,
        cases=audit.cases,
        least_cases=MIN_FOR_CORRELATION,
        in_top=audit.in_top,
        least_in_top=MIN_IN_TOP,
        missed=rounded_or_none(audit.share),
        low=rounded_or_none(audit.low),
        high=rounded_or_none(audit.high),
        rank_correlation=rounded_or_none(audit.rank_correlation),
    )
