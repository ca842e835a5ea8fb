"""The label queue: the selected cases that a person has to look at, for a spreadsheet (CSV) and for programs (JSONL).

A labeller fills `label` (the right answer) and, where several people share the work, `labelled_by`.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from curator.outputs.eval_set import category_names
from curator.records import FORMULA_STARTS, Case, Category, JsonValue, Message, Pick, Score
from curator.report.answers import AnswerGroup
from curator.report.text import clean, cut

LABEL_QUEUES = ("label_queue.csv", "label_queue.jsonl")
"""What a run folder has of it."""
COLUMNS = (
    "case_id",
    "content_hash",
    "split",
    "slice",
    "task",
    "kind",
    "input",
    "target",
    "committee_majority",
    "agreement",
    "disagreement",
    "alternatives",
    "category",
    "label",
    "labelled_by",
)
CELL_LIMIT = 32_000  # a spreadsheet cell holds 32,767 characters and spoils the row beyond that
_ALTERNATIVE_LIMIT = 300

QueueRow = dict[str, JsonValue]


def queue_rows(
    picks: Iterable[Pick],
    *,
    cases: Mapping[str, Case],
    scores: Mapping[str, Score],
    answers_of: Callable[[str], Sequence[AnswerGroup]],
    categories: Iterable[Category] = (),
) -> Iterator[QueueRow]:
    """Yield a row for each pick whose case has no reference yet, in order of rank."""
    named = category_names(categories)
    for pick in sorted(picks, key=lambda p: p.rank):
        case = cases[pick.case_id]
        if case.reference is None:
            yield _row(case, pick, scores.get(case.id), answers_of(case.id), named.get(case.id))


def csv_chunks(rows: Iterable[QueueRow]) -> Iterator[bytes]:
    """The rows as CSV with a byte-order mark, by which a spreadsheet knows that it is UTF-8.

    A cell that a spreadsheet would take for a formula gets a leading apostrophe (`guarded`), and one that is too long for
    a cell is cut with a note; the JSONL has every text as it is.
    """
    yield "\ufeff".encode()
    yield _csv_line(COLUMNS)
    for row in rows:
        yield _csv_line([guarded(_cell(row[column])) for column in COLUMNS])


def guarded(cell: str) -> str:
    """The cell so that no spreadsheet runs it: `'` before a leading = + - @, tab or carriage return.

    Taking away a `'` that stands before one of these gives the cell back.
    """
    return "'" + cell if cell.startswith(FORMULA_STARTS) else cell


def readable(messages: Iterable[Message]) -> str:
    """A conversation as a person reads it: each turn under its role."""
    return "\n\n".join(f"[{m.role}]\n{_turn_text(m)}" for m in messages)


def content_hash(text: str) -> str:
    """A fingerprint of the input as shown, by which a text that was edited in the spreadsheet can be told.

    It starts with a letter: a spreadsheet would turn sixteen digits into a rounded number.
    """
    return "h" + hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def _row(case: Case, pick: Pick, score: Score | None, answers: Sequence[AnswerGroup], category: str | None) -> QueueRow:
    shown = readable(case.messages)
    return {
        "case_id": case.id,
        "content_hash": content_hash(shown),
        "split": pick.split,
        "slice": pick.slice,
        "task": case.task,
        "kind": case.kind or (score.kind if score else None),
        "input": shown,
        "target": case.target,
        "committee_majority": score.majority if score else None,
        "agreement": score.agreement if score else None,
        "disagreement": score.disagreement if score else None,
        "alternatives": [{"text": a.text, "count": a.count} for a in answers],
        "category": category,
        "label": "",
        "labelled_by": "",
    }


def _turn_text(message: Message) -> str:
    calls = [f"-> {call.name}({call.arguments})" for call in message.tool_calls]
    return "\n".join([message.content, *calls] if message.content else calls)


def _cell(value: JsonValue) -> str:
    """A value as the text of a cell: numbers with four digits, the alternatives one a line."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        value = "\n".join(_alternative(item) for item in value if isinstance(item, dict))
    cell = cut(clean(str(value)), CELL_LIMIT)
    return f"{cell.text} [{cell.omitted} more characters: see the JSONL file]" if cell.omitted else cell.text


def _alternative(answer: Mapping[str, JsonValue]) -> str:
    shown = cut(str(answer["text"]), _ALTERNATIVE_LIMIT)
    return f"{answer['count']} x {shown.text}" + (" ..." if shown.omitted else "")


def _csv_line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode(errors="replace")
