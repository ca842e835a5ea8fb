"""How the answers to one input are compared: by words, by vectors, or by what somebody else says of pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.answers import Answer
from curator.disagreement.equivalence import classes, meaning
from curator.disagreement.marks import differ, yes_or_no
from curator.disagreement.pairs import Decide, Grouped, Pair, group
from curator.disagreement.words import word_distances

SAME_COSINE = 0.9
"""Short answers this alike mean the same. Pairs of different answers reach 0.87 where no mark tells them apart."""
Vectors = Callable[[Sequence[str]], NDArray[np.float32]]
"""Turns texts into unit vectors, (n, d)."""


class Comparer(Protocol):
    """Compares the answers to one input, of one kind."""

    @property
    def name(self) -> str:
        """What the score's name gets, "" for the default."""

    def classes(self, answers: Sequence[Answer], target: Answer | None) -> list[int]:
        """The class of each answer, and of the target last, if there is one: a partition."""

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """The matrix of distances of the answers, and of the target last, in 0..1."""


@dataclass(frozen=True, slots=True)
class ByWords:
    """By normal form, by the words that tell something, and by word sets: needs no model, and is the default."""

    question: str
    name: str = ""

    def classes(self, answers: Sequence[Answer], target: Answer | None) -> list[int]:
        """See `Comparer`. Short answers are the same where the cheap steps of `pairs` say so."""
        everything = _all(answers, target)
        if any(answer.kind == "short" for answer in everything):
            items = _Items.of(answers, target)
            return items.classes(group(items.wordings, self.question, dict.fromkeys))
        return classes(everything)

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """See `Comparer`. That of the words, and 1 between a text that begins with yes and one that begins with no."""
        texts = [answer.key for answer in _all(answers, target)]
        matrix = word_distances(texts, question=self.question)
        says = [yes_or_no(text) for text in texts]
        if "yes" in says and "no" in says:
            for i, one in enumerate(says):
                for j, other in enumerate(says[:i]):
                    if {one, other} == {"yes", "no"}:
                        matrix[i, j] = matrix[j, i] = 1.0
        return matrix


by_words = ByWords
BY_WORDS = ByWords("")


@dataclass(frozen=True, slots=True)
class ByVerdicts:
    """By what `decide` says of the pairs that the cheap steps leave open: an LLM judge, or an NLI model."""

    question: str
    decide: Decide
    name: str

    def classes(self, answers: Sequence[Answer], target: Answer | None) -> list[int]:
        """See `Comparer`."""
        items = _Items.of(answers, target)
        return items.classes(group(items.wordings, self.question, self.decide))

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """See `Comparer`. 0 inside a class and 1 between classes; the words' distance where nobody could decide.

        That is no kernel any more, so that `between` can lack a little; `rao_entropy` keeps the split in its bounds.
        """
        items = _Items.of(answers, target)
        grouped = group(items.wordings, self.question, self.decide)
        matrix = ByWords(self.question).distances(answers, target)
        place = {name: i for i, name in enumerate(items.names)}
        leaders = [grouped.leader[place[m]] if m in place else None for m in items.meanings]
        for i, one in enumerate(leaders):
            for j, other in enumerate(leaders[:i]):
                if one is None or other is None:
                    continue
                if one == other:
                    matrix[i, j] = matrix[j, i] = 0.0
                elif grouped.verdicts.get((min(one, other), max(one, other))) is False:
                    matrix[i, j] = matrix[j, i] = 1.0
        return matrix


@dataclass(frozen=True, slots=True)
class ByVectors:
    """By cosine, where no number, name, negation or opposite tells the answers apart."""

    question: str
    vectors: Vectors
    name: str

    def classes(self, answers: Sequence[Answer], target: Answer | None) -> list[int]:
        """See `Comparer`. Answers mean the same from `SAME_COSINE` on."""
        return ByVerdicts(self.question, self._decide, self.name).classes(answers, target)

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """See `Comparer`. The mean of the words' distance and the cosine's, or the words' alone where marks differ."""
        matrix = ByWords(self.question).distances(answers, target)
        texts = [answer.key for answer in _all(answers, target)]
        vectors = self.vectors(texts)
        cosines = np.clip(vectors @ vectors.T, 0.0, 1.0).astype(np.float64)
        for i, one in enumerate(texts):
            for j, other in enumerate(texts[:i]):
                if matrix[i, j] and not differ(one, other):
                    matrix[i, j] = matrix[j, i] = (matrix[i, j] + 1 - cosines[i, j]) / 2
        return matrix

    def _decide(self, pairs: Sequence[Pair]) -> dict[Pair, bool | None]:
        vectors = self.vectors([text for pair in pairs for text in (pair.left, pair.right)])
        cosines = (vectors[::2] * vectors[1::2]).sum(axis=1).tolist()
        return {
            pair: cosine >= SAME_COSINE and not differ(pair.left, pair.right)
            for pair, cosine in zip(pairs, cosines, strict=True)
        }


def open_pairs(
    answers: Sequence[Answer], target: Answer | None, question: str, known: Mapping[Pair, bool | None]
) -> tuple[Pair, ...]:
    """The pairs that have to be decided next, after those that are `known`; none where all is decided."""
    items = _Items.of(answers, target)
    return group(items.wordings, question, lambda pairs: {p: known[p] for p in pairs if p in known}).open


def compared_texts(answers: Sequence[Answer], target: Answer | None) -> tuple[str, ...]:
    """The texts whose vectors `ByVectors` wants of these answers."""
    items = _Items.of(answers, target)
    return tuple(dict.fromkeys((*items.wordings, *(answer.key for answer in _all(answers, target)))))


@dataclass(frozen=True, slots=True)
class _Items:
    """What is compared: the distinct readable short answers and texts.

    `meanings` are those of all answers, the target's last. `names` are the meanings that are compared, the target's
    first and then the commonest first, and `wordings` how each one is said: its shortest wording.
    """

    meanings: tuple[str, ...]
    names: tuple[str, ...]
    wordings: tuple[str, ...]

    @classmethod
    def of(cls, answers: Sequence[Answer], target: Answer | None) -> _Items:
        everything = _all(answers, target)
        meanings = [meaning(answer) for answer in everything]
        said: dict[str, str] = {}
        for name, answer in zip(meanings, everything, strict=True):
            if answer.key and answer.kind in ("short", "text"):
                text = answer.key if answer.kind == "text" else answer.text
                said[name] = min(said.get(name, text), text, key=lambda t: (len(t), t))
        counts = Counter(meanings)
        first = meanings[-1] if target else None
        names = sorted(said, key=lambda name: (name != first, -counts[name], said[name]))
        return cls(tuple(meanings), tuple(names), tuple(said[name] for name in names))

    def classes(self, grouped: Grouped) -> list[int]:
        """The class of every answer, numbered from 0 in order of first appearance."""
        joined = {name: self.names[leader] for name, leader in zip(self.names, grouped.leader, strict=True)}
        numbers: dict[str, int] = {}
        return [numbers.setdefault(joined.get(name, name), len(numbers)) for name in self.meanings]


def _all(answers: Sequence[Answer], target: Answer | None) -> list[Answer]:
    return [*answers, *([target] if target else [])]
