"""The results of a run's stages, the source of the summary, the manifest and the files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from curator.committee.questions import QuestionUsage
from curator.config import Config
from curator.records import FailureRate, JudgeQuality, ScoreQuality, StrategyYield
from curator.run_folder.calibration import CalibrationFile
from curator.selection.adaptive_audit import CascadeAudit
from curator.stages.ask import SamplingResult
from curator.stages.ask_attributes import NO_ATTRIBUTES, AttributeAnswers
from curator.stages.categorise import CategoryResult
from curator.stages.corrected_categories import NO_CATEGORIES, CorrectedCategories
from curator.stages.embed_and_cluster import EmbeddedCases
from curator.stages.export import ExportResult
from curator.stages.holdout import HoldoutSplit
from curator.stages.ingest import IngestResult
from curator.stages.judge_answers import NO_JUDGEMENTS, Judgements
from curator.stages.pick import SelectionResult
from curator.stages.score import ScoringResult


@dataclass(frozen=True, slots=True)
class RunArtifacts:
    """The job, the result of each stage in order, and the figures that need several of them.

    Attributes:
        config: the job.
        started: when the run began, in UTC.
        ingest: the cases of the logs.
        sampling: the committee's answers, and what they cost.
        scoring: their disagreement.
        embedded: the embedded cases.
        categories: the ways in which production fails, or the committee is split.
        selection: the picks, and how they were drawn.
        holdout: the split of each group, and the leaks.
        exports: the eval set and the training data.
        calibration: the file that the config names; None without one.
        failure_rate: of production; None where there are no labels.
        score_quality: of the ranking, by labels; None without a label of the random slice.
        yields: the failures among the labels of each slice.
        judge: measured by labels; None where no labelled case has its verdict.
        other_answers: sentences on labels of earlier nights that are about other answers.
        by_people: the category of each case, by people where they corrected it.
        audit: what an adaptive committee missed; None where every case got the whole committee.
        attributes: the answers of a model to questions about the cases.
        judgements: the verdicts of a judge on production's answers.
        judge_ranking_weight: how far a verdict of the judge moves a case in the ranking, in shares of all cases.
        names: the use of the model that named categories; None where templates named all.
    """

    config: Config
    started: datetime
    ingest: IngestResult
    sampling: SamplingResult
    scoring: ScoringResult
    embedded: EmbeddedCases
    categories: CategoryResult
    selection: SelectionResult
    holdout: HoldoutSplit
    exports: ExportResult
    calibration: CalibrationFile | None = None
    failure_rate: FailureRate | None = None
    score_quality: ScoreQuality | None = None
    yields: tuple[StrategyYield, ...] = ()
    judge: JudgeQuality | None = None
    other_answers: tuple[str, ...] = ()
    by_people: CorrectedCategories = NO_CATEGORIES
    audit: CascadeAudit | None = None
    attributes: AttributeAnswers = NO_ATTRIBUTES
    judgements: Judgements = NO_JUDGEMENTS
    names: QuestionUsage | None = None
    judge_ranking_weight: float = 0.0

    @property
    def beside_usd(self) -> float:
        """US dollars of the replies of models beside the committee, stored ones included."""
        usages = (self.sampling.judged, self.names, self.attributes.usage, self.judgements.usage)
        return math.fsum(usage.usd for usage in usages if usage)
