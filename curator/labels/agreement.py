"""Agreement of people who labelled the same cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from curator.labels.krippendorff import Alpha, krippendorff_alpha
from curator.records import Rate
from curator.stats import MIN_FOR_RATE, rate
from curator.text.display import plural

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of the labels of two or more people.

    Attributes:
        of: whether verdicts (pass or fail) were compared, or labels.
        cases: those that more than one person judged.
        agreed: the share of pairs of people who said the same, a mean over the cases.
        alpha: Krippendorff's alpha, the agreement beyond chance, with its interval. None for few cases, or where everybody
            always said one thing.
        disputed: the cases on which they differ.
    """

    of: Literal["verdict", "label"]
    cases: int
    agreed: Rate
    alpha: Alpha | None
    disputed: tuple[str, ...]

    def to_text(self) -> str:
        """One line for people."""
        text = f"{plural(self.cases, 'case')} with labels of more than one person: they differ on {len(self.disputed):,} of them"
        if self.agreed.value is not None and self.agreed.low is not None and self.agreed.high is not None:
            text += f", and agree to {self.agreed.value:.0%} ({self.agreed.low:.0%}-{self.agreed.high:.0%})"
        else:
            text += f" (fewer than {MIN_FOR_RATE} say nothing of a rate)"
        if self.alpha is not None:
            text += f", alpha {self.alpha.value:.2f} ({self.alpha.low:.2f} to {self.alpha.high:.2f})"
        if self.disputed:
            more = ", ..." if len(self.disputed) > _SHOWN else ""
            text += f"; look at {', '.join(self.disputed[:_SHOWN])}{more}"
        return text


def agreement(verdicts: Mapping[str, Mapping[str, float]], labels: Mapping[str, Mapping[str, str]]) -> Agreement | None:
    """Measure how far people agree; None where no case has labels of two people.

    Verdicts are compared where there are any from two people for one case, else the labels as texts.

    Args:
        verdicts: failure in 0..1 by case id and person; from a half on it counts as failed.
        labels: the right answer by case id and person.
    """
    verdict_words = {case: [str(failure >= 0.5) for failure in by.values()] for case, by in verdicts.items()}
    if of_verdicts := _agreement("verdict", verdict_words):
        return of_verdicts
    return _agreement("label", {case: [" ".join(text.split()) for text in by.values()] for case, by in labels.items()})


def _agreement(of: Literal["verdict", "label"], values_by_case: Mapping[str, list[str]]) -> Agreement | None:
    shared = {case: values for case, values in values_by_case.items() if len(values) > 1}
    if not shared:
        return None
    shares = {case: _same(values) for case, values in shared.items()}
    cases = len(shared)
    alpha = krippendorff_alpha(list(shared.values())) if cases >= MIN_FOR_RATE else None
    disputed = tuple(sorted(case for case, value in shares.items() if value < 1))
    return Agreement(of, cases, rate(sum(shares.values()), cases), alpha, disputed)


def _same(values: list[str]) -> float:
    """The share of pairs that are equal."""
    n = len(values)
    return sum(count * (count - 1) for count in Counter(values).values()) / (n * (n - 1))
