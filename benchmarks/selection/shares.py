"""Compare divisions of a labelling budget between discovery and the random sample.

    python benchmarks/selection/shares.py --data DIR [--cache DIR] [--k N] [--resamples N] [--draws N] [--lexical]

The pools are those of `family_pools.py`, with a budget of N labels (100 by default), or of a quarter of the cases where that is
less. For each share of random picks: the failures and the distinct failing categories among all picks, over what as many
random picks hold; the error of the failure rate (root mean squared), over that of as many random labels; and how often
its 90% and 95% intervals cover the rate. Each figure is a mean over resamples and draws, then over the sets of a family, then over
families. A family has a ceiling: no choice of picks holds more failures than picks, so that where three cases in four fail the
ratio is at most 4/3.

The largest share with which the other families reach both targets is chosen leave-one-family-out, and judged on the family that is
left out. `--lexical` takes TF-IDF vectors, which spare the minutes that the encoder needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.harness import Check
from benchmarks.common.lexical import LexicalEncoder
from benchmarks.selection.discovery import discovered
from benchmarks.selection.discovery_pools import Pool
from benchmarks.selection.family_pools import FamilyPool, family_pools
from curator.config import EmbeddingConfig, SelectionConfig
from curator.encoders.sentence import embed, open_encoder
from curator.estimation.failure_rate import estimate
from curator.estimation.sample_design import draw
from curator.estimation.sampling_frame import SamplingUnit, build_frame
from curator.progress import Silent
from curator.stages.pick import sample_size
from curator.state.vectors import VectorCache

SHARES = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0)
LABELS_PER_POOL = 4
"""Cases per label in the smallest pools."""
FAILURES, CATEGORIES, ERROR, CEILING = 0, 1, 2, 5
TARGETS = (1.6, 1.25)
"""Failures and failing categories, over what random picks hold."""
CONFIDENCES = (0.90, 0.95)
Floats = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".curator"))
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--resamples", type=int, default=5)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--lexical", action="store_true")
    options = parser.parse_args()
    encoder = open_encoder(EmbeddingConfig())
    with VectorCache(options.cache / "discovery-vectors.sqlite") as cache:

        def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
            if options.lexical:
                return LexicalEncoder(texts).encode(texts)
            return embed(texts, encoder, cache, progress=Silent())

        found = list(family_pools(options.data / "recorded", vectors))
    print(f"{options.k} labels, {options.resamples} resamples of {len(found)} sets, {options.draws} draws of each\n")
    by_share = {share: by_family(found, share, options) for share in SHARES}
    print_shares(by_share)
    print_families(by_share, SelectionConfig().random_share)
    print_choice(by_share)


def by_family(found: Sequence[FamilyPool], share: float, options: argparse.Namespace) -> dict[str, Floats]:
    """The figures of each family with a share, (6,)."""
    of: dict[str, list[Floats]] = {}
    for one in found:
        parts = [one.resampled(draw) for draw in range(options.resamples)]
        rows = [
            figures(part, min(options.k, len(part.u) // LABELS_PER_POOL), share, options.draws, seed)
            for seed, part in enumerate(parts)
            if part.failed.any() and not part.failed.all()
        ]
        mean = np.mean(rows, axis=0)
        mean[ERROR] = np.sqrt(np.mean([row[ERROR] ** 2 for row in rows]))
        of.setdefault(one.family, []).append(mean)
    return {family: np.mean(rows, axis=0) for family, rows in of.items()}


def figures(pool: Pool, k: int, share: float, draws: int, seed: int) -> Floats:
    """The failures, categories, error, covers at both confidences, and the ceiling of the failures, (6,).

    The first three are over those of k random labels. Error and covers are nan without a random part.
    """
    size = sample_size(k, share)
    config = SelectionConfig(k=k, random_share=share)
    certain = [int(pick.case_id) for pick in discovered(pool, k - size, config, seed).picks] if size < k else []
    ids = [f"{i:06}" for i in range(len(pool.u))]
    frame = build_frame([SamplingUnit(i, {"score": float(u)}) for i, u in zip(ids, pool.u, strict=True)])
    rng = np.random.default_rng(seed)
    truth, held_by_ours, held_by_chance, errors, covers = float(pool.failed.mean()), [], [], [], []
    for number in range(draws):
        drawn: list[int] = []
        if size:
            stage = draw(frame, k - len(certain), seed=number, certain=[ids[i] for i in certain])
            drawn = [int(i) for i in stage.drawn]
            estimated = estimate(frame, [stage], {ids[i]: float(pool.failed[i]) for i in (*certain, *drawn)})
            errors.append(estimated.rate - truth)
            ends = [estimated.interval(confidence) for confidence in CONFIDENCES]
            covers.append([low - 1e-12 <= truth <= high + 1e-12 for low, high in ends])
        held_by_ours.append(held(pool, [*certain, *drawn]))
        held_by_chance.append(held(pool, rng.choice(len(ids), k, replace=False)))
    failures, categories = np.mean(held_by_ours, axis=0) / np.mean(held_by_chance, axis=0)
    spread = np.sqrt(pool.failed.var(ddof=1) / k * (1 - k / len(ids)))
    error = float(np.sqrt(np.mean(np.square(errors))) / spread) if errors else np.nan
    cover = np.mean(covers, axis=0) if covers else (np.nan, np.nan)
    return np.array([failures, categories, error, *cover, min(k, pool.failed.sum()) / (k * truth)])


def held(pool: Pool, places: Sequence[int] | NDArray[np.int64]) -> tuple[int, int]:
    """The failures among these cases, and in how many categories they are."""
    chosen = np.asarray(places, dtype=np.int64)
    failing = chosen[pool.failed[chosen]]
    return len(failing), len(set(pool.categories[failing]))


def print_shares(by_share: Mapping[float, Mapping[str, Floats]]) -> None:
    """Print the means over families by share, with a family's least failures and categories."""
    print(
        f"{'random share':14}{'failures':>10}{'categories':>12}{'least':>14}{'error of the rate':>20}   covers 90%  95%"
    )
    for share, families in by_share.items():
        rows = np.array(list(families.values()))
        mean, least = rows.mean(axis=0), rows.min(axis=0)
        error = "no estimate" if share == 0 else f"{mean[ERROR]:.2f}"
        covers = "" if share == 0 else f"{mean[3]:.3f}  {mean[4]:.3f}"
        least_of_both = f"{least[FAILURES]:.2f}/{least[CATEGORIES]:.2f}"
        print(
            f"{share:<14}{mean[FAILURES]:>10.2f}{mean[CATEGORIES]:>12.2f}{least_of_both:>14}{error:>20}        {covers}"
        )


