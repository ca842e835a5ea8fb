"""Compare what `curator committee` predicts of a larger committee with what the larger committee measures.

    python benchmarks/signal/committee_advice.py --data DIR [--draws N] [--cases N] [SET ...]

DIR/recorded holds pairs NAME.recorded.jsonl (contract 4 of docs/architecture.md) and NAME.labels.jsonl. Of each set with
enough models, variants or repeats, so many of them are drawn as the present committee, and the reliability and the AUROC
of a larger one are predicted from those answers alone. The measured reliability is the rank correlation of two committees of
that size that share no unit, the measured AUROC that of one of them, both as means over the same draws. No constant is fitted
to these sets.

Baselines for the prediction: no change, and the Spearman-Brown formula from the mean rank correlation of two answers'
halves, which does not know whether models, variants or repeats are added.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from benchmarks.common.recorded_sets import RecordedSet, auroc, sets
from curator.disagreement.recorded import fit_scoring, score_record
from curator.disagreement.scoring_model import ScoringModel
from curator.estimation.committee_design import (
    Facet,
    NoiseModel,
    Seat,
    attenuated_auroc,
    draw_parts,
    fit_noise,
)
from curator.records.recorded import Answered, Recorded
from curator.run_folder.recorded import read_record
from curator.stats import spearman

Floats = NDArray[np.float64]
PRESENT = (4, 5, 6)
"""Units of the present committee."""
MORE = (1, 2)
"""Units that are added."""
FIELDS: dict[Facet, int] = {"model": 1, "variant": 2, "repeat": 3}


@dataclass(frozen=True)
class Prediction:
    """The figures of one draw: predicted and measured, before and after."""

    reliability: tuple[float, float]
    low: float
    high: float
    spearman_brown: float
    measured: tuple[float, float]
    auroc: tuple[float, float, float]
    """Measured before, predicted after, measured after."""


class Committee:
    """A recorded set, its seats, and the scores of any of its parts."""

    def __init__(self, recorded: RecordedSet, cases: int) -> None:
        step = max(1, len(recorded.records) // cases)
        self.records = [read_record(orjson.dumps(r)) for r in recorded.records[::step]][:cases]
        self.wrong = recorded.wrong[::step][:cases]
        self.model = fit_scoring(self.records, equal_members=True)[0]
        self.seated = [seats_of(record.answers) for record in self.records]
        counts: dict[Seat, int] = {}
        for of_case in self.seated:
            for seat in of_case:
                counts[seat] = counts.get(seat, 0) + 1
        self.seats = sorted(seat for seat, count in counts.items() if count >= 0.9 * len(self.records))
        self._scores: dict[tuple[Seat, ...], Floats] = {}

    def scores(self, part: Sequence[Seat]) -> Floats:
        """The score of each case by a part; NaN where half of its answers are missing."""
        key = tuple(sorted(part))
        if key not in self._scores:
            self._scores[key] = np.array(
                [_score(r, s, key, self.model) for r, s in zip(self.records, self.seated, strict=True)]
            )
        return self._scores[key]


def _score(record: Recorded, seated: dict[Seat, Answered], part: tuple[Seat, ...], model: ScoringModel) -> float:
    answers = tuple(seated[seat] for seat in part if seat in seated)
    enough = 2 * len(answers) >= len(part)
    value = score_record(replace(record, answers=answers), model=model).disagreement if enough else None
    return np.nan if value is None else value


def seats_of(answers: Sequence[Answered]) -> dict[Seat, Answered]:
    counts: dict[tuple[str, str], int] = {}
    seated = {}
    for answer in answers:
        cell = (answer.model, answer.prompt_id)
        counts[cell] = counts.get(cell, -1) + 1
        seated[Seat(*cell, counts[cell])] = answer
    return seated


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with `recorded`")
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("sets", nargs="*", help="names of sets (default: all)")
    arguments = parser.parse_args()
    print("reliability: rank correlation of the scores of two committees; AUROC of `the answer in question is wrong`")
    print(f"{'set':<34}{'facet':<9}{'units':<8}{'now':>11}{'then: predicted':>17}{'S-B':>6}{'measured':>10}", end="")
    print(f"{'covered':>9}{'AUROC':>8}{'predicted':>11}{'measured':>10}")
    rows = []
    for recorded in sets(arguments.data / "recorded"):
        if arguments.sets and recorded.name not in arguments.sets:
            continue
        committee = Committee(recorded, arguments.cases)
        for facet in FIELDS:
            for units in PRESENT:
                for more in MORE:
                    if found := predictions(committee, facet, units, more, arguments.draws):
                        rows.append((recorded.family, found))
                        print(line(recorded.name, facet, f"{units} + {more}", found), flush=True)
        if found := choices(committee, arguments.draws):
            print_choice(recorded.name, found)
    if rows:
        summary(rows)


def choices(committee: Committee, draws: int) -> list[tuple[float, ...]]:
    """Compare two additions to three variants with two repeats each; [] if the set is too small.

    Returns for each draw the AUROC now, and the predicted and the measured one with a further variant and with two further
    repeats of each.
    """
    counts: dict[tuple[str, str], int] = {}
    for seat in committee.seats:
        counts[seat[:2]] = counts.get(seat[:2], 0) + 1
    usable = sorted(cell for cell, count in counts.items() if count >= 8)
    if len(usable) < 4:
        return []
    rng = np.random.default_rng(1)
    rows = []
    for _ in range(draws):
        variants = [usable[place] for place in rng.permutation(len(usable))]
        repeats = rng.permutation(8).tolist()

        def seats(cells: int, answers: int, variants: list[Any] = variants, repeats: list[int] = repeats) -> list[Seat]:
            return [Seat(*cell, repeat) for cell in variants[:cells] for repeat in repeats[:answers]]

        present = seats(3, 2)
        parts = draw_parts(present, rng)
        noise = fit_noise(parts, np.array([committee.scores(part) for part in parts]), rng)
        if noise is None:
            continue
        now = _auroc(committee.scores(present), committee.wrong)
        row = [now]
        for larger in (seats(4, 2), seats(3, 4)):
            before, after = (noise.reliability(cells(part)).value for part in (present, larger))
            row += [attenuated_auroc(now, before, after), _auroc(committee.scores(larger), committee.wrong)]
        rows.append(tuple(row))
    return rows


def print_choice(name: str, rows: Sequence[tuple[float, ...]]) -> None:
    now, *others = np.mean(rows, axis=0)
    print(
        f"{name}: 3 variants x 2 repeats, AUROC {now:.3f}; with 1 variant more predicted {others[0]:.3f}, measured"
        f" {others[1]:.3f}; with 2 repeats more predicted {others[2]:.3f}, measured {others[3]:.3f}"
    )


def predictions(committee: Committee, facet: Facet, units: int, more: int, draws: int) -> list[Prediction]:
    """Predict and measure for several draws of the present committee; [] if the set is too small."""
    fields = FIELDS[facet]
    seats = committee.seats
    if facet == "repeat":  # the cell with the most answers
        cells = {seat[:2] for seat in seats}
        largest = max(sorted(cells), key=lambda cell: sum(seat[:2] == cell for seat in seats))
        seats = [seat for seat in seats if seat[:2] == largest]
    else:  # one answer of each cell
        seats = [seat for seat in seats if seat.repeat == 0]
        if facet == "variant" and len({seat.model for seat in seats}) > 1:
            return []
    names = sorted({seat[:fields] for seat in seats})
    if len(names) < 2 * (units + more):
        return []
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        order = [names[place] for place in rng.permutation(len(names))]
        of = lambda chosen: [seat for seat in seats if seat[:fields] in chosen]  # noqa: E731
        now, then = order[:units], order[: units + more]
        others = order[units + more :]
        present = of(now)
        parts = draw_parts(present, rng)
        noise = fit_noise(parts, np.array([committee.scores(part) for part in parts]), rng)
        if noise is None:
            continue
        found.append(predicted(committee, noise, present, of(then), of(others[:units]), of(others[: units + more])))
    return found


def predicted(
    committee: Committee,
    noise: NoiseModel,
    present: Sequence[Seat],
    larger: Sequence[Seat],
    other: Sequence[Seat],
    other_larger: Sequence[Seat],
) -> Prediction:
    before, after = (noise.reliability(cells(part)) for part in (present, larger))
    scores = {name: committee.scores(part) for name, part in
              (("x", present), ("X", larger), ("y", other), ("Y", other_larger))}  # fmt: skip
    areas = [_auroc(scores[name], committee.wrong) for name in ("x", "X")]
    n, m = len(present), len(larger)
    one = before.value / (n - (n - 1) * before.value)  # of one answer
    return Prediction(
        reliability=(before.value, after.value),
        low=after.low,
        high=after.high,
        spearman_brown=m * one / (1 + (m - 1) * one),
        measured=(_rho(scores["x"], scores["y"]), _rho(scores["X"], scores["Y"])),
        auroc=(areas[0], attenuated_auroc(areas[0], before.value, after.value), areas[1]),
    )


def cells(part: Sequence[Seat]) -> dict[tuple[str, str], float]:
    counts: dict[tuple[str, str], float] = {}
    for seat in part:
        counts[seat[:2]] = counts.get(seat[:2], 0.0) + 1
    return counts


def _rho(x: Floats, y: Floats) -> float:
    both = np.isfinite(x) & np.isfinite(y)
    return spearman(x[both], y[both]).value or 0.0


def _auroc(values: Floats, wrong: NDArray[np.bool_]) -> float:
    there = np.isfinite(values)
    return auroc(values[there], wrong[there])


def line(name: str, facet: str, units: str, rows: Sequence[Prediction]) -> str:
    mean = lambda value: float(np.mean([value(row) for row in rows]))  # noqa: E731
    covered = np.mean([row.low <= row.measured[1] <= row.high for row in rows])
    return (
        f"{name:<34}{facet:<9}{units:<8}{mean(lambda r: r.reliability[0]):>5.2f} {mean(lambda r: r.measured[0]):>5.2f}"
        f"{mean(lambda r: r.reliability[1]):>17.3f}{mean(lambda r: r.spearman_brown):>6.2f}{mean(lambda r: r.measured[1]):>10.3f}"
        f"{covered:>9.2f}{mean(lambda r: r.auroc[0]):>8.3f}{mean(lambda r: r.auroc[1]):>11.3f}{mean(lambda r: r.auroc[2]):>10.3f}"
    )


def summary(rows: Sequence[tuple[str, Sequence[Prediction]]]) -> None:
    """Print the mean absolute errors over the rows, each family counting once."""
    families = sorted({family for family, _ in rows})

    def error(value: str) -> float:
        by_family = []
        for family in families:
            misses = []
            for of, found in rows:
                if of == family:
                    misses.append(abs(float(np.mean([_miss(row, value) for row in found]))))
            by_family.append(np.mean(misses))
        return float(np.mean(by_family))

    covered = np.mean([np.mean([r.low <= r.measured[1] <= r.high for r in found]) for _, found in rows])
    print(f"\n{len(rows)} rows of {len(families)} families; mean absolute error, each family counting once:")
    print(f"  reliability of the larger committee: predicted {error('reliability'):.3f}, no change {error('none'):.3f}")
    print(f"  its gain in reliability: predicted {error('gain'):.3f}, no change {error('no gain'):.3f}")
    print(f"  AUROC of the larger committee: predicted {error('auroc'):.4f}, no change {error('auroc none'):.4f}")
    print(f"  intervals of the reliability that hold the measured one: {covered:.2f}")


def _miss(row: Prediction, value: str) -> float:
    now, then = row.measured
    before, after = row.reliability
    return {
        "reliability": after - then,
        "none": before - then,
        "gain": (after - before) - (then - now),
        "no gain": then - now,
        "auroc": row.auroc[1] - row.auroc[2],
        "auroc none": row.auroc[0] - row.auroc[2],
    }[value]


if __name__ == "__main__":
    main()
