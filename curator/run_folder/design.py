"""How a selection was drawn, as an estimate needs it: `design.json`, and the picks one by one in `selection.jsonl`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import orjson

from curator.errors import ConfigError
from curator.estimation.sample_design import Stage, Stratum
from curator.records import JsonValue
from curator.run_folder.cases import CaseRow
from curator.run_folder.layout import DESIGN

VERSION = 1
_MAKE_ANEW = "select again into this folder; labels stay valid for a new selection as what was known before it"


@dataclass(frozen=True, slots=True)
class Design:
    """The stages of a selection in order, the seed of the last one, and what the pool was."""

    stages: tuple[Stage, ...]
    seed: int
    pool_hash: str

    @property
    def cases(self) -> frozenset[str]:
        """The whole pool; every stage is of the same one."""
        return self.stages[0].cases if self.stages else frozenset()


def pool_hash(rows: Iterable[CaseRow]) -> str:
    """A fingerprint of the ids, weights and scores of a pool, in whatever order they come."""
    parts = sorted(orjson.dumps([row.id, row.weight, row.disagreement]) for row in rows)
    return "sha256:" + hashlib.sha256(b"\n".join(parts)).hexdigest()


def design_json(design: Design) -> bytes:
    """The content of `design.json`; the same design is the same bytes."""
    return orjson.dumps(
        {
            "version": VERSION,
            "seed": design.seed,
            "pool_hash": design.pool_hash,
            "stages": [
                {
                    "known": stage.known,
                    "strata": [{"cases": s.cases, "drawn": s.drawn} for s in stage.strata],
                }
                for stage in design.stages
            ],
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def read_design(folder: Path) -> Design:
    """The design in a selection's or a run's folder.

    Raises:
        ConfigError: there is none, it is damaged, or a newer version wrote it.
    """
    path = DESIGN.of(folder)
    try:
        data = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"{str(folder)!r} holds no {DESIGN}: how its cases were drawn is not known",
            remedy="name the folder that `curator select` or `curator run` wrote, with --selection",
        ) from error
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{str(path)!r} is damaged ({error})", remedy=_MAKE_ANEW) from error
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise ConfigError(f"{str(path)!r} is not of version {VERSION}", remedy="use the curator that wrote it")
    try:
        stages = tuple(_stage(cast("Mapping[str, JsonValue]", stage)) for stage in data["stages"])
        return Design(stages, int(data["seed"]), str(data["pool_hash"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{str(path)!r} is damaged ({error!r})", remedy=_MAKE_ANEW) from error


def _stage(data: Mapping[str, JsonValue]) -> Stage:
    strata = cast("Sequence[Mapping[str, Sequence[str]]]", data["strata"])
    return Stage(
        known=tuple(cast("Sequence[str]", data["known"])),
        strata=tuple(Stratum(tuple(s["cases"]), tuple(s["drawn"])) for s in strata),
    )
