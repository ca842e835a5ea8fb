"""The learning curve: the score of each round on the same held-out cases, with intervals.

The held-out cases are a random sample. Near-duplicates among them are not independent: a group of them counts as one draw (a
cluster sample, Kish 1965), weighted by its size.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curator.errors import ConfigError
from curator.estimation.comparison.case_weights import Floats, Sample
from curator.estimation.comparison.paired import paired_difference
from curator.stats import student_quantile, survey_wilson


@dataclass(frozen=True, slots=True)
class RoundScores:
    """The held-out scores of the model of one round.

    Attributes:
        labels: the training labels behind the model, above 0.
        correct: the score of each held-out case, 0..1, by case id.
        groups: the group of near-duplicates that a case belongs to, by case id; a case without one is a group of its own. None
            where no groups are known. The groups of the last round are used.
    """

    labels: int
    correct: Mapping[str, float]
    groups: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A round on the learning curve.

    Attributes:
        labels: the training labels behind the model.
        score: the mean score, 0..1; None without a case.
        low: the lower end of its confidence interval; None below two groups of cases, as `high`.
        high: the upper end.
        gain: the score less that of the round before; None for the first round, as its interval, and without a case.
        gain_low: the lower end of the paired interval of the gain; None below two groups of cases, as `gain_high`.
        gain_high: the upper end.
        cases: the held-out cases with a score in every round.
    """

    labels: int
    score: float | None
    low: float | None
    high: float | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    cases: int


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The scores of k rounds on g groups of cases.

    Attributes:
        labels: behind each round, (k,).
        means: the mean score of each group in each round, (g, k).
        sizes: the cases of each group, (g,).
        left_out: the cases with a score in some rounds only.
    """

    labels: Floats
    means: Floats
    sizes: Floats
    left_out: int

    @property
    def cases(self) -> int:
        """The cases with a score in every round."""
        return int(self.sizes.sum())

    @property
    def scores(self) -> Floats:
        """The mean score of each round, (k,)."""
        mean: Floats = self.sizes @ self.means / self.sizes.sum()
        return mean

    @property
    def covariance(self) -> Floats:
        """The covariance of the scores over samples of two groups or more, (k, k).

        It includes `pseudo_variance`.
        """
        groups = len(self.sizes)
        residuals = self.sizes[:, None] * (self.means - self.scores) / self.sizes.sum()
        product: Floats = residuals.T @ residuals * groups / (groups - 1)
        return product + np.eye(len(self.labels)) * pseudo_variance(groups)


def pseudo_variance(groups: int) -> float:
    """The variance of a pseudo-case in a score, a case that only this round gets right.

    Without it two models that agree on every case would count as equal for certain (compare `effective_cases` of a paired
    difference).
    """
    return 1 / (groups + 2) ** 2


def score_table(rounds: Sequence[RoundScores]) -> ScoreTable:
    """Align the rounds on the cases that have a score in each.

    Raises:
        ConfigError: the labels do not increase from round to round, or a score is outside 0..1.
    """
    for before, after in itertools.pairwise(rounds):
        if after.labels <= before.labels:
            raise ConfigError(
                f"a round with {after.labels} training labels follows a round with {before.labels}",
                remedy="give the rounds in their order, each with more labels than the round before",
            )
    for position, scores in enumerate(rounds):
        for case, value in scores.correct.items():
            if not 0 <= value <= 1:
                raise ConfigError(
                    f"round {position}: the score of case {case!r} is {value!r}", remedy="give scores in 0..1"
                )
    scored = [set(scores.correct) for scores in rounds]
    shared = sorted(set.intersection(*scored)) if scored else []
    groups = rounds[-1].groups or {} if rounds else {}
    keys = [(True, groups[case]) if case in groups else (False, case) for case in shared]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    sizes, sums = np.zeros(len(numbers)), np.zeros((len(numbers), len(rounds)))
    for case, key in zip(shared, keys, strict=True):
        sizes[numbers[key]] += 1
        sums[numbers[key]] += [scores.correct[case] for scores in rounds]
    left_out = len(set().union(*scored)) - len(shared)
    return ScoreTable(np.array([scores.labels for scores in rounds], float), sums / sizes[:, None], sizes, left_out)


def learning_curve(rounds: Sequence[RoundScores], *, confidence: float = 0.95) -> tuple[CurvePoint, ...]:
    """Estimate the score of each round and its gain over the round before.

    Both intervals hold for one round each. The score's is Wilson's for the effective number of cases (`survey_wilson`), the gain's
    that of `paired_difference`. Only cases with a score in every round count, so that all points are comparable.

    Args:
        rounds: in their order, each with more labels than the one before.
        confidence: of each interval.

    Raises:
        ConfigError: see `score_table`.
    """
    table = score_table(rounds)
    return tuple(_point(table, k, confidence) for k in range(len(rounds)))


def _point(table: ScoreTable, k: int, confidence: float) -> CurvePoint:
    labels, groups = int(table.labels[k]), len(table.sizes)
    if not groups:
        return CurvePoint(labels, None, None, None, None, None, None, 0)
    score = float(table.scores[k])
    gain = score - float(table.scores[k - 1]) if k else None
    if groups == 1:
        return CurvePoint(labels, score, None, None, gain, None, None, table.cases)
    quantile = student_quantile(confidence, groups - 1)
    low, high = survey_wilson(score, float(table.covariance[k, k]), quantile, groups)
    if gain is None:
        return CurvePoint(labels, score, low, high, None, None, None, table.cases)
    sample = Sample(table.sizes, np.zeros(groups), np.zeros(groups, np.int64), "sample")
    paired = paired_difference(table.means[:, k] - table.means[:, k - 1], sample, confidence=confidence)
    return CurvePoint(labels, score, low, high, gain, paired.low, paired.high, table.cases)
