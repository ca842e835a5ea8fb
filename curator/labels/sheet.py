"""The columns of the label queue in a table: what people read and fill in comes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from curator.labels.queue import QueueRow, readable
from curator.records import CUT_NOTE, Document, JsonValue, Message
from curator.report.answer_groups import AnswerGroup
from curator.text.display import clean, cut

QUEUE_SHEET = "label queue"
"""The name of the sheet in a workbook."""
CELL_LIMIT = 32_000
"""UTF-16 units: a spreadsheet cell holds 32,767, and spoils the row beyond that."""
NO_ANSWER = "[production gave no answer: write the right one into `label`]"
_ALTERNATIVE_LIMIT = 300
_DOCUMENT_LIMIT = 4_000
Part = Literal["judge", "fill", "help", "program"]
"""The use of a column: to read first, to fill in, to look at where that is not enough, or for programs."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes:
        name: its header.
        part: its use.
        width: of the column in a workbook, in characters.
        value: its cell of a row; None for an empty one.
    """

    name: str
    part: Part
    width: int
    value: Callable[[QueueRow], JsonValue]


def _conversation(row: QueueRow) -> str | None:
    """Return the conversation where it is more than the question."""
    return None if row.input == as_conversation(row.question) else row.input


def as_conversation(question: str) -> str:
    """Return the conversation that is one question, as `input` has it."""
    return readable([Message("user", question)])


def _alternatives(row: QueueRow) -> str | None:
    return "\n".join(map(_alternative, row.alternatives)) or None


def _alternative(answer: AnswerGroup) -> str:
    shown = cut(answer.text, _ALTERNATIVE_LIMIT)
    return f"{answer.count} x {shown.text}" + (" ..." if shown.omitted else "")


def _documents(row: QueueRow) -> str | None:
    return "\n\n".join(map(_document, row.documents)) or None


def _document(document: Document) -> str:
    shown = cut(document.text, _DOCUMENT_LIMIT)
    head = f"[{document.id}]\n" if document.id else ""
    return f"{head}{shown.text}" + (" ..." if shown.omitted else "")


COLUMNS: tuple[Column, ...] = (
    Column("question", "judge", 60, lambda row: row.question),
    Column("answer", "judge", 60, lambda row: NO_ANSWER if row.target is None else row.target),
    Column("verdict", "fill", 10, lambda row: row.verdict),
    Column("label", "fill", 40, lambda _: None),
    Column("note", "fill", 30, lambda row: row.note),
    Column("labelled_by", "fill", 14, lambda row: row.annotator),
    Column("batch", "help", 7, lambda row: row.batch),
    Column("input", "help", 60, _conversation),
    Column("alternatives", "help", 50, _alternatives),
    Column("documents", "help", 50, _documents),
    Column("category", "help", 30, lambda row: row.category),
    Column("corrected_category", "fill", 30, lambda _: None),
    Column("allowed_labels", "help", 30, lambda row: "\n".join(row.labels) or None),
    Column("task", "help", 14, lambda row: row.task),
    Column("kind", "help", 10, lambda row: row.kind),
    Column("target", "program", 14, lambda row: row.target),
    Column("committee_majority", "program", 14, lambda row: row.committee_majority),
    Column("agreement", "program", 12, lambda row: row.agreement),
    Column("disagreement", "program", 12, lambda row: row.disagreement),
    Column("split", "program", 8, lambda row: row.split),
    Column("case_id", "program", 20, lambda row: row.case_id),
    Column("content_hash", "program", 20, lambda row: row.content_hash),
    Column("slice", "program", 14, lambda row: row.slice),
    Column("inclusion_probability", "program", 20, lambda row: row.inclusion_probability),
)
"""All columns, in their order. The last one is never empty: some programs leave empty last cells out."""
NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)


def cells(row: QueueRow) -> Mapping[str, JsonValue]:
    """Return the cells of a row by column; texts are safe to show and fit into a cell."""
    values = ((column.name, column.value(row)) for column in COLUMNS)
    return {name: fitting(value) if isinstance(value, str) else value for name, value in values}


def fitting(text: str) -> str:
    """Return a text that is safe to show, cut with a note where it is too long for a cell."""
    safe = clean(text)
    limit = CELL_LIMIT
    if len(safe) * 2 > CELL_LIMIT:  # characters beyond U+FFFF take two units each
        units = safe.encode("utf-16-le", "surrogatepass")[: 2 * CELL_LIMIT]
        limit = len(units.decode("utf-16-le", "ignore"))
    shown = cut(safe, limit)
    return f"{shown.text} [{shown.omitted}{CUT_NOTE}" if shown.omitted else shown.text
