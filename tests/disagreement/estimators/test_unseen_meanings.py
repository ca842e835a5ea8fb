"""How many meanings: known values and bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement.estimators import unseen_meanings as meanings
from curator.disagreement.estimators.partition import entropy

MEASURES = (
    meanings.number_of_meanings, meanings.share_of_meanings, meanings.missing_mass, meanings.alphabet_size,
    meanings.alphabet_entropy, meanings.chao_shen_entropy,
)  # fmt: skip
partitions = st.lists(st.integers(0, 6), min_size=1, max_size=20)


def test_known_values() -> None:
    # ten answers in classes of 6, 2, 1 and 1: k = 4, f1 = 2
    classes = "aaaaaabbcd"
    assert meanings.number_of_meanings(classes) == 4
    assert meanings.share_of_meanings(classes) == pytest.approx(3 / 9)
    assert meanings.missing_mass(classes) == pytest.approx(0.2)
    assert meanings.alphabet_size(classes) == pytest.approx(5)
    q = [0.48, 0.16, 0.08, 0.08]
    expected = sum(-x * math.log(x) / (1 - (1 - x) ** 10) for x in q)
    assert meanings.chao_shen_entropy(classes) == pytest.approx(expected)
    assert meanings.alphabet_entropy(classes) == pytest.approx(expected)


def test_the_graph_counts_where_all_differ_or_where_it_sees_more() -> None:
    assert meanings.alphabet_size("abcd") == 4
    assert meanings.alphabet_size("abcd", spectral=7.5) == 7.5
    assert meanings.alphabet_size("aabc", spectral=5.0) == pytest.approx(6)
    assert meanings.alphabet_size("aabc", spectral=9.0) == 9
    # a graph that merges classes does not unsee them
    assert meanings.alphabet_size("abcd", spectral=2.0) == 4
    assert meanings.alphabet_size("aabb", spectral=1.0) == 2


def test_unseen_meanings_raise_the_entropy() -> None:
    assert meanings.alphabet_entropy("aabc") > entropy("aabc")
    assert meanings.chao_shen_entropy("abcd") > math.log(4)
    assert meanings.alphabet_entropy("abcd", spectral=8.0) > meanings.alphabet_entropy("abcd")


@given(partitions)
def test_bounds(classes: list[int]) -> None:
    n, k = len(classes), len(set(classes))
    assert 0 <= meanings.share_of_meanings(classes) <= 1
    assert 0 <= meanings.missing_mass(classes) <= 1
    assert meanings.alphabet_size(classes) >= k
    assert (meanings.share_of_meanings(classes) == 1) is (k == n > 1)
    for corrected in (meanings.alphabet_entropy(classes), meanings.chao_shen_entropy(classes)):
        # where no class was seen once nothing is missing, and only the bias of few answers is mended
        assert corrected >= entropy(classes) - 1e-9 or meanings.missing_mass(classes) > 0
        assert (corrected == 0) is (k == 1)


@given(partitions, st.randoms(use_true_random=False))
def test_order_and_names_make_no_difference(classes: list[int], random: object) -> None:
    renamed = [f"class {-c}" for c in classes]
    random.shuffle(renamed)  # type: ignore[attr-defined]
    for measure in MEASURES:
        assert measure(renamed) == measure(classes)


@pytest.mark.parametrize("classes", ["a", "aa", "aaaaaaaaaa"])
def test_one_meaning_is_none_missing(classes: str) -> None:
    assert meanings.number_of_meanings(classes) == 1
    for measure in ("share_of_meanings", "missing_mass", "alphabet_entropy", "chao_shen_entropy"):
        assert getattr(meanings, measure)(classes) == 0
