from __future__ import annotations

from fractions import Fraction

import pytest

from curator.disagreement.equivalence.quantities import Quantity, read_cjk, read_digits, read_words


def of(value: str, unit: str = "") -> Quantity:
    return Quantity.of(Fraction(value), unit)


@pytest.mark.parametrize(
    ("token", "following", "quantity", "used"),
    [
        ("42", ["parcels"], of("42"), 0),
        ("1,000.50", [], of("1000.5"), 0),
        ("1.234,56", ["euros"], of("1234.56", "euros"), 1),
        ("2,5", ["kg"], of("2.5", "kg"), 1),
        ("-2.50", [], of("-2.5"), 0),
        (".20", [], of("0.2"), 0),
        ("3/4", [], of("3/4"), 0),
        ("5kg", ["of"], of("5", "kg"), 0),
        ("40k", ["dollars"], of("40000", "usd"), 1),
        ("3", ["million", "pounds"], of("3000000", "gbp"), 2),
        ("19th", [], of("19"), 0),
        ("17:30", [], of("1050", "o'clock"), 0),
        ("5:30", ["pm"], of("1050", "o'clock"), 1),
        ("12", ["am"], of("0", "o'clock"), 1),
    ],
)
def test_digits_are_read_with_their_scale_and_unit(
    token: str, following: list[str], quantity: Quantity, used: int
) -> None:
    assert read_digits(token, following) == (quantity, used)


@pytest.mark.parametrize("token", ["1.2.3", "9" * 60, "3D", "1/0"])
def test_versions_and_codes_are_no_numbers(token: str) -> None:
    assert read_digits(token, []) is None


@pytest.mark.parametrize(
    ("words", "quantity", "used"),
    [
        ("twelve", of("12"), 1),
        ("forty two pounds fifty", of("42", "gbp"), 3),
        ("two hundred million people", of("200000000"), 3),
        ("twenty ten", of("20"), 1),
        ("half", of("1/2"), 1),
    ],
)
def test_numbers_in_words(words: str, quantity: Quantity, used: int) -> None:
    assert read_words(words.split()) == (quantity, used)


@pytest.mark.parametrize("words", ["", "one of us", "parcels"])
def test_other_words_are_no_numbers(words: str) -> None:
    assert read_words(words.split()) is None


@pytest.mark.parametrize(
    ("numerals", "value"),
    [("五", "5"), ("十二", "12"), ("三百二十", "320"), ("二〇二一", "2021"), ("三万五千", "35000")],
)
def test_chinese_numerals(numerals: str, value: str) -> None:
    assert read_cjk(numerals, "") == of(value)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (of("90", "minutes"), of("1.5", "hours"), True),
        (of("2", "years"), of("24", "months"), True),
        (of("42.5", "gbp"), of("42.5"), True),
        (of("42.5", "gbp"), of("42.5", "usd"), False),
        (of("5", "km"), of("5", "miles"), False),
        (of("32"), of("32.5"), False),
    ],
)
def test_a_number_finds_its_equals(one: Quantity, other: Quantity, equal: bool) -> None:
    assert bool(one.seeks & other.gives) is bool(other.seeks & one.gives) is equal
