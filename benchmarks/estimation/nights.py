"""Check the rates that carry over nights: simulated histories of three nights, whose truth is known.

    python benchmarks/estimation/nights.py [--histories 1000]

A history: a pool that grows by a third to a full night each night, whose failures drift, of 6 to 12 categories with rates of their own; a
score that says a lot, little or nothing; discovery picks the riskiest cases as certain; every night a part of its draw is labelled, in the
order of the queue, the rest stays open. After every fifth label (a look) the rate of the covered cases is estimated. Printed are

* the coverage of the 90% interval over all looks, and after the last label of each night,
* the share of histories in which the 90% confidence sequence covers at all looks of all nights together, beside that of the interval,
* the widths of both, and of the interval from the last night's labels alone,
* the coverage and width of the 90% interval of categories with 3 labels or more, pooled and by their own labels, and
* how often the 90% bound of the failures of unseen kinds holds.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from curator.errors import Refused
from curator.estimation.domains import domain_estimates
from curator.estimation.failure_rate import Estimate, estimate
from curator.estimation.labelled_pool import label_pool
from curator.estimation.partial_pooling import MIN_LABELS_OF_CATEGORY
from curator.estimation.sample_design import Stage, draw
from curator.estimation.sampling_frame import SamplingFrame, SamplingUnit, build_frame
from curator.estimation.unseen_kinds import unseen_kinds

NIGHTS = 3
CONFIDENCE = 0.9
LOOK = 5
"""Labels between two looks."""
CATEGORY = "category"


@dataclass
class World:
    """All cases of a history by night, their failures, and the kinds of these."""

    units: list[list[SamplingUnit]]
    failures: dict[str, float]
    kinds: dict[str, str]


@dataclass
class Tally:
    """Coverages and widths, by name."""

    covers: defaultdict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    widths: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, ends: tuple[float, float], truth: float) -> bool:
        """Count an interval; return whether it covers."""
        covered = ends[0] - 1e-9 <= truth <= ends[1] + 1e-9
        self.covers[name].append(covered)
        self.widths[name].append(ends[1] - ends[0])
        return covered


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=1000)
    arguments = parser.parse_args()
    started = time.perf_counter()
    tally = Tally()
    for seed in range(arguments.histories):
        history(seed, tally)
    report(tally, arguments.histories)
    print(f"({time.perf_counter() - started:,.0f} s)")


def world(rng: np.random.Generator) -> World:
    """Make the cases of three nights."""
    categories = int(rng.integers(6, 13))
    popularity = rng.dirichlet(np.full(categories, 1.5))
    base = rng.beta(1.2, rng.choice([3.0, 6.0, 12.0]), categories)
    informative = rng.choice([0.0, 0.5, 1.0])
    kinds_of = rng.dirichlet(np.full(int(rng.integers(3, 30)), 0.5))
    units, failures, kinds = [], {}, {}
    sizes = (int(rng.integers(200, 500)), *(int(rng.integers(70, 400)) for _ in range(NIGHTS - 1)))
    for night, size in enumerate(sizes):
        category = rng.choice(categories, size, p=popularity)
        rate = np.clip(base[category] * rng.uniform(0.7, 1.4), 0.005, 0.95)
        failed = rng.random(size) < rate
        noise = rng.normal(size=size)
        score = 1 / (1 + np.exp(-(informative * (2 * failed - 0.5) + noise)))
        weights = np.where(rng.random(size) < 0.1, rng.integers(2, 6, size), 1)
        of_night = []
        for number in range(size):
            case_id = f"{rng.integers(1 << 40):010x}-{night}-{number}"
            of_night.append(
                SamplingUnit(
                    case_id, {"score": float(score[number])}, {CATEGORY: f"c{category[number]}"}, float(weights[number])
                )
            )
            failures[case_id] = float(failed[number])
            kinds[case_id] = f"k{rng.choice(len(kinds_of), p=kinds_of)}"
        units.append(of_night)
    return World(units, failures, kinds)


def history(seed: int, tally: Tally) -> None:
    """Go through the nights of a history, with looks while labels come in."""
    rng = np.random.default_rng(seed)
    made = world(rng)
    k = int(rng.choice([30, 50, 80]))
    pool: list[SamplingUnit] = []
    stages: list[Stage] = []
    labels: dict[str, float] = {}
    always = {"interval": True, "sequence": True}
    for night in range(NIGHTS):
        pool += made.units[night]
        frame = build_frame(pool)
        truths = {unit.id: (unit.weight, made.failures[unit.id]) for unit in pool}
        picks = discover(pool, labels, round(0.5 * k))
        settled = {i for stage in stages for i in (*stage.certain, *stage.drawn)} & labels.keys()
        stages.append(draw(frame, k, seed=seed, certain=picks, earlier=stages, labels=labels, settled=settled))
        queue = interleaved(list(stages[-1].drawn), picks)
        part = round(len(queue) * float(rng.choice([0.3, 0.6, 1.0])))
        for number, case_id in enumerate(queue[:part], start=1):
            labels[case_id] = made.failures[case_id]
            if number % LOOK and number != part:
                continue
            look(frame, stages, labels, truths, tally, always)
        end_of_night(night, frame, stages, labels, truths, made, tally)
    for name, held in always.items():
        tally.covers[f"{name}, all looks"].append(held)


def discover(pool: list[SamplingUnit], labels: dict[str, float], number: int) -> list[str]:
    """Pick the riskiest cases without a label."""
    ranked = sorted(pool, key=lambda unit: (-(unit.covariates["score"] or 0), unit.id))
    return [unit.id for unit in ranked if unit.id not in labels][:number]


def interleaved(drawn: list[str], picks: list[str]) -> list[str]:
    """Order the queue as batches do: both lists from their front, in the proportion of the whole."""
    places = [((n + 0.5) / len(cases), i) for cases in (drawn, picks) for n, i in enumerate(cases)]
    return [i for _, i in sorted(places)]


def covered_truth(
    found: Estimate,
    frame: SamplingFrame,
    stages: list[Stage],
    labels: dict[str, float],
    truths: dict[str, tuple[float, float]],
) -> float:
    """Return the rate over the cases that the estimate covers."""
    ids = frame.ids if not found.uncovered_cases else label_pool(frame, stages, labels).frame.ids
    return float(np.average([truths[i][1] for i in ids], weights=[truths[i][0] for i in ids]))


def look(
    frame: SamplingFrame,
    stages: list[Stage],
    labels: dict[str, float],
    truths: dict[str, tuple[float, float]],
    tally: Tally,
    always: dict[str, bool],
) -> None:
    try:
        found = estimate(frame, stages, labels, confidence=CONFIDENCE)
    except Refused:
        tally.covers["refused"].append(True)
        return
    truth = covered_truth(found, frame, stages, labels, truths)
    always["interval"] &= tally.add("interval, each look", found.interval(CONFIDENCE), truth)
    always["sequence"] &= tally.add("sequence, each look", found.anytime_interval(CONFIDENCE), truth)


def end_of_night(
    night: int,
    frame: SamplingFrame,
    stages: list[Stage],
    labels: dict[str, float],
    truths: dict[str, tuple[float, float]],
    made: World,
    tally: Tally,
) -> None:
    """Tally the estimates after the last label of a night."""
    try:
        found = estimate(frame, stages, labels, confidence=CONFIDENCE)
    except Refused:
        return
    truth = covered_truth(found, frame, stages, labels, truths)
    tally.add(f"interval, night {night + 1}", found.interval(CONFIDENCE), truth)
    tally.add(f"sequence, night {night + 1}", found.anytime_interval(CONFIDENCE), truth)
    tally.widths["labels"].append(found.labels)
    if night < NIGHTS - 1:
        return
    if not found.uncovered_cases:
        alone(frame, stages[-1], labels, truth, found, tally)
    pooled_categories(frame, stages, labels, truths, tally)
    kinds = {i: made.kinds[i] for i in truths}
    labelled = label_pool(frame, stages, labels)
    unseen = unseen_kinds(labelled, kinds, rate_high=found.high, confidence=CONFIDENCE)
    if unseen is not None:
        shown = {kinds[i] for i in labelled.frame.ids if labels.get(i) and labelled.labelled[labelled.frame.place[i]]}
        failed = [i for i in labelled.frame.ids if truths[i][1]]
        mass = sum(truths[i][0] for i in failed if kinds[i] not in shown) / sum(truths[i][0] for i in failed)
        tally.add("unseen kinds", (0.0, unseen.high), mass)
        tally.widths["unseen kinds, estimated"].append(unseen.share)
        tally.widths["unseen kinds, true"].append(mass)
        tally.widths["unseen kinds, McAllester-Schapire"].append(unseen.guaranteed)


def alone(
    frame: SamplingFrame, stage: Stage, labels: dict[str, float], truth: float, found: Estimate, tally: Tally
) -> None:
    """Tally the last night's draw without those of the nights before: earlier labels as certain cases only."""
    drawn = set(stage.drawn)
    of_night = {i: y for i, y in labels.items() if i in drawn or i in stage.certain}
    try:
        last = estimate(frame, [stage], of_night, confidence=CONFIDENCE)
    except Refused:
        return
    tally.add("last draw alone", last.interval(CONFIDENCE), truth)
    tally.add("all draws, same histories", found.interval(CONFIDENCE), truth)


