"""The mixture of a task's readings: a distance that is a weighted mean over readings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from curator.answers.candidates import PLAIN, Key, Reading
from curator.answers.frames.frame import ReadingChain
from curator.disagreement.readings.content import polarity, question_words
from curator.disagreement.readings.kernels import Bools, ContentKernel, Kernel
from curator.records import ReadingEvidence

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PRODUCTION = "\0production"
"""The member identity of production's answer."""
OTHERS = "\0others"
"""The identity of all members that the sample has too few answers of."""
VALUE, POLARITY = "value", "yes or no"
"""The reading by the task's kind, and the one by the sentence about the question."""


@dataclass(frozen=True, slots=True)
class CaseTexts:
    """The answers to one case.

    Attributes:
        texts: the answers; production's last where there is one.
        members: the prompt identity of each answer; `PRODUCTION` for production's.
        values: the key of each answer under the task's kind; None where it cannot be read, or for free text.
        question: what was asked.
    """

    texts: Sequence[str]
    members: Sequence[str]
    values: Sequence[Key]
    question: str = ""

    @property
    def has_target(self) -> bool:
        """True where the last answer is production's."""
        return bool(self.members) and self.members[-1] == PRODUCTION


@dataclass(frozen=True, slots=True)
class Distances:
    """Mean distances within a case, in 0..1: 0 for the same.

    About 1 for answers as different as those to different inputs.

    Attributes:
        total: the mean distance of two answers of the committee.
        against: the mean distance of the committee's answers to production's; None without one.
    """

    total: float
    against: float | None


@dataclass(frozen=True)
class Mixture:
    """The readings of a task with their weights, for each pair of members.

    Attributes:
        chain: the frames around the answers; the value of an answer is read inside them.
        kernels: the graded readings.
        readings: those by a key, after the value of the task's kind and, for prose, yes or no.
        is_prose: the answers are not calls, SQL or code.
        places: the place of each member identity in the tables below.
        weights: (readings, members, members), the weight of each reading for a pair of members.
        scales: (readings, members, members), the mean distance of two members' answers to different cases.
        neutral: (readings,), the distance of two answers of which one cannot be read.
        evidence: of each reading, the heaviest first; empty without a sample.
        cases: the number of sampled cases.
    """

    chain: ReadingChain = field(default_factory=ReadingChain)
    kernels: tuple[Kernel, ...] = (ContentKernel(),)
    readings: tuple[Reading, ...] = PLAIN
    is_prose: bool = True
    places: Mapping[str, int] = field(default_factory=lambda: {OTHERS: 0})
    weights: Floats | None = None
    scales: Floats | None = None
    neutral: Floats | None = None
    evidence: tuple[ReadingEvidence, ...] = ()
    cases: int = 0

    @property
    def names(self) -> list[str]:
        """The names of all readings, in the order of the tables."""
        by_key = [VALUE, *([POLARITY] if self.is_prose else []), *(reading.name for reading in self.readings)]
        return [*(kernel.name for kernel in self.kernels), *by_key]

    def similarities(self, case: CaseTexts) -> tuple[Floats, Bools]:
        """Return the similarity (readings, n, n) of every two answers, and where both can be read."""
        graded = [kernel.similarities(case.texts, case.question) for kernel in self.kernels]
        keys = _numbered(self.keys(case))
        same = (keys[:, :, None] == keys[:, None, :]).astype(np.float64)
        readable = keys >= 0
        both = readable[:, :, None] & readable[:, None, :]
        return np.concatenate([[m for m, _ in graded], same]), np.concatenate([[r for _, r in graded], both])

    def keys(self, case: CaseTexts) -> Iterator[Sequence[Key]]:
        """Yield the keys of the answers under each reading by a key."""
        distinct = dict.fromkeys(case.texts)
        yield case.values
        if self.is_prose:
            asked = question_words(case.question)
            yield _spread({text: polarity(text, asked) for text in distinct}, case.texts)
        for reading in self.readings:
            yield _spread({text: reading.read(text) for text in distinct}, case.texts)

    def distances(self, case: CaseTexts, member_weights: Mapping[str, float]) -> Distances:
        """Return the mean distances of a case of two or more answers of the committee.

        Pairs of one member identity count only where all answers come from one: repeats of one prompt share its habits.
        `member_weights` multiplies the weight of each member's answers, 1 by default.
        """
        if len(set(case.texts)) == 1:
            return Distances(0.0, 0.0 if case.has_target else None)
        similarity, read = self.similarities(case)
        places = np.array([self.places.get(member, self.places[OTHERS]) for member in case.members])
        left, right = places[:, None], places[None, :]
        weight = _by_kind(case, similarity) if self.weights is None else self.weights[:, left, right]
        scale = np.ones_like(similarity) if self.scales is None else self.scales[:, left, right]
        neutral = np.ones(len(similarity)) if self.neutral is None else self.neutral
        distance = np.where(read, 1 - similarity, neutral[:, None, None])
        share = np.array([member_weights.get(member, 1.0) for member in case.members])
        if (share[: len(case.texts) - case.has_target] > 0).sum() < 2:
            share = np.ones(len(share))  # all answers count where fewer than two would
        summed = (weight * distance).sum(axis=0)
        largest = (weight * scale).sum(axis=0)
        n = len(case.texts) - case.has_target
        pairs = _counted_pairs(case.members[:n], share[:n])
        against = None
        if case.has_target:
            against = _ratio(share[:n] @ summed[n, :n], share[:n] @ largest[n, :n])
        return Distances(_ratio((pairs * summed[:n, :n]).sum(), (pairs * largest[:n, :n]).sum()), against)


def _ratio(distance: float, largest: float) -> float:
    return min(float(distance / largest), 1.0) if largest > 0 else 0.0


def _by_kind(case: CaseTexts, similarity: Floats) -> Floats:
    """Return the weights without a sample: all on the value of the kind, or on the content.

    The content is for free text, which has no value.
    """
    weight = np.zeros_like(similarity)
    weight[0 if all(value is None for value in case.values) else 1] = 1.0
    return weight


def _counted_pairs(members: Sequence[str], share: Floats) -> Floats:
    """Return the weight of each pair of answers, (n, n).

    It is 0 for two answers of one member, unless all answers are of one.
    """
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(member, len(numbers)) for member in members])
    weights: Floats = np.outer(share, share)
    differ = weights * (codes[:, None] != codes[None, :])
    return differ if differ.any() else weights * (1.0 - np.eye(len(members)))


def _spread(of_text: Mapping[str, Key], texts: Sequence[str]) -> list[Key]:
    return [of_text[text] for text in texts]


def _numbered(columns: Iterable[Sequence[Key]]) -> Ints:
    """Number the keys of each reading (readings, n); -1 where there is none."""
    rows = []
    for column in columns:
        numbers: dict[str, int] = {}
        rows.append([-1 if key is None else numbers.setdefault(key, len(numbers)) for key in column])
    return np.array(rows, dtype=np.int64)
