"""The signals of a case: all that is measured on its committee's answers, before anything is made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum

import numpy as np
from numpy.typing import NDArray

from curator.answers.read import Answer, read_answer
from curator.disagreement.equivalence.comparers import WORD_COMPARER, Comparer
from curator.disagreement.equivalence.word_kernel import mean_overlap_distance, overlap_distances
from curator.disagreement.estimators.json_fields import field_disagreement
from curator.disagreement.estimators.partition import (
    Split,
    Weights,
    mean_distance,
    mean_pairwise_distance,
    rao_entropy,
    semantic_entropy,
    share_against,
    variation_ratio,
)
from curator.records import Kind
from curator.records.recorded import Answered

FEW_WORDS = 8
"""An answer of up to so many words is its reading and nothing else, so that its wording says nothing more."""
FIELDED: tuple[Kind, ...] = ("json", "tool_call")
STRUCTURED: tuple[Kind, ...] = (*FIELDED, "code")
"""Kinds whose reading is all there is to an answer, however long."""
MOST_FIELDS = 20
LEAST_APART = 0.5
"""How far two short answers of different classes are apart at least: "James I" and "King James" may or may not be one."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What two or more answers to one case amount to.

    Attributes:
        n: how many answers there are.
        split: the committee's own disagreement, every answer counted the same.
        against_target: the share that contradicts the target, 0..1; None without one.
        majority: the most usual answer, as it is shown.
        agreement: the share of the answers that say it; for texts their mean similarity to the medoid.
        total: as `split.total`, with the members' weights.
        against: as `against_target`, with the members' weights.
        wording: the mean distance of the wordings beyond what was read in them, the target's included, 0..1; None where
            there is nothing beyond that.
        words: the mean length of the answers, in words.
        by_group: of each group the share of its answers that contradict the target, or without one the majority; for
            texts their mean distance to it. 0..1.
        fields: of JSON and tool calls the fields that differ, at most `MOST_FIELDS`, and by how much; None for other kinds.
    """

    n: int
    split: Split
    against_target: float | None
    majority: str
    agreement: float
    total: float
    against: float | None
    wording: float | None
    words: float
    by_group: Mapping[str, float]
    fields: Mapping[str, float] | None = None


def measure(
    answers: Sequence[Answered],
    *,
    target: str | None,
    kind: Kind,
    labels: Sequence[str] = (),
    input: str = "",
    compare: Comparer = WORD_COMPARER,
    weights: Mapping[str, float] | None = None,
) -> Signals:
    """The signals of at least two answers; their order makes no difference.

    Typed and short answers are compared by class: semantic entropy, and the share of answers whose class is not the
    target's. Of short answers `total` and `against` are mean distances that see how many words two classes share, unless a
    model told them apart. Texts are compared by distance: Rao's quadratic entropy, and the mean distance to the target.
    `compare` says which answers mean the same, and how far texts are apart. `input` is what was asked, see `read_answer`.
    `weights` are those of groups, 1 where a group has none.
    """
    ordered = sorted(answers, key=lambda answer: (answer.group, answer.text))
    groups = [answer.group for answer in ordered]
    texts = [answer.text for answer in ordered]
    told = texts if target is None else [*texts, target]
    readings = {text: read_answer(text, kind, labels=labels, input=input) for text in dict.fromkeys(told)}
    read = [readings[text] for text in texts]
    against = None if target is None else readings[target]
    counted = _weights(groups, weights or {})
    words = sum(len(text.split()) for text in texts) / len(texts)
    if kind == "text":
        return _of_texts(read, groups, against, compare, counted, words)
    wording = _wording([readings[text] for text in told], told)
    numbers = compare.classes(read, against)
    found = _of_classes(read, groups, numbers, counted, words, wording, has_target=target is not None)
    if kind in FIELDED:
        return replace(found, fields=_differing_fields(read))
    if kind != "short" or compare.name:
        return found
    return _graded(found, _short_distances([readings[text] for text in told], numbers), counted)


def _weights(groups: Sequence[str], weights: Mapping[str, float]) -> Weights:
    """The weight of each answer; None where all count the same, as they do where fewer than two would count."""
    found = [weights.get(group, 1.0) for group in groups]
    return found if len(set(found)) > 1 and sum(weight > 0 for weight in found) >= 2 else None


def _of_classes(
    answers: Sequence[Answer],
    groups: Sequence[str],
    numbers: Sequence[int],
    weights: Weights,
    words: float,
    wording: float | None,
    *,
    has_target: bool,
) -> Signals:
    of_target = numbers[-1] if has_target else None
    numbers = numbers[: len(answers)]
    counts = Counter(numbers)
    largest = max(counts, key=lambda c: (counts[c], c == of_target, -c))
    wordings = [answer.text for answer, c in zip(answers, numbers, strict=True) if c == largest]
    split = semantic_entropy(numbers, groups)
    against = None if of_target is None else share_against(numbers, of_target)
    return Signals(
        n=len(answers),
        split=split,
        against_target=against,
        majority=min(wordings, key=len),
        agreement=1 - variation_ratio(numbers),
        total=split.total if weights is None else semantic_entropy(numbers, groups, weights=weights).total,
        against=against if weights is None or of_target is None else share_against(numbers, of_target, weights=weights),
        wording=wording,
        words=words,
        by_group=_by_group(groups, [float(c != (largest if of_target is None else of_target)) for c in numbers]),
    )


def _differing_fields(answers: Sequence[Answer]) -> Mapping[str, float] | None:
    """The fields that differ most; None where fewer than two answers can be read."""
    if sum(bool(answer.key) for answer in answers) < 2:
        return None
    return dict([(path, share) for path, share in field_disagreement(answers).items() if share > 0][:MOST_FIELDS])


def _graded(found: Signals, distances: NDArray[np.float64], weights: Weights) -> Signals:
    """The signals with graded distances, the target's last, for `total` and `against`."""
    n = found.n
    return replace(
        found,
        total=mean_pairwise_distance(distances[:n, :n], weights=weights),
        against=None if found.against is None else mean_distance(distances[n, :n], weights=weights),
    )