def pooled_categories(
    frame: SamplingFrame,
    stages: list[Stage],
    labels: dict[str, float],
    truths: dict[str, tuple[float, float]],
    tally: Tally,
) -> None:
    pool = label_pool(frame, stages, labels)
    levels, names = pool.frame.levels[CATEGORY], pool.frame.names[CATEGORY]
    parts = domain_estimates(pool, CATEGORY, CONFIDENCE, MIN_LABELS_OF_CATEGORY)
    for number, part in zip(range(len(names)), parts, strict=True):
        inside = [pool.frame.ids[place] for place in np.flatnonzero(levels == number)]
        if part.pooled is None or part.rate is None or part.low is None or part.high is None:
            continue
        truth = float(np.average([truths[i][1] for i in inside], weights=[truths[i][0] for i in inside]))
        size = "3 to 9 labels" if part.labels < 10 else "10 labels or more"
        for name in ("3 labels or more", size):
            tally.add(f"category pooled, {name}", (part.pooled.low, part.pooled.high), truth)
            tally.add(f"category unpooled, {name}", (part.low, part.high), truth)
            tally.widths[f"error pooled, {name}"].append((part.pooled.rate - truth) ** 2)
            tally.widths[f"error unpooled, {name}"].append((part.rate - truth) ** 2)


def report(tally: Tally, histories: int) -> None:
    """Print the tables."""
    print(
        f"{histories:,} histories of {NIGHTS} nights, {CONFIDENCE:.0%}; labels at the ends of nights {np.mean(tally.widths['labels']):.0f}"
    )
    print(f"{'':<42}{'coverage':>10}{'width':>10}{'n':>10}")
    for name, covers in tally.covers.items():
        width = f"{np.mean(tally.widths[name]):10.3f}" if tally.widths[name] else f"{'':>10}"
        print(f"{name:<42}{np.mean(covers):>10.3f}{width}{len(covers):>10,}")
    for name, values in tally.widths.items():
        if name.startswith("error"):
            print(f"{name.replace('error', 'root mean square error,'):<52}{np.sqrt(np.mean(values)):>10.3f}")
        elif name.startswith("unseen") and name not in tally.covers:
            print(f"{name:<52}{np.mean(values):>10.3f}")


if __name__ == "__main__":
    main()
