"""The frozen records of the contamination check: held-out texts, training rows, matches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MatchKind = Literal["exact", "near", "contained", "paraphrase", "translation"]

KINDS: tuple[MatchKind, ...] = ("exact", "near", "contained", "paraphrase", "translation")
"""The kinds of evidence, the strongest first; a row is reported with the first that holds."""

IN_WORDS: dict[MatchKind, str] = {
    "exact": "the same question",
    "near": "almost the same wording",
    "contained": "the whole question inside a longer text",
    "paraphrase": "the same question in other words",
    "translation": "the same numbers, names and code in other words, as a translation has them",
}


@dataclass(frozen=True, slots=True)
class HeldText:
    """A held-out question: the id of its case, and its text without shared template sentences."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A row that might be trained on.

    Attributes:
        id: unique among the rows.
        questions: each question in it.
        whole: its whole text.
    """

    id: str
    questions: tuple[str, ...]
    whole: str


@dataclass(frozen=True, slots=True)
class Match:
    """A row that must not be trained on, with the evidence.

    Attributes:
        row: the row's id.
        held: the id of the matching held-out text.
        kind: of the evidence, see `KINDS`.
        similarity: Jaccard similarity (exact, near), the share of the held-out wording that the row contains (contained),
            the cosine (paraphrase), or the share of the details that agree (translation); in 0..1.
        question: the matching question of the row.
        held_text: the held-out text.
        shared: some of the numbers, names and code in both.
    """

    row: str
    held: str
    kind: MatchKind
    similarity: float
    question: str
    held_text: str
    shared: tuple[str, ...] = field(default=())
