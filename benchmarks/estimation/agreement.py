"""Measure how often the interval of Krippendorff's alpha covers, beside that of the bootstrap by itself.

    python benchmarks/estimation/agreement.py [--repetitions 300]

Two people judge cases of which a share fails; each is right with the same chance, so that alpha is known.

covers: the share of 95% intervals that hold it. bootstrap: the same for percentiles of samples of the cases.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np
from numpy.typing import NDArray

from curator.labels.krippendorff import krippendorff_alpha

CASES = (10, 20, 30, 50, 100)
FAILING = (0.1, 0.3, 0.5)
RIGHT = (0.8, 0.95)
SAMPLES = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=300, metavar="N")
    repetitions = parser.parse_args().repetitions
    print(f"{'cases':>5} {'failing':>7} {'right':>5} {'alpha':>6} {'covers':>7} {'bootstrap':>9}")
    random = np.random.default_rng(1)
    for cases, failing, right in product(CASES, FAILING, RIGHT):
        share = failing * right + (1 - failing) * (1 - right)
        truth = 1 - right * (1 - right) / (share * (1 - share))
        covered, by_bootstrap, defined = 0, 0, 0
        for _ in range(repetitions):
            verdicts = (random.random(cases) < failing)[:, None] ^ (random.random((cases, 2)) > right)
            alpha = krippendorff_alpha([list(map(bool, pair)) for pair in verdicts])
            if alpha is None:
                continue
            defined += 1
            covered += alpha.low <= truth <= alpha.high
            low, high = np.percentile([alpha_of(verdicts[chosen]) for chosen in drawn(random, cases)], [2.5, 97.5])
            by_bootstrap += bool(low <= truth <= high)
        print(
            f"{cases:5d} {failing:7.1f} {right:5.2f} {truth:6.2f} {covered / defined:7.2f} {by_bootstrap / defined:9.2f}"
        )


def drawn(random: np.random.Generator, cases: int) -> NDArray[np.int64]:
    return random.integers(cases, size=(SAMPLES, cases))


def alpha_of(verdicts: NDArray[np.bool_]) -> float:
    """Alpha of two people without gaps."""
    n, fails = verdicts.size, int(verdicts.sum())
    by_chance = 2 * fails * (n - fails) / (n * (n - 1))
    return float(1 - np.mean(verdicts[:, 0] != verdicts[:, 1]) / by_chance) if by_chance else 1.0


if __name__ == "__main__":
    main()
