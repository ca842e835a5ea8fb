"""The label page: the label queue as one HTML file, in which a person judges case by case.

The page loads nothing and sends nothing. Its labels stay in the browser until the person saves them as `DONE_NAME`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

import orjson
from markupsafe import Markup

from curator.labels.doubts import DOUBTFUL_WORDS, LONGEST_DOUBTFUL, quoted
from curator.labels.queue import QueueRow
from curator.labels.returned import DONE
from curator.labels.shown import by_case
from curator.labels.tool import QUEUE_STEM
from curator.records import Document, JsonValue, Message, stable_unit
from curator.report.answer_groups import AnswerGroup
from curator.report.static_page import inert_json, inline_text, page_environment
from curator.report.word_diff import Runs, TextRun, marked_in_all, marked_words
from curator.text.display import clean, cut, one_line
from curator.text.json_layout import laid_out

DONE_NAME = f"{QUEUE_STEM}{DONE}"
"""The file that the page saves; its columns are those of the queue that a label needs, and what the person gave."""
_PACKAGE = "curator.labels"
_SCRIPTS = ("label_store.js", "label_case.js", "label.js")
_TEXT_LIMIT = 100_000
"""Characters of a turn or a document that the page shows: about fifty pages of a book."""
_NAME_LIMIT = 200


def label_page(rows: Sequence[QueueRow], categories: Iterable[str] = ()) -> str:
    """Return the page for a label queue.

    Args:
        rows: the queue, in its order; the rows of a case that several people label show it once to each of them.
        categories: the names of all categories, among which a person chooses another one; those of the rows are added.
    """
    scripts = [inline_text(_PACKAGE, name) for name in _SCRIPTS]
    return (
        page_environment(_PACKAGE)
        .get_template("label.html.j2")
        .render(queue=Markup(inert_json(_payload(rows, categories)).decode()), scripts=scripts)  # noqa: S704  it holds no < > &
    )


def _payload(rows: Sequence[QueueRow], categories: Iterable[str]) -> dict[str, JsonValue]:
    """Return the cases as JSON, with a text that several of them share only once."""
    shared: dict[str, int] = {}
    names = dict.fromkeys([*categories, *(row.category for row in rows if row.category)])
    return {
        "queue": queue_identity(rows),
        "done": DONE_NAME,
        "doubtful": {"words": list[JsonValue](sorted(DOUBTFUL_WORDS)), "longest": LONGEST_DOUBTFUL},
        "categories": [{"name": name, "shown": one_line(name, _NAME_LIMIT)} for name in names],
        "cases": [_case(of_case, shared) for of_case in by_case(rows).values()],
        "texts": [_excerpt(text) for text in shared],
    }


def queue_identity(rows: Iterable[QueueRow]) -> str:
    """Return a hash of what is judged and of how it was drawn.

    The browser keeps labels under it, so that they are never shown with another answer or saved with another probability. The
    order of the cases and the people who label them are not part of it.
    """
    judged = {
        row.case_id: [row.content_hash, row.slice, row.inclusion_probability, row.kind, row.target, *sorted(a.text for a in row.alternatives)]
        for row in rows
    }  # fmt: skip
    return sha256(orjson.dumps(judged, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _case(rows: Sequence[QueueRow], shared: dict[str, int]) -> dict[str, JsonValue]:
    """Return a case for the page; values that it does not have are left out."""
    row = rows[0]
    answers = sorted(
        (a for a in row.alternatives if a.text.strip()), key=lambda a: stable_unit("label page", row.case_id, a.text)
    )
    compared = [marked_words(laid_out(row.target or ""), laid_out(answer.text)) for answer in answers]
    target = [left for answer, (left, _) in zip(answers, compared, strict=True) if not _says_the_same(answer, row)]
    case: dict[str, JsonValue] = {
        "case_id": row.case_id,
        "content_hash": row.content_hash,
        "slice": row.slice,
        "inclusion_probability": row.inclusion_probability,
        "kind": row.kind,
        "batch": row.batch,
        "people": [other.annotator for other in rows if other.annotator],
        "task": one_line(row.task, _NAME_LIMIT) if row.task else None,
        "category": row.category,
        "marked": row.verdict or None,
        "note": row.note or None,
        "turns": _turns(row, shared),
        "documents": [_document(document, shared) for document in row.documents],
        "target": None if row.target is None else _runs(_target_runs(row.target, target)),
        "answers": [
            _answer(answer, right if row.target is not None else (), row)
            for answer, (_, right) in zip(answers, compared, strict=True)
        ],
        "labels": [
            _option(label, row) for label in row.labels if label not in {row.target, *(a.text for a in answers)}
        ],
    }
    return {name: value for name, value in case.items() if value not in (None, [])}


def _target_runs(target: str, compared: Sequence[Runs]) -> Runs:
    return marked_in_all(compared) if compared else (TextRun(clean(laid_out(target)).strip(), differs=False),)


def _says_the_same(answer: AnswerGroup, row: QueueRow) -> bool:
    return answer.is_target or (row.target is not None and answer.text.strip() == row.target.strip())


def _answer(answer: AnswerGroup, runs: Runs, row: QueueRow) -> dict[str, JsonValue]:
    """Return a group of the committee's answers: shown runs, the label that it gives, its count."""
    shown = runs or (TextRun(clean(laid_out(answer.text)).strip(), differs=False),)
    same = _says_the_same(answer, row)
    return {
        **_option(answer.text, row),
        "runs": _runs(tuple(TextRun(run.text, run.differs and not same) for run in shown)),
        "count": answer.count,
        "same": same,
    }


