"""Estimators from log-probabilities (natural logarithms) of tokens or of whole answers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import exp, fsum, isnan, log


def sequence_nll(logprobs: Sequence[float]) -> float:
    """Return the negative log-likelihood of one answer, -sum_t ln p_t.

    `logprobs` are those of its tokens. 0 where the answer was certain, without an upper bound; it grows with the length.
    """
    return -fsum(logprobs) + 0.0


def token_nll(logprobs: Sequence[float]) -> float:
    """Return `sequence_nll` per token, the logarithm of the perplexity.

    0 where the answer was certain, without an upper bound.

    Raises:
        ValueError: the answer has no tokens.
    """
    if not logprobs:
        raise ValueError("an answer without tokens has no log-likelihood; leave it out")
    return sequence_nll(logprobs) / len(logprobs)


def predictive_entropy(answers: Sequence[Sequence[float]], *, per_token: bool = True) -> float:
    """Return the mean `token_nll` (or `sequence_nll`) of the answers.

    A Monte Carlo estimate of the predictive entropy in nats (Malinin and Gales, ICLR 2021), from 0 without an upper bound. It is blind to meaning: two wordings of one answer count
    as two answers.
    """
    return fsum(map(token_nll if per_token else sequence_nll, answers)) / len(answers)


def class_probabilities(classes: Sequence[Hashable], loglikelihoods: Sequence[float]) -> dict[Hashable, float]:
    """Return the probability of each class: the sum over its members, normalised.

    `loglikelihoods` has one value for each answer, or for each label where the classes are labels with their
    log-probabilities.

    Raises:
        ValueError: the numbers of classes and log-likelihoods differ, or no log-likelihood is finite.
    """
    if len(classes) != len(loglikelihoods):
        raise ValueError(f"{len(loglikelihoods)} log-likelihoods for {len(classes)} answers; give one for each answer")
    largest = max(loglikelihoods)
    if not largest < float("inf") or largest == float("-inf") or any(map(isnan, loglikelihoods)):
        raise ValueError("log-likelihoods must be numbers below infinity, and at least one of them finite")
    members: dict[Hashable, list[float]] = {}
    for c, value in zip(classes, loglikelihoods, strict=True):
        members.setdefault(c, []).append(exp(value - largest))
    sums = {c: fsum(part) for c, part in members.items()}
    total = fsum(sums.values())
    return {c: mass / total for c, mass in sums.items()}


def likelihood_semantic_entropy(classes: Sequence[Hashable], loglikelihoods: Sequence[float]) -> float:
    """Return the semantic entropy with the model's own probabilities over ln n, in 0..1.

    H = -sum_c P_c ln P_c over the `class_probabilities` (Farquhar et al., Nature 630, 2024; Kuhn et al. 2023). Use
    log-likelihoods per token (-`token_nll`), as the papers do; those of whole sequences give nearly all weight to the
    shortest answers. Equal log-likelihoods give the discrete semantic entropy.
    """
    n = len(classes)
    probabilities = class_probabilities(classes, loglikelihoods).values()
    return min(1.0, fsum(p * log(1 / p) for p in probabilities if p > 0) / log(n)) if n > 1 else 0.0


def likelihood_margin(classes: Sequence[Hashable], loglikelihoods: Sequence[float]) -> float:
    """Return 1 - (P_1 - P_2) of the two most probable classes, in 0..1."""
    first, second = ([*sorted(class_probabilities(classes, loglikelihoods).values(), reverse=True), 0.0])[:2]
    return 1 - (first - second)
