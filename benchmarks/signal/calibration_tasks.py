"""Measure a score that is calibrated by task with pooling, on pools of mixed tasks, one family left out in turn.

    python benchmarks/signal/calibration_tasks.py --data DIR [--labels N ...] [--draws N]

DIR as in `benchmarks/common/recorded_sets.py`; each set is a task, raw texts of a set that is there in parsed form left out. For each
family the pool consists of the sets of all other families. A random slice of it is labelled, and three scores are judged: the default,
one fit for all tasks, and the fit by task. The AUROC is over

* all pairs of the cases of the pool without a label;
* pairs within a task, the mean over the tasks;
* the family that was left out, of which there is no label: an unknown task has the pooled part of the fit.

At the end each set alone: labels of one task give the same fit with and without its name.
Nothing here is chosen: the variances of the effects of tasks are estimated from the labels.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from benchmarks.common.recorded_sets import Bools, Floats, auroc, sets
from curator.disagreement.calibration import calibrate, formula_for
from curator.disagreement.recorded import fit_scoring, measure_record
from curator.disagreement.score import DEFAULT, SCORER, Formula
from curator.disagreement.signals import Signals
from curator.run_folder.recorded import read_record

Values = Callable[[Sequence["LabelledCase"]], Floats]


@dataclass(frozen=True)
class LabelledCase:
    """The signals of a case, its set and family, and whether its answer is wrong."""

    signals: Signals
    task: str
    family: str
    wrong: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of NAME.recorded.jsonl and NAME.labels.jsonl")
    parser.add_argument("--labels", type=int, nargs="+", default=[200, 500])
    parser.add_argument("--draws", type=int, default=1)
    arguments = parser.parse_args()
    cases = list(read_cases(arguments.data))
    families = sorted({case.family for case in cases})
    print(f"against {SCORER}; {len({c.task for c in cases})} sets of {len(families)} families")
    for labels in arguments.labels:
        print(f"\n{labels} labels: AUROC of the default score / one fit for all tasks / a fit by task")
        print(f"{'left out':<14}{'all pairs':>22}{'within tasks':>22}{'left out':>22}")
        rows = []
        for family in families:
            rows.append(np.mean([row(cases, family, labels, draw) for draw in range(arguments.draws)], axis=0))
            print(f"{family:<14}{in_cells(rows[-1])}", flush=True)
        print(f"{'mean':<14}{in_cells(np.mean(rows, axis=0))}")
    print_alone(cases, arguments.labels[0])


def read_cases(folder: Path) -> Iterator[LabelledCase]:
    parsed = {path.name.removesuffix(".recorded.jsonl") for path in folder.glob("*.recorded.jsonl")}
    for recorded_set in sets(folder):
        name = recorded_set.name
        if "," in name or (name.endswith(".raw") and name.removesuffix(".raw") in parsed):
            continue
        records = [read_record(orjson.dumps(record)) for record in recorded_set.records]
        model, _ = fit_scoring(records)
        for record, wrong in zip(records, recorded_set.wrong.tolist(), strict=True):
            if (signals := measure_record(record, model=model)) is not None:
                yield LabelledCase(signals, name, recorded_set.family, wrong)


def row(cases: Sequence[LabelledCase], family: str, labels: int, draw: int) -> Floats:
    """AUROCs (3, 3): over all pairs, within tasks and on the left-out family, by score."""
    pool = [case for case in cases if case.family != family]
    order = np.random.default_rng(draw).permutation(len(pool))
    slice_, rest = [pool[i] for i in order[:labels]], [pool[i] for i in order[labels:]]
    out = [case for case in cases if case.family == family]
    areas = [[pooled(value, rest), within(value, rest), within(value, out)] for value in fits(slice_)]
    return np.array(areas).T


def fits(labelled: Sequence[LabelledCase]) -> list[Values]:
    """The default score, one fit for all tasks, and the fit by task."""
    signals, wrong = [case.signals for case in labelled], [case.wrong for case in labelled]
    for_all = calibrate(signals, wrong)
    by_task = calibrate(signals, wrong, tasks=[case.task for case in labelled])
    return [values_of(DEFAULT), values_of(for_all or DEFAULT), values_of(by_task or DEFAULT)]


def values_of(formula: Formula) -> Values:
    """The scores of cases by a formula, each for its task."""

    def values(cases: Sequence[LabelledCase]) -> Floats:
        formulas = {task: formula_for(formula, task) for task in {case.task for case in cases}}
        return np.array([formulas[case.task].value(case.signals) for case in cases])

    return values


def wrongs(cases: Sequence[LabelledCase]) -> Bools:
    return np.array([case.wrong for case in cases])


def pooled(value: Values, cases: Sequence[LabelledCase]) -> float:
    return auroc(value(cases), wrongs(cases))


def within(value: Values, cases: Sequence[LabelledCase]) -> float:
    by_task = [[case for case in cases if case.task == task] for task in sorted({case.task for case in cases})]
    return float(np.mean([pooled(value, part) for part in by_task if 0 < wrongs(part).mean() < 1]))


def in_cells(areas: Floats) -> str:
    return "".join(f"{' / '.join(f'{value:.3f}' for value in by_score):>22}" for by_score in areas)


def print_alone(cases: Sequence[LabelledCase], labels: int) -> None:
    largest = 0.0
    for task in sorted({case.task for case in cases}):
        part = [case for case in cases if case.task == task]
        order = np.random.default_rng(0).permutation(len(part))[:labels]
        _, for_all, by_task = fits([part[i] for i in order])
        largest = max(largest, float(np.abs(for_all(part) - by_task(part)).max()))
    print(f"\neach set alone: the largest difference of a probability with and without its task is {largest:.6f}")


if __name__ == "__main__":
    main()
