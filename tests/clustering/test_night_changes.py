"""The trend of a category, and the likely reason why it lost cases."""

from __future__ import annotations

import pytest

from curator.clustering.night_changes import Counts, Size, fading_of, trend_of


def asked(cases: int, **tasks: int) -> Counts:
    return Counts(cases, cases, tasks)


def fading(task: str, before: int, of_before: Counts, now: int, of_now: Counts) -> str | None:
    return fading_of(task, Size(before, before), of_before, Size(now, now), of_now)


@pytest.mark.parametrize(
    ("before", "now", "trend"),
    [
        (20, 25, "steady"),
        (10, 40, "grew"),
        (40, 10, "shrank"),
        (4, 0, "steady"),
        (0, 100, "grew"),
        (100, 100, "steady"),
    ],
)
def test_a_trend_is_a_significant_change(before: int, now: int, trend: str) -> None:
    assert trend_of(before, asked(100), now, asked(100)) == trend


def test_a_trend_is_of_the_share_not_of_the_number() -> None:
    assert trend_of(40, asked(100), 80, asked(200)) == "steady"
    assert trend_of(40, asked(100), 40, asked(400)) == "shrank"


def test_many_records_of_few_cases_are_no_trend() -> None:
    few = Counts(10, 10_000, {})
    assert trend_of(3000, few, 5000, few) == "steady"


def test_nothing_was_asked() -> None:
    assert trend_of(0, asked(0), 0, asked(0)) == "steady"
    assert fading("t", 20, asked(100, t=100), 0, asked(0)) == "not-asked"


def test_categories_of_several_tasks_are_compared_with_all_cases() -> None:
    assert fading("", 20, asked(100, t=50), 0, asked(100, t=50)) == "fixed"
    assert fading("t", 20, asked(100, t=20), 20, asked(1000, t=20)) == "not-asked"


def test_a_failure_that_still_shows_outside_of_its_category_is_not_fixed() -> None:
    nights = asked(100, t=100)
    assert fading_of("t", Size(20, 30), nights, Size(0, 28), nights) is None
    assert fading_of("t", Size(20, 30), nights, Size(0, 10), nights) == "fixed"
