"""Profiles of categories: non-negative weights of the differences and topics of their cases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

MOST_FEATURES = 64
"""The features of a profile that are kept over nights, the heaviest ones. They bound the file."""
_DIGITS = 4


def cosines(rows: Sequence[Mapping[str, float]], columns: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """The cosine of each row's profile with each column's, (rows, columns); 0 for an empty one."""
    place = {name: i for i, name in enumerate(sorted({name for profile in (*rows, *columns) for name in profile}))}
    return _matrix(rows, place) @ _matrix(columns, place).T


def blended(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """The mean of two profiles of unit length, of unit length again; either one may be empty.

    A profile of many nights thus weighs each night twice as much as the one before it.
    """
    old, new = _unit(before), _unit(now)
    total = {name: old.get(name, 0.0) + new.get(name, 0.0) for name in old.keys() | new.keys()}
    heaviest = sorted(total, key=lambda name: (-total[name], name))[:MOST_FEATURES]
    unit = _unit({name: total[name] for name in heaviest})
    return {name: weight for name in sorted(unit) if (weight := round(unit[name], _DIGITS))}


def _unit(profile: Mapping[str, float]) -> dict[str, float]:
    length = math.sqrt(math.fsum(weight * weight for weight in profile.values()))
    return {name: weight / length for name, weight in profile.items()} if length else {}


def _matrix(profiles: Sequence[Mapping[str, float]], place: Mapping[str, int]) -> NDArray[np.float64]:
    matrix = np.zeros((len(profiles), len(place)))
    for row, profile in enumerate(profiles):
        for name, weight in _unit(profile).items():
            matrix[row, place[name]] = weight
    return matrix
