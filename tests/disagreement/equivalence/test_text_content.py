from __future__ import annotations

import pytest

from curator.disagreement.equivalence.text_content import MOST_SENTENCES, text_content


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Yes, it is.", 1),
        ("No.", -1),
        ("true", 1),
        ("The bound is 3. So the answer is no.", -1),
        ("It is true that they lost.", 1),
        ("That is not true.", -1),
        ("That isn't true.", -1),
        ("Nein, das geht nicht.", -1),
        ("Oui, bien sûr.", 1),
        ("是，可以", 1),  # noqa: RUF001 - the full-width comma is meant
        ("No one knows.", 0),
        ("True love waits.", 0),
        ("If it is true and sent", 0),
        ("Yes, at first. On reflection the answer is no.", 0),
    ],
)
def test_the_verdict_is_read_at_any_sentence(text: str, verdict: int) -> None:
    assert text_content(text).verdict == verdict


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("It is allowed", False),
        ("It is not allowed", True),
        ("It isn't allowed", True),
        ("It isn’t allowed", True),  # noqa: RUF001 - the typographic apostrophe is meant
        ("no more than five", False),
        ("Das ist nicht erlaubt", True),
        ("Ce n'est pas permis", True),
        ("No está permitido", True),
        ("他不在北京", True),
    ],
)
def test_negations_of_several_languages(text: str, negated: bool) -> None:
    assert text_content(text).sentences[0].negated is negated


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Paris", {"paris"}),
        ("Paris is the capital", {"paris"}),
        ("Raising the heat helps", set()),
        ("we met Ann on monday", {"ann", "monday"}),
        ("Barack Obama", {"barack", "obama"}),
        ("the version 1.2.3", {"1.2.3"}),
        ("er mag das Haus und die Katze", set()),
    ],
)
def test_names_are_read_by_their_spelling(text: str, names: set[str]) -> None:
    assert text_content(text).sentences[0].names == names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The refunds were refunded.", {"refun"}),
        ("红色汽车", {"红", "色", "汽", "车"}),
        ("£42.50", {"=85/2", "85/2 £"}),
        ("GBP 42.50", {"=85/2", "85/2 £"}),
        ("forty-two parcels", {"=42", "parce"}),
        ("It is.", {"it", "is."}),
        ("", {""}),
        ("?!", {"?!"}),
    ],
)
def test_words_are_prefixes_and_numbers_have_one_form(text: str, words: set[str]) -> None:
    assert text_content(text).words == words


def test_sentences_end_at_marks_but_not_in_numbers_and_initials() -> None:
    content = text_content("J. B. Rhine paid 3.50 euros. He left! 他走了。")
    assert [len(sentence.quantities) for sentence in content.sentences] == [1, 0, 0]


def test_a_king_is_known_by_his_number() -> None:
    assert text_content("Henry VIII ruled").sentences[0].quantities == text_content("8").sentences[0].quantities
    assert not text_content("a VIII").sentences[0].quantities


def test_many_sentences_are_joined_without_loss() -> None:
    text = " ".join(f"Word{number}x costs {number} euros." for number in range(5 * MOST_SENTENCES + 1))
    content = text_content(text)
    assert len(content.sentences) <= MOST_SENTENCES
    assert sum(len(sentence.quantities) for sentence in content.sentences) == 5 * MOST_SENTENCES + 1
    assert frozenset().union(*[sentence.words for sentence in content.sentences]) == content.words
