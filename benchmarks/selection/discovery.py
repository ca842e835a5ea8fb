"""Count the failures, and the different ones, among the picks of discovery and random picks.

    python benchmarks/selection/discovery.py --data DIR [--cache DIR] [--picks N ...] [--resamples N]

DIR holds the data sets of `discovery_pools.py`, and arena-hard. Each pool comes five times, each time as other four fifths
of its cases, and every strategy chooses from them; beside it stand 100 draws at random. A cell is failures / distinct
categories among the failures, both over what random picks find on average, and means over the resamples. The means over
pools come with a 95% interval over the resamples. A pool of fewer than twice as many cases as picks (jhu: 99 cases) is left out, and jhu,
which has no texts, counts for failures alone.

`k-means` (the most disagreeing case of each of k clusters) and `facility, 5k` (facility location over u^2 among the 5k most
disagreeing) are what others do, written here. Then: the share of near-duplicates among the picks (a cosine of .95),
out-of-scope questions of clinc among 100 picks and among the outliers, and how many of arena-hard's topics 50 picks meet.

Tuned on these pools: the factor of `NARROW`, the root in the weights, and the share of outliers, from few values each.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.harness import Check
from benchmarks.common.recorded_sets import read
from benchmarks.selection.discovery_pools import OUT_OF_SCOPE, Embed, Pool, pools
from curator.config import EmbeddingConfig, SelectionConfig
from curator.encoders.sentence import embed, open_encoder
from curator.progress import Silent
from curator.selection.acquisition import Acquisition, acquire
from curator.selection.strategies import STRATEGIES
from curator.state.vectors import VectorCache

Places = NDArray[np.int64]
Way = Callable[[Pool, int, int], Places]
DRAWS = 100
NEAR = 0.95
MARGIN = 1.9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".curator"))
    parser.add_argument("--picks", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--resamples", type=int, default=5)
    options = parser.parse_args()
    encoder = open_encoder(EmbeddingConfig())
    with VectorCache(options.cache / "discovery-vectors.sqlite") as cache:

        def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
            return embed(texts, encoder, cache, progress=Silent())

        found = list(pools(options.data, vectors))
        for k in options.picks:
            table([pool for pool in found if len(pool.u) >= MARGIN * k], k, options.resamples)
        out_of_scope(next(pool for pool in found if pool.name == "clinc*"))
        arena(options.data / "arena-hard" / "question_v0.1.jsonl", vectors)


def ways() -> Mapping[str, Way]:
    """Every strategy of the registry, and two written here to compare with."""
    ours = {name: by_strategy(name) for name in STRATEGIES}
    no_outliers = by_strategy("coverage", outlier_share=0.0)
    return {**ours, "coverage, no outliers": no_outliers, "k-means": by_clusters, "facility, 5k": by_facility}


def by_strategy(name: str, **settings: object) -> Way:
    def way(pool: Pool, k: int, seed: int) -> Places:
        config = SelectionConfig.model_validate({"strategy": name, **settings})
        return np.array([int(pick.case_id) for pick in discovered(pool, k, config, seed).picks], dtype=np.int64)

    return way


def discovered(pool: Pool, k: int, config: SelectionConfig, seed: int) -> Acquisition:
    ids = [f"{i:06}" for i in range(len(pool.u))]
    vectors = dict(zip(ids, pool.vectors, strict=True)) if pool.vectors.shape[1] else {}
    scores = dict(zip(ids, pool.u.tolist(), strict=True))
    return acquire(ids, scores, vectors, groups={}, k=k, config=config, seed=seed)


def by_clusters(pool: Pool, k: int, seed: int) -> Places:
    from sklearn.cluster import KMeans

    if not pool.vectors.shape[1]:
        return by_strategy("top")(pool, k, seed)
    label = KMeans(k, n_init=1, random_state=seed).fit_predict(pool.vectors)
    u = pool.u + 1e-9 * np.random.default_rng(seed).random(len(pool.u))
    return np.array([max(np.flatnonzero(label == c), key=lambda i: u[i]) for c in range(k)])


def by_facility(pool: Pool, k: int, seed: int) -> Places:
    if not pool.vectors.shape[1]:
        return by_strategy("top")(pool, k, seed)
    draw = np.random.default_rng(seed).random(len(pool.u))
    places = np.lexsort((draw, -pool.u))[: 5 * k]
    similarity, weight = np.clip(pool.vectors[places] @ pool.vectors[places].T, 0, 1), pool.u[places] ** 2
    covered, chosen = np.zeros(len(places)), []
    for _ in range(k):
        gains = np.maximum(similarity - covered, 0) @ weight
        gains[chosen] = -1
        chosen.append(int(np.argmax(gains)))
        covered = np.maximum(covered, similarity[chosen[-1]])
    return places[chosen]


def table(found: Sequence[Pool], k: int, resamples: int) -> None:
    print(f"\n{k} picks: failures / failing categories, times random")
    print(
        f"{'':24}" + "".join(f"{pool.name:>13}" for pool in found) + f"{'mean':>13}   95% interval of both   near-dup."
    )
    for name, way in ways().items():
        cells = np.full((resamples, len(found), 2), np.nan)
        near = 0
        for draw in range(resamples):
            for column, pool in enumerate(found):
                part = resampled(pool, draw)
                chosen = way(part, k, draw)
                cells[draw, column] = np.array(finds(part, chosen)) / usual(part, k, draw)
                near += near_duplicates(part, chosen)
                if not part.vectors.shape[1]:
                    cells[draw, column, 1] = np.nan
        mean = np.nanmean(cells, axis=1)
        half = 1.96 * mean.std(axis=0, ddof=1) / np.sqrt(resamples) if resamples > 1 else np.zeros(2)
        row = "".join(cell(*values) for values in cells.mean(axis=0))
        low_high = "  ".join(f"{m - h:.2f}-{m + h:.2f}" for m, h in zip(mean.mean(axis=0), half, strict=True))
        print(
            f"{name:24}{row}{cell(*mean.mean(axis=0))}   {low_high:22} {near / (resamples * len(found) * k):.3f}",
            flush=True,
        )
        if name == "coverage" and k == 100:
            checks = [
                Check("failures, times random", float(mean[:, 0].mean()), 1.65, at_least=True),
                Check("failing categories, times random", float(mean[:, 1].mean()), 1.40, at_least=True),
                Check("near-duplicates among the picks", near, 0),
            ]
    if k == 100:
        print(*(check.line() for check in checks), sep="\n")


def cell(failures: float, categories: float) -> str:
    return f"{failures:>8.2f}/{categories:.2f}" if not np.isnan(categories) else f"{failures:>8.2f}/ -  "


def resampled(pool: Pool, draw: int) -> Pool:
    places = np.sort(np.random.default_rng(draw).permutation(len(pool.u))[: len(pool.u) * 4 // 5])
    return Pool(pool.name, pool.vectors[places], pool.u[places], pool.failed[places], pool.categories[places])


def finds(pool: Pool, chosen: Places) -> tuple[int, int]:
    failing = chosen[pool.failed[chosen]]
    return len(failing), len(np.unique(pool.categories[failing]))


def usual(pool: Pool, k: int, draw: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(1000 + draw)
    return np.mean([finds(pool, rng.permutation(len(pool.u))[:k]) for _ in range(DRAWS)], axis=0)


def near_duplicates(pool: Pool, chosen: Places) -> int:
    if not pool.vectors.shape[1]:
        return 0
    similarity = pool.vectors[chosen] @ pool.vectors[chosen].T
    return int((np.tril(similarity, -1) >= NEAR).any(axis=1).sum())


def out_of_scope(pool: Pool) -> None:
    """Print the share of out-of-scope questions of clinc among 100 picks and among outliers."""
    outside = pool.categories == OUT_OF_SCOPE
    found = discovered(pool, 100, SelectionConfig(), 0)
    share = float(outside[[int(pick.case_id) for pick in found.picks]].mean())
    print(f"\nclinc: {outside.mean():.1%} of the cases are out of scope, {share:.1%} of 100 picks")
    print(
        Check("out-of-scope among the picks, times its share", share / float(outside.mean()), 5, at_least=True).line()
    )
    for region in found.regions:
        if region.kind == "outliers":
            members = np.array([int(i) for i in region.case_ids])
            print(f"  {region.name!r}: {region.cases} cases, {region.picks} picks, {region.evidence};")
            print(
                f"  {outside[members].mean():.1%} are out of scope, which is {outside[members].sum() / outside.sum():.1%} of all such"
            )


def arena(path: Path, vectors: Embed) -> None:
    """Print the number of named topics among 50 picks without any scores of disagreement."""
    rows = read(path)
    cluster = np.array([row["cluster"] for row in rows])
    matrix = vectors([row["prompt"] for row in rows])
    pool = Pool("arena", matrix, np.ones(len(rows)), np.ones(len(rows), dtype=bool), cluster)
    rng = np.random.default_rng(0)
    random = np.mean([len(np.unique(cluster[rng.permutation(len(rows))[:50]])) for _ in range(DRAWS)])
    print(f"\narena-hard: {len(np.unique(cluster))} topics; 50 picks at random meet {random:.1f}")
    for name in ("coverage", "k-center", "kmeans++"):
        met = [len(np.unique(cluster[by_strategy(name)(pool, 50, seed)])) for seed in range(5)]
        print(Check(f"topics met by 50 picks, {name}", float(np.mean(met)), 45, at_least=True).line())


if __name__ == "__main__":
    main()
