"""The parts of a pool that grew: cases that the same stages were drawn from.

A stage is drawn from the cases that were there at its time, so that a pool of several nights consists of parts: the cases of the first
night, those that were new in the second one, and so on. The rate of each part is estimated from the stages that it was in, and the parts
count by their records (post-stratification by the frame: Holt & Smith 1979). A part without labels has no rate. It is not covered by the
estimate, and is reported beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from curator.estimation.sample_design import Stage
from curator.estimation.sampling_frame import Bools, Floats, Ints, SamplingFrame
from curator.estimation.stage_estimate import LabelledStage, label_stage, stage_weights


@dataclass(frozen=True, slots=True)
class FramePart:
    """The places of cases that are estimated together, and the numbers of their stages.

    Each of these stages was drawn from all of the cases.
    """

    places: Ints
    stages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The parts that labels cover, and the places of the cases that they do not."""

    parts: tuple[FramePart, ...]
    uncovered: Ints


def find_parts(frame: SamplingFrame, stages: Sequence[Stage], labels: Collection[str], *, least: int) -> Coverage:
    """Divide the pool by the stages that a case was in.

    A part with fewer than `least` labels of drawn cases joins a later one, whose stages were drawn from it as well. Where
    there is none, and some case is without a label, it is not covered. A pool that all stages were drawn from is one part,
    whatever its labels.

    Args:
        frame: the pool.
        stages: each drawn from a part of the pool, or from all of it.
        labels: the ids of the labelled cases.
        least: the labels that a part needs.
    """
    inside = np.zeros((len(frame), len(stages)), dtype=bool)
    for number, stage in enumerate(stages):
        inside[[frame.place[i] for i in stage.cases], number] = True
    if inside.all():
        return Coverage((FramePart(np.arange(len(frame)), tuple(range(len(stages)))),), np.zeros(0, dtype=int))
    labelled = np.array([i in labels for i in frame.ids], dtype=bool)
    drawn = np.zeros_like(inside)
    for number, stage in enumerate(stages):
        drawn[[frame.place[i] for i in stage.drawn if i in labels], number] = True
    combinations, part_of = np.unique(inside, axis=0, return_inverse=True)
    members = {tuple(np.flatnonzero(row).tolist()): part_of.ravel() == n for n, row in enumerate(combinations)}
    return _joined(members, labelled, drawn, least)


def _joined(members: dict[tuple[int, ...], Bools], labelled: Bools, drawn: Bools, least: int) -> Coverage:
    """Join parts with few labels to later ones, those of most stages (the oldest) first."""
    covered: list[FramePart] = []
    without = np.zeros(len(labelled), dtype=bool)
    members = dict(sorted(members.items(), key=lambda item: (-len(item[0]), item[0])))
    while members:
        stages, places = next(iter(members.items()))
        del members[stages]
        count = int(drawn[places][:, list(stages)].any(axis=1).sum()) if stages else 0
        later = [other for other in members if other and set(other) < set(stages)]
        if stages and (count >= least or labelled[places].all()):
            covered.append(FramePart(np.flatnonzero(places), stages))
        elif later:
            members[later[0]] = members[later[0]] | places
        else:
            without |= places
    return Coverage(tuple(covered), np.flatnonzero(without))


def label_parts(
    frame: SamplingFrame, stages: Sequence[Stage], parts: Sequence[FramePart], labelled: Bools
) -> tuple[list[LabelledStage], Floats]:
    """Return the stages of all parts with their labels, and their weights.

    The weights sum to 1 in each part. The mean of a stage in a part is its contribution to the mean of the pool: the contributions of the parts are added.
    """
    of_parts: list[LabelledStage] = []
    weights: list[Floats] = []
    for part in parts:
        ids = dict.fromkeys(frame.ids[place] for place in part.places)
        is_all = len(ids) == len(frame)
        inside = [stages[number] if is_all else stages[number].among(ids) for number in part.stages]
        if labelled[part.places].all():  # its rate is known, also where no case of it was drawn
            of_parts.append(label_stage(frame, Stage(tuple(ids), ()), labelled))
            weights.append(np.ones(1))
            continue
        of_part = [label_stage(frame, stage, labelled) for stage in inside]
        of_parts += of_part
        weights.append(stage_weights(of_part))
    return of_parts, np.concatenate(weights)
