"""Pairs of answers that need a verdict, and the partition by leaders that the verdicts give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from curator.disagreement.equivalence.critical_tokens import contradict, critical_tokens, related_otherwise
from curator.disagreement.equivalence.word_kernel import content_words, word_list

NUMBERS_DECIDE = 32
"""The length in content words (a sentence or two) up to which the numbers decide; in longer prose they are details."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two different answers to one question in sorted order; made by `pair_of`."""

    question: str
    left: str
    right: str


Decide = Callable[[Sequence[Pair]], Mapping[Pair, bool | None]]
"""Decides pairs: True where both answers mean the same, False where not, None where that cannot be decided.

A pair that is missing from the result has no decision yet."""


def pair_of(question: str, answer: str, other: str) -> Pair:
    """Make the pair of two answers; their order does not matter."""
    left, right = sorted((answer, other))
    return Pair(question, left, right)


def cheap_verdict(pair: Pair) -> bool | None:
    """Decide a pair without a model: True, False, or None where it stays open.

    False: the answers are short and contradict each other in a number, or in yes and no.
    True: without function words and the words of the question, both have the same words in the same order, and the words
    of the shorter answer all occur in the longer one, in that order. Words of the question do not count, because one answer
    may repeat them and the other not. The second condition is for answers that differ in words of the question only, such
    as "X is much bigger" and "Y is much bigger".
    """
    shorter, longer = sorted((_words(pair.left), _words(pair.right)), key=len)
    if len(longer) <= NUMBERS_DECIDE and contradict(pair.left, pair.right):
        return False
    if critical_tokens(pair.left).negated != critical_tokens(pair.right).negated or related_otherwise(
        pair.left, pair.right
    ):
        return None
    asked = _asked(pair.question)
    new = [word for word in shorter if word not in asked]
    if new and new == [word for word in longer if word not in asked] and _is_subsequence(shorter, longer):
        return True
    return None


@dataclass(frozen=True, slots=True)
class LeaderPartition:
    """A partition of items by leaders.

    Attributes:
        leader: `leader[i]` is the item that leads the class of item i.
        verdicts: the verdict on each pair of items that was compared.
        open: the pairs that need a verdict before the clustering can continue; until then the remaining items lead classes
            of their own.
    """

    leader: tuple[int, ...]
    verdicts: Mapping[tuple[int, int], bool | None]
    open: tuple[Pair, ...]


def cluster_by_leaders(items: Sequence[str], question: str, decide: Decide) -> LeaderPartition:
    """Partition distinct answers by leaders (leader clustering, Hartigan 1975).

    The first remaining item leads a class and takes in every later item that means the same; then the next remaining item
    leads. Each member of a class therefore means the same as its leader, and there are no chains, in which a is like b and
    b like c, but a is not like c. Each item is compared with each leader before its own: at most n (n - 1) / 2
    comparisons, and n - 1 where all mean the same.

    Args:
        items: the answers by importance, the target first.
        question: the question that they answer.
        decide: decides the pairs that `cheap_verdict` leaves open; None keeps the two answers apart.
    """
    leader = list(range(len(items)))
    verdicts: dict[tuple[int, int], bool | None] = {}
    left = list(leader)
    while len(left) > 1:
        first, *others = left
        pairs = {other: pair_of(question, items[first], items[other]) for other in others}
        cheap = {other: cheap_verdict(pair) for other, pair in pairs.items()}
        asked = [pair for other, pair in pairs.items() if cheap[other] is None]
        decided = decide(asked) if asked else {}
        if waiting := tuple(pair for pair in asked if pair not in decided):
            return LeaderPartition(tuple(leader), verdicts, waiting)
        left = []
        for other, pair in pairs.items():
            verdict = decided[pair] if cheap[other] is None else cheap[other]
            verdicts[first, other] = verdict
            if verdict:
                leader[other] = first
            else:
                left.append(other)
    return LeaderPartition(tuple(leader), verdicts, ())


# Cached: an answer is compared with each other answer of its case, and its question is needed for each of these pairs.
_words = lru_cache(maxsize=2**10)(word_list)
_asked = lru_cache(maxsize=4)(content_words)


def _is_subsequence(words: Sequence[str], others: Sequence[str]) -> bool:
    """Return True if the words all occur among the others, in the same order."""
    rest = iter(others)
    return all(word in rest for word in words)
