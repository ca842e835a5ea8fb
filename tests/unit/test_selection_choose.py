from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from curator.config import SelectionConfig
from curator.records import Case, Message, Source
from curator.selection.choose import Selection, candidates, random_order, select
from curator.selection.splits import split_of

Vectors = dict[str, NDArray[np.float32]]


def a_pool(n: int, *, groups: int | None = None) -> list[Case]:
    ids = [f"c{i:03}" for i in range(n)]
    return [
        Case(id_, (Message("user", id_),), Source("f", i), group="" if groups is None else f"c{i % groups:03}")
        for i, id_ in enumerate(ids)
    ]


def unit_vectors(pool: list[Case], *, d: int = 8, seed: int = 0) -> Vectors:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(len(pool), d))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return {case.id: row for case, row in zip(pool, rows.astype(np.float32), strict=True)}


def by_slice(found: Selection, name: str) -> list[str]:
    return [pick.case_id for pick in found.picks if pick.slice == name]


def scores_of(pool: list[Case], seed: int = 0) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    return {case.id: float(value) for case, value in zip(pool, rng.uniform(0.05, 1, len(pool)), strict=True)}


POOL = a_pool(60)
CONFIG = SelectionConfig(k=10)


def test_the_budget_is_split_between_discovery_and_the_random_slice() -> None:
    found = select(POOL, scores_of(POOL), unit_vectors(POOL), CONFIG, seed=1)
    assert [p.rank for p in found.picks] == list(range(1, 11))
    assert [p.slice for p in found.picks] == ["disagreement"] * 8 + ["random"] * 2
    assert {p.inclusion_probability for p in found.picks} == {1.0, 2 / 52}
    assert (found.pool_size, found.asked, found.candidates, found.k_discovery, found.k_random) == (60, 10, 50, 8, 2)
    assert 0 < found.coverage <= 1
    assert all((p.gain is not None) == (p.slice == "disagreement") for p in found.picks)


def test_discovery_does_not_hang_on_the_seed() -> None:
    """Else the random slice would be no sample with equal probabilities of what discovery left."""
    vectors, scores = unit_vectors(POOL), scores_of(POOL)
    config = SelectionConfig(k=10, candidates_per_pick=1)
    found = [select(POOL, scores, vectors, config, seed=seed) for seed in range(20)]
    assert len({tuple(by_slice(f, "disagreement")) for f in found}) == 1
    assert len({tuple(by_slice(f, "random")) for f in found}) > 10


def test_the_random_slice_draws_each_case_as_often_as_it_says() -> None:
    pool = a_pool(20)
    config = SelectionConfig(k=8, random_share=0.5, candidates_per_pick=1)
    drawn: Counter[str] = Counter()
    repeats = 2000
    for seed in range(repeats):
        found = select(pool, scores_of(pool), {}, config, seed=seed)
        drawn.update(by_slice(found, "random"))
    rest = {case.id for case in pool} - set(by_slice(found, "disagreement"))
    assert drawn.keys() == rest
    for count in drawn.values():
        assert count / repeats == pytest.approx(4 / 16, abs=0.05)


def test_near_duplicates_do_not_eat_the_budget() -> None:
    pool = a_pool(60, groups=5)
    found = select(pool, scores_of(pool), unit_vectors(pool), SelectionConfig(k=20, random_share=0.5), seed=0)
    groups = {case.id: case.group for case in pool}
    discovered = [groups[i] for i in by_slice(found, "disagreement")]
    assert sorted(discovered) == [f"c{i:03}" for i in range(5)]
    assert found.k_random == 15  # what discovery could not use
    assert len({groups[i] for i in by_slice(found, "random")}) < 15  # a sample of cases, not of groups


def test_discovery_stands_for_each_cloud_of_unstable_cases() -> None:
    pool = a_pool(30)
    directions = np.eye(3, dtype=np.float32)
    vectors = {case.id: directions[i % 3] for i, case in enumerate(pool)}
    scores = {case.id: 0.9 - 0.2 * (i % 3) for i, case in enumerate(pool)}
    found = select(pool, scores, vectors, SelectionConfig(k=3, random_share=0.0, candidates_per_pick=10), seed=0)
    assert {int(i[1:]) % 3 for i in by_slice(found, "disagreement")} == {0, 1, 2}
    assert found.coverage == pytest.approx(1.0)


def test_the_split_is_that_of_the_group() -> None:
    pool = a_pool(60, groups=5)
    found = select(pool, scores_of(pool), unit_vectors(pool), SelectionConfig(k=30, held_out_share=0.5), seed=0)
    groups = {case.id: case.group for case in pool}
    assert all(p.split == split_of(groups[p.case_id], 0.5) for p in found.picks)
    assert {p.split for p in found.picks} == {"eval", "train"}


def test_no_budget_picks_nothing() -> None:
    found = select(POOL, scores_of(POOL), unit_vectors(POOL), SelectionConfig(k=0), seed=0)
    assert found.picks == ()
    assert found.coverage == 0.0
    assert candidates(POOL, scores_of(POOL), SelectionConfig(k=0), seed=0).to_embed == ()


def test_an_empty_pool_picks_nothing() -> None:
    assert select([], {}, {}, CONFIG, seed=0).picks == ()


def test_a_pool_within_the_budget_is_picked_whole() -> None:
    pool = a_pool(10)
    found = select(pool, scores_of(pool), unit_vectors(pool), SelectionConfig(k=100), seed=0)
    assert sorted(p.case_id for p in found.picks) == [c.id for c in pool]
    assert (found.asked, found.k_discovery, found.k_random) == (100, 8, 2)
    assert all(p.inclusion_probability == 1.0 for p in found.picks)


