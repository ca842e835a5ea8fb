"""The signals of a case: everything that a score is computed from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum

from curator.answers.confidence import without_confidence
from curator.answers.read import Answer, read_answer
from curator.disagreement.equivalence.comparers import WORD_COMPARER, Comparer
from curator.disagreement.equivalence.word_kernel import mean_overlap_distance
from curator.disagreement.estimators.json_fields import field_disagreement
from curator.disagreement.estimators.partition import (
    Split,
    Weights,
    mean_distance,
    rao_entropy,
    semantic_entropy,
    share_against,
    variation_ratio,
)
from curator.disagreement.readings.mixture import PRODUCTION, CaseTexts, Mixture
from curator.disagreement.side_signals import Stated, logprobs_of, side_signals
from curator.records import Kind
from curator.records.recorded import Answered
from curator.records.token_logprobs import TokenLogprobs

FEW_WORDS = 8
"""Up to this many words an answer consists of its reading only, so that its wording carries no more."""
FIELDED: tuple[Kind, ...] = ("json", "tool_call")
STRUCTURED: tuple[Kind, ...] = (*FIELDED, "code")
"""Kinds whose reading is the whole answer, however long it is."""
MOST_FIELDS = 20
"""The number of differing fields that are reported of a case."""


EVERY_READING = Mixture()
"""All readings with the same weight: nothing is known of the task."""


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals of two or more answers to one case.

    Attributes:
        n: the number of answers.
        split: the committee's spread; every answer counts the same.
        against_target: the share of the answers that contradict the target, 0..1; None without a target.
        majority: the most frequent answer, in its shortest wording; for texts the medoid.
        agreement: the share of the answers with the majority's meaning; for texts their mean similarity to the medoid.
        total: the mean distance of two answers under the mixture of the task's readings, 0..1; by another comparer than
            the default, `split.total` with the members' weights.
        against: the mean distance of the answers to the target in the same way; 1 for an empty target; None without one.
        wording: the mean distance, 0..1, of the wordings of the answers and the target, where they have more text than what
            was read in them; None where they have not.
        words: the mean length of the answers in words.
        by_group: for each group the share of its answers that contradict the target (without a target: the majority); for
            texts their mean distance to it. 0..1.
        fields: for JSON and tool calls the fields that differ and the share of answer pairs that differ there, at most
            `MOST_FIELDS`; None for other kinds.
        side: the likelihood of the answers and the confidence that they state, by the names of `SIDE_SIGNALS`; None where
            they have neither.
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
    side: Mapping[str, float] | None = None


def measure(  # noqa: PLR0913  the fields of contract 4
    answers: Sequence[Answered],
    *,
    target: str | None,
    kind: Kind,
    labels: Sequence[str] = (),
    input: str = "",
    question: str = "",
    compare: Comparer = WORD_COMPARER,
    weights: Mapping[str, float] | None = None,
    mixture: Mixture = EVERY_READING,
    target_logprobs: TokenLogprobs | None = None,
) -> Signals:
    """Measure the signals of at least two answers; their order does not matter.

    Typed and short answers are compared by class: semantic entropy, and the share of answers outside the target's class.
    Texts are compared by distance: Rao's quadratic entropy, and the mean distance to the target. `total` and `against`
    compare all kinds by the mixture of the task's readings, unless a model compares them.

    Args:
        answers: the answers, at least two.
        target: production's answer; None without one.
        kind: the kind that all are read as.
        labels: the labels that an answer can be, for kind `label`.
        input: the prompt, see `read_answer`.
        question: the last message of the user, whose words say nothing of an answer; `input` by default.
        compare: decides which answers mean the same, and how far texts are apart.
        weights: the weight of each prompt identity, 1 by default.
        mixture: the readings of the task with their weights.
        target_logprobs: the log-probabilities of production's answer; None without.
    """
    ordered = sorted(answers, key=lambda answer: (answer.prompt_id, answer.text))
    groups = [answer.prompt_id for answer in ordered]
    texts = [answer.text for answer in ordered]
    all_texts = texts if target is None else [*texts, target]
    inside = {text: mixture.chain.read(text) for text in all_texts}
    readings = {text: read_answer(part, kind, labels=labels, input=input) for text, part in inside.items()}
    read = [readings[text] for text in texts]
    against = None if target is None else readings[target]
    answer_weights = _weights(groups, weights or {})
    words = sum(len(text.split()) for text in texts) / len(texts)
    if kind == "text":
        signals = _of_texts(read, groups, against, compare, answer_weights, words)
    else:
        wording = _wording([readings[text] for text in all_texts], all_texts)
        numbers = compare.classes(read, against)
        signals = _of_classes(read, groups, numbers, answer_weights, words, wording, has_target=target is not None)
    stated = [Stated(answer.text, readings[answer.text], logprobs_of(answer)) for answer in ordered]
    of_target = None if target is None else Stated(target, readings[target], target_logprobs)
    side = side_signals(stated, of_target, lambda: compare.classes(read, None))
    signals = replace(signals, fields=_differing_fields(read) if kind in FIELDED else None, side=side)
    if compare.name:
        return signals
    values = [None if kind == "text" else readings[text].key or None for text in all_texts]
    members = groups if target is None else [*groups, PRODUCTION]
    case = CaseTexts([without_confidence(text) for text in all_texts], members, values, question or input)
    distances = mixture.distances(case, weights or {})
    # Nothing that the committee says makes an empty answer of production a good one.
    silent = against is not None and against.kind == "empty"
    return replace(signals, total=distances.total, against=1.0 if silent else distances.against)


def _weights(groups: Sequence[str], weights: Mapping[str, float]) -> Weights:
    """Return the weight of each answer; None where all are equal, or fewer than two are above 0."""
    of_answers = [weights.get(group, 1.0) for group in groups]
    unequal = len(set(of_answers)) > 1 and sum(weight > 0 for weight in of_answers) >= 2
    return of_answers if unequal else None


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
    """Return the fields that differ most; None where fewer than two answers can be read."""
    if sum(bool(answer.key) for answer in answers) < 2:
        return None
    return dict([(path, share) for path, share in field_disagreement(answers).items() if share > 0][:MOST_FIELDS])


def _wording(answers: Sequence[Answer], texts: Sequence[str]) -> float | None:
    """Return the mean distance of the wordings; None where the texts are no more than a reading."""
    only_reading = [
        answer.kind in STRUCTURED or len(text.split(maxsplit=FEW_WORDS)) <= FEW_WORDS
        for answer, text in zip(answers, texts, strict=True)
    ]
    if all(only_reading) and answers[0].kind != "short":
        return None
    compared = [
        answer.key if bare and answer.key else text
        for answer, text, bare in zip(answers, texts, only_reading, strict=True)
    ]
    return mean_overlap_distance(compared)


def _of_texts(
    answers: Sequence[Answer],
    groups: Sequence[str],
    target: Answer | None,
    compare: Comparer,
    weights: Weights,
    words: float,
) -> Signals:
    """Measure free texts; the majority is the medoid, the answer that is nearest to all others."""
    matrix = compare.distances(answers, target)
    n = len(answers)
    distances = matrix[:n, :n]
    means = [mean_distance(row) for row in distances]
    medoid = min(range(n), key=means.__getitem__)
    split = rao_entropy(distances, groups)
    against = None if target is None else mean_distance(matrix[n, :n])
    return Signals(
        n=n,
        split=split,
        against_target=against,
        majority=answers[medoid].text,
        agreement=1 - means[medoid],
        total=split.total if weights is None else rao_entropy(distances, groups, weights=weights).total,
        against=against if weights is None or target is None else mean_distance(matrix[n, :n], weights=weights),
        wording=None,
        words=words,
        by_group=_by_group(groups, matrix[medoid if target is None else n, :n].tolist()),
    )


def _by_group(groups: Sequence[str], distances: Sequence[float]) -> dict[str, float]:
    """Return the mean distance of each group's answers."""
    by_group: dict[str, list[float]] = {}
    for group, distance in zip(groups, distances, strict=True):
        by_group.setdefault(group, []).append(distance)
    return {group: fsum(values) / len(values) for group, values in by_group.items()}
