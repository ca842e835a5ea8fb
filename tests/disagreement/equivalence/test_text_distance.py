from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from curator.disagreement.equivalence import text_distance
from curator.disagreement.equivalence.text_distance import text_distances

texts = st.lists(
    st.sampled_from(
        [
            "Your refund of £42.50 was sent on Monday.",
            "Your refund of £31.20 was not sent. Ask Ann again.",
            "Yes, Ann sent it. It arrives on Monday.",
            "No.",
            "it is",
            "",
            "三天后到达北京。他不在。",
        ]
    )
    | st.text(max_size=40),
    min_size=1,
    max_size=6,
)


def distance(one: str, other: str, question: str = "") -> float:
    return float(text_distances([one, other], question=question)[0, 1])


@given(texts, st.sampled_from(["", "was the refund sent?"]))
def test_distances_are_symmetric_in_the_unit_interval_and_0_for_the_same(rows: list[str], question: str) -> None:
    matrix = text_distances(rows, question=question)
    assert matrix.shape == (len(rows), len(rows))
    assert np.array_equal(matrix, matrix.T)
    assert ((matrix >= 0) & (matrix <= 1)).all()
    for i, one in enumerate(rows):
        assert all(matrix[i, j] == 0 for j, other in enumerate(rows) if one == other)


@given(texts)
def test_a_pair_has_the_same_distance_whatever_else_is_compared(rows: list[str]) -> None:
    matrix = text_distances(rows)
    for i, j in itertools.combinations(range(len(rows)), 2):
        assert matrix[i, j] == pytest.approx(distance(rows[i], rows[j]), abs=1e-9)


@given(texts, st.integers(1, 200))
def test_the_size_of_a_block_changes_nothing(rows: list[str], block: int) -> None:
    whole = text_distances(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_distance, "_BLOCK", block)
        patch.setattr(text_distance, "_ONE_THREAD", 8 * block)
        assert np.array_equal(text_distances(rows), whole)


SAME = [
    ("Your total is £42.50.", "The total comes to 42.50 pounds."),
    ("It takes 90 minutes by train.", "By train, it takes 1.5 hours."),
    ("There are twelve parcels left.", "12 parcels are left."),
    ("It opens at 5 pm.", "It opens at 17:00."),
    ("Returns are possible within 30 days.", "Within 30 days you can return it, and returns are free of charge."),
    ("Paris", "The capital of France is Paris."),
    ("Ann wrote it. It came out in 1999.", "It was written by Ann and came out in 1999."),
    ("三天后到达北京", "3天后到达北京"),
]
DIFFERENT = [
    ("Your total is £42.50.", "Your total is £31.20."),
    ("Your total is £42.50.", "Your total is $42.50."),
    ("Parking here is allowed.", "Parking here is not allowed."),
    ("Parking here is allowed.", "Parking here is forbidden."),
    ("The refund was sent on Monday.", "The refund was sent on Tuesday."),
    ("The book was written by Ann.", "The book was written by Bob."),
    ("It is 3 x 5, so the answer is yes.", "It is 3 x 5, so the answer is no."),
    ("We ship 3 boxes for 5 people.", "We ship 5 boxes for 5 people."),
    ("Revenue increased by 5%.", "Revenue decreased by 5%."),
    ("三天后到达北京", "五天后到达北京"),
    ("Die Rückgabe ist möglich.", "Die Rückgabe ist nicht möglich."),
]


def test_a_changed_fact_or_polarity_is_farther_than_any_rewording() -> None:
    near, far = [distance(*pair) for pair in SAME], [distance(*pair) for pair in DIFFERENT]
    assert max(near) < 0.5
    assert min(far) > 0.7


def test_one_changed_number_counts_in_a_long_text() -> None:
    notes = "The office has a garden. Many visitors like the roof. The lift was repaired in spring. Coffee is free."
    assert distance(f"{notes} The fee is 40 euros.", f"{notes} The fee is 70 euros.") > 0.7
    assert distance(f"{notes} The fee is 40 euros.", f"The fee is 40 euros. {notes}") == 0


def test_a_number_that_the_other_text_has_in_another_sentence_is_no_contradiction() -> None:
    assert distance("It takes 3 days and costs 5 euros.", "It takes 3 days. It costs 5 euros.") == 0


def test_length_does_not_matter() -> None:
    drawn = random.Random(0)
    words = drawn.sample([f"w{''.join(letters)}" for letters in itertools.product("abcdefgh", repeat=4)], 400)
    for size in (5, 20, 100):
        common, mine, theirs = words[:size], words[200 : 200 + size], words[300 : 300 + size]
        assert distance(" ".join(common + mine), " ".join(common + theirs)) == pytest.approx(0.5, abs=1e-9)


def test_a_text_is_nearer_to_one_that_contains_it_than_to_one_that_contradicts_it() -> None:
    short = "The fee is 40 euros."
    longer = f"{short} Children pay nothing, and the ticket is valid all day."
    assert distance(short, longer) < 0.2
    assert distance(short, longer.replace("40", "70")) > 0.7


def test_words_of_the_question_count_an_eighth() -> None:
    asked = "Who was the ruler of England?"
    assert distance("James", "The ruler of England was James.", asked) == pytest.approx(
        0.1 * (2 / 8) / (1 + 0.1 * 2 / 8)
    )
    assert distance("The ruler was Ann.", "The ruler was James.", asked) > distance(
        "The ruler was Ann.", "The ruler was James."
    )


def test_the_same_verdict_makes_the_negations_of_a_text_a_matter_of_wording() -> None:
    one, other = "No, it is not a prime number.", "No. It is a composite number."
    assert distance(one, other) < distance(one[4:], other[4:])


def test_vectors_bring_rewordings_nearer_but_not_changes() -> None:
    def alike(rows: Sequence[str]) -> NDArray[np.float32]:
        return np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (len(rows), 1))

    for one, other in DIFFERENT:
        assert text_distances([one, other], vectors=alike)[0, 1] > 0.7
    reworded = ["The fare is refunded.", "You get your money back."]
    assert text_distances(reworded)[0, 1] == 1
    assert text_distances(reworded, vectors=alike)[0, 1] == 0
    assert text_distances(["on Monday", "on Tuesday"], vectors=alike)[0, 1] > 0.7


def test_very_long_texts_need_neither_hours_nor_memory() -> None:
    drawn = random.Random(0)
    rows = [
        " ".join(f"w{drawn.randrange(9000)}x" + "." * (drawn.random() < 0.1) for _ in range(20_000)) for _ in range(3)
    ]
    matrix = text_distances(rows)
    assert (matrix[0, 1:] > 0).all()
