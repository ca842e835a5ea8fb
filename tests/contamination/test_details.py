"""What a text says exactly, and how far two texts agree in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.contamination.details import (
    Details,
    agreement,
    anchor_weight,
    details_of,
    in_order,
    same_anchors,
    share_any,
    word_overlap,
)

TEXTS = st.text(alphabet="ab AB12.,'$%\n三é", max_size=40)


def both(a: str, b: str) -> tuple[Details, Details]:
    return details_of(a), details_of(b)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("three pens for $80,000", {"3": 1, "80000": 1}),
        ("1.50 and 1.5", {"1.5": 2}),
        ("twice a dozen", {"2": 1, "12": 1}),
        ("half of 007", {"1/2": 1, "7": 1}),
        ("version 1.2.3", {"1.2.3": 1}),
        ("0.50 or .5", {"0.5": 1, "5": 1}),
        ("no number", {}),
    ],
)
def test_numbers_are_values(text: str, numbers: dict[str, int]) -> None:
    assert dict(details_of(text).numbers) == numbers


def test_names_are_capitals_inside_a_sentence() -> None:
    assert details_of("Where does Anna live? Ask Bob.\nParis is far").names == {"anna", "bob"}


def test_a_name_agrees_with_the_same_word_in_lower_case() -> None:
    found = agreement(*both("does Anna owe Ben 5 dollars", "does anna owe ben 5 dollars"))
    assert (found.same, found.different) == (2.0, 0.0)  # the number, and two names that one side writes as such
    assert found.shared == ("5", "anna", "ben")


def test_other_numbers_differ() -> None:
    found = agreement(*both("pay 17 dollars", "pay 18 dollars"))
    assert (found.same, found.different) == (0.0, 1.0)


def test_a_number_counts_as_often_as_both_have_it() -> None:
    assert agreement(*both("2 and 2 and 2", "2 and 2")).same == 2.0


def test_spelled_and_written_numbers_are_the_same() -> None:
    assert agreement(*both("three eggs", "3 eggs")).same == 1.0


@given(TEXTS, TEXTS)
def test_agreement_is_symmetric_and_full_with_oneself(a: str, b: str) -> None:
    x, y = both(a, b)
    assert agreement(x, y) == agreement(y, x)
    assert same_anchors(x, y) == same_anchors(y, x)
    assert in_order(x, y) == in_order(y, x)
    assert word_overlap(x, y) == word_overlap(y, x)
    assert agreement(x, x).different == 0.0
    assert share_any(x, y) == share_any(y, x) == (agreement(x, y).same > 0)
    assert in_order(x, x) == 1.0


def test_anchors_are_the_same_in_every_language() -> None:
    english = details_of("Here Janet sells 16 eggs at $2.50, see https://a.example/x?y=1 and call `get_price(3)`")
    german = details_of(
        "Hier verkauft Janet 16 Eier zu 2,50 $, siehe https://a.example/x?y=1, und rufe `get_price(3)` auf"
    )
    assert english.anchors == ("16", "250", "https://a.example/x?y=1", "get_price", "3")
    assert german.anchors == english.anchors
    assert same_anchors(english, german).same > 6
    assert "janet" in same_anchors(english, german).shared


def test_digits_of_other_scripts_are_digits() -> None:
    assert details_of("\u0661\u0662 \u0968\u0969").anchors == ("12", "23")


def test_names_alone_are_no_anchor() -> None:
    assert same_anchors(*both("did Goethe know Schiller or Kant", "kannte Goethe Schiller oder Kant")).same == 0.0


def test_order_is_the_longest_common_sequence() -> None:
    assert in_order(*both("11 22 33 44", "11 33 22 44")) == 0.75


@pytest.mark.parametrize(("anchor", "weight"), [("7", 1), ("80000", 1), ("1616", 4), ("0", 1), ("get_the_price", 6)])
def test_what_is_rarer_weighs_more(anchor: str, weight: float) -> None:
    assert anchor_weight(anchor) == weight


def test_word_overlap_leaves_out_names_numbers_and_letters() -> None:
    assert word_overlap(*both("the fee for Anna is 5, A or B", "die Kosten von Anna: 5, A oder B")) == 0.0
    assert word_overlap(*both("the fee is high", "is the fee high")) == 1.0
