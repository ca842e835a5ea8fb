"""Measure the coverage and the errors of `curator compare`, and the gain from pairing.

    python benchmarks/estimation/comparing.py --data DIR [--repetitions 1000]

The truth of a pair of systems is its difference over the whole recorded set. Each repetition draws cases from it with
replacement, as from endless traffic, in one of two designs: plainly at random, or as `curator select` does, half of the
cases being the most disagreeing ones of a pool of 1,000 (certain to be picked) and half drawn from the rest.

coverage: the share of 95% intervals that hold the truth. Wald: mean and standard error, with the normal's 1.96.
errors: the share of tests that reject at .05 where the systems were swapped at random within each case.
power: the share that reject as the systems are; unpaired: two-sample z-test on the same scores.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.estimation.system_sets import Floats, SystemSet, bbh, gsm8k, jhu
from curator.estimation.comparison.case_weights import CaseDesign, Sample, sample_of
from curator.estimation.comparison.paired import labels_needed, paired_difference

SIZES = (30, 50, 100, 200)
POOL = 1000
Z = 1.959964
SEED = 0


@dataclass
class Tally:
    """Sums over repetitions, of ours, of Wald's interval and of the unpaired test."""

    count: int = 0
    covered: int = 0
    wald_covered: int = 0
    width: float = 0.0
    wald_width: float = 0.0
    errors: int = 0
    wald_errors: int = 0
    found: int = 0
    wald_found: int = 0
    unpaired_found: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--repetitions", type=int, default=1000, metavar="N")
    arguments = parser.parse_args()
    found = [gsm8k(arguments.data), bbh(arguments.data), jhu(arguments.data, temperatures=False)]
    graded = jhu(arguments.data, temperatures=True)
    columns = [graded.systems.index(name) for name in graded.systems if name.endswith("@0.5")]
    names = tuple(graded.systems[i] for i in columns)
    found.append(SystemSet("jhu, graded", graded.scores[:, columns], names, names))
    for chosen in (False, True):
        print(f"\n{'half certain picks, half random' if chosen else 'drawn plainly at random'}")
        print(
            "| set | pairs | n | coverage (worst) | Wald | width / Wald's | errors | Wald | power | Wald | unpaired |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|---|")
        for one in found:
            for size in SIZES:
                print(row(one, size, chosen=chosen, repetitions=arguments.repetitions), flush=True)
    print("\nlabels needed for a power of .8, told from a pilot of 100, and as they are")
    print("| pair | difference | told, median (quartiles) | as they are |\n|---|---|---|---|")
    for one in found[:2]:
        for line in needed(one, repetitions=arguments.repetitions):
            print(line, flush=True)


def row(one: SystemSet, size: int, *, chosen: bool, repetitions: int) -> str:
    tallies = [
        tally(one.scores, pair, size, chosen=chosen, repetitions=repetitions)
        for pair in itertools.combinations(range(len(one.systems)), 2)
    ]

    def mean(name: str) -> float:
        return float(np.mean([getattr(t, name) / t.count for t in tallies]))

    worst, wald_worst = (min(getattr(t, name) / t.count for t in tallies) for name in ("covered", "wald_covered"))
    return (
        f"| {one.name} | {len(tallies)} | {size} | {mean('covered'):.3f} ({worst:.3f}) |"
        f" {mean('wald_covered'):.3f} ({wald_worst:.3f}) | {mean('width') / mean('wald_width'):.2f} |"
        f" {mean('errors'):.3f} | {mean('wald_errors'):.3f} | {mean('found'):.2f} | {mean('wald_found'):.2f} |"
        f" {mean('unpaired_found'):.2f} |"
    )


