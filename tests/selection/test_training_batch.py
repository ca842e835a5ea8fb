from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from curator.errors import ConfigError
from curator.selection import training_batch
from curator.selection.diffusion_kernel import diffusion_kernel
from curator.selection.learner import fit_learner
from curator.selection.training_batch import TrainingBatch, next_batch


def clouds(sizes: list[int], *, spread: float = 0.05, d: int = 16, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors about as many random directions as there are sizes."""
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(rng.normal(size=(d, len(sizes))))[0].T
    points = np.repeat(centres, sizes, axis=0) + rng.normal(scale=spread, size=(sum(sizes), d))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def picks(batch: TrainingBatch) -> list[int]:
    return [query.index for query in batch.queries]


SIZES = [30, 60, 40, 50]
POOL = clouds(SIZES)
CLOUD = np.repeat(np.arange(4), SIZES)


def test_without_labels_each_group_gets_one_pick_before_any_gets_two() -> None:
    batch = next_batch(POOL, {}, 4)
    assert sorted(CLOUD[picks(batch)]) == [0, 1, 2, 3]
    assert {query.reason for query in batch.queries} == {"coverage"}
    assert all(query.uncertainty is None for query in batch.queries)


def test_the_first_pick_of_a_group_is_typical() -> None:
    for index in picks(next_batch(POOL, {}, 4)):
        own = POOL[CLOUD[index] == CLOUD]
        closeness = own @ own.mean(axis=0)
        assert POOL[index] @ own.mean(axis=0) > np.median(closeness)


def test_a_group_without_a_label_comes_first_whatever_the_student_doubts() -> None:
    labelled = {int(np.flatnonzero(c == CLOUD)[0]): c for c in (0, 1, 2)}
    assert CLOUD[picks(next_batch(POOL, labelled, 1))[0]] == 3


def test_with_all_groups_stood_for_alike_the_doubtful_one_is_picked_and_the_reason_says_so() -> None:
    vectors = np.vstack([POOL[CLOUD == 1], POOL[CLOUD == 1][:, ::-1]])
    labelled = {0: "a", 60: "b"}
    probabilities = np.tile([0.95, 0.05], (120, 1))
    probabilities[60:] = [0.45, 0.55]
    batch = next_batch(vectors, labelled, 10, probabilities=probabilities)
    assert np.mean([index >= 60 for index in picks(batch)]) >= 0.8
    assert batch.queries[0].uncertainty is not None
    assert batch.queries[0].uncertainty > 0.5
    assert "uncertainty" in {query.reason for query in batch.queries}


def test_a_border_is_covered_more_densely_than_the_middle_of_a_class() -> None:
    kin = diffusion_kernel(POOL, 10)
    apart = np.zeros((len(POOL), 2))
    apart[np.arange(len(POOL)), np.arange(len(POOL)) % 2] = 1.0
    alike = kin.times_class_similarity(np.tile([0.5, 0.5], (len(POOL), 1)))
    assert np.allclose(alike.values, kin.values, atol=1e-6)
    told_apart = kin.times_class_similarity(apart)
    rows = np.repeat(np.arange(len(POOL)), np.diff(kin.starts))
    same = rows % 2 == kin.columns % 2
    assert np.allclose(told_apart.values[same], kin.values[same], atol=1e-6)
    assert not told_apart.values[~same].any()


def test_kinship_is_symmetric_one_with_itself_and_nothing_between_groups() -> None:
    kin = diffusion_kernel(POOL, 10)
    dense = np.zeros((len(POOL), len(POOL)))
    for i in range(len(POOL)):
        columns, values = kin.row(i)
        dense[i, columns] = values
    assert np.allclose(dense, dense.T, atol=1e-6)
    assert np.allclose(np.diag(dense), 1.0, atol=1e-4)
    assert dense.max() <= 1 + 1e-4
    assert not dense[CLOUD == 0][:, CLOUD == 1].any()
    assert dense[CLOUD == 0][:, CLOUD == 0].mean() > 0.1


def test_a_case_reaches_less_far_the_more_labels_there_are() -> None:
    few, many = diffusion_kernel(POOL, 2), diffusion_kernel(POOL, 100)
    assert many.values.sum() < few.values.sum()


def between_two(margin: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([(1 + margin) / 2, (1 - margin) / 2], axis=1)


def test_weights_are_even_while_all_margins_are_small_and_sharpen_as_they_grow() -> None:
    few = training_batch._uncertainty(between_two(np.linspace(0, 0.2, 100)), None)
    many = training_batch._uncertainty(between_two(np.linspace(0, 1, 100)), None)
    assert few is not None
    assert many is not None
    assert np.allclose(few.rank, many.rank)
    assert few.weight.min() > 0.6
    assert np.allclose(many.weight[:90], np.linspace(1, 0, 100)[:90] ** 2)


def test_the_uncertainty_of_a_query_is_a_rank_whatever_the_weights_are() -> None:
    margin = np.linspace(0.9, 0.95, len(POOL))
    batch = next_batch(POOL, {0: "a", 40: "b"}, 20, probabilities=between_two(margin))
    assert max(query.uncertainty or 0.0 for query in batch.queries) > 0.5


def test_a_learner_that_is_sure_of_every_case_leaves_coverage() -> None:
    labelled = {int(np.flatnonzero(c == CLOUD)[0]): c for c in (0, 1, 2)}
    batch = next_batch(POOL, labelled, 1, probabilities=between_two(np.ones(len(POOL))))
    assert CLOUD[picks(batch)] == [3]


def test_disagreement_stands_in_for_the_student_and_probabilities_go_before_it() -> None:
    vectors = np.vstack([POOL[CLOUD == 1], POOL[CLOUD == 1][:, ::-1]])
    disagreement = np.repeat([0.0, 0.9], 60)
    found = picks(next_batch(vectors, {}, 10, disagreement=disagreement))
    assert np.mean([index >= 60 for index in found]) >= 0.7
    even = np.full((120, 2), 0.5)
    assert picks(next_batch(vectors, {}, 10, probabilities=even, disagreement=disagreement)) == picks(
        next_batch(vectors, {}, 10, probabilities=even)
    )


def test_no_group_is_labelled_twice() -> None:
    groups = [str(i // 10) for i in range(len(POOL))]
    batch = next_batch(POOL, {0: "a", 55: "b"}, len(POOL), groups=groups)
    named = [groups[i] for i in picks(batch)]
    assert len(named) == len(set(named)) == 16
    assert not {"0", "5"} & set(named)


def test_a_large_pool_is_represented_by_a_sample_with_all_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_batch, "MAX_POOL", 60)
    labelled = {i: i % 2 for i in range(20)}
    batch = next_batch(POOL, labelled, 30)
    assert batch.sampled == 60
    assert len(picks(batch)) == 30
    assert batch.covered > 0
    assert picks(batch) != picks(next_batch(POOL, labelled, 30, seed=1))
    assert len(picks(next_batch(POOL, labelled, 100))) == 100


def test_many_labels_leave_room_for_cases_to_choose_among(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_batch, "MAX_POOL", 60)
    batch = next_batch(POOL, {i: i % 2 for i in range(100)}, 5)
    assert len(picks(batch)) == 5
    assert batch.sampled == 130


def test_a_student_is_fitted_once_there_are_two_classes() -> None:
    assert fit_learner(POOL, [0, 1], ["a", "a"]) is None
    probabilities = fit_learner(POOL, [0, 40, 100, 150], ["a", "b", "c", "d"])
    assert probabilities is not None
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == CLOUD).mean() > 0.95
    assert next_batch(POOL, {0: "a", 1: "a"}, 1).queries[0].uncertainty is None
    assert next_batch(POOL, {0: "a", 40: "b"}, 1).queries[0].uncertainty is not None


def test_an_empty_pool_and_no_budget_give_an_empty_batch() -> None:
    assert next_batch(np.zeros((0, 8), np.float32), {}, 5) == TrainingBatch((), 0.0, 0.0, 0)
    assert next_batch(POOL, {}, 0).queries == ()


def test_lists_are_as_good_as_arrays() -> None:
    doubts = np.linspace(0, 1, len(POOL))
    assert next_batch(POOL.tolist(), {3: "a"}, 5, disagreement=doubts.tolist()) == next_batch(  # type: ignore[arg-type]
        POOL, {3: "a"}, 5, disagreement=doubts
    )


def test_a_pool_of_one_case_is_picked() -> None:
    assert picks(next_batch(POOL[:1], {}, 3)) == [0]
    assert picks(next_batch(POOL[:1], {0: "a"}, 3)) == []


@pytest.mark.parametrize("seed", [0, 1])
def test_equal_vectors_are_picked_all_the_same(seed: int) -> None:
    vectors = np.tile(POOL[:1], (300, 1))
    found = picks(next_batch(vectors, {0: "a", 1: "b"}, 20, seed=seed))
    assert len(set(found)) == 20
    assert not {0, 1} & set(found)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"k": -1}, "k is -1"),
        ({"labelled": {170: "a", 999: "b"}}, "999"),
        ({"labelled": {-1: "a"}}, "-1"),
        ({"groups": ["a"]}, "`groups` has the length 1"),
        ({"disagreement": np.zeros(3)}, "`disagreement` has the length 3"),
        ({"probabilities": np.full((180, 2), 0.7)}, "not distributions"),
        ({"probabilities": np.full((180, 2), np.nan)}, "not distributions"),
        ({"disagreement": np.full(180, np.nan)}, "not finite"),
        ({"vectors": np.full((180, 2), np.nan, np.float32)}, "finite"),
        ({"vectors": np.zeros(180, np.float32)}, "shape"),
        ({"vectors": POOL * 3}, "has the length 3, not 1"),
        ({"vectors": np.vstack([POOL[:-1], 0 * POOL[:1]])}, "at place 179 has the length 0"),
        ({"probabilities": np.zeros((180, 0))}, "not distributions"),
        ({"disagreement": np.zeros((180, 2))}, r"the shape \(180, 2\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_remedy(given: dict[str, object], said: str) -> None:
    arguments = {"vectors": POOL, "labelled": {}, "k": 3, **given}
    with pytest.raises(ConfigError, match=said) as caught:
        next_batch(**arguments)  # type: ignore[arg-type]
    assert caught.value.remedy


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 60),
    k=st.integers(0, 80),
    classes=st.integers(1, 4),
    seed=st.integers(0, 5),
    data=st.data(),
)
def test_picks_are_unique_unlabelled_as_many_as_can_be_and_the_same_in_any_order(
    n: int, k: int, classes: int, seed: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 6))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    labelled = {i: i % classes for i in data.draw(st.sets(st.integers(0, n - 1)))}
    batch = next_batch(vectors, labelled, k, seed=seed)
    found = picks(batch)
    assert len(found) == len(set(found)) == min(k, n - len(labelled))
    assert not set(found) & set(labelled)
    assert all(0 <= query.gain <= query.represents + 1e-9 for query in batch.queries)
    assert 0 <= batch.covered <= batch.covered_after <= 1
    order = rng.permutation(n)
    moved = {int(np.flatnonzero(order == i)[0]): label for i, label in labelled.items()}
    again = next_batch(vectors[order], moved, k, seed=seed)
    assert [int(order[i]) for i in picks(again)] == found


def test_many_equal_cases_do_not_all_become_akin_to_each_other() -> None:
    kin = diffusion_kernel(np.tile(POOL[:1], (1500, 1)), 5)
    assert np.diff(kin.starts).max() < 500


def test_the_old_names_of_a_batch_still_work_and_warn() -> None:
    batch = next_batch(POOL, {0: "a", 40: "b"}, 1)
    with pytest.warns(DeprecationWarning, match="queries"):
        (query,) = batch.lessons
    with pytest.warns(DeprecationWarning, match="represents"):
        assert query.stands_for == query.represents
    with pytest.warns(DeprecationWarning, match="uncertainty"):
        assert query.doubt == query.uncertainty


def test_only_candidates_are_chosen_and_the_others_are_covered() -> None:
    candidates = np.flatnonzero(np.isin(CLOUD, (1, 2)))
    batch = next_batch(POOL, {}, 4, candidates=candidates.tolist())
    assert set(picks(batch)) <= set(candidates.tolist())
    alone = next_batch(POOL[candidates], {}, 4)
    assert batch.covered_after < alone.covered_after  # groups without a candidate stay uncovered


def test_a_candidate_outside_the_pool_is_refused() -> None:
    with pytest.raises(ConfigError, match="a candidate has the place 180, and the pool has 180 cases"):
        next_batch(POOL, {}, 1, candidates=[len(POOL)])


def test_candidates_stay_in_a_pool_that_is_represented_by_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_batch, "MAX_POOL", 40)
    candidates = [3, 77, 120, 179]
    assert sorted(picks(next_batch(POOL, {}, 4, candidates=candidates))) == candidates


def test_gains_are_those_of_every_open_case_before_each_query() -> None:
    batch = next_batch(POOL, {0: "a", 100: "b"}, 5, candidates=[*range(120)], with_gains=True)
    assert batch.gains is not None
    assert batch.gains.shape == (5, len(POOL))
    assert np.flatnonzero(np.isnan(batch.gains[0])).tolist() == [0, 100, *range(120, 180)]
    for number, query in enumerate(batch.queries):
        assert np.nanmax(batch.gains[number]) == pytest.approx(query.gain)
        assert batch.gains[number, query.index] == pytest.approx(query.gain)
        assert np.isnan(batch.gains[number + 1 :, query.index]).all()
    assert next_batch(POOL, {}, 5).gains is None


def test_a_batch_without_a_query_has_no_row_of_gains() -> None:
    batch = next_batch(POOL, {}, 0, with_gains=True)
    assert batch.gains is not None
    assert batch.gains.shape == (0, len(POOL))
