"""Answers: how a model's text is read as a label, a number, a JSON value, a short string or a text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from curator.disagreement.jsonlike import is_mostly_json, read_json
from curator.disagreement.labelled import option_or_boolean, read_label
from curator.disagreement.numeric import concludes_in_number, has_number, is_bare_number, read_number
from curator.disagreement.wording import (
    answer_part,
    conclusion,
    first_sentence,
    is_refusal,
    is_short,
    normal_form,
    short_form,
)
from curator.records import Kind, normalise_space

NEARLY_ALL = 0.75
"""The share of a group's answers that must look like a kind for the group to be of it."""
ENOUGH = 0.25
"""The share of plain numbers or options that lets longer answers be read as giving one too."""
DETECTION_SAMPLE = 2000
"""Answers that are looked at to detect a kind, evenly spread over the group."""


@dataclass(frozen=True, slots=True)
class ReadRule:
    """Where in a prompt variant's output the answer stands.

    `whole`: everything; `last_line`: the last line that is not blank; `after`: what follows the last `marker`;
    `tag`: what stands inside the last `<marker>...</marker>`. Markers are found in any case.
    """

    read: Literal["whole", "last_line", "after", "tag"]
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it is compared and shown.

    Two answers of one kind are equal when their `key`s are; a key of "" means that no answer could be read (nothing
    was said, it was refused, or there is no value of that kind). `text` is the part that was read, to be shown.
    """

    kind: Kind
    key: str
    text: str


def extract(text: str, rule: ReadRule) -> str:
    """The part of an output where its variant puts the answer; the whole of it where the marker is missing."""
    text = text.strip()
    found = ""
    if rule.read == "last_line":
        found = text.rpartition("\n")[2]
    elif rule.read == "after" and rule.marker:
        found = re.split(re.escape(rule.marker), text, flags=re.IGNORECASE)[-1]
    elif rule.read == "tag" and rule.marker:
        # a closing tag is missing where the output was cut off
        tag = re.escape(rule.marker)
        inside = re.split(rf"<{tag}>", text, flags=re.IGNORECASE)[-1]
        found = re.split(rf"</{tag}>", inside, flags=re.IGNORECASE)[0]
    return found.strip() or text


def read_answer(text: str, kind: Kind, *, labels: Sequence[str] = ()) -> Answer:
    """Read a text as an answer of a kind; `labels` are those that a label may be."""
    found = read_label(text, tuple(labels)) if kind == "label" else _READERS[kind](text)
    return Answer(kind, *found) if found else Answer(kind, "", text.strip())


def detect_kind(answers: Sequence[str]) -> Kind:
    """The kind of a group of answers to one task, or to one input.

    Nearly all of those that say something must look like it, in this order: json; number; label (option letters, yes
    and no, or 50 and more answers of which a few values make up nearly all); short (up to eight words). Else text.
    Where a quarter are plain numbers (option letters, yes or no), prose that ends in one (begins with one) gives it.
    """
    sample = answers[:: max(1, len(answers) // DETECTION_SAMPLE)]
    said = [text for text in sample if text.strip() and not is_refusal(answer_part(text))]
    if not said:
        return "text"

    def are(share: float, looks_so: Callable[[str], bool]) -> bool:
        return sum(map(looks_so, said)) >= share * len(said)

    if are(NEARLY_ALL, is_mostly_json):
        return "json"
    if are(NEARLY_ALL, concludes_in_number) or (are(ENOUGH, is_bare_number) and are(NEARLY_ALL, has_number)):
        return "number"
    if are(ENOUGH, _is_option) and are(NEARLY_ALL, _gives_option):
        return "label"
    cores = [core for core in map(_core, said) if core]
    if len(cores) < NEARLY_ALL * len(said):
        return "text"
    return "label" if _repeats_few(cores, len(said)) else "short"


def _is_option(text: str) -> bool:
    """Whether the conclusion, the whole of a short text, or a short last line is an option letter, yes or no."""
    last = answer_part(text).rpartition("\n")[2]
    return any(option_or_boolean(core) for core in (_core(text), last) if core and is_short(core))


def _gives_option(text: str) -> bool:
    return _is_option(text) or option_or_boolean(answer_part(text)) is not None


def _core(text: str) -> str | None:
    """What the text answers where that is short: its conclusion, else the whole of it; else None."""
    part = answer_part(text)
    said = conclusion(part)
    core = part if said is None else first_sentence(said).rstrip(".!")
    return core if core and is_short(core) else None


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


def _read_short(text: str) -> tuple[str, str] | None:
    part = answer_part(text)
    said = conclusion(part)
    if said is None and is_refusal(part):
        return None
    wording = part if said is None else first_sentence(said).rstrip(".")
    return (short_form(wording), wording) if wording else None


def _read_text(text: str) -> tuple[str, str] | None:
    part = text.rpartition("</think>")[2].strip()
    return (normalise_space(part), part) if part else None


_READERS: Mapping[Kind, Callable[[str], tuple[str, str] | None]] = {
    "number": read_number,
    "json": read_json,
    "short": _read_short,
    "text": _read_text,
}