def _short_distances(answers: Sequence[Answer], numbers: Sequence[int]) -> NDArray[np.float64]:
    """0 in a class; between classes from `LEAST_APART` for answers that share most words to 1 for those that share none."""
    apart = np.maximum(overlap_distances([answer.key or answer.text for answer in answers]), LEAST_APART)
    apart[np.equal.outer(numbers, numbers)] = 0.0
    readable = np.array([answer.kind == "short" for answer in answers])
    apart[~np.equal.outer(readable, readable)] = 1.0
    return apart


def _wording(answers: Sequence[Answer], texts: Sequence[str]) -> float | None:
    """How far apart the texts are beyond what was read in them; None where that is all there is to them."""
    bare = [
        answer.kind in STRUCTURED or len(text.split(maxsplit=FEW_WORDS)) <= FEW_WORDS
        for answer, text in zip(answers, texts, strict=True)
    ]
    if all(bare) and answers[0].kind != "short":
        return None
    compared = [a.key if b and a.key else text for a, text, b in zip(answers, texts, bare, strict=True)]
    return mean_overlap_distance(compared)


def _of_texts(
    answers: Sequence[Answer],
    groups: Sequence[str],
    target: Answer | None,
    compare: Comparer,
    weights: Weights,
    words: float,
) -> Signals:
    """The majority is the medoid; its agreement is the mean similarity of all answers, itself included, to it."""
    matrix = compare.distances(answers, target)
    n = len(answers)
    own = matrix[:n, :n]
    means = [mean_distance(row) for row in own]
    medoid = min(range(n), key=means.__getitem__)
    split = rao_entropy(own, groups)
    against = None if target is None else mean_distance(matrix[n, :n])
    return Signals(
        n=n,
        split=split,
        against_target=against,
        majority=answers[medoid].text,
        agreement=1 - means[medoid],
        total=split.total if weights is None else rao_entropy(own, groups, weights=weights).total,
        against=against if weights is None or target is None else mean_distance(matrix[n, :n], weights=weights),
        wording=None,
        words=words,
        by_group=_by_group(groups, matrix[medoid if target is None else n, :n].tolist()),
    )


def _by_group(groups: Sequence[str], apart: Sequence[float]) -> dict[str, float]:
    """The mean of each group's values."""
    found: dict[str, list[float]] = {}
    for group, value in zip(groups, apart, strict=True):
        found.setdefault(group, []).append(value)
    return {group: fsum(values) / len(values) for group, values in found.items()}
