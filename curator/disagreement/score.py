"""The default score of a case, from the signals of its committee's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from curator.disagreement.equivalence.comparers import WORD_COMPARER, Comparer
from curator.disagreement.signals import Signals, measure
from curator.records import Kind, Score
from curator.records.recorded import Answered

SCORER = "committee/2"
"""Name and version of the default score; the version is raised whenever a value of it changes."""
PRIOR_ANSWERS = 0.5
"""How many answers the committee's own disagreement counts for beside its answers against the target."""
WORDING_ANSWERS = 0.01
"""How many answers the distance of the wordings counts for: enough to order what means the same, and no more."""


class Formula(Protocol):
    """Makes one number in 0..1 of the signals of a case: the higher, the more likely it fails."""

    @property
    def name(self) -> str:
        """Its name and version, as `scorer` tells it."""

    def value(self, found: Signals) -> float:
        """The number."""


@dataclass(frozen=True, slots=True)
class DefaultScore:
    """The score of whoever has no labels: `default_score`."""

    name: str = SCORER

    def value(self, found: Signals) -> float:
        """See `Formula`."""
        return default_score(found)


DEFAULT = DefaultScore()


def score_case(  # noqa: PLR0913  each one is a part of contract 4, and has a default where it can
    id: str,
    answers: Sequence[Answered],
    *,
    target: str | None,
    kind: Kind,
    labels: Sequence[str] = (),
    input: str = "",
    compare: Comparer = WORD_COMPARER,
    weights: Mapping[str, float] | None = None,
    formula: Formula = DEFAULT,
) -> Score:
    """Score one case; the arguments are those of `measure`, and the order of the answers makes no difference.

    `weights` and `formula` change `disagreement` alone: the other numbers are plain shares. Another `compare` than the
    default is named in `scorer`. With fewer than two answers every number is None and `reason` says so.
    """
    n = len(answers)
    scorer = f"{formula.name}+{compare.name}" if compare.name else formula.name
    if n < 2:
        return Score(id, None, None, None, None, kind, scorer, None, None, n, reason="not enough answers")
    found = measure(answers, target=target, kind=kind, labels=labels, input=input, compare=compare, weights=weights)
    return Score(
        id=id,
        disagreement=formula.value(found),
        within=found.split.within,
        between=found.split.between,
        against_target=found.against_target,
        kind=kind,
        scorer=scorer,
        majority=found.majority,
        agreement=found.agreement,
        n=n,
        fields=found.fields,
    )


def default_score(found: Signals, *, prior: float = PRIOR_ANSWERS, wording: float = WORDING_ANSWERS) -> float:
    """The smoothed share of the committee that contradicts the target; without a target its own disagreement.

    b = (n a + s h) / (n + s), where a is `against`, h the committee's own disagreement `total` and s = `prior`; without a
    target b = h. Where the answers have a `wording` beyond what was read in them, w is its mean distance, and the score
    is (n b + r w) / (n + r), r = `wording`. It is the share as if half an answer more had been given: it orders cases by
    the share, its ties by the committee's disagreement, and the ties of both by how differently the answers were come
    to; it trusts two answers less than ten, and is 0 where all answers and the target are one. On recorded sets a larger
    s ranks worse, and any r up to an answer ranks alike (`benchmarks/signal/disagreement.py`).
    """
    n, a = found.n, found.against
    base = found.total if a is None else (n * a + prior * found.total) / (n + prior)
    return base if found.wording is None else (n * base + wording * found.wording) / (n + wording)
