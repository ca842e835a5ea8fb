"""The number of cases that noise alone would give a difference: the test that a failure mode must pass.

The members of the committee serve as placebos: each is compared with the others as production is compared with all. The rate
at which members show a difference is the rate at which production would show it by chance; as many splits of the committee
are due to chance as independent members with that rate would give.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from curator.records.differences import CaseContrasts

FALSE_CLAIMS = 0.01
"""The chance of one false claim among all differences of a task, in logs without a failure (Bonferroni)."""
LEAST_CASES = 3
EXCESS = 2.0
"""A claim needs this many times the cases that noise would give."""
_MINORITY = 1 / 3
_PSEUDO = 0.5
_TAIL = 0.95


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Rates of differences among the members of one task.

    Attributes:
        cases: the cases of the task.
        rates: the share of members that show a difference, by key, in cases without a split of the committee.
        trials: the number of members in these.
        members: the usual number of members of a case.
        excess: the excess distance from which free text is contradicted; None without free text.
    """

    cases: int
    rates: Mapping[str, float]
    trials: int
    members: int
    excess: float | None

    @classmethod
    def of(cls, contrasts: Sequence[CaseContrasts]) -> NoiseModel:
        """Measure the rates of a task."""
        calm = [c for c in contrasts if c.committee is None]
        trials = sum(c.members for c in calm)
        counts: Counter[str] = Counter()
        for case in calm:
            counts.update(case.placebo_keys)
        rates = {key: (count + _PSEUDO) / (trials + 1) for key, count in counts.items()}
        members = int(median(c.members for c in contrasts)) if contrasts else 0
        return cls(len(contrasts), rates, trials, members, _excess_limit(contrasts))

    def rate(self, key: str) -> float:
        """Return the share of members that show a difference."""
        return min(1.0, self.rates.get(key, _PSEUDO / (self.trials + 1)))

    def by_production(self, key: str, cases: int, *, rate: float = 0.0) -> float:
        """Return the expected number of `cases` in which production shows a difference by chance.

        `rate` is another estimate of the chance, where there is one; the greater of both counts.
        """
        return cases * max(self.rate(key), rate)

    def by_committee(self, key: str, cases: int) -> float:
        """Return the expected number of `cases` in which the committee splits by chance."""
        from scipy.stats import binom

        least = max(2, math.ceil(_MINORITY * self.members))
        return cases * float(binom.sf(least - 1, max(self.members, 1), self.rate(key)))


def is_claim(observed: float, expected: float, *, tests: int) -> bool:
    """Return whether more cases show a difference than noise explains, with `tests` differences looked at."""
    from scipy.stats import poisson

    if observed < LEAST_CASES or observed < EXCESS * expected:
        return False
    return bool(poisson.sf(observed - 1, expected) <= FALSE_CLAIMS / max(tests, 1))


def _excess_limit(contrasts: Sequence[CaseContrasts]) -> float | None:
    """Return the excess distance that 5% of the members exceed, moved by what production always has more.

    Production may be another model with a style of its own: what sets all of its answers apart is no failure.
    """
    placebos = [value for c in contrasts for value in c.placebo_excess]
    production = [c.excess for c in contrasts if c.excess is not None]
    if not placebos or not production:
        return None
    style = max(0.0, float(np.median(production) - np.median(placebos)))
    return float(np.quantile(placebos, _TAIL)) + style