def print_families(by_share: Mapping[float, Mapping[str, Floats]], default: float) -> None:
    """Print each family's figures at the default share and without random picks."""
    shares = sorted({default, 0.0} & set(by_share), reverse=True)
    print(f"\n{'failures / categories':24}{'ceiling':>8}" + "".join(f"{f'share {share:g}':>14}" for share in shares))
    for family in by_share[0.0]:
        cells = "".join(f"{f'{by_share[s][family][0]:.2f}/{by_share[s][family][1]:.2f}':>14}" for s in shares)
        print(f"{family:24}{by_share[0.0][family][CEILING]:>8.2f}{cells}")
    if default in by_share:
        mean = np.mean(list(by_share[default].values()), axis=0)
        print(Check("failures at the default share, times random", float(mean[0]), TARGETS[0], at_least=True).line())
        print(Check("categories at the default share, times random", float(mean[1]), TARGETS[1], at_least=True).line())
        below = [name for name, row in by_share[default].items() if row[FAILURES] < TARGETS[0] <= row[CEILING]]
        print(f"  fewer failures, though the ceiling allows them: {', '.join(below) or 'no family'}")


def print_choice(by_share: Mapping[float, Mapping[str, Floats]]) -> None:
    """Print the share chosen without each family, and the mean of the figures of the families left out."""
    families = list(by_share[0.0])
    chosen = {family: largest(by_share, [other for other in families if other != family]) for family in families}
    rows = [by_share[chosen[family]][family] for family in families]
    mean = np.mean(rows, axis=0)
    print("\nchosen without the family: " + ", ".join(f"{family} {chosen[family]:g}" for family in families))
    print(f"failures / categories of the families left out: {mean[FAILURES]:.2f} / {mean[CATEGORIES]:.2f}")
    print(f"chosen on all: {largest(by_share, families):g}; whichever family is left out: {min(chosen.values()):g}")


def largest(by_share: Mapping[float, Mapping[str, Floats]], families: Sequence[str]) -> float:
    """The largest share that reaches both targets on the mean of these families; the smallest above 0 if none does."""
    reaching = [
        share
        for share, of in by_share.items()
        if share and (np.mean([of[family][: len(TARGETS)] for family in families], axis=0) >= TARGETS).all()
    ]
    return max(reaching, default=min(share for share in by_share if share))


if __name__ == "__main__":
    main()
