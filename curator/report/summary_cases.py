"""The parts of the summary that show cases: categories, typical cases, map and coverage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from curator.records import (
    CategoryChange,
    Diagnosis,
    DiagnosisName,
    Kind,
    ReferenceSource,
    Thumb,
)
from curator.stats import Figure
from curator.text.display import Excerpt


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One group of equal answers to a typical case."""

    text: Excerpt
    count: int
    by: tuple[str, ...]
    is_target: bool
    readable: bool


@dataclass(frozen=True, slots=True)
class TypicalCase:
    """A case with its answers; `more_answers` groups with `more_votes` answers are not shown."""

    case_id: str
    source: str
    task: str | None
    kind: Kind | None
    weight: int
    thumb: Thumb | None
    disagreement: float | None
    input: Excerpt
    earlier_turns: int
    target: Excerpt | None
    reference: Excerpt | None
    reference_source: ReferenceSource | None
    answers: tuple[ShownAnswer, ...]
    more_answers: int
    more_votes: int
    failed: int


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """A field of structured answers, and the mean share of answer pairs that differ in it."""

    path: str
    disagreement: Figure


@dataclass(frozen=True, slots=True)
class CategorySummary:
    """A named group of cases.

    `traffic_share` is its share of the log records behind the asked cases. `diagnosis` is that of all its cases together;
    `diagnoses` counts those of the single cases.
    `fields` are those of structured answers that differ most. `change` compares it with the night before; None
    on the first night.
    """

    id: str
    name: str
    keywords: tuple[str, ...]
    cases: int
    records: int
    traffic_share: float
    selected: int
    disagreement: Figure
    within: Figure
    between: Figure
    against_target: Figure
    thumbs_down: Figure
    diagnosis: Diagnosis
    diagnoses: Mapping[DiagnosisName, int]
    fields: tuple[FieldSummary, ...]
    typical: tuple[TypicalCase, ...]
    change: CategoryChange | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A case on the map: x and y in 0..1; the id of its category, None without one."""

    case_id: str
    x: float
    y: float
    category: str | None
    selected: bool
    title: str


@dataclass(frozen=True, slots=True)
class RegionSummary:
    """A region of the embedded cases: their number, their picks, and a typical case."""

    name: str
    cases: int
    picks: int
    evidence: str
    example: str


@dataclass(frozen=True, slots=True)
class CoverageSummary:
    """The share of the embedded cases that the picks represent.

    Attributes:
        embedded: how many cases these are.
        represented: the share of them that lie as near to a discovery pick as cases usually do to their neighbours.
        unseen: the largest regions of them without any pick.
        unseen_regions: how many such regions there are, of `regions`.
        regions: how many there are in all.
        outliers: the cases far from all others; None where none stand out.
    """

    embedded: int
    represented: float
    unseen: tuple[RegionSummary, ...]
    unseen_regions: int
    regions: int
    outliers: RegionSummary | None
