from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement.equivalence.critical_tokens import contradict, critical_tokens, differ


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("32.50 euros", {"65/2"}),
        ("1,000 parcels", {"1000"}),
        ("It was -5 degrees", {"-5"}),
        ("from 10-12", {"10", "12"}),
        ("3 million", {"3000000"}),
        ("two hundred", {"200"}),
        ("the 19th century", {"19"}),
        ("Henry VIII", {"8"}),
        ("Louis XIV", {"14"}),
        ("vitamin B12 and H2O", set()),
        ("one of us", set()),
        ("version 1.2.3", set()),
        ("VIII", set()),
        ("9" * 60, set()),
    ],
)
def test_numbers_are_read_in_one_form(text: str, numbers: set[str]) -> None:
    assert critical_tokens(text).numbers == numbers


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("the ruler was King James I", {"king", "james", "i"}),
        ("Paris is the capital", {"paris"}),
        ("Raising the heat helps", set()),
        ("Water. Fire comes next", set()),
        ("it arrives on monday", {"monday"}),
        ("I saw it in March", {"march"}),
        ("the second one", {"second"}),
        ("Barack Obama", {"barack", "obama"}),
    ],
)
def test_names_are_told_by_how_they_are_written(text: str, names: set[str]) -> None:
    assert critical_tokens(text).names == names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("32", "32.5"),
        ("32.5", "30"),
        ("It takes 3 days.", "It takes two days."),
        ("Henry VIII", "Henry VII"),
        ("Yes, it does.", "No."),
        ("True", "false, sadly"),
        ("2 million", "2 billion"),
    ],
)
def test_contradictions(one: str, other: str) -> None:
    assert contradict(one, other)
    assert contradict(other, one)
    assert differ(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("In 1616 it was James", "It was James"),
        ("1,000", "1000.0"),
        ("two days", "2 days"),
        ("Yes", "true"),
        ("No one knows", "Yes."),
        ("It was James I", "King James I ruled"),
        ("wants a refund", "asks for the money back"),
    ],
)
def test_no_contradiction(one: str, other: str) -> None:
    assert not contradict(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the meeting is on Monday", "the meeting is on Tuesday"),
        ("it can be returned", "it can not be returned"),
        ("it can be returned", "it can't be returned"),
        ("high priority", "low priority"),
        ("approve", "reject"),
        ("The ruler was James I", "The ruler was James II"),
        ("between 3 and 5 days", "5 days"),
        ("the first one", "the second one"),
    ],
)
def test_what_differs_in_something_decisive(one: str, other: str) -> None:
    assert differ(one, other)
    assert differ(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Barack Obama", "Obama"),
        ("the parcel is late", "late parcel"),
        ("between high and low", "high and low alike"),
        ("It was ruled by James", "James was the ruler"),
    ],
)
def test_what_does_not(one: str, other: str) -> None:
    assert not differ(one, other)


@given(st.text(max_size=60))
def test_a_text_never_differs_from_itself(text: str) -> None:
    assert not contradict(text, text)
    assert not differ(text, text)
