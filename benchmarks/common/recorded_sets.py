"""Recorded generations with known correctness: reading, drawing answers, ranking.

A folder holds pairs NAME.recorded.jsonl (contract 4 of docs/architecture.md) and NAME.labels.jsonl ({"id", "wrong"}).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from curator.disagreement.calibration import auroc as weighted_auroc
from curator.records import stable_unit

Record = dict[str, Any]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DRAWS = 1000
SEED = 0


@dataclass(frozen=True)
class RecordedSet:
    """A set: its name, its records, and whether each one's target (or its majority) is wrong."""

    name: str
    records: Sequence[Record]
    wrong: Bools

    @property
    def family(self) -> str:
        """The family of the set: sets of one share questions, and are tuned and judged together."""
        return self.name.split(",")[0].split(".")[0].split("-")[0]


def sets(folder: Path) -> Iterator[RecordedSet]:
    """Each set in the folder.

    A set whose labels judge a `majority` (the most usual answer of the variant `label_prompt`) comes a second time, with
    that majority as the target against the answers of the other variants.
    """
    for path in sorted(folder.glob("*.recorded.jsonl")):
        name = path.name.removesuffix(".recorded.jsonl")
        labels = {label["id"]: label for label in read(folder / f"{name}.labels.jsonl")}
        records = [record for record in read(path) if record["id"] in labels]
        wrong = np.array([bool(labels[record["id"]]["wrong"]) for record in records])
        yield RecordedSet(name, records, wrong)
        if all("majority" in label and "label_prompt" in label for label in labels.values()):
            targeted = [with_majority(record, labels[record["id"]]) for record in records]
            yield RecordedSet(f"{name}, majority as target", targeted, wrong)


def read(path: Path) -> list[Record]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def with_majority(record: Record, label: Record) -> Record:
    others = [g for g in record["generations"] if g.get("variant") != label["label_prompt"]]
    return {**record, "target": label["majority"], "generations": others}


def limited(record: Record, limit: int | None, draw: int = 0) -> Record:
    """The record with `limit` of its answers, the `draw`th way: by a hash of id and position."""
    generations = record["generations"]
    if limit is None or limit >= len(generations):
        return record
    salt = () if draw == 0 else (str(draw),)
    drawn = sorted(range(len(generations)), key=lambda i: stable_unit(record["id"], str(i), *salt))[:limit]
    return {**record, "generations": [generations[i] for i in sorted(drawn)]}


def answers(recorded: RecordedSet) -> int:
    """Return the largest number of answers of a record."""
    return max(len(record["generations"]) for record in recorded.records)


def auroc(values: Floats, wrong: Bools) -> float:
    """The chance that a wrong case has a higher value than a right one, ties counting a half."""
    return float(weighted_auroc(values, wrong, np.ones((1, len(values))))[0])


def interval(values: Sequence[Floats], wrong: Bools) -> tuple[float, float]:
    """Return the bootstrap 95% interval of the mean AUROC over draws of answers.

    It is a percentile interval; the cases are drawn again.
    """
    n = len(wrong)
    draws = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=DRAWS).astype(float)
    areas = np.mean([weighted_auroc(of_draw, wrong, draws) for of_draw in values], axis=0)
    low, high = np.nanquantile(areas, (0.025, 0.975))
    return float(low), float(high)


def precision_at(values: Floats, wrong: Bools, share: float) -> float:
    """Return the share of wrong cases among the highest values.

    Ties at the cut count in proportion.
    """
    k = math.ceil(share * len(values))
    cut = np.sort(values)[-k]
    above, tied = values > cut, values == cut
    return float((wrong[above].sum() + (k - above.sum()) * wrong[tied].mean()) / k)
