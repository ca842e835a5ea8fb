"""Compare rules that stop a loop: wrong stops in simulated loops, and the distance from the best stop on label sets.

    python -m benchmarks.estimation.stopping [--data DIR --cache DIR] [--seeds 5] [--draws 12] [--most 1750] [--cases 4400]

Simulated loops: 400 of them, 80 of each family of `stopping_simulation.py`, 100 labels and 19 rounds of 75. The true gain of each
round is given. A stop is wrong where the true gain of one of the two coming rounds is at or above the threshold. On a level curve no
stop is wrong; the share of them that is stopped is the rule's power. A line rises by exactly the threshold in every round: every
stop is wrong, and a rule has 20 looks to make one. `late` is the median of the rounds after the best stop, as below.

Label sets (`--data`; see `benchmarks/selection/training_pools.py`): the loop of `stopping_curves.py`. The true gain is that of the
mean accuracy over seeds on the whole test set, smoothed by the concave increasing curve with the least squared error. The best stop
in hindsight is the first round after which every true gain is below the threshold. A rule sees held-out cases drawn from the test set
with replacement, as from endless traffic. For each rule: the median of the stop's labels over those of the best stop; the share of
loops stopped within 10% of it, and before it; and the points that the stop loses: score less the threshold for each round, at
the best stop less at the rule's. A loop that is not stopped counts as stopped at its last round. `true gains twice` sees the true
gains, and stops like ours after two rounds in a row below the threshold: no rule that needs two rounds can be nearer.

Nothing in our rule is chosen by these label sets: the tail of a look is chosen by the simulation. `ours, chosen by the others` has the
confidence with the least mean distance on the other sets, so that its figure on a set is judged without it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from benchmarks.common.harness import Check
from benchmarks.estimation.stopping_curves import BATCH, RealCurve, stored_curves
from benchmarks.estimation.stopping_rules import PEERS, Floats, Loop, first, kappas_of, ours, upper_ends
from benchmarks.estimation.stopping_simulation import FAMILIES, ROUNDS, simulated, true_curve
from benchmarks.selection.training_pools import Source
from curator.estimation.stop_rule import StopRule, planned_power

SETS = ("banking77", "clinc150", "domains", "binary", "skewed")
CASES = (200, 400, 1000)
GAINS = (0.01, 0.005, 0.0025)
CONFIDENCES = (0.95, 0.8, 0.5)
LOOPS = 400
NEAR = 0.1
WRONG = 0.05
OURS = "ours"
TRUE = "true gains twice"
CHOSEN = "ours, chosen by the others"


@dataclass(frozen=True)
class Truth:
    """The true scores of the rounds, their gains, and the best stop for a threshold."""

    labels: Floats
    scores: Floats
    threshold: float

    @property
    def below(self) -> list[bool]:
        """True for each round after which the gain is below the threshold."""
        return [bool(gain < self.threshold - 1e-12) for gain in np.diff(self.scores)]

    @property
    def best(self) -> int:
        """The first round after which every gain is below the threshold; the last round where there is none."""
        marks = self.below
        return len(marks) - next((i for i, mark in enumerate(reversed(marks)) if not mark), len(marks))

    def lost(self, stop: int) -> float:
        """Points that a stop loses against the best."""
        net = self.scores - self.threshold * np.arange(len(self.scores))
        return float(100 * (net[self.best] - net[stop]))


def name_of(confidence: float) -> str:
    return OURS if confidence == CONFIDENCES[0] else f"ours, confidence {confidence:g}"


def stops_of(loop: Loop, threshold: float, ends: Mapping[float, Floats]) -> dict[str, int | None]:
    """The round in which each rule stops a loop; `ends` are our upper ends by confidence."""
    stops = {
        name_of(confidence): ours(values, StopRule(min_gain=threshold, round_labels=BATCH))
        for confidence, values in ends.items()
    }
    rule = StopRule(min_gain=threshold, round_labels=BATCH)
    return stops | {name: peer(loop, rule) for name, peer in PEERS.items()}


def ends_of(loop: Loop) -> dict[float, Floats]:
    return {c: upper_ends(loop, StopRule(round_labels=BATCH, confidence=c)) for c in CONFIDENCES}


def simulate(loops: int, threshold: float) -> list[Check]:
    """Print wrong stops, stops and lateness by family and rule."""
    checks = []
    print(
        f"\n{loops} simulated loops, threshold {threshold:g} a round: % wrong stops / % stopped / rounds late (median)"
    )
    for cases in CASES:
        rows: dict[str, dict[str, list[tuple[bool, bool, int]]]] = {}
        for place, family in enumerate(FAMILIES):
            for repetition in range(loops // len(FAMILIES)):
                draws = np.random.default_rng([cases, place, repetition])
                curve = true_curve(family, draws, threshold)
                loop = simulated(curve, draws, cases)
                gains = np.diff(curve)
                truth = Truth(loop.labels, curve[: ROUNDS + 1], threshold)
                for rule, stop in stops_of(loop, threshold, ends_of(loop)).items():
                    wrong = stop is not None and bool((gains[stop : stop + 2] >= threshold - 1e-12).any())
                    late = (ROUNDS if stop is None else stop) - truth.best
                    rows.setdefault(rule, {}).setdefault(family, []).append((wrong, stop is not None, late))
        print(
            f"{f'{cases} held-out cases':<40}" + "".join(f"{family:>24}" for family in FAMILIES) + f"{'all wrong':>12}"
        )
        for rule, families in rows.items():
            if rule == "kappa average .99":
                continue
            cells = [np.array(results, float) for results in families.values()]
            texts = [
                f"{100 * c[:, 0].mean():.0f} / {100 * c[:, 1].mean():.0f} / {np.median(c[:, 2]):+.0f}" for c in cells
            ]
            wrong = float(np.mean([c[:, 0].mean() for c in cells]))
            print(f"{rule:<40}" + "".join(f"{text:>24}" for text in texts) + f"{100 * wrong:>11.1f}%")
            if rule == OURS:
                worst = max(float(c[:, 0].mean()) for c in cells)
                checks.append(Check(f"wrong stops of {loops}, {cases} held-out cases", wrong, WRONG))
                checks.append(Check(f"the same, in the worst family of {len(FAMILIES)}", worst, WRONG))
    return checks


def smoothed(labels: Floats, scores: Floats) -> Floats:
    """The concave increasing curve with the least squared error: a sum of ramps that end at the rounds."""
    ramps = [np.minimum(labels, end) - labels[0] for end in labels[1:]]
    design = np.column_stack([np.ones(len(labels)), *ramps])
    weights, _ = nnls(design, scores)
    fitted: Floats = design @ weights
    return fitted


def judged(curves: Sequence[RealCurve], cases: int, draws: int) -> tuple[list[Loop], list[dict[float, Floats]]]:
    """Loops with held-out cases drawn from the test set, and our upper ends for each."""
    loops = []
    for seed, curve in enumerate(curves):
        generator = np.random.default_rng([seed, cases])
        kappas = kappas_of(curve.classes)
        for _ in range(draws):
            drawn = generator.integers(curve.correct.shape[1], size=cases)
            loops.append(Loop(curve.labels.astype(float), curve.correct[:, drawn].astype(float), kappas))
    return loops, [ends_of(loop) for loop in loops]


def distance(stops: Sequence[int | None], truth: Truth) -> Floats:
    """Each stop's labels over those of the best stop; the last round for a loop that was not stopped."""
    labels = [truth.labels[-1 if stop is None else stop] for stop in stops]
    return np.array(labels) / truth.labels[truth.best]


