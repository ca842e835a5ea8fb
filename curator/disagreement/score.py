"""The default score of a case, from the signals of its committee's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from curator.disagreement.equivalence.comparers import WORD_COMPARER, Comparer
from curator.disagreement.readings.mixture import Mixture
from curator.disagreement.signals import EVERY_READING, Signals, measure
from curator.records import Kind, Score
from curator.records.recorded import Answered
from curator.records.token_logprobs import TokenLogprobs

SCORER = "committee/3"
"""Name and version of the default score; the version is raised whenever a value of it changes."""
PRIOR_ANSWERS = 0.5
"""The weight, in answers, of the committee's spread beside its answers against the target.

On recorded sets a larger weight ranks worse (`benchmarks/signal/disagreement.py`).
"""


class Formula(Protocol):
    """Computes a score in 0..1 from the signals of a case: the higher, the more likely it fails."""

    @property
    def name(self) -> str:
        """Name and version, as in the `scorer` of a score."""

    def value(self, signals: Signals) -> float:
        """Return the score."""


@dataclass(frozen=True, slots=True)
class DefaultScore:
    """The default score, which needs no labels: `default_score`."""

    name: str = SCORER

    def value(self, signals: Signals) -> float:
        """See `Formula`."""
        return default_score(signals)


DEFAULT = DefaultScore()


def score_case(  # noqa: PLR0913  the fields of contract 4
    id: str,
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
    formula: Formula = DEFAULT,
) -> Score:
    """Score one case; the order of the answers does not matter.

    The arguments are those of `measure`. `weights`, `mixture` and `formula` change only `disagreement`; the other numbers are plain
    shares. `scorer` names `compare` if it is not the default. With fewer than two answers every number is None, and
    `reason` says so.
    """
    n = len(answers)
    scorer = f"{formula.name}+{compare.name}" if compare.name else formula.name
    if n < 2:
        return Score(id, None, None, None, None, kind, scorer, None, None, n, reason="not enough answers")
    signals = measure(
        answers, target=target, kind=kind, labels=labels, input=input, question=question, compare=compare, weights=weights,
        mixture=mixture, target_logprobs=target_logprobs,
    )  # fmt: skip
    return Score(
        id=id,
        disagreement=formula.value(signals),
        within=signals.split.within,
        between=signals.split.between,
        against_target=signals.against_target,
        kind=kind,
        scorer=scorer,
        majority=signals.majority,
        agreement=signals.agreement,
        n=n,
        fields=signals.fields,
        signals=signals.side,
    )


def default_score(signals: Signals, *, prior: float = PRIOR_ANSWERS) -> float:
    """Return the smoothed mean distance of the answers to the target, in 0..1.

    With a target it is (n a + s h) / (n + s), where a is `against`, h the committee's spread `total` and
    s = `prior`; without a target it is h. It orders cases by the distance to the target, and ties of that by the committee's
    spread; it trusts two answers less than ten. It is 0 where all answers and the target are the same.
    """
    n, a = signals.n, signals.against
    return signals.total if a is None else (n * a + prior * signals.total) / (n + prior)
