"""Profiles of categories, and their cosines."""

from __future__ import annotations

import numpy as np
import pytest

from curator.clustering.profiles import MOST_FEATURES, blended, cosines


def test_the_cosines_of_profiles() -> None:
    found = cosines([{"a": 3, "b": 4}, {}], [{"a": 1}, {"b": 2, "c": 0}, {"c": 1}])
    assert found == pytest.approx(np.array([[0.6, 0.8, 0], [0, 0, 0]]))


def test_the_cosines_of_nothing_have_a_shape() -> None:
    assert cosines([], [{"a": 1}]).shape == (0, 1)
    assert cosines([{"a": 1}], []).shape == (1, 0)


def test_nights_count_the_same_whatever_their_size() -> None:
    assert blended({"a": 1}, {"b": 500}) == {"a": 0.7071, "b": 0.7071}
    assert blended({}, {"a": 3, "b": 4}) == {"a": 0.6, "b": 0.8}
    assert blended({}, {}) == {}


def test_the_heaviest_features_are_kept() -> None:
    profile = {f"f{number:03d}": 1 + number / 1000 for number in range(MOST_FEATURES + 10)}
    kept = blended({}, profile)
    assert sorted(kept) == sorted(profile)[10:]
    assert list(kept) == sorted(kept)
