"""Rank the wrong answers of recorded sets by the default score, beside baselines and every single estimator.

    python -m benchmarks.signal.disagreement --data DIR [--readings simple_readings.py] [--answers 2 3 5 10] [--sets NAME ...]

Per set and number of answers: AUROC of "the target is wrong" (without a target: the majority). Rows: the default score as
`curator score` computes it; the weighted naive readings of `--readings`, a file with a function `scores(records)`; entropy
over exact answers; the share of exact answers against the target; the best of seven simple baselines; the best single
estimator of the registry, in hindsight; the length of the answers. Sets of up to `SMALL` cases are the mean of three draws
of answers. Then:

* the means over families: sets of one family share questions, and count once;
* leave one family out: the constants of the score are chosen on the other families and judged on this one;
* raw text against the parsed answers of the same generations, where a set NAME.raw stands beside NAME or NAME.parsed;
* one pool of all families, each case scored by the fit of its own set: AUROC within the sets, and pooled.

What was looked at while the score was made: all sets at hand, for the choice of the candidate readings and of the similarity
by content. The constants are the only numbers that a table here chooses.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import orjson

from benchmarks.common.recorded_sets import Floats, Record, RecordedSet, answers, auroc, interval, limited, sets
from benchmarks.signal.estimators import LENGTH, ROWS, read_case
from curator.disagreement.readings.fit import WEIGHTING, Weighting
from curator.disagreement.recorded import measure_record
from curator.disagreement.score import PRIOR_ANSWERS, SCORER, default_score
from curator.disagreement.scoring_model import ScoringModel, fit_tasks
from curator.run_folder.recorded import read_record

OURS, READINGS = "default score", "weighted naive readings"
ENTROPY, SHARE = "baseline, exact-match entropy", "baseline, exact match to target"
SIMPLE = (
    SHARE, "target_distance_jaccard", "target_distance_rouge_l", ENTROPY, "deg_jaccard", "deg_rouge_l", "snne_rouge_l",
)  # fmt: skip
"""Exact match, Jaccard and ROUGE-L to the target, discrete entropy, Jaccard degree, ROUGE-L distance, SNNE."""
BEST_SIMPLE, BEST = "best of seven simple baselines", "best single estimator"
SMALL = 300
"""Sets of up to so many cases are averaged over three draws of answers."""
FEW = 4
"""Answers a case for which the constants are also chosen: they matter most with few."""
WEIGHTINGS = (WEIGHTING, Weighting(0.5, 2.0), Weighting(2.0, 2.0), Weighting(1.0, 1.0), Weighting(1.0, 4.0))
PRIORS = (0.0, 0.5, 2.0)
Scorer = Callable[[Sequence[Record]], Floats]


@dataclass(frozen=True)
class Row:
    """The values of one row on one set: the mean AUROC over draws of answers, and its interval."""

    area: float
    low: float
    high: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of NAME.recorded.jsonl and NAME.labels.jsonl")
    parser.add_argument("--readings", type=Path, help="a Python file whose scores(records) is a further row")
    parser.add_argument("--answers", type=int, nargs="*", default=[2, 3, 5, 10], help="answers a case")
    parser.add_argument("--sets", nargs="*", help="names of the sets; all by default")
    parser.add_argument("--quick", action="store_true", help="leave the single estimators and the constants out")
    arguments = parser.parse_args()
    chosen = [s for s in sets(arguments.data) if not arguments.sets or s.name in arguments.sets]
    scorers: dict[str, Scorer] = {OURS: scores}
    if arguments.readings:
        scorers[READINGS] = naive(arguments.readings)
    print(f"scorer {SCORER}; a cell is AUROC [95% interval]", flush=True)
    tables = {s.name: table(s, arguments.answers, scorers, quick=arguments.quick) for s in chosen}
    print_means(chosen, tables, arguments.answers)
    print_twins(chosen)
    print_pool(chosen)
    if not arguments.quick:
        print_left_out(chosen)


def naive(path: Path) -> Scorer:
    """Load `scores(records)` of a Python file."""
    spec = importlib.util.spec_from_file_location("readings", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda records: np.array(module.scores(records))


def table(
    recorded_set: RecordedSet, limits: Sequence[int], scorers: Mapping[str, Scorer], *, quick: bool
) -> dict[int, dict[str, Row]]:
    """Print the rows of one set, and return them by number of answers."""
    most = answers(recorded_set)
    rate = recorded_set.wrong.mean()
    print(f"\n{recorded_set.name}: n={len(recorded_set.records)}, up to {most} answers, base rate {rate:.3f}")
    rows = {
        limit: rows_of(recorded_set, limit, scorers, quick=quick) for limit in sorted({min(n, most) for n in limits})
    }
    print(f"  {'':<42}" + "".join(f"{f'{limit} answers':<24}" for limit in rows))
    for name in dict.fromkeys(name for of_limit in rows.values() for name in of_limit):
        cells = [of_limit.get(name) for of_limit in rows.values()]
        print(
            f"  {name:<42}" + "".join(f"{f'{c.area:.3f} [{c.low:.3f}, {c.high:.3f}]' if c else '':<24}" for c in cells)
        )
    print(flush=True, end="")
    return {limit: rows[min(limit, most)] for limit in limits}


def rows_of(recorded_set: RecordedSet, limit: int, scorers: Mapping[str, Scorer], *, quick: bool) -> dict[str, Row]:
    draws = 3 if limit < answers(recorded_set) and len(recorded_set.records) <= SMALL else 1
    names = SIMPLE if quick else tuple(ROWS)
    columns: defaultdict[str, list[Floats]] = defaultdict(list)
    for draw in range(draws):
        records = [limited(record, limit, draw) for record in recorded_set.records]
        for name, scorer in scorers.items():
            columns[name].append(scorer(records))
        cases = [read_case(record) for record in records]
        columns[LENGTH].append(np.array([case.mean_length for case in cases]))
        for name in names:
            values = [ROWS[name](case) for case in cases]
            if None not in values:
                columns[name].append(np.array(values, dtype=float))
    rows = {name: row(values, recorded_set) for name, values in columns.items()}
    singles = {name: rows.pop(name) for name in names if name in rows}
    shown = {name: singles[name] for name in (ENTROPY, SHARE) if name in singles}
    simple = max((singles[name] for name in SIMPLE if name in singles), key=lambda r: r.area)
    best = max(singles, key=lambda name: singles[name].area)
    return {**rows, **shown, BEST_SIMPLE: simple, **({} if quick else {BEST: singles[best]})}


def row(values: Sequence[Floats], recorded_set: RecordedSet) -> Row:
    low, high = interval(values, recorded_set.wrong)
    return Row(float(np.mean([auroc(v, recorded_set.wrong) for v in values])), low, high)


def scores(records: Iterable[Record]) -> Floats:
    """Return the default score of each record as in `curator score`."""
    return measured_scores(records, WEIGHTING, (PRIOR_ANSWERS,))[0]


def measured_scores(records: Iterable[Record], weighting: Weighting, priors: Sequence[float]) -> list[Floats]:
    """Return the scores of the records with other constants, for each of the priors."""
    recorded = [read_record(orjson.dumps(record)) for record in records]
    model = ScoringModel(fit_tasks(recorded, weighting))
    measured = [measure_record(record, model=model) for record in recorded]
    return [
        np.array([np.nan if signals is None else default_score(signals, prior=prior) for signals in measured])
        for prior in priors
    ]


def family_mean(recorded_sets: Sequence[RecordedSet], value: Callable[[RecordedSet], float]) -> float:
    """Return the mean over families of the mean over their sets."""
    by_family: defaultdict[str, list[float]] = defaultdict(list)
    for recorded_set in recorded_sets:
        by_family[recorded_set.family].append(value(recorded_set))
    return float(np.mean([np.mean(values) for values in by_family.values()]))


def print_means(
    recorded_sets: Sequence[RecordedSet], tables: Mapping[str, Mapping[int, Mapping[str, Row]]], limits: Sequence[int]
) -> None:
    """Print the means over families of the rows that every set has, and where the default score is behind."""
    names = [
        n
        for n in tables[recorded_sets[0].name][limits[0]]
        if all(n in tables[s.name][k] for s in recorded_sets for k in limits)
    ]
    print(f"\nmean AUROC over {len({s.family for s in recorded_sets})} families ({len(recorded_sets)} sets)")
    print(f"  {'':<42}" + "".join(f"{f'{limit} answers':>12}" for limit in limits))
    for name in names:
        means = [family_mean(recorded_sets, lambda s, n=name, k=limit: tables[s.name][k][n].area) for limit in limits]
        print(f"  {name:<42}" + "".join(f"{mean:12.3f}" for mean in means))
    for other in (READINGS, BEST_SIMPLE, LENGTH):
        if other not in names:
            continue
        for limit in limits:
            gaps = {s.name: tables[s.name][limit][OURS].area - tables[s.name][limit][other].area for s in recorded_sets}
            behind = ", ".join(
                f"{name} {gap:+.3f}" for name, gap in sorted(gaps.items(), key=lambda item: item[1]) if gap < -0.01
            )
            print(f"  more than .01 below {other!r} at {limit} answers: {behind or 'on none'}")


def print_twins(recorded_sets: Sequence[RecordedSet]) -> None:
    """Compare the default score of raw text with that of the parsed answers to the same cases."""
    by_name = {s.name: s for s in recorded_sets}
    print("\nraw text against its parsed twin, AUROC on the cases that both have")
    for raw in recorded_sets:
        stem = raw.name.removesuffix(".raw")
        twin = by_name.get(stem) or by_name.get(f"{stem}.parsed")
        if stem == raw.name or twin is None:
            continue
        places = {record["id"].replace(".raw", ""): i for i, record in enumerate(twin.records)}
        shared = [(i, places[key]) for i, r in enumerate(raw.records) if (key := r["id"].replace(".raw", "")) in places]
        if not shared:
            print(f"  {raw.name:<20} no case in common with {twin.name}")
            continue
        left = [raw.records[i] for i, _ in shared]
        right = [twin.records[j] for _, j in shared]
        wrong = raw.wrong[[i for i, _ in shared]]
        areas = [auroc(scores(left), wrong), auroc(scores(right), wrong)]
        print(
            f"  {raw.name:<20} n={len(shared)}: raw {areas[0]:.3f}, parsed {areas[1]:.3f}: {areas[0] - areas[1]:+.3f}"
        )


def print_pool(recorded_sets: Sequence[RecordedSet]) -> None:
    """Compare the ranking of one mixed pool with the rankings within its sets."""
    values = [scores([limited(r, 5) for r in s.records]) for s in recorded_sets]
    within = np.mean([auroc(v, s.wrong) for v, s in zip(values, recorded_sets, strict=True)])
    pooled = auroc(np.concatenate(values), np.concatenate([s.wrong for s in recorded_sets]))
    print(f"\none pool of all sets at 5 answers: AUROC pooled {pooled:.3f}, mean within the sets {within:.3f}")


def print_left_out(recorded_sets: Sequence[RecordedSet]) -> None:
    """Choose the constants on all families but one, and judge them on that one."""
    grid = list(product(WEIGHTINGS, PRIORS))
    areas: dict[str, list[float]] = {}
    for s in recorded_sets:
        records = [limited(record, FEW) for record in s.records]
        columns = [column for weighting in WEIGHTINGS for column in measured_scores(records, weighting, PRIORS)]
        areas[s.name] = [auroc(column, s.wrong) for column in columns]
    shipped = grid.index((WEIGHTING, PRIOR_ANSWERS))
    print(f"\nleave one family out at {FEW} answers: constants chosen on the other families, AUROC on this one")
    gained = []
    for family in sorted({s.family for s in recorded_sets}):
        others = np.mean([areas[s.name] for s in recorded_sets if s.family != family], axis=0)
        left = np.mean([areas[s.name] for s in recorded_sets if s.family == family], axis=0)
        chosen = int(np.argmax(others))
        weighting, prior = grid[chosen]
        gained.append(left[chosen] - left[shipped])
        print(
            f"  {family:<12} kappa^{weighting.kappa_power:g} coverage^{weighting.coverage_power:g} prior {prior:g}:"
            f" {left[chosen]:.4f}; shipped {left[shipped]:.4f}; best in hindsight {left.max():.4f}, worst {left.min():.4f}"
        )
    print(f"  mean of chosen minus shipped: {np.mean(gained):+.4f}")


if __name__ == "__main__":
    main()
