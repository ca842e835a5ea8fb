"""What the pages say of the categories since the night before."""

from __future__ import annotations

import pytest

from curator.records import CategoryChange, GoneCategory
from curator.report.trends import gone, trend


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (CategoryChange("new", None, 1), "new"),
        (CategoryChange("new", None, 1, split_from="category-02"), "new, split from category-02"),
        (CategoryChange("back", None, 3), "back again, seen in 3 nights"),
        (CategoryChange("grew", 1, 2), "grew, 1 case the night before, seen in 2 nights"),
        (
            CategoryChange("steady", 9, 4, merged=("category-03",)),
            "as before, 9 cases the night before, merged with category-03, seen in 4 nights",
        ),
    ],
)
def test_what_became_of_a_category(change: CategoryChange, said: str) -> None:
    assert trend(change) == said


def test_what_is_gone() -> None:
    assert gone(()) == ""
    found = (GoneCategory("category-01", "refund", 7), GoneCategory("category-02", "parcel", 1, into="category-05"))
    assert gone(found) == "Gone since the night before: refund (7 cases), parcel (1 case, now in category-05)."
