"""Measure how well `curator compare` finds wrong labels by the systems that pass and fail.

    python benchmarks/estimation/doubtful_labels.py --data DIR [--repetitions 20]

A share of the cases of a recorded set gets a wrong label. `flipped`: each system that passed fails and each that failed passes,
as with a wrong verdict or the other of two labels. `another answer`: all systems that passed fail, and each that failed passes
with a chance of .3. Then the doubtful labels are listed.

listed: cases at p <= .05; without: of the set as it was recorded, whose own labels need not all be right. precision: the share of
planted labels among those listed; recall: the share of the planted ones that are listed. top n: the share of planted ones among
as many cases as were planted, in the order of doubt, beside plain disagreement (the cases in which the systems differ most), the
hardest cases, and chance.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from benchmarks.estimation.system_sets import Floats, SystemSet, made_up, sets
from curator.estimation.comparison.doubtful_labels import FEWEST_SYSTEMS, doubtful_cases, independent_systems, item_rest

SHARE = 0.05
PASSES = 0.3
Planting: TypeAlias = Literal["flipped", "another answer"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--repetitions", type=int, default=20, metavar="N")
    arguments = parser.parse_args()
    print(
        "| set | systems | cases | planted | listed | without | precision | recall | top n | disagreement | hardest | chance |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for system_set in _sets(arguments.data):
        for planting in ("flipped", "another answer"):
            print(_line(system_set, planting, arguments.repetitions))


def _sets(data: Path) -> Iterator[SystemSet]:
    for system_set in sets(data):
        if independent_systems(system_set.scores).shape[1] >= FEWEST_SYSTEMS:
            yield system_set
    for systems in (8, 12, 30):
        yield made_up(1, cases=500, systems=systems)


def _line(system_set: SystemSet, planting: Planting, repetitions: int) -> str:
    scores = system_set.scores
    without = len(doubtful_cases(scores).cases)
    rows = np.array([_measured(scores, planting, seed) for seed in range(repetitions)])
    listed, precision, recall, top, disagreement, hardest, chance = rows.mean(axis=0)
    return (
        f"| {system_set.name} | {scores.shape[1]} | {len(scores)} | {planting} | {listed:.0f} | {without} | {precision:.2f}"
        f" | {recall:.2f} | {top:.2f} | {disagreement:.2f} | {hardest:.2f} | {chance:.2f} |"
    )


def _measured(scores: Floats, planting: Planting, seed: int) -> tuple[float, ...]:
    drawn = np.random.default_rng(seed)
    number = max(1, round(SHARE * len(scores)))
    planted = drawn.choice(len(scores), number, replace=False)
    table = scores.copy()
    if planting == "flipped":
        table[planted] = 1 - table[planted]
    else:
        wrong = table[planted] < 0.5
        table[planted] = wrong * (drawn.random(wrong.shape) < PASSES)
    listed = {case.place for case in doubtful_cases(table).cases}
    hit = listed & set(planted.tolist())
    correlations, p = item_rest(independent_systems(table))
    ties = drawn.random(len(table))
    orders = (
        np.lexsort((correlations, p)),
        np.lexsort((ties, -table.var(axis=1))),
        np.lexsort((ties, table.mean(axis=1))),
    )
    tops = [len(set(order[:number].tolist()) & set(planted.tolist())) / number for order in orders]
    return len(listed), len(hit) / max(1, len(listed)), len(hit) / number, *tops, number / len(scores)


if __name__ == "__main__":
    main()
