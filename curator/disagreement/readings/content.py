"""Compare two answers by their content: the words they add to the question, and yes or no."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.estimators.similarities import words

Floats = NDArray[np.float64]
LOOKED_AT = 8000
"""Characters of an answer that are compared, half at its start and half at its end."""
SENTENCES = 12
"""Sentences of an answer in which the one about the question is searched."""
LEAST_WEIGHT = 0.01
"""The weight of a word that stands in the answers to every case."""

_SENTENCE = re.compile(r"(?<=[.!?。！？])\s*|\n+")  # noqa: RUF001 - full-width marks are meant
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|[不没沒無无未]")  # noqa: RUF001 - the typographic apostrophe is meant
# Not the list of the sentence distance: its words such as `unable` and `lack` deny what the speaker can do, not what was
# asked.
_NEGATIONS = frozenset(
    re.findall(
        r"\S+",
        "no not never none neither nor without cannot nothing nobody false "  # data
        "nicht kein keine nie ne pas jamais aucun aucune sans nunca ninguno ninguna sin não nem sem "
        "non nessun nessuna mai niet geen nooit 不 没 沒 無 无 未",  # data
    )
)


@dataclass(frozen=True, slots=True)
class WordWeights:
    """The weight of each word: how rare it is in the answers to a task's cases.

    log((N + 1) / (d + 1/2)) for a word in the answers to d of N cases, as inverse document frequency (Sparck Jones 1972).
    Words that recur in the answers to most cases, such as those of a disclaimer, weigh next to nothing.

    Attributes:
        weights: of the words in the answers to two cases or more.
        rare: the weight of all other words.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    rare: float = 1.0

    @classmethod
    def of(cls, cases: int, counts: Mapping[str, int]) -> WordWeights:
        """Return the weights for words that stand in the answers to `counts` of the cases."""
        weights = {word: max(math.log((cases + 1) / (count + 0.5)), LEAST_WEIGHT) for word, count in counts.items()}
        return cls(weights, math.log((cases + 1) / 1.5) if cases > 1 else 1.0)


def shown_part(text: str) -> str:
    """Return the part of a long text that is compared: its start and its end."""
    return text if len(text) <= LOOKED_AT else f"{text[: LOOKED_AT // 2]}\n{text[-LOOKED_AT // 2 :]}"


@lru_cache(maxsize=64)
def question_words(question: str) -> frozenset[str]:
    """Return the words of a question, of a long one those at its end."""
    return frozenset(words(question[-LOOKED_AT // 2 :]))


def content(text: str, question: frozenset[str], weights: WordWeights) -> Mapping[str, float]:
    """Return the words that an answer adds to the question, with their weights.

    All words of the answer, if it adds none.
    """
    distinct = frozenset(words(shown_part(text)))
    added = distinct.difference(question) or distinct
    get, rare = weights.weights.get, weights.rare
    return {word: get(word, rare) for word in added}


def containment(left: Mapping[str, float], right: Mapping[str, float]) -> float:
    """Return the share of the lighter content that the other has too, in 0..1.

    The overlap coefficient (Szymkiewicz-Simpson) of weighted sets. A name agrees with a paragraph that has the name in it.
    """
    if len(right) < len(left):
        left, right = right, left
    lighter = min(math.fsum(left.values()), math.fsum(right.values()))
    shared = math.fsum([left[word] for word in left.keys() & right.keys()])
    return min(shared / lighter, 1.0) if lighter else float(left == right)


def containments(contents: Sequence[Mapping[str, float]]) -> Floats:
    """Return the containment (n, n) of every two contents; 1 on the diagonal."""
    n = len(contents)
    matrix = np.ones((n, n))
    for i in range(n):
        for j in range(i):
            same = contents[i] is contents[j]
            matrix[i, j] = matrix[j, i] = 1.0 if same else containment(contents[i], contents[j])
    return matrix


def polarity(text: str, question: frozenset[str]) -> str | None:
    """Return `yes` or `no`: the sentence that is most about the question affirms or denies.

    None without words. That sentence shares most words with the question; one that begins with yes or no comes before all others. It denies if
    it begins with no or has a negation.
    """
    best, denies = -1.0, False
    for sentence in _SENTENCE.split(shown_part(text), maxsplit=SENTENCES)[:SENTENCES]:
        tokens = [token.replace("’", "'") for token in _WORD.findall(sentence.casefold())]  # noqa: RUF001
        if not tokens:
            continue
        about = len(question & set(tokens)) / max(len(question), 1) + (tokens[0] in ("yes", "no"))
        if about > best:
            best = about
            denies = tokens[0] != "yes" and any(t in _NEGATIONS or t.endswith("n't") for t in tokens)
    return None if best < 0 else "no" if denies else "yes"
