"""Spends the labelling budget: discovery takes the unstable cases that cover the rest, a probability sample looks at the others.

The two serve different purposes and are never mixed. Discovery picks are certain (inclusion probability 1): what they tell
is told of themselves alone. The sample is drawn from what discovery left, stratified by predicted failure, so that both
together tell how often production fails. In a further round the labels so far are what is known before the draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from curator.config import SelectionConfig
from curator.estimation.design import Stage, draw
from curator.estimation.pool import Candidate
from curator.records import Case, Pick, Split, with_group
from curator.selection.discovery import Discovery


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was selected before: the stages in order, and the labels so far (0 good .. 1 failed) by case id."""

    stages: tuple[Stage, ...] = ()
    labels: Mapping[str, float] = field(default_factory=dict)

    @property
    def settled(self) -> frozenset[str]:
        """The cases that were selected already."""
        return frozenset(i for stage in self.stages for i in (*stage.known, *stage.drawn))


NOTHING_EARLIER = Earlier()


@dataclass(frozen=True, slots=True)
class Picked:
    """The picks of this round in order of rank, how they were drawn, and what discovery says of the pool."""

    picks: tuple[Pick, ...]
    stage: Stage
    discovery: Discovery


def sample_size(k: int, share: float) -> int:
    """The part of k that is drawn at random: the share of it, but at least one of two or more unless the share is 0."""
    size = round(k * share)
    return max(size, 1) if share > 0 and k > 1 else size


def pick(
    cases: Sequence[Case],
    pool: Sequence[Candidate],
    discovery: Discovery,
    config: SelectionConfig,
    *,
    split: Callable[[Case], Split],
    seed: int,
    earlier: Earlier = NOTHING_EARLIER,
) -> Picked:
    """Put discovery's picks and a probability sample of what they leave together; what discovery left of k is drawn, too.

    Args:
        cases: all that could be picked.
        pool: the same ones as the sample's design sees them.
        discovery: what discovery took.
        config: the budget and how it is spent.
        split: of a case.
        seed: fixes the sample, and nothing else. The order of the cases does not matter.
        earlier: what was selected before.
    """
    known = {case.id: case for case in map(with_group, cases)}
    left = min(config.k, len(known) - len(earlier.settled)) - len(discovery.picks)
    stage = draw(
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
    return Picked(tuple(picks), stage, discovery)
