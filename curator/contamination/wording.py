"""Match held-out questions by wording: exact, near, or contained in a longer text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from curator.contamination.details import agreement, details_of
from curator.contamination.records import HeldText, Match, MatchKind, TrainingRow
from curator.text.minhash import HEADS, bands, rows_per_band
from curator.text.shingles import jaccard, normalise, shingles

RUN = 5
"""Consecutive words per lookup. The contamination checks of GPT-3 and its successors use 13 or 8; production's questions
are shorter, and here most runs of a question must match, not only one."""
MIN_WORDS = 8
"""A shorter question may begin many longer ones, so it is only matched as a whole turn (`exact`)."""
CONTAINED = 0.8
"""The share of a held-out question's runs that the row must have; one changed word breaks five runs. A question of up to
19 words must be there word for word, since the differing word may be the decisive one."""

_CHUNK = 4096
_CACHED_SETS = 16_384


class WordingIndex:
    """An index of the held-out questions by wording, about 0.5 KB per question beside its text.

    Args:
        held: the held-out texts.
        similarity: the minimum Jaccard similarity over character 4-grams of near-duplicates
            (`dedupe.group_similarity`).
        permutations: the length of the MinHash signatures; fewer than 1 in 1,000 pairs at the threshold are missed.
    """

    def __init__(self, held: Sequence[HeldText], *, similarity: float, permutations: int) -> None:
        self._similarity, self._permutations = similarity, permutations
        self._rows = rows_per_band(similarity, permutations)
        distinct: dict[str, HeldText] = {}
        for text in sorted(held, key=lambda text: text.id):
            distinct.setdefault(normalise(text.text), text)
        distinct.pop("", None)  # an empty question matches nothing
        self._places = {text: place for place, text in enumerate(distinct)}
        self._texts, self._held = list(distinct), list(distinct.values())
        self._shingles = lru_cache(maxsize=_CACHED_SETS)(lambda place: shingles(self._texts[place]))
        self._lengths = np.array([len(text) for text in self._texts])
        self._bands = [_Lookup(band) for band in self._keys(self._texts).T]
        self._runs, self._sizes = self._all_runs()

    def find(self, rows: Sequence[TrainingRow]) -> dict[str, Match]:
        """The best match of each matching row, by row id: strongest kind, then most similar."""
        matches: dict[str, Match] = {}
        if not self._texts:
            return matches
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            questions = [[normalise(question) for question in row.questions] for row in chunk]
            near = self._near(list(dict.fromkeys(q for asked in questions for q in asked if q)))
            for row, asked in zip(chunk, questions, strict=True):
                if (match := self._match(row, asked, near)) is not None:
                    matches[row.id] = match
        return matches

    def _match(self, row: TrainingRow, asked: Sequence[str], near: dict[str, tuple[int, float]]) -> Match | None:
        hits = [(near[q], at) for at, q in enumerate(asked) if q in near]
        if hits:
            (place, similarity), at = max(hits, key=lambda hit: hit[0][1])
            kind: MatchKind = "exact" if asked[at] == self._texts[place] else "near"
            return self._evidence(row, row.questions[at], place, kind, similarity)
        if (inside := self._contained(row.whole)) is not None:
            return self._evidence(row, row.whole, inside[0], "contained", inside[1])
        return None

    def _evidence(self, row: TrainingRow, question: str, place: int, kind: MatchKind, similarity: float) -> Match:
        held = self._held[place]
        shared = () if kind == "exact" else agreement(details_of(question), details_of(held.text)).shared
        return Match(row.id, held.id, kind, round(similarity, 4), question, held.text, shared)

    def _near(self, questions: Sequence[str]) -> dict[str, tuple[int, float]]:
        """The place and similarity of each normalised question's most similar held text.

        Questions without one at the threshold are left out.
        """
        nearest = {q: (self._places[q], 1.0) for q in questions if q in self._places}
        others = [q for q in questions if q not in nearest]
        candidates: list[set[int]] = [set() for _ in others]
        for lookup, band in zip(self._bands, self._keys(others).T, strict=True):
            for at, places in lookup.find(band, most=HEADS):
                candidates[at].update(places)
        for question, near in zip(others, candidates, strict=True):
            if near and (best := self._most_similar(question, near)) is not None:
                nearest[question] = best
        return nearest

    def _most_similar(self, question: str, places: set[int]) -> tuple[int, float] | None:
        """The most similar text at these places and its similarity; None below the threshold."""
        mine = shingles(question)
        # A set more than 1 / threshold times larger than the other cannot reach the threshold. A text has at most as many
        # distinct shingles as characters, so the length excludes only sets that are certainly too small.
        fitting = [place for place in places if self._lengths[place] + 2 >= self._similarity * len(mine)]
        similarity, place = max(((jaccard(mine, self._shingles(p)), -p) for p in fitting), default=(0.0, 0))
        return (-place, similarity) if fitting and similarity >= self._similarity else None

    def _keys(self, texts: Sequence[str]) -> NDArray[np.uint64]:
        return bands(texts, rows=self._rows, permutations=self._permutations)

    def _all_runs(self) -> tuple[_Lookup, list[int]]:
        """The lookup of each run of words, and the number of distinct runs of each text."""
        keys: list[NDArray[np.uint64]] = []
        sizes = [0] * len(self._texts)
        for place, text in enumerate(self._texts):
            words = text.split()
            if len(words) >= MIN_WORDS:
                keys.append(_runs(words))
                sizes[place] = len(keys[-1])
        places = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
        return _Lookup(np.concatenate(keys) if keys else np.zeros(0, dtype=np.uint64), places), sizes

    def _contained(self, whole: str) -> tuple[int, float] | None:
        """The held-out text that the row contains most of, with the share of its runs; else None."""
        words = normalise(whole).split()
        if len(words) < MIN_WORDS:
            return None
        hit_places = [place for _, places in self._runs.find(_runs(words)) for place in places]
        places, counts = np.unique(np.array(hit_places, dtype=np.int64), return_counts=True)
        hits = zip(places.tolist(), counts.tolist(), strict=True)
        shares = ((count / self._sizes[place], -place) for place, count in hits if self._enough(place, count))
        share, place = max(shares, default=(0.0, 0))
        return (-place, share) if share else None

    def _enough(self, place: int, count: int) -> bool:
        size = self._sizes[place]
        return count >= (size if size <= 3 * RUN else CONTAINED * size)


class _Lookup:
    """A multimap from keys to places in two sorted arrays, at a tenth of a dictionary's memory."""

    def __init__(self, keys: NDArray[np.uint64], places: NDArray[np.int64] | None = None) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._places = order if places is None else places[order]

    def find(self, keys: NDArray[np.uint64], *, most: int | None = None) -> Iterator[tuple[int, list[int]]]:
        """Yield each present key's position in `keys` and its places, at most `most` of them."""
        starts = np.searchsorted(self._keys, keys, side="left")
        ends = np.searchsorted(self._keys, keys, side="right")
        for at in np.flatnonzero(ends > starts).tolist():
            start, end = int(starts[at]), int(ends[at])
            yield at, self._places[start : end if most is None else min(end, start + most)].tolist()


def _runs(words: Sequence[str]) -> NDArray[np.uint64]:
    """The distinct hashes of all runs of `RUN` words; they are valid in this process only."""
    hashes = {hash(tuple(words[at : at + RUN])) & (2**64 - 1) for at in range(len(words) - RUN + 1)}
    return np.fromiter(hashes, dtype=np.uint64, count=len(hashes))
