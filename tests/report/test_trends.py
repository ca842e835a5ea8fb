"""Sentences about the categories since the night before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from curator.records import CategoryChange, GoneCategory
from curator.report.html import render_html
from curator.report.markdown import render_markdown
from curator.report.trends import gone, since_last_night, trend
from tests.report.support_desk import support_desk

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
            "shrank; 41 cases the night before, 3 now; fewer cases of its task fail so: partly fixed?; seen in 2 nights",
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


def test_the_pages_name_other_categories_by_their_names() -> None:
    desk = support_desk(cases=60)
    for text in (render_markdown(desk.summary), render_html(desk.summary, desk.page)):
        assert "merged with greets twice" in text
        assert "Gone since the night before: greets twice (was 9 cases; no reason is certain)." in text


def test_the_changes_of_the_top_level_are_counted() -> None:
    summary = support_desk(cases=60).summary
    top = [c.change.trend for c in summary.categories if c.parent is None and c.change]
    assert since_last_night(summary) == (
        f" ({top.count('new')} new, {top.count('grew')} grew, {top.count('shrank')} shrank, 1 gone)"
    )
    assert since_last_night(replace(summary, categories=(), gone=())) == ""
