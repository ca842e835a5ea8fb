"""How a labelling budget is best divided between discovery and the random sample.

    python benchmarks/selection/shares.py --data DIR [--cache DIR] [--k N] [--draws N]

For each `selection.random_share`: the failures and the distinct failing categories among all k picks, over what k random
picks hold, and the error of the failure rate (root mean squared over the draws), over that of k random labels. The pools are
those of `discovery_pools.py` with at least three times as many cases as picks. What is told are geometric means over pools.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.selection.discovery import discovered
from benchmarks.selection.discovery_pools import Pool, pools
from curator.config import EmbeddingConfig, SelectionConfig
from curator.encoders.sentence import embed, open_encoder
from curator.estimation.failure_rate import estimate
from curator.estimation.sample_design import draw
from curator.estimation.sampling_frame import SamplingUnit, build_frame
from curator.progress import Silent
from curator.stages.pick import sample_size
from curator.state.vectors import VectorCache

SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
Floats = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".curator"))
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--draws", type=int, default=200)
    options = parser.parse_args()
    encoder = open_encoder(EmbeddingConfig())
    with VectorCache(options.cache / "discovery-vectors.sqlite") as cache:

        def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
            return embed(texts, encoder, cache, progress=Silent())

        found = [pool for pool in pools(options.data, vectors) if len(pool.u) >= 3 * options.k]
    print(f"{options.k} labels, {options.draws} draws, {len(found)} pools: {', '.join(pool.name for pool in found)}\n")
    print(f"{'random share':14}{'failures':>10}{'categories':>12}{'error of the rate':>20}")
    for share in SHARES:
        ratios = np.exp(np.mean([np.log(figures(pool, options.k, share, options.draws)) for pool in found], axis=0))
        error = "no estimate" if share == 0 else f"{ratios[2]:.2f}"
        print(f"{share:<14}{ratios[0]:>10.2f}{ratios[1]:>12.2f}{error:>20}", flush=True)


def figures(pool: Pool, k: int, share: float, draws: int) -> tuple[float, float, float]:
    """Failures, categories and the error of the rate, each over that of k random labels; 1 for an error that there is not."""
    size = sample_size(k, share)
    config = SelectionConfig(k=k, random_share=share)
    certain = [int(pick.case_id) for pick in discovered(pool, k - size, config, 0).picks] if size < k else []
    ids = [f"{i:06}" for i in range(len(pool.u))]
    frame = build_frame([SamplingUnit(i, {"score": float(u)}) for i, u in zip(ids, pool.u, strict=True)])
    rng = np.random.default_rng(0)
    ours, chance, errors = [], [], []
    for seed in range(draws):
        drawn: list[int] = []
        if size:
            stage = draw(frame, k - len(certain), seed=seed, certain=[ids[i] for i in certain])
            drawn = [int(i) for i in stage.drawn]
            known = {ids[i]: float(pool.failed[i]) for i in (*certain, *drawn)}
            errors.append(estimate(frame, [stage], known).rate - pool.failed.mean())
        ours.append(held(pool, [*certain, *drawn]))
        chance.append(held(pool, rng.choice(len(ids), k, replace=False)))
    failures, categories = np.mean(ours, axis=0) / np.mean(chance, axis=0)
    spread = np.sqrt(pool.failed.var(ddof=1) / k * (1 - k / len(ids)))
    return failures, categories, float(np.sqrt(np.mean(np.square(errors))) / spread) if errors else 1.0


def held(pool: Pool, places: Sequence[int] | NDArray[np.int64]) -> tuple[int, int]:
    """The failures among these cases, and in how many categories they are."""
    chosen = np.asarray(places, dtype=np.int64)
    failing = chosen[pool.failed[chosen]]
    return len(failing), len(set(pool.categories[failing]))


if __name__ == "__main__":
    main()
