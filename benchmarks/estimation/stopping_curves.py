"""Learning curves on public label sets for `stopping.py`, with each round's result on every test case.

A seed draws 9 of 10 cases of the pool. The loop starts with 100 labels and gets 75 a round, by the strategy `ours` of
`training_strategies.py`; the learner is its logistic regression. The correctness of every test case and the classes that the
learner gives to a random part of the pool (the stop set of the rules of the field) are kept for each round.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.selection.training import drawn, regression
from benchmarks.selection.training_pools import POOLS, Pool, Source
from benchmarks.selection.training_strategies import STRATEGIES, Turn

START = 100
BATCH = 75
PENALTY = 10.0
STOP_SET = 2000


@dataclass(frozen=True)
class RealCurve:
    """A loop on a label set: labels (rounds,), test cases right (rounds, tests), classes of the stop set (rounds, cases)."""

    labels: NDArray[np.int64]
    correct: NDArray[np.bool_]
    classes: NDArray[np.int16]


def real_curve(pool: Pool, strategy: str, *, seed: int, most: int) -> RealCurve:
    """Run a loop to so many labels."""
    pool = drawn(pool, seed)
    none = np.array([], np.int64)
    choose = STRATEGIES[strategy]
    chosen = np.asarray(choose(Turn(pool.vectors, none, none, None, seed), START), np.int64)
    stop_set = np.random.default_rng([seed, 2]).permutation(len(pool.classes))[:STOP_SET]
    labels, correct, given = [], [], []
    while True:
        classes = pool.classes[chosen]
        learner = regression(PENALTY).fit(pool.vectors[chosen], classes)
        labels.append(len(chosen))
        correct.append(learner.predict(pool.test_vectors) == pool.test_classes)
        given.append(learner.predict(pool.vectors[stop_set]))
        if len(chosen) + BATCH > min(most, len(pool.classes)):
            return RealCurve(np.array(labels), np.array(correct), np.array(given, np.int16))
        turn = Turn(pool.vectors, chosen, classes, learner.predict_proba(pool.vectors), seed)
        chosen = np.concatenate([chosen, np.asarray(choose(turn, BATCH), np.int64)])


def stored_curves(source: Source, folder: Path, name: str, strategy: str, *, seeds: int, most: int) -> list[RealCurve]:
    """The curves of a label set, one for each seed, from the folder or computed into it."""
    folder.mkdir(parents=True, exist_ok=True)
    pool: Pool | None = None
    curves = []
    if name == "skewed":  # it is thinned to two fifths
        source = replace(source, cases=None)
    for seed in range(seeds):
        path = folder / f"{name}-{strategy}-{most}-{source.cases or 'all'}-{seed}.npz"
        if not path.exists():
            pool = pool or POOLS[name](source)
            curve = real_curve(pool, strategy, seed=seed, most=most)
            part = path.with_suffix(".part.npz")
            np.savez_compressed(part, labels=curve.labels, correct=curve.correct, classes=curve.classes)
            part.replace(path)
            print(f"  computed {path.name}: {curve.correct.mean(axis=1).round(3)}", flush=True)
        with np.load(path) as file:
            curves.append(RealCurve(file["labels"], file["correct"], file["classes"]))
    return curves
