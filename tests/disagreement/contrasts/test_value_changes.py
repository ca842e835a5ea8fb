"""Changes of a value that have a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement.contrasts.value_changes import change_between

NUMBERS = st.integers(-(10**9), 10**9)
sets = st.frozensets(st.text(max_size=20) | NUMBERS.map(str) | st.from_regex(r"\A[-+]?\d+(\.\d+)?(e[-+]?\d+)?\Z"), max_size=3)  # fmt: skip


def change(given_text: str, expected: str) -> str:
    return change_between(frozenset((given_text,)), frozenset((expected,)))


@pytest.mark.parametrize(
    ("given_text", "expected", "name"),
    [
        ("12500", "125", "scaled"),
        ("1.25", "125", "scaled"),
        ("1e3", "1", "scaled"),
        ("-12.5", "-125", "scaled"),
        ("-125", "125", "sign"),
        ("125", "-125", "sign"),
        ("126", "125", ""),
        ("-12.5", "125", ""),
        ("0", "125", ""),
        ("2024-05-03", "2024-03-05", "day and month swapped"),
        ("03.05.2024", "05.03.2024", "day and month swapped"),
        ("2024 05 03", "2024 03 05", "day and month swapped"),
        ("2023-05-03", "2024-05-03", "another year"),
        ("03.05.2023", "03.05.2024", "another year"),
        ("2024-05-03", "2023-03-05", ""),
        ("2024-05-03", "2024-05-04", ""),
        ("acme", "acme trading ltd", "shortened"),
        ("acme trading ltd", "acme", "longer"),
        ("acme", "zenith", ""),
        ("acme ltd", "ltd acme", ""),
        ("007", "7", "leading zeros"),
        ("7", "0007", "leading zeros"),
    ],
)
def test_a_change_of_one_value_has_a_name(given_text: str, expected: str, name: str) -> None:
    assert change(given_text, expected) == name


def test_a_change_of_the_number_of_values_has_a_name() -> None:
    ab, a, none = frozenset("ab"), frozenset("a"), frozenset[str]()
    assert change_between(none, a) == "missing"
    assert change_between(a, none) == "added"
    assert change_between(a, ab) == "fewer"
    assert change_between(ab, a) == "more"
    assert change_between(ab, frozenset("bc")) == ""
    assert change_between(none, none) == ""


def test_several_values_that_change_in_one_way_have_its_name() -> None:
    assert change_between(frozenset(("1", "20")), frozenset(("10", "200"))) == "scaled"
    assert change_between(frozenset(("1", "20", "x")), frozenset(("10", "200", "x"))) == "scaled"
    assert change_between(frozenset(("1", "20")), frozenset(("10", "-20"))) == ""
    assert change_between(frozenset(("1", "20")), frozenset(("10", "200", "5"))) == ""


@pytest.mark.parametrize("huge", ["1e999999999", "1e400", "1e-400", "9" * 400, "1" + "0" * 29])
def test_huge_numbers_neither_hang_nor_raise(huge: str) -> None:
    assert change(huge, "1") in ("", "scaled")
    assert change("1", huge) in ("", "scaled")


@given(sets, sets)
def test_arbitrary_values_never_raise_and_equal_ones_have_no_change(
    left: frozenset[str], right: frozenset[str]
) -> None:
    change_between(left, right)
    assert change_between(left, left) == change_between(right, right) == ""


@given(NUMBERS.filter(bool), st.integers(1, 6))
def test_a_power_of_ten_is_seen_in_both_directions(number: int, power: int) -> None:
    other = str(number * 10**power)
    assert change(other, str(number)) == change(str(number), other) == "scaled"
    assert change(str(-number), str(number)) == "sign"


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_a_change_and_its_reverse_are_opposite(left: str, right: str) -> None:
    opposite = {"shortened": "longer", "longer": "shortened"}
    forward = change(left, right)
    assert change(right, left) == opposite.get(forward, forward)
