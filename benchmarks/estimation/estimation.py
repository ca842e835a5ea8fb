"""Compare `curator.estimation` with other designs: failure rates from few labels of recorded answers.

    python benchmarks/estimation/estimation.py --data DIR [--repetitions 1000] [--labels 50 100 200] [--pools NAME ...]

DIR holds the public sets that `estimation_pools.py` names. For each number of labels and each pool of at least three
times as many cases: the mean squared error relative to that of a random draw (its exact variance), the bias in standard errors
of the mean over repetitions, and how often the 90% and 95% intervals cover. Other methods' intervals are those of their
sources, estimate +- z standard errors. `attainable` is the error of Neyman's draw by P(fail | all signals), fitted to all labels of the
pool: what a design could reach that knew that fit beforehand. A design that also spreads over categories may fall below it.

What was looked at while the design was made: these pools, with fewer repetitions. So the rows of ours are a little optimistic;
its constants hardly move them (docs/estimation.md).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np

from benchmarks.estimation.estimation_baselines import BASELINES, Task
from benchmarks.estimation.estimation_pools import Pool, pools
from curator.estimation.failure_rate import estimate
from curator.estimation.sample_design import Stage, draw
from curator.estimation.sampling_frame import SamplingFrame, SamplingUnit, build_frame

LEAST_POOL = 3
"""Pools of fewer times the labels are left out: whoever labels a third labels everything."""
CONFIDENCES = (0.90, 0.95)
OURS, ADAPTIVE = "ours, at once", "ours, in stages"

MOST = 999.9
"""A bias is not told beyond this: a method that always draws the same has no spread to measure it by."""

Intervals = tuple[tuple[float, float], ...]
Run = Callable[[int], tuple[float, Intervals]]
"""A repetition, by its seed: the rate and its intervals at `CONFIDENCES`."""


@dataclass(frozen=True)
class Row:
    """The errors of the repetitions of one method on one pool."""

    error: float
    bias: float
    covers: tuple[float, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--labels", type=int, nargs="*", default=[50, 100, 200])
    parser.add_argument("--pools", nargs="*", default=[], help="only pools whose name holds one of these")
    arguments = parser.parse_args()
    found = [p for p in pools(arguments.data) if not arguments.pools or any(n in p.name for n in arguments.pools)]
    for n in arguments.labels:
        started = time.perf_counter()
        tables = {
            pool.name: table(pool, n, arguments.repetitions) for pool in found if len(pool.failed) >= LEAST_POOL * n
        }
        summary(n, found, tables)
        print(f"({time.perf_counter() - started:,.0f} s)", flush=True)


def table(pool: Pool, n: int, repetitions: int) -> Mapping[str, Row]:
    """Print and give the rows of one pool."""
    frame = framed(pool)
    y = np.array([dict(zip(pool.ids, pool.failed, strict=True))[i] for i in frame.ids])
    print(f"\n{pool.name}: {len(y)} cases, {y.mean():.1%} fail, {n} labels; attainable {attainable(frame, y, n):.2f}")
    rows = {name: row(run, y, n, repetitions) for name, run in methods(frame, y, n).items()}
    for name, one in rows.items():
        covers = "  ".join(f"{share:.3f}" for share in one.covers)
        print(f"  {name:<24} error {one.error:7.2f}   bias {one.bias:+7.1f}   covers {covers}", flush=True)
    return rows


def methods(frame: SamplingFrame, y: np.ndarray, n: int) -> dict[str, Run]:
    """Every method by name, on one pool."""
    task = Task(frame, np.clip(frame.score, 0.01, 0.99), y, n)
    labels = dict(zip(frame.ids, y.tolist(), strict=True))

    def other(name: str) -> Run:
        def run(seed: int) -> tuple[float, Intervals]:
            rate, error = BASELINES[name](task, np.random.default_rng(seed))
            zs = [NormalDist().inv_cdf((1 + c) / 2) for c in CONFIDENCES]
            return rate, tuple((rate - z * error, rate + z * error) for z in zs)

        return run

    return {
        **{name: other(name) for name in BASELINES},
        OURS: lambda seed: ours(frame, labels, (n,), seed),
        ADAPTIVE: lambda seed: ours(frame, labels, stage_sizes(n), seed),
    }


def stage_sizes(labels: int) -> tuple[int, ...]:
    """The labels of each stage of the adaptive design: 40%, then 60%; one stage below 100 labels."""
    if labels < 100:
        return (labels,)
    first = round(0.4 * labels)
    return (first, labels - first)


def ours(frame: SamplingFrame, labels: Mapping[str, float], sizes: Sequence[int], seed: int) -> tuple[float, Intervals]:
    """The product's own draw and estimate, in stages of these sizes."""
    stages: list[Stage] = []
    told: dict[str, float] = {}
    for size in sizes:
        stages.append(draw(frame, size, seed=seed, earlier=stages, labels=told))
        told |= {i: labels[i] for i in stages[-1].drawn}
    found = estimate(frame, stages, told)
    return found.rate, tuple(found.interval(c) for c in CONFIDENCES)


