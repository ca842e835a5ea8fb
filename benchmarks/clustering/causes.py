"""Measure the diagnosis on planted causes: the confusion table, and the error of certain statements.

    python benchmarks/clustering/causes.py [--groups N] [--seeds N] [--limits]

Plants each cause in N groups of cases for each seed (`planted_causes.py`): labels, numbers, JSON, tool calls, short answers
and texts; 1 to 3 models, 1 to 4 variants, 1 to 3 temperatures, 2 to 10 answers a case, 3 to 60 cases, several levels of noise
and shares of affected cases; half of the groups hold only cases in which the committee contradicts production, as a category
does. The raw texts take the way of a run: read, grouped by meaning, pooled, diagnosed.

Printed are, for the kinds on which the limits were chosen and for the others apart: the confusion table (planted x named, the
certain ones in brackets), the share named rightly, the share named rightly or `cannot-tell`, and the wrong ones that were
certain, as a share of all and of the certain ones; beside them a rule that always says the most frequent cause. `--limits`
prints instead what other limits give on the first kinds, one limit varied at a time.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from random import Random

from benchmarks.clustering.planted_causes import CAUSES, Shape, plant
from curator.disagreement.diagnosis.answer_pattern import AnswerPattern
from curator.disagreement.diagnosis.diagnose import LEAST_GROUP, diagnose
from curator.disagreement.diagnosis.limits import LIMITS, Limits
from curator.disagreement.diagnosis.part_answers import part_pattern
from curator.records import Diagnosis, DiagnosisName, Kind

CHOSEN_ON: frozenset[Kind] = frozenset({"label", "json", "text"})
"""The kinds on which the limits were chosen; the others were not looked at."""
UNDECIDED: frozenset[DiagnosisName] = frozenset({"cannot-tell", "not-enough-data"})
SIZES = ((3, 5), (6, 15), (16, 60))
GRID = {
    "differ": (0.06, 0.08, 0.1, 0.15),
    "united": (0.2, 0.25, 0.4),
    "excess": (0.15, 0.2, 0.25, 0.3),
    "side": (0.15, 0.2, 0.25, 0.33),
    "explained": (0.4, 0.5, 0.6),
    "explained_by_words": (0.15, 0.25, 0.35, 0.5),
    "labelled_wrong": (0.2, 0.25, 0.5),
    "sure": (0.25, 0.5, 0.75, 1.0),
    "sure_explained": (0.3, 0.4, 0.5, 0.6),
}


@dataclass(frozen=True, slots=True)
class Planted:
    """A planted group as answer patterns."""

    cause: DiagnosisName
    shape: Shape
    patterns: tuple[AnswerPattern, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A planted group with its diagnosis."""

    cause: DiagnosisName
    shape: Shape
    diagnosis: Diagnosis

    @property
    def right(self) -> bool:
        """The planted cause was named."""
        return self.diagnosis.name == self.cause

    @property
    def undecided(self) -> bool:
        """No cause was named."""
        return self.diagnosis.name in UNDECIDED

    @property
    def certain(self) -> bool:
        """A cause was named for certain."""
        return self.diagnosis.certain and not self.undecided


@dataclass(frozen=True, slots=True)
class Rates:
    """The shares of a set of outcomes."""

    n: int
    right: float
    right_or_undecided: float
    certain: float
    wrong_and_certain: float
    wrong_of_certain: float

    def line(self, name: str) -> str:
        """Return the shares as a line of a table."""
        return (
            f"{name:<26} {self.n:>6} {self.right:>8.1%} {self.right_or_undecided:>12.1%} {self.certain:>8.1%}"
            f" {self.wrong_and_certain:>10.1%} {self.wrong_of_certain:>10.1%}"
        )


HEAD = f"{'':<26} {'groups':>6} {'right':>8} {'or undecided':>12} {'certain':>8} {'wrong+cert':>10} {'of certain':>10}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=int, default=60, help="groups of each cause for each seed")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--limits", action="store_true", help="show what other limits give, on the kinds of the limits")
    arguments = parser.parse_args()
    planted = list(plant_all(arguments.groups, range(arguments.seeds)))
    if arguments.limits:
        print("\n".join(sweep([p for p in planted if p.shape.kind in CHOSEN_ON])))
    else:
        print("\n".join(report(diagnosed(planted, LIMITS))))


