"""Which kind of answer a task asks for, from the committee's own answers and from the input."""

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
"""The share of a group's answers that must look like a kind for the group to be of it."""
ENOUGH = 0.25
"""The share of plain numbers or options that lets longer answers be read as giving one too."""
HALF = 0.5
"""The share of tool calls, or of options that the input lists, that is enough."""
DETECTION_SAMPLE = 2000
"""Answers that are looked at to detect a kind, evenly spread over the group."""
DETECTION_CASES = 200
"""Cases of a task whose inputs are looked at, evenly spread over the task."""

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
    """The kind of a group of answers to one task, or to one input.

    Nearly all of those that say something must look like it, in this order: tool_call (half is enough); json; code;
    choice (each gives one of the options that `input` lists); date; number; boolean or choice (yes and no, option
    letters); label (50 and more answers of which a few values make up nearly all); short (up to eight words, or an
    enumeration). Else text. Where a quarter are plain numbers (option letters, yes or no), or the input asks for one,
    prose that ends in one (begins with one) gives it.
    """
    sample = answers[:: max(1, len(answers) // DETECTION_SAMPLE)]
    said = [part for text in sample if (part := answer_part(text)) and not is_refusal(part)]
    if not said:
        return "text"

    def are(share: float, looks_so: Callable[[str], bool]) -> bool:
        return _share_reaches(share, said, looks_so)

    return (
        _structured(are)
        or _from_options(are, input)
        or _value(are, input)
        or _option(are, said, input)
        or _wording([without_question(text, input) for text in said])
    )


def _share_reaches(share: float, said: Sequence[str], looks_so: Callable[[str], bool]) -> bool:
    """Whether a share of the texts looks so; it stops where that is settled, as most kinds are ruled out early."""
    needed, left = share * len(said), len(said)
    for text in said:
        left -= 1
        needed -= looks_so(text)
        if needed <= 0 or needed > left:
            return needed <= 0
    return True


_Are = Callable[[float, Callable[[str], bool]], bool]


def detect_task_kind(cases: Sequence[tuple[Sequence[str], str]]) -> Kind:
    """The kind of a task, from (answers, input) of each of its cases.

    It is the kind that nearly all of the inputs with their own answers speak for, else that of all answers together.
    """
    sample = cases[:: max(1, len(cases) // DETECTION_CASES)]
    found = Counter(detect_kind(answers, input=input) for answers, input in sample if any(map(str.strip, answers)))
    if found:
        kind, count = found.most_common(1)[0]
        if kind in {"choice", "boolean"} and count >= NEARLY_ALL * found.total():
            return kind
    return detect_kind([answer for answers, _ in cases for answer in answers])


def _structured(are: _Are) -> Kind | None:
    if are(HALF, is_tool_call):
        return "tool_call"
    if are(NEARLY_ALL, is_mostly_json):
        return "json"
    return "code" if are(NEARLY_ALL, is_code) else None


def _from_options(are: _Are, input: str) -> Kind | None:
    """Choice, or boolean, where the answers give the options that the input lists."""
    choices = find_choices(input) if input else None
    if choices is None:
        return None
    stated = are(ENOUGH, lambda text: stated_choice(text, choices) is not None)
    # Half is enough: beside the options that the input lists stand `none of these`, and outputs that were cut off.
    if not are(HALF if stated else 1.0, lambda text: bool(read_choice(text, choices) or read_letters(text))):
        return None
    return "boolean" if _BOOLEANS.issuperset(choices.keys) else "choice"


def _value(are: _Are, input: str) -> Kind | None:
    # a year says as much as a date of less detail where others give a day
    if are(NEARLY_ALL, concludes_in_date) or (are(ENOUGH, concludes_in_date) and are(NEARLY_ALL, gives_one_date)):
        return "date"
    if (
        input
        and asks_number(input)
        and are(HALF, gives_one_number)
        # as the answers will be read, so that each is read once
        and are(
            NEARLY_ALL, lambda text: read_number(text, rating=asks_rating(input), known=numbers_of(input)) is not None
        )
    ):
        return "number"
    if are(NEARLY_ALL, concludes_in_number) or (
        are(ENOUGH, is_bare_number) and are(NEARLY_ALL, lambda text: has_number(text) or leaves_open(text))
    ):
        return "number"
    return None


def _option(are: _Are, said: Sequence[str], input: str) -> Kind | None:
    """Boolean or choice, whichever more of the answers are."""
    if input and _ASKS_BOOLEAN.search(input) and are(HALF, lambda text: read_boolean(text, asked=input) is not None):
        return "boolean"
    if input and _is_polar(input) and are(1.0, lambda text: read_boolean(text, asked=input) is not None):
        return "boolean"
    if not are(ENOUGH, _is_option):
        return None
    # `y` and `n` are letters of options, and yes and no where others say these
    if any(map(leading_boolean, said)) and are(1.0, lambda text: _gives_boolean(text) is not None):
        return "boolean"
    if not are(NEARLY_ALL, _gives_option):
        return None
    letters = sum(bool(option_letter(_stated(text)) or read_letters(text)) for text in said)
    booleans = sum(leading_boolean(_stated(text)) is not None for text in said)
    return "choice" if letters >= booleans else "boolean"


def _is_polar(input: str) -> bool:
    """Whether an input is one short question that yes or no answers."""
    return len(input) <= _LONGEST_QUESTION and _POLAR.search(input) is not None


def _stated(text: str) -> str:
    """What an answer gives as its option: its conclusion, else its short last line, else all of it."""
    said = conclusion(text)
    if said is not None:
        return said
    last = text.rpartition("\n")[2]
    return text if option_or_boolean(text) or not option_or_boolean(last) else last


def _is_option(text: str) -> bool:
    """Whether the conclusion, the whole of a short text, or a short last line is an option letter, yes or no."""
    if read_letters(text):
        return True
    last = text.rpartition("\n")[2]
    return any(option_or_boolean(core) for core in (_core(text), last) if core and is_short(core))


def _gives_boolean(text: str) -> tuple[str, str] | None:
    return leading_boolean(_stated(text)) or emphatic_boolean(text)


def _gives_option(text: str) -> bool:
    return _is_option(text) or option_or_boolean(text) is not None


def _wording(said: Sequence[str]) -> Kind:
    cores = [core for core in map(_core, said) if core]
    if len(cores) < NEARLY_ALL * len(said):
        return "text"
    return "label" if _repeats_few(cores, len(said)) else "short"


@lru_cache(maxsize=256)
def _core(text: str) -> str | None:
    """What the text answers where that is short: its conclusion, else the whole of it; else None."""
    said = conclusion(text)
    core = bare_wording(text) if said is None else first_sentence(said).rstrip(".!")
    return core if core and (is_short(core) or is_word_list(core)) else None


def _repeats_few(cores: Sequence[str], total: int) -> bool:
    """Whether nearly all of at least 50 answers are a few values, 25 times each on average.

    Answers to distinct questions repeat too, as often as each question was asked: 25 tells labels from those.
    """
    if total < 50:
        return False
    covered = values = 0
    for _, count in Counter(map(normal_form, cores)).most_common():
        covered, values = covered + count, values + 1
        if covered >= NEARLY_ALL * total:
            break
    return covered >= NEARLY_ALL * total and 25 * values <= total
