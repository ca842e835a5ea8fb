"""Near-duplicate groups with and without the templates that have slots.

    python benchmarks/contamination/templates.py --data DIR

DIR holds `banking77`, `clinc-oos`, `gsm8k-model-solutions` and `recorded`. For each set of questions: the number of groups
and the size of the largest, by wording alone (as before slots) and with slots, and the questions whose group changed.
Questions that people wrote should keep their groups; questions that a program filled in (`sac3-*`, and the dates made here)
should not be one group.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import orjson

from curator.config import DedupeConfig
from curator.dedup import near_duplicate_groups
from curator.records import Case, Message, Source
from curator.run_folder.recorded import read_record
from curator.text import shingles

RECORDED = ("bbh-dev", "fin-fpb-chatgpt", "qa-eval-nq", "spider-sql", "sac3-nq", "sac3-senator", "sac3-prime")


def main() -> None:
    """Print one line a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    data: Path = parser.parse_args().data
    print(
        f"{'questions':24} {'n':>6} {'groups':>7} {'with slots':>10} {'largest':>8} {'with slots':>10} {'changed':>8}"
    )
    for name, questions in sets(data):
        with patch.object(shingles, "slot_templates", lambda *_, **__: frozenset()):
            before = groups(questions)
        after = groups(questions)
        changed = sum(a != b for a, b in zip(before, after, strict=True))
        print(
            f"{name:24} {len(questions):6,} {len(set(before)):7,} {len(set(after)):10,} {largest(before):8,}"
            f" {largest(after):10,} {changed:8,}"
        )


def sets(data: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the questions of each set."""
    for part in ("train", "test"):
        with (data / "banking77" / f"{part}.csv").open(encoding="utf-8", newline="") as file:
            yield f"banking77 {part}", [row["text"] for row in csv.DictReader(file)]
    clinc = orjson.loads((data / "clinc-oos" / "data_small.json").read_bytes())
    yield "clinc", [text for rows in clinc.values() for text, _ in rows]
    lines = (data / "gsm8k-model-solutions" / "example_model_solutions.jsonl").read_bytes().splitlines()
    yield "gsm8k", [orjson.loads(line)["question"] for line in lines]
    for name in RECORDED:
        lines = (data / "recorded" / f"{name}.recorded.jsonl").read_bytes().splitlines()
        yield name, [read_record(line).question for line in lines]
    dates = [f"2025-{1 + day // 28:02}-{1 + day % 28:02}" for day in range(40)]
    yield "one query, 40 dates", [f"Write a query for the mean total of all sales on {date}." for date in dates]


def groups(questions: Sequence[str]) -> list[str]:
    """Return the near-duplicate group of each question."""
    cases = [Case(f"c{i:06}", (Message("user", text),), Source("a", i)) for i, text in enumerate(questions)]
    return near_duplicate_groups(cases, DedupeConfig())


def largest(names: Sequence[str]) -> int:
    """Return the size of the largest group."""
    return Counter(names).most_common(1)[0][1]


if __name__ == "__main__":
    main()
