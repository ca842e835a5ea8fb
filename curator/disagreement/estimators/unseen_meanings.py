"""Estimate the number of meanings, seen and unseen, from a partition of the answers.

Notation: n answers in k classes; n_c of them in class c, p_c = n_c / n; f1 classes with a single answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from math import expm1, fsum, log, log1p


def number_of_meanings(classes: Sequence[Hashable]) -> int:
    """Return the number of classes k, in 1..n: NumSemSets of Lin, Trivedi and Sun (2024)."""
    return len(set(classes))


def share_of_meanings(classes: Sequence[Hashable]) -> float:
    """Return the number of meanings scaled to 0 (all the same) .. 1 (all different)."""
    return (number_of_meanings(classes) - 1) / max(1, len(classes) - 1)


def missing_mass(classes: Sequence[Hashable]) -> float:
    """Return the probability that the next answer has a new meaning: f1 / n (Good 1953).

    0 for a single answer.
    """
    return _singletons(classes) / len(classes) if len(classes) > 1 else 0.0


def alphabet_size(classes: Sequence[Hashable], *, spectral: float | None = None) -> float:
    """Return the number of meanings with the unseen ones, at least k (McCabe et al., ICLR 2026).

    The Good-Turing estimate is k n / (n - f1). It has no value where every answer has a meaning of its own (f1 = n); there
    `spectral` is used, the eigenvalue sum U_EigV (`spectral.spectral_meanings`) of the answers' similarities. Elsewhere the
    larger of the two is used. Without `spectral` it is k, which is U_EigV of the partition itself.
    """
    k, n, singletons = number_of_meanings(classes), len(classes), _singletons(classes)
    spectral = float(k) if spectral is None else spectral
    # U_EigV may merge classes that the partition separates, but every class was seen.
    return max(spectral if singletons == n else max(k * n / (n - singletons), spectral), float(k))


def alphabet_entropy(classes: Sequence[Hashable], *, spectral: float | None = None) -> float:
    """Return the semantic entropy in nats, corrected for unseen meanings by `alphabet_size`.

    sum_c -q ln q / (1 - (1 - q)^n), q = p_c k / `alphabet_size` (McCabe et al., ICLR 2026). 0 where all answers are the
    same; it exceeds ln n where meanings must be missing.
    """
    coverage = number_of_meanings(classes) / alphabet_size(classes, spectral=spectral)
    return _horvitz_thompson(classes, coverage)


def chao_shen_entropy(classes: Sequence[Hashable]) -> float:
    """Return the semantic entropy in nats, corrected for unseen meanings by Good's coverage.

    sum_c -q ln q / (1 - (1 - q)^n), q = C p_c, with the coverage C = 1 - f1 / n (Chao and Shen 2003). 0 where all answers
    are the same, and for a single answer; it may exceed ln n. Where every answer has a meaning of its own C would be 0, so
    f1 = n - 1 is used, as is usual.
    """
    n = len(classes)
    return _horvitz_thompson(classes, 1 - min(_singletons(classes), n - 1) / n)


def _horvitz_thompson(classes: Sequence[Hashable], coverage: float) -> float:
    """Divide each class's part of the entropy by the probability that n answers show the class."""
    n = len(classes)
    probabilities = [coverage * count / n for count in Counter(classes).values()]
    # -expm1(n * log1p(-q)) is 1 - (1 - q)^n, also exact for a small q.
    return fsum(q * log(1 / q) / -expm1(n * log1p(-q)) for q in probabilities if q < 1)


def _singletons(classes: Sequence[Hashable]) -> int:
    return sum(count == 1 for count in Counter(classes).values())
