"""Rank recorded pools by disagreement, by a simulated judge, and by both together.

    python -m benchmarks.selection.judged_ranking --data DIR [--seeds 5]

AUROC of failures over pools of at least 140 cases (`benchmarks/estimation/estimation_pools.py`), the mean over families of the mean over
pools. The judge errs at random. `gain without the family`: `GAIN` is chosen on the other families (`best_gain`) and judged on the one that was left
out.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.estimation.estimation_pools import Pool, pools
from benchmarks.estimation.judge import JUDGES
from curator.selection import judged_ranking
from curator.stats import mean_ranks

GAINS = (1.0, 2.0, 4.0, 8.0)
LEAST_FAILURES = 8
MOST_LOST = 0.002

Floats = np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    by_family: dict[str, list[Floats]] = defaultdict(list)
    for pool in pools(arguments.data):
        if pool.failed.sum() >= LEAST_FAILURES:
            by_family[pool.family].append(figures(pool, arguments.seeds))
    families = {name: np.mean(of_pools, axis=0) for name, of_pools in by_family.items()}  # (judges, 2 + gains)
    chosen = {name: best_gain([f for other, f in families.items() if other != name]) for name in families}
    print(f"gains chosen without the family: {chosen}; in use: {judged_ranking.GAIN:g}")
    print(
        "| sensitivity | specificity | disagreement | judge | "
        + " | ".join(f"both, gain {g:g}" for g in GAINS)
        + " | gain without the family |"
    )
    print("|---|---|---|---|" + "---|" * (len(GAINS) + 1))
    for number, judge in enumerate(JUDGES):
        means = np.mean([of_family[number] for of_family in families.values()], axis=0)
        without = np.mean([f[number, 2 + GAINS.index(chosen[name])] for name, f in families.items()])
        print(f"| {judge[0]} | {judge[1]} | " + " | ".join(f"{mean:.3f}" for mean in [*means, without]) + " |")


def best_gain(families: Sequence[Floats]) -> float:
    """The gain with the highest mean among those that lose to disagreement alone with no judge by more than `MOST_LOST`."""
    means = np.mean(families, axis=0)  # (judges, 2 + gains)
    harmless = (means[:, 2:] >= means[:, :1] - MOST_LOST).all(axis=0)
    return GAINS[int(np.argmax(np.where(harmless, means[:, 2:].mean(axis=0), 0)))]


def figures(pool: Pool, seeds: int) -> Floats:
    """The AUROC of disagreement, of the judge, and of both with each gain: (judges, 2 + gains)."""
    score = np.nan_to_num(pool.signals["score"], nan=0.5)
    before = dict(zip(pool.ids, score.tolist(), strict=True))
    rows = np.zeros((len(JUDGES), 2 + len(GAINS)))
    for seed in range(seeds):
        chances = np.random.default_rng(seed).random(len(score))
        for number, (sensitivity, specificity) in enumerate(JUDGES):
            verdicts = np.where(pool.failed == 1, chances < sensitivity, chances >= specificity).astype(float)
            failures = dict(zip(pool.ids, verdicts.tolist(), strict=True))
            rankings = [score, verdicts]
            for gain in GAINS:
                with patch.object(judged_ranking, "GAIN", gain):
                    ranks = judged_ranking.judged_ranking(before, failures).ranks
                rankings.append(np.array([ranks[i] for i in pool.ids]))
            rows[number] += [auroc(ranking, pool.failed) for ranking in rankings]
    return rows / seeds


def auroc(scores: Floats, failed: Floats) -> float:
    """The probability that a failure ranks above a pass."""
    ranks, failures = mean_ranks(scores), failed.sum()
    return float((ranks[failed == 1].sum() - failures * (failures + 1) / 2) / (failures * (len(failed) - failures)))


if __name__ == "__main__":
    main()
