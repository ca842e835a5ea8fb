"""Graded similarities of the answers to a case: by words, by sentences, by structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curator.answers.normalization import answer_part
from curator.answers.structured import FORMS, Form, features_of, field_weights, similarity_matrix
from curator.disagreement.equivalence.text_distance import text_distances
from curator.disagreement.readings.content import WordWeights, containments, content, question_words, shown_part
from curator.records import normalise_space

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
LEAST_STRUCTURED = 0.5
"""The share of a task's answers that must have a form for it to be the form of the task."""
SAMPLED_TEXTS = 200
"""Answers in which the form of a task is searched."""


class Kernel(Protocol):
    """A graded similarity of two answers to one question."""

    @property
    def name(self) -> str:
        """The name that people are shown."""

    def similarities(self, texts: Sequence[str], question: str) -> tuple[Floats, Bools]:
        """Return similarities (n, n) in 0..1, 1 on the diagonal, and where both can be read."""


@dataclass(frozen=True, slots=True)
class ContentKernel:
    """The share of the lighter answer's content words that the other has too.

    Words of the question do not count.
    """

    weights: WordWeights = field(default_factory=WordWeights)
    name: str = "content words"

    def similarities(self, texts: Sequence[str], question: str) -> tuple[Floats, Bools]:
        """See `Kernel`; every text can be read."""
        asked = question_words(question)
        of_text = {text: content(text, asked, self.weights) for text in dict.fromkeys(texts)}
        return containments([of_text[text] for text in texts]), _everywhere(len(texts))


@dataclass(frozen=True, slots=True)
class SentenceKernel:
    """The likeness of the sentences, unless numbers, names or negations contradict."""

    name: str = "sentences"

    def similarities(self, texts: Sequence[str], question: str) -> tuple[Floats, Bools]:
        """See `Kernel`; every text can be read."""
        # As `read_answer` reads a text, so that the distances of the partition are found again.
        parts = [normalise_space(answer_part(shown_part(text))) for text in texts]
        return 1 - text_distances(parts, question=question), _everywhere(len(texts))


@dataclass(frozen=True, slots=True)
class StructureKernel:
    """The weighted share of common fields, clauses or statements.

    Attributes:
        form: of the answers.
        weights: of the fields, see `field_weights`.
    """

    form: Form
    weights: Mapping[str, float]

    @property
    def name(self) -> str:
        """See `Kernel`."""
        return f"structure of {self.form}"

    def similarities(self, texts: Sequence[str], question: str) -> tuple[Floats, Bools]:  # noqa: ARG002
        """See `Kernel`; a text without the form cannot be read."""
        features = [features_of(text, self.form) for text in texts]
        matrix = similarity_matrix([feature or frozenset() for feature in features], self.weights)
        readable = np.array([feature is not None for feature in features])
        return matrix, np.logical_and.outer(readable, readable)


def form_of(cases: Sequence[Sequence[str]]) -> Form | None:
    """Return the form that most of a sample of the answers have; None if they have none."""
    texts = [text for case in cases for text in case]
    sample = texts[:: max(1, len(texts) // SAMPLED_TEXTS)]
    fewest = LEAST_STRUCTURED * max(len(sample), 1)
    return next((form for form in FORMS if sum(features_of(text, form) is not None for text in sample) >= fewest), None)


def fit_structure(form: Form, cases: Sequence[Sequence[str]]) -> StructureKernel:
    """Fit the weights of the fields to the answers to each case."""
    features = [[f for text in case if (f := features_of(text, form)) is not None] for case in cases]
    return StructureKernel(form, field_weights([case for case in features if len(case) > 1]))


def _everywhere(n: int) -> Bools:
    return np.ones((n, n), dtype=bool)
