"""Measure how well disagreement finds wrong answers, on recorded generations.

    python benchmarks/signal/disagreement.py --data DIR [--answers N ...]

DIR as in `recorded_sets.py`. For each set and number of answers: AUROC of "the target is wrong" (of "the majority is
wrong" without a target) with a bootstrap 95% interval, and the precision of the top 10% and 20%, for the default
score, for every estimator and baseline (`estimators.py`, `references.py`), and for the length of the answers. Sets of up to
300 cases are the mean of three draws of answers. Then:

* the means over the sets, and the default score against the best single estimator;
* leave one family out: the two constants of the score's formula are chosen on the other families, and judged on this one;
* raw text against the parsed answers of the same generations, where a set NAME.raw stands beside NAME.

What was looked at while the product was made: all four families, for the distance of words (its form and scale), for what
is left of a tie to the wording, and for the members' weights. The constants of the formula are the only numbers that a
table here chooses. So the rows are optimistic; the table of the left-out families says by how little the constants matter.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import orjson

from benchmarks.common.recorded_sets import (
    Floats,
    Record,
    RecordedSet,
    answers,
    auroc,
    interval,
    limited,
    precision_at,
    sets,
)
from benchmarks.signal.estimators import LENGTH, ROWS, read_case
from curator.disagreement.members.health import group_weights
from curator.disagreement.recorded import recorded_health, score_record
from curator.disagreement.score import PRIOR_ANSWERS, SCORER, WORDING_ANSWERS, default_score
from curator.disagreement.signals import Signals
from curator.records.recorded import Recorded
from curator.run_folder.recorded import read_record

DEFAULT = "default score"
PRIORS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
WORDINGS = (0.0, 0.001, 0.01, 0.1, 0.5, 1.0)
SMALL = 300
"""Sets of up to so many cases are averaged over three draws of answers."""


@dataclass(frozen=True)
class Constants:
    """The default score with other constants."""

    prior: float
    wording: float
    name: str = "other constants"

    def value(self, signals: Signals) -> float:
        """See `curator.disagreement.score.Formula`."""
        return default_score(signals, prior=self.prior, wording=self.wording)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of NAME.recorded.jsonl and NAME.labels.jsonl")
    parser.add_argument("--answers", type=int, nargs="*", default=[2, 3, 5, 10], help="answers a case")
    arguments = parser.parse_args()
    recorded_sets = list(sets(arguments.data))
    print(f"scorer {SCORER}; a cell is AUROC [95% interval], precision of the top 10% and of the top 20%")
    tables = {recorded.name: table(recorded, arguments.answers) for recorded in recorded_sets}
    print_means(recorded_sets, tables, arguments.answers)
    print_left_out(recorded_sets, arguments.answers)
    print_raw(recorded_sets)


def table(recorded_set: RecordedSet, limits: Sequence[int]) -> Mapping[int, Mapping[str, float]]:
    """Print the rows of one set; the AUROCs by number of answers and row."""
    most = answers(recorded_set)
    print(
        f"\n{recorded_set.name}: n={len(recorded_set.records)}, up to {most} answers, base rate {recorded_set.wrong.mean():.3f}",
        flush=True,
    )
    columns = {limit: columns_of(recorded_set, limit) for limit in sorted({min(limit, most) for limit in limits})}
    print(f"  {'':<42}" + "".join(f"{f'{limit} answers':<32}" for limit in columns))
    areas: dict[int, dict[str, float]] = {limit: {} for limit in columns}
    for row in (DEFAULT, LENGTH, *ROWS):
        cells = []
        for limit, column in columns.items():
            if row in column:
                low, high = interval(column[row], recorded_set.wrong)
                areas[limit][row] = float(np.mean([auroc(values, recorded_set.wrong) for values in column[row]]))
                at = [
                    np.mean([precision_at(values, recorded_set.wrong, s) for values in column[row]]) for s in (0.1, 0.2)
                ]
                cells.append(f"{areas[limit][row]:.3f} [{low:.3f}, {high:.3f}] {at[0]:.2f} {at[1]:.2f}")
        if cells:
            print(f"  {row:<42}" + "".join(f"{cell:<32}" for cell in cells))
    return {limit: areas[min(limit, most)] for limit in limits}


def columns_of(recorded_set: RecordedSet, limit: int) -> Mapping[str, Sequence[Floats]]:
    """The values of every row that every case has, for each draw of answers."""
    draws = 3 if limit < answers(recorded_set) and len(recorded_set.records) <= SMALL else 1
    columns: dict[str, list[Floats]] = {}
    for draw in range(draws):
        records = [limited(record, limit, draw) for record in recorded_set.records]
        cases = [read_case(record) for record in records]
        columns.setdefault(DEFAULT, []).append(scores(records))
        columns.setdefault(LENGTH, []).append(np.array([case.mean_length for case in cases]))
        for name, value in ROWS.items():
            values = np.array([math.nan if (v := value(case)) is None else v for case in cases])
            if not np.isnan(values).any():
                columns.setdefault(name, []).append(values)
    return columns


def scores(records: Iterable[Record], formula: Constants | None = None) -> Floats:
    """Return the default score of each record as in `curator score`, or with other constants."""
    recorded = [read_record(orjson.dumps(record)) for record in records]
    weights = group_weights(recorded_health(recorded))
    return np.array([value(record, weights, formula) for record in recorded])


def value(record: Recorded, weights: Mapping[str, float], formula: Constants | None) -> float:
    score = score_record(record, weights=weights, **({} if formula is None else {"formula": formula}))
    if score.disagreement is None:
        raise SystemExit(f"{record.id}: fewer than two answers")
    return score.disagreement


def print_means(
    recorded_sets: Sequence[RecordedSet], tables: Mapping[str, Mapping[int, Mapping[str, float]]], limits: Sequence[int]
) -> None:
    """Print the means of the rows that all sets have, and the default score against the best."""
    print(f"\nmean AUROC over {len(recorded_sets)} sets (rows that every set has)")
    print(f"  {'':<42}" + "".join(f"{f'{limit} answers':>12}" for limit in limits))
    everywhere = [
        r for r in (DEFAULT, LENGTH, *ROWS) if all(r in tables[s.name][n] for s in recorded_sets for n in limits)
    ]
    means = {
        row: [float(np.mean([tables[s.name][n][row] for s in recorded_sets])) for n in limits] for row in everywhere
    }
    for row in sorted(means, key=lambda row: -sum(means[row])):
        print(f"  {row:<42}" + "".join(f"{mean:12.3f}" for mean in means[row]))
    best = max((row for row in means if row != DEFAULT), key=lambda row: sum(means[row]))
    print(f"  the default score is better than the best single one ({best}) by", end=" ")
    print(", ".join(f"{means[DEFAULT][i] - means[best][i]:+.3f}" for i in range(len(limits))))
    print("\nthe default score against the best row of each set (its own interval is in the table above)")
    for recorded_set in recorded_sets:
        cells = []
        for limit in limits:
            rows = {row: area for row, area in tables[recorded_set.name][limit].items() if row != DEFAULT}
            top = max(rows, key=rows.__getitem__)
            cells.append(f"{limit}: {tables[recorded_set.name][limit][DEFAULT] - rows[top]:+.3f} {top}")
        print(f"  {recorded_set.name}\n    " + "\n    ".join(cells))


def print_left_out(recorded_sets: Sequence[RecordedSet], limits: Sequence[int]) -> None:
    """Choose the constants on all families but one, and judge them on that one."""
    grid = [Constants(prior, wording) for prior, wording in product(PRIORS, WORDINGS)]
    areas: dict[str, list[float]] = {}
    for recorded_set in recorded_sets:
        per_limit = []
        for limit in sorted({min(limit, answers(recorded_set)) for limit in limits}):
            records = [limited(record, limit) for record in recorded_set.records]
            per_limit.append([auroc(scores(records, constants), recorded_set.wrong) for constants in grid])
        areas[recorded_set.name] = np.mean(per_limit, axis=0).tolist()
    ours = grid.index(Constants(PRIOR_ANSWERS, WORDING_ANSWERS))
    print("\nleave one family out: constants chosen on the other families, AUROC on this one (mean over answers)")
    for family in sorted({recorded_set.family for recorded_set in recorded_sets}):
        other_families = np.mean(
            [areas[recorded_set.name] for recorded_set in recorded_sets if recorded_set.family != family], axis=0
        )
        left = np.mean(
            [areas[recorded_set.name] for recorded_set in recorded_sets if recorded_set.family == family], axis=0
        )
        chosen = int(np.argmax(other_families))
        print(
            f"  {family:<8} prior {grid[chosen].prior:g}, wording {grid[chosen].wording:g}: {left[chosen]:.4f};"
            f" shipped ({PRIOR_ANSWERS:g}, {WORDING_ANSWERS:g}): {left[ours]:.4f};"
            f" best in hindsight {left.max():.4f}, worst {left.min():.4f}"
        )


def print_raw(recorded_sets: Sequence[RecordedSet]) -> None:
    """Compare answers read from raw text with the parsed answers of the same generations."""
    by_name = {recorded_set.name: recorded_set for recorded_set in recorded_sets}
    print("\nraw text against parsed answers: AUROC of the committee's own disagreement, by class alone")
    for recorded_set in recorded_sets:
        parsed = by_name.get(recorded_set.name.removesuffix(".raw"))
        if parsed is None or parsed is recorded_set:
            continue
        twins = {record["id"]: twin(record) for record in parsed.records}
        raw = own_disagreement([{**record, "target": None} for record in recorded_set.records])
        of_parsed = own_disagreement([twins[record["id"]] for record in recorded_set.records])
        areas = [auroc(values, recorded_set.wrong) for values in (raw, of_parsed)]
        print(f"  {recorded_set.name:<16} raw {areas[0]:.4f}, parsed {areas[1]:.4f}: {areas[0] - areas[1]:+.4f}")


def twin(record: Record) -> Record:
    """Add the target to the answers of a parsed record, because the raw one has it there."""
    more = [] if record.get("target") is None else [{"text": record["target"]}]
    return {**record, "target": None, "generations": [*record["generations"], *more]}


def own_disagreement(records: Iterable[Record]) -> Floats:
    scored = [score_record(read_record(orjson.dumps(record))) for record in records]
    return np.array([(score.within or 0.0) + (score.between or 0.0) for score in scored])


if __name__ == "__main__":
    main()