def report_sets(curves: Mapping[str, Sequence[RealCurve]], draws: int) -> list[Check]:
    """Print the stops of each rule on each label set."""
    scores = {name: np.mean([c.correct.mean(axis=1) for c in of], axis=0) for name, of in curves.items()}
    labels = {name: of[0].labels.astype(float) for name, of in curves.items()}
    print_curves(curves, labels, scores)
    checks = []
    for cases in CASES:
        loops = {name: judged(of, cases, draws) for name, of in curves.items()}
        for threshold in GAINS:
            truths = {n: Truth(labels[n], smoothed(labels[n], scores[n]), threshold) for n in curves}
            stops: dict[str, dict[str, list[int | None]]] = {}
            for name, (those, ends) in loops.items():
                for loop, upper in zip(those, ends, strict=True):
                    for rule, stop in stops_of(loop, threshold, upper).items():
                        stops.setdefault(rule, {}).setdefault(name, []).append(stop)
                stops.setdefault(TRUE, {})[name] = [first(truths[name].below, 2, 0)]
            stops[CHOSEN] = chosen_by_others(stops, truths)
            near = print_stops(stops, truths, cases, threshold)
            checks.append(
                Check(f"sets stopped within 10%, {cases} cases, threshold {threshold:g}", near, 4, at_least=True)
            )
    return checks


