"""Estimators that need log-probabilities: of an answer's tokens, or of the answers themselves. Natural logarithms."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import exp, fsum, isnan, log


def sequence_nll(logprobs: Sequence[float]) -> float:
    """The negative log-likelihood of one answer, -sum_t ln p_t: 0 where it was certain, no largest value. Grows with length."""
    return -fsum(logprobs) + 0.0


def token_nll(logprobs: Sequence[float]) -> float:
    """The same over its number of tokens, the logarithm of its perplexity: 0 where it was certain, no largest value."""
    if not logprobs:
        raise ValueError("an answer without tokens has no log-likelihood; leave it out")
    return sequence_nll(logprobs) / len(logprobs)


def predictive_entropy(answers: Sequence[Sequence[float]], *, per_token: bool = True) -> float:
    """The mean `token_nll` (or `sequence_nll`) of the answers: a Monte Carlo estimate (Malinin and Gales, ICLR 2021).

    Blind to meaning: two wordings of one answer count as two. No largest value.
    """
    return fsum(map(token_nll if per_token else sequence_nll, answers)) / len(answers)


def class_probabilities(classes: Sequence[Hashable], loglikelihoods: Sequence[float]) -> dict[Hashable, float]:
    """The probability of each class: the sum over its members (logsumexp), normalised over the classes.

    One log-likelihood for each answer, or for each label where the classes are labels with their top log-probabilities.
    """
    if len(classes) != len(loglikelihoods):
        raise ValueError(f"found {len(loglikelihoods)} log-likelihoods for {len(classes)} answers; give one for each")
    largest = max(loglikelihoods)
    if not largest < float("inf") or largest == float("-inf") or any(map(isnan, loglikelihoods)):
        raise ValueError("log-likelihoods must be numbers, and one of them finite; leave the score out without them")
    members: dict[Hashable, list[float]] = {}
    for c, value in zip(classes, loglikelihoods, strict=True):
        members.setdefault(c, []).append(exp(value - largest))
    sums = {c: fsum(part) for c, part in members.items()}
    total = fsum(sums.values())
    return {c: mass / total for c, mass in sums.items()}


def likelihood_semantic_entropy(classes: Sequence[Hashable], loglikelihoods: Sequence[float]) -> float:
    """Semantic entropy with the model's own probabilities over ln n, in 0..1; 0 where all answers are one.

    H = -sum_c P_c ln P_c over the `class_probabilities` (Farquhar et al., Nature 630, 2024; Kuhn et al. 2023), summed
    once per class. They take length-normalised log-likelihoods (-`token_nll`): with those of whole sequences the shortest
    answers drown the others. Equal log-likelihoods give the discrete semantic entropy.
    """
    n = len(classes)
    probabilities = class_probabilities(classes, loglikelihoods).values()
    return min(1.0, fsum(p * log(1 / p) for p in probabilities if p > 0) / log(n)) if n > 1 else 0.0


def likelihood_margin(classes: Sequence[Hashable], loglikelihoods: Sequence[float]) -> float:
    """One less the lead of the most probable class over the next: 1 - (P_1 - P_2), in 0..1."""
    first, second = ([*sorted(class_probabilities(classes, loglikelihoods).values(), reverse=True), 0.0])[:2]
    return 1 - (first - second)
