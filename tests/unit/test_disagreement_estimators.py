"""The estimators against a second implementation, written from the formulas in another way, and their properties."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement import estimators
from curator.disagreement.estimators import (
    mean_distance,
    rao_entropy,
    semantic_entropy,
    share_against,
    variation_ratio,
)
from curator.disagreement.words import SCALE, content_words, word_distances

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
