"""How the answers to one input are compared: by words, by vectors, or by what somebody else says of pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curator.answers.normalization import short_form
from curator.answers.read import Answer
from curator.disagreement.equivalence.critical_tokens import differ, yes_or_no
from curator.disagreement.equivalence.leader_clustering import Decide, LeaderPartition, Pair, cluster_by_leaders
from curator.disagreement.equivalence.word_kernel import word_distances

SAME_COSINE = 0.9
"""Short answers this alike mean the same. Pairs of different answers reach 0.87 where no mark tells them apart."""
Vectors = Callable[[Sequence[str]], NDArray[np.float32]]
"""Turns texts into unit vectors, (n, d)."""


class Comparer(Protocol):
    """Compares the answers to one input, of one kind."""

    @property
    def name(self) -> str:
        """What the score's name gets, "" for the default."""

    def classes(self, answers: Sequence[Answer], target: Answer | None, *, label: Answer | None = None) -> list[int]:
        """The class of each answer, of the target if there is one, and of the label if there is one: a partition.

        The label is compared after all others, so that it changes nothing among them.
        """

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """The matrix of distances of the answers, and of the target last, in 0..1."""


def meaning(answer: Answer) -> str:
    """What the answer's class is named by: answers of one kind mean the same when this is equal.

    A refusal is named by its being one, and so is an answer that says nothing; a readable answer by its key, and an
    unreadable one by its own wording. No two of these ever meet.
    """
    if answer.kind == "refusal":
        return "!"
    if answer.kind == "empty":
        return "0"
    return f"={answer.key}" if answer.key else f"?{short_form(answer.text)}"


def classes_by_key(answers: Sequence[Answer]) -> list[int]:
    """The class of each answer, numbered from 0 in order of first appearance: a partition."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(meaning(answer), len(numbers)) for answer in answers]


@dataclass(frozen=True, slots=True)
class WordComparer:
    """By normal form, by the words that tell something, and by word sets: needs no model, and is the default."""

    question: str
    name: str = ""

    def classes(self, answers: Sequence[Answer], target: Answer | None, *, label: Answer | None = None) -> list[int]:
        """See `Comparer`. Short answers are the same where the cheap steps of `pairs` say so."""
        everything = _all(answers, target, label)
        if any(answer.kind == "short" for answer in everything):
            items = _Items.of(answers, target, label)
            return items.classes(cluster_by_leaders(items.wordings, self.question, dict.fromkeys))
        return classes_by_key(everything)

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """See `Comparer`. That of the words, but 1 between a refusal and an answer, and between yes and no.

        Yes and no are what texts begin with. Two refusals keep the distance of their words: where production refuses, it
        fails more often than not, and a committee that refuses in other words is no reason to rank that last.
        """
        everything = _all(answers, target)
        texts = [answer.key for answer in everything]
        matrix = word_distances(texts, question=self.question)
        says = [_REFUSED if a.kind == "refusal" else yes_or_no(a.key) for a in everything]
        if _REFUSED in says or ("yes" in says and "no" in says):
            for i, one in enumerate(says):
                for j, other in enumerate(says[:i]):
                    if one != other and (_REFUSED in (one, other) or "" not in (one, other)):
                        matrix[i, j] = matrix[j, i] = 1.0
        return matrix


_REFUSED = "refused"
WORD_COMPARER = WordComparer("")


@dataclass(frozen=True, slots=True)
class VerdictComparer:
    """By what `decide` says of the pairs that the cheap steps leave open: an LLM judge, or an NLI model."""

    question: str
    decide: Decide
    name: str

    def classes(self, answers: Sequence[Answer], target: Answer | None, *, label: Answer | None = None) -> list[int]:
        """See `Comparer`."""
        items = _Items.of(answers, target, label)
        return items.classes(cluster_by_leaders(items.wordings, self.question, self.decide))

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """See `Comparer`. 0 inside a class and 1 between classes; the words' distance where nobody could decide.

        That is no kernel any more, so that `between` can lack a little; `rao_entropy` keeps the split in its bounds.
        """
        items = _Items.of(answers, target)
        grouped = cluster_by_leaders(items.wordings, self.question, self.decide)
        matrix = WordComparer(self.question).distances(answers, target)
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
class VectorComparer:
    """By cosine, where no number, name, negation or opposite tells the answers apart."""

    question: str
    vectors: Vectors
    name: str

    def classes(self, answers: Sequence[Answer], target: Answer | None, *, label: Answer | None = None) -> list[int]:
        """See `Comparer`. Answers mean the same from `SAME_COSINE` on."""
        return VerdictComparer(self.question, self._decide, self.name).classes(answers, target, label=label)

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """See `Comparer`. The mean of the words' distance and the cosine's, or the words' alone where marks differ."""
        matrix = WordComparer(self.question).distances(answers, target)
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


