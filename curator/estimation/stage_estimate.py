"""What one stage's labels say: a stratified estimate of the whole pool, and its variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curator.estimation.sample_design import Stage
from curator.estimation.sampling_frame import Bools, Floats, Frame, Ints

GROUPED = 8
"""Labels over which the variance is pooled, in strata next to each other: two labels tell too little of it."""
PRIOR_LABELS = 1.0
"""What the prior of the variance counts for: a label that is half a failure. Without it strata that agree have none."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A stratum with its labels.

    Attributes:
        records: the weight of all its cases.
        cases: how many they are.
        places: of the labelled ones.
        design: whether it was drawn from; the cases that were known before are a cell of their own.
    """

    records: float
    cases: int
    places: Ints
    design: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A stage with its labels: its cells in the order of their risk, all with a label.

    `joined` is the share of the records that were in strata without a label, which went to their neighbours. `share` says
    what the stage counts for when stages are combined. It hangs on how many cases were labelled and how many
    were left, never on what the labels say: each stage's estimate is unbiased given the stages before, and so is their mean.
    """

    cells: tuple[Cell, ...]
    share: float
    joined: float


@dataclass(frozen=True, slots=True)
class Variance:
    """A variance and the degrees of freedom that it was estimated with (Satterthwaite 1946)."""

    value: float
    freedom: float


def told(frame: Frame, stage: Stage, labelled: Bools) -> Told:
    """The stage with the labels at the places `labelled` (a bool for each case of the frame)."""
    cells = [_cell(frame, stratum.cases, labelled, drawn=stratum.drawn) for stratum in stage.strata]
    if stage.known:
        cells.append(_cell(frame, stage.known, labelled, drawn=None))
    drawn = sum(len(cell.places) for cell in cells if cell.design)
    left = sum(cell.cases for cell in cells if cell.design)
    records = sum(cell.records for cell in cells if cell.design)
    share = 0.0
    if drawn:
        # One over the variance of a random draw of as many cases from what was left.
        spread = (records / frame.weights.sum()) ** 2 * (1 / drawn - 1 / left)
        share = np.inf if spread <= 0 else 1 / spread
    joined = sum(cell.records for cell in cells if not len(cell.places)) / float(frame.weights.sum())
    return Told(_collapsed(cells), share, joined)


def shares(stages: Sequence[Told]) -> Floats:
    """What each stage counts for; they sum to 1. Stages that drew all that was left count alone."""
    found = np.array([stage.share for stage in stages])
    if np.isinf(found).any():
        found = np.isinf(found).astype(float)
    shared: Floats = found / found.sum()
    return shared


def mean(frame: Frame, stage: Told, values: Floats) -> float:
    """The mean over the pool's records of `values`, (N,), known at the labelled places; unbiased.

    Of each cell W c + N mean(w (value - c)), a difference estimator (Cassel, Saerndal & Wretman 1976), with c the mean of
    the other cells: it does not hang on what was drawn from this one. Where the cell's weights are equal c makes no difference.
    """
    total = 0.0
    for cell, c in zip(stage.cells, _of_others(frame, stage.cells, values), strict=True):
        total += cell.records * c + cell.cases * float((frame.weights[cell.places] * (values[cell.places] - c)).mean())
    return total / float(frame.weights.sum())


def variance(frame: Frame, stage: Told, values: Floats, prior: Floats) -> Variance:
    """The variance of `mean`, over what the stage could have drawn.

    Sum over cells of W^2 (1 - n/N) s^2 / n (Cochran 1977, 5.3), with s^2 pooled over neighbouring cells and drawn a little
    towards the variance of a failure with their rate: (SS + s0^2) / (df + 1), so that it is never 0 while a case is
    unlabelled. `prior`, (N,), are the labels that s0^2 is made of: nan where a case does not count.
    """
    total, of_groups = 0.0, 0.0
    middles = dict(zip(map(id, stage.cells), _of_others(frame, stage.cells, values), strict=True))
    for group in _grouped(stage.cells):
        spread, freedom = _spread(frame, group, [middles[id(cell)] for cell in group], values, prior)
        own = spread * sum(_factor(frame, cell) for cell in group)
        total += own
        of_groups += own**2 / freedom
    return Variance(total, total**2 / of_groups if of_groups else np.inf)


def _cell(frame: Frame, cases: Sequence[str], labelled: Bools, *, drawn: Sequence[str] | None) -> Cell:
    places = np.array([frame.place[i] for i in cases], dtype=int)
    counted = places if drawn is None else np.array([frame.place[i] for i in drawn], dtype=int)
    return Cell(float(frame.weights[places].sum()), len(places), counted[labelled[counted]], drawn is not None)


def _collapsed(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells, those without a label joined to the one before, the first ones to the one after."""
    found: list[Cell] = []
    for cell in cells:
        if found and (not len(cell.places) or not len(found[-1].places)):
            found[-1] = _joined(found[-1], cell)
        else:
            found.append(cell)
    return tuple(cell for cell in found if len(cell.places))


def _joined(one: Cell, other: Cell) -> Cell:
    places = np.concatenate([one.places, other.places])
    return Cell(one.records + other.records, one.cases + other.cases, places, one.design or other.design)


def _grouped(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Neighbouring cells with unlabelled cases, in groups of at least `GROUPED` labels; a last one that is small joins."""
    groups: list[list[Cell]] = []
    count = GROUPED
    for cell in cells:
        if len(cell.places) >= cell.cases:
            continue
        if count >= GROUPED:
            groups.append([])
            count = 0
        groups[-1].append(cell)
        count += len(cell.places)
    if len(groups) > 1 and count < GROUPED:
        last = groups.pop()
        groups[-1] += last
    return groups


def _spread(
    frame: Frame, group: Sequence[Cell], middles: Sequence[float], values: Floats, prior: Floats
) -> tuple[float, float]:
    """The variance within the cells of a group, and its degrees of freedom, the prior's included."""
    squares, freedom = 0.0, PRIOR_LABELS
    for cell, c in zip(group, middles, strict=True):
        own = frame.weights[cell.places] * (cell.cases / cell.records) * (values[cell.places] - c)
        squares += float(((own - own.mean()) ** 2).sum())
        freedom += len(cell.places) - 1
    counted = prior[np.concatenate([cell.places for cell in group])]
    here = counted[~np.isnan(counted)]
    middle = (here.sum() + 0.5) / (len(here) + 1)
    least = ((here**2).sum() + 0.5) / (len(here) + 1) - middle**2
    return (squares + PRIOR_LABELS * least * len(here) / len(counted)) / freedom, freedom


def _of_others(frame: Frame, cells: Sequence[Cell], values: Floats) -> list[float]:
    """For each cell the mean over records of the other cells; 0 where there is none."""
    scale = [cell.cases / len(cell.places) for cell in cells]
    own = [s * float(frame.weights[cell.places].sum()) for s, cell in zip(scale, cells, strict=True)]
    told = [
        s * float((frame.weights[cell.places] * values[cell.places]).sum())
        for s, cell in zip(scale, cells, strict=True)
    ]
    records, total = sum(own), sum(told)
    return [(total - b) / (records - a) if len(cells) > 1 else 0.0 for a, b in zip(own, told, strict=True)]


def _factor(frame: Frame, cell: Cell) -> float:
    drawn = len(cell.places)
    share = cell.records / float(frame.weights.sum())
    return share**2 * (1 - drawn / cell.cases) / drawn
