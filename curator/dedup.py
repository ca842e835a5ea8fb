"""Deduplication: merge records that ask the same, and group near-duplicates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from curator.config import DedupeConfig
from curator.records import Case, DuplicateRecord, Source, normalise_space
from curator.text.minhash import HEADS, components
from curator.text.shingles import (
    SplitText,
    decisive_tokens,
    jaccard,
    normalise,
    same_but_for_typos,
    shingles,
    split_templates,
    turns_text,
)

_DIGITS = re.compile(r"\d+")
_CACHED_SETS = 4096


@dataclass(frozen=True, slots=True)
class DedupeResult:
    """The kept cases and the merged records; together they are all input records."""

    cases: tuple[Case, ...]
    merged: tuple[DuplicateRecord, ...]


@dataclass(slots=True)
class _Input:
    """All records with one case id: the best one, and the sources of the others."""

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
    """The part of a case that must be equal: only cases with the same key are merged."""

    decisive_tokens: tuple[str, ...]
    task: str | None
    system: str
    template: str


def deduplicate(cases: Iterable[Case], config: DedupeConfig) -> DedupeResult:
    """Merge exact and near duplicates, and give every kept case its near-duplicate group.

    1. Records with the same case id are merged (`exact`).
    2. A case is merged (`near`) into the first earlier case that fulfils three conditions. Both the whole conversation and
       the last user turn are at least `merge_similarity` similar. The texts differ only in typos or up to two added words.
       Numbers, operators, negations, task, template and the system prompt (except its digits) are equal. A template is
       text that many cases share word for word, such as examples before the input.
    3. Cases that are at least `group_similarity` similar, directly or through other cases, share a group. Its name is the
       case id that came first in the log, so that later records do not rename it. Numbers and the system prompt have no
       effect: a group is never split between eval and train. Merged cases always share a group.

    Of merged records the one with a reference is kept, else with feedback, else with a complete answer, else the first. Its
    weight is the sum of all. Kept cases are in the order of their first records.
    """
    inputs = _by_id(cases)
    texts = split_templates([turns_text(i.best) for i in inputs])
    normalised = [normalise(text.text) for text in texts]
    keys = [_merge_key(i.best, text) for i, text in zip(inputs, texts, strict=True)]
    similarity = _Similarity(normalised)
    last_turn_similarity = _Similarity([normalise(i.best.user) for i in inputs])

    def mergeable(i: int, j: int) -> bool:
        return min(similarity(i, j), last_turn_similarity(i, j)) >= config.merge_similarity and same_but_for_typos(
            normalised[i], normalised[j]
        )

    threshold = min(config.group_similarity, config.merge_similarity)

    kept: list[tuple[int, Case]] = []
    merged: list[tuple[int, list[DuplicateRecord]]] = []
    for group in components(
        normalised, lambda i, j: similarity(i, j) >= threshold, threshold=threshold, permutations=config.permutations
    ):
        kept_of_group = []
        for members in _clusters(group, keys, mergeable):
            chosen = min(members, key=lambda i: _rank(inputs[i].best))
            weight = sum(inputs[i].weight for i in members)
            kept_of_group.append((members[0], replace(inputs[chosen].best, weight=weight)))
            merged.extend((i, _merges(inputs[i], inputs[chosen].best.id, similarity(i, chosen))) for i in members)
        name = inputs[min(group)].best.id
        kept.extend((first, replace(case, group=name)) for first, case in kept_of_group)
    return DedupeResult(
        cases=tuple(case for _, case in sorted(kept, key=lambda item: item[0])),
        merged=tuple(record for _, records in sorted(merged, key=lambda item: item[0]) for record in records),
    )


def near_duplicate_groups(cases: Sequence[Case], config: DedupeConfig) -> list[str]:
    """The near-duplicate group of each case, without merging.

    A group's name is the smallest id in it. A case without text is a group of its own. The order of the cases makes no
    difference.
    """
    normalised = [normalise(text.text) for text in split_templates([turns_text(case) for case in cases])]
    similarity = _Similarity(normalised)
    groups = [case.id for case in cases]
    for group in components(
        normalised,
        lambda i, j: bool(normalised[i]) and similarity(i, j) >= config.group_similarity,
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
    """The sort key of duplicates; the smallest is kept.

    A thumb down does not rank before a thumb up: otherwise rates over the cases would count too many of them.
    """
    return case.reference is None, case.feedback is None, case.truncated


def _merge_key(case: Case, split: SplitText) -> _MergeKey:
    return _MergeKey(
        decisive_tokens(split.text), case.task, _DIGITS.sub("0", normalise_space(case.system)), split.template
    )


def _clusters(
    group: Sequence[int], keys: Sequence[_MergeKey], mergeable: Callable[[int, int], bool]
) -> list[list[int]]:
    """The group's members in clusters to merge: each joins the first one with a similar head.

    The head is the first member. A merge is not transitive: the last of a long chain of small changes no longer asks what
    the first one asked. Only the first 64 clusters with the same key are compared, so that the cost of a large group is not
    quadratic.
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
    record_id = record.best.id
    return [
        DuplicateRecord(source, record_id, into, "near", similarity) for source in (record.best.source, *record.others)
    ]


class _Similarity:
    """Exact Jaccard similarity of two texts by their places; the latest shingles are cached."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._shingles = lru_cache(maxsize=_CACHED_SETS)(shingles)

    def __call__(self, i: int, j: int) -> float:
        if self._texts[i] == self._texts[j]:
            return 1.0
        return jaccard(self._shingles(self._texts[i]), self._shingles(self._texts[j]))
