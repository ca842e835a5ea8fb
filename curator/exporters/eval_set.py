"""`eval_set.jsonl`: one row per selected held-out case, for graders and estimates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import cast, get_args

from curator.exporters.exporter import Exporter
from curator.io.json_rows import Fields
from curator.readers.messages import read_messages
from curator.records import (
    KINDS,
    Case,
    Category,
    JsonValue,
    Kind,
    Label,
    Message,
    Pick,
    ReferenceSource,
    Scalar,
    Score,
    Slice,
)
from curator.records.labels import HALF
from curator.records.selections import category_names


@dataclass(frozen=True, slots=True)
class EvalRow:
    """A case of the eval set.

    A rate over the rows needs each row's `inclusion_probability`; its error needs the `stratum` and the `stage` that the case
    was drawn in.

    Attributes:
        id: of the case.
        messages: the conversation that production was asked with.
        target: production's answer; None where the log has none.
        reference: the trusted answer; None where there is none yet.
        reference_source: where `reference` is from.
        reference_by: the annotator or model that gave it.
        reference_at: when, ISO 8601 in UTC; "" where it is not known.
        failure: people's verdict on `target`, 0 (right) to 1 (wrong), of several people the mean; None without one.
        unsure: a person looked at the case and could not judge it.
        labelled_by: the people who labelled it, sorted.
        labelled_at: when the last of them did, as `reference_at`.
        label_source: the file and line of the label; "" without one.
        note: their remarks.
        corrected_category: the category that they put it in; None where they did not.
        kind: of the answers; None where it is not known.
        task: as logged.
        slice: `random` or `disagreement`.
        stage: the round of drawing, from 1.
        stratum: of the stage; None for discovery.
        inclusion_probability: of the draw; 1 for discovery.
        weight: the log records that the case represents.
        group: its near-duplicate group.
        disagreement: the score, 0..1; None, like its parts below, where the committee was not asked.
        within: the part of it inside a prompt.
        between: the part of it between prompts and models.
        against_target: the share of answers that differ from production's.
        category: the name of its top-level category; None where it is in none.
        options: the sampling options of the request.
        metadata: as logged.
        source: the file and line of the record.
        question_id: the same for all rows that ask the same question, and in which production answered differently.
        round: the round in which the case came into the set, from 1.
        user_id: the hash of the user, by which `curator purge` finds the row; None where it is not known.
        further: the other keys of a row in the file, which curator keeps.
    """

    id: str
    messages: tuple[Message, ...]
    target: str | None = None
    reference: str | None = None
    reference_source: ReferenceSource | None = None
    reference_by: str | None = None
    reference_at: str = ""
    failure: float | None = None
    unsure: bool = False
    labelled_by: tuple[str, ...] = ()
    labelled_at: str = ""
    label_source: str = ""
    note: str = ""
    corrected_category: str | None = None
    kind: Kind | None = None
    task: str | None = None
    slice: Slice = "random"
    stage: int = 1
    stratum: int | None = None
    inclusion_probability: float = 1.0
    weight: int = 1
    group: str = ""
    disagreement: float | None = None
    within: float | None = None
    between: float | None = None
    against_target: float | None = None
    category: str | None = None
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    source: str = ""
    question_id: str = ""
    round: int = 1
    user_id: str | None = None
    further: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def verdict(self) -> str | None:
        """`pass`, `fail`, `disputed` (people are evenly divided), `unsure`, or None without one."""
        if self.failure is None:
            return "unsure" if self.unsure else None
        return "disputed" if self.failure == HALF else "pass" if self.failure < HALF else "fail"

    @property
    def labelled(self) -> bool:
        """A verdict or a trusted answer says what is right."""
        return self.failure is not None or self.reference is not None

    @property
    def question(self) -> str:
        """The last user message, "" if there is none."""
        return next((message.content for message in reversed(self.messages) if message.role == "user"), "")

    def to_json(self) -> dict[str, JsonValue]:
        """Return the line of the file; `input` has the shape of the chat-completions API."""
        return {
            "id": self.id,
            "input": [message.as_openai() for message in self.messages],
            "target": self.target,
            "reference": self.reference,
            "reference_source": self.reference_source,
            "reference_by": self.reference_by,
            "reference_at": self.reference_at,
            "verdict": self.verdict,
            "failure": self.failure,
            "labelled_by": list(self.labelled_by),
            "labelled_at": self.labelled_at,
            "label_source": self.label_source,
            "note": self.note,
            "corrected_category": self.corrected_category,
            "kind": self.kind,
            "task": self.task,
            "slice": self.slice,
            "stage": self.stage,
            "stratum": self.stratum,
            "inclusion_probability": self.inclusion_probability,
            "weight": self.weight,
            "group": self.group,
            "disagreement": self.disagreement,
            "within": self.within,
            "between": self.between,
            "against_target": self.against_target,
            "category": self.category,
            "options": dict(self.options),
            "metadata": dict(self.metadata),
            "source": self.source,
            "question_id": self.question_id,
            "round": self.round,
            "user_id": self.user_id,
            **self.further,
        }

    @classmethod
    def from_json(cls, row: object) -> EvalRow:
        """Read a line of the file; other keys than those of curator are kept as they are.

        Raises:
            RecordError: the row has no `id` or no `input`, or a field of another type.
        """
        values = Fields.of(row)
        return cls(
            id=values.text("id"),
            messages=read_messages(values.values.get("input")),
            target=values.optional_text("target"),
            reference=values.optional_text("reference"),
            reference_source=cast(
                "ReferenceSource | None", values.optional_one_of("reference_source", get_args(ReferenceSource))
            ),
            reference_by=values.optional_text("reference_by"),
            reference_at=values.optional_text("reference_at") or "",
            failure=values.optional_number("failure"),
            unsure=values.optional_text("verdict") == "unsure",
            labelled_by=values.texts("labelled_by"),
            labelled_at=values.optional_text("labelled_at") or "",
            label_source=values.optional_text("label_source") or "",
            note=values.optional_text("note") or "",
            corrected_category=values.optional_text("corrected_category"),
            kind=cast("Kind | None", values.optional_one_of("kind", KINDS)),
            task=values.optional_text("task"),
            slice=cast("Slice", values.one_of("slice", get_args(Slice))),
            stage=values.whole("stage", 1),
            stratum=values.optional_whole("stratum"),
            inclusion_probability=values.number("inclusion_probability"),
            weight=values.whole("weight", 1),
            group=values.optional_text("group") or "",
            disagreement=values.optional_number("disagreement"),
            within=values.optional_number("within"),
            between=values.optional_number("between"),
            against_target=values.optional_number("against_target"),
            category=values.optional_text("category"),
            options=values.object("options"),
            metadata=values.scalars("metadata"),
            source=values.optional_text("source") or "",
            question_id=values.optional_text("question_id") or "",
            round=values.whole("round", 1),
            user_id=values.optional_text("user_id"),
            further={key: value for key, value in values.values.items() if key not in _KEYS},
        )


_KEYS = frozenset(EvalRow("", ()).to_json())


EVAL_SET = Exporter(
    name="eval-set",
    description="the eval set: a selected held-out case with its reference, stratum and inclusion probability",
    file_name="eval_set.jsonl",
    row_type=EvalRow,
    to_row=EvalRow.to_json,
)


def eval_rows(
    picks: Iterable[Pick],
    *,
    cases: Mapping[str, Case],
    scores: Mapping[str, Score],
    categories: Iterable[Category] = (),
    labels: Mapping[str, Label] | None = None,
) -> Iterator[EvalRow]:
    """Yield the picks of split `eval` as rows, in order of rank, with people's `labels`."""
    names, labels = category_names(categories), labels or {}
    for pick in sorted((pick for pick in picks if pick.split == "eval"), key=lambda pick: pick.rank):
        case = cases[pick.case_id]
        row = _eval_row(case, pick, scores.get(case.id), names.get(case.id))
        yield with_label(row, case, labels.get(case.id))


