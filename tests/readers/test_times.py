"""Times of logs in every unit."""

from __future__ import annotations

from typing import Any

import pytest

from curator.readers.times import elapsed, seconds_of


@pytest.mark.parametrize(
    "value",
    [
        1_770_131_992.242,
        "1770131992242",
        1_770_131_992_242_000,
        "1770131992242000000",
        "1770131992.242",
        [1_770_131_992, 242_000_000],
        "2026-02-03T15:19:52.242Z",
        "2026-02-03T16:19:52.242+01:00",
        "2026-02-03 15:19:52.242",
    ],
)
def test_a_time_is_read_in_every_unit(value: Any) -> None:
    assert seconds_of(value) == pytest.approx(1_770_131_992.242, abs=1e-3)


def test_nanoseconds_of_iso_texts_are_cut() -> None:
    assert seconds_of("2026-02-03T15:19:52.242000123Z") == pytest.approx(1_770_131_992, abs=1)


@pytest.mark.parametrize(
    "value", [None, "", "soon", 0, -1, True, float("nan"), [1], ["a", "b"], {}, "2026-13-45T99:00:00"]
)
def test_what_is_no_time_gives_none(value: Any) -> None:
    assert seconds_of(value) is None


def test_elapsed_seconds_need_both_times_in_order() -> None:
    assert elapsed(1.0, 2.5) == 1.5
    assert elapsed(None, 2.0) is None
    assert elapsed(3.0, 2.0) is None


@pytest.mark.parametrize(
    "value",
    [
        "02.09.2026 20:35:00",
        "2.9.2026, 20:35",
        "9/2/2026 8:35 PM",
        "09/02/2026 08:35:00pm",
        "Wed, 02 Sep 2026 20:35:00 GMT",
    ],
)
def test_a_date_of_people_is_read(value: str) -> None:
    assert seconds_of(value) == 1_788_381_300


@pytest.mark.parametrize(
    "value",
    ["09/02/2026 20:35", "31.13.2026", "Call me on 2.9.2026 please", "Version 1.2.2026.4", "13/40/2026 8:35 PM"],
)
def test_a_date_whose_order_is_open_is_no_time(value: str) -> None:
    assert seconds_of(value) is None
