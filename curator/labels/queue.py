"""The label queue: the selected cases that a person has to label, batch by batch.

A person fills `verdict` (how good production's answer is) or `label` (the right answer), or both, a `note`, a
`corrected_category`, and, where several people share the work, `labelled_by`: docs/labelling.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import cast, get_args

from curator.config import LabellingConfig
from curator.io.json_rows import Fields
from curator.labels.batches import Assignment, Task, assignments
from curator.readers.documents import read_documents
from curator.readers.messages import read_messages
from curator.records import Case, Category, Document, JsonValue, Label, Message, Pick, Score, Slice, Split, fingerprint
from curator.records.selections import category_names
from curator.report.answer_groups import AnswerGroup

UNSURE = "unsure"
"""The verdict of a person who looked at a case and could not judge it."""
VERDICTS = ("pass", "fail", UNSURE)
"""The verdicts that a label tool offers."""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One case to label.

    Attributes:
        batch: its batch, from 1.
        case_id: the case; a label has to come back with it.
        content_hash: fingerprint of the case, its input and its answer, which shows cells that moved between rows.
        split: eval or train.
        slice: drawn at random, or chosen for its disagreement.
        inclusion_probability: the chance with which it was drawn, above 0 and up to 1.
        task: the part of the application; None where it is not known.
        kind: of the answers.
        input: the conversation, as a person reads it.
        target: production's answer, which is to be judged; None where there is none.
        committee_majority: the committee's most frequent answer.
        agreement: the share of the answers that say the same as it.
        disagreement: of the committee, 0..1.
        alternatives: the committee's answers in groups that mean the same.
        category: the name of its category; None where it is in none.
        annotator: the person who should label it, "" for anybody.
        verdict: the mark that an earlier look left: `unsure`, "" without one.
        note: of that person, "" for nothing.
        messages: the conversation turn by turn.
        documents: those that were retrieved for it.
        labels: the labels that an answer can be; () where they are not fixed.
    """

    batch: int
    case_id: str
    content_hash: str
    split: Split
    slice: Slice
    inclusion_probability: float
    task: str | None
    kind: str | None
    input: str
    target: str | None
    committee_majority: str | None
    agreement: float | None
    disagreement: float | None
    alternatives: tuple[AnswerGroup, ...]
    category: str | None
    annotator: str
    messages: tuple[Message, ...] = ()
    documents: tuple[Document, ...] = ()
    labels: tuple[str, ...] = ()
    verdict: str = ""
    note: str = ""

    @property
    def question(self) -> str:
        """The last turn of the user; the whole conversation where the turns are not known."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), self.input)

    def to_json(self) -> dict[str, JsonValue]:
        """The row by column; `verdict`, `label`, `note` and `corrected_category` are to fill in."""
        return {
            "batch": self.batch,
            "case_id": self.case_id,
            "content_hash": self.content_hash,
            "split": self.split,
            "slice": self.slice,
            "inclusion_probability": self.inclusion_probability,
            "task": self.task,
            "kind": self.kind,
            "input": self.input,
            "target": self.target,
            "committee_majority": self.committee_majority,
            "agreement": self.agreement,
            "disagreement": self.disagreement,
            "alternatives": [
                {"text": answer.text, "count": answer.count, "is_target": answer.is_target}
                for answer in self.alternatives
            ],
            "category": self.category,
            "verdict": self.verdict,
            "label": "",
            "note": self.note,
            "corrected_category": "",
            "labelled_by": self.annotator,
            "messages": [message.as_openai() for message in self.messages],
            "documents": [
                {"text": d.text, "id": d.id, "score": d.score, "metadata": dict(d.metadata)} for d in self.documents
            ],
            "allowed_labels": list(self.labels),
        }

    @classmethod
    def from_json(cls, row: object) -> QueueRow:
        """Read a row that `to_json` made; a verdict or a label that a person filled in is left out.

        Raises:
            RecordError: a field is missing, or of another type.
        """
        values = Fields.of(row)
        alternatives = [Fields.of(answer) for answer in values.items("alternatives")]
        return cls(
            batch=values.whole("batch"),
            case_id=values.text("case_id"),
            content_hash=values.text("content_hash"),
            split=cast("Split", values.one_of("split", get_args(Split))),
            slice=cast("Slice", values.one_of("slice", get_args(Slice))),
            inclusion_probability=values.number("inclusion_probability"),
            task=values.optional_text("task"),
            kind=values.optional_text("kind"),
            input=values.text("input"),
            target=values.optional_text("target"),
            committee_majority=values.optional_text("committee_majority"),
            agreement=values.optional_number("agreement"),
            disagreement=values.optional_number("disagreement"),
            alternatives=tuple(
                AnswerGroup(
                    answer.optional_text("text") or "",
                    answer.whole("count"),
                    (),
                    is_target=answer.value("is_target") is True,
                )
                for answer in alternatives
            ),
            category=values.optional_text("category"),
            annotator=values.optional_text("labelled_by") or "",
            messages=read_messages(values.value("messages") or []),
            documents=read_documents(values.value("documents") or []),
            labels=values.texts("allowed_labels"),
            verdict=UNSURE if values.optional_text("verdict") == UNSURE else "",
            note=values.optional_text("note") or "",
        )


def queue_rows(  # noqa: PLR0913  what a row shows comes from every stage
    picks: Iterable[Pick],
    *,
    cases: Mapping[str, Case],
    scores: Mapping[str, Score],
    answers_of: Callable[[str], Sequence[AnswerGroup]],
    labels_of: Callable[[Case], tuple[str, ...]] = lambda _: (),
    categories: Iterable[Category] = (),
    labelling: LabellingConfig = LabellingConfig(),  # noqa: B008  it is frozen
    seed: int = 0,
    unsure: Mapping[str, Label] = MappingProxyType({}),
    difficulty: Mapping[str, float] = MappingProxyType({}),
) -> Iterator[QueueRow]:
    """Yield a row for each pick without a verdict or reference, in the order of the batches.

    Picks of slice `random` count as the estimation draw, with their rank as the order of drawing. A case that two people
    label has two rows. Cases that a person was `unsure` of, by id, come last and keep their mark, note and person, or are left out,
    as `labelling.unsure` says. `difficulty`, 0..1 by case id, mixes hard and easy cases instead of the committee's disagreement.
    """
    category_of = category_names(categories)
    without_label = {p.case_id: p for p in picks if cases[p.case_id].needs_label}
    to_label = {case_id: pick for case_id, pick in without_label.items() if case_id not in unsure}
    tasks = [
        Task(
            p.case_id, p.slice == "random", p.rank, difficulty.get(p.case_id, _disagreement(scores.get(p.case_id))),
            category_of.get(p.case_id),
        )
        for p in to_label.values()
    ]  # fmt: skip
    assigned = assignments(tasks, labelling, seed=seed)
    last = 1 + max((assignment.batch for assignment in assigned), default=0)
    looked_at = [
        Assignment(case_id, last, unsure[case_id].by)
        for case_id in without_label
        if case_id in unsure and labelling.unsure == "last"
    ]
    for assignment in (*assigned, *looked_at):
        case_id = assignment.case_id
        row = _row(
            cases[case_id],
            without_label[case_id],
            assignment,
            scores.get(case_id),
            answers_of(case_id),
            category_of.get(case_id),
            labels_of(cases[case_id]),
        )
        yield replace(row, verdict=UNSURE, note=unsure[case_id].note) if case_id in unsure else row


def readable(messages: Iterable[Message]) -> str:
    """A conversation as a person reads it: each turn under its role."""
    return "\n\n".join(f"[{m.role}]\n{turn_text(m)}" for m in messages)


def _row(
    case: Case,
    pick: Pick,
    assignment: Assignment,
    score: Score | None,
    answers: Sequence[AnswerGroup],
    category: str | None,
    labels: tuple[str, ...],
) -> QueueRow:
    shown = readable(case.messages)
    return QueueRow(
        batch=assignment.batch,
        case_id=case.id,
        content_hash=fingerprint(case.id, shown, case.target),
        split=pick.split,
        slice=pick.slice,
        inclusion_probability=pick.inclusion_probability,
        task=case.task,
        kind=case.kind or (score.kind if score else None),
        input=shown,
        target=case.target,
        committee_majority=score.majority if score else None,
        agreement=score.agreement if score else None,
        disagreement=_disagreement(score),
        alternatives=tuple(answers),
        category=category,
        annotator=assignment.annotator,
        messages=case.messages,
        documents=case.documents,
        labels=labels,
    )


def _disagreement(score: Score | None) -> float | None:
    return score.disagreement if score else None


def turn_text(message: Message) -> str:
    """Return a turn as a person reads it: its text, then its tool calls."""
    calls = [f"-> {call.name}({call.arguments})" for call in message.tool_calls]
    return "\n".join([message.content, *calls] if message.content else calls)
