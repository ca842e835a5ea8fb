"""Requests that one template made are told apart by their values, and nothing else is."""

from __future__ import annotations

import pytest

from curator.config import DedupeConfig
from curator.dedup import near_duplicate_groups
from curator.records import Case, Message, Source
from curator.text.shingles import split_templates
from curator.text.slots import filled, has_own_words, readable_values

TOWNS = ["Bonn", "Paris", "Rome", "Oslo", "Lima", "Quito", "Cairo", "Delhi", "Tokyo", "Kyoto", "Lagos", "Accra", "Tunis", "Minsk", "Turin", "Milan", "Porto", "Basel", "Berne", "Graz", "Linz", "Wels", "Brno", "York", "Bath", "Nice", "Metz", "Caen", "Lille", "Reims"]  # fmt: skip
WORDS = [
    "apple",
    "pear",
    "plum",
    "cherry",
    "grape",
    "melon",
    "lemon",
    "lime",
    "fig",
    "date",
    "olive",
    "peach",
    "mango",
    "papaya",
    "guava",
    "kiwi",
    "quince",
    "medlar",
    "sloe",
    "currant",
]


def groups(texts: list[str]) -> int:
    cases = [Case(f"c{i:03}", (Message("user", text),), Source("a", i)) for i, text in enumerate(texts)]
    return len(set(near_duplicate_groups(cases, DedupeConfig())))


@pytest.mark.parametrize(
    "texts",
    [
        [f"Write a query for the mean total of all sales on 2025-01-{day:02}." for day in range(1, 29)],
        [f"Please plan a trip of three days to {town} with my parents and our dog." for town in TOWNS],
        [f"Explain in one short paragraph what a {word} is and where it grows best." for word in WORDS],
        [f'Summarise the review "{word} was too sweet for us" in one short sentence.' for word in WORDS],
        [f"Is {number} a prime number or can it be divided?" for number in range(10007, 10207, 8)],
        [f"Be formal.\nDescribe the weather in {town} for the newsletter of tomorrow, please." for town in TOWNS],
    ],
)
def test_each_value_is_a_group_of_its_own(texts: list[str]) -> None:
    assert groups(texts) == len(texts)
    assert groups(texts[:7]) < 7  # too few to know the template


def test_a_small_log_of_one_template_is_enough() -> None:
    assert groups([f"Write a query for the mean total of all sales on 2025-01-{day:02}." for day in range(1, 9)]) == 8


def test_the_same_values_stay_together_whatever_the_case_and_the_courtesy() -> None:
    texts = [f"Please plan a trip of three days to {town} with my parents and our dog." for town in TOWNS]
    assert groups([*texts, f"Hello! {texts[3]}", texts[5].replace("dog.", "dog!"), texts[5] + " Thanks"]) == len(texts)


def test_an_order_number_does_not_make_another_question() -> None:
    others = [f"{word} {town} {number}?" for number, (word, town) in enumerate(zip(WORDS * 2, TOWNS, strict=False))]
    orders = [f"Where is my order {number} that I paid for last week?" for number in range(48213, 48238)]
    assert groups([*others, *orders]) == groups(others) + 1


def test_wordings_of_one_question_stay_together() -> None:
    parts = [
        ("How do I", "How can I", "How to", "how do i"),
        ("reset", "rest", "re-set", "reset"),
        ("", " now", " please", " today"),
    ]
    texts = [f"{a} {b} the password of my account{c}?" for a in parts[0] for b in parts[1] for c in parts[2]]
    assert groups(texts) == 1


def test_a_sentence_of_hardly_any_words_is_no_template() -> None:
    assert filled("Call Ana Maria on 3 May") is None
    parts = filled("Can you call Ana Maria before 10:30 on Monday?")
    assert parts is not None
    assert parts.values == "Ana Maria 10:30 Monday?"


def test_what_is_left_of_a_template_is_readable_and_known_as_such() -> None:
    texts = [f"Write a query for the mean total of all sales on day {day}. Why {day}?" for day in range(30)]
    only, both = split_templates([text.partition(" Why")[0] for text in texts])[7], split_templates(texts)[7]
    assert not has_own_words(only.text)
    assert has_own_words(both.text)
    assert readable_values(only.text) == "7."
    assert readable_values(both.text) == "7. Why 7?"
