"""The frozen records that pass between stages, and how they are written to JSON.

A stage takes records and returns records; nothing here reads, writes or decides. The words are those of
`docs/architecture.md`: a *case* is one production input with its context, a *member* one combination of model,
prompt variant and temperature, a *generation* one member's answer to one case, a *score* the disagreement of the answers to
one case, a *pick* a selected case.
"""

from curator.records.cases import (
    Case,
    Feedback,
    Message,
    Reference,
    Source,
    ToolCall,
    Verdict,
    case_id,
    with_group,
)
from curator.records.differences import ASPECTS, AnswerSide, Aspect, Basis, Contrast, Difference
from curator.records.findings import BlindShare, Diagnosis, FailureRate, MemberHealth, NoiseFloor, Rate
from curator.records.generations import Generation, Member, Score, Usage
from curator.records.identity import (
    CUT_NOTE,
    FORMULA_STARTS,
    dump_line,
    fingerprint,
    fingerprint_fits,
    normalise_space,
    random_order,
    stable_unit,
    task_name,
)
from curator.records.labels import Label
from curator.records.quality import PartQuality, ScoreQuality, ScoreVerdict, StrategyYield, TaskQuality
from curator.records.readings import ReadingEvidence, TaskReadings
from curator.records.rejected import DuplicateRecord, RejectedRecord, too_many_rejected
from curator.records.selections import Category, CategoryChange, GoneCategory, Pick
from curator.records.values import (
    KINDS,
    SLICES,
    STRATEGY_NAMES,
    AnswerKind,
    DiagnosisName,
    JsonValue,
    Kind,
    MergeReason,
    ReferenceSource,
    Role,
    Scalar,
    Slice,
    Split,
    StrategyName,
    Thumb,
    Trend,
)

__all__ = [
    "ASPECTS",
    "CUT_NOTE",
    "FORMULA_STARTS",
    "KINDS",
    "SLICES",
    "STRATEGY_NAMES",
    "AnswerKind",
    "AnswerSide",
    "Aspect",
    "Basis",
    "BlindShare",
    "Case",
    "Category",
    "CategoryChange",
    "Contrast",
    "Diagnosis",
    "DiagnosisName",
    "Difference",
    "DuplicateRecord",
    "FailureRate",
    "Feedback",
    "Generation",
    "GoneCategory",
    "JsonValue",
    "Kind",
    "Label",
    "Member",
    "MemberHealth",
    "MergeReason",
    "Message",
    "NoiseFloor",
    "PartQuality",
    "Pick",
    "Rate",
    "ReadingEvidence",
    "Reference",
    "ReferenceSource",
    "RejectedRecord",
    "Role",
    "Scalar",
    "Score",
    "ScoreQuality",
    "ScoreVerdict",
    "Slice",
    "Source",
    "Split",
    "StrategyName",
    "StrategyYield",
    "TaskQuality",
    "TaskReadings",
    "Thumb",
    "ToolCall",
    "Trend",
    "Usage",
    "Verdict",
    "case_id",
    "dump_line",
    "fingerprint",
    "fingerprint_fits",
    "normalise_space",
    "random_order",
    "stable_unit",
    "task_name",
    "too_many_rejected",
    "with_group",
]