def _option(text: str, row: QueueRow) -> dict[str, JsonValue]:
    """Return an answer that can be chosen: the label as the file has it, and its text."""
    return {
        "label": quoted(text.strip()),
        "runs": [clean(text).strip()],
        "same": row.target is not None and text.strip() == row.target.strip(),
    }


def _runs(runs: Runs) -> list[JsonValue]:
    """Return equal runs as strings and differing ones as lists of one string."""
    return [[run.text] if run.differs else run.text for run in runs]


def _turns(row: QueueRow, shared: dict[str, int]) -> list[JsonValue]:
    """Return the turns: role, place of the text among the shared ones, calls, name of the tool."""
    if not row.messages:
        return [{"role": "user", "text": _place(row.input, shared)}]
    names = {call.id: call.name for message in row.messages for call in message.tool_calls}
    return [_turn(message, names, shared) for message in row.messages]


def _turn(message: Message, names: Mapping[str, str], shared: dict[str, int]) -> dict[str, JsonValue]:
    name = names.get(message.tool_call_id or "")
    return {
        "role": message.role,
        **({"text": _place(message.content, shared)} if message.content else {}),
        **({"tool": one_line(name, _NAME_LIMIT)} if name else {}),
        **(
            {
                "calls": [
                    {"name": one_line(call.name, _NAME_LIMIT), "arguments": _place(call.arguments, shared)}
                    for call in message.tool_calls
                ]
            }
            if message.tool_calls
            else {}
        ),
    }


def _document(document: Document, shared: dict[str, int]) -> dict[str, JsonValue]:
    facts: dict[str, JsonValue] = {
        "id": one_line(document.id, _NAME_LIMIT) if document.id else None,
        "score": document.score,
        "about": [
            f"{one_line(key, 60)}: {one_line(str(value), _NAME_LIMIT)}" for key, value in document.metadata.items()
        ],
    }
    return {
        "text": _place(document.text, shared),
        **{key: value for key, value in facts.items() if value not in (None, [])},
    }


def _place(text: str, shared: dict[str, int]) -> int:
    """Return the place of a text among the shared ones, and put it there if it is new."""
    return shared.setdefault(text, len(shared))


def _excerpt(text: str) -> list[JsonValue]:
    """Return a text to show, and how many characters are left out, if any."""
    shown = cut(clean(laid_out(text)).strip(), _TEXT_LIMIT)
    return [shown.text, shown.omitted] if shown.omitted else [shown.text]
