"""The limits of the diagnosis.

`benchmarks/clustering/causes.py` measures them on planted causes, and prints what other values give: nearly the same.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits between the diagnoses; all are shares in 0..1.

    Attributes:
        differ: below this, two answers of a group hardly differ, and production is hardly contradicted.
        united: below this, the committee agrees: two answers are twice as often the same as not.
        excess: from this on, production is contradicted more than the members contradict each other.
        side: from this on, the refusals or unreadable answers of one side are the diagnosis.
        explained: from this on, variant, model or temperature explains the differences.
        explained_by_words: the same for texts that are compared by their words, which differ in any case.
        labelled_wrong: from this on, labels show a shared mistake.
        sure: the lower end of an interval that makes a diagnosis certain, as a part of its limit.
        sure_explained: the lower end of the interval of an explained share that makes a diagnosis certain.
    """

    differ: float = 0.1
    united: float = 1 / 3
    excess: float = 0.2
    side: float = 0.25
    explained: float = 0.5
    explained_by_words: float = 0.25
    labelled_wrong: float = 1 / 3
    sure: float = 0.5
    sure_explained: float = 0.5


LIMITS = Limits()
LEAST_LABELS = 3
"""No group is judged by fewer labels."""
