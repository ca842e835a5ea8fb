"""Writes the run folder. Everything but `manifest.json` is a function of the logs, the config and the stored answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from curator.committee.engine import Sampled
from curator.committee.plan import Plan
from curator.config import Config
from curator.records import Case, FailureRate, Generation
from curator.run_folder.calibration import CalibrationFile
from curator.selection.adaptive_audit import Missed
from curator.stages.embed_and_cluster import ClusterResult
from curator.stages.equivalence import JudgeUsage
from curator.stages.export import ExportResult
from curator.stages.holdout import HoldoutSplit
from curator.stages.ingest import IngestResult
from curator.stages.pick import SelectionResult
from curator.stages.score import ScoringResult


@dataclass(frozen=True, slots=True)
class RunArtifacts:
    """All that a run knows when it comes to writing.

    `missed` is None where every case got the whole committee, `judged` where no judge was asked, `fitted` where the
    config names no calibration, and `rate` where there are no labels.
    """

    config: Config
    started: datetime
    intake: IngestResult
    plan: Plan
    sampled: Sampled
    generations: Mapping[str, Sequence[Generation]]
    scored: ScoringResult
    studied: ClusterResult
    picked: SelectionResult
    guarded: HoldoutSplit
    exports: ExportResult
    missed: Missed | None = None
    judged: JudgeUsage | None = None
    fitted: CalibrationFile | None = None
    rate: FailureRate | None = None


def _labels(config: Config, case: Case) -> tuple[str, ...]:
    return config.tasks[case.task].labels if case.task in config.tasks else ()


def _files(intake: IngestResult) -> list[str]:
    return sorted(
        {c.source.file for c in intake.cases}
        | {m.source.file for m in intake.merged}
        | {u.source.file for u in intake.unreadable}
    )
