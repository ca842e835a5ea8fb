"""Finds held-out questions by their wording: the same, almost the same, or whole inside a longer text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from curator.contamination.details import agreement, details_of
from curator.contamination.records import HeldText, Match, MatchKind, Row
from curator.text.minhash import HEADS, bands, rows_per_band
from curator.text.shingles import jaccard, normalise, shingles

RUN = 5
"""Words in a row that are looked up at a time. The contamination checks of GPT-3 and its successors take 13 or 8;
production's questions are shorter, and most of a question is asked for here, not one run of it."""
LEAST_WORDS = 8
"""A shorter question may begin many longer ones; alone in a turn it is found as `exact`."""
CONTAINED = 0.8
"""The share of a held-out question's runs of words that the row must have: one changed word breaks five of them. A
question of up to 19 words must be there word for word, as the word that differs may be the one that matters."""

_CHUNK = 4096
_CACHED_SETS = 16_384


class Wording:
    """The held-out questions by their wording: about 0.5 KB a question beside its text.

    Args:
        held: what is held out.
        similarity: Jaccard similarity over character 4-grams from which on two questions are near-duplicates
            (`dedupe.group_similarity`).
        permutations: length of the MinHash signatures; fewer than 1 in 1,000 pairs at the threshold are missed.
    """

    def __init__(self, held: Sequence[HeldText], *, similarity: float, permutations: int) -> None:
        self._similarity, self._permutations = similarity, permutations
        self._rows = rows_per_band(similarity, permutations)
        distinct: dict[str, HeldText] = {}
        for text in sorted(held, key=lambda text: text.id):
            distinct.setdefault(normalise(text.text), text)
        distinct.pop("", None)  # an empty question is nobody's
        self._places = {text: place for place, text in enumerate(distinct)}
        self._texts, self._held = list(distinct), list(distinct.values())
        self._shingles = lru_cache(maxsize=_CACHED_SETS)(lambda place: shingles(self._texts[place]))
        self._lengths = np.array([len(text) for text in self._texts])
        self._bands = [_Lookup(band) for band in self._keys(self._texts).T]
        self._runs, self._sizes = self._all_runs()

    def find(self, rows: Sequence[Row]) -> dict[str, Match]:
        """The match of each row that has one, by the row's id: the surest kind, then the most similar."""
        found: dict[str, Match] = {}
        if not self._texts:
            return found
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            questions = [[normalise(question) for question in row.questions] for row in chunk]
            near = self._near(list(dict.fromkeys(q for asked in questions for q in asked if q)))
            for row, asked in zip(chunk, questions, strict=True):
                if (match := self._match(row, asked, near)) is not None:
                    found[row.id] = match
        return found

    def _match(self, row: Row, asked: Sequence[str], near: dict[str, tuple[int, float]]) -> Match | None:
        hits = [(near[q], at) for at, q in enumerate(asked) if q in near]
        if hits:
            (place, similarity), at = max(hits, key=lambda hit: hit[0][1])
            kind: MatchKind = "exact" if asked[at] == self._texts[place] else "near"
            return self._made(row, row.questions[at], place, kind, similarity)
        if (inside := self._contained(row.whole)) is not None:
            return self._made(row, row.whole, inside[0], "contained", inside[1])
        return None

    def _made(self, row: Row, question: str, place: int, kind: MatchKind, similarity: float) -> Match:
        held = self._held[place]
        shared = () if kind == "exact" else agreement(details_of(question), details_of(held.text)).shared
        return Match(row.id, held.id, kind, round(similarity, 4), question, held.text, shared)

    def _near(self, questions: Sequence[str]) -> dict[str, tuple[int, float]]:
        """The most similar held-out text of each normalised question that has one at the threshold, with the similarity."""
        found = {q: (self._places[q], 1.0) for q in questions if q in self._places}
        others = [q for q in questions if q not in found]
        candidates: list[set[int]] = [set() for _ in others]
        for lookup, band in zip(self._bands, self._keys(others).T, strict=True):
            for at, places in lookup.find(band, most=HEADS):
                candidates[at].update(places)
        for question, near in zip(others, candidates, strict=True):
            if near and (best := self._most_similar(question, near)) is not None:
                found[question] = best
        return found

    def _most_similar(self, question: str, places: set[int]) -> tuple[int, float] | None:
        """The most similar of the texts at these places, if it is at the threshold, with the similarity."""
        mine = shingles(question)
        # sets of which one is longer than 1 / threshold times the other cannot be that similar; a text without a
        # shingle twice has as many of them as characters, so that only the longest possible one can be ruled out
        fitting = [place for place in places if self._lengths[place] + 2 >= self._similarity * len(mine)]
        similarity, place = max(((jaccard(mine, self._shingles(p)), -p) for p in fitting), default=(0.0, 0))
        return (-place, similarity) if fitting and similarity >= self._similarity else None

    def _keys(self, texts: Sequence[str]) -> NDArray[np.uint64]:
        return bands(texts, rows=self._rows, permutations=self._permutations)

    def _all_runs(self) -> tuple[_Lookup, list[int]]:
        """Where each run of words stands, and how many different ones each text has."""
        keys: list[NDArray[np.uint64]] = []
        sizes = [0] * len(self._texts)
        for place, text in enumerate(self._texts):
            words = text.split()
            if len(words) >= LEAST_WORDS:
                keys.append(_runs(words))
                sizes[place] = len(keys[-1])
        places = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
        return _Lookup(np.concatenate(keys) if keys else np.zeros(0, dtype=np.uint64), places), sizes

    def _contained(self, whole: str) -> tuple[int, float] | None:
        """The held-out text of which most stands in the row word for word, with the share of its runs."""
        words = normalise(whole).split()
        if len(words) < LEAST_WORDS:
            return None
        found = [place for _, places in self._runs.find(_runs(words)) for place in places]
        places, counts = np.unique(np.array(found, dtype=np.int64), return_counts=True)
        hits = zip(places.tolist(), counts.tolist(), strict=True)
        shares = ((count / self._sizes[place], -place) for place, count in hits if self._enough(place, count))
        share, place = max(shares, default=(0.0, 0))
        return (-place, share) if share else None

    def _enough(self, place: int, count: int) -> bool:
        size = self._sizes[place]
        return count >= (size if size <= 3 * RUN else CONTAINED * size)


class _Lookup:
    """Keys to the places that have them, in two sorted arrays: a dictionary would take ten times the memory."""

    def __init__(self, keys: NDArray[np.uint64], places: NDArray[np.int64] | None = None) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._places = order if places is None else places[order]

    def find(self, keys: NDArray[np.uint64], *, most: int | None = None) -> Iterator[tuple[int, list[int]]]:
        """For each key that is there its position among `keys` and the places, of which `most` are enough."""
        starts = np.searchsorted(self._keys, keys, side="left")
        ends = np.searchsorted(self._keys, keys, side="right")
        for at in np.flatnonzero(ends > starts).tolist():
            start, end = int(starts[at]), int(ends[at])
            yield at, self._places[start : end if most is None else min(end, start + most)].tolist()


def _runs(words: Sequence[str]) -> NDArray[np.uint64]:
    """A hash of every `RUN` words in a row, each one once; it holds within one process and no further."""
    found = {hash(tuple(words[at : at + RUN])) & (2**64 - 1) for at in range(len(words) - RUN + 1)}
    return np.fromiter(found, dtype=np.uint64, count=len(found))
