"""Distances of free texts: facts and polarity decide, and length does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.equivalence.text_content import Sentence, TextContent, text_content
from curator.disagreement.equivalence.word_lists import EVEN_SIDES

QUESTION_WORD = 1 / 8
"""The weight of a word of the question: repeating it or leaving it out changes little in an answer."""
EXTRA = 0.1
"""The share of the longer text's words in the denominator of the overlap; the rest are the shorter text's."""
CONTRADICTION = 0.9
"""The share of the similarity that a contradiction between sentences of the same words takes away."""
UNRELATED = 0.6
"""The cosine up to which two answers to one question count as unrelated."""
_BLOCK = 2**21
"""Pairs of sentences that are compared at once; it bounds the memory."""
_ONE_THREAD = 2**18
"""Multiplications up to which OpenBLAS computes a matrix product in one thread."""

Vectors = Callable[[Sequence[str]], NDArray[np.float32]]
"""Encodes n texts as unit vectors (n, d)."""
_Floats = NDArray[np.float64]
_Singles = NDArray[np.float32]
_Places = NDArray[np.int64]


def text_distances(texts: Sequence[str], *, question: str = "", vectors: Vectors | None = None) -> _Floats:
    """Return the distances (n, n) of n texts, in 0..1.

    They are symmetric, and 0 on the diagonal and for the same content: d = 1 - s (1 - 0.9 c). s is the overlap of the content words: those that both texts have, divided by nine tenths of the
    shorter text's and one tenth of the longer one's (Tversky 1977, a ratio model). So a text is near to a longer one that
    contains it, and length itself does not matter. c is the strongest contradiction, in 0..1 (`_contradictions`). Where one
    text says yes or true and the other no or false, d is 1.

    1 - d is not a positive definite kernel, so that the `between` part of Rao's split can be slightly too small;
    `rao_entropy` keeps the split within its bounds.

    Args:
        texts: the texts.
        question: the question that they answer; its words count an eighth.
        vectors: encodes the distinct texts; s is then at least (cos - 0.6) / 0.4, so that a rewording comes nearer. None
            compares by words only.
    """
    if vectors is None:
        return _by_words(tuple(texts), question).copy()
    return _distances(texts, question, vectors)


@lru_cache(maxsize=8)
def _by_words(texts: tuple[str, ...], question: str) -> _Floats:
    """Return the distances by words, kept for the partition and the score of a case."""
    return _distances(texts, question, None)


def _distances(texts: Sequence[str], question: str, vectors: Vectors | None) -> _Floats:
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(text, len(numbers)) for text in texts]
    if len(numbers) < 2:
        return np.zeros((len(texts), len(texts)))
    contents = [text_content(text) for text in numbers]
    compared = _Compared.of(contents, question)
    similar = compared.overlaps()
    if vectors is not None:
        rows = vectors(list(numbers)).astype(np.float64)
        similar = np.maximum(similar, np.clip((rows @ rows.T - UNRELATED) / (1 - UNRELATED), 0, 1))
    distances = 1 - similar * (1 - CONTRADICTION * _contradictions(compared))
    verdicts = np.array([content.verdict for content in contents])
    distances[np.multiply.outer(verdicts, verdicts) < 0] = 1.0
    np.fill_diagonal(distances, 0.0)
    return distances if len(numbers) == len(texts) else distances[np.ix_(places, places)]


@dataclass(frozen=True, slots=True)
class _Compared:
    """The sentences of n texts, one after the other, as rows of matrices.

    Attributes:
        contents: the texts, n of them.
        sentences: all their sentences, s of them.
        text: the text of each sentence (s,).
        starts: the first sentence of each text (n,).
        counts: the number of sentences of each text (n,).
        words: 1 where a sentence has a word (s, v); words of one text only are left out.
        weights: the weight of each of these words (v,).
        sizes: the weight of all words of each sentence (s,).
        plain_weights: the weight of each word (v,); 0 if it is a fact in any sentence.
        plain_sizes: the weight of all other words of each sentence (s,).
        text_sizes: the weight of all words of each text (n,).
    """

    contents: Sequence[TextContent]
    sentences: Sequence[Sentence]
    text: _Places
    starts: _Places
    counts: _Places
    words: _Singles
    weights: _Singles
    sizes: _Singles
    plain_weights: _Singles
    plain_sizes: _Singles
    text_sizes: _Singles

    @classmethod
    def of(cls, contents: Sequence[TextContent], question: str) -> _Compared:
        asked = text_content(question).words if question else frozenset()
        sentences = [sentence for content in contents for sentence in content.sentences]
        seen: set[str] = set()
        shared: set[str] = set()
        for content in contents:
            shared |= seen & content.words
            seen |= content.words
        columns: dict[str, int] = {}
        bags = [sentence.words & shared for sentence in sentences]
        cells = [columns.setdefault(word, len(columns)) for bag in bags for word in bag]
        words = np.zeros((len(sentences), len(columns)), dtype=np.float32)
        words[np.repeat(np.arange(len(sentences)), [len(bag) for bag in bags]), cells] = 1.0
        facts = frozenset().union(*[sentence.facts for sentence in sentences])
        counts = np.array([len(content.sentences) for content in contents])
        sizes = _sizes([sentence.words for sentence in sentences], asked)
        # Eighths are summed exactly, so that neither the order of the words nor the matrix product matters.
        weights = np.array([QUESTION_WORD if word in asked else 1.0 for word in columns], dtype=np.float32)
        return cls(
            contents=contents,
            sentences=sentences,
            text=np.repeat(np.arange(len(contents)), counts),
            starts=np.cumsum(counts) - counts,
            counts=counts,
            words=words,
            weights=weights,
            sizes=sizes,
            plain_weights=weights * np.array([word not in facts for word in columns]) if facts else weights,
            plain_sizes=_sizes([sentence.words - facts for sentence in sentences], asked) if facts else sizes,
            text_sizes=_sizes([content.words for content in contents], asked),
        )

    def overlaps(self) -> _Floats:
        """Return the overlaps (n, n) of the texts, in 0..1."""
        bags = np.maximum.reduceat(self.words, self.starts, axis=0)
        common = ((bags * self.weights) @ bags.T).astype(np.float64)
        sizes = self.text_sizes.astype(np.float64)
        shorter = np.minimum.outer(sizes, sizes)
        return common / (shorter + EXTRA * (np.maximum.outer(sizes, sizes) - shorter))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """k pairs of sentences, sorted.

    Attributes:
        rows: the place of the first sentence of each pair (k,).
        columns: the place of the second (k,).
        context: the share of the words of the shorter sentence that both have (k,), in 0..1.
        plain_context: the same without facts; 1 where a sentence has no other words.
    """

    rows: _Places
    columns: _Places
    context: NDArray[np.floating]
    plain_context: NDArray[np.floating]


def _sizes(bags: Sequence[frozenset[str]], asked: frozenset[str]) -> _Singles:
    sizes = [len(bag) - (1 - QUESTION_WORD) * len(bag & asked) for bag in bags] if asked else [len(bag) for bag in bags]
    return np.array(sizes, dtype=np.float32)


def _contradictions(compared: _Compared) -> _Floats:
    """Return the strongest contradiction of each two texts: symmetric (n, n), in 0..1.

    Each sentence is compared with the sentence of the other text that shares most words with it (Dice). Let g be the share
    of the words of the shorter of these two that both have, and h the same without numbers, names and words that have an
    opposite. They contradict each other

    * with sqrt(h) where each has a number that the other text lacks, or as many numbers but not the same ones;
    * with sqrt(h) m / (m + k) where each has m names or more that the other text lacks, and k are common;
    * with g where one is negated and the other not, and with h where they use opposite words, unless both texts say yes, or
      both no.
    """
    facts = _Facts(compared)
    strongest = np.zeros((len(compared.contents), len(compared.contents)))
    if facts.any:
        text = compared.text
        for pairs in _best_pairs(compared):
            # Of equally similar sentences, the one that contradicts least counts.
            others = text[pairs.columns]
            is_first = np.ones(len(others), dtype=bool)
            is_first[1:] = (pairs.rows[1:] != pairs.rows[:-1]) | (others[1:] != others[:-1])
            first = np.flatnonzero(is_first)
            least = np.minimum.reduceat(facts.contradict(pairs), first)
            np.maximum.at(strongest, (text[pairs.rows[first]], others[first]), least)
    return np.maximum(strongest, strongest.T)


def _best_pairs(compared: _Compared) -> Iterator[_Pairs]:
    """Yield each sentence with the most similar ones of each text, some sentences at a time."""
    words, sizes, starts = compared.words, compared.sizes, compared.starts
    bare = compared.plain_sizes == 0  # "Monday" and "Tuesday" have no common word, but can be compared
    size = max(1, _BLOCK // len(sizes))
    for start in range(0, len(sizes), size):
        block = words[start : start + size]
        common = _product(block * compared.weights, words)
        dice = common / np.add.outer(sizes[start : start + size], sizes)
        best = np.repeat(np.maximum.reduceat(dice, starts, axis=1), compared.counts, axis=1)
        comparable = common > 0
        if bare.any():
            comparable |= np.logical_and.outer(bare[start : start + size], bare)
        places = np.nonzero((dice >= best) & comparable)
        plain = (
            common if compared.plain_weights is compared.weights else _product(block * compared.plain_weights, words)
        )
        rows, columns = places[0] + start, places[1]
        if len(rows):
            smaller = np.minimum(compared.plain_sizes[rows], compared.plain_sizes[columns])
            yield _Pairs(
                rows,
                columns,
                context=common[places] / np.minimum(sizes[rows], sizes[columns]),
                plain_context=np.where(smaller > 0, plain[places] / np.maximum(smaller, QUESTION_WORD), 1),
            )


def _product(rows: _Singles, words: _Singles) -> _Singles:
    """Return rows @ words.T.

    Large products are computed from the few words that a sentence has, and not by the matrix library: it starts threads,
    and many processes that score at the same time wait for each other's (20 to 100 times as long on two busy cores).
    """
    if len(rows) * words.size <= _ONE_THREAD:
        return rows @ words.T
    from scipy.sparse import csr_array

    product: _Singles = (csr_array(rows) @ csr_array(words).T).toarray()
    return product


class _Facts:
    """The numbers, names and polarity of all sentences.

    A number or a name that the other text has in another sentence is not missing: a text may say in two sentences what the
    other says in one.
    """

    def __init__(self, compared: _Compared) -> None:
        self._text = compared.text
        sentences, contents = compared.sentences, compared.contents
        self._count = np.array([len(sentence.quantities) for sentence in sentences])
        self._name_count = np.array([len(sentence.names) for sentence in sentences])
        self._negated = np.array([sentence.negated for sentence in sentences])
        self._sides = np.array([sentence.sides for sentence in sentences], dtype=np.int64)
        self._verdict = np.array([content.verdict for content in contents])[compared.text]
        shape = len(sentences), len(contents)
        self._missing_numbers = np.zeros(shape, dtype=bool)
        self._missing_names = np.zeros(shape)
        gives = [content.gives for content in contents]
        lacking: dict[frozenset[str], list[bool]] = {}
        for row, sentence in enumerate(sentences):
            for quantity in sentence.quantities:
                if quantity.seeks not in lacking:
                    lacking[quantity.seeks] = [quantity.seeks.isdisjoint(given) for given in gives]
                self._missing_numbers[row] |= lacking[quantity.seeks]
            if sentence.names:
                self._missing_names[row] = [len(sentence.names - content.capitals) for content in contents]
        polar = self._negated.any() or self._sides.any()
        self.any = bool(polar or self._missing_numbers.any() or self._missing_names.any())

    def contradict(self, pairs: _Pairs) -> _Floats:
        """Return the strength of the contradiction of each pair (k,)."""
        rows, columns = pairs.rows, pairs.columns
        mine, theirs = (rows, self._text[columns]), (columns, self._text[rows])
        strength = np.zeros(len(rows))
        if self._missing_numbers.any():
            here, there = self._missing_numbers[mine], self._missing_numbers[theirs]
            as_many = self._count[rows] == self._count[columns]
            strength[(here & there) | (as_many & (here | there))] = 1.0
        if self._missing_names.any():
            here, there = self._missing_names[mine], self._missing_names[theirs]
            missing = np.minimum(here, there)
            common = np.minimum(self._name_count[rows] - here, self._name_count[columns] - there)
            np.maximum(strength, missing / np.maximum(missing + common, 1), out=strength)
        strength *= np.sqrt(pairs.plain_context)
        unlike_verdicts = self._verdict[rows] * self._verdict[columns] <= 0
        if self._negated.any():
            opposed = unlike_verdicts & (self._negated[rows] != self._negated[columns])
            np.maximum(strength, pairs.context, out=strength, where=opposed)
        if self._sides.any():
            even, odd = self._sides & EVEN_SIDES, self._sides >> 1 & EVEN_SIDES
            even, odd = even & ~odd, odd & ~even
            opposed = unlike_verdicts & ((even[rows] & odd[columns] | odd[rows] & even[columns]) != 0)
            np.maximum(strength, pairs.plain_context, out=strength, where=opposed)
        return strength
