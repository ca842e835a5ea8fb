"""Every estimator against `benchmarks/signal/references.py`, which was written from the formulas in another way."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.signal import references
from curator.disagreement.estimators import likelihood, similarities
from curator.disagreement.estimators import partition as estimators
from curator.disagreement.estimators import spectral as graph
from curator.disagreement.estimators import unseen_meanings as meanings

Floats = NDArray[np.float64]
CLOSE = 1e-9

weight = st.one_of(st.just(0.0), st.floats(0.01, 100.0))
rows = st.lists(st.tuples(st.integers(0, 4), st.sampled_from("abc"), weight), min_size=2, max_size=14).filter(
    lambda rows: sum(w > 0 for _, _, w in rows) > 1
)
partitions = st.lists(st.integers(0, 6), min_size=1, max_size=20)
texts = st.lists(
    st.lists(st.sampled_from(["red", "green", "blue", "one", "two", "three", "7"]), max_size=9).map(" ".join),
    min_size=2,
    max_size=9,
)


def random_similarities(seed: int) -> Floats:
    """A symmetric matrix of 2 to 12 answers; in half of them some answers are the same."""
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 13))
    w = random.random((n, n)) ** random.choice([0.2, 1, 5])
    w = (w + w.T) / 2
    np.fill_diagonal(w, 1.0)
    if seed % 2:
        own = random.integers(0, n, n)
        w = w[np.ix_(own, own)]
    return w


def columns(rows: Sequence[tuple[int, str, float]]) -> tuple[list[int], list[str], list[float]]:
    classes, groups, weights = map(list, zip(*rows, strict=True))
    return classes, groups, weights


@given(rows)
def test_weighted_semantic_split(rows: list[tuple[int, str, float]]) -> None:
    classes, groups, weights = columns(rows)
    split = estimators.semantic_entropy(classes, groups, weights=weights)
    within, between = references.semantic_split(classes, groups, weights)
    assert split.within == pytest.approx(within, abs=CLOSE)
    assert split.between == pytest.approx(between, abs=CLOSE)


@given(rows)
def test_measures_of_weighted_votes(rows: list[tuple[int, str, float]]) -> None:
    classes, _, weights = columns(rows)
    assert estimators.entropy(classes, weights=weights) == pytest.approx(
        references.semantic_entropy(classes, weights), abs=CLOSE
    )
    for name in ("variation_ratio", "vote_margin"):
        mine, other = getattr(estimators, name), getattr(references, name)
        assert mine(classes, weights=weights) == pytest.approx(other(classes, weights), abs=CLOSE)
    for target in (0, 9):
        share = estimators.share_against(classes, target, weights=weights)
        assert share == pytest.approx(references.share_against(classes, target, weights), abs=CLOSE)


@pytest.mark.parametrize("seed", range(40))
def test_weighted_rao_is_a_double_sum(seed: int) -> None:
    w = random_similarities(seed)
    random = np.random.default_rng(seed)
    weights = [float(x) for x in random.random(len(w))]
    p = np.array(weights) / sum(weights)
    groups = [str(g) for g in random.integers(0, 3, len(w))]
    double = sum(p[i] * p[j] * (1 - w[i, j]) for i in range(len(w)) for j in range(len(w)))
    within = 0.0
    for group in set(groups):
        own = np.array([g == group for g in groups]) * p
        within += own @ (1 - w) @ own / own.sum()
    split = estimators.rao_entropy(1 - w, groups, weights=weights)
    # a random matrix is no positive definite kernel: there the parts are cut off at the total
    assert split.total == pytest.approx(double / (1 - p @ p), abs=CLOSE)
    assert split.within == pytest.approx(min(within, double) / (1 - p @ p), abs=CLOSE)


@given(partitions, st.floats(1, 20))
def test_unseen_meanings(classes: list[int], spectral: float) -> None:
    assert meanings.alphabet_entropy(classes) == pytest.approx(references.alphabet_entropy(classes), abs=CLOSE)
    assert meanings.alphabet_entropy(classes, spectral=spectral) == pytest.approx(
        references.alphabet_entropy(classes, spectral), abs=CLOSE
    )
    assert meanings.chao_shen_entropy(classes) == pytest.approx(references.chao_shen(classes), abs=CLOSE)
    if references.good_turing(classes) < math.inf:
        assert meanings.alphabet_size(classes) == pytest.approx(references.good_turing(classes), abs=CLOSE)


SCALED: dict[str, tuple[Callable[[Floats], float], Callable[[Floats], float]]] = {
    "deg": (graph.deg, references.deg),
    "eigv": (graph.eigv, references.eigv),
    "ecc": (lambda w: graph.eccentricity(w, threshold=0.9), references.ecc),
    "smooth ecc": (graph.eccentricity, references.smooth_ecc),
    "snne": (graph.snne, references.snne),
    "snne, cold": (lambda w: graph.snne(w, temperature=0.1), lambda w: references.snne(w, 0.1)),
    "kernel": (graph.kernel_language_entropy, lambda w: references.heat_entropy(w, 0.6)),
    "kernel, short": (lambda w: graph.kernel_language_entropy(w, time=0.1), lambda w: references.heat_entropy(w, 0.1)),
}


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize("seed", range(40))
def test_graph_measures(name: str, seed: int) -> None:
    mine, other = SCALED[name]
    w = random_similarities(seed)
    expected = references.unit(other(w), other, len(w))
    # the published ecc is 0 to the root of a rounding only
    assert mine(w) == pytest.approx(min(1.0, max(0.0, expected)), abs=1e-7 if "ecc" in name else CLOSE)


@pytest.mark.parametrize("seed", range(40))
def test_graph_measures_as_published(seed: int) -> None:
    w = random_similarities(seed)
    n = len(w)
    assert graph.spectral_meanings(w) == pytest.approx(references.eigv(w), abs=CLOSE)
    assert graph.deg(w) * (1 - 1 / n) == pytest.approx(references.deg(w), abs=CLOSE)
    assert estimators.mean_pairwise_distance(1 - w) == pytest.approx(graph.deg(w), abs=CLOSE)
    # the norms of the answers' rows make up the whole, which those of the eigenvectors would not
    of_each = math.hypot(*references.ecc_of_each(w))
    assert of_each == pytest.approx(graph.eccentricity(w, threshold=0.9) * math.sqrt(n - 1), abs=1e-7)


@given(texts)
def test_lexical_similarities(texts: list[str]) -> None:
    words = [text.split() for text in texts]
    expected = references.matrix(words, references.rouge_l)
    assert similarities.rouge_l_similarities(texts) == pytest.approx(expected, abs=CLOSE)
    assert similarities.jaccard_similarities(texts) == pytest.approx(
        references.matrix(words, references.jaccard), abs=CLOSE
    )


@pytest.mark.parametrize("seed", range(10))
def test_embedding_measures(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(int(random.integers(2, 12)), 24))
    rows[-1] = rows[0]
    expected = references.matrix(list(rows), references.cosine)
    assert similarities.cosine_similarities(rows) == pytest.approx(expected, abs=CLOSE)
    assert graph.eigen_score(rows) == pytest.approx(references.eigen_score(rows), abs=CLOSE)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-30, 0)), min_size=2, max_size=12))
def test_likelihood_measures(rows: list[tuple[int, float]]) -> None:
    classes, logs = map(list, zip(*rows, strict=True))
    expected = references.likelihood_entropy(classes, logs) / math.log(len(classes))
    assert likelihood.likelihood_semantic_entropy(classes, logs) == pytest.approx(expected, abs=CLOSE)
    top = sorted([*references.class_probabilities(classes, logs), 0.0], reverse=True)
    assert likelihood.likelihood_margin(classes, logs) == pytest.approx(1 - top[0] + top[1], abs=CLOSE)


@pytest.mark.parametrize("name", references.BASELINES)
def test_baselines_rise_with_disagreement(name: str) -> None:
    baseline = references.BASELINES[name]
    one, mixed = ["the red car"] * 4, ["the red car", "the red car", "a blue bike", "one green boat"]
    assert baseline(mixed, "the red car") > baseline(one, "the red car") + 0.1


def test_baselines_against_a_target_need_one() -> None:
    without = {name for name, baseline in references.BASELINES.items() if baseline(["a b", "c d"], None) is None}
    assert without == {name for name in references.BASELINES if "target" in name}
