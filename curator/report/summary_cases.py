"""The parts of the summary that show cases: categories, typical cases, map and coverage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from curator.records import (
    AnswerSide,
    Aspect,
    Basis,
    CategoryChange,
    Diagnosis,
    DiagnosisName,
    Kind,
    PooledRate,
    Rate,
    ReferenceSource,
    Thumb,
)
from curator.report.word_diff import TextRun
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
class ShownContrast:
    """The two answers to a case that face each other, with the differing words marked.

    `given` is production's answer, or that of the smaller group of members where `basis` is `committee`.
    """

    basis: Basis
    given: tuple[TextRun, ...]
    expected: tuple[TextRun, ...]


@dataclass(frozen=True, slots=True)
class TypicalCase:
    """A case with its answers; `more_answers` groups with `more_votes` answers are not shown.

    `contrast` is None where no answer differs from another, or from the label.
    """

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
    contrast: ShownContrast | None = None


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """A field of structured answers, and the mean share of answer pairs that differ in it."""

    path: str
    disagreement: Figure


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """The labels of the cases of a category so far.

    Attributes:
        labelled: the cases that a label decides.
        failed: the failures among them, partial ones in part.
        rate: the failure rate with its interval; without values where the labels are too few.
        pooled: the rate of all its cases, shrunk to the mean of all categories; None with too few labels, and of a part.
        moved_out: cases that people put in another category; they are not among the labels.
        moved_in: cases of other categories, or of none, that people put in this one; they are among the labels.
    """

    labelled: int
    failed: float
    rate: Rate
    pooled: PooledRate | None = None
    moved_out: int = 0
    moved_in: int = 0


@dataclass(frozen=True, slots=True)
class PeopleCategory:
    """A category that only people named; `labels` are those of its cases."""

    name: str
    labels: LabelSummary


@dataclass(frozen=True, slots=True)
class VariantSummary:
    """The prompt variant that does best on a category.

    Attributes:
        name: of the variant.
        agreement: the share of its answers that match `reference`.
        reference: what they are compared with.
        n: the number of cases.
    """

    name: str
    agreement: float
    reference: Literal["labels", "majority"]
    n: int


@dataclass(frozen=True, slots=True)
class CategorySummary:
    """A named group of cases that fail, or may fail, in one way.

    Attributes:
        cases: all its cases, those of its parts included.
        records: the log records that they represent.
        traffic_share: its share of the log records behind the asked cases, 0..1.
        selected: the number of its cases among the picks.
        disagreement: the mean score, which cases are ranked by.
        spread: the mean difference between the committee's own answers; the next two are its parts.
        spread_within: inside one prompt.
        spread_between: between prompts and models.
        against_target: the mean share of the committee's answers that contradict production's in what the category is about.
        thumbs_down: the share of users' thumbs that are down.
        diagnosis: of all its cases together.
        diagnoses: the number of cases with each diagnosis.
        fields: those of structured answers that differ most.
        typical: the three most central cases.
        change: since the night before; None on the first night.
        sentence: what fails, without figures.
        parent: the id of the category that it is a part of; None at the top level.
        task: of its cases; "" where they are of several tasks.
        aspect: the respect in which the answers differ.
        basis: the two sides whose difference it is.
        sides: the groups of answers that face each other.
        labels: the labels so far.
        corrected: the cases whose only label is a user's correction. They are not among the labels: users correct failures only.
        expected_failures: log records that are expected to fail, see `category_summary`; None where nothing suggests a rate.
        best_variant: the prompt variant that does best on it; None without a difference between variants.
        border: the case that fits it least; None with fewer than five cases.
        queue: its cases in the label queue.
        eval_set: its cases in the eval set.
        first_seen: the date of the first night that had it; "" where nights are not tracked.
        last_seen: the date of the last one.
        named_by: `template`, or the model that wrote the name.
    """

    id: str
    name: str
    keywords: tuple[str, ...]
    cases: int
    records: int
    traffic_share: float
    selected: int
    disagreement: Figure
    spread: Figure
    spread_within: Figure
    spread_between: Figure
    against_target: Figure
    thumbs_down: Figure
    diagnosis: Diagnosis
    diagnoses: Mapping[DiagnosisName, int]
    fields: tuple[FieldSummary, ...]
    typical: tuple[TypicalCase, ...]
    change: CategoryChange | None = None
    sentence: str = ""
    parent: str | None = None
    task: str = ""
    aspect: Aspect | None = None
    basis: Basis = "production"
    sides: tuple[AnswerSide, ...] = ()
    labels: LabelSummary = LabelSummary(0, 0.0, Rate(None, None, None, 0))
    corrected: int = 0
    expected_failures: float | None = None
    best_variant: VariantSummary | None = None
    border: TypicalCase | None = None
    queue: tuple[str, ...] = ()
    eval_set: tuple[str, ...] = ()
    first_seen: str = ""
    last_seen: str = ""
    named_by: str = "template"


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
