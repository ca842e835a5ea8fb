from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement.equivalence.word_kernel import (
    SCALE,
    content_words,
    mean_overlap_distance,
    overlap_distances,
    word_distances,
    word_mask,
)

texts = st.lists(
    st.sampled_from(
        ["the red car", "red car", "a blue bike", "no", "it is", "", "?!", "order 17", "红色汽车", "red, red; car!"]
    )
    | st.text(max_size=30),
    min_size=1,
    max_size=7,
)


@given(texts, st.sampled_from(["", "which car is red"]))
def test_distances_are_symmetric_in_the_unit_interval_and_a_kernel(rows: list[str], question: str) -> None:
    matrix = word_distances(rows, question=question)
    assert np.array_equal(matrix, matrix.T)
    assert not matrix.diagonal().any()
    assert ((matrix >= 0) & (matrix < 1)).all()
    assert np.linalg.eigvalsh(1 - matrix).min() > -1e-9


@given(texts)
def test_texts_of_the_same_words_are_at_distance_0(rows: list[str]) -> None:
    matrix = word_distances(rows)
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            assert bool(matrix[i, j] == 0) is (content_words(one) == content_words(other))


@given(texts)
def test_the_mean_is_that_of_the_larger_of_both_distances(rows: list[str]) -> None:
    sets = [content_words(row) for row in rows]
    pairs = [(a, b) for i, a in enumerate(sets) for b in sets[:i]]
    apart = [max(len(a ^ b) / len(a | b), len(a ^ b) / (len(a ^ b) + SCALE)) for a, b in pairs]
    assert mean_overlap_distance(rows) == pytest.approx(sum(apart) / len(apart) if pairs else 0, abs=1e-12)
    n = len(rows)
    assert mean_overlap_distance(rows) == pytest.approx(overlap_distances(rows).sum() / max(1, n * (n - 1)), abs=1e-12)


def test_a_distance_grows_with_the_number_of_words_that_differ() -> None:
    assert word_distances(["red car", "blue car"])[0, 1] == pytest.approx(2 / 7)
    assert word_distances(["red fast car", "blue slow car"])[0, 1] == pytest.approx(4 / 9)
    assert mean_overlap_distance(["red car", "blue car"]) == pytest.approx(2 / 3)


def test_words_of_the_question_count_half() -> None:
    asked = "who wrote the red book"
    assert word_distances(["Ann", "Ann wrote the red book"], question=asked)[0, 1] == pytest.approx(1.5 / 6.5)
    assert word_distances(["Ann", "Bob"], question=asked)[0, 1] == pytest.approx(2 / 7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The red car, and a RED bike.", {"red", "car", "bike"}),
        ("it is", {"it", "is"}),
        ("", {""}),
        ("?!", {"?!"}),
        ("$1,000.50 is not 3", {"1,000.50", "not", "3"}),
        ("红色汽车", {"红", "色", "汽", "车"}),
    ],
)
def test_content_words(text: str, words: set[str]) -> None:
    assert content_words(text) == words


@given(st.lists(st.frozensets(st.integers(0, 3000).map(str), max_size=40), max_size=6), st.integers(0, 1200))
def test_a_mask_has_a_bit_for_each_word_however_many_there_are(sets: list[frozenset[str]], before: int) -> None:
    places = {f"w{i}": i for i in range(before)}
    masks = [word_mask(words, places) for words in sets]
    for words, mask in zip(sets, masks, strict=True):
        assert mask == sum(1 << places[word] for word in words)
    assert sorted(places.values()) == list(range(len(places)))