@pytest.mark.parametrize("scores", [{}, dict.fromkeys((c.id for c in POOL), 0.0)], ids=["none", "zero"])
def test_without_disagreement_all_is_random(scores: dict[str, float]) -> None:
    found = select(POOL, scores, unit_vectors(POOL), CONFIG, seed=0)
    assert by_slice(found, "disagreement") == []
    assert [p.inclusion_probability for p in found.picks] == [10 / 60] * 10
    assert by_slice(found, "random") == random_order((c.id for c in POOL), 0)[:10]


def test_equal_scores_leave_it_to_diversity() -> None:
    pool = a_pool(12)
    directions = np.eye(4, dtype=np.float32)
    vectors = {case.id: directions[i // 3] for i, case in enumerate(pool)}
    found = select(pool, dict.fromkeys(vectors, 0.5), vectors, SelectionConfig(k=4, random_share=0.0), seed=0)
    assert by_slice(found, "disagreement") == ["c000", "c003", "c006", "c009"]


def test_without_vectors_the_most_disagreeing_are_picked() -> None:
    scores = scores_of(POOL)
    found = select(POOL, scores, {}, CONFIG, seed=0)
    assert by_slice(found, "disagreement") == sorted(scores, key=scores.__getitem__, reverse=True)[:8]


def test_a_single_pick_goes_to_discovery_and_two_are_shared() -> None:
    for k, slices in ((1, ["disagreement"]), (2, ["disagreement", "random"])):
        found = select(POOL, scores_of(POOL), unit_vectors(POOL), SelectionConfig(k=k), seed=0)
        assert [p.slice for p in found.picks] == slices


def test_cases_without_a_score_come_by_the_random_slice_alone() -> None:
    scores = {case.id: 0.5 for case in POOL[:5]}
    found = select(POOL, scores, unit_vectors(POOL), SelectionConfig(k=40, random_share=0.5), seed=0)
    assert set(by_slice(found, "disagreement")) == set(scores)
    assert found.k_random == 35


def test_candidates_are_the_most_disagreeing_and_whatever_the_slice_can_draw() -> None:
    pool, config = a_pool(200), SelectionConfig(k=10, candidates_per_pick=3)
    scores = scores_of(pool)
    found = candidates(pool, scores, config, seed=4).to_embed
    assert list(found[:30]) == sorted(scores, key=scores.__getitem__, reverse=True)[:30]
    assert len(found) == len(set(found)) <= 40
    picked = select(pool, scores, {i: v for i, v in unit_vectors(pool).items() if i in found}, config, seed=4)
    assert {p.case_id for p in picked.picks} <= set(found)


def test_one_large_group_does_not_crowd_the_candidates() -> None:
    pool = [*a_pool(60, groups=1), *(Case(f"d{i}", (), Source("f", i)) for i in range(20))]
    scores = {case.id: 0.9 if case.id.startswith("c") else 0.5 for case in pool}
    found = candidates(pool, scores, SelectionConfig(k=8, random_share=0, candidates_per_pick=5), seed=0).to_embed
    assert {f"d{i}" for i in range(20)} <= set(found)
    tight = candidates(pool, scores, SelectionConfig(k=2, random_share=0, candidates_per_pick=5), seed=0).to_embed
    assert len(tight) <= 22


@settings(deadline=None, max_examples=80)
@given(
    n=st.integers(0, 25),
    groups=st.integers(1, 25),
    k=st.integers(0, 30),
    share=st.floats(0, 1),
    levels=st.lists(st.sampled_from([None, 0.0, 0.3, 0.3, 1.0]), min_size=25, max_size=25),
    embedded=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 5),
    rng=st.randoms(use_true_random=False),
)
def test_a_selection_holds_its_promises(
    *,
    n: int,
    groups: int,
    k: int,
    share: float,
    levels: list[float | None],
    embedded: float,
    seed: int,
    rng: random.Random,
) -> None:
    pool = a_pool(n, groups=groups)
    config = SelectionConfig(k=k, random_share=share)
    scores = {case.id: level for case, level in zip(pool, levels, strict=False) if level is not None}
    vectors = {i: v for i, v in unit_vectors(pool, d=3).items() if rng.random() < embedded}
    found = select(pool, scores, vectors, config, seed=seed)

    assert len(found.picks) == found.k_discovery + found.k_random
    assert len(found.picks) == (min(k, n) if share > 0 else found.k_discovery) <= k
    ids = [p.case_id for p in found.picks]
    assert len(set(ids)) == len(ids)
    assert [p.rank for p in found.picks] == list(range(1, len(ids) + 1))
    assert all(0 < p.inclusion_probability <= 1 for p in found.picks)
    sampled = [p.inclusion_probability for p in found.picks if p.slice == "random"]
    assert len(set(sampled)) <= 1
    if sampled:
        assert sampled[0] * (n - found.k_discovery) == pytest.approx(found.k_random)
    group_of = {case.id: case.group for case in pool}
    discovered = by_slice(found, "disagreement")
    assert len({group_of[i] for i in discovered}) == len(discovered)
    assert all(scores.get(i, 0) > 0 for i in discovered)

    shuffled = rng.sample(pool, len(pool))
    again = select(shuffled, dict(reversed(scores.items())), dict(reversed(vectors.items())), config, seed=seed)
    assert again == found


def test_the_random_order_hangs_on_ids_and_seed_alone() -> None:
    ids = [f"c{i}" for i in range(50)]
    assert random_order(ids, 1) == random_order(reversed(ids), 1) != random_order(ids, 2)
    assert sorted(random_order(ids, 1)) == sorted(ids)
