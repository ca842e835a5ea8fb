"""Sentences about the categories since the night before."""

from __future__ import annotations

import pytest

from curator.records import CategoryChange, GoneCategory
from curator.report.trends import gone, trend

NAMES = {"c-2": "refund", "c-3": "parcel"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (CategoryChange("new", None, 1), "new"),
        (CategoryChange("new", None, 1, split_from="c-2"), "new; split from refund"),
        (CategoryChange("new", None, 1, split_from="c-9"), "new; split from c-9"),
        (CategoryChange("back", None, 3), "back again; seen in 3 nights"),
        (CategoryChange("grew", 1, 2, now=30), "grew; 1 case the night before, 30 now; seen in 2 nights"),
        (
            CategoryChange("shrank", 41, 2, now=3, fading="fixed"),
            "shrank; 41 cases the night before, 3 now; fewer cases of its task fail so: fixed?; seen in 2 nights",
        ),
        (
            CategoryChange("shrank", 41, 2, now=3, fading="not-asked"),
            "shrank; 41 cases the night before, 3 now; its task is asked less; seen in 2 nights",
        ),
        (
            CategoryChange("steady", 9, 4, merged=("c-2", "c-3"), now=8),
            "as before; 9 cases the night before, 8 now; merged with refund, parcel; seen in 4 nights",
        ),
        (
            CategoryChange("steady", 9, 2, now=9, renamed_from="date / wrong"),
            "as before; 9 cases the night before, 9 now; renamed from date / wrong; seen in 2 nights",
        ),
    ],
)
def test_what_became_of_a_category(change: CategoryChange, said: str) -> None:
    assert trend(change, NAMES) == said


def test_what_is_gone() -> None:
    assert gone(()) == ""
    categories = (
        GoneCategory("c-1", "greeting", 41, fading="fixed"),
        GoneCategory("c-4", "invoice", 7, fading="not-asked"),
        GoneCategory("c-5", "colour", 3),
        GoneCategory("c-6", "box", 1, into="c-3"),
    )
    assert gone(categories, NAMES) == (
        "Gone since the night before: greeting (was 41 cases; its task is still asked: fixed?), invoice (was 7 cases; its"
        " task is asked less: no longer asked?), colour (was 3 cases; no reason is certain), box (was 1 case; now in parcel)."
    )
