"""The sampling frame: the cases of the pool as arrays, sorted by id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from curator.errors import ConfigError

Floats = NDArray[np.float64]
Ints = NDArray[np.int_]
Bools = NDArray[np.bool_]
SCORE = "score"
"""The covariate that ranks cases before there are labels: the default score, 0..1."""
STAND_INS = ("against_target", "disagreement")
"""The covariates that rank instead, in order of preference, where a pool has no score."""
NO_SCORE = 0.5
"""The score of every case where nothing ranks them."""
GROUP = "group"
"""The domain that names a case's near-duplicate group; a case without near-duplicates has none."""


@dataclass(frozen=True, slots=True)
class SamplingUnit:
    """One case of the pool.

    Attributes:
        id: unique in the pool.
        covariates: numbers by name; None or absent where the value is not known. `score` is the default score.
        domains: the case's value by name of the domain: task, answer kind, category, any field of its metadata.
        weight: the number of log records that it represents; the rate is over records.
    """

    id: str
    covariates: Mapping[str, float | None] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class SamplingFrame:
    """A pool of N cases as arrays, sorted by id: the order of the input makes no difference.

    Attributes:
        ids: of the cases.
        place: of each id.
        weights: the records that each case represents, (N,).
        score: the ranking without labels, (N,) in 0..1; a missing score has the mean of the others.
        covariates: the others, standardised, (N, d), 0 where missing; missingness has columns of its own.
        levels: by domain, the number of each case's level, (N,), in the order of the names.
        names: by domain, the names of the levels.
    """

    ids: tuple[str, ...]
    place: Mapping[str, int]
    weights: Floats
    score: Floats
    covariates: Floats
    levels: Mapping[str, Ints]
    names: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.ids)

    def without(self, places: Ints) -> SamplingFrame:
        """The frame without the cases at these places."""
        if not len(places):
            return self
        rest = np.setdiff1d(np.arange(len(self)), places)
        ids = tuple(self.ids[i] for i in rest)
        return replace(
            self,
            ids=ids,
            place={case_id: number for number, case_id in enumerate(ids)},
            weights=self.weights[rest],
            score=self.score[rest],
            covariates=self.covariates[rest],
            levels={name: levels[rest] for name, levels in self.levels.items()},
        )


def build_frame(pool: Sequence[SamplingUnit]) -> SamplingFrame:
    """Build the sampling frame of a pool.

    Raises:
        ConfigError: two cases have the same id, or a weight is not above 0.
    """
    cases = sorted(pool, key=lambda case: case.id)
    _check(cases)
    names = sorted({name for case in cases for name in case.covariates})
    columns = {name: np.array([_number(case.covariates.get(name)) for case in cases]) for name in names}
    levels, level_names = _levels(cases)
    return SamplingFrame(
        ids=tuple(case.id for case in cases),
        place={case.id: number for number, case in enumerate(cases)},
        weights=np.array([case.weight for case in cases], dtype=float),
        score=_score(columns, len(cases)),
        covariates=_standardised([columns[name] for name in names], len(cases)),
        levels=levels,
        names=level_names,
    )


def _check(cases: Sequence[SamplingUnit]) -> None:
    twice = [case_id for case_id, count in Counter(case.id for case in cases).items() if count > 1]
    if twice:
        raise ConfigError(f"the pool has the id {twice[0]!r} more than once", remedy="give each case its own id")
    light = next((case for case in cases if not 0 < case.weight < np.inf), None)
    if light is not None:
        raise ConfigError(
            f"case {light.id!r} has weight {light.weight!r}", remedy="give the number of log records: at least 1"
        )


def _number(value: float | None) -> float:
    return np.nan if value is None or not np.isfinite(value) else float(value)


def _score(columns: Mapping[str, Floats], n: int) -> Floats:
    named = next((name for name in (SCORE, *STAND_INS) if name in columns), None)
    score = np.full(n, np.nan) if named is None else columns[named]
    present = score[~np.isnan(score)]
    mean = float(np.clip(present, 0, 1).mean()) if len(present) else NO_SCORE
    filled: Floats = np.clip(np.where(np.isnan(score), mean, score), 0, 1)
    return filled


def _standardised(columns: Sequence[Floats], n: int) -> Floats:
    """Each column with mean 0 and standard deviation 1.

    Constant columns are dropped, and equal ones kept once.
    """
    distinct: dict[bytes, Floats] = {}
    for column in columns:
        missing = np.isnan(column)
        present = column[~missing]
        filled = np.where(missing, present.mean() if len(present) else 0.0, column)
        for values in (filled, missing.astype(float)):
            spread = values.std()
            if spread > 1e-9 * max(1.0, abs(values.mean())):
                scaled = (values - values.mean()) / spread
                distinct.setdefault(np.round(scaled, 9).tobytes(), scaled)
    return np.column_stack([*distinct.values()]) if distinct else np.zeros((n, 0))


def _levels(cases: Sequence[SamplingUnit]) -> tuple[dict[str, Ints], dict[str, tuple[str, ...]]]:
    levels, names = {}, {}
    for name in sorted({name for case in cases for name in case.domains}):
        values = [case.domains.get(name, "") for case in cases]
        names[name] = tuple(sorted(set(values)))
        number = {value: i for i, value in enumerate(names[name])}
        levels[name] = np.array([number[value] for value in values], dtype=int)
    return levels, names
