"""The file that remembers the categories from night to night."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curator.clustering.night_changes import Counts
from curator.clustering.tracked_categories import CategoryHistory, NightCategory, TrackedCategory
from curator.clustering.tracking import GROUPING_CHANGED, match_categories, update_history
from curator.errors import ConfigError
from curator.state.categories import CategoriesFile, read_categories, write_categories

NIGHT = NightCategory(
    "c-1", "refund", "Refunds twice.", ("refund", "twice"), "c-0", "support", "tool", {"tool:refund>handover": 0.8}, 7,
    9, "gpt",
)  # fmt: skip
KNOWN = TrackedCategory(NIGHT, "c-2", "mode", 8, 1, 2, 2, "2026-11-24", "2026-11-25")


def memory(night: int, key: str, date: str = "2026-11-25") -> CategoryHistory:
    return CategoryHistory("m", night, key, date, Counts(90, 100, {"support": 60}), (KNOWN,))


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "categories.json"
    file = CategoriesFile(None, memory(1, "a")).followed_by(memory(2, "b"))
    write_categories(path, file)
    assert read_categories(path) == file == CategoriesFile(memory(1, "a"), memory(2, "b"))


def test_a_night_from_the_file_is_that_of_the_run(tmp_path: Path) -> None:
    """Nothing is lost by rounding, so that a run from the file gives the same bytes."""
    path, now = tmp_path / "categories.json", [NIGHT]
    first = match_categories(None, now, cases_by_task={"support": 60, "other": 3}, records=70, method="m")
    history = update_history(None, first, key="a", date="2026-11-25")
    write_categories(path, CategoriesFile(None, history))
    assert read_categories(path).after == history


def test_a_night_that_is_run_again_is_compared_with_the_one_before(tmp_path: Path) -> None:
    first = CategoriesFile(None, None).followed_by(memory(1, "a"))
    again = first.followed_by(memory(1, "a"))
    assert again.known_to("a") is None
    second = again.followed_by(memory(2, "b"))
    assert second.before is not None
    assert second.known_to("b") == second.before
    assert second.known_to("c") == second.after


def test_a_night_that_is_run_again_keeps_its_date() -> None:
    assert CategoriesFile(None, None).date_of("a", "2026-11-26") == "2026-11-26"
    file = CategoriesFile(None, memory(1, "a"))
    assert (file.date_of("a", "2026-11-26"), file.date_of("b", "2026-11-26")) == ("2026-11-25", "2026-11-26")


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    assert read_categories(tmp_path / "none.json") == CategoriesFile(None, None)


def old_night(night: int, key: str) -> dict[str, object]:
    row = {
        "id": "category-01", "name": "refund", "keywords": ["refund"], "centroid": "zTw=", "radius": 0.2, "size": 7,
        "first_night": 1, "last_night": night, "nights": night, "first_seen": "2026-11-24", "last_seen": "2026-11-25",
    }  # fmt: skip
    return {"encoder": "e", "night": night, "key": key, "cases": 90, "next_number": 2, "categories": [row]}


def test_a_file_of_version_1_was_made_by_another_method(tmp_path: Path) -> None:
    path = tmp_path / "categories.json"
    path.write_text(json.dumps({"version": 1, "before": old_night(1, "a"), "after": old_night(2, "b")}))
    file = read_categories(path)
    assert file.date_of("b", "2026-11-26") == "2026-11-26"
    for key in ("b", "c"):
        matches = match_categories(file.known_to(key), [NIGHT], cases_by_task={"t": 9}, records=9, method="m")
        assert (matches.ids, matches.changes, matches.warnings) == (("c-1",), (None,), (GROUPING_CHANGED,))
    assert update_history(file.after, matches, key="c", date="2026-11-26").night == 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"version": 2', '"version": 3', "`version` is 3, and this curator reads 2"),
        ('"version": 2', '"version": "two"', "version"),
        ('"version": 2', '"version": 1', "night"),
        ('"cases": 7', '"cases": "many"', "cases"),
        ('"cases": 7', '"cases": -7', "cases"),
        ('"method": "m"', '"methods": "m"', "method"),
        ('"tool:refund>handover": 0.8', '"tool:refund>handover": -0.8', "profile"),
        ('"aspect": "tool"', '"aspect": "colour"', "aspect"),
        ("{", "", "JSON"),
    ],
)
def test_a_damaged_file_is_told_with_a_remedy(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "categories.json"
    write_categories(path, CategoriesFile(None, memory(1, "a")))
    text = path.read_text()
    assert old in text
    text = text.replace(old, new, 1)
    path.write_text(text.replace('"night": 1', '"nights": 1', 1) if told == "night" else text)
    with pytest.raises(ConfigError, match=told) as caught:
        read_categories(path)
    assert "move it away" in caught.value.remedy


def test_a_first_night_without_any_vector_is_remembered_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "categories.json"
    write_categories(path, CategoriesFile(None, None).followed_by(None))
    assert read_categories(path) == CategoriesFile(None, None)
