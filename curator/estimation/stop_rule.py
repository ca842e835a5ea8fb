"""The rule that ends a loop: too little gain ahead, budget spent, or a rate that is precise.

By gain: the loop stops where the upper end of the gain of the next round, forecast from all rounds (`gain_forecast.py`), is below a
threshold in two rounds in a row. Each round is another look and another chance to stop on noise. Looks are correlated, as each adds
a round to the same curve. The tail of a look is therefore a twelfth of 1 - confidence. With it, all looks of a loop together stop too
early with a probability of about 1 - confidence on the curve that is hardest to tell from one that flattens: a line that rises by
exactly the threshold in each of 20 rounds (`benchmarks/estimation/stopping.py`).

Too few rounds or cases never stop a loop by gain: a gain may be there although the data cannot show it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

import numpy as np

from curator.errors import ConfigError
from curator.estimation.comparison.case_weights import Floats
from curator.estimation.gain_forecast import MIN_ROUNDS, GainForecast, forecast_gain
from curator.estimation.learning_curve import RoundScores, ScoreTable, learning_curve, pseudo_variance, score_table
from curator.records import Rate

StopReason = Literal["gain", "precise", "budget"]

LOOKS = 12
"""The tail of a look is (1 - confidence) / LOOKS. On 300 lines that rise by exactly the threshold, 17 looks stopped 7% of loops too early
with 8 (200 held-out cases), 5% with 12, 4% with 16."""
MIN_CASES = 50
"""With fewer held-out cases, near-duplicates counted once, the covariance of the rounds is not known well enough to stop by gain."""
MAX_LEFT_OUT = 0.05
"""A larger share of held-out cases without a score in some round keeps the loop from stopping by gain: they may be the hard ones."""
PLANNED_ROUNDS = 8
PLANNED_DECAY = 2 / 3
"""In labels between the first round and the last. Of power laws and exponentials, this curve is among the hardest to tell from a line."""
PLANNED_RISE = 0.2
PLANNED_DIFFERING = 0.08
"""This and the rise are the means of the five label sets in `benchmarks/estimation/stopping.py` over the first eight rounds."""
_LARGEST_FACTOR = 1e4
_BISECTIONS = 60


@dataclass(frozen=True, slots=True)
class StopRule:
    """The conditions that end a loop.

    Attributes:
        min_gain: the least gain in mean score that is worth `round_labels` more labels, 0..1.
        round_labels: the labels of a round.
        rounds: the number of rounds in a row with the upper end of the gain below `min_gain`.
        confidence: that a loop whose gains stay at `min_gain` or above is not stopped by gain.
        max_labels: the budget of training labels; None for none.
        half_width: the half-width of the rate's 95% interval that is narrow enough; None where the rate does not end the loop.

    Raises:
        ConfigError: a value is out of its range.
    """

    min_gain: float = 0.01
    round_labels: int = 75
    rounds: int = 2
    confidence: float = 0.95
    max_labels: int | None = None
    half_width: float | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        checks = {
            "min_gain": 0 < self.min_gain < 1,
            "round_labels": self.round_labels > 0,
            "rounds": self.rounds > 0,
            "confidence": 0 < self.confidence < 1,
            "max_labels": self.max_labels is None or self.max_labels > 0,
            "half_width": self.half_width is None or 0 < self.half_width < 1,
        }
        for name, holds in checks.items():
            if not holds:
                kind = "between 0 and 1" if name in {"min_gain", "confidence", "half_width"} else "above 0"
                raise ConfigError(f"stop rule: {name} is {getattr(self, name)!r}", remedy=f"set {name} {kind}")

    @property
    def z(self) -> float:
        """The normal quantile of the ends of a forecast."""
        return NormalDist().inv_cdf(1 - (1 - self.confidence) / LOOKS)


@dataclass(frozen=True, slots=True)
class StopPower:
    """The gains that a held-out set can see.

    Attributes:
        cases: the held-out cases, near-duplicates counted once.
        least_gain: the least gain of the next round that could be told from none, in mean score. A curve that has become level
            is stopped by gain where this is below `min_gain`.
        cases_needed: the cases that can tell `min_gain` from none; None where no number of cases would do at this point.
        sentence: in plain English, with the assumptions.
    """

    cases: int
    least_gain: float
    cases_needed: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class StopView:
    """The rule's view of a loop after its last round.

    Attributes:
        stop: True where the loop ends.
        reason: the first condition that holds; None while the loop goes on.
        gain: the forecast gain of the next round, in mean score; None with too few rounds or cases, as its interval.
        low: the lower end of its interval, which holds for all rounds of the loop together.
        high: the upper end.
        rounds_below: the rounds in a row, up to the last, with the upper end below `min_gain`.
        power: None with too few rounds or cases.
        sentence: the decision in plain English.
    """

    stop: bool
    reason: StopReason | None
    gain: float | None
    low: float | None
    high: float | None
    rounds_below: int
    power: StopPower | None
    sentence: str


def stop_view(rounds: Sequence[RoundScores], rule: StopRule, *, rate: Rate | None = None) -> StopView:
    """Decide after a round whether the loop ends.

    Args:
        rounds: all rounds so far, the seed phase first.
        rule: the conditions.
        rate: the rate that `half_width` refers to, such as the failure rate of the random slice. None for the held-out score of
            the last round.

    Raises:
        ConfigError: see `score_table`.
    """
    table = score_table(rounds)
    lacking = _lacking(table)
    forecast = None if lacking else _forecast(table, rule, len(rounds))
    below = 0 if lacking else _rounds_below(table, rule)
    power = (
        None if forecast is None else _power(table.labels, forecast.fitted, table.covariance, rule, len(table.sizes))
    )
    reason = _reason(rounds, rule, below, rate)
    sentence = _sentence(rule, reason, forecast, below, power, lacking)
    if forecast is None:
        return StopView(reason is not None, reason, None, None, None, below, power, sentence)
    return StopView(reason is not None, reason, forecast.gain, forecast.low, forecast.high, below, power, sentence)


def planned_power(
    cases: int,
    rule: StopRule,
    *,
    seed_labels: int,
    differing: float = PLANNED_DIFFERING,
    rise: float = PLANNED_RISE,
    rounds: int = PLANNED_ROUNDS,
) -> StopPower:
    """The power of a held-out set before the first label.

    It assumes an exponential curve, whose flattening is harder to see than that of a power law, that any two rounds differ on the same
    share of cases, and that the noise of training is small beside that of the cases.

    Args:
        cases: the held-out cases, near-duplicates counted once.
        rule: the rule that is to stop the loop.
        seed_labels: the labels of the seed phase.
        differing: the expected share of cases that the models of two rounds in a row score differently, above 0 and up to 1.
        rise: the expected rise in mean score from the seed phase to the last of the rounds, 0..1.
        rounds: the rounds after the seed phase at which the rule looks, at least `MIN_ROUNDS` - 1.

    Raises:
        ConfigError: a value is out of its range.
    """
    if cases < 1 or seed_labels < 1 or not 0 < differing <= 1 or not 0 <= rise <= 1 or rounds < MIN_ROUNDS - 1:
        raise ConfigError(
            f"no power for {cases} cases, {seed_labels} seed labels, a share of {differing} differing, a rise of {rise} and {rounds}"
            " rounds",
            remedy=f"give cases and seed labels above 0, a share above 0 and at most 1, a rise in 0..1, {MIN_ROUNDS - 1} rounds or more",
        )
    labels = seed_labels + rule.round_labels * np.arange(rounds + 1.0)
    curve = 1 - np.exp((labels[0] - labels) / (PLANNED_DECAY * (labels[-1] - labels[0])))
    # The part of the variance that all rounds share moves a curve up or down as a whole and does not matter to its gains.
    covariance = np.eye(rounds + 1) * (differing / (2 * cases) + pseudo_variance(cases))
    assumed = (
        f" This assumes {int(labels[-1])} labels after {rounds} rounds, a rise of {rise:.0%} until then, and {differing:.0%} of cases"
        " on which two rounds in a row differ."
    )
    power = _power(labels, rise * curve / curve[-1], covariance, rule, cases, assumed)
    if cases >= MIN_CASES:
        return power
    never = f"{cases} held-out cases are too few to stop a loop by its gain: that takes {MIN_CASES}, near-duplicates counted once."
    return replace(power, sentence=f"{never} {power.sentence}")


def _lacking(table: ScoreTable) -> str | None:
    """The data that a forecast still needs, in words; None where there is enough."""
    if len(table.labels) < MIN_ROUNDS:
        return f"{len(table.labels)} of the {MIN_ROUNDS} rounds that it needs, the seed phase included"
    if len(table.sizes) < MIN_CASES:
        return f"{len(table.sizes)} of the {MIN_CASES} held-out cases that it needs, near-duplicates counted once"
    if table.left_out > MAX_LEFT_OUT * (table.cases + table.left_out):
        return (
            f"{table.left_out} of {table.cases + table.left_out} held-out cases have no score in some round; score them"
        )
    return None


def _forecast(table: ScoreTable, rule: StopRule, k: int) -> GainForecast:
    """The forecast after the first k rounds."""
    return forecast_gain(table.labels[:k], table.scores[:k], table.covariance[:k, :k], step=rule.round_labels, z=rule.z)


def _rounds_below(table: ScoreTable, rule: StopRule) -> int:
    below = 0
    for k in range(len(table.labels), MIN_ROUNDS - 1, -1):
        if _forecast(table, rule, k).high >= rule.min_gain:
            break
        below += 1
    return below


def _power(
    labels: Floats, curve: Floats, covariance: Floats, rule: StopRule, cases: int, assumed: str = ""
) -> StopPower:
    """The power for a curve of these scores, and the cases with which it would be enough."""

    def resolution(factor: float) -> float:
        return forecast_gain(labels, curve, covariance / factor, step=rule.round_labels, z=rule.z).resolution

    least = resolution(1.0)
    text = f"{cases} held-out cases can tell a gain of {least:.1%} for each {rule.round_labels} labels from none."
    if resolution(_LARGEST_FACTOR) >= rule.min_gain:
        no_number = f" No number of cases would do so for {rule.min_gain:.1%} at this point."
        return StopPower(cases, least, None, text + no_number + assumed)
    low, high = 1 / _LARGEST_FACTOR, _LARGEST_FACTOR
    for _ in range(_BISECTIONS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if resolution(middle) < rule.min_gain else (middle, high)
    needed = max(MIN_CASES, math.ceil(cases * high))
    return StopPower(cases, least, needed, f"{text} For {rule.min_gain:.1%} it takes about {needed} cases.{assumed}")


def _reason(rounds: Sequence[RoundScores], rule: StopRule, below: int, rate: Rate | None) -> StopReason | None:
    if below >= rule.rounds:
        return "gain"
    if rule.half_width is not None:
        point = learning_curve(rounds[-1:])[0] if rate is None and rounds else None
        low, high = (rate.low, rate.high) if rate else (point.low, point.high) if point else (None, None)
        if low is not None and high is not None and (high - low) / 2 <= rule.half_width:
            return "precise"
    if rule.max_labels is not None and rounds and rounds[-1].labels >= rule.max_labels:
        return "budget"
    return None


def _sentence(
    rule: StopRule,
    reason: StopReason | None,
    forecast: GainForecast | None,
    below: int,
    power: StopPower | None,
    lacking: str | None,
) -> str:
    if forecast is None or power is None:
        view = f"Not enough data to forecast the gain: {lacking}."
    else:
        view = (
            f"The next {rule.round_labels} labels would bring {forecast.gain:+.1%}"
            f" ({forecast.low:+.1%} to {forecast.high:+.1%}) in mean score."
        )
    if reason == "gain":
        return f"Stop: {view} At least {rule.min_gain:.1%} has been ruled out in {below} rounds in a row."
    if reason == "precise":
        return f"Stop: the interval of the rate is narrow enough, {rule.half_width:.1%} or less to each side. {view}"
    if reason == "budget":
        return f"Stop: the budget of {rule.max_labels} labels is spent. {view}"
    if power is None:
        return f"Go on. {view}"
    wanted = (
        f" {rule.min_gain:.1%} or more is ruled out in {below} of the {rule.rounds} rounds in a row that a stop needs."
    )
    return f"Go on. {view}{wanted} {power.sentence}"
