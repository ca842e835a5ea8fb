"""Merges log records that ask the same, and names the near-duplicate groups of what is left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from curator.config import DedupeConfig
from curator.records import Case, DuplicateRecord, Source, normalise_space
from curator.text.minhash import HEADS, components
from curator.text.shingles import (
    OwnText,
    jaccard,
    marks,
    normalise,
    own_texts,
    same_but_for_typos,
    shingles,
    turns_text,
)

_DIGITS = re.compile(r"\d+")
_CACHED_SETS = 4096


@dataclass(frozen=True, slots=True)
class Deduped:
    """The cases that were kept, and one entry for each record that was merged away: in = cases + merged."""

    cases: tuple[Case, ...]
    merged: tuple[DuplicateRecord, ...]


@dataclass(slots=True)
class _Input:
    """All records with the same case id: the best one, and where the others stood."""

    best: Case
    weight: int
    others: list[Source]

    def add(self, case: Case) -> None:
        self.weight += case.weight
        if _rank(case) < _rank(self.best):
            self.best, case = case, self.best
        self.others.append(case.source)


@dataclass(frozen=True, slots=True)
class _MergeKey:
    """What must be equal, however alike two texts are: only cases with the same key are merged."""

    marks: tuple[str, ...]
    task: str | None
    system: str
    template: str


def deduplicate(cases: Iterable[Case], config: DedupeConfig) -> Deduped:
    """Merge exact and near duplicates, and give every kept case its near-duplicate group.

    1. Records with the same case id are merged (`exact`).
    2. A case is merged (`near`) into the first one before it whose turns, and whose last user turn by itself, are at
       least `merge_similarity` alike, that differs in typos or up to two added words alone, and that has the same numbers, operators, negations, task and template, and the same
       system prompt up to digits. A template is what many cases share word for word, such as examples before the input.
    3. Cases at least `group_similarity` alike, directly or by way of others, share a group, named after the case id that
       came first in the log, so that records which are added later do not rename it. Numbers and the system prompt do not matter here: a group is what must not be split between eval
       and train. What is alike enough to be merged is alike enough for a group, whatever the config says.

    Of the merged records that one is kept which has a reference, else feedback, else a whole answer, else the one that
    came first; its weight is the sum of all. Kept cases stand in order of the first record that each one stands for.
    """
    inputs = _by_id(cases)
    own = own_texts([turns_text(i.best) for i in inputs])
    normalised = [normalise(text.text) for text in own]
    keys = [_merge_key(i.best, text) for i, text in zip(inputs, own, strict=True)]
    alike = _Similarity(normalised)
    ask_alike = _Similarity([normalise(i.best.user) for i in inputs])

    def mergeable(i: int, j: int) -> bool:
        return min(alike(i, j), ask_alike(i, j)) >= config.merge_similarity and same_but_for_typos(
            normalised[i], normalised[j]
        )

    threshold = min(config.group_similarity, config.merge_similarity)

    kept: list[tuple[int, Case]] = []
    merged: list[tuple[int, list[DuplicateRecord]]] = []
    for group in components(
        normalised, lambda i, j: alike(i, j) >= threshold, threshold=threshold, permutations=config.permutations
    ):
        found = []
        for members in _clusters(group, keys, mergeable):
            chosen = min(members, key=lambda i: _rank(inputs[i].best))
            weight = sum(inputs[i].weight for i in members)
            found.append((members[0], replace(inputs[chosen].best, weight=weight)))
            merged.extend((i, _merges(inputs[i], inputs[chosen].best.id, alike(i, chosen))) for i in members)
        name = inputs[min(group)].best.id
        kept.extend((first, replace(case, group=name)) for first, case in found)
    return Deduped(
        cases=tuple(case for _, case in sorted(kept, key=lambda item: item[0])),
        merged=tuple(record for _, records in sorted(merged, key=lambda item: item[0]) for record in records),
    )


def near_duplicate_groups(cases: Sequence[Case], config: DedupeConfig) -> list[str]:
    """The group of each case, none of them merged: the least id of those that are `group_similarity` alike, as above.

    A case without text is alone. The order of the cases makes no difference.
    """
    normalised = [normalise(text.text) for text in own_texts([turns_text(case) for case in cases])]
    alike = _Similarity(normalised)
    groups = [case.id for case in cases]
    for group in components(
        normalised,
        lambda i, j: bool(normalised[i]) and alike(i, j) >= config.group_similarity,
        threshold=config.group_similarity,
        permutations=config.permutations,
    ):
        name = min(cases[i].id for i in group)
        for i in group:
            groups[i] = name
    return groups


def _by_id(cases: Iterable[Case]) -> list[_Input]:
    """The inputs in order of their first record."""
    inputs: dict[str, _Input] = {}
    for case in cases:
        if case.id in inputs:
            inputs[case.id].add(case)
        else:
            inputs[case.id] = _Input(case, case.weight, [])
    return list(inputs.values())


def _rank(case: Case) -> tuple[bool, bool, bool]:
    """The smaller, the better the case stands for its duplicates.

    A thumb down is no better than a thumb up: rates over the cases would else count too many.
    """
    return case.reference is None, case.feedback is None, case.truncated


def _merge_key(case: Case, own: OwnText) -> _MergeKey:
    return _MergeKey(marks(own.text), case.task, _DIGITS.sub("0", normalise_space(case.system)), own.template)


def _clusters(
    group: Sequence[int], keys: Sequence[_MergeKey], mergeable: Callable[[int, int], bool]
) -> list[list[int]]:
    """The group's members by what they are merged with: each joins the first cluster whose first member is alike.

    A merge is not passed on: the last of a long chain of small changes is not what the first one asked. Past 64
    clusters with the same key no further one is looked at, so that a large group does not cost its square.
    """
    clusters: list[list[int]] = []
    open_ones: dict[_MergeKey, list[list[int]]] = {}
    for i in group:
        near = open_ones.setdefault(keys[i], [])
        home = next((cluster for cluster in near if mergeable(cluster[0], i)), None)
        if home is not None:
            home.append(i)
            continue
        clusters.append([i])
        if len(near) < HEADS:
            near.append(clusters[-1])
    return clusters


def _merges(record: _Input, into: str, similarity: float) -> list[DuplicateRecord]:
    if record.best.id == into:
        return [DuplicateRecord(source, into, into, "exact", 1.0) for source in record.others]
    own = record.best.id
    return [DuplicateRecord(source, own, into, "near", similarity) for source in (record.best.source, *record.others)]


class _Similarity:
    """Exact Jaccard similarity of two of the texts by their places; the shingles of the last few thousand are kept."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._shingles = lru_cache(maxsize=_CACHED_SETS)(shingles)

    def __call__(self, i: int, j: int) -> float:
        if self._texts[i] == self._texts[j]:
            return 1.0
        return jaccard(self._shingles(self._texts[i]), self._shingles(self._texts[j]))
