"""Compare the failure rate from labels and a judge's verdicts with that from the same labels alone.

    python -m benchmarks.estimation.judge --data DIR [--repetitions 200] [--labels 50 100 200] [--pools NAME ...]

DIR holds the public sets that `estimation_pools.py` names. The judge is simulated: it tells a failure with `sensitivity` and a right
answer with `specificity`, by chance and anew in every repetition. Both estimates have the same draws and the same labels. For each judge
and number of labels: the root mean squared error relative to that of labels alone, over all pools and of the worst one, with a
jackknife standard error over repetitions; the labels that it saves (the error falls with their square root); coverage and width of the
90% interval; and the mean weight that the verdicts get. Nothing of the method was fitted to these pools.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.estimation.estimation import LEAST_POOL, framed
from benchmarks.estimation.estimation_pools import Pool, pools
from curator.estimation.failure_rate import estimate
from curator.estimation.sample_design import draw
from curator.estimation.sampling_frame import Floats

JUDGES = ((0.5, 0.5), (0.6, 0.6), (0.7, 0.7), (0.8, 0.8), (0.9, 0.9), (0.95, 0.95), (0.6, 0.95), (0.95, 0.6))
"""Sensitivity and specificity; the first one guesses."""
CONFIDENCE = 0.90


@dataclass(frozen=True)
class Comparison:
    """The repetitions of one judge on one pool: squared errors, (repetitions,), and means."""

    with_judge: Floats
    alone: Floats
    covered: float
    covered_alone: float
    width: float
    weight: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--labels", type=int, nargs="*", default=[50, 100, 200])
    parser.add_argument("--pools", nargs="*", default=[], help="only pools whose name holds one of these")
    arguments = parser.parse_args()
    chosen = [p for p in pools(arguments.data) if not arguments.pools or any(n in p.name for n in arguments.pools)]
    print(
        "| labels | pools | sensitivity | specificity | error / alone | worst pool | labels saved | 90% covers | least | alone | width / alone | weight |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for labels in arguments.labels:
        large = [pool for pool in chosen if len(pool.failed) >= LEAST_POOL * labels]
        by_pool = [compared(pool, labels, arguments.repetitions) for pool in large]
        for number, judge in enumerate(JUDGES):
            print(row(labels, judge, [comparisons[number] for comparisons in by_pool]), flush=True)


def row(labels: int, judge: tuple[float, float], found: Sequence[Comparison]) -> str:
    """The line of the table for one judge, over the pools."""
    ratios = [float(one.with_judge.mean() / one.alone.mean()) for one in found]
    error = float(np.mean(ratios))
    repetitions = len(found[0].alone)
    left_out = [
        np.mean([(o.with_judge.sum() - o.with_judge[i]) / (o.alone.sum() - o.alone[i]) for o in found])
        for i in range(repetitions)
    ]
    noise = float(np.sqrt((repetitions - 1) * np.var(left_out))) / (2 * error**0.5)
    covers = [one.covered for one in found]
    alone = float(np.mean([one.covered_alone for one in found]))
    return (
        f"| {labels} | {len(found)} | {judge[0]} | {judge[1]} | {error**0.5:.3f} +- {noise:.3f} | {max(ratios) ** 0.5:.2f} | {1 - error:+.0%}"
        f" | {np.mean(covers):.3f} | {min(covers):.3f} | {alone:.3f}"
        f" | {np.mean([one.width for one in found]):.2f} | {np.mean([one.weight for one in found]):.2f} |"
    )


def compared(pool: Pool, labels: int, repetitions: int) -> list[Comparison]:
    """Estimate with each judge and without one, on the same draws."""
    frame, truth = framed(pool), float(pool.failed.mean())
    failed = dict(zip(pool.ids, pool.failed.tolist(), strict=True))
    y = np.array([failed[i] for i in frame.ids])
    alone, errors = np.zeros((repetitions, 3)), np.zeros((len(JUDGES), repetitions, 4))
    for seed in range(repetitions):
        stage = draw(frame, labels, seed=seed)
        known = {i: failed[i] for i in stage.drawn}
        rate = estimate(frame, [stage], known, confidence=CONFIDENCE)
        alone[seed] = (rate.rate - truth) ** 2, rate.low <= truth <= rate.high, rate.high - rate.low
        chances = np.random.default_rng(seed).random(len(y))
        for number, (sensitivity, specificity) in enumerate(JUDGES):
            verdicts = np.where(y == 1, chances < sensitivity, chances >= specificity).astype(float)
            rate = estimate(
                frame,
                [stage],
                known,
                confidence=CONFIDENCE,
                predictions=dict(zip(frame.ids, verdicts.tolist(), strict=True)),
            )
            covers = rate.low <= truth <= rate.high
            errors[number, seed] = (rate.rate - truth) ** 2, covers, rate.high - rate.low, rate.prediction_weight
    return [
        Comparison(
            with_judge=of_judge[:, 0],
            alone=alone[:, 0],
            covered=float(of_judge[:, 1].mean()),
            covered_alone=float(alone[:, 1].mean()),
            width=float(of_judge[:, 2].mean() / alone[:, 2].mean()),
            weight=float(of_judge[:, 3].mean()),
        )
        for of_judge in errors
    ]


if __name__ == "__main__":
    main()