def with_label(row: EvalRow, case: Case, label: Label | None) -> EvalRow:
    """Return the row with the reference and verdict of its case, and the rest of its label.

    A verdict or reference that this run does not know stays as it is in the row, and a person's reference comes before others.
    """
    reference = case.reference
    if reference is not None and (reference.source == "label" or row.reference_source != "label"):
        row = replace(
            row, reference=reference.text, reference_source=reference.source, reference_by=reference.by,
            reference_at=reference.at,
        )  # fmt: skip
    if label is None:
        return row
    verdict = case.verdict.failure if case.verdict else None
    return replace(
        row,
        failure=row.failure if verdict is None else verdict,
        unsure=label.unsure,
        labelled_by=label.people,
        labelled_at=label.at,
        label_source=str(label.source),
        note=label.note or row.note,
        corrected_category=label.category or row.corrected_category,
    )


def _eval_row(case: Case, pick: Pick, score: Score | None, category: str | None) -> EvalRow:
    return EvalRow(
        id=case.id,
        messages=case.messages,
        target=case.target,
        kind=case.kind or (score.kind if score else None),
        task=case.task,
        slice=pick.slice,
        stage=pick.stage,
        stratum=pick.stratum,
        inclusion_probability=pick.inclusion_probability,
        weight=case.weight,
        group=case.group,
        disagreement=score.disagreement if score else None,
        within=score.within if score else None,
        between=score.between if score else None,
        against_target=score.against_target if score else None,
        category=category,
        options=case.options,
        metadata=case.metadata,
        source=str(case.source),
        question_id=case.question or case.id,
        user_id=case.user_id,
    )
