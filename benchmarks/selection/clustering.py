"""Compare clusters with known intents, and measure their time and memory.

    python benchmarks/selection/clustering.py --data DIR --cache DIR [--sizes 10000 30000 100000] [--seeds 3]

DIR holds `banking77/train.csv` and `test.csv` (PolyAI's task-specific-datasets, CC-BY-4.0) and `clinc-oos/data_small.json`
(clinc/oos-eval, CC-BY-3.0). Their questions are embedded by the project's bundled encoder; the vectors stay under --cache.

1. Each set: ours; ours as it was (a centre for 5 vectors up to 4,000, in one k-means); HDBSCAN over the points, up to
   5,000; MiniBatchKMeans that is told the number of intents. Share clustered, the adjusted Rand index (ARI) and normalised
   mutual information (NMI) over what is clustered, processor seconds; means over the seeds. A higher ARI with fewer clustered is no gain.
2. Synthetic clusters (3 sqrt(n) topics of unequal size in 384 dimensions): processor seconds, and the process's highest memory so far.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN, KMeans, MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from threadpoolctl import threadpool_limits

from curator.clustering import cluster as clustering
from curator.clustering.cluster import cluster
from curator.config import ClusteringConfig, EmbeddingConfig
from curator.encoders.sentence import embed, open_encoder
from curator.progress import Silent
from curator.state.vectors import VectorCache

CONFIG = ClusteringConfig()
DIMENSIONS = 384
MOST_FOR_HDBSCAN = 5000

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with banking77/ and clinc-oos/")
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps the vectors")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 30_000, 100_000], help="of the synthetic sets")
    parser.add_argument("--seeds", type=int, default=3, help="of which the figures of a set are the mean")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    found = {name: (embedded(texts, arguments.cache), np.unique(labels, return_inverse=True)[1])
             for name, texts, labels in sets(arguments.data)}  # fmt: skip
    with threadpool_limits(limits=1):
        for name, (vectors, truth) in found.items():
            quality(name, vectors, truth, seeds=arguments.seeds)
        for size in arguments.sizes:
            scale(size)


def sets(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """The name, the questions and the intents of each set."""
    banking = {}
    for part in ("test", "train"):
        with (folder / "banking77" / f"{part}.csv").open(encoding="utf-8", newline="") as file:
            banking[part] = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    clinc = json.loads((folder / "clinc-oos" / "data_small.json").read_text(encoding="utf-8"))
    for name, rows in {
        "banking77, test": banking["test"],
        "banking77": [*banking["train"], *banking["test"]],
        "clinc150, test": clinc["test"],
        "clinc150": [*clinc["train"], *clinc["test"], *clinc["oos_train"]],
    }.items():
        yield name, [text for text, _ in rows], [label for _, label in rows]


def embedded(texts: list[str], cache: Path) -> Vectors:
    with VectorCache(cache / "vectors.sqlite") as kept:
        return embed(texts, open_encoder(EmbeddingConfig()), kept, progress=Silent())


def quality(name: str, vectors: Vectors, truth: Labels, *, seeds: int) -> None:
    """One set by each method."""
    n, intents = len(vectors), len(set(truth))
    print(f"\n{name}: {n:,} vectors, {intents} intents")
    methods: dict[str, Callable[[int], Labels]] = {
        "ours": lambda seed: cluster(vectors, CONFIG, seed=seed).labels,
        "ours, as it was": lambda seed: as_it_was(vectors, seed),
        "MiniBatchKMeans(true k)": lambda s: MiniBatchKMeans(intents, n_init=3, random_state=s).fit_predict(vectors),
    }
    if n <= MOST_FOR_HDBSCAN:
        methods["HDBSCAN"] = lambda _: HDBSCAN(min_cluster_size=CONFIG.min_cluster_size).fit_predict(vectors)
    for method, run in methods.items():
        figures = []
        for seed in range(1 if method == "HDBSCAN" else seeds):
            start = time.process_time()
            labels = run(seed)
            seconds = time.process_time() - start
            inside = labels >= 0
            ari = adjusted_rand_score(truth[inside], labels[inside])
            nmi = normalized_mutual_info_score(truth[inside], labels[inside])
            figures.append((labels.max() + 1, inside.mean(), ari, nmi, seconds))
        count, share, ari, nmi, seconds = np.mean(figures, axis=0)
        print(f"  {method:24} {count:4.0f} clusters, {share:.2f} clustered, ARI {ari:.2f}, NMI {nmi:.2f}, {seconds:5.1f} s",
              flush=True)  # fmt: skip


def as_it_was(vectors: Vectors, seed: int) -> Labels:
    """The settings before: a full decomposition, and a centre for 5 vectors up to 4,000 in one plain k-means."""
    from sklearn.decomposition import PCA

    points = PCA(50, svd_solver="full").fit_transform(vectors.astype(np.float64))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    count = min(len(points) // 5, 4000)
    found = KMeans(count, n_init=1, random_state=seed).fit(points)
    middles = found.cluster_centers_ / np.linalg.norm(found.cluster_centers_, axis=1, keepdims=True)
    least = max(2, round(CONFIG.min_cluster_size * count / len(points)))
    labels = clustering._hdbscan(middles, least, "leaf")[found.labels_]
    return clustering._by_size(clustering._without_leftovers(vectors, labels), CONFIG.min_cluster_size)


def synthetic(n: int, seed: int = 0) -> tuple[Vectors, Labels]:
    """Unit vectors about 3 sqrt(n) random directions, the sizes falling as rank^-0.8."""
    rng = np.random.default_rng(seed)
    topics = round(3 * np.sqrt(n))
    middles = rng.standard_normal((topics, DIMENSIONS), dtype=np.float32)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    weights = np.arange(1, topics + 1) ** -0.8
    truth = rng.choice(topics, n, p=weights / weights.sum())
    vectors = rng.standard_normal((n, DIMENSIONS), dtype=np.float32)
    vectors *= 0.8 / np.sqrt(DIMENSIONS)
    vectors += middles[truth]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, truth


def scale(n: int) -> None:
    """Print the time and memory of clustering n vectors."""
    vectors, truth = synthetic(n)
    start = time.process_time()
    labels = cluster(vectors, CONFIG, seed=0).labels
    seconds = time.process_time() - start
    inside = labels >= 0
    ari = adjusted_rand_score(truth[inside], labels[inside])
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"\nsynthetic, {n:,} x {DIMENSIONS}: {seconds:.1f} s, {highest:.2f} GB, {labels.max() + 1} clusters of"
          f" {len(set(truth))} topics, {inside.mean():.2f} clustered, ARI {ari:.2f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
