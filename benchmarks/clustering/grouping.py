"""Seconds to group scored cases: contrasts, failure modes, names, nights, and the map.

    python -m benchmarks.clustering.grouping [--cases 10000] [--domain support_desk]

The cases of a made-up log are scored first; that is not counted. Their vectors are random ones of 384 dimensions, as from a cache.
Beside it, in the same process: the topic clusters of all vectors by HDBSCAN, by which categories were made before. The cost of
vectors decides for what cases a run has them: those of the map are at most 4,000 here.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from benchmarks.clustering.outcomes import score
from benchmarks.clustering.planted import DOMAINS
from curator.clustering.cluster import cluster, layout
from curator.config import ClusteringConfig
from curator.disagreement.contrasts.case_contrasts import contrast_case
from curator.stages.categorise import categorise, follow_nights
from curator.state.categories import CategoriesFile

_T = TypeVar("_T")
DIMENSIONS = 384
MAPPED = 4000


def main() -> None:
    """Time each step and print it beside the clustering of vectors."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--domain", choices=sorted(DOMAINS), default="support_desk")
    arguments = parser.parse_args()
    scored = score(DOMAINS[arguments.domain](arguments.cases, 0))
    cases, scoring = scored.cases, scored.scoring
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(cases), DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    contrasts = timed("contrasts", lambda: {i: contrast_case(case) for i, case in scoring.inputs.items()})
    result = timed("failure modes and names", lambda: categorise(cases, contrasts, scoring.scores, scoring.failures))
    nothing = CategoriesFile(None, None)
    timed("nights", lambda: follow_nights(result, cases, nothing, today="2026-01-01"))
    timed("map", lambda: layout(vectors[:MAPPED], seed=0))
    print(f"{len(cases):,} cases, {sum(c.parent is None for c in result.categories)} categories at the top")
    timed("beside it: clusters of all vectors", lambda: cluster(vectors, ClusteringConfig(), seed=0))


def timed(what: str, work: Callable[[], _T]) -> _T:
    """Do the work and print its wall time and processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    print(f"{what:<36} {time.perf_counter() - wall:6.1f} s   {time.process_time() - processor:6.1f} s of processor")
    return result


if __name__ == "__main__":
    main()
