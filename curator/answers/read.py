"""Read a model's text as a value of one of the kinds; `docs/answers.md` has the table."""

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

_Reading = tuple[str, str]
REFUSAL_WORDS = 80
"""A text of more words is an answer, even if it begins by saying what it cannot do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is compared and shown.

    Attributes:
        kind: the kind that was asked for; else `refusal`, or `empty` for an empty text.
        key: the canonical form. Two answers of one kind are equal if their keys are; "" means that no value of the kind
            could be read. A refusal of kind `text` has its wording as its key.
        text: the part of the text that was read, for display.
    """

    kind: AnswerKind
    key: str
    text: str


def read_answer(text: str, kind: Kind, *, labels: Sequence[str] = (), input: str = "") -> Answer:
    """Read a text as an answer of a kind.

    Args:
        text: the model's whole output.
        kind: the kind to read.
        labels: the labels that a label or choice can be; empty where they are unknown.
        input: the prompt. If it lists options, a letter and its wording are one answer; if it names a date format, that
            fixes the order of day and month.
    """
    part = answer_part(text)
    if not part:
        return Answer("empty", "", "")
    if kind == "text":
        refused = len(part.split(maxsplit=REFUSAL_WORDS)) <= REFUSAL_WORDS and refuses(part)
        return Answer("refusal" if refused else kind, normalise_space(part), part)
    if kind in ("label", "choice"):
        reading = _read_option(part, tuple(labels), input)
    elif kind == "number":
        reading = read_number(part, rating=asks_rating(input), input_numbers=numbers_of(input))
    elif kind == "boolean":
        reading = read_boolean(part, asked=input)
    elif kind == "date":
        reading = read_date(part, day_first=asks_day_first(input))
    elif kind == "short":
        reading = _read_short(without_question(part, input))
    else:
        reading = _READERS[kind](part)
    if reading:
        return Answer(kind, *reading)
    return Answer("refusal" if is_refusal(part) else kind, "", part)


def _read_option(text: str, labels: tuple[str, ...], input: str) -> _Reading | None:
    """Read one of the labels, else an option of the input, else a letter or a short wording."""
    choices = None if labels or not input else find_choices(input)
    if choices is None:
        return read_label(text, labels)
    if (letters := read_letters(text)) and choices.index_of.keys() >= set(letters[0].split(",")):
        return letters
    if reading := read_choice(text, choices):
        return reading
    reading = read_label(text)
    return reading if reading and is_short(reading[1]) and reading[0] not in choices.index_of else None


def _read_short(text: str) -> _Reading | None:
    stated = conclusion(text)
    if stated is None and is_refusal(text):
        return None
    wording = bare_wording(text) if stated is None else first_sentence(stated).rstrip(".")
    return (short_form(wording), wording) if wording else None


_READERS: Mapping[Kind, Callable[[str], _Reading | None]] = {
    "json": read_json,
    "tool_call": read_tool_calls,
    "code": read_code,
}
