"""Spends the labelling budget: discovery takes the unstable cases that cover the rest, a probability sample looks at the others.

The two serve different purposes and are never mixed. Discovery picks are certain (inclusion probability 1): what they tell
is told of themselves alone. The sample is drawn from what discovery left, stratified by predicted failure, so that both
together tell how often production fails. In a further round the labels so far are what is known before the draw.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from curator.config import SelectionConfig
from curator.errors import Refused
from curator.estimation.failure_rate import estimate
from curator.estimation.sample_design import Stage, draw
from curator.estimation.sampling_frame import SamplingUnit
from curator.records import Case, FailureRate, Pick, Rate, Split, with_group
from curator.selection.acquisition import Acquisition
from curator.stages.sampling_units import AGREES, COMMITTEE, known_agreement


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was selected before: the stages in order, and the labels so far (0 good .. 1 failed) by case id."""

    stages: tuple[Stage, ...] = ()
    labels: Mapping[str, float] = field(default_factory=dict)

    @property
    def settled(self) -> frozenset[str]:
        """The cases that were selected already."""
        return frozenset(i for stage in self.stages for i in (*stage.certain, *stage.drawn))


NOTHING_EARLIER = Earlier()
CONFIDENCE = 0.95
"""Of the interval that a report shows."""
LABELLED_BESIDE = 0.8
"""Users' corrections count once this share of the other drawn cases is labelled."""


@dataclass(frozen=True, slots=True)
class SelectionResult:
    """The picks of this round in order of rank, how they were drawn from the pool, and what discovery says of it."""

    picks: tuple[Pick, ...]
    stage: Stage
    discovery: Acquisition
    pool: tuple[SamplingUnit, ...]


def sample_size(k: int, share: float) -> int:
    """The part of k that is drawn at random: the share of it, but at least one of two or more unless the share is 0."""
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
    """Put discovery's picks and a probability sample of what they leave together; what discovery left of k is drawn, too.

    Args:
        cases: all that could be picked.
        pool: the same ones as the sample's design sees them.
        discovery: what discovery took.
        config: the budget and how it is spent.
        split: of a case.
        seed: fixes the sample, and nothing else. The order of the cases does not matter.
        earlier: what was selected before.
        standing: a draw to keep, whose known cases are discovery's picks, instead of a new one.
    """
    known = {case.id: case for case in map(with_group, cases)}
    left = min(config.k, len(known) - len(earlier.settled)) - len(discovery.picks)
    stage = standing or draw(
        pool,
        left if config.random_share > 0 else 0,
        seed=seed,
        certain=[found.case_id for found in discovery.picks],
        earlier=earlier.stages,
        labels=earlier.labels,
    )
    number, before = len(earlier.stages) + 1, len(earlier.settled)
    picks = [
        Pick(
            found.case_id, rank, "disagreement", 1.0, split(known[found.case_id]),
            gain=found.gain, stage=number, reason=found.reason,
        )
        for rank, found in enumerate(discovery.picks, start=before + 1)
    ]  # fmt: skip
    probabilities, stratum_of = stage.probabilities, stage.stratum_of
    picks += [
        Pick(
            id_, before + len(discovery.picks) + place, "random", probabilities[id_], split(known[id_]),
            stage=number, stratum=stratum_of[id_], draw=place,
        )
        for place, id_ in enumerate(stage.drawn, start=1)
    ]  # fmt: skip
    return SelectionResult(tuple(picks), stage, discovery, tuple(pool))


def representative_failures(
    drawn: Sequence[str], failures: Mapping[str, float], corrected: Collection[str]
) -> Mapping[str, float]:
    """The failures without those that a user's correction tells, as long as few other drawn cases have a label.

    Users correct what failed. Beside a label for each other drawn case a correction is one more label; alone they would say
    that everything fails.
    """
    others = [i for i in drawn if i not in corrected]
    if sum(i in failures for i in others) >= LABELLED_BESIDE * len(others):
        return failures
    return {i: failure for i, failure in failures.items() if i not in corrected}


def failure_rate(
    picked: SelectionResult, failures: Mapping[str, float], *, corrected: Collection[str] = ()
) -> FailureRate:
    """How often production fails, by what is known of the picks: failures in 0..1 by case id.

    `corrected` are the cases of which nothing but a user's correction tells.
    """
    failures = representative_failures(picked.stage.drawn, failures, corrected)
    silent = [case for case in picked.pool if case.domains.get(COMMITTEE) == AGREES]
    records = round(sum(case.weight for case in silent))
    picks = {p.case_id for p in picked.picks}
    known = {i: failure for i, failure in failures.items() if i in picks}
    try:
        found = estimate(picked.pool, [picked.stage], known, confidence=CONFIDENCE, by=known_agreement(picked.pool))
    except Refused as refused:
        nothing = Rate(None, None, None, 0)
        missing = len(picks) - len(known)
        return FailureRate(None, None, None, CONFIDENCE, len(known), missing, None, nothing, records, refused.what)
    part = next((part for part in found.domains.get(COMMITTEE, ()) if part.value == AGREES), None)
    return FailureRate(
        rate=_told(found.rate),
        low=_told(found.low),
        high=_told(found.high),
        confidence=CONFIDENCE,
        labels=found.labels,
        missing=found.missing,
        worth=_told(found.effective_sample_size),
        silent=Rate(_told(part.rate), _told(part.low), _told(part.high), part.labels)
        if part
        else Rate(None, None, None, 0),
        silent_records=records,
    )


def _told(value: float | None) -> float | None:
    """The value with six digits: more than anybody reads, and the same on every machine."""
    return None if value is None else round(float(value), 6)
