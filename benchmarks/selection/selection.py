"""Measure time and memory of discovery, from 10,000 to 100,000 cases.

    python benchmarks/selection/selection.py [--sizes N ...] [--k K] [--dimensions D]

The vectors are made up: points around centres of uneven size, each row of unit length. Two kinds of scores: `graded`, where
few cases are as unstable as the most unstable ones, and `equal`, where all are, so that none can be left out beforehand.
Beside them, in the same process, what else could be done: k-means with the most disagreeing case of each cluster, and
facility location over all pairs, which is tried up to 10,000 cases.

Times are those of the processor, summed over its cores, and of the clock for discovery: on a machine that does other
things, too, the two differ. The exponent is that of processor time by size, fitted by least squares to the logarithms: n log
n from 10,000 to 100,000 is 1.10.
The memory is the most that the process has held so far, which includes the vectors (154 MB for 100,000 of 384) and the
libraries.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.harness import Check
from curator.config import SelectionConfig
from curator.selection.acquisition import acquire
from curator.selection.constraints import Constraints
from curator.selection.facility_location import facility, maximise

SIZES = (10_000, 20_000, 50_000, 100_000)
N_LOG_N = float(np.log(100_000 * np.log(100_000) / (10_000 * np.log(10_000))) / np.log(10))
PAIRS_UP_TO = 10_000
SEED = 0
CLOCKS: list[float] = []
"""Seconds by the clock of each call of `discover`."""

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--k", type=int, default=200)
    parser.add_argument("--dimensions", type=int, default=384)
    options = parser.parse_args()
    k = options.k
    discovered(made_up(5000, options.dimensions), np.ones(5000), k)  # loads the libraries
    ways: dict[str, Callable[[Vectors], float]] = {
        "discovery, graded": lambda x: discovered(x, graded(len(x)), k),
        "discovery, equal": lambda x: discovered(x, np.ones(len(x)), k),
        "k-means": lambda x: clustered(x, k),
        "all pairs": lambda x: all_pairs(x, k) if len(x) <= PAIRS_UP_TO else np.nan,
    }
    print("cases    " + "".join(f"{name:>20}" for name in ways) + "    memory")
    times: dict[str, list[float]] = {name: [] for name in ways}
    for size in options.sizes:
        vectors = made_up(size, options.dimensions)
        memory = ""
        for name, way in ways.items():
            times[name].append(way(vectors))
            if name == "discovery, equal":
                memory = f"{peak_gb():.2f} GB"  # before the others add theirs
        print(f"{size:<9,}" + "".join(f"{times[name][-1]:>18.1f} s" for name in ways) + f"   {memory}", flush=True)
    for name in ("discovery, graded", "discovery, equal"):
        print(Check(f"{name}: exponent of time by size", exponent(options.sizes, times[name]), N_LOG_N).line())
        print(Check(f"{name}: processor seconds for the largest size", times[name][-1]).line())
    print(Check("seconds by the clock, the largest size, the slower of both", max(CLOCKS[-2:]), 60).line())
    print(Check("GB in all, with the other ways", peak_gb(), 4).line())


def made_up(count: int, dimensions: int) -> Vectors:
    """Unit vectors, (count, dimensions), around 200 centres of uneven size, with a cosine of about .6 to their centre."""
    rng = np.random.default_rng(SEED)
    centres = rng.normal(size=(200, dimensions)).astype(np.float32)
    share = rng.dirichlet(np.full(200, 0.5))
    found = centres[rng.choice(200, size=count, p=share)]
    found += 1.3 * rng.standard_normal(size=found.shape, dtype=np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def graded(count: int) -> Floats:
    """Scores of which most are 0, as a committee's are."""
    return np.maximum(0.0, np.random.default_rng(SEED).normal(-0.2, 0.4, size=count)).clip(0, 1)


def discovered(vectors: Vectors, u: Floats, k: int) -> float:
    """Processor seconds of `discover`."""
    ids = [f"c{i:07}" for i in range(len(u))]
    scores, rows = dict(zip(ids, u.tolist(), strict=True)), dict(zip(ids, vectors, strict=True))
    start, clock = time.process_time(), time.perf_counter()
    found = acquire(ids, scores, rows, groups={}, k=k, config=SelectionConfig(k=k), seed=SEED)
    took = time.process_time() - start
    CLOCKS.append(time.perf_counter() - clock)
    if len(found.picks) != k:
        raise RuntimeError(found.messages)
    return took


def clustered(vectors: Vectors, k: int) -> float:
    """Processor seconds of k-means, with the most disagreeing case of each cluster."""
    from sklearn.cluster import KMeans

    u = graded(len(vectors))
    start = time.process_time()
    label = KMeans(k, n_init=1, random_state=SEED, max_iter=50).fit_predict(vectors)
    [int(places[np.argmax(u[places])]) for places in (np.flatnonzero(label == c) for c in range(k)) if len(places)]
    return time.process_time() - start


def all_pairs(vectors: Vectors, k: int) -> float:
    """Processor seconds of facility location over all pairs, with the same greedy maximisation."""
    u = graded(len(vectors))
    start = time.process_time()
    target = facility(vectors, u, power=2.0, score_weight=0.1, covered=np.zeros(len(u)))
    limits = Constraints(vectors, [str(i) for i in range(len(u))], [""] * len(u), nearest=0.95)
    for _, _ in zip(range(k), maximise(target, limits), strict=False):
        pass
    return time.process_time() - start


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The slope of log seconds over log size."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def peak_gb() -> float:
    """The most memory that this process has held, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    main()