def row(run: Run, y: np.ndarray, n: int, repetitions: int) -> Row:
    """Return the errors of a method over its repetitions; every method has the same seeds."""
    found = [run(seed) for seed in range(repetitions)]
    rates, truth = np.array([rate for rate, _ in found]), float(y.mean())
    random_draw = y.var(ddof=1) / n * (1 - n / len(y))
    covers = tuple(
        float(np.mean([low - 1e-12 <= truth <= high + 1e-12 for low, high in ends]))
        for ends in zip(*(ends for _, ends in found), strict=True)
    )
    error = float(((rates - truth) ** 2).mean() / random_draw)
    bias = float(rates.mean() - truth) / max(float(rates.std()) / np.sqrt(repetitions), 1e-12)
    return Row(error, float(np.clip(bias, -MOST, MOST)), covers)


def attainable(frame: SamplingFrame, y: np.ndarray, n: int) -> float:
    """Neyman's variance by a cross-validated P(fail | signals, categories), relative to that of a random draw."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    levels = [levels[:, None] == np.unique(levels) for levels in frame.levels.values()]
    x = np.column_stack([frame.score, frame.covariates, *levels]).astype(float)
    folds = StratifiedKFold(min(10, int(min(y.sum(), (1 - y).sum()))), shuffle=True, random_state=0)
    p = cross_val_predict(LogisticRegression(C=0.3, max_iter=1000), x, y, cv=folds, method="predict_proba")[:, 1]
    spread = np.sqrt(np.clip(p * (1 - p), 0.01, None))
    chance = np.clip(n * spread / spread.sum(), 0, 1)
    variance = float(((1 - chance) / chance * (y - p) ** 2).sum()) / len(y) ** 2
    return variance / float(y.var(ddof=1) / n * (1 - n / len(y)))


def summary(n: int, found: Iterable[Pool], tables: Mapping[str, Mapping[str, Row]]) -> None:
    """Print the means over pools, of all and by family, and the worst of each figure."""
    families = {pool.name: pool.family for pool in found if pool.name in tables}
    if not tables:
        return
    names = ["all", *dict.fromkeys(families.values())]
    print(f"\n{n} labels, mean error over {len(tables)} pools relative to a random draw, worst, and least cover")
    print(f"  {'':<24}" + "".join(f"{name:>10}" for name in names) + f"{'worst':>10}{'bias':>8}" + "   90%    95%")
    for method in next(iter(tables.values())):
        rows = {pool: rows[method] for pool, rows in tables.items()}
        means = [np.mean([r.error for p, r in rows.items() if name in ("all", families[p])]) for name in names]
        cells = "".join(f"{mean:10.2f}" for mean in means)
        bias = max((r.bias for r in rows.values()), key=abs)
        least = "  ".join(f"{min(r.covers[i] for r in rows.values()):.3f}" for i in range(len(CONFIDENCES)))
        print(f"  {method:<24}{cells}{max(r.error for r in rows.values()):10.2f}{bias:8.1f}  {least}")


def framed(pool: Pool) -> SamplingFrame:
    """The pool as the product sees it."""
    return build_frame(
        [
            SamplingUnit(
                case_id,
                {name: float(values[i]) for name, values in pool.signals.items()},
                {name: values[i] for name, values in pool.categories.items() if len(set(values)) > 1},
            )
            for i, case_id in enumerate(pool.ids)
        ]
    )


if __name__ == "__main__":
    main()
