"""`design.json`: the strata of each stage and the cases drawn from them, for an estimate."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from curator.errors import ConfigError, RecordError
from curator.estimation.sample_design import Stage, Stratum
from curator.io.json_rows import Fields
from curator.records import JsonValue
from curator.run_folder.cases import CaseRow
from curator.run_folder.layout import DESIGN

VERSION = 1
_SELECT_AGAIN = "select again into this folder; labels stay valid for a new selection as what was known before it"


@dataclass(frozen=True, slots=True)
class Design:
    """The stages of a selection in order, the last stage's seed, and the pool's fingerprint."""

    stages: tuple[Stage, ...]
    seed: int
    pool_hash: str

    @property
    def cases(self) -> frozenset[str]:
        """The ids of the whole pool, which is the same in every stage."""
        return self.stages[0].cases if self.stages else frozenset()

    def to_bytes(self) -> bytes:
        """Return the content of the file; the same design gives the same bytes."""
        stages = [
            {
                "known": stage.certain,
                "strata": [{"cases": stratum.cases, "drawn": stratum.drawn} for stratum in stage.strata],
            }
            for stage in self.stages
        ]
        content = {"version": VERSION, "seed": self.seed, "pool_hash": self.pool_hash, "stages": stages}
        return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_json(cls, content: object) -> Design:
        """Read the content of the file.

        Raises:
            RecordError: a field is missing, or of another type.
        """
        values = Fields.of(content)
        return cls(
            tuple(_read_stage(stage) for stage in values.items("stages")),
            values.whole("seed"),
            values.text("pool_hash"),
        )


def pool_hash(rows: Iterable[CaseRow]) -> str:
    """Return a fingerprint of the ids, weights and scores of a pool, in any order."""
    parts = sorted(orjson.dumps([row.id, row.weight, row.disagreement]) for row in rows)
    return "sha256:" + hashlib.sha256(b"\n".join(parts)).hexdigest()


def read_design(folder: Path) -> Design:
    """Read the design in a selection or run folder.

    Raises:
        ConfigError: there is none, it is damaged, or a newer version wrote it.
    """
    path = DESIGN.of(folder)
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"{str(folder)!r} holds no {DESIGN}: how its cases were drawn is not known",
            remedy="name the folder that `curator select` or `curator run` wrote, with --selection",
        ) from error
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{str(path)!r} is damaged ({error})", remedy=_SELECT_AGAIN) from error
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise ConfigError(f"{str(path)!r} is not of version {VERSION}", remedy="use the curator that wrote it")
    try:
        return Design.from_json(content)
    except (RecordError, ValueError) as error:  # ValueError: a stratum whose drawn cases are not its own
        raise ConfigError(f"{str(path)!r} is damaged ({error})", remedy=_SELECT_AGAIN) from error


def _read_stage(content: JsonValue) -> Stage:
    values = Fields.of(content)
    return Stage(
        certain=values.texts("known"),
        strata=tuple(
            Stratum(stratum.texts("cases"), stratum.texts("drawn"))
            for stratum in map(Fields.of, values.items("strata"))
        ),
    )
