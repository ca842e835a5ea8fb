"""How many meanings there are, seen and unseen, from a partition of the answers.

Notation: n answers in k classes; n_c of them in class c, p_c = n_c / n; f1 classes with a single answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from math import expm1, fsum, log, log1p


def number_of_meanings(classes: Sequence[Hashable]) -> int:
    """The number of classes k, in 1..n (NumSemSets of Lin, Trivedi and Sun 2024, over classes that never overlap)."""
    return len(set(classes))


def share_of_meanings(classes: Sequence[Hashable]) -> float:
    """The number of meanings on a scale of 0 (all one) to 1 (all different): (k - 1) / (n - 1)."""
    return (number_of_meanings(classes) - 1) / max(1, len(classes) - 1)


def missing_mass(classes: Sequence[Hashable]) -> float:
    """The chance that the next answer means something new, f1 / n (Good 1953), in 0..1; 0 for a single answer."""
    return _singletons(classes) / len(classes) if len(classes) > 1 else 0.0


def alphabet_size(classes: Sequence[Hashable], *, spectral: float | None = None) -> float:
    """The number of meanings with the unseen ones: the hybrid of McCabe et al. (ICLR 2026), at least k.

    Good and Turing say k n / (n - f1), which has no value where every answer means something else (f1 = n). There
    `spectral` counts, the eigenvalue sum U_EigV (`graph.spectral_meanings`) of the answers' similarities; elsewhere the
    larger one does. Without it k is taken, which is U_EigV of the partition itself.
    """
    k, n, singletons = number_of_meanings(classes), len(classes), _singletons(classes)
    spectral = float(k) if spectral is None else spectral
    # the graph may merge what the partition tells apart, but what was seen is there
    return max(spectral if singletons == n else max(k * n / (n - singletons), spectral), float(k))


def alphabet_entropy(classes: Sequence[Hashable], *, spectral: float | None = None) -> float:
    """Semantic entropy corrected for unseen meanings: sum_c -q ln q / (1 - (1 - q)^n), q = p_c k / `alphabet_size`.

    In nats (McCabe et al., ICLR 2026): 0 where all answers are one, and above ln n where meanings must be missing.
    """
    coverage = number_of_meanings(classes) / alphabet_size(classes, spectral=spectral)
    return _horvitz_thompson(classes, coverage)


def chao_shen_entropy(classes: Sequence[Hashable]) -> float:
    """Semantic entropy with the coverage C = 1 - f1 / n of Good: sum_c -q ln q / (1 - (1 - q)^n), q = C p_c.

    In nats (Chao and Shen 2003): 0 where all answers are one, and may exceed ln n. Where every answer means something
    else C would be 0, and f1 = n - 1 is taken, as is usual; a single answer is 0.
    """
    n = len(classes)
    return _horvitz_thompson(classes, 1 - min(_singletons(classes), n - 1) / n)


def _horvitz_thompson(classes: Sequence[Hashable], coverage: float) -> float:
    """Each class's part of the entropy over the chance that n answers show that class."""
    n = len(classes)
    probabilities = [coverage * count / n for count in Counter(classes).values()]
    # 1 - (1 - q)^n, exact for a small q too
    return fsum(q * log(1 / q) / -expm1(n * log1p(-q)) for q in probabilities if q < 1)


def _singletons(classes: Sequence[Hashable]) -> int:
    return sum(count == 1 for count in Counter(classes).values())
