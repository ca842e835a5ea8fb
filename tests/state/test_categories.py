"""The file that remembers the categories from night to night."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curator.clustering.tracking import CategoryHistory, TrackedCategory
from curator.errors import ConfigError
from curator.state.categories import CategoriesFile, read_categories, write_categories

CENTRE = np.array([0.6, 0.8, 0.0], dtype=np.float32)
KNOWN = TrackedCategory(
    "category-01", "refund", ("refund", "twice"), CENTRE, 0.25, 7, 1, 2, 2, "2026-11-24", "2026-11-25"
)


def memory(night: int, key: str) -> CategoryHistory:
    return CategoryHistory("e", night, key, 90, 5, (KNOWN,))


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "categories.json"
    write_categories(path, CategoriesFile(None, memory(1, "a")).followed_by(memory(2, "b")))
    found = read_categories(path)
    assert found.before is not None
    assert found.after is not None
    assert (found.before.key, found.after.key) == ("a", "b")
    (category,) = found.after.categories
    np.testing.assert_allclose(category.centroid, CENTRE, atol=1e-3)
    fields = (
        "id",
        "name",
        "keywords",
        "radius",
        "size",
        "first_night",
        "last_night",
        "nights",
        "first_seen",
        "last_seen",
    )
    assert [getattr(category, f) for f in fields] == [getattr(KNOWN, f) for f in fields]
    assert (found.after.encoder, found.after.night, found.after.cases, found.after.next_number) == ("e", 2, 90, 5)


def test_a_night_that_is_run_again_is_compared_with_the_one_before(tmp_path: Path) -> None:
    first = CategoriesFile(None, None).followed_by(memory(1, "a"))
    again = first.followed_by(memory(1, "a"))
    assert again.known_to("a") is None
    second = again.followed_by(memory(2, "b"))
    assert second.before is not None
    assert second.known_to("b") == second.before
    assert second.known_to("c") == second.after


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    assert read_categories(tmp_path / "none.json") == CategoriesFile(None, None)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"version": 1', '"version": 2', "`version` is 2, and this curator reads 1"),
        ('"size": 7', '"size": "many"', "size"),
        ('"encoder": "e"', '"encode": "e"', "encoder"),
        ("{", "", "JSON"),
        ('"centroid": "', '"centroid": "!', "centroid"),
    ],
)
def test_a_damaged_file_is_told_with_a_remedy(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "categories.json"
    write_categories(path, CategoriesFile(None, memory(1, "a")))
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ConfigError, match=told) as caught:
        read_categories(path)
    assert "move it away" in caught.value.remedy


def test_a_first_night_without_any_vector_is_remembered_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "categories.json"
    write_categories(path, CategoriesFile(None, None).followed_by(None))
    assert read_categories(path) == CategoriesFile(None, None)