def plant_all(groups: int, seeds: Iterable[int]) -> Iterable[Planted]:
    """Plant every cause in so many groups for each seed."""
    for seed in seeds:
        for cause in CAUSES:
            for number in range(groups):
                group = plant(cause, Random(f"{seed} {cause} {number}"))
                patterns = tuple(map(part_pattern, group.cases))
                yield Planted(cause, group.shape, patterns)


def diagnosed(planted: Sequence[Planted], limits: Limits) -> list[Outcome]:
    """Diagnose the planted groups."""
    return [Outcome(p.cause, p.shape, diagnose(p.patterns, least=LEAST_GROUP, limits=limits)) for p in planted]


def rates(outcomes: Sequence[Outcome]) -> Rates:
    """Return the shares of a set of outcomes."""
    n = max(len(outcomes), 1)
    certain = [o for o in outcomes if o.certain]
    wrong = sum(not o.right for o in certain)
    return Rates(
        n=len(outcomes),
        right=sum(o.right for o in outcomes) / n,
        right_or_undecided=sum(o.right or o.undecided for o in outcomes) / n,
        certain=len(certain) / n,
        wrong_and_certain=wrong / n,
        wrong_of_certain=wrong / max(len(certain), 1),
    )


def sweep(planted: Sequence[Planted]) -> Iterable[str]:
    """Yield the rates under other limits, one limit varied at a time; `*` marks the limit in use."""
    yield HEAD
    for field in fields(Limits):
        used = getattr(LIMITS, field.name)
        for value in sorted({*GRID[field.name], used}):
            outcomes = diagnosed(planted, replace(LIMITS, **{field.name: value}))
            yield rates(outcomes).line(f"{field.name} {value:.2f}{' *' if value == used else ''}")


def report(outcomes: Sequence[Outcome]) -> Iterable[str]:
    """Yield the lines that are printed."""
    chosen = [o for o in outcomes if o.shape.kind in CHOSEN_ON]
    judged = [o for o in outcomes if o.shape.kind not in CHOSEN_ON]
    for name, part in (("kinds of the limits", chosen), ("kinds left out", judged)):
        yield f"{name}: {', '.join(sorted({o.shape.kind for o in part}))}"
        yield from confusion(part)
        yield ""
    yield HEAD
    yield rates(chosen).line("kinds of the limits")
    yield rates(judged).line("kinds left out")
    for kind in sorted({o.shape.kind for o in outcomes}):
        yield rates([o for o in outcomes if o.shape.kind == kind]).line(f"  {kind}")
    for low, high in SIZES:
        yield rates([o for o in judged if low <= o.shape.size <= high]).line(f"left out, {low}-{high} cases")
    for contradicted in (False, True):
        name = "left out, contradicted" if contradicted else "left out, any cases"
        yield rates([o for o in judged if o.shape.contradicted is contradicted]).line(name)
    yield rates([always(o, most_frequent(judged)) for o in judged]).line("always the most frequent")


def confusion(outcomes: Sequence[Outcome]) -> Iterable[str]:
    """Yield the confusion table: the groups of each planted cause by name, the certain ones in brackets."""
    names = [*CAUSES, *sorted(UNDECIDED)]
    counts = Counter((o.cause, o.diagnosis.name) for o in outcomes)
    certain = Counter((o.cause, o.diagnosis.name) for o in outcomes if o.certain)
    width = max(map(len, names))
    yield " " * width + "".join(f" {short(name):>10}" for name in names)
    for cause in CAUSES:
        cells = (f"{counts[cause, n]} ({certain[cause, n]})" if counts[cause, n] else "." for n in names)
        yield f"{cause:<{width}}" + "".join(f" {cell:>10}" for cell in cells)


def short(name: str) -> str:
    """Return a name of at most ten characters."""
    return name[:10]


def most_frequent(outcomes: Sequence[Outcome]) -> DiagnosisName:
    """Return the cause that was planted most often."""
    counts = Counter(o.cause for o in outcomes)
    return min(counts, key=lambda cause: (-counts[cause], cause))


def always(outcome: Outcome, name: DiagnosisName) -> Outcome:
    """Return the outcome of a rule that always says `name`."""
    return replace(outcome, diagnosis=replace(outcome.diagnosis, name=name, certain=True))


if __name__ == "__main__":
    main()
