"""Writes the run folder. Everything but `manifest.json` is a function of the logs, the config and the stored answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from curator.contamination.records import Match
from curator.disagreement.diagnosis.diagnose import LEAST_GROUP, diagnose
from curator.records import Diagnosis
from curator.report.summarise import RunRecords
from curator.report.summary import (
    AdaptiveSummary,
    CalibrationSummary,
    CoverageSummary,
    FinetuneSummary,
    FitSummary,
    Leak,
    RegionSummary,
    Summary,
)
from curator.run_folder.calibration import CalibrationFile
from curator.selection.adaptive_audit import LEAST_IN_TOP, Missed
from curator.selection.coverage import Region
from curator.stages.artifacts import RunArtifacts, _files
from curator.stages.equivalence import JudgeUsage
from curator.stats import MIN_FOR_CORRELATION, rounded
from curator.text.display import one_line

MOST_LEAKS = 10
"""Leaks that the report shows."""
MOST_REGIONS = 5
"""Regions without a pick that it shows."""
LEAK_CHARACTERS = 160


def _with_judge(summary: Summary, judged: JudgeUsage | None) -> Summary:
    """The summary with what the judge cost on top of the committee."""
    if judged is None:
        return summary
    cost = rounded(summary.committee.cost_usd + judged.usd)
    return replace(summary, committee=replace(summary.committee, cost_usd=cost))


def _records(
    run: RunArtifacts, finetune: FinetuneSummary, outputs: Mapping[str, int], diagnoses: Mapping[str, Diagnosis]
) -> RunRecords:
    patterns = run.scored.patterns
    return RunRecords(
        name=run.config.name,
        logs=_files(run.intake),
        read=run.intake.read,
        cases=run.intake.cases,
        merged=run.intake.merged,
        unreadable=run.intake.unreadable,
        members=run.plan.members,
        generations=run.generations,
        scores=run.scored.scores,
        answers_of=run.scored.answers.__getitem__,
        embedded=run.studied.ids,
        layout=run.studied.places,
        categories=run.studied.categories,
        picks=run.picked.picks,
        finetune=finetune,
        outputs=outputs,
        health=run.scored.health,
        noise=run.scored.noise,
        blind=run.scored.blind,
        diagnoses=diagnoses,
        diagnose=lambda ids: diagnose([patterns[i] for i in ids], least=LEAST_GROUP),
        adaptive=None if run.missed is None else _adaptive(run.missed),
        calibration=None if run.fitted is None else _fitted(run.fitted),
        failure_rate=run.rate,
        coverage=_coverage(run),
        gone=run.studied.gone,
    )


def _leak(match: Match) -> Leak:
    """A match in the report's own terms."""
    return Leak(
        case_id=match.row,
        held_out_id=match.held,
        kind=match.kind,
        similarity=rounded(match.similarity),
        shared=match.shared,
        question=one_line(match.question, LEAK_CHARACTERS),
        held_out_question=one_line(match.held_text, LEAK_CHARACTERS),
    )


def _coverage(run: RunArtifacts) -> CoverageSummary | None:
    """What the picks stand for, in the report's own terms; None where nothing was embedded."""
    found = run.picked.discovery
    if not found.regions:
        return None
    picked = {pick.case_id for pick in run.picked.picks}
    users = {case.id: case.user for case in run.intake.asked}

    def told(region: Region) -> RegionSummary:
        return RegionSummary(
            name=region.name,
            cases=region.cases,
            picks=len(picked & set(region.case_ids)),
            evidence=region.evidence,
            example=one_line(users[region.case_ids[0]], LEAK_CHARACTERS),
        )

    parts = [told(region) for region in found.regions if region.kind != "outliers"]
    unseen = [part for part in parts if not part.picks]
    return CoverageSummary(
        embedded=sum(part.cases for part in parts),
        represented=rounded(found.represented),
        unseen=tuple(unseen[:MOST_REGIONS]),
        unseen_regions=len(unseen),
        regions=len(parts),
        outliers=next((told(region) for region in found.regions if region.kind == "outliers"), None),
    )


def _fitted(file: CalibrationFile) -> CalibrationSummary:
    """What the calibration is, in the report's own terms."""
    found = file.calibration
    if found is None:
        return CalibrationSummary(used=False, fit=None)
    fit = FitSummary(
        cases=found.cases,
        failures=found.failures,
        default_auroc=rounded(found.default_auroc),
        fitted_auroc=rounded(found.fitted_auroc),
        gain=rounded(found.gain),
        low=rounded(found.low),
        high=rounded(found.high),
    )
    return CalibrationSummary(used=found.better, fit=fit)


def _adaptive(missed: Missed) -> AdaptiveSummary:
    """What the selection measured, in the report's own terms."""

    def known(value: float | None) -> float | None:
        return None if value is None else rounded(value)

    return AdaptiveSummary(
        calls=missed.calls,
        calls_full=missed.calls_full,
        cases=missed.cases,
        least_cases=MIN_FOR_CORRELATION,
        in_top=missed.in_top,
        least_in_top=LEAST_IN_TOP,
        missed=known(missed.share),
        low=known(missed.low),
        high=known(missed.high),
        rank_correlation=known(missed.rank_correlation),
    )