def chosen_by_others(
    stops: Mapping[str, Mapping[str, list[int | None]]], truths: Mapping[str, Truth]
) -> dict[str, list[int | None]]:
    """The stops on each set with the confidence that has the least mean distance on the other sets."""
    result = {}
    for name in truths:
        others = [other for other in truths if other != name]

        def mean(confidence: float, others: Sequence[str] = others) -> float:
            rule = stops[name_of(confidence)]
            return float(np.mean([np.abs(np.log(distance(rule[o], truths[o]))).mean() for o in others]))

        result[name] = stops[name_of(min(CONFIDENCES, key=mean))][name]
    return result


def print_stops(
    stops: Mapping[str, Mapping[str, list[int | None]]], truths: Mapping[str, Truth], cases: int, threshold: float
) -> int:
    """Print a table, and give the number of sets that ours stops within 10% of the best, by the median."""
    print(f"\n{cases} held-out cases, threshold {threshold:g}: stop / best, % within 10%, % early, points lost")
    heads = [f"{name} ({truth.labels[truth.best]:.0f})" for name, truth in truths.items()]
    print(f"{'best stop in hindsight at':<38}" + "".join(f"{head:>24}" for head in heads))
    near = 0
    for rule, by_set in stops.items():
        cells = []
        for name, those in by_set.items():
            truth = truths[name]
            ratio = distance(those, truth)
            lost = np.mean([truth.lost(len(truth.labels) - 1 if stop is None else stop) for stop in those])
            within, early = (np.abs(ratio - 1) <= NEAR + 1e-9).mean(), (ratio < 1).mean()
            cells.append(f"{np.median(ratio):.2f} {100 * within:3.0f}% {100 * early:3.0f}% {lost:4.1f}")
            near += rule == OURS and abs(float(np.median(ratio)) - 1) <= NEAR + 1e-9
        print(f"{rule:<38}" + "".join(f"{cell:>24}" for cell in cells))
    return near


def print_curves(
    curves: Mapping[str, Sequence[RealCurve]], labels: Mapping[str, Floats], scores: Mapping[str, Floats]
) -> None:
    """Print the curves, the share of cases that rounds differ on, and the planned power with it."""
    for name, of in curves.items():
        differing = np.mean([(c.correct[1:] != c.correct[:-1]).mean(axis=1) for c in of], axis=0)
        print(f"\n{name}: {len(of)} loops")
        print("  labels    " + "".join(f"{n:6.0f}" for n in labels[name][::2]))
        print("  accuracy  " + "".join(f"{100 * value:6.1f}" for value in scores[name][::2]))
        print("  differing " + "".join(f"{100 * value:6.1f}" for value in differing[::2]))
        rise = float(scores[name][8] - scores[name][0])
        share = float(differing[:8].mean())
        for cases in CASES:
            print("  " + planned_power(cases, StopRule(), seed_labels=100, differing=share, rise=rise).sentence)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, help="folder of banking77/ and clinc-oos/; without it only the simulation runs"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path(".stopping"), help="folder that keeps the vectors and curves"
    )
    parser.add_argument("--sets", nargs="+", default=[*SETS], choices=[*SETS])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--draws", type=int, default=12, help="held-out sets for each loop")
    parser.add_argument("--most", type=int, default=1750, help="labels at which a loop ends")
    parser.add_argument("--cases", type=int, default=4400, help="the most cases to choose from")
    parser.add_argument("--loops", type=int, default=LOOPS, help="simulated loops")
    settings = parser.parse_args()
    checks = simulate(settings.loops, GAINS[0])
    if settings.data:
        source = Source(settings.data, settings.cache, settings.cases, None)
        curves = {
            name: stored_curves(source, settings.cache, name, "ours", seeds=settings.seeds, most=settings.most)
            for name in settings.sets
        }
        checks += report_sets(curves, settings.draws)
    print()
    for check in checks:
        print(check.line())


if __name__ == "__main__":
    main()
