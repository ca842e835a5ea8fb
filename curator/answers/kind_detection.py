"""Detect the kind of answer that a task asks for, from its answers and its inputs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

from curator.answers.booleans import emphatic_boolean, leading_boolean, read_boolean
from curator.answers.conclusions import conclusion
from curator.answers.dates import concludes_in_date, gives_one_date
from curator.answers.json_values import is_mostly_json
from curator.answers.normalization import (
    answer_part,
    bare_wording,
    first_sentence,
    is_refusal,
    is_short,
    is_word_list,
    normal_form,
    without_question,
)
from curator.answers.numbers import (
    asks_number,
    asks_rating,
    concludes_in_number,
    gives_one_number,
    has_number,
    is_bare_number,
    leaves_open,
    numbers_of,
    read_number,
)
from curator.answers.options import (
    find_choices,
    option_letter,
    option_or_boolean,
    read_choice,
    read_letters,
    stated_choice,
)
from curator.answers.source_code import is_code
from curator.answers.tool_calls import is_tool_call
from curator.records import Kind

NEARLY_ALL = 0.75
"""The share of a group's answers that must look like a kind to make it the group's kind."""
ENOUGH = 0.25
"""The share of plain numbers or options from which longer answers are read as giving one too."""
HALF = 0.5
"""The share of tool calls, or of options that the input lists, from which that is the kind."""
DETECTION_SAMPLE = 2000
"""Answers that are used to detect a kind, evenly spread over the group."""
DETECTION_CASES = 200
"""Cases of a task whose inputs are used, evenly spread over the task."""

_ASKS_BOOLEAN = re.compile(
    r"\byes[ /,\"'`]*(?:or|/|and)[ \"'`]*no\b|\btrue[ /,\"'`]*(?:or|/|and)[ \"'`]*false\b|\byes/no\b|\b(?:yes|true)\s+if\b",
    re.IGNORECASE,
)
_POLAR = re.compile(
    r"(?:^|[.!?:,\n]\s*)(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|may|might|must)\b[^.?!\n]*\?\W*(?:A:|Answer:)?\s*$",
    re.IGNORECASE,
)
_LONGEST_QUESTION = 400
_BOOLEANS = frozenset({"yes", "no", "true", "false"})


def detect_kind(answers: Sequence[str], *, input: str = "") -> Kind:
    """Detect the kind of a group of answers to one task, or to one input.

    Nearly all answers must look like the kind; refusals and empty answers do not count. The kinds are tried in this order:
    tool_call (half is enough); json; code; choice (each answer gives one of the options that `input` lists); date; number;
    boolean or choice (yes and no, option letters); label (at least 50 answers, nearly all of them a few values); short (up
    to eight words, or an enumeration); else text. If a quarter are plain numbers, or the input asks for one, prose that
    ends in a number counts as one; the same holds for option letters and yes or no, at the start of prose.
    """
    sample = answers[:: max(1, len(answers) // DETECTION_SAMPLE)]
    answered = [part for text in sample if (part := answer_part(text)) and not is_refusal(part)]
    if not answered:
        return "text"

    def are(share: float, looks_so: Callable[[str], bool]) -> bool:
        return _share_reaches(share, answered, looks_so)

    return (
        _structured(are)
        or _from_options(are, input)
        or _value(are, input)
        or _option(are, answered, input)
        or _wording([without_question(text, input) for text in answered])
    )


def _share_reaches(share: float, texts: Sequence[str], looks_so: Callable[[str], bool]) -> bool:
    """Return True if `looks_so` holds for a share of the texts.

    It stops as soon as the result is certain, because most kinds are ruled out early.
    """
    needed, left = share * len(texts), len(texts)
    for text in texts:
        left -= 1
        needed -= looks_so(text)
        if needed <= 0 or needed > left:
            return needed <= 0
    return True


_Are = Callable[[float, Callable[[str], bool]], bool]


def detect_task_kind(cases: Sequence[tuple[Sequence[str], str]]) -> Kind:
    """Detect the kind of a task from (answers, input) of each of its cases.

    It is `choice` or `boolean` if that is the kind of nearly all cases by themselves; else the kind of all answers together.
    """
    sample = cases[:: max(1, len(cases) // DETECTION_CASES)]
    kinds = Counter(detect_kind(answers, input=input) for answers, input in sample if any(map(str.strip, answers)))
    if kinds:
        kind, count = kinds.most_common(1)[0]
        if kind in {"choice", "boolean"} and count >= NEARLY_ALL * kinds.total():
            return kind
    return detect_kind([answer for answers, _ in cases for answer in answers])


def _structured(are: _Are) -> Kind | None:
    if are(HALF, is_tool_call):
        return "tool_call"
    if are(NEARLY_ALL, is_mostly_json):
        return "json"
    return "code" if are(NEARLY_ALL, is_code) else None


def _from_options(are: _Are, input: str) -> Kind | None:
    """Return choice or boolean if the answers give options that the input lists; else None."""
    choices = find_choices(input) if input else None
    if choices is None:
        return None
    stated = are(ENOUGH, lambda text: stated_choice(text, choices) is not None)
    # Half is enough: other answers are `none of these`, or were cut off.
    if not are(HALF if stated else 1.0, lambda text: bool(read_choice(text, choices) or read_letters(text))):
        return None
    return "boolean" if _BOOLEANS.issuperset(choices.keys) else "choice"


def _value(are: _Are, input: str) -> Kind | None:
    # A lone year is a date with less detail where other answers give a day.
    if are(NEARLY_ALL, concludes_in_date) or (are(ENOUGH, concludes_in_date) and are(NEARLY_ALL, gives_one_date)):
        return "date"
    if (
        input
        and asks_number(input)
        and are(HALF, gives_one_number)
        # Called as the answers will be read, so that the cached reading is used.
        and are(
            NEARLY_ALL,
            lambda text: read_number(text, rating=asks_rating(input), input_numbers=numbers_of(input)) is not None,
        )
    ):
        return "number"
    if are(NEARLY_ALL, concludes_in_number) or (
        are(ENOUGH, is_bare_number) and are(NEARLY_ALL, lambda text: has_number(text) or leaves_open(text))
    ):
        return "number"
    return None


def _option(are: _Are, answered: Sequence[str], input: str) -> Kind | None:
    """Return boolean or choice, whichever fits more answers; None if neither fits."""
    if input and _ASKS_BOOLEAN.search(input) and are(HALF, lambda text: read_boolean(text, asked=input) is not None):
        return "boolean"
    if input and _is_polar(input) and are(1.0, lambda text: read_boolean(text, asked=input) is not None):
        return "boolean"
    if not are(ENOUGH, _is_option):
        return None
    # `y` and `n` are option letters; beside answers of yes and no they mean these.
    if any(map(leading_boolean, answered)) and are(1.0, lambda text: _gives_boolean(text) is not None):
        return "boolean"
    if not are(NEARLY_ALL, _gives_option):
        return None
    letters = sum(bool(option_letter(_stated(text)) or read_letters(text)) for text in answered)
    booleans = sum(leading_boolean(_stated(text)) is not None for text in answered)
    return "choice" if letters >= booleans else "boolean"


def _is_polar(input: str) -> bool:
    """Return True if an input is one short question that yes or no answers."""
    return len(input) <= _LONGEST_QUESTION and _POLAR.search(input) is not None


def _stated(text: str) -> str:
    """Return the part of an answer with its option: its conclusion, its short last line, or all."""
    stated = conclusion(text)
    if stated is not None:
        return stated
    last = text.rpartition("\n")[2]
    return text if option_or_boolean(text) or not option_or_boolean(last) else last


def _is_option(text: str) -> bool:
    """Return True if the conclusion, a short text or a short last line is an option, yes or no."""
    if read_letters(text):
        return True
    last = text.rpartition("\n")[2]
    return any(option_or_boolean(core) for core in (_core(text), last) if core and is_short(core))


def _gives_boolean(text: str) -> tuple[str, str] | None:
    return leading_boolean(_stated(text)) or emphatic_boolean(text)


def _gives_option(text: str) -> bool:
    return _is_option(text) or option_or_boolean(text) is not None


def _wording(texts: Sequence[str]) -> Kind:
    cores = [core for core in map(_core, texts) if core]
    if len(cores) < NEARLY_ALL * len(texts):
        return "text"
    return "label" if _repeats_few(cores, len(texts)) else "short"


@lru_cache(maxsize=256)
def _core(text: str) -> str | None:
    """Return the conclusion of a text, else the whole text, if that is short; else None."""
    stated = conclusion(text)
    core = bare_wording(text) if stated is None else first_sentence(stated).rstrip(".!")
    return core if core and (is_short(core) or is_word_list(core)) else None


def _repeats_few(cores: Sequence[str], total: int) -> bool:
    """Return True if a few values, 25 times each on average, are nearly all of 50 answers.

    Answers to distinct questions repeat too, as often as each question was asked. 25 separates labels from those.
    """
    if total < 50:
        return False
    covered = values = 0
    for _, count in Counter(map(normal_form, cores)).most_common():
        covered, values = covered + count, values + 1
        if covered >= NEARLY_ALL * total:
            break
    return covered >= NEARLY_ALL * total and 25 * values <= total
