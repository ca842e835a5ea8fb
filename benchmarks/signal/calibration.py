"""Measure the gain of a score fitted to a few hundred labels, on recorded generations.

    python benchmarks/signal/calibration.py --data DIR [--labels N ...] [--draws N]

DIR is that of `disagreement.py`. For each number of labels a random slice is drawn so many times. A line gives, as means
over the draws, the AUROC of the default score and of the fitted one on the cases that were *not* labelled, and what the
labelled ones said of it: the cross-fitted gain with its 95% interval, and how often that led to the fit being used. The
last two columns are what a user gets who follows the verdict, and the worst draw of those that were used.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from benchmarks.signal.disagreement import sets
from curator.disagreement.calibration import LEAST_OF_EACH, auroc, calibrate
from curator.disagreement.recorded import fit_scoring, measure_record
from curator.disagreement.score import SCORER, default_score
from curator.disagreement.signals import Signals
from curator.run_folder.recorded import read_record

SEED = 0
LEAST_LEFT = 50
"""Cases that must stay unlabelled, or there is nothing to measure on."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of NAME.recorded.jsonl and NAME.labels.jsonl")
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 200, 500])
    parser.add_argument("--draws", type=int, default=6)
    arguments = parser.parse_args()
    print(f"against {SCORER}; gain in AUROC of `the target is wrong`, {arguments.draws} random slices each")
    print("labels  default   fitted  real gain  measured gain [95% interval]    used  gain got  worst used")
    for name, records, wrong in sets(arguments.data):
        recorded = [read_record(orjson.dumps(record)) for record in records]
        model, _ = fit_scoring(recorded)
        measured = [measure_record(record, model=model) for record in recorded]
        enough = np.array([signals_of_case is not None for signals_of_case in measured])
        print(f"\n{name}: n={enough.sum()}, base rate {wrong[enough].mean():.3f}")
        signals = [signals_of_case for signals_of_case in measured if signals_of_case is not None]
        for labels in arguments.labels:
            print(row(signals, wrong[enough], labels, draws=arguments.draws))


def row(signals: Sequence[Signals], wrong: NDArray[np.bool_], labels: int, *, draws: int) -> str:
    """The line of one number of labels."""
    if labels + LEAST_LEFT > len(signals):
        return f"{labels:>6}  too few cases"
    fits = []
    for seed in range(draws):
        order = np.random.default_rng(SEED + seed).permutation(len(signals))
        labelled, rest = order[:labels], order[labels:]
        fit = calibrate([signals[i] for i in labelled], wrong[labelled].tolist())
        if fit is not None:
            values = [[score(signals[i]) for i in rest] for score in (default_score, fit.value)]
            areas = [auroc(np.array(v), wrong[rest], np.ones((1, len(rest))))[0] for v in values]
            fits.append((*areas, fit.gain, fit.low, fit.high, fit.better))
    if not fits:
        return f"{labels:>6}  too few failures or passes: it takes {LEAST_OF_EACH} of each"
    default, fitted, gain, low, high, better = np.array(fits).T
    real = fitted - default
    worst = f"{real[better > 0].min():+.3f}" if better.any() else "-"
    return (
        f"{labels:>6}    {default.mean():.3f}    {fitted.mean():.3f}     {real.mean():+.3f}  {gain.mean():+.3f}"
        f" [{low.mean():+.3f}, {high.mean():+.3f}]          {int(better.sum())}/{len(fits)}"
        f"    {(real * better).mean():+.3f}  {worst:>10}"
    )


if __name__ == "__main__":
    main()
