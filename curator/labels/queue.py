"""The label queue: the selected cases that a person has to look at, for a spreadsheet (CSV) and for programs (JSONL).

It is in the order in which to label, batch by batch. A labeller fills `verdict` (how good production's answer is) or
`label` (the right answer), or both, and, where several people share the work, `labelled_by`: docs/labelling.md.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from curator.config import LabellingConfig
from curator.labels.batches import Assignment, Task, assignments
from curator.records import CUT_NOTE, FORMULA_STARTS, Case, Category, JsonValue, Message, Pick, Score, fingerprint
from curator.records.selections import category_names
from curator.report.answer_groups import AnswerGroup
from curator.text.display import clean, cut

LABEL_QUEUES = ("label_queue.csv", "label_queue.jsonl")
"""What a run folder has of it."""
COLUMNS = (
    "batch",
    "case_id",
    "content_hash",
    "split",
    "slice",
    "inclusion_probability",
    "task",
    "kind",
    "input",
    "target",
    "committee_majority",
    "agreement",
    "disagreement",
    "alternatives",
    "category",
    "verdict",
    "label",
    "labelled_by",
)
CELL_LIMIT = 32_000  # a spreadsheet cell holds 32,767 characters and spoils the row beyond that
_ALTERNATIVE_LIMIT = 300
_SMALL, _NOTHING = 0.01, 1e-9
"""Between them four decimals would tell too little of the chance with which a case of a large pool was drawn."""

QueueRow = dict[str, JsonValue]


def queue_rows(
    picks: Iterable[Pick],
    *,
    cases: Mapping[str, Case],
    scores: Mapping[str, Score],
    answers_of: Callable[[str], Sequence[AnswerGroup]],
    categories: Iterable[Category] = (),
    labelling: LabellingConfig = LabellingConfig(),  # noqa: B008  it is frozen
    seed: int = 0,
) -> Iterator[QueueRow]:
    """Yield a row for each pick that nobody judged and whose case has no reference yet, in the order of `selection/labelling.py`.

    Picks of slice `random` count as the estimation draw, with their rank as the order of drawing. A case that two people
    label has two rows.
    """
    named = category_names(categories)
    open_ones = {p.case_id: p for p in picks if not (cases[p.case_id].reference or cases[p.case_id].verdict)}
    tasks = [
        Task(p.case_id, p.slice == "random", p.rank, _disagreement(scores.get(p.case_id)), named.get(p.case_id))
        for p in open_ones.values()
    ]
    for row in assignments(tasks, labelling, seed=seed):
        case = cases[row.case_id]
        yield _row(case, open_ones[case.id], row, scores.get(case.id), answers_of(case.id), named.get(case.id))


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


def _row(
    case: Case,
    pick: Pick,
    place: Assignment,
    score: Score | None,
    answers: Sequence[AnswerGroup],
    category: str | None,
) -> QueueRow:
    shown = readable(case.messages)
    return {
        "batch": place.batch,
        "case_id": case.id,
        "content_hash": fingerprint(case.id, shown),
        "split": pick.split,
        "slice": pick.slice,
        "inclusion_probability": pick.inclusion_probability,
        "task": case.task,
        "kind": case.kind or (score.kind if score else None),
        "input": shown,
        "target": case.target,
        "committee_majority": score.majority if score else None,
        "agreement": score.agreement if score else None,
        "disagreement": score.disagreement if score else None,
        "alternatives": [{"text": a.text, "count": a.count} for a in answers],
        "category": category,
        "verdict": "",
        "label": "",
        "labelled_by": place.annotator,
    }


def _disagreement(score: Score | None) -> float | None:
    return score.disagreement if score else None


def _turn_text(message: Message) -> str:
    calls = [f"-> {call.name}({call.arguments})" for call in message.tool_calls]
    return "\n".join([message.content, *calls] if message.content else calls)


def _cell(value: JsonValue) -> str:
    """A value as the text of a cell: numbers with four digits or more, the alternatives one a line."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if _SMALL > value > _NOTHING else f"{value:.4f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        value = "\n".join(_alternative(item) for item in value if isinstance(item, dict))
    cell = cut(clean(str(value)), CELL_LIMIT)
    return f"{cell.text} [{cell.omitted}{CUT_NOTE}" if cell.omitted else cell.text


def _alternative(answer: Mapping[str, JsonValue]) -> str:
    shown = cut(str(answer["text"]), _ALTERNATIVE_LIMIT)
    return f"{answer['count']} x {shown.text}" + (" ..." if shown.omitted else "")


def _csv_line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode(errors="replace")
