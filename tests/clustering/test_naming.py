"""Topics are made of clusters and get their names."""

from __future__ import annotations

import numpy as np

from curator.clustering.naming import build_topics, terms_of
from curator.records import Category

REFUND = [
    "Hello, I was charged twice for my order, please refund me",
    "my card got charged twice!! want a refund",
    "You charged twice again. Refund please",
    "charged twice this month, where is the refund",
]
PARCEL = [
    "The parcel has not arrived yet",
    "where is my parcel? tracking says it arrived",
    "Parcel never arrived, can you help",
    "my parcel arrived broken",
]
NOISE = ["what are your opening hours", "do you sell gift cards"]


def build(texts: list[str], labels: list[int], typicality: list[float] | None = None) -> tuple[Category, ...]:
    ids = [f"c{i:02d}" for i in range(len(texts))]
    return build_topics(ids, texts, np.array(labels), np.array(typicality or [1.0] * len(texts), np.float32))


def test_a_category_is_named_by_what_sets_it_apart() -> None:
    refund, parcel = build([*REFUND, *PARCEL, *NOISE], [0] * 4 + [1] * 4 + [-1] * 2)
    assert refund.name == "charged twice / refund"
    assert parcel.name == "arrived / parcel"
    assert (refund.id, parcel.id) == ("topic-01", "topic-02")


def test_noise_makes_no_category() -> None:
    made = build([*REFUND, *NOISE], [0] * 4 + [-1] * 2)
    assert [c.case_ids for c in made] == [("c00", "c01", "c02", "c03")]
    assert build(NOISE, [-1, -1]) == ()
    assert build([], []) == ()


def test_noise_is_the_background_that_names_stand_out_from() -> None:
    background = ["my card", "that card", "gift wrap", "gift wrap", "opening hours", "opening hours", "a job", "a job"]
    (category,) = build([*["card, then refund"] * 4, *background], [0] * 4 + [-1] * 8)
    assert category.keywords == ("refund", "card")


def test_the_most_typical_case_comes_first_and_ties_go_by_id() -> None:
    (category,) = build(REFUND, [0] * 4, [0.5, 0.9, 0.5, 0.7])
    assert category.case_ids == ("c01", "c03", "c00", "c02")


def test_no_keyword_repeats_a_word_of_another() -> None:
    for category in build([*REFUND, *PARCEL], [0] * 4 + [1] * 4):
        words = [word.rstrip("s") for keyword in category.keywords for word in keyword.split()]
        assert len(words) == len(set(words))


def test_one_long_case_cannot_name_its_category() -> None:
    (category,) = build([*REFUND, "aardvark " * 500], [0] * 5)
    assert not [keyword for keyword in category.keywords if "aardvark" in keyword]


def test_what_most_cases_say_names_nothing() -> None:
    texts = [f"classify ticket: {text}" for text in [*REFUND, *PARCEL]]
    keywords = {word for c in build(texts, [0] * 4 + [1] * 4) for k in c.keywords for word in k.split()}
    assert "classify" not in keywords
    assert "refund" in keywords


def test_names_are_unique_and_never_empty() -> None:
    names = [c.name for c in build(["12345"] * 4 + ["refund money"] * 8, [0] * 4 + [1] * 4 + [2] * 4)]
    assert len(set(names)) == 3
    assert all(names)


def test_one_keyword_is_a_name_by_itself() -> None:
    assert [c.name for c in build(["jacket"] * 4 + ["kettle"] * 4, [0] * 4 + [1] * 4)] == ["jacket", "kettle"]


def test_terms_leave_out_stop_words_numbers_and_codes() -> None:
    assert terms_of("I can't open the invoice no. 4711, ref AB12CD34!") == {"open", "invoice", "ref"}
    assert terms_of("customer's late refund") == {"customer", "late", "refund", "customer late", "late refund"}
    assert terms_of("refund refund") == {"refund"}
    assert terms_of("the late the refund") == {"late", "refund"}
    assert terms_of("Überweisung fehlt") == {"überweisung", "fehlt", "überweisung fehlt"}
    assert {"退款", "申请"} <= terms_of("申请退款")


def test_naming_does_not_depend_on_the_order_of_the_cases() -> None:
    texts, labels = [*REFUND, *PARCEL, *NOISE], [0] * 4 + [1] * 4 + [-1] * 2
    forward = [c.keywords for c in build(texts, labels)]
    assert forward == [c.keywords for c in build(texts[::-1], labels[::-1])]
