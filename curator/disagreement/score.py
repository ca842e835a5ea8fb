"""The score of a case: from its committee's answers to one record of contract 4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from curator.disagreement.answers import Answer, read_answer
from curator.disagreement.compare import BY_WORDS, Comparer
from curator.disagreement.estimators import (
    Split,
    mean_distance,
    rao_entropy,
    semantic_entropy,
    share_against,
    variation_ratio,
)
from curator.records import Kind, Score

SCORER = "committee/2"
"""Name and version of the default score; the version is raised whenever a value of it changes."""
PRIOR_ANSWERS = 0.5
"""How many answers the committee's own disagreement counts for beside its answers against the target."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of the committee. `group` is its prompt identity: the model and the prompt variant."""

    text: str
    group: str
    temperature: float | None = None
    logprobs: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What comparing the answers gives: the split, the part against the target, the most usual answer and its share."""

    split: Split
    against_target: float | None
    majority: str
    agreement: float


def score_case(
    id: str,
    answers: Sequence[Answered],
    *,
    target: str | None,
    kind: Kind,
    labels: Sequence[str] = (),
    compare: Comparer = BY_WORDS,
) -> Score:
    """Score one case; the order of the answers makes no difference.

    Label, number, json and short answers are compared by class: semantic entropy, and the share of answers whose class
    is not the target's. Texts are compared by distance: Rao's quadratic entropy, and the mean distance to the target.
    `compare` says which answers mean the same, and how far texts are apart; another one than the default is named in
    `scorer`.
    With fewer than two answers every number is None and `reason` says so.
    """
    n = len(answers)
    scorer = f"{SCORER}+{compare.name}" if compare.name else SCORER
    if n < 2:
        return Score(id, None, None, None, None, kind, scorer, None, None, n, reason="not enough answers")
    ordered = sorted(answers, key=lambda answer: (answer.group, answer.text))
    groups = [answer.group for answer in ordered]
    read = [read_answer(answer.text, kind, labels=labels) for answer in ordered]
    against = None if target is None else read_answer(target, kind, labels=labels)
    found = (_compare_texts if kind == "text" else _compare_classes)(read, groups, against, compare)
    return Score(
        id=id,
        disagreement=default_score(found.split.total, found.against_target, n),
        within=found.split.within,
        between=found.split.between,
        against_target=found.against_target,
        kind=kind,
        scorer=scorer,
        majority=found.majority,
        agreement=found.agreement,
        n=n,
    )


def default_score(total: float, against_target: float | None, n: int) -> float:
    """The committee's own disagreement, or with a target the smoothed share of it that contradicts the target.

    (n * against_target + s * total) / (n + s) with s = 1/2: the share as if half an answer more had been given, worth
    the committee's own disagreement. It orders cases by the share, breaks its ties by the disagreement, trusts two
    answers less than ten, and is 0 where all answers and the target are one. On recorded sets it ranks as well as the
    share alone (`benchmarks/disagreement.py`); a larger s ranks worse where the committee is of several models.
    """
    if against_target is None:
        return total
    return (n * against_target + PRIOR_ANSWERS * total) / (n + PRIOR_ANSWERS)


def _compare_classes(
    answers: Sequence[Answer], groups: Sequence[str], target: Answer | None, compare: Comparer
) -> _Comparison:
    numbers = compare.classes(answers, target)
    of_target = numbers.pop() if target else None
    counts = Counter(numbers)
    largest = max(counts, key=lambda c: (counts[c], c == of_target, -c))
    wordings = [answer.text for answer, c in zip(answers, numbers, strict=True) if c == largest]
    return _Comparison(
        split=semantic_entropy(numbers, groups),
        against_target=None if target is None else share_against(numbers, of_target),
        majority=min(wordings, key=len),
        agreement=1 - variation_ratio(numbers),
    )


def _compare_texts(
    answers: Sequence[Answer], groups: Sequence[str], target: Answer | None, compare: Comparer
) -> _Comparison:
    """The majority is the medoid; its agreement is the mean similarity of all answers, itself included, to it."""
    matrix = compare.distances(answers, target)
    n = len(answers)
    own = matrix[:n, :n]
    means = [mean_distance(row) for row in own]
    medoid = min(range(n), key=means.__getitem__)
    return _Comparison(
        split=rao_entropy(own, groups),
        against_target=None if target is None else mean_distance(matrix[n, :n]),
        majority=answers[medoid].text,
        agreement=1 - means[medoid],
    )
