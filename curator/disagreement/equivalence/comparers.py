"""Comparers of the answers to one input: by words, by vectors, or by verdicts on pairs."""

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
from curator.disagreement.equivalence.critical_tokens import differ
from curator.disagreement.equivalence.leader_clustering import Decide, LeaderPartition, Pair, cluster_by_leaders
from curator.disagreement.equivalence.text_distance import Vectors, text_distances

SAME_COSINE = 0.9
"""Short answers with at least this cosine mean the same.

Pairs of different answers reach 0.87 where no critical token separates them.
"""


class Comparer(Protocol):
    """Compares the answers to one input, of one kind."""

    @property
    def name(self) -> str:
        """The suffix that the score's name gets; "" for the default comparer."""

    def classes(self, answers: Sequence[Answer], target: Answer | None, *, label: Answer | None = None) -> list[int]:
        """Return the class of each answer, of the target and of the label, in this order.

        The classes are a partition by meaning. A target or label that is None is skipped. The label is compared last, so that it does not change the classes of the
        others.
        """

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """Return the distances (n, n), in 0..1, of the answers and, last, the target if any."""


def meaning(answer: Answer) -> str:
    """Return the name of the answer's class.

    Answers of one kind mean the same if they have the same name.     All refusals share a name, and so do all empty answers. A readable answer is named by its key, an unreadable one by its
    wording. The first character keeps the four apart.
    """
    if answer.kind == "refusal":
        return "!"
    if answer.kind == "empty":
        return "0"
    return f"={answer.key}" if answer.key else f"?{short_form(answer.text)}"


def classes_by_key(answers: Sequence[Answer]) -> list[int]:
    """Partition answers by `meaning`; classes are numbered from 0 in order of first appearance."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(meaning(answer), len(numbers)) for answer in answers]


@dataclass(frozen=True, slots=True)
class WordComparer:
    """Compare by normal form and by content words; the default, which needs no model."""

    question: str
    name: str = ""

    def classes(self, answers: Sequence[Answer], target: Answer | None, *, label: Answer | None = None) -> list[int]:
        """See `Comparer`. Short answers mean the same where `cheap_verdict` says so."""
        everything = _all(answers, target, label)
        if any(answer.kind == "short" for answer in everything):
            items = _Items.of(answers, target, label)
            return items.classes(cluster_by_leaders(items.wordings, self.question, dict.fromkeys))
        return classes_by_key(everything)

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """See `Comparer`.

        `text_distances`, but 1 between a refusal and an answer. Two refusals keep the distance of their words. If it were 0,
        a case in which production and committee both refuse would rank last, although production fails on most such cases.
        """
        return _text_distances(self.question, answers, target)


WORD_COMPARER = WordComparer("")


@dataclass(frozen=True, slots=True)
class VerdictComparer:
    """Compare by verdicts of an LLM judge or an NLI model on the pairs that words leave open."""

    question: str
    decide: Decide
    name: str

    def classes(self, answers: Sequence[Answer], target: Answer | None, *, label: Answer | None = None) -> list[int]:
        """See `Comparer`."""
        items = _Items.of(answers, target, label)
        return items.classes(cluster_by_leaders(items.wordings, self.question, self.decide))

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """See `Comparer`.

        0 in a class and 1 between classes; the distance of the words where a pair has no verdict. 1 - distance is then not a positive definite kernel, so that `between` can come out slightly too small;
        `rao_entropy` keeps the split within its bounds.
        """
        items = _Items.of(answers, target)
        partition = cluster_by_leaders(items.wordings, self.question, self.decide)
        matrix = WordComparer(self.question).distances(answers, target)
        place = {name: i for i, name in enumerate(items.names)}
        leaders = [partition.leader[place[m]] if m in place else None for m in items.meanings]
        for i, leader in enumerate(leaders):
            for j, other in enumerate(leaders[:i]):
                if leader is None or other is None:
                    continue
                if leader == other:
                    matrix[i, j] = matrix[j, i] = 0.0
                elif partition.verdicts.get((min(leader, other), max(leader, other))) is False:
                    matrix[i, j] = matrix[j, i] = 1.0
        return matrix


@dataclass(frozen=True, slots=True)
class VectorComparer:
    """Compare by cosine, unless a number, name, negation or opposite separates the answers."""

    question: str
    vectors: Vectors
    name: str

    def classes(self, answers: Sequence[Answer], target: Answer | None, *, label: Answer | None = None) -> list[int]:
        """See `Comparer`. Answers mean the same if their cosine is at least `SAME_COSINE`."""
        return VerdictComparer(self.question, self._decide, self.name).classes(answers, target, label=label)

    def distances(self, answers: Sequence[Answer], target: Answer | None) -> NDArray[np.float64]:
        """See `Comparer`. As `WordComparer`, but a large cosine makes texts similar."""
        return _text_distances(self.question, answers, target, self.vectors)

    def _decide(self, pairs: Sequence[Pair]) -> dict[Pair, bool | None]:
        vectors = self.vectors([text for pair in pairs for text in (pair.left, pair.right)])
        cosines = (vectors[::2] * vectors[1::2]).sum(axis=1).tolist()
        return {
            pair: cosine >= SAME_COSINE and not differ(pair.left, pair.right)
            for pair, cosine in zip(pairs, cosines, strict=True)
        }


@dataclass(frozen=True)
class CachedComparer:
    """Compare all answers to one input once with `compare`, and reuse that for any part of them.

    Without the cache, the partition of a part would depend on what else is compared: on the order of the leaders and on the
    pairs that have verdicts. The cache covers `answers`, `target` and `label`, and distances of all but the label.
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
        """See `Comparer`. Classes are numbered from 0 in order of first appearance."""
        numbers: dict[int, int] = {}
        cached = [self._classes[meaning(answer)] for answer in _all(answers, target, label)]
        return [numbers.setdefault(number, len(numbers)) for number in cached]

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
    verdicts: Mapping[Pair, bool | None],
    *,
    label: Answer | None = None,
) -> tuple[Pair, ...]:
    """Return the pairs that need a verdict next, given the `verdicts` so far.

    The result is empty where all are decided. Pairs with the label follow after the others are decided, because the score does not need them.
    """

    def open_of(items: _Items) -> tuple[Pair, ...]:
        return cluster_by_leaders(
            items.wordings, question, lambda pairs: {p: verdicts[p] for p in pairs if p in verdicts}
        ).open

    return open_of(_Items.of(answers, target)) or open_of(_Items.of(answers, target, label))


