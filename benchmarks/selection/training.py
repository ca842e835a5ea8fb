"""Count the labels that a learner needs by each strategy, against random choice.

    python benchmarks/selection/training.py --data DIR [--cache DIR] [--strategies NAME ...] [--pools NAME ...] [--seeds N]
        [--seed-labels N] [--batch N] [--rounds N] [--cases N] [--tests N] [--learner smoothed | plain] [--start own | random]
        [--curves FILE]

DIR holds `banking77/train.csv` and `test.csv`, and `clinc-oos/data_small.json` (150 intents in scope; `train` is the
pool); `training_pools.py` describes the pools. `--cases` and `--tests` draw fewer of them. The learner is the same for each
strategy: logistic regression, fitted to the chosen labels and tested on the whole test set. `smoothed` is the built-in student:
C = 30, on vectors smoothed over the pool (`curator/selection/smoothing.py`); `plain` has C = 10 and the vectors as they are. A
strategy starts with 100 labels and gets a batch of 75 at a time, 19 times. Random starts at random, and so do all with
`--start random`; else each chooses its own start where it can.

Labels saved are 1 - n / m: n labels reach, for the first time and between two batches by straight line, the mean accuracy
that m random labels reach with the same learner. With `smoothed`, the second group of figures has the accuracy that m random
labels reach with `plain` for its target. Each is given for m = 500, 1,000 and 1,500, as mean and standard deviation over the
seeds. A seed draws 9 of 10 cases of the pool, which all strategies then share: otherwise a strategy without random draws would
show no spread. `--cache DIR` keeps the vectors, and `--curves FILE` the learning curves, for `curves.py`. The last table has the means over the pools, and says whether ours is at least
as good as the best of `BASELINES`.

Strategies of scikit-activeml run as well where it is installed: `pip install scikit-activeml`.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.common.harness import Check
from benchmarks.selection.training_pools import POOLS, Floats, Ints, Pool, Source, Vectors
from benchmarks.selection.training_strategies import OWN_START, STRATEGIES, Strategy, Turn, at_random, peers
from curator.selection.smoothing import smoothed

TARGETS = (500, 1000, 1500)
SHOWN = (100, 250, 500, 1000, 1500)
BASELINES = ("margin", "typical-margin", "facility")
DEFAULT_POOLS = ("banking77", "clinc150", "domains", "binary", "lexical")
POOL_SHARE = 0.9
RANDOM_DRAWS = 5
PENALTIES = {"smoothed": 30.0, "plain": 10.0}
"""The learners, and the C of each."""
Figures = Floats
"""Labels saved in % at TARGETS, the same against the plain learner, then accuracies at SHOWN, by seed: (seeds, 11)."""


@dataclass(frozen=True)
class Inputs:
    """The vectors of a pool and of its tests, as a learner gets them."""

    pool: Vectors
    tests: Vectors
    penalty: float

    def fit(self, places: Ints, classes: Ints) -> LogisticRegression:
        """The regression on these cases of the pool, fitted to their classes."""
        return regression(self.penalty).fit(self.pool[places], classes)


def inputs(pool: Pool, learner: str) -> Inputs:
    """The input of a learner, by its name in PENALTIES."""
    parts = (pool.vectors, pool.test_vectors)
    if learner == "smoothed":
        parts = (smoothed(parts[0], pool.vectors), smoothed(parts[1], pool.vectors))
    return Inputs(*parts, PENALTIES[learner])


def regression(penalty: float) -> LogisticRegression:
    return LogisticRegression(C=penalty, max_iter=300)


def curve(
    pool: Pool, given: Inputs, strategy: Strategy, settings: argparse.Namespace, *, seed: int, own_start: bool
) -> Floats:
    """Rows of (labels, accuracy)."""
    none = np.array([], np.int64)
    begin = strategy if own_start else at_random
    chosen: Ints = np.asarray(begin(Turn(pool.vectors, none, none, None, seed), settings.seed_labels), np.int64)
    most = min(settings.seed_labels + settings.rounds * settings.batch, len(pool.classes))
    found = []
    while True:
        classes = pool.classes[chosen]
        learner = given.fit(chosen, classes)
        found.append((len(chosen), learner.score(given.tests, pool.test_classes)))
        if len(chosen) + settings.batch > most:
            return np.array(found)
        probabilities = learner.predict_proba(given.pool)
        turn = Turn(pool.vectors, chosen, classes, probabilities, seed, given.pool, given.penalty)
        chosen = np.concatenate([chosen, np.asarray(strategy(turn, settings.batch), np.int64)])
        assert len(np.unique(chosen)) == len(chosen), "a case was picked twice"  # noqa: S101


def needed(found: Floats, accuracy: float) -> float:
    """Labels that first reach the accuracy; nan where the curve ends below."""
    labels, reached = found.T
    if not (reached >= accuracy).any():
        return float("nan")
    i = int((reached >= accuracy).argmax())
    if i == 0:
        return float(labels[0])
    step = (accuracy - reached[i - 1]) / (reached[i] - reached[i - 1])
    return float(labels[i - 1] + step * (labels[i] - labels[i - 1]))


def random_accuracy(pool: Pool, given: Inputs, counts: Sequence[int], *, seed: int) -> Floats:
    """The mean accuracy of so many random labels, over some draws."""
    found = []
    for draw in range(RANDOM_DRAWS):
        order = np.random.default_rng([seed, draw]).permutation(len(pool.classes))
        fits = [given.fit(order[:n], pool.classes[order[:n]]) for n in counts]
        found.append([fit.score(given.tests, pool.test_classes) for fit in fits])
    return np.mean(found, axis=0)


def drawn(pool: Pool, seed: int) -> Pool:
    """The part of the pool that a seed draws."""
    kept = np.random.default_rng([seed, 1]).permutation(len(pool.classes))[: int(POOL_SHARE * len(pool.classes))]
    return Pool(pool.name, pool.vectors[kept], pool.classes[kept], pool.test_vectors, pool.test_classes)


def report(pool: Pool, strategies: Mapping[str, Strategy], settings: argparse.Namespace) -> dict[str, Figures]:
    """Print and give the figures of each strategy on a pool."""
    counts = [m for m in TARGETS if m <= POOL_SHARE * len(pool.classes)]
    pools = [drawn(pool, seed) for seed in range(settings.seeds)]
    given = [inputs(part, settings.learner) for part in pools]
    print(f"\n{pool.name}: {len(pool.classes)} cases, {len(np.unique(pool.classes))} classes; random labels reach")
    targets = [
        random_accuracy(part, own, counts, seed=i) for i, (part, own) in enumerate(zip(pools, given, strict=True))
    ]
    print_targets(settings.learner, counts, targets)
    plain = [np.full(len(counts), np.nan)] * len(pools)
    if settings.learner != "plain":
        plain = [random_accuracy(part, inputs(part, "plain"), counts, seed=i) for i, part in enumerate(pools)]
        print_targets("plain", counts, plain)
    print_heads()
    figures = {}
    for name, strategy in strategies.items():
        own_start = settings.start == "own" and name in OWN_START
        rows, curves = [], []
        for seed, part in enumerate(pools):
            found = curve(part, given[seed], strategy, settings, seed=seed, own_start=own_start)
            curves.append(found.tolist())
            accuracies = np.interp(SHOWN, *found.T, right=np.nan)
            rows.append([*saved(found, targets[seed], counts), *saved(found, plain[seed], counts), *accuracies])
        figures[name] = np.array(rows)
        print_row(name, figures[name])
        if settings.curves:
            keep_curves(
                settings.curves, pool.name, name, curves, dict(zip(counts, np.mean(targets, axis=0), strict=True))
            )
    return figures


def keep_curves(
    file: Path, pool: str, strategy: str, curves: Sequence[Sequence[Sequence[float]]], targets: Mapping[int, float]
) -> None:
    """Add the curves of a strategy to a file of them: pool -> `targets`, and `curves` -> strategy -> seed -> points."""
    kept = json.loads(file.read_bytes()) if file.exists() else {}
    entry = kept.setdefault(pool, {"curves": {}})
    entry["targets"] = {str(count): float(accuracy) for count, accuracy in targets.items()}
    entry["curves"][strategy] = curves
    file.write_text(json.dumps(kept), encoding="utf-8")


def saved(found: Floats, targets: Floats, counts: Sequence[int]) -> list[float]:
    """Labels saved in % at TARGETS; nan where the pool has fewer cases or the curve ends below."""
    figures = [100 * (1 - needed(found, target) / m) for target, m in zip(targets, counts, strict=True)]
    return [*figures, *[np.nan] * (len(TARGETS) - len(counts))]


def print_targets(learner: str, counts: Sequence[int], targets: Sequence[Floats]) -> None:
    of = ", ".join(f"{m}: {a:.3f}" for m, a in zip(counts, np.mean(targets, axis=0), strict=True))
    print(f"  with the {learner} learner {of}")


def print_heads() -> None:
    heads = "".join(f"{m:>12}" for m in TARGETS)
    print(
        f"{'labels saved in % at':<22}{heads} | against plain{heads} | accuracy at" + "".join(f"{n:>6}" for n in SHOWN)
    )


def print_row(name: str, rows: Figures) -> None:
    """Print the means over seeds, and the standard deviation of the labels saved."""
    cells = [f"{'-':>12}" if np.isnan(s).any() else f"{f'{s.mean():.1f} ±{s.std():.1f}':>12}" for s in rows.T]
    same, plain = "".join(cells[: len(TARGETS)]), "".join(cells[len(TARGETS) : 2 * len(TARGETS)])
    accuracies = rows[:, 2 * len(TARGETS) :].mean(axis=0)
    print(
        f"{name:<22}{same} |              {plain} |            " + "".join(f"{a:6.3f}" for a in accuracies), flush=True
    )


def print_means(by_pool: Sequence[Mapping[str, Figures]]) -> None:
    """Print the means over pools, and ours against the best baseline."""
    print(f"\nmean over {len(by_pool)} pools, and the standard deviation over seeds")
    print_heads()
    means = {name: np.mean([figures[name] for figures in by_pool], axis=0) for name in by_pool[0]}
    for name, rows in means.items():
        print_row(name, rows)
    if "ours" not in means or not set(BASELINES) <= set(means):
        return
    parts = (("labels saved in % at", TARGETS, 0), ("accuracy at", SHOWN[2:], 2 * len(TARGETS) + 2))
    for what, counts, first in parts:
        for place, n in enumerate(counts, start=first):
            best = max(float(np.nan_to_num(means[name][:, place].mean(), nan=-np.inf)) for name in BASELINES)
            ours = float(means["ours"][:, place].mean())
            print(Check(f"{what} {n}, ours and the best of {len(BASELINES)}", ours, best, at_least=True).line())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of banking77/ and clinc-oos/")
    parser.add_argument("--cache", type=Path, help="folder that keeps the vectors")
    parser.add_argument("--pools", nargs="+", default=[*DEFAULT_POOLS], choices=[*POOLS])
    parser.add_argument("--strategies", nargs="+", help="all, unless named")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed-labels", type=int, default=100, help="labels before the first round")
    parser.add_argument("--batch", type=int, default=75, help="labels of a round")
    parser.add_argument("--rounds", type=int, default=19)
    parser.add_argument("--cases", type=int, help="the most cases to choose from; all by default")
    parser.add_argument("--tests", type=int, help="the most cases to test on; all by default")
    parser.add_argument("--learner", choices=[*PENALTIES], default="smoothed")
    parser.add_argument("--curves", type=Path, help="file to add the learning curves to")
    parser.add_argument("--start", choices=["own", "random"], default="own")
    settings = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    every = STRATEGIES | peers()
    if strange := [name for name in settings.strategies or () if name not in every]:
        parser.error(f"{strange[0]!r} is unknown; there are {', '.join(every)}")
    print(
        f"learner: {settings.learner}, C = {PENALTIES[settings.learner]:g}; {settings.seed_labels} labels, then"
        f" {settings.rounds} rounds of {settings.batch}"
    )
    source = Source(settings.data, settings.cache, settings.cases, settings.tests)
    strategies = {name: every[name] for name in settings.strategies or every}
    print_means([report(POOLS[name](source), strategies, settings) for name in settings.pools])


if __name__ == "__main__":
    main()
