"""Discovery and a probability sample to picks, and their labels to a failure rate.

Discovery takes the unstable cases that cover the rest; its picks have inclusion probability 1 and represent only themselves. The
sample is drawn from the other cases, stratified by predicted failure. Both together estimate how often production fails. In a
further round the labels so far are known before the draw.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace

from curator.config import SelectionConfig
from curator.errors import Refused
from curator.estimation.failure_rate import Estimate, estimate
from curator.estimation.sample_design import Stage, draw
from curator.estimation.sampling_frame import SamplingUnit
from curator.records import (
    Case,
    FailureRate,
    Pick,
    PooledRate,
    Rate,
    ScoreQuality,
    Split,
    StrategyYield,
    UnseenKinds,
    with_group,
)
from curator.selection.acquisition import Acquisition
from curator.stages.corrected_categories import CATEGORY, NO_CATEGORIES, CorrectedCategories
from curator.stages.sampling_units import AGREES, COMMITTEE, judge_verdicts, known_agreement
from curator.stats import rounded, rounded_or_none


@dataclass(frozen=True, slots=True)
class Earlier:
    """The stages before, and the labels so far (0 right .. 1 failed) by case id.

    Attributes:
        stages: the draws of the rounds before.
        labels: of their cases.
        picks: of the labelled ones of these cases. They are picks of this round as well, with new splits, unless only an earlier
            run knows their labels.
        only_labelled: cases of these stages without a label may be chosen again.
        quality: of the score, by these labels; None where they cannot tell.
        yields: the failures among the labels of each slice.
        categories: what people wrote as the category of a case, by case id.
    """

    stages: tuple[Stage, ...] = ()
    labels: Mapping[str, float] = field(default_factory=dict)
    quality: ScoreQuality | None = None
    yields: tuple[StrategyYield, ...] = ()
    picks: tuple[Pick, ...] = ()
    only_labelled: bool = False
    categories: Mapping[str, str] = field(default_factory=dict)

    @property
    def settled(self) -> frozenset[str]:
        """The cases of the stages before that are not chosen again."""
        chosen = frozenset(i for stage in self.stages for i in (*stage.certain, *stage.drawn))
        return chosen & self.labels.keys() if self.only_labelled else chosen


NOTHING_EARLIER = Earlier()
NO_RATE = Rate(None, None, None, 0)
CONFIDENCE = 0.95
"""Of the interval that a report shows."""
LABELLED_BESIDE = 0.8
"""Users' corrections count once this share of the other drawn cases is labelled."""


