"""Measures over similarities: their ends, their invariance, and the faults of others that they must not have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from curator.disagreement.estimators import spectral as graph
from curator.disagreement.estimators.similarities import rouge_l_similarities

Floats = NDArray[np.float64]
MEASURES: dict[str, Callable[[Floats], float]] = {
    "deg": graph.deg,
    "eigv": graph.eigv,
    "eccentricity": graph.eccentricity,
    "eccentricity, published": lambda w: graph.eccentricity(w, threshold=0.9),
    "snne": graph.snne,
    "kernel_language_entropy": graph.kernel_language_entropy,
}
every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
answers = st.lists(
    st.lists(st.sampled_from(["red", "green", "blue", "one", "two"]), max_size=5).map(" ".join), min_size=2, max_size=9
)


def partition(classes: str) -> Floats:
    return np.array([[float(a == b) for b in classes] for a in classes])


@every_measure
@pytest.mark.parametrize("n", [2, 3, 10, 40])
def test_the_ends_of_the_scale(measure: Callable[[Floats], float], n: int) -> None:
    assert measure(np.ones((n, n))) == 0
    assert measure(np.eye(n)) == 1


@every_measure
def test_a_single_answer_does_not_disagree(measure: Callable[[Floats], float]) -> None:
    assert measure(np.ones((1, 1))) == 0


@every_measure
@given(answers, st.randoms(use_true_random=False))
def test_within_bounds_and_the_same_in_any_order(
    measure: Callable[[Floats], float], texts: list[str], random: object
) -> None:
    w = rouge_l_similarities(texts)
    order = list(range(len(texts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert 0 <= measure(w) <= 1
    assert measure(w[np.ix_(order, order)]) == pytest.approx(measure(w), abs=1e-11)


@every_measure
@pytest.mark.parametrize("seed", range(20))
def test_permuting_answers_changes_no_bit(
    measure: Callable[[Floats], float], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # without the rounding, which alone hides nearly all differences of an eigen-solver
    monkeypatch.setattr(graph, "_DECIMALS", 17)
    random = np.random.default_rng(seed)
    w = random.random((9, 9))
    w = (w + w.T) / 2
    order = random.permutation(9)
    assert measure(w[np.ix_(order, order)]) == measure(w)


@every_measure
def test_more_classes_are_more_disagreement(measure: Callable[[Floats], float]) -> None:
    rising = [measure(partition(classes)) for classes in ("xxxxxx", "xxxxxy", "xxxyyy", "xxyyzz", "abcdef")]
    assert rising[0] < min(rising[1:])
    assert rising[-1] > max(rising[:-1])


def test_a_partition_has_as_many_spectral_meanings_as_classes() -> None:
    assert graph.spectral_meanings(partition("xxyyyz")) == 3
    assert graph.spectral_meanings(np.ones((5, 5))) == 1


def test_an_answer_is_like_itself_whatever_a_model_says() -> None:
    unsure, sure = (np.where(np.eye(4) == 1, own, 0.5) for own in (0.3, 1.0))
    assert [measure(unsure) for measure in MEASURES.values()] == [measure(sure) for measure in MEASURES.values()]
    assert unsure[0, 0] == 0.3


def test_the_smooth_eccentricity_tells_apart_what_the_threshold_ties() -> None:
    near, far = (np.where(np.eye(4) == 1, 1.0, value) for value in (0.5, 0.2))
    assert graph.eccentricity(near, threshold=0.9) == graph.eccentricity(far, threshold=0.9)
    assert graph.eccentricity(near) < graph.eccentricity(far)


def test_a_cold_snne_looks_at_the_nearest_neighbour_only() -> None:
    pairs, odd = partition("xxyyzz"), partition("xxxxxy")
    assert graph.snne(pairs, temperature=100) == pytest.approx(graph.deg(pairs), abs=0.01)
    assert graph.snne(pairs, temperature=0.001) == pytest.approx(1 - np.log(2) / np.log(6), abs=1e-9)
    assert graph.snne(odd, temperature=0.001) == pytest.approx(1 - 5 / 6 * np.log(5) / np.log(6), abs=1e-9)


def test_one_direction_counts_half() -> None:
    w = np.array([[1.0, 0.8], [0.2, 1.0]])
    assert graph.deg(w) == pytest.approx(0.5)
    assert graph.deg(w) == graph.deg(w.T)


@pytest.mark.parametrize(
    ("similarities", "what"),
    [(np.ones((2, 3)), "square"), (np.ones(3), "square"), (-np.ones((2, 2)), "0..1"), (np.full((2, 2), 1.1), "0..1"),
     (np.full((2, 2), np.nan), "0..1")],
)  # fmt: skip
def test_what_is_no_similarity_matrix_is_refused(similarities: Floats, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        graph.deg(similarities)
