"""Similarities by words: known values, other scripts, and what must hold for every set of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from curator.disagreement.estimators.similarities import jaccard_similarities, rouge_l_similarities, words

Similarities = Callable[[Sequence[str]], NDArray[np.float64]]
both = pytest.mark.parametrize("similarities", [rouge_l_similarities, jaccard_similarities])


def test_known_values() -> None:
    # the classic example of Lin (2004): LCS of 3 and of 2 words in sentences of 4
    texts = ["police killed the gunman", "police kill the gunman", "the gunman kill police"]
    assert rouge_l_similarities(texts)[0].tolist() == [1, 0.75, 0.5]
    assert rouge_l_similarities(["a b c d", "a c"])[0, 1] == pytest.approx(2 / 3)
    assert jaccard_similarities(["a b c d", "a c c"])[0, 1] == 0.5


def test_the_usual_package_says_the_same() -> None:
    package = pytest.importorskip("rouge_score.rouge_scorer", reason="rouge-score is not installed (extra `test`)")
    scorer = package.RougeScorer(["rougeL"], use_stemmer=False)
    texts = [
        "The cat, which had slept all day, sat on the mat.", "On the mat sat the cat which had slept.", "A dog barked",
        "the mat the mat the mat", "THE CAT WHICH HAD SLEPT ALL DAY SAT ON THE MAT",
    ]  # fmt: skip
    expected = [[scorer.score(a, b)["rougeL"].fmeasure for b in texts] for a in texts]
    assert rouge_l_similarities(texts) == pytest.approx(np.array(expected), abs=1e-12)


def test_order_counts_for_rouge_and_not_for_jaccard() -> None:
    assert rouge_l_similarities(["dog bites man", "man bites dog"])[0, 1] == pytest.approx(1 / 3)
    assert jaccard_similarities(["dog bites man", "man bites dog"])[0, 1] == 1


def test_a_carry_stays_in_the_text_it_comes_from() -> None:
    # the last words of each text match, which carries out of its bits
    texts = ["x a", "a", "a a a a", "y", "a y", "a a x a a"]
    assert rouge_l_similarities(texts)[-1].tolist() == pytest.approx([4 / 7, 2 / 6, 8 / 9, 0, 2 / 7, 1])


def test_words_of_every_script() -> None:
    assert words("It's 3.5 Km, 1,000 _times_!") == ("it", "s", "3.5", "km", "1,000", "times")
    assert words("红色 car") == ("红", "色", "car")
    assert words("Straße ÉTÉ") == ("strasse", "été")
    assert rouge_l_similarities(["Ответ: да", "ответ — нет"])[0, 1] == 0.5


def test_a_text_without_words_is_like_itself_alone() -> None:
    assert rouge_l_similarities(["?!", " ?! ", "...", "", "a"]).tolist() == [
        [1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1],
    ]  # fmt: skip


def test_jaccard_counts_the_words_that_both_have() -> None:
    assert jaccard_similarities(["red car", "blue car", "red bike 7"])[0].tolist() == [1, 1 / 3, 1 / 4]


@both
@given(st.lists(st.text(max_size=12), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_similarity_in_the_unit_interval(similarities: Similarities, texts: list[str], random: object) -> None:
    w = similarities(texts)
    assert w.shape == (len(texts), len(texts))
    assert (w == w.T).all()
    assert ((w >= 0) & (w <= 1)).all()
    for i, left in enumerate(texts):
        assert all(w[i, j] == 1 for j, right in enumerate(texts) if left == right)
    order = list(range(len(texts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert (similarities([texts[i] for i in order]) == w[np.ix_(order, order)]).all()


@both
def test_no_texts_make_an_empty_matrix(similarities: Similarities) -> None:
    assert similarities([]).shape == (0, 0)
