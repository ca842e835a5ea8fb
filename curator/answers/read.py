"""Answers: how a model's text is read as a value of one of the kinds (`docs/answers.md` has the table)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from curator.answers.booleans import read_boolean
from curator.answers.conclusions import conclusion
from curator.answers.dates import asks_day_first, read_date
from curator.answers.extraction import ReadRule, extract
from curator.answers.json_values import read_json
from curator.answers.kind_detection import detect_kind
from curator.answers.normalization import (
    answer_part,
    bare_wording,
    first_sentence,
    is_refusal,
    is_short,
    refuses,
    short_form,
    without_question,
)
from curator.answers.numbers import asks_rating, numbers_of, read_number
from curator.answers.options import find_choices, read_choice, read_label, read_letters
from curator.answers.source_code import read_code
from curator.answers.tool_calls import read_tool_calls
from curator.records import AnswerKind, Kind, normalise_space

__all__ = ["Answer", "ReadRule", "detect_kind", "extract", "read_answer"]

_Read = tuple[str, str]
REFUSAL_WORDS = 80
"""A longer text is an answer, though it may begin by saying what it cannot do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is compared and shown.

    `kind` is the kind that was asked for, or what the answer is instead: `refusal`, or `empty` where nothing was said.
    Two answers of one kind are equal when their `key`s are; a key of "" means that no value of the kind could be read.
    A refusal where texts are compared keeps its wording as its key. `text` is the part that was read, to be shown.
    """

    kind: AnswerKind
    key: str
    text: str


def read_answer(text: str, kind: Kind, *, labels: Sequence[str] = (), input: str = "") -> Answer:
    """Read a text as an answer of a kind.

    `labels` are those that a label or choice may be; `input` is what was asked: options that it lists make a letter
    and its wording one answer, and a date format that it names settles the order of day and month.
    """
    part = answer_part(text)
    if not part:
        return Answer("empty", "", "")
    if kind == "text":
        refused = len(part.split(maxsplit=REFUSAL_WORDS)) <= REFUSAL_WORDS and refuses(part)
        return Answer("refusal" if refused else kind, normalise_space(part), part)
    if kind in ("label", "choice"):
        found = _read_option(part, tuple(labels), input)
    elif kind == "number":
        found = read_number(part, rating=asks_rating(input), known=numbers_of(input))
    elif kind == "boolean":
        found = read_boolean(part, asked=input)
    elif kind == "date":
        found = read_date(part, day_first=asks_day_first(input))
    elif kind == "short":
        found = _read_short(without_question(part, input))
    else:
        found = _READERS[kind](part)
    if found:
        return Answer(kind, *found)
    return Answer("refusal" if is_refusal(part) else kind, "", part)


def _read_option(text: str, labels: tuple[str, ...], input: str) -> _Read | None:
    """The known label, else the option of the input, else the letter or short wording that stands there."""
    choices = None if labels or not input else find_choices(input)
    if choices is None:
        return read_label(text, labels)
    if (letters := read_letters(text)) and choices.known.keys() >= set(letters[0].split(",")):
        return letters
    if found := read_choice(text, choices):
        return found
    found = read_label(text)
    return found if found and is_short(found[1]) and found[0] not in choices.known else None


def _read_short(text: str) -> _Read | None:
    said = conclusion(text)
    if said is None and is_refusal(text):
        return None
    wording = bare_wording(text) if said is None else first_sentence(said).rstrip(".")
    return (short_form(wording), wording) if wording else None


_READERS: Mapping[Kind, Callable[[str], _Read | None]] = {
    "json": read_json,
    "tool_call": read_tool_calls,
    "code": read_code,
}
