"""`categories.jsonl`: one row per category of failures, with the ids of its cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from curator.errors import LogsError, RecordError
from curator.io.json_rows import RESTORE, rows_of
from curator.records import AnswerSide, Aspect, Basis, CategoryChange, Diagnosis, JsonValue
from curator.report.category_text import too_few_labels
from curator.report.summary_cases import CategorySummary, LabelSummary, VariantSummary
from curator.run_folder.layout import CATEGORIES


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """A category of failures, as a run wrote it.

    Means are None below three values, the failure rate below ten labels.

    Attributes:
        id: the same from night to night.
        name: a few words.
        sentence: what fails, without figures.
        parent: the id of the category that it is a part of; None at the top level.
        task: of its cases; "" where they are of several tasks.
        aspect: the respect in which the answers differ; None where several are.
        basis: the two sides whose difference it is.
        sides: the groups of answers that face each other, with their shares.
        keywords: the words that tell its inputs from the others of the task.
        cases: the number of its cases, those of its parts included.
        records: the log records that they represent.
        traffic_share: its share of the log records behind the asked cases, 0..1.
        disagreement: the mean score, 0..1.
        spread: the mean difference between the committee's own answers, 0..1.
        spread_within: the part of it inside one prompt.
        spread_between: the part of it between prompts and models.
        against_target: the mean share of the committee's answers that contradict production's in what the category is about.
        labels: the labels so far, with the failure rate of the labelled cases.
        expected_failures: log records that are expected to fail; None where nothing suggests a rate.
        thumbs_down: the share of users' thumbs that are down.
        corrected: the cases whose only label is a user's correction.
        diagnosis: of all its cases together.
        best_variant: the prompt variant that does best; None without a difference beyond chance.
        change: since the night before; None on the first night.
        first_seen: the date of the first night that had it; "" where nights are not tracked.
        last_seen: the date of the last one.
        named_by: `template`, or the model that wrote the name.
        central: its three most central cases.
        border: the case that fits it least; None with fewer than five cases.
        case_ids: all its cases, the most central ones first.
        queue: those in the label queue.
        eval_set: those in the eval set.
    """

    id: str
    name: str
    sentence: str
    parent: str | None
    task: str
    aspect: Aspect | None
    basis: Basis
    sides: tuple[AnswerSide, ...]
    keywords: tuple[str, ...]
    cases: int
    records: int
    traffic_share: float
    disagreement: float | None
    spread: float | None
    spread_within: float | None
    spread_between: float | None
    against_target: float | None
    labels: LabelSummary
    expected_failures: float | None
    thumbs_down: float | None
    corrected: int
    diagnosis: Diagnosis
    best_variant: VariantSummary | None
    change: CategoryChange | None
    first_seen: str
    last_seen: str
    named_by: str
    central: tuple[str, ...]
    border: str | None
    case_ids: tuple[str, ...]
    queue: tuple[str, ...]
    eval_set: tuple[str, ...]

    @classmethod
    def of(cls, summary: CategorySummary, case_ids: Sequence[str]) -> CategoryRow:
        """Make the row of a category; `case_ids` are all its cases, the most central ones first."""
        return cls(
            id=summary.id,
            name=summary.name,
            sentence=summary.sentence,
            parent=summary.parent,
            task=summary.task,
            aspect=summary.aspect,
            basis=summary.basis,
            sides=summary.sides,
            keywords=summary.keywords,
            cases=summary.cases,
            records=summary.records,
            traffic_share=summary.traffic_share,
            disagreement=summary.disagreement.value,
            spread=summary.spread.value,
            spread_within=summary.spread_within.value,
            spread_between=summary.spread_between.value,
            against_target=summary.against_target.value,
            labels=summary.labels,
            expected_failures=summary.expected_failures,
            thumbs_down=summary.thumbs_down.value,
            corrected=summary.corrected,
            diagnosis=summary.diagnosis,
            best_variant=summary.best_variant,
            change=summary.change,
            first_seen=summary.first_seen,
            last_seen=summary.last_seen,
            named_by=summary.named_by,
            central=tuple(case.case_id for case in summary.typical),
            border=summary.border.case_id if summary.border else None,
            case_ids=tuple(case_ids),
            queue=summary.queue,
            eval_set=summary.eval_set,
        )

    def to_json(self) -> dict[str, JsonValue]:
        """Return the line of the file: the fields, and in `labels` the reason for a missing rate."""
        return {**asdict(self), "labels": {**asdict(self.labels), "reason": too_few_labels(self.labels) or None}}

    @classmethod
    def from_json(cls, row: object) -> CategoryRow:
        """Read a line of the file; unknown fields are ignored.

        Raises:
            RecordError: a field is missing, or of another type.
        """
        try:
            return _reader().validate_python(row)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(map(str, first["loc"]))
            raise RecordError(f"`{field}`: {first['msg']}" if field else first["msg"], RESTORE) from error


@cache
def _reader() -> TypeAdapter[CategoryRow]:
    return TypeAdapter(CategoryRow)


def read_category_rows(folder: Path) -> tuple[CategoryRow, ...]:
    """Read `categories.jsonl` of a run folder.

    Raises:
        LogsError: the file is not there, or damaged.
    """
    path = CATEGORIES.of(folder)
    if not path.is_file():
        raise LogsError(f"{str(folder)!r} holds no {CATEGORIES}", remedy="name the folder that `curator run` wrote")
    try:
        return tuple(rows_of(path, CategoryRow.from_json))
    except RecordError as error:
        raise LogsError(error.reason, remedy=error.remedy) from error
