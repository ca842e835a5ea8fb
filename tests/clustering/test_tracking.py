"""Categories that stay the same from night to night."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.clustering.cluster import Clustering
from curator.clustering.tracking import (
    NIGHTS_KEPT,
    CategoryHistory,
    Centroid,
    centroids,
    comparable,
    match_categories,
    night_key,
    update_history,
)
from curator.records import Category, CategoryChange, GoneCategory


def at(*degrees: float, size: int = 20) -> list[Centroid]:
    """Centres in a plane, at these angles."""
    return [
        Centroid(np.array([np.cos(np.radians(a)), np.sin(np.radians(a))], dtype=np.float32), 0.2, size) for a in degrees
    ]


def night(
    memory: CategoryHistory | None, found: list[Centroid], *, encoder: str = "e", cases: int = 100
) -> tuple[CategoryHistory, list[str]]:
    """What is known after a night, and its ids."""
    followed = match_categories(memory, found, encoder=encoder, cases=cases)
    names = memory.names if memory else {}
    categories = [Category(i, names.get(i, f"name of {i}"), (), ()) for i in followed.ids]
    after = update_history(
        memory, followed, found, categories, encoder=encoder, key="k", cases=cases, date="2026-11-25"
    )
    return after, list(followed.ids)


def test_a_category_keeps_its_id_while_its_centre_holds() -> None:
    memory, first = night(None, at(0, 90, 180))
    assert first == ["category-01", "category-02", "category-03"]
    memory, second = night(memory, at(185, 5, 270))
    assert second == ["category-03", "category-01", "category-04"]
    assert [(c.id, c.last_night, c.nights) for c in memory.categories] == [
        ("category-01", 2, 2), ("category-02", 1, 1), ("category-03", 2, 2), ("category-04", 2, 1),
    ]  # fmt: skip


def test_the_match_is_the_best_of_all_not_the_first_that_fits() -> None:
    """A greedy match would give the second cluster, at 17 degrees, to 20 and leave the first one, at 35, without any."""
    memory, _ = night(None, at(0, 20))
    assert night(memory, at(35, 17))[1] == ["category-02", "category-01"]


def test_the_first_night_has_nothing_to_compare_with() -> None:
    followed = match_categories(None, at(0), encoder="e", cases=10)
    assert (followed.changes, followed.matched, followed.gone) == ((None,), (None,), ())


def test_what_grew_shrank_came_back_and_went() -> None:
    memory, _ = night(None, [*at(0, size=10), *at(90, size=40), *at(180, size=20), *at(270, size=20)])
    followed = match_categories(memory, [*at(0, size=40), *at(90, size=10), *at(180, size=25)], encoder="e", cases=100)
    assert followed.changes == (
        CategoryChange("grew", 10, 2), CategoryChange("shrank", 40, 2), CategoryChange("steady", 20, 2),
    )  # fmt: skip
    assert followed.gone == (GoneCategory("category-04", "name of category-04", 20),)
    memory, _ = night(memory, at(0, 90, 180))
    back = match_categories(memory, at(270), encoder="e", cases=100)
    assert back.changes == (CategoryChange("back", None, 2),)
    assert {c.id for c in back.gone} == {"category-01", "category-02", "category-03"}


def test_of_a_split_the_nearest_part_keeps_the_id() -> None:
    memory, _ = night(None, at(0, 120))
    followed = match_categories(memory, at(20, -10, 120), encoder="e", cases=100)
    assert followed.ids == ("category-03", "category-01", "category-02")
    assert followed.changes[0] == CategoryChange("new", None, 1, split_from="category-01")


def test_of_a_merger_the_larger_one_keeps_the_id() -> None:
    memory, _ = night(None, [*at(0, size=10), *at(25, size=30)])
    followed = match_categories(memory, at(5, size=40), encoder="e", cases=100)
    assert followed.ids == ("category-02",)
    assert followed.changes[0] is not None
    assert followed.changes[0].merged == ("category-01",)
    assert followed.gone == (GoneCategory("category-01", "name of category-01", 10, into="category-02"),)


def test_what_merged_on_an_earlier_night_takes_no_id_back() -> None:
    """The one that merged was larger on its last night than both are together on a quiet one."""
    memory, _ = night(None, [*at(0, size=50), *at(32, size=40)])
    for _ in range(3):
        memory, ids = night(memory, at(12, size=30))
        assert ids == ["category-01"]
    followed = match_categories(memory, at(12, size=30), encoder="e", cases=100)
    assert followed.changes == (CategoryChange("steady", 30, 5),)
    assert followed.gone == ()


def test_another_encoder_is_not_compared_and_takes_no_old_id() -> None:
    memory, _ = night(None, at(0, 90))
    assert not comparable(memory, "other")
    memory, ids = night(memory, at(0, 90), encoder="other")
    assert ids == ["category-03", "category-04"]
    assert [c.id for c in memory.categories] == ids


def test_a_forgotten_category_does_not_come_back() -> None:
    memory, _ = night(None, at(0, 90))
    for _ in range(NIGHTS_KEPT - 1):
        memory, _ = night(memory, at(90))
    assert night(memory, at(0))[1] == ["category-01"]
    memory, _ = night(memory, at(90))
    assert night(memory, at(0))[1] == ["category-03"]


def test_a_night_without_clusters_keeps_what_is_known() -> None:
    memory, _ = night(None, at(0))
    memory, ids = night(memory, [])
    assert ids == []
    assert night(memory, at(0))[1] == ["category-01"]


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(0, 359), max_size=8, unique=True), min_size=1, max_size=6))
def test_ids_are_never_given_twice(nights: list[list[int]]) -> None:
    memory, born = None, []
    for degrees in nights:
        known = {c.id for c in memory.categories} if memory else set()
        memory, ids = night(memory, at(*degrees))
        assert len(set(ids)) == len(ids)
        born += [i for i in ids if i not in known]
    assert len(set(born)) == len(born)


def test_the_centre_of_a_cluster() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0, -1]], dtype=np.float32)
    (centre,) = centroids(vectors, Clustering(np.array([0, 0, -1]), np.array([0.9, 0.8, 0], dtype=np.float32)))
    assert centre.vector == pytest.approx([0.8944, 0.4472], abs=1e-4)
    assert (round(centre.radius, 5), centre.size) == (0.15, 2)


def test_the_same_cases_are_the_same_night() -> None:
    assert night_key(["a", "b"]) == night_key(["b", "a"]) != night_key(["a"])


def test_a_centre_is_the_mean_of_its_nights() -> None:
    memory, _ = night(None, at(0))
    memory, _ = night(memory, at(30))
    assert memory.categories[0].centroid == pytest.approx([np.cos(np.radians(15)), np.sin(np.radians(15))], abs=1e-6)
    assert replace(memory).names == {"category-01": "name of category-01"}
