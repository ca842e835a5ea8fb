"""Advice on the committee: the reliability of its scores, and the gain from more answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AdviceVerdict = Literal["add", "enough", "no better than chance", "not enough data"]
AdditionName = Literal["2 repeats per variant", "1 variant", "1 model"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A number with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class NoiseSource:
    """The noise that a part of the committee contributes, and the number of its units.

    Attributes:
        name: `model`, `variant`, `repeat` or `pair`, the difference of two answers.
        units: the models, the variants of all models, the answers to one case, or the pairs of these.
        ratio: its variance in the score of one unit, in units of the variance between cases.
    """

    name: str
    units: int
    ratio: float


@dataclass(frozen=True, slots=True)
class PartSize:
    """The scores of parts of the committee with so many answers.

    Attributes:
        answers: in each part.
        parts: the number of parts.
        correlation: the mean rank correlation of two such parts, which may share answers, as measured; None with one part.
        fitted: the same by the noise model; None with one part.
        auroc: the mean AUROC of "production's answer is wrong"; None with too few labels.
    """

    answers: int
    parts: int
    correlation: float | None
    fitted: float | None
    auroc: Interval | None


@dataclass(frozen=True, slots=True)
class Addition:
    """One way to enlarge the committee, and the expected scores then.

    Attributes:
        name: the models, variants or answers that are added.
        answers: more answers a case.
        calls: more answers for all cases.
        usd: what they cost, in US dollars; None where the present answers' cost is not known.
        reliability: the expected rank correlation with another committee of that make-up; None where it is not measured.
        gain: its change.
        auroc: the expected AUROC; None where it is not measured.
        reason: why it is not measured; "" where it is.
    """

    name: AdditionName
    answers: float
    calls: int
    usd: float | None
    reliability: Interval | None
    gain: Interval | None
    auroc: Interval | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CommitteeAdvice:
    """The gain from more repeats, variants or models.

    Attributes:
        verdict: what to do.
        best: the addition that gains most for its cost; None unless the verdict is `add` or `enough`.
        reason: why there is not enough data; "" otherwise.
        cases: the cases whose scores were compared.
        answers: the mean number of answers to a case.
        noise: the noise of the score by its source.
        error: the root mean square difference between measured and fitted rank correlations; None without a fit.
        reliability: the expected rank correlation of the score with that of another committee of the same make-up.
        labels: the labels that were used.
        failures: how many of them say that production's answer is wrong.
        auroc: of the present score; None with too few labels.
        sizes: the scores of parts of the committee by their size.
        additions: the ways to enlarge it.
    """

    verdict: AdviceVerdict
    best: Addition | None = None
    reason: str = ""
    cases: int = 0
    answers: float = 0.0
    noise: tuple[NoiseSource, ...] = ()
    error: float | None = None
    reliability: Interval | None = None
    labels: int = 0
    failures: int = 0
    auroc: Interval | None = None
    sizes: tuple[PartSize, ...] = ()
    additions: tuple[Addition, ...] = ()
