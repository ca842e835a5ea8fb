"""Labels that are no answers: spreadsheet errors, placeholders, misplaced verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from curator.errors import RecordError
from curator.readers.cells import is_error_value
from curator.readers.feedback import WORDS, YES_OR_NO, right_or_wrong
from curator.records import Label, RejectedRecord
from curator.text.display import one_line

_PLACEHOLDERS = frozenset((
    "nan", "none", "null", "nil", "n/a", "na", "n.a", "undefined", "blank", "(blank)", "empty", "missing", "tbd", "tba", "tbc",
    "todo", "to do", "fixme", "wip", "pending", "later", "done", "checked", "reviewed", "see above", "as above", "see below",
    "same", "same as above", "ditto", "idem", "x", "xx", "xxx", "unsure", "not sure", "don't know", "dont know", "idk", "skip",
    "skipped",
))  # fmt: skip
LONGEST_DOUBTFUL = 20
"""Characters: longer labels are no placeholders, whatever they say."""
DOUBTFUL_WORDS = frozenset((*_PLACEHOLDERS, *WORDS, *YES_OR_NO))
"""Labels that are doubted: placeholders and verdicts, in small letters."""
_QUOTES = ('""', "''", "\u201c\u201d", "\u201e\u201c", "\u00ab\u00bb")
_USE_IT = 'where it is the answer, put it in quotes: "{}"'


def certain_answers(texts: Iterable[str | None]) -> frozenset[str]:
    """Return those of the answers of production or a task that would be doubted as labels.

    Where one answer is a yes or no, all of them are answers.
    """
    answers = frozenset(_plain(text) for text in texts if text and len(text) <= LONGEST_DOUBTFUL and _is_doubtful(text))
    return answers if answers.isdisjoint(YES_OR_NO) else answers | yes_and_no()


def quoted(text: str) -> str:
    """Return an answer as a label file has it: in quotes where it would be doubted otherwise."""
    return f'"{text}"' if _is_doubtful(text) else text


def yes_and_no() -> frozenset[str]:
    """The answers of a question that is answered by yes or no."""
    return frozenset(YES_OR_NO)


def doubted(labels: Sequence[Label], answers: frozenset[str]) -> tuple[list[Label], list[RejectedRecord]]:
    """Return the labels without the texts that are no answers, and those texts with the reasons.

    A placeholder is an answer where it is among `answers`, or stands in quotes. An error value of a spreadsheet is never one. A
    row keeps its verdict.
    """
    kept: list[Label] = []
    rejected: list[RejectedRecord] = []
    for label in labels:
        if label.text is None:
            kept.append(label)
            continue
        text = _unquoted(label.text)
        error = None if text != label.text and not is_error_value(text) else _doubt(text, answers)
        if error is None:
            kept.append(replace(label, text=text))
            continue
        rejected.append(error.at(label.source.file, label.source.line))
        if label.failure is not None:
            kept.append(replace(label, text=None))
    return kept, rejected


def _doubt(text: str, answers: frozenset[str]) -> RecordError | None:
    if is_error_value(text):
        return RecordError(
            f"the label {text!r} is an error of the spreadsheet, not an answer",
            "write the answer again as text: a cell that begins with = + - or @ takes an apostrophe before it",
        )
    if _plain(text) in answers or not _is_doubtful(text):
        return None
    shown = one_line(text, LONGEST_DOUBTFUL)
    if right_or_wrong(text) is not None:
        return RecordError(
            f"the label {shown!r} is a verdict, not an answer",
            f"write it into the column `verdict`, and only right answers into `label`; {_USE_IT.format(shown)}",
        )
    return RecordError(
        f"the label {shown!r} is a placeholder, not an answer",
        f"write the right answer, or leave the cell empty (`unsure` belongs into `verdict`); {_USE_IT.format('...')}",
    )


def _is_doubtful(text: str) -> bool:
    if len(text) > LONGEST_DOUBTFUL:
        return False
    return not any(map(str.isalnum, text)) or _plain(text) in _PLACEHOLDERS or right_or_wrong(text) is not None


def _needs_quotes(text: str) -> bool:
    return is_error_value(text) or _is_doubtful(text)


def _plain(text: str) -> str:
    folded = " ".join(text.casefold().split())
    return folded.rstrip(".!") or folded


def _unquoted(text: str) -> str:
    """Return a doubtful text without the quotes around it; any other text as it is."""
    bare = text.strip()
    inner = bare[1:-1].strip()
    return inner if len(bare) > 2 and bare[0] + bare[-1] in _QUOTES and _needs_quotes(inner) else text
