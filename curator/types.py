"""The types of public signatures that `curator` does not export, and the aliases of inputs."""

from __future__ import annotations

from curator.committee.cost import (
    Estimate as CostEstimate,
)
from curator.committee.questions import (
    QuestionEstimate,
)
from curator.config import (
    ClusteringConfig,
    DedupeConfig,
    LabellingConfig,
    LogsConfig,
    SelectionConfig,
)
from curator.disagreement.calibration import (
    Term,
)
from curator.disagreement.equivalence.comparers import (
    Comparer,
    ComparerFactory,
)
from curator.disagreement.score import (
    Formula,
)
from curator.disagreement.task_effects import (
    TaskEffect,
)
from curator.encoders.sentence import (
    Encoder,
)
from curator.estimation.comparison.distillation import (
    CrossValidation,
)
from curator.estimation.comparison.multiple import (
    SystemRank,
)
from curator.estimation.failure_rate import (
    Estimate,
)
from curator.estimation.sample_design import (
    Stage,
)
from curator.labels.agreement import (
    Agreement,
)
from curator.labels.batches import (
    Workload,
)
from curator.progress import (
    Progress,
)
from curator.readers.account import (
    ReadAccount,
)
from curator.readers.read import (
    LogReading,
)
from curator.records import (
    Document,
    Feedback,
    JsonValue,
    JudgeQuality,
    LoggedAnswer,
    MemberHealth,
    Message,
    PartQuality,
    Pick,
    ReadingEvidence,
    Reference,
    ScoreQuality,
    Source,
    StrategyYield,
    TaskQuality,
    TaskReadings,
    Usage,
    Verdict,
)
from curator.records.committee_advice import (
    Addition,
    CommitteeAdvice,
    Interval,
    NoiseSource,
    PartSize,
)
from curator.records.loop import (
    LoopRound,
    SavedLabels,
    SliceErrors,
    WaitingRound,
)
from curator.records.result import (
    Result,
    TableResult,
)
from curator.records.token_logprobs import (
    TokenLogprobs,
)
from curator.report.summary import (
    Summary,
)
from curator.run_folder.calibration import FittedResult
from curator.run_folder.cases import (
    CaseRow,
)
from curator.run_folder.categories import (
    CategoryRow,
)
from curator.selection.training_batch import (
    TrainingBatch,
)
from curator.stages.ingest import (
    IngestResult,
)
from curator.workflows.comparison_result import (
    MissingPolicy,
    PairComparison,
)
from curator.workflows.doubtful_labels import (
    DoubtfulLabel,
    DoubtfulLabels,
)
from curator.workflows.estimate import (
    Drawn,
)
from curator.workflows.export import (
    ExportedFile,
)
from curator.workflows.inputs import (
    HasFolder,
    HasSource,
    PathLike,
    Paths,
)
from curator.workflows.label_exchange import ImportedLabels
from curator.workflows.leaks import Leak
from curator.workflows.pool import (
    PoolInput,
)
from curator.workflows.question_sets import Records
from curator.workflows.run import (
    RunOptions,
)
from curator.workflows.score import Recordings
from curator.workflows.score_report import (
    ScoreFigures,
)
from curator.workflows.system_scores import Results

__all__ = [
    "Addition",
    "Agreement",
    "CaseRow",
    "CategoryRow",
    "ClusteringConfig",
    "CommitteeAdvice",
    "Comparer",
    "ComparerFactory",
    "CostEstimate",
    "CrossValidation",
    "DedupeConfig",
    "Document",
    "DoubtfulLabel",
    "DoubtfulLabels",
    "Drawn",
    "Encoder",
    "Estimate",
    "ExportedFile",
    "Feedback",
    "FittedResult",
    "Formula",
    "HasFolder",
    "HasSource",
    "ImportedLabels",
    "IngestResult",
    "Interval",
    "JsonValue",
    "JudgeQuality",
    "LabellingConfig",
    "Leak",
    "LogReading",
    "LoggedAnswer",
    "LogsConfig",
    "LoopRound",
    "MemberHealth",
    "Message",
    "MissingPolicy",
    "NoiseSource",
    "PairComparison",
    "PartQuality",
    "PartSize",
    "PathLike",
    "Paths",
    "Pick",
    "PoolInput",
    "Progress",
    "QuestionEstimate",
    "ReadAccount",
    "ReadingEvidence",
    "Recordings",
    "Records",
    "Reference",
    "Result",
    "Results",
    "RunOptions",
    "SavedLabels",
    "ScoreFigures",
    "ScoreQuality",
    "SelectionConfig",
    "SliceErrors",
    "Source",
    "Stage",
    "StrategyYield",
    "Summary",
    "SystemRank",
    "TableResult",
    "TaskEffect",
    "TaskQuality",
    "TaskReadings",
    "Term",
    "TokenLogprobs",
    "TrainingBatch",
    "Usage",
    "Verdict",
    "WaitingRound",
    "Workload",
]
