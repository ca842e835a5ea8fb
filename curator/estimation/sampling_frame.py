"""The pool as the design sees it: its cases in an order of their own, and their signals as columns of numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from curator.errors import ConfigError

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]
Bools = NDArray[np.bool_]
SCORE = "score"
"""The signal that ranks before there is any label: the default score, 0..1."""
STAND_INS = ("against_target", "disagreement")
"""What ranks, the first that is there, where a pool has no score."""
NO_SCORE = 0.5
GROUP = "group"
"""The category that names a case's near-duplicates; a case without any has none."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One case of the pool.

    Attributes:
        id: of the case; no two are the same.
        signals: what is known of it in numbers; None, or left out, where it is not known. `score` is the default score.
        categories: what kind of case it is: task, answer kind, cluster, any field of its metadata, by name.
        weight: how many log records it stands for; the rate is that over records.
    """

    id: str
    signals: Mapping[str, float | None] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A pool as arrays, sorted by id, so that the order in which it was given makes no difference.

    Attributes:
        ids: of the N cases.
        place: of each id.
        weights: (N,) the records that each case stands for.
        score: (N,) what ranks without labels, 0..1; the mean of the others where it is missing.
        signals: (N, d) the other signals, standardised, 0 where missing; what is missing has columns of its own.
        levels: by category, (N,) the number of each case's level, in the order of their names.
        names: by category, the names of the levels.
    """

    ids: tuple[str, ...]
    place: Mapping[str, int]
    weights: Floats
    score: Floats
    signals: Floats
    levels: Mapping[str, Ints]
    names: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.ids)


def frame_of(pool: Sequence[Candidate]) -> Frame:
    """The pool as arrays.

    Raises:
        ConfigError: two cases have one id, or a weight is not above 0.
    """
    cases = sorted(pool, key=lambda case: case.id)
    _check(cases)
    names = sorted({name for case in cases for name in case.signals})
    columns = {name: np.array([_number(case.signals.get(name)) for case in cases]) for name in names}
    levels, level_names = _levels(cases)
    return Frame(
        ids=tuple(case.id for case in cases),
        place={case.id: number for number, case in enumerate(cases)},
        weights=np.array([case.weight for case in cases], dtype=float),
        score=_score(columns, len(cases)),
        signals=_standardised([columns[name] for name in names], len(cases)),
        levels=levels,
        names=level_names,
    )


def _check(cases: Sequence[Candidate]) -> None:
    twice = [case_id for case_id, count in Counter(case.id for case in cases).items() if count > 1]
    if twice:
        raise ConfigError(f"the pool holds {twice[0]!r} twice", remedy="give each case an id of its own")
    light = next((case for case in cases if not 0 < case.weight < np.inf), None)
    if light is not None:
        raise ConfigError(
            f"case {light.id!r} has weight {light.weight!r}", remedy="a weight counts log records: at least 1"
        )


def _number(value: float | None) -> float:
    return np.nan if value is None or not np.isfinite(value) else float(value)


def _score(columns: Mapping[str, Floats], n: int) -> Floats:
    named = next((name for name in (SCORE, *STAND_INS) if name in columns), None)
    score = np.full(n, np.nan) if named is None else columns[named]
    known = score[~np.isnan(score)]
    mean = float(np.clip(known, 0, 1).mean()) if len(known) else NO_SCORE
    filled: Floats = np.clip(np.where(np.isnan(score), mean, score), 0, 1)
    return filled


def _standardised(columns: Sequence[Floats], n: int) -> Floats:
    """Each column with mean 0 and standard deviation 1; columns that say nothing are left out, equal ones kept once."""
    found: dict[bytes, Floats] = {}
    for column in columns:
        missing = np.isnan(column)
        known = column[~missing]
        filled = np.where(missing, known.mean() if len(known) else 0.0, column)
        for values in (filled, missing.astype(float)):
            spread = values.std()
            if spread > 1e-9 * max(1.0, abs(values.mean())):
                scaled = (values - values.mean()) / spread
                found.setdefault(np.round(scaled, 9).tobytes(), scaled)
    return np.column_stack([*found.values()]) if found else np.zeros((n, 0))


def _levels(cases: Sequence[Candidate]) -> tuple[dict[str, Ints], dict[str, tuple[str, ...]]]:
    levels, names = {}, {}
    for name in sorted({name for case in cases for name in case.categories}):
        values = [case.categories.get(name, "") for case in cases]
        names[name] = tuple(sorted(set(values)))
        number = {value: i for i, value in enumerate(names[name])}
        levels[name] = np.array([number[value] for value in values], dtype=int)
    return levels, names
