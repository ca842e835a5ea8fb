"""Noise of differences, from the committee's members, and the test against it.

The members of the committee serve as placebos: each is compared with the others as production is compared with all. The rate
at which members show a difference is the rate at which production would show it by chance; as many splits of the committee
are due to chance as independent members with that rate would give.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from curator.records.differences import ANY, OMITS, SAYS, CaseContrasts

FALSE_CLAIMS = 0.01
"""The chance of one false claim among all differences of a task, in logs without a failure (Bonferroni)."""
LEAST_CASES = 3
LEAST_SPLITS = 6
"""Splits of the committee from which they may be a claim: where no answer has a majority, the placebos do not show the noise."""
LEAST_BY_WORDS = 6
"""Cases from which words may be a claim: production gives nearly equal inputs the same reply, in words of its own."""
EXCESS = 2.0
"""A claim needs this many times the cases that noise would give."""
EXCESS_OF_SPLITS = 4.0
"""The same for splits of the committee that neither a prompt nor a topic explains: members err together on hard cases."""
MINORITY = 1 / 3
_PSEUDO = 0.5
TAIL = 0.05
"""The share of the members whose excess distance counts as contradiction, see `NoiseModel.excess`."""
_SUSPECTED = 0.3
_FREE = 0.2
"""The mean share of members outside the largest group from which a part is free."""
_MAY_BE_FREE = ("field:", "argument:", "content:")
EXPLAINED = 1e-3
"""The chance that a prompt, or a word of the inputs among all, seems to explain splits by accident."""
CONCENTRATED = 1e-3
"""The chance of so many cases with a word, below which the word belongs to a group of cases."""


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Rates of differences among the members of one task.

    Attributes:
        cases: the cases of the task.
        rates: the share of members that show a difference, by key.
        trials: the number of members of all cases.
        of_texts: the number of those of free text, among which words are counted.
        free: the keys of the parts in which members usually differ, such as free text in a field: nothing is expected there.
        members: the usual number of members of a case.
        having: the number of cases in which each part occurs.
        excess: the excess distance from which free text is contradicted: 5% of the members have more; None without free text.
        suspicion: that from which its words are looked at: 30% of the members have more.
    """

    cases: int
    rates: Mapping[str, float]
    trials: int
    of_texts: int
    members: int
    free: frozenset[str]
    having: Mapping[str, int]
    excess: float | None
    suspicion: float | None

    @classmethod
    def of(cls, contrasts: Sequence[CaseContrasts]) -> NoiseModel:
        """Measure the rates of a task."""
        trials = sum(c.members for c in contrasts)
        of_texts = sum(c.members for c in contrasts if c.placebo_excess)
        counts: Counter[str] = Counter()
        spreads: defaultdict[str, list[float]] = defaultdict(list)
        for case in contrasts:
            for part, spread in case.spread.items():
                spreads[part].append(spread)
            counts.update(case.placebo_keys)
        rates = {
            key: (count + _PSEUDO) / ((of_texts if key.startswith((SAYS, OMITS)) else trials) + 1)
            for key, count in counts.items()
        }
        members = int(median(c.members for c in contrasts)) if contrasts else 0
        having = {part: len(values) for part, values in spreads.items()}
        mean = {part: sum(values) / len(values) for part, values in spreads.items()}
        free = frozenset(part for part, value in mean.items() if part.startswith(_MAY_BE_FREE) and value > _FREE)
        return cls(len(contrasts), rates, trials, of_texts, members, free, having, *excess_limits(contrasts))

    def rate(self, key: str) -> float:
        """Return the share of members that show a difference."""
        trials = self.of_texts if key.startswith((SAYS, OMITS)) else self.trials
        return min(1.0, self.rates.get(key, _PSEUDO / (trials + 1)))

    def by_production(self, key: str, cases: int) -> float:
        """Return the expected number of `cases` in which production shows a difference by chance."""
        return cases * self.rate(key)

    def by_committee(self, key: str) -> float:
        """Return the expected number of cases in which the committee splits by chance.

        It is the number of cases with the part, times the chance that enough of independent members show the difference there.
        """
        from scipy.stats import binom

        least = max(2, math.ceil(MINORITY * self.members))
        having = self.having.get(":".join(key.split(":")[:2]), self.cases)
        rate = min(1.0, self.rate(key) * self.cases / max(having, 1))
        return having * float(binom.sf(least - 1, max(self.members, 1), rate))

    def dispersion(self, splits: Mapping[str, int]) -> dict[str, float]:
        """Return how many times more splits there are than by independent members, by unit.

        Members err together on hard cases. The factor of a unit is that of all the others, so that a fault in a unit does not
        hide itself.
        """
        units = {unit for unit in {*splits, *map(unit_of, self.rates)} if not unit.endswith(f":{ANY}")} - self.free
        expected = {unit: self.by_committee(unit) for unit in units}
        observed_sum, expected_sum = sum(splits.get(unit, 0) for unit in units), math.fsum(sorted(expected.values()))
        return {
            unit: max(1.0, (observed_sum - splits.get(unit, 0) + 0.5) / (expected_sum - expected[unit] + 0.5))
            for unit in units
        }


def unit_of(key: str) -> str:
    """Return the unit in which splits are counted: a part, or a pair of labels or tools."""
    aspect = key.partition(":")[0]
    return ":".join(key.split(":")[:2]) if aspect in ("field", "argument", "content", "value") else key


def is_claim(observed: float, expected: float, *, tests: int, least: int = LEAST_CASES, excess: float = EXCESS) -> bool:
    """Return whether more cases show one of `tests` differences than noise explains."""
    from scipy.stats import poisson

    if observed < least or observed < excess * expected:
        return False
    return bool(poisson.sf(observed - 1, expected) <= FALSE_CLAIMS / max(tests, 1))


def is_concentrated(
    inside: int, of_inside: int, outside: int, of_outside: int, *, chance: float = CONCENTRATED
) -> bool:
    """Return whether a key is more usual in a group of cases than the rate elsewhere explains."""
    from scipy.stats import binom

    elsewhere = (outside + _PSEUDO) / (of_outside + 1)
    return bool(binom.sf(inside - 1, of_inside, min(elsewhere, 1.0)) <= chance)


def excess_limits(contrasts: Sequence[CaseContrasts]) -> tuple[float | None, float | None]:
    """Return the excess distances that few members have: `NoiseModel.excess` and `suspicion`.

    Production may be another model with a style of its own: what sets all of its answers apart is not a failure.
    """
    placebos = [value for c in contrasts for value in c.placebo_excess]
    production = [c.excess for c in contrasts if c.excess is not None]
    if not placebos or not production:
        return None, None
    style = max(0.0, float(np.median(production) - np.median(placebos)))
    contradicted, suspected = np.quantile(placebos, (1 - TAIL, 1 - _SUSPECTED))
    return float(contradicted) + style, float(suspected) + style
