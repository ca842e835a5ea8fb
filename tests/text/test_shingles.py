from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.records import Case, Message, Source, ToolCall
from curator.text.shingles import SplitText, decisive_tokens, jaccard, normalise, shingles, split_templates, turns_text


@pytest.mark.parametrize(
    "variant",
    [
        "WHERE IS MY PARCEL",
        "where is my parcel???",
        "  Where   is\nmy parcel? ",
        "Hi, where is my parcel?",
        "Good morning all! Where is my parcel? Kind regards",
        "Hello there, please: where is my parcel? Thank you so much!",
        "\uff37here is my parcel?",
    ],
)
def test_what_does_not_change_the_request_is_dropped(variant: str) -> None:
    assert normalise(variant) == "where is my parcel"


def test_only_courtesies_around_a_text_are_dropped() -> None:
    assert normalise("Say hello to my neighbour") == "say hello to my neighbour"
    assert normalise("thanks") == "thanks"
    assert normalise("What does thanks mean?") == "what does thanks mean"


def test_long_numbers_name_things_and_short_ones_count_things() -> None:
    assert normalise("order 48213 is late") == normalise("order 9007 is late")
    assert normalise("I want 2 cards") != normalise("I want 3 cards")


def test_operators_and_a_text_of_punctuation_stay() -> None:
    assert normalise("3 + 4") != normalise("3 - 4")
    assert normalise("???") == "???"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("refund 20 dollars", "refund 200 dollars"),
        ("I did receive it", "I did not receive it"),
        ("it is active", "it isn\u2019t active"),
        ("a > b", "a < b"),
        ("temperature 5", "temperature -5"),
    ],
)
def test_marks_tell_opposites_apart(one: str, other: str) -> None:
    assert decisive_tokens(one) != decisive_tokens(other)


def test_marks_do_not_hang_on_wording() -> None:
    assert decisive_tokens("it is not there, 3 times since 10:30") == decisive_tokens(
        "3 times since 10:30: it ISN'T there!"
    )


def test_short_texts_have_one_shingle() -> None:
    assert shingles("ok") == {" ok "}
    assert shingles("") == {"  "}
    assert shingles("okay") == {" oka", "okay", "kay "}


@given(st.text(max_size=40), st.text(max_size=40))
def test_jaccard_is_a_similarity(a: str, b: str) -> None:
    one, other = shingles(a), shingles(b)
    assert jaccard(one, one) == 1.0
    assert jaccard(one, other) == jaccard(other, one)
    assert 0.0 <= jaccard(one, other) <= 1.0


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_the_text_of_a_case_holds_every_turn_but_the_system_prompt() -> None:
    messages = (
        Message("system", "Be brief."),
        Message("user", "Weather?"),
        Message("assistant", "", (ToolCall("1", "weather", '{"city": "Bonn"}'),)),
        Message("tool", "rain"),
    )
    text = turns_text(Case("c1", messages, Source("f", 1)))
    assert text.split("\n") == ["Weather?", "", 'weather {"city": "Bonn"}', "rain"]


def test_sentences_that_many_share_are_told_from_a_text_s_own() -> None:
    words = ["where", "open", "blue", "my", "fee", "late", "card", "refund", "twice", "why", "since", "town", "limit"]
    questions = [" ".join([*words[i % 13 :], *words[: i % 13]][: 4 + i // 13]) + "?" for i in range(25)]
    texts = [f"You are the assistant of a bank. Hello. Answer very briefly now:\n{q}" for q in questions]
    template = "You are the assistant of a bank. Answer very briefly now:"
    assert split_templates(texts) == [SplitText(question, template) for question in questions]


def test_an_own_text_may_be_short() -> None:
    texts = [f"You are the assistant of a bank.\nWhy {i}?" for i in range(30)]
    assert [own.text for own in split_templates(texts)] == [f"Why {i}?" for i in range(30)]


def test_a_text_stays_whole_where_few_share_or_nothing_is_its_own() -> None:
    few = [f"You are an assistant.\nWhat about matter {i}?" for i in range(19)]
    assert split_templates(few) == [SplitText(text, "") for text in few]
    canned = [*few, *["You are an assistant."] * 30]
    assert split_templates(canned)[-1].text == "You are an assistant."
