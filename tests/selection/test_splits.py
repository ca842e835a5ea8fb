from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.selection.splits import split_of

GROUPS = [f"c{i:016x}" for i in range(2000)]


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_about_the_share_is_held_out(share: float) -> None:
    held_out = sum(split_of(group, share) == "eval" for group in GROUPS) / len(GROUPS)
    assert held_out == pytest.approx(share, abs=0.03)
    if share in {0.0, 1.0}:
        assert held_out == share


def test_the_split_of_a_group_never_changes() -> None:
    assert [split_of(group, 0.5) for group in ("c1", "c2", "c3", "c4")] == ["train", "train", "eval", "train"]


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_what_is_held_out_stays_so_at_a_larger_share(group: str, one: float, other: float) -> None:
    if split_of(group, min(one, other)) == "eval":
        assert split_of(group, max(one, other)) == "eval"


def test_another_salt_is_another_split() -> None:
    assert {split_of(g, 0.5, salt="a") == split_of(g, 0.5, salt="b") for g in GROUPS[:50]} == {True, False}
