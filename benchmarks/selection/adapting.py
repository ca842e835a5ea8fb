"""Measure what discovery gains by following the labels so far, on recorded generations.

    python benchmarks/selection/adapting.py --data DIR [--draws N]

DIR as in `benchmarks/common/recorded_sets.py`; the mean over the sets of a family counts as one. All figures are failures among
discovery's picks, relative to as many picks at random.

* Fallback: after n random labels, the next 50 picks are the highest scores of the rest, or random where the score is not better than
  chance. Rules: an AUROC below .5 + margin whose interval reaches .5; an interval that reaches .5. `left out`: the margin is chosen on
  the other families.
* Rounds: three rounds of 25 picks of discovery and 25 at random; counted are the second and the third. Discovery by disagreement alone,
  with the fallback, with shares in proportion to the yields, with Thompson's shares and several floors, and as `select --after`: both.

Covering the inputs is taken to find failures as random picks do, because these sets have no vectors here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from benchmarks.common.recorded_sets import Bools, Floats, auroc, sets
from curator.disagreement.recorded import fit_scoring, score_record
from curator.disagreement.score import SCORER
from curator.disagreement.score_quality import CHANCE, MARGIN
from curator.records import PartQuality
from curator.run_folder.recorded import read_record
from curator.selection.discovery_plan import FLOOR, diversity_share
from curator.stages.measure_score import Draw, RankedCase, measure_score, strategy_yields

MARGINS = (0.0, 0.02, 0.05, 0.1)
FLOORS = (0.02, 0.05, 0.1, 0.2)
LABELS = (50, 100, 200)
NEXT, PER_ROUND, ROUNDS = 50, 25, 3
Places = NDArray[np.int64]


@dataclass
class Pool:
    """A set with its scores, and the picks and labels so far."""

    name: str
    family: str
    scores: Floats
    wrong: Bools
    draws: dict[str, Draw] = field(default_factory=dict)
    rest: list[int] = field(default_factory=list)

    def started(self) -> Pool:
        """Return the pool without picks."""
        return Pool(self.name, self.family, self.scores, self.wrong, {}, list(range(len(self.scores))))

    def take(self, places: Sequence[int], draw: Draw) -> float:
        """Label these cases; return their failures."""
        self.draws |= {str(place): draw for place in places}
        self.rest = sorted(set(self.rest) - set(places))
        return float(self.wrong[list(places)].sum()) if len(places) else 0.0

    def highest(self, k: int, rng: np.random.Generator) -> list[int]:
        """Return the places of the k highest scores that are left."""
        places = np.array(self.rest)
        order = np.lexsort((rng.random(len(places)), -self.scores[places]))
        return places[order[:k]].tolist()

    def random(self, k: int, rng: np.random.Generator) -> list[int]:
        """Return k places at random of those that are left."""
        return rng.choice(self.rest, k, replace=False).tolist() if k else []

    def failures(self) -> dict[str, float]:
        """Return the labels of all picks."""
        return {place: float(self.wrong[int(place)]) for place in self.draws}

    def quality(self) -> PartQuality | None:
        """Return the quality of the score by these labels."""
        ranked = {i: RankedCase(i, float(self.scores[int(i)]), None, "", "") for i in self.draws}
        quality = measure_score(ranked, self.failures(), self.draws)
        return quality.pooled if quality else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of NAME.recorded.jsonl and NAME.labels.jsonl")
    parser.add_argument("--draws", type=int, default=40)
    arguments = parser.parse_args()
    pools = list(read_pools(arguments.data))
    print(f"scorer {SCORER}; failures among discovery's picks, relative to random picks; {arguments.draws} draws a set")
    for labels in LABELS:
        print_fallback(pools, labels, arguments.draws)
    print_rounds(pools, arguments.draws)


def read_pools(folder: Path) -> Iterator[Pool]:
    for recorded_set in sets(folder):
        if "," in recorded_set.name:
            continue
        records = [read_record(orjson.dumps(record)) for record in recorded_set.records]
        model, _ = fit_scoring(records)
        values = [score_record(record, model=model).disagreement for record in records]
        scored = np.array([value is not None for value in values])
        scores = np.array([value for value in values if value is not None])
        family = recorded_set.family
        yield Pool(recorded_set.name, family, scores, recorded_set.wrong[scored])
        print(
            f"{recorded_set.name:<24} n={len(scores):>5}  AUROC {auroc(scores, recorded_set.wrong[scored]):.3f}",
            flush=True,
        )


Rule = Callable[[PartQuality], bool]


def rules() -> Mapping[str, Rule]:
    """Return the rules that say when to fall back, by their names."""

    def below(margin: float) -> Rule:
        return lambda q: bool(
            q.score.value is not None and q.score.low is not None
            and q.score.value < CHANCE + margin and q.score.low <= CHANCE
        )  # fmt: skip

    return {
        "never": lambda _: False,
        **{f"margin {margin:g}": below(margin) for margin in MARGINS},
        "low<=.5": lambda q: q.score.low is not None and q.score.low <= CHANCE,
    }


def print_fallback(pools: Sequence[Pool], labels: int, draws: int) -> None:
    names = list(rules())
    by_family: dict[str, list[Floats]] = {}
    for pool in pools:
        if len(pool.scores) >= labels + 2 * NEXT:
            by_family.setdefault(pool.family, []).append(fallback_row(pool, labels, draws))
    table = {family: np.mean(rows, axis=0) for family, rows in sorted(by_family.items())}
    print(
        f"\nfallback after {labels} random labels\n{'':<14}"
        + "".join(f"{name:>13}" for name in names)
        + "     left out"
    )
    chosen = []
    for family, row in table.items():
        others = np.mean([other for name, other in table.items() if name != family], axis=0)
        margins = [n for n, name in enumerate(names) if name.startswith("margin")]
        best = max(margins, key=lambda n: others[n])
        chosen.append(row[best])
        print(f"{family:<14}" + "".join(f"{value:13.3f}" for value in row) + f"{row[best]:13.3f} ({names[best]})")
    rows = np.array(list(table.values()))
    print(f"{'mean':<14}" + "".join(f"{value:13.3f}" for value in rows.mean(axis=0)) + f"{np.mean(chosen):13.3f}")
    print(f"{'worst':<14}" + "".join(f"{value:13.3f}" for value in rows.min(axis=0)) + f"{min(chosen):13.3f}")


def fallback_row(pool: Pool, labels: int, draws: int) -> Floats:
    """The relative yield of each rule on one set."""
    found = np.zeros(len(rules()))
    for seed in range(draws):
        rng, state = np.random.default_rng(seed), pool.started()
        state.take(state.random(labels, rng), Draw("random", labels / len(pool.scores)))
        rest = state.wrong[state.rest].mean()
        by_score = state.wrong[state.highest(NEXT, rng)].mean()
        quality = state.quality()
        found += [rest if quality and rule(quality) else by_score for rule in rules().values()]
    return found / draws / max(float(pool.wrong.mean()), 1e-9)


Share = Callable[[Pool], float]


def divisions() -> Mapping[str, Share]:
    """The share of discovery that does not look at the score, by the name of the division."""
    falls_back = rules()[f"margin {MARGIN:g}"]

    def fallback(pool: Pool) -> float:
        quality = pool.quality()
        return float(bool(quality and falls_back(quality)))

    def proportional(pool: Pool) -> float:
        rates = {y.slice: (1 + y.rate * y.worth) / (2 + y.worth) for y in strategy_yields(pool.failures(), pool.draws)}
        covering = rates.get("diversity", rates["random"])
        return covering / (covering + rates["disagreement"])

    def thompson(floor: float) -> Share:
        def share(pool: Pool) -> float:
            return float(np.clip(diversity_share(strategy_yields(pool.failures(), pool.draws)), floor, 1 - floor))

        return share

    return {
        "disagreement": lambda _: 0.0,
        "fallback": fallback,
        "proportional": proportional,
        **{f"floor {floor:g}": thompson(floor) for floor in FLOORS},
        "as select": lambda pool: 1.0 if fallback(pool) else thompson(FLOOR)(pool),
        "random": lambda _: 1.0,
    }


def print_rounds(pools: Sequence[Pool], draws: int) -> None:
    names = list(divisions())
    by_family: dict[str, list[Floats]] = {}
    for pool in pools:
        if len(pool.scores) >= 2 * PER_ROUND * ROUNDS + NEXT:
            yields = [np.mean([rounds(pool, share, seed) for seed in range(draws)]) for share in divisions().values()]
            by_family.setdefault(pool.family, []).append(np.array(yields) / max(float(pool.wrong.mean()), 1e-9))
    print("\nrounds\n" + f"{'':<14}" + "".join(f"{name:>14}" for name in names))
    rows = {family: np.mean(values, axis=0) for family, values in sorted(by_family.items())}
    for family, row in rows.items():
        print(f"{family:<14}" + "".join(f"{value:14.3f}" for value in row))
    every = np.array(list(rows.values()))
    print(f"{'mean':<14}" + "".join(f"{value:14.3f}" for value in every.mean(axis=0)))
    print(f"{'worst':<14}" + "".join(f"{value:14.3f}" for value in every.min(axis=0)))


def rounds(pool: Pool, share: Share, seed: int) -> float:
    """The rate of failures among discovery's picks after the first round."""
    rng, state, found = np.random.default_rng(seed), pool.started(), 0.0
    for number in range(1, ROUNDS + 1):
        diverse = round(PER_ROUND * share(state)) if number > 1 else 0
        ranked = state.take(state.highest(PER_ROUND - diverse, rng), Draw("disagreement", 1.0, number))
        covering = state.take(state.random(diverse, rng), Draw("diversity", 1.0, number))
        found += (ranked + covering) * (number > 1)
        probability = PER_ROUND / len(state.rest)
        state.take(state.random(PER_ROUND, rng), Draw("random", probability, number))
    return found / (PER_ROUND * (ROUNDS - 1))


if __name__ == "__main__":
    main()
