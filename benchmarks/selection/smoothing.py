"""Measure how smoothing the vectors over the pool changes the learner's accuracy, and what each pool would choose for the others.

    python -m benchmarks.selection.smoothing --data DIR [--cache DIR] [--pools NAME ...] [--labels N ...] [--cases N] [--tests N]

Each setting is a logistic regression with a penalty C on vectors smoothed with a share a and a scale b (`curator/selection/
smoothing.py`; a = 0 leaves the vectors as they are). It is fitted to as many labels, drawn at random and chosen by coverage, and
tested on the whole test set. The last table chooses a setting without one pool: the highest mean accuracy of those that lose at most
.01 against the first setting in each column of each pool left; and gives its gain over the first on the pool that was left out.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.selection.training import drawn, regression
from benchmarks.selection.training_pools import POOLS, Floats, Pool, Source
from benchmarks.selection.training_strategies import Turn, at_random, ours
from curator.selection.smoothing import smoothed

Setting = tuple[float, float, float]
SETTINGS: tuple[Setting, ...] = (
    (10, 0, 1),
    (30, 0, 1),
    (30, 0.3, 0.05),
    (30, 0.5, 0.05),
    (30, 0.5, 0.1),
    (30, 1, 0.05),
)
"""C, a and b; the first is the learner without smoothing as it was before."""
MOST_LOST = 0.01


def accuracies(pool: Pool, labels: list[int]) -> Floats:
    """The accuracy of each setting, (settings, orders x labels)."""
    start = Turn(pool.vectors, np.array([], np.int64), np.array([], np.int64), None, 0)
    orders = [np.asarray(choose(start, max(labels)), np.int64) for choose in (at_random, ours)]
    rows = []
    for penalty, share, scale in SETTINGS:
        train, test = (smoothed(v, pool.vectors, share=share, scale=scale) for v in (pool.vectors, pool.test_vectors))
        fits = [regression(penalty).fit(train[o[:n]], pool.classes[o[:n]]) for o in orders for n in labels]
        rows.append([fit.score(test, pool.test_classes) for fit in fits])
    return np.array(rows)


def named(setting: Setting) -> str:
    penalty, share, scale = setting
    return f"C = {penalty:g}, " + (f"a = {share:g}, b = {scale:g}" if share else "not smoothed")


def print_left_out(figures: Mapping[str, Floats]) -> None:
    """Print the setting that the other pools choose for each pool, and its gain there."""
    print(
        "\nchosen on the other pools, and the gain of accuracy on the pool that is left out (least of its columns in brackets)"
    )
    for name, own in figures.items():
        others = [rows for other, rows in figures.items() if other != name]
        gains = np.array([rows - rows[0] for rows in others])  # (pools, settings, columns)
        allowed = gains.min(axis=(0, 2)) >= -MOST_LOST
        chosen = int(np.where(allowed, gains.mean(axis=(0, 2)), -np.inf).argmax())
        gain = own[chosen] - own[0]
        print(f"{name:<12}{named(SETTINGS[chosen]):<34}{gain.mean():+.3f} ({gain.min():+.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of banking77/ and clinc-oos/")
    parser.add_argument("--cache", type=Path, help="folder that keeps the vectors")
    parser.add_argument("--pools", nargs="+", default=[*POOLS], choices=[*POOLS])
    parser.add_argument("--labels", nargs="+", type=int, default=[250, 500, 750])
    parser.add_argument("--cases", type=int, help="the most cases to choose from; all by default")
    parser.add_argument("--tests", type=int, help="the most cases to test on; all by default")
    settings = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    source = Source(settings.data, settings.cache, settings.cases, settings.tests)
    columns = "".join(f"{f'{order} {n}':>13}" for order in ("random", "coverage") for n in settings.labels)
    figures = {}
    for name in settings.pools:
        figures[name] = accuracies(drawn(POOLS[name](source), 0), settings.labels)
        print(f"\n{name:<34}{columns}")
        for setting, row in zip(SETTINGS, figures[name], strict=True):
            print(f"{named(setting):<34}" + "".join(f"{a:13.3f}" for a in row), flush=True)
    if len(figures) > 1:
        print_left_out(figures)


if __name__ == "__main__":
    main()