@dataclass(frozen=True, slots=True)
class SelectionResult:
    """The picks by rank, the stage of this round, discovery, the pool, and earlier rounds."""

    picks: tuple[Pick, ...]
    stage: Stage
    discovery: Acquisition
    pool: tuple[SamplingUnit, ...]
    earlier: Earlier = NOTHING_EARLIER

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The draws of the rounds before, and that of this round."""
        return (*self.earlier.stages, self.stage)


def sample_size(k: int, share: float) -> int:
    """Return the part of k to draw at random: at least 1 of 2 or more, unless the share is 0."""
    size = round(k * share)
    return max(size, 1) if share > 0 and k > 1 else size


def pick(  # noqa: PLR0913  the stage of a run where everything comes together
    cases: Sequence[Case],
    pool: Sequence[SamplingUnit],
    discovery: Acquisition,
    config: SelectionConfig,
    *,
    split: Callable[[Case], Split],
    seed: int,
    earlier: Earlier = NOTHING_EARLIER,
    standing: Stage | None = None,
) -> SelectionResult:
    """Join discovery's picks with a probability sample of the other cases, `config.k` in all.

    Args:
        cases: all that could be picked.
        pool: the same cases as sampling units.
        discovery: the picks that are certain.
        config: the budget and how it is spent.
        split: returns the split of a case.
        seed: fixes the sample, and nothing else. The order of the cases does not matter.
        earlier: the selections before.
        standing: a draw to keep instead of a new one; its known cases are discovery's picks.
    """
    by_id = {case.id: case for case in map(with_group, cases)}
    left = min(config.k, len(by_id) - len(earlier.settled)) - len(discovery.picks)
    stage = standing or draw(
        pool,
        left if config.random_share > 0 else 0,
        seed=seed,
        certain=[acquired.case_id for acquired in discovery.picks],
        earlier=earlier.stages,
        labels=earlier.labels,
        settled=earlier.settled,
    )
    number, before = len(earlier.stages) + 1, len(earlier.settled)
    now = {*stage.drawn, *(acquired.case_id for acquired in discovery.picks)}
    picks = [
        replace(p, split=split(by_id[p.case_id]))
        for p in earlier.picks
        if p.case_id not in now and not by_id[p.case_id].needs_label
    ]
    picks += [
        Pick(
            acquired.case_id, rank, acquired.slice, 1.0, split(by_id[acquired.case_id]),
            gain=acquired.gain, stage=number, reason=acquired.reason,
        )
        for rank, acquired in enumerate(discovery.picks, start=before + 1)
    ]  # fmt: skip
    probabilities, stratum_of = stage.probabilities, stage.stratum_of
    picks += [
        Pick(
            id_, before + len(discovery.picks) + place, "random", probabilities[id_], split(by_id[id_]),
            stage=number, stratum=stratum_of[id_], draw=place,
        )
        for place, id_ in enumerate(stage.drawn, start=1)
    ]  # fmt: skip
    return SelectionResult(tuple(picks), stage, discovery, tuple(pool), earlier)


def representative_failures(
    drawn: Sequence[str], failures: Mapping[str, float], corrected: Collection[str]
) -> Mapping[str, float]:
    """Return the failures without corrections, unless most other drawn cases have a label.

    Users correct what failed, so that corrections without other labels would say that everything fails. Once
    `LABELLED_BESIDE` of the other drawn cases have a label, a correction is one more label.
    """
    others = [i for i in drawn if i not in corrected]
    if sum(i in failures for i in others) >= LABELLED_BESIDE * len(others):
        return failures
    return {i: failure for i, failure in failures.items() if i not in corrected}


def failure_rate(
    picked: SelectionResult,
    failures: Mapping[str, float],
    *,
    corrected: Collection[str] = (),
    categories: CorrectedCategories = NO_CATEGORIES,
) -> FailureRate:
    """Estimate how often production fails, from the failures of picks, in 0..1 by case id.

    `corrected` are the cases whose only label is a user's correction; `categories` are those of all cases.
    """
    pool = categories.units(picked.pool)
    by_stage = ((stage, representative_failures(stage.drawn, failures, corrected)) for stage in picked.stages)
    failures = {i: of[i] for stage, of in by_stage for i in (*stage.certain, *stage.drawn) if i in of}
    silent = [case for case in picked.pool if case.domains.get(COMMITTEE) == AGREES]
    records = round(sum(case.weight for case in silent))
    missing = sum(p.case_id not in failures for p in picked.picks)
    try:
        estimated = estimate(
            pool,
            picked.stages,
            failures,
            confidence=CONFIDENCE,
            by=(*known_agreement(pool), *([CATEGORY] if categories.by_case else [])),
            predictions=judge_verdicts(pool),
            kinds=categories.by_case or None,
            open_values=categories.open_values,
        )
    except Refused as refused:
        return FailureRate(None, None, None, CONFIDENCE, len(failures), missing, None, NO_RATE, records, refused.what)
    part = next((part for part in estimated.domains.get(COMMITTEE, ()) if part.value == AGREES), None)
    silent_rate = part and Rate(
        rounded_or_none(part.rate), rounded_or_none(part.low), rounded_or_none(part.high), part.labels
    )
    return replace(as_failure_rate(estimated), missing=missing, silent=silent_rate or NO_RATE, silent_records=records)


def as_failure_rate(estimated: Estimate) -> FailureRate:
    """Convert an estimate to its report summary, without the silent failures."""
    low, high = estimated.anytime_interval(CONFIDENCE)
    return FailureRate(
        rate=rounded(estimated.rate),
        low=rounded(estimated.low),
        high=rounded(estimated.high),
        confidence=CONFIDENCE,
        labels=estimated.labels,
        missing=estimated.missing,
        worth=rounded_or_none(estimated.effective_sample_size),
        silent=NO_RATE,
        silent_records=0,
        judge_weight=rounded(estimated.prediction_weight),
        cases=estimated.cases,
        new_cases=estimated.uncovered_cases,
        new_records=round(estimated.uncovered_records),
        any_time=(rounded(low), rounded(high)),
        unseen=_rounded_kinds(estimated.unseen),
        by_category={
            part.value: PooledRate(*map(rounded, astuple(part.pooled)))
            for part in estimated.domains.get(CATEGORY, ())
            if part.pooled is not None
        },
    )


def _rounded_kinds(unseen: UnseenKinds | None) -> UnseenKinds | None:
    if unseen is None:
        return None
    return replace(
        unseen,
        share=rounded(unseen.share),
        high=rounded(unseen.high),
        guaranteed=rounded(unseen.guaranteed),
        rate_high=rounded(unseen.rate_high),
    )
