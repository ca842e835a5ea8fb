"""Deduplication: merge records that ask the same, and group near-duplicates."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from curator.config import DedupeConfig
from curator.records import (
    Case,
    DuplicateRecord,
    LoggedAnswer,
    MergeReason,
    Source,
    answer_case_id,
    normalise_space,
    stable_unit,
)
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
MOST_ANSWERS = 4
"""The answers to one question that are cases of their own; what is rarer is one case together."""


@dataclass(frozen=True, slots=True)
class DedupeResult:
    """The kept cases and the merged records; together they are all input records.

    `case_of` has the kept case with the same answer by the id that the case would have in other logs, where another wording of the
    question or another first answer gives the id.
    """

    cases: tuple[Case, ...]
    merged: tuple[DuplicateRecord, ...]
    case_of: Mapping[str, str]


@dataclass(slots=True)
class _Answer:
    """The records of one input with one answer, with the sources of all in their order."""

    best: Case
    sources: list[Source]
    weight: int = 0
    up: int = 0
    down: int = 0

    def add(self, case: Case) -> None:
        """Count a record."""
        if _rank(case) < _rank(self.best):
            self.best = case
        self.sources.append(case.source)
        self.weight += case.weight
        thumb = case.feedback.thumb if case.feedback else None
        self.up += case.weight * (thumb == "up")
        self.down += case.weight * (thumb == "down")


@dataclass(slots=True)
class _Input:
    """All records with one case id, by their answers; the first record of all stands first."""

    answers: dict[str | None, _Answer]

    @property
    def best(self) -> Case:
        """The record that represents the input."""
        return min((answer.best for answer in self.answers.values()), key=_rank)


@dataclass(frozen=True, slots=True)
class _MergeKey:
    """The part of a case that must be equal: only cases with the same key are merged."""

    decisive_tokens: tuple[str, ...]
    task: str | None
    system: str
    template: str


def deduplicate(cases: Iterable[Case], config: DedupeConfig) -> DedupeResult:
    """Merge exact and near duplicates, and give every kept case its near-duplicate group.

    1. Records with the same case id and the same answer are merged (`exact`).
    2. A case is merged (`near`) into the first earlier case that fulfils three conditions. Both the whole conversation and
       the last user turn are at least `merge_similarity` similar. The texts differ only in typos or up to two added words.
       Numbers, operators, negations, task, template and the system prompt (except its digits) are equal. A template is
       text that many cases share word for word, such as examples before the input.
    3. Cases that are at least `group_similarity` similar, directly or through other cases, share a group. Its name is the
       case id that came first in the log, so that later records do not rename it. Numbers and the system prompt have no
       effect: a group is never split between eval and train. Merged cases always share a group.

    Only records with the same answer share a case (`_units`). Of merged records the one with a reference is kept, else with feedback, else with a complete answer, else the first. Its
    weight is the sum of all. Kept cases are in the order of their first records.
    """
    inputs = _by_id(cases)
    bests = [asked.best for asked in inputs]
    texts = split_templates([turns_text(best) for best in bests])
    normalised = [normalise(text.text) for text in texts]
    keys = [_merge_key(best, text) for best, text in zip(bests, texts, strict=True)]
    similarity = _Similarity(normalised)
    last_turn_similarity = _Similarity([normalise(best.user) for best in bests])

    def mergeable(i: int, j: int) -> bool:
        return min(similarity(i, j), last_turn_similarity(i, j)) >= config.merge_similarity and same_but_for_typos(
            normalised[i], normalised[j]
        )

    threshold = min(config.group_similarity, config.merge_similarity)

    kept: list[tuple[int, Case]] = []
    merged: list[tuple[int, DuplicateRecord]] = []
    case_of: dict[str, str] = {}
    for group in components(
        normalised, lambda i, j: similarity(i, j) >= threshold, threshold=threshold, permutations=config.permutations
    ):
        name = inputs[min(group)].best.id
        for members in _clusters(group, keys, mergeable):
            chosen = min(members, key=lambda i: _rank(bests[i]))
            units = _units([inputs[i] for i in members], bests[chosen])
            kept.extend((members[0], replace(unit.case, group=name)) for unit in units)
            into = {id(answer): unit.case for unit in units for answer in unit.answers}
            for i in members:
                alike = None if i == chosen else similarity(i, chosen)
                merged.extend((i, record) for record in _merges(inputs[i], into, alike))
                case_of |= _own_ids(inputs[i], into)
    ids = {case.id for _, case in kept}
    return DedupeResult(
        cases=tuple(case for _, case in sorted(kept, key=lambda item: item[0])),
        merged=tuple(record for _, record in sorted(merged, key=lambda item: item[0])),
        # The id of a kept case is its own, though other logs may give it to another answer of the question.
        case_of={id_: case_id for id_, case_id in case_of.items() if id_ not in ids},
    )


@dataclass(frozen=True, slots=True)
class _Unit:
    """A case that is kept, and the answers of inputs that it represents."""

    case: Case
    answers: tuple[_Answer, ...]


def _units(inputs: Sequence[_Input], question: Case) -> list[_Unit]:
    """The cases of inputs that ask the same: one for each answer, the first answer first.

    So a label of one answer says nothing of records with another one. Of many answers the commonest are cases of their own, and
    the others are one case with the answer of a random record of them, whose label is an unbiased estimate for them. Records
    without an answer belong to the first case and have no weight, unless no record has an answer.
    """
    by_text: dict[str | None, list[_Answer]] = {}
    for asked in inputs:
        for text, answer in asked.answers.items():
            by_text.setdefault(text, []).append(answer)
    unanswered = by_text.pop(None, []) if len(by_text) > 1 else []
    common = sorted(by_text, key=lambda text: -sum(answer.weight for answer in by_text[text]))
    alone = (
        {text for text in common[:MOST_ANSWERS] if text is not None} if len(common) > MOST_ANSWERS + 1 else set(common)
    )
    parts = [answers for text, answers in by_text.items() if text in alone]
    rest = [answer for text, answers in by_text.items() if text not in alone for answer in answers]
    if rest:
        parts.append(rest)
    logged = tuple(
        LoggedAnswer(text, sum(a.weight for a in answers), sum(a.up for a in answers), sum(a.down for a in answers))
        for text, answers in (*by_text.items(), *([(None, unanswered)] if unanswered else []))
    )
    units: list[_Unit] = []
    for answers in parts:
        is_rest = answers is rest
        best = min(answers, key=_draw if is_rest else lambda answer: _rank(answer.best)).best
        own_id = question.id if not units else answer_case_id(question.id, "" if is_rest else best.target or "")
        case = replace(
            best,
            id=own_id,
            messages=question.messages,
            question=question.id if units else "",
            weight=sum(answer.weight for answer in answers),
            answers=logged if sum(answer.records for answer in logged) > 1 else (),
        )
        units.append(_Unit(case, (*answers, *(() if units else unanswered))))
    return units


def _draw(answer: _Answer) -> float:
    """The place of an answer in a random order.

    It is first with a probability in proportion to its records.
    """
    return -math.log(stable_unit("answer", answer.best.id, answer.best.target or "") or 1e-300) / answer.weight


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
    logged: set[int] = set()
    for case in cases:
        answers = inputs.setdefault(case.id, _Input({})).answers
        text = _text_of(case)
        answer = answers.setdefault(text, _Answer(case, []))
        if case.log_id and case.time is not None:
            # A record that was logged or exported twice is one call: it is merged, and has no weight of its own.
            key = hash((case.log_id, case.time, case.id, text))
            if key in logged:
                answer.sources.append(case.source)
                continue
            logged.add(key)
        answer.add(case)
    return list(inputs.values())


def _text_of(case: Case) -> str | None:
    """Return the answer by which records are told apart: white space does not count."""
    return None if case.target is None else normalise_space(case.target)


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


def _merges(asked: _Input, into: Mapping[int, Case], similarity: float | None) -> Iterator[DuplicateRecord]:
    """Yield the records of an input that cases represent.

    Their ids are those that the cases of this input alone would have.

    `into` has the case of each answer, by its identity; `similarity` is None for the input that gave the question.
    """
    kept = {case.id for case in into.values()}
    question = asked.best.id
    how: MergeReason = "exact" if similarity is None else "near"
    for number, (text, answer) in enumerate(asked.answers.items()):
        case = into[id(answer)]
        own_id = answer_case_id(question, text or "") if number else question
        for source in answer.sources:
            if source is not case.source:
                record_id = case.id if own_id in kept else own_id
                yield DuplicateRecord(source, record_id, case.id, how, 1.0 if similarity is None else similarity)


def _own_ids(asked: _Input, into: Mapping[int, Case]) -> dict[str, str]:
    """The kept case of each answer, by the id that the answer has without other inputs."""
    answers = enumerate(asked.answers.items())
    return {
        answer_case_id(asked.best.id, text or "") if number else asked.best.id: into[id(answer)].id
        for number, (text, answer) in answers
        if text == _text_of(into[id(answer)])
    }


class _Similarity:
    """Exact Jaccard similarity of two texts by their places; the latest shingles are cached."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._shingles = lru_cache(maxsize=_CACHED_SETS)(shingles)

    def __call__(self, i: int, j: int) -> float:
        if self._texts[i] == self._texts[j]:
            return 1.0
        return jaccard(self._shingles(self._texts[i]), self._shingles(self._texts[j]))
