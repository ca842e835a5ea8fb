"""Pairs of answers that only somebody else can decide, and the partition that the decisions give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from curator.disagreement.equivalence.critical_tokens import contradict, critical_tokens, related_otherwise
from curator.disagreement.equivalence.word_kernel import content_words, word_list

NUMBERS_DECIDE = 32
"""Up to so many content words (a sentence or two) an answer is about what its numbers say; in longer prose they are details."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two different answers to one question, the one that sorts first on the left; see `pair_of`."""

    question: str
    left: str
    right: str


Decide = Callable[[Sequence[Pair]], Mapping[Pair, bool | None]]
"""Says of pairs whether both answers mean the same: True, False, or None where nobody could tell.

A pair that is not in what it returns is not decided yet."""


def pair_of(question: str, one: str, other: str) -> Pair:
    """The pair of two answers, whatever order they come in."""
    left, right = sorted((one, other))
    return Pair(question, left, right)


def cheap_verdict(pair: Pair) -> bool | None:
    """What can be said of a pair without a model: False, True, or None where it stays open.

    Apart: short answers contradict each other in a number, or in yes and no. The same: they have the same words in the
    same order, once function words and the words of the question are left out, and the shorter one's words all stand
    in the longer one in that order. The question's words say nothing where one answer repeats them and one does not,
    but "X is much bigger" and "Y is much bigger" differ in nothing else: that is what the second condition is for.
    """
    shorter, longer = sorted((_words(pair.left), _words(pair.right)), key=len)
    if len(longer) <= NUMBERS_DECIDE and contradict(pair.left, pair.right):
        return False
    if critical_tokens(pair.left).negated != critical_tokens(pair.right).negated or related_otherwise(
        pair.left, pair.right
    ):
        return None
    asked = _asked(pair.question)
    told = [word for word in shorter if word not in asked]
    if told and told == [word for word in longer if word not in asked] and _runs_through(shorter, longer):
        return True
    return None


@dataclass(frozen=True, slots=True)
class LeaderPartition:
    """A partition of items: `leader[i]` is the item that leads the class of item i.

    `verdicts` holds what was said of the pairs that were compared. `open` are the pairs that must be decided before it
    can go on; where there are any, the items that are left lead classes of their own.
    """

    leader: tuple[int, ...]
    verdicts: Mapping[tuple[int, int], bool | None]
    open: tuple[Pair, ...]


def cluster_by_leaders(items: Sequence[str], question: str, decide: Decide) -> LeaderPartition:
    """Partition distinct answers by leaders.

    The first one left leads a class, and takes in every later one that means the same as itself; and so on. So each member of a class was itself found to mean the same as its leader: there are no chains, in which a is like b
    and b like c, but a not like c. It takes one comparison of each item with each leader before its own, at most
    n (n - 1) / 2, and n - 1 where all mean the same. Items come in the order of their weight (the target first).
    Pairs that cheap steps decide are not asked for; one that nobody could decide keeps its answers apart.
    """
    leader = list(range(len(items)))
    verdicts: dict[tuple[int, int], bool | None] = {}
    left = list(leader)
    while len(left) > 1:
        first, *others = left
        pairs = {other: pair_of(question, items[first], items[other]) for other in others}
        cheap = {other: cheap_verdict(pair) for other, pair in pairs.items()}
        asked = [pair for other, pair in pairs.items() if cheap[other] is None]
        told = decide(asked) if asked else {}
        if waiting := tuple(pair for pair in asked if pair not in told):
            return LeaderPartition(tuple(leader), verdicts, waiting)
        left = []
        for other, pair in pairs.items():
            verdict = told[pair] if cheap[other] is None else cheap[other]
            verdicts[first, other] = verdict
            if verdict:
                leader[other] = first
            else:
                left.append(other)
    return LeaderPartition(tuple(leader), verdicts, ())


# An answer meets each of the others of its case, and its question each pair of them.
_words = lru_cache(maxsize=2**10)(word_list)
_asked = lru_cache(maxsize=4)(content_words)


def _runs_through(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether the words all stand among the others in the same order."""
    rest = iter(others)
    return all(word in rest for word in words)
