"""The selection that a run folder already holds, which a run with labels keeps.

Labels change the weights of the members, and with them the scores that picks depend on. A run that gets labels, and otherwise
has the cases and settings of the run that asked for them, keeps its picks: the labels belong to them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from curator.config import Config
from curator.errors import ConfigError, RecordError
from curator.estimation.sample_design import Stage
from curator.io.manifest import read_manifest
from curator.run_folder.design import read_design
from curator.run_folder.selection import read_selection
from curator.selection.candidates import AcquiredCase


@dataclass(frozen=True, slots=True)
class FrozenSelection:
    """The stage that the cases were drawn in, and discovery's picks in their order.

    `before` are the draws of earlier nights that the folder has; `drawn_early` is whether a run that ended early drew them, from the answers that it had.
    """

    stage: Stage
    discovered: tuple[AcquiredCase, ...]
    before: tuple[Stage, ...] = ()
    drawn_early: bool = False


def read_frozen_selection(folder: Path, ids: Collection[str], config: Config) -> FrozenSelection | None:
    """Read the folder's selection; None if it cannot be read or has other cases or settings."""
    try:
        design = read_design(folder)
        earlier = read_manifest(folder)
        picks = [row.pick for row in read_selection(folder).values()]
    except (ConfigError, RecordError, OSError, ValueError, KeyError, TypeError):
        return None
    if earlier is None:
        return None
    discovered = tuple(
        AcquiredCase(pick.case_id, pick.gain or 0.0, pick.reason or "", pick.slice)
        for pick in picks
        if pick.slice != "random" and pick.stage == len(design.stages)
    )
    if (earlier.selection, earlier.seed) != (config.selection.model_dump(mode="json"), config.seed):
        return None
    *before, stage = design.stages
    chosen_before = {i for stage in before for i in (*stage.certain, *stage.drawn)}
    discovered_ids = {pick.case_id for pick in discovered}
    if stage.cases != set(ids) or not discovered_ids <= set(stage.certain) <= discovered_ids | chosen_before:
        return None
    return FrozenSelection(stage, discovered, tuple(before), drawn_early=earlier.stopped is not None)
