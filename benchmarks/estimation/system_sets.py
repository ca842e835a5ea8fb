"""Recorded scores of several systems on the same cases, as a table of cases x systems: shared by the benchmarks.

Nothing here is run by itself: see `comparing.py` and `distil.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SystemSet:
    """Scores in 0..1, cases x systems, none missing.

    `families` are the systems that belong together, as the temperatures of one prompt do: they are left out together.
    """

    name: str
    scores: Floats
    systems: tuple[str, ...]
    families: tuple[str, ...]


def sets(data: Path) -> Iterator[SystemSet]:
    """Every set in the data folder."""
    yield gsm8k(data)
    yield bbh(data)
    yield jhu(data, temperatures=False)
    yield jhu(data, temperatures=True)
    yield from paraphrases(data)


def gsm8k(data: Path) -> SystemSet:
    """Four models on 1,319 questions: right or wrong."""
    rows = _read(data / "gsm8k-model-solutions" / "example_model_solutions.jsonl")
    names = tuple(name for name, value in rows[0].items() if isinstance(value, dict))
    table = np.array([[row[name]["is_correct"] for name in names] for row in rows], dtype=float)
    return SystemSet("gsm8k, 4 models", table, names, names)


def bbh(data: Path) -> SystemSet:
    """One model, asked directly and with chain of thought, on 1,261 questions of six tasks: right or wrong."""
    names = ("direct", "cot")
    table = [
        [next(o["correct"] for o in row["outputs"] if o["prompt_variant"] == name) for name in names]
        for path in sorted((data / "bbh-two-prompts").glob("*.jsonl"))
        for row in _read(path)
    ]
    return SystemSet("bbh, direct and cot", np.array(table, dtype=float), names, names)


def jhu(data: Path, *, temperatures: bool) -> SystemSet:
    """One model under five prompts, the share of right answers of up to ten: by temperature, or the first at 0."""
    found: dict[tuple[str, float], dict[str, float]] = defaultdict(dict)
    for row in _read(data / "jhu-temperature" / "answers_gpt-35-turbo_comprehensive-100.jsonl"):
        if row["answers"] and (temperatures or row["temperature"] == 0):
            right = [answer == row["correct_answer"] for answer in row["answers"]]
            found[row["prompt_variant"], row["temperature"]][row["problem_id"]] = (
                float(np.mean(right)) if temperatures else float(right[0])
            )
    systems = sorted(found)
    ids = sorted(set.intersection(*(set(found[system]) for system in systems)))
    table = np.array([[found[system][i] for system in systems] for i in ids])
    name = "jhu, prompts x temperatures" if temperatures else "jhu, 5 prompts"
    labels = tuple(f"{variant}@{heat}" for variant, heat in systems)
    return SystemSet(name, table, labels, tuple(variant for variant, _ in systems))


def paraphrases(data: Path) -> Iterator[SystemSet]:
    """11 to 16 models under paraphrases of one instruction: a case is a paraphrase, its score the accuracy under it."""
    for path in sorted((data / "multi-prompt").glob("acc_*.json")):
        rows = list(orjson.loads(path.read_bytes())["paraphrases"].values())
        names = tuple(sorted(set.intersection(*(set(row["accs"]) for row in rows))))
        table = np.array([[row["accs"][name] for name in names] for row in rows], dtype=float)
        yield SystemSet(f"paraphrases, {path.stem.removeprefix('acc_')}", table, names, names)


def made_up(seed: int, *, cases: int = 1000, systems: int = 30, skills: int = 3) -> SystemSet:
    """Made-up pass and fail: abilities, difficulties, discriminations and `skills` hidden dimensions."""
    drawn = np.random.default_rng(seed)
    ability, difficulty = drawn.normal(0.5, 0.8, systems), drawn.normal(0, 1.5, cases)
    steep = np.exp(drawn.normal(0, 0.4, cases))
    hidden = drawn.normal(0, 0.5, (cases, skills)) @ drawn.normal(0, 1, (skills, systems))
    chance = 1 / (1 + np.exp(-(steep[:, None] * (ability - difficulty[:, None]) + hidden)))
    names = tuple(f"system-{number:02}" for number in range(systems))
    table = (drawn.random((cases, systems)) < chance).astype(float)
    return SystemSet(f"made up, {systems} systems, {skills} skills", table, names, names)


def _read(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]
