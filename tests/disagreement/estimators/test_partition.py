"""The estimators against a second implementation, written from the formulas in another way, and their properties."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement.equivalence.word_kernel import SCALE, content_words, word_distances
from curator.disagreement.estimators import partition as estimators
from curator.disagreement.estimators.partition import (
    mean_distance,
    rao_entropy,
    semantic_entropy,
    share_against,
    variation_ratio,
)

GROUPS = ("a", "b", "c", "d")
labelled = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(GROUPS)), min_size=2, max_size=14)
words = st.lists(
    st.sampled_from(["red", "green", "blue", "one", "two", "the", "of", "not", "3.5", "7"]), max_size=6
).map(" ".join)
written = st.lists(st.tuples(words, st.sampled_from(GROUPS)), min_size=2, max_size=10)


def distribution(classes: Sequence[int], among: Sequence[int]) -> list[float]:
    return [list(among).count(c) / len(among) for c in sorted(set(classes))]


def kullback_leibler(p: Sequence[float], q: Sequence[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def naive_semantic(classes: Sequence[int], groups: Sequence[str]) -> tuple[float, float]:
    """Within as mean group entropy; between as the weighted divergence of the groups from their mixture."""
    n = len(classes)
    mixture = distribution(classes, classes)
    within = between = 0.0
    for group in set(groups):
        part = [c for c, g in zip(classes, groups, strict=True) if g == group]
        p = distribution(classes, part)
        within += len(part) / n * sum(-a * math.log(a) for a in p if a > 0)
        between += len(part) / n * kullback_leibler(p, mixture)
    return within / math.log(n), between / math.log(n)


def naive_rao(texts: Sequence[str], groups: Sequence[str]) -> tuple[float, float]:
    """Within over pairs of one group; between as half the weighted energy distance of each pair of groups."""
    n = len(texts)
    sets = [content_words(text) for text in texts]
    parts = [[s for s, g in zip(sets, groups, strict=True) if g == group] for group in set(groups)]

    def mean(left: Sequence[frozenset[str]], right: Sequence[frozenset[str]]) -> float:
        return sum(len(a ^ b) / (len(a ^ b) + SCALE) for a in left for b in right) / (len(left) * len(right))

    within = sum(len(part) / n * mean(part, part) for part in parts)
    between = 0.0
    for left in parts:
        for right in parts:
            energy = 2 * mean(left, right) - mean(left, left) - mean(right, right)
            between += len(left) * len(right) / n**2 * energy / 2
    return within / (1 - 1 / n), between / (1 - 1 / n)


@given(labelled)
def test_semantic_entropy_is_the_reference(rows: list[tuple[int, str]]) -> None:
    classes, groups = map(list, zip(*rows, strict=True))
    split = semantic_entropy(classes, groups)
    within, between = naive_semantic(classes, groups)
    assert split.within == pytest.approx(within, abs=1e-9)
    assert split.between == pytest.approx(between, abs=1e-9)
    assert split.total == pytest.approx(within + between, abs=1e-9)


@given(written)
def test_rao_entropy_is_the_reference(rows: list[tuple[str, str]]) -> None:
    texts, groups = map(list, zip(*rows, strict=True))
    split = rao_entropy(word_distances(texts), groups)
    within, between = naive_rao(texts, groups)
    assert split.within == pytest.approx(within, abs=1e-9)
    assert split.between == pytest.approx(between, abs=1e-9)


@given(st.integers(2, 8), st.randoms(use_true_random=False))
def test_rao_entropy_is_deg_of_a_random_similarity_matrix(n: int, random: object) -> None:
    w = np.array([[random.random() for _ in range(n)] for _ in range(n)])  # type: ignore[attr-defined]
    w = (w + w.T) / 2
    np.fill_diagonal(w, 1.0)
    deg = np.trace(n * np.eye(n) - np.diag(w.sum(axis=1))) / n**2
    assert rao_entropy(1 - w, ["a"] * n).within * (1 - 1 / n) == pytest.approx(deg, abs=1e-9)


@given(labelled)
def test_parts_are_bounded_and_order_makes_no_difference(rows: list[tuple[int, str]]) -> None:
    classes, groups = map(list, zip(*rows, strict=True))
    split = semantic_entropy(classes, groups)
    assert split.within >= 0
    assert split.between >= 0
    assert split.total <= 1
    turned = semantic_entropy(classes[::-1], groups[::-1])
    assert turned.total == split.total
    assert turned.within == pytest.approx(split.within, abs=1e-12)
    assert (split.total == 0) is (len(set(classes)) == 1)
    assert (split.total > 1 - 1e-12) is (len(set(classes)) == len(classes))


@pytest.mark.parametrize("n", range(2, 200))
def test_rounding_never_leads_out_of_the_bounds(n: int) -> None:
    split = semantic_entropy(range(n), ["a", *"b" * (n - 1)])
    assert split.total <= 1
    assert 1 - split.total < 1e-12


def test_one_group_is_all_within_and_single_answers_are_all_between() -> None:
    classes = [0, 0, 1, 2]
    assert semantic_entropy(classes, ["a"] * 4).between == 0
    assert semantic_entropy(classes, ["a", "b", "c", "d"]).within == 0
    assert semantic_entropy([0, 0, 1, 1], ["a", "a", "b", "b"]).between == pytest.approx(0.5)
    assert semantic_entropy([0, 1, 0, 1], ["a", "a", "b", "b"]).within == pytest.approx(0.5)


def test_known_values() -> None:
    # five answers in classes of 3, 1 and 1: H = 0.9503 nats (estimators that sum per sample say 1.5633)
    assert estimators.entropy(["p", "p", "p", "l", "x"]) == pytest.approx(0.9503, abs=1e-4)
    assert variation_ratio(["p", "p", "p", "l", "x"]) == pytest.approx(0.4)
    assert share_against([0, 0, 1, 2], 0) == 0.5
    assert share_against([0, 0], 1) == 1
    assert mean_distance(np.array([0.0, 0.5, 1.0])) == 0.5


def test_weights_as_worked_out_by_hand() -> None:
    # p = 1/2, 1/4, 1/4 in the classes x, y, y: H = ln 2; were all three different, H = 3/2 ln 2
    split = semantic_entropy("xyy", ["a"] * 3, weights=[2, 1, 1])
    assert split.within == pytest.approx(2 / 3)
    assert split.between == 0
    assert semantic_entropy("xyy", "abb", weights=[2, 1, 1]).between == pytest.approx(2 / 3)
    # Q = 2 * 1/2 * 1/2, over 1 - (1/4 + 1/16 + 1/16)
    apart = np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]], dtype=float)
    assert rao_entropy(apart, ["a"] * 3, weights=[2, 1, 1]).within == pytest.approx(0.5 / 0.625)
    assert rao_entropy(apart, "abb", weights=[2, 1, 1]).within == 0
    assert variation_ratio("xyz", weights=[6, 3, 1]) == pytest.approx(0.4)
    assert estimators.vote_margin("xyz", weights=[6, 3, 1]) == pytest.approx(0.7)
    assert share_against("xyz", "x", weights=[6, 3, 1]) == pytest.approx(0.4)
    assert mean_distance(np.array([1.0, 0.5]), weights=[1, 3]) == pytest.approx(0.625)
    assert estimators.effective_size(3, weights=[2, 1, 1]) == pytest.approx(16 / 6)


def values(classes: Sequence[int], groups: Sequence[str], weights: Sequence[float] | None) -> list[float]:
    """Every weighted estimator; the distances are those of the classes, and the target is class 0."""
    apart = np.array([[abs(a - b) / 5 for b in classes] for a in classes])
    semantic = semantic_entropy(classes, groups, weights=weights)
    rao = rao_entropy(apart, groups, weights=weights)
    return [
        semantic.within, semantic.between, rao.within, rao.between,
        estimators.entropy(classes, weights=weights),
        variation_ratio(classes, weights=weights),
        estimators.vote_margin(classes, weights=weights),
        share_against(classes, 0, weights=weights),
        estimators.smoothed_share_against(classes, 0, weights=weights),
        mean_distance(apart, weights=weights),
        mean_distance(apart[0], weights=weights),
        estimators.mean_pairwise_distance(apart, weights=weights),
        estimators.effective_size(len(classes), weights=weights),
    ]  # fmt: skip


@given(labelled, st.sampled_from([1.0, 0.1, 3.7, 1e-300, 1e300]))
def test_equal_weights_change_no_bit(rows: list[tuple[int, str]], weight: float) -> None:
    classes, groups = map(list, zip(*rows, strict=True))
    assert values(classes, groups, [weight] * len(rows)) == values(classes, groups, None)


weighted = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(GROUPS), st.floats(0.01, 10)), min_size=2, max_size=14)


@given(weighted, weighted)
def test_an_answer_of_weight_0_counts_as_not_there(
    rows: list[tuple[int, str, float]], gone: list[tuple[int, str, float]]
) -> None:
    classes, groups, weights = map(list, zip(*rows, strict=True))
    more, other, _ = map(list, zip(*gone, strict=True))
    with_them = values([*classes, *more], [*groups, *other], [*weights, *[0.0] * len(gone)])
    with_negligible = values([*classes, *more], [*groups, *other], [*weights, *[1e-13] * len(gone)])
    # the first row of the distances is that of an answer that counts, so that nothing else differs
    assert with_them == values(classes, groups, weights)
    assert with_negligible == with_them


@given(weighted, st.randoms(use_true_random=False))
def test_order_makes_no_difference_with_weights(rows: list[tuple[int, str, float]], random: Any) -> None:
    mixed = list(rows)
    random.shuffle(mixed)
    before, after = (values(*map(list, zip(*some, strict=True))) for some in (rows, mixed))
    row_to_first = 10
    del before[row_to_first], after[row_to_first]
    assert after == pytest.approx(before, abs=1e-12)
    # what no sum over the groups' shares goes into is the same to the bit
    assert [after[i] for i in (4, 5, 6, 7, 9)] == [before[i] for i in (4, 5, 6, 7, 9)]


@given(weighted)
def test_weighted_parts_are_bounded(rows: list[tuple[int, str, float]]) -> None:
    classes, groups, weights = map(list, zip(*rows, strict=True))
    split = semantic_entropy(classes, groups, weights=weights)
    assert 0 <= split.within <= split.total <= 1
    assert split.between >= 0
    assert (split.total == 0) is (len(set(classes)) == 1)
    assert semantic_entropy(range(len(rows)), groups, weights=weights).total == pytest.approx(1)


def test_a_single_answer_that_counts_is_no_disagreement() -> None:
    weights = [0, 2, 0]
    assert semantic_entropy("xyz", "abc", weights=weights).total == 0
    assert rao_entropy(1 - np.eye(3), "abc", weights=weights).total == 0
    assert variation_ratio("xyz", weights=weights) == 0
    assert estimators.vote_margin("xyz", weights=weights) == 0


def test_one_heavy_answer_does_not_break_the_scale() -> None:
    for light in (1e-8, 1e-6, 1e-3):
        assert semantic_entropy("xy", "ab", weights=[1, light]).total == pytest.approx(1)
        assert rao_entropy(1 - np.eye(2), "ab", weights=[1, light]).total == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, float("nan")], [1.0, float("inf")], []])
def test_weights_that_cannot_be_used_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="one finite weight >= 0 is needed for each of 2 answers"):
        semantic_entropy("xy", "ab", weights=weights)
    with pytest.raises(ValueError, match="one finite weight"):
        mean_distance(np.zeros(2), weights=weights)


def test_a_smoothed_share_trusts_many_answers_more_than_few() -> None:
    of_two = estimators.smoothed_share_against("xx", "y")
    of_ten = estimators.smoothed_share_against("x" * 10, "y")
    assert of_two == pytest.approx(2.5 / 3)
    assert of_two < of_ten == pytest.approx(10.5 / 11)
    assert estimators.smoothed_share_against("xx", "x", prior=0) == 0
    assert estimators.smoothed(0.5, 4, prior=0.2, strength=2) == pytest.approx(2.4 / 6)
    assert estimators.smoothed(0.7, 4, strength=0) == pytest.approx(0.7)
    # weights 3, 1 are worth 16 / 10 answers
    assert estimators.smoothed_share_against("xy", "x", weights=[3, 1]) == pytest.approx((1.6 * 0.25 + 0.5) / 2.6)
    with pytest.raises(ValueError, match="prior"):
        estimators.smoothed(0.5, 4, prior=1.5)
    with pytest.raises(ValueError, match="strength"):
        estimators.smoothed(0.5, 4, strength=-1)


def test_the_margin_sees_the_lead() -> None:
    assert estimators.vote_margin("xxyy") == 1
    assert estimators.vote_margin("xxxy") == pytest.approx(0.5)
    assert estimators.vote_margin("xxxx") == 0
