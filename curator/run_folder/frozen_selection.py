"""The selection that a run folder already holds, which a run with labels keeps.

Labels change the weights of the members, and with them the scores that picks depend on. A run that gets labels, and otherwise
has the cases and settings of the run that asked for them, keeps its picks: the labels belong to them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import orjson

from curator.config import Config
from curator.errors import ConfigError
from curator.estimation.sample_design import Stage
from curator.run_folder.design import read_design
from curator.run_folder.layout import MANIFEST
from curator.run_folder.selection import read_selection
from curator.selection.candidates import AcquiredCase


@dataclass(frozen=True, slots=True)
class FrozenSelection:
    """The stage that the cases were drawn in, and discovery's picks in their order."""

    stage: Stage
    discovered: tuple[AcquiredCase, ...]


def read_frozen_selection(folder: Path, ids: Collection[str], config: Config) -> FrozenSelection | None:
    """Read the folder's selection; None if it cannot be read or has other cases or settings."""
    try:
        design = read_design(folder)
        manifest = orjson.loads(MANIFEST.of(folder).read_bytes())
        picks = [row.pick for row in read_selection(folder).values()]
        settings = manifest["config"]["selection"], manifest["seed"]
    except (ConfigError, OSError, ValueError, KeyError, TypeError):
        return None
    discovered = tuple(
        AcquiredCase(pick.case_id, pick.gain or 0.0, pick.reason or "") for pick in picks if pick.slice != "random"
    )
    if settings != (config.selection.model_dump(mode="json"), config.seed) or len(design.stages) != 1:
        return None
    stage = design.stages[0]
    if stage.cases != set(ids) or {pick.case_id for pick in discovered} != set(stage.certain):
        return None
    return FrozenSelection(stage, discovered)
