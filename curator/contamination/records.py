"""The frozen records of the held-out room: what is held out, what is checked against it, and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MatchKind = Literal["exact", "near", "contained", "paraphrase", "translation"]

KINDS: tuple[MatchKind, ...] = ("exact", "near", "contained", "paraphrase", "translation")
"""From the surest evidence to the least; a row is reported by the first that holds."""

IN_WORDS: dict[MatchKind, str] = {
    "exact": "the same question",
    "near": "almost the same wording",
    "contained": "the whole question inside a longer text",
    "paraphrase": "the same question in other words",
    "translation": "the same numbers, names and code in other words, as a translation has them",
}


@dataclass(frozen=True, slots=True)
class HeldText:
    """A held-out question: its id, and its text as it was asked, without what many cases share word for word."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """What might be trained on: its id, each question that it asks by itself, and everything that is said in it."""

    id: str
    questions: tuple[str, ...]
    whole: str


@dataclass(frozen=True, slots=True)
class Match:
    """A row that may not be trained on, with the evidence.

    Attributes:
        row: the row's id.
        held: the id of the held-out text that it is the same as.
        kind: how it is the same, see `KINDS`.
        similarity: Jaccard similarity (exact, near), the share of the held-out wording that stands in the row
            (contained), the cosine (paraphrase), or the share of the details that agree (translation); in 0..1.
        question: that of the row.
        held_text: the held-out text.
        shared: some of the numbers, names and code that both have.
    """

    row: str
    held: str
    kind: MatchKind
    similarity: float
    question: str
    held_text: str
    shared: tuple[str, ...] = field(default=())