def compared_texts(answers: Sequence[Answer], target: Answer | None, *, label: Answer | None = None) -> tuple[str, ...]:
    """Return the texts of which `VectorComparer` needs vectors, to compare these answers."""
    items = _Items.of(answers, target, label)
    return tuple(dict.fromkeys((*items.wordings, *(answer.key for answer in _all(answers, target)))))


@dataclass(frozen=True, slots=True)
class _Items:
    """The distinct readable short answers and texts of one case, the most important first.

    Attributes:
        meanings: the meaning of every answer, then of the target and the label.
        names: the distinct meanings that are compared: the target's first, then by falling frequency; last the label's, if
            no answer has it.
        wordings: the shortest wording of each name.
    """

    meanings: tuple[str, ...]
    names: tuple[str, ...]
    wordings: tuple[str, ...]

    @classmethod
    def of(cls, answers: Sequence[Answer], target: Answer | None, label: Answer | None = None) -> _Items:
        everything = _all(answers, target)
        meanings = [meaning(answer) for answer in everything]
        shortest: dict[str, str] = {}
        for name, answer in zip(meanings, everything, strict=True):
            if _is_worded(answer):
                text = _wording(answer)
                shortest[name] = min(shortest.get(name, text), text, key=lambda t: (len(t), t))
        counts = Counter(meanings)
        first = meanings[-1] if target else None
        names = sorted(shortest, key=lambda name: (name != first, -counts[name], shortest[name]))
        if label:
            meanings.append(meaning(label))
            if _is_worded(label) and meanings[-1] not in shortest:
                names.append(meanings[-1])
                shortest[meanings[-1]] = _wording(label)
        return cls(tuple(meanings), tuple(names), tuple(shortest[name] for name in names))

    def classes(self, partition: LeaderPartition) -> list[int]:
        """Return the class of every answer, numbered from 0 in order of first appearance."""
        leaders = {name: self.names[leader] for name, leader in zip(self.names, partition.leader, strict=True)}
        numbers: dict[str, int] = {}
        return [numbers.setdefault(leaders.get(name, name), len(numbers)) for name in self.meanings]


def _text_distances(
    question: str, answers: Sequence[Answer], target: Answer | None, vectors: Vectors | None = None
) -> NDArray[np.float64]:
    everything = _all(answers, target)
    matrix = text_distances([answer.key for answer in everything], question=question, vectors=vectors)
    refused = np.array([answer.kind == "refusal" for answer in everything])
    matrix[np.not_equal.outer(refused, refused)] = 1.0
    return matrix


def _is_worded(answer: Answer) -> bool:
    return bool(answer.key) and answer.kind in ("short", "text")


def _wording(answer: Answer) -> str:
    return answer.key if answer.kind == "text" else answer.text


def _all(answers: Sequence[Answer], target: Answer | None, label: Answer | None = None) -> list[Answer]:
    return [*answers, *(answer for answer in (target, label) if answer)]


ComparerFactory = Callable[[str], Comparer]
"""Makes the comparer of the answers to a question."""
