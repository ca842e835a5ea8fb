"""The selection that a run folder holds already, which stays as long as it is what the labels are for.

Labels change what the members count for, and so the scores that picks hang on. A run that is given labels, and else has the
same cases and settings as the one that asked for them, keeps its picks: they are what the labels tell of.
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
from curator.run_folder.layout import MANIFEST, SELECTION
from curator.selection.acquisition import Discovered


@dataclass(frozen=True, slots=True)
class FrozenSelection:
    """How the cases were drawn, and what discovery had taken before, in its order."""

    stage: Stage
    discovered: tuple[Discovered, ...]


def read_frozen_selection(folder: Path, ids: Collection[str], config: Config) -> FrozenSelection | None:
    """The folder's selection; None where there is none, it cannot be read, or it was of other cases or settings."""
    try:
        design = read_design(folder)
        before = orjson.loads(MANIFEST.of(folder).read_bytes())
        rows = [orjson.loads(line) for line in SELECTION.of(folder).read_bytes().splitlines()]
        asked = before["config"]["selection"], before["seed"]
        found = tuple(Discovered(row["id"], row["gain"], row["reason"]) for row in rows if row["slice"] != "random")
    except (ConfigError, OSError, ValueError, KeyError, TypeError):
        return None
    if asked != (config.selection.model_dump(mode="json"), config.seed) or len(design.stages) != 1:
        return None
    stage = design.stages[0]
    return (
        FrozenSelection(stage, found)
        if stage.cases == set(ids) and {d.case_id for d in found} == set(stage.known)
        else None
    )
