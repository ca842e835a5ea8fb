"""How a selection was drawn, as an estimate needs it: `design.json`, and the picks one by one in `selection.jsonl`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import orjson

from curator.errors import ConfigError
from curator.estimation.design import Stage, Stratum
from curator.records import Case, JsonValue, Pick, Score

DESIGN = "design.json"
SELECTION = "selection.jsonl"
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


def pool_hash(rows: Iterable[Mapping[str, JsonValue]]) -> str:
    """A fingerprint of the ids, weights and scores of a pool, in whatever order they come."""
    parts = sorted(orjson.dumps([row["id"], row["weight"], row.get("disagreement")]) for row in rows)
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
    path = folder / DESIGN
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


def selection_rows(
    picks: Iterable[Pick], *, cases: Mapping[str, Case], scores: Mapping[str, Score], seed: int, pool: str,
    categories: Mapping[str, str], labels_of: Callable[[Case], Sequence[str]],
) -> Iterator[dict[str, JsonValue]]:  # fmt: skip
    """A row for each pick: how it came in, where it belongs, and the answer that a label is compared with.

    That answer is production's, or where there is none the committee's most usual one.
    """
    for pick in picks:
        case, score = cases[pick.case_id], scores.get(pick.case_id)
        reference = case.reference
        yield {
            "id": pick.case_id,
            "rank": pick.rank,
            "slice": pick.slice,
            "stage": pick.stage,
            "stratum": pick.stratum,
            "inclusion_probability": pick.inclusion_probability,
            "draw": pick.draw,
            "gain": pick.gain,
            "reason": pick.reason,
            "split": pick.split,
            "category": categories.get(pick.case_id),
            "weight": case.weight,
            "group": case.group,
            "seed": seed,
            "pool_hash": pool,
            "kind": case.kind or (score.kind if score else None),
            "labels": list(labels_of(case)),
            "question": case.user,
            "answer": case.target if case.target is not None else score.majority if score else None,
            "reference": reference.text if reference else None,
            "reference_source": reference.source if reference else None,
            "failure": case.verdict.failure if case.verdict else None,
        }