def tally(scores: Floats, pair: tuple[int, int], size: int, *, chosen: bool, repetitions: int) -> Tally:
    first, second = pair
    truth = float((scores[:, second] - scores[:, first]).mean())
    others = [i for i in range(scores.shape[1]) if i not in pair] or list(pair)
    signal = scores[:, others].std(axis=1)
    random = np.random.default_rng((SEED, first, second, size, chosen))
    done = Tally()
    for _ in range(repetitions):
        rows, sample = draw(signal, size, random, chosen=chosen)
        a, b = scores[rows, first], scores[rows, second]
        ours = paired_difference(b - a, sample)
        low, high, wald_p = wald(b - a, sample)
        done.count += 1
        done.covered += ours.low - 1e-9 <= truth <= ours.high + 1e-9
        done.wald_covered += low - 1e-9 <= truth <= high + 1e-9
        done.width += ours.high - ours.low
        done.wald_width += high - low
        done.found += ours.p < 0.05
        done.wald_found += wald_p
        done.unpaired_found += unpaired(a, b, sample.weights)
        flipped = (b - a) * random.choice((-1.0, 1.0), size)
        done.errors += paired_difference(flipped, sample).p < 0.05
        done.wald_errors += wald(flipped, sample)[2]
    return done


def draw(signal: Floats, size: int, random: np.random.Generator, *, chosen: bool) -> tuple[NDArray[np.int64], Sample]:
    """The rows that are drawn, and how."""
    if not chosen:
        return random.integers(0, len(signal), size), sample_of([CaseDesign()] * size)
    pool = random.integers(0, len(signal), POOL)
    order = np.lexsort((random.random(POOL), -signal[pool]))
    certain, rest = order[: size // 2], order[size // 2 :]
    by_chance = random.choice(rest, size - size // 2, replace=False)
    chance = len(by_chance) / len(rest)
    designs = [CaseDesign(1, 1.0, "disagreement")] * len(certain)
    return pool[np.concatenate((certain, by_chance))], sample_of(
        [*designs, *[CaseDesign(1, chance, "random")] * len(by_chance)]
    )


def wald(differences: Floats, sample: Sample) -> tuple[float, float, bool]:
    """Mean and standard error of weighted differences, and whether 0 is outside."""
    weights = sample.weights
    mean = float(weights @ differences / weights.sum())
    half = Z * float(np.sqrt((weights**2 * (differences - mean) ** 2).sum()) / weights.sum())
    return mean - half, mean + half, abs(mean) > half


def unpaired(a: Floats, b: Floats, weights: Floats) -> bool:
    """Return whether a z-test rejects that takes the two for different cases."""
    total = weights.sum()
    means = [float(weights @ x / total) for x in (a, b)]
    errors = [float((weights**2 * (x - mean) ** 2).sum()) / total**2 for x, mean in zip((a, b), means, strict=True)]
    return abs(means[1] - means[0]) > Z * float(np.sqrt(sum(errors)))


def needed(one: SystemSet, *, repetitions: int) -> Iterator[str]:
    for first, second in itertools.combinations(range(len(one.systems)), 2):
        differences = one.scores[:, second] - one.scores[:, first]
        random = np.random.default_rng((SEED, first, second))
        told = []
        for _ in range(repetitions):
            sample = sample_of([CaseDesign()] * 100)
            pilot = paired_difference(differences[random.integers(0, len(differences), 100)], sample)
            told.append(labels_needed(pilot, pilot.difference) or np.inf)
        low, middle, high = np.quantile(np.array(told), (0.25, 0.5, 0.75), method="lower")
        yield (
            f"| {one.systems[first]}, {one.systems[second]} | {100 * differences.mean():+.1f} |"
            f" {middle:,.0f} ({low:,.0f} to {high:,.0f}) | {actual(differences, random, repetitions):,} |"
        )


def actual(differences: Floats, random: np.random.Generator, repetitions: int) -> int:
    """The fewest cases with which four in five tests reject, by bisection."""

    def power(size: int) -> float:
        sample = sample_of([CaseDesign()] * size)
        draws = (differences[random.integers(0, len(differences), size)] for _ in range(min(repetitions, 1000)))
        return float(np.mean([paired_difference(drawn, sample).p < 0.05 for drawn in draws]))

    low, high = 5, 10
    while power(high) < 0.8:
        low, high = high, 2 * high
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= 0.8 else (middle, high)
    return high


if __name__ == "__main__":
    main()
