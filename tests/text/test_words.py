"""Words that carry meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.text.words import STEM, carries_meaning, content_words, names_in, stem, words_of


def test_addresses_numbers_ids_and_function_words_are_left_out() -> None:
    text = "Mail aoife.byrne@mail.example or https://shop.example/orders?id=7 about the order A-4711 of 2024!"
    assert content_words(text) == {"mail": "mail", "order": "order"}


def test_inflections_share_a_stem_and_the_shortest_form_is_shown() -> None:
    assert content_words("Refunds were refunded; the refund's gone") == {"refund": "refund", "gone": "gone"}
    assert content_words("refunded refunds") == {"refund": "refunds"}


def test_possessives_and_curly_quotes_are_one_word() -> None:
    assert list(words_of("Tom\u2019s lamp can't e-mail")) == ["tom", "lamp", "can't", "e-mail"]


def test_scripts_without_blanks_are_pairs_of_characters() -> None:
    assert list(words_of("\u9000\u6b3e\u7533\u8bf7")) == ["\u9000\u6b3e", "\u6b3e\u7533", "\u7533\u8bf7"]
    assert len(content_words("\u9000\u6b3e\u7533\u8bf7")) == 3


@pytest.mark.parametrize("word", ["the", "ab", "x" * 31, "a1b2c3", ""])
def test_a_word_without_meaning(word: str) -> None:
    assert not carries_meaning(word)


def test_names_have_a_capital_inside_a_sentence() -> None:
    assert names_in("Lamp, please. Hi, Aoife wants the Sofa. Yes") == {"aoife", "sofa"}


@pytest.mark.parametrize("sign", ["x", "@", "a@", "a.", "\u6b3e", "a'", "a-"])
def test_a_long_text_without_blanks_is_read_in_linear_time(sign: str) -> None:
    """With a search in quadratic time this takes minutes."""
    assert len(content_words(sign * (200_000 // len(sign)))) <= 1


@given(st.text())
def test_words_of_any_text_carry_meaning_under_their_stem(text: str) -> None:
    for key, word in content_words(text).items():
        assert carries_meaning(word)
        assert key == stem(word)
        assert len(key) <= STEM
    assert names_in(text) == {name.lower() for name in names_in(text)}