@dataclass(frozen=True)
class CachedComparer:
    """By what `compare` finds, once, of all that was said to one input: any part of it is then compared alike.

    Without it a partition would depend on what else is compared: on who leads, and on which pairs somebody was asked
    about. It knows the `answers`, the `target` and the `label`, and the distances of all but the label.
    """

    compare: Comparer
    answers: tuple[Answer, ...]
    target: Answer | None = None
    label: Answer | None = None

    @property
    def name(self) -> str:
        """See `Comparer`."""
        return self.compare.name

    def classes(self, answers: Sequence[Answer], target: Answer | None, *, label: Answer | None = None) -> list[int]:
        """See `Comparer`. They are numbered from 0 in order of first appearance."""
        numbers: dict[int, int] = {}
        settled = [self._classes[meaning(answer)] for answer in _all(answers, target, label)]
        return [numbers.setdefault(number, len(numbers)) for number in settled]

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """See `Comparer`."""
        place = {answer: i for i, answer in enumerate(_all(self.answers, self.target))}
        rows = [place[answer] for answer in _all(answers, target)]
        return self._distances[np.ix_(rows, rows)]

    @cached_property
    def _classes(self) -> dict[str, int]:
        everything = _all(self.answers, self.target, self.label)
        numbers = self.compare.classes(self.answers, self.target, label=self.label)
        return dict(zip(map(meaning, everything), numbers, strict=True))

    @cached_property
    def _distances(self) -> NDArray[np.float64]:
        return self.compare.distances(self.answers, self.target)


def open_pairs(
    answers: Sequence[Answer],
    target: Answer | None,
    question: str,
    known: Mapping[Pair, bool | None],
    *,
    label: Answer | None = None,
) -> tuple[Pair, ...]:
    """The pairs that have to be decided next, after those that are `known`; none where all is decided.

    The pairs of the label come when those of the others are decided: what the score needs goes first.
    """

    def open_of(items: _Items) -> tuple[Pair, ...]:
        return cluster_by_leaders(
            items.wordings, question, lambda pairs: {p: known[p] for p in pairs if p in known}
        ).open

    return open_of(_Items.of(answers, target)) or open_of(_Items.of(answers, target, label))


def compared_texts(answers: Sequence[Answer], target: Answer | None, *, label: Answer | None = None) -> tuple[str, ...]:
    """The texts whose vectors `VectorComparer` wants of these answers."""
    items = _Items.of(answers, target, label)
    return tuple(dict.fromkeys((*items.wordings, *(answer.key for answer in _all(answers, target)))))


@dataclass(frozen=True, slots=True)
class _Items:
    """What is compared: the distinct readable short answers and texts.

    `meanings` are those of all answers, the target's and the label's last. `names` are the meanings that are compared,
    the target's first and then the commonest first, the label's last if nobody else said it, and `wordings` how each one is said: its shortest wording.
    """

    meanings: tuple[str, ...]
    names: tuple[str, ...]
    wordings: tuple[str, ...]

    @classmethod
    def of(cls, answers: Sequence[Answer], target: Answer | None, label: Answer | None = None) -> _Items:
        everything = _all(answers, target)
        meanings = [meaning(answer) for answer in everything]
        said: dict[str, str] = {}
        for name, answer in zip(meanings, everything, strict=True):
            if _is_worded(answer):
                text = _wording(answer)
                said[name] = min(said.get(name, text), text, key=lambda t: (len(t), t))
        counts = Counter(meanings)
        first = meanings[-1] if target else None
        names = sorted(said, key=lambda name: (name != first, -counts[name], said[name]))
        if label:
            meanings.append(meaning(label))
            if _is_worded(label) and meanings[-1] not in said:
                names.append(meanings[-1])
                said[meanings[-1]] = _wording(label)
        return cls(tuple(meanings), tuple(names), tuple(said[name] for name in names))

    def classes(self, grouped: LeaderPartition) -> list[int]:
        """The class of every answer, numbered from 0 in order of first appearance."""
        joined = {name: self.names[leader] for name, leader in zip(self.names, grouped.leader, strict=True)}
        numbers: dict[str, int] = {}
        return [numbers.setdefault(joined.get(name, name), len(numbers)) for name in self.meanings]


def _is_worded(answer: Answer) -> bool:
    return bool(answer.key) and answer.kind in ("short", "text")


def _wording(answer: Answer) -> str:
    return answer.key if answer.kind == "text" else answer.text


def _all(answers: Sequence[Answer], target: Answer | None, label: Answer | None = None) -> list[Answer]:
    return [*answers, *(answer for answer in (target, label) if answer)]


ComparerFactory = Callable[[str], Comparer]
"""Makes what compares the answers to a question."""
