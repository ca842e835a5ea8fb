from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from curator.config import SelectionConfig
from curator.selection.acquisition import Acquisition, acquire, cases_to_embed
from curator.selection.strategies import STRATEGIES

NAMES = tuple(STRATEGIES)
Vectors = dict[str, NDArray[np.float32]]


def ids_of(n: int) -> list[str]:
    return [f"c{i:04}" for i in range(n)]


def pool(
    n: int, *, seed: int = 0, clusters: int = 6, spread: float = 0.3
) -> tuple[list[str], dict[str, float], Vectors]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(clusters, 8))[np.arange(n) % clusters] + spread * rng.normal(size=(n, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    u = np.where(rng.random(n) < 0.3, 0.0, rng.random(n))
    return (
        ids_of(n),
        dict(zip(ids_of(n), u.tolist(), strict=True)),
        dict(zip(ids_of(n), rows.astype(np.float32), strict=True)),
    )


def picked(found: Acquisition) -> list[str]:
    return [pick.case_id for pick in found.picks]


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(NAMES),
    st.integers(1, 60),
    st.integers(0, 70),
    st.integers(0, 3),
    st.integers(0, 3),
    st.one_of(st.none(), st.integers(1, 6)),
)
def test_picks_keep_to_what_was_asked(name: str, n: int, k: int, seed: int, least: int, most: int | None) -> None:
    ids, scores, vectors = pool(n, seed=seed)
    groups = {i: f"g{int(i[1:]) // 2}" for i in ids}
    categories = {i: f"k{int(i[1:]) % 3}" for i in ids}
    config = SelectionConfig.model_validate(
        {"strategy": name, "nearest": 0.9, "least_per_category": least, "most_per_category": most}
    )
    arguments = {"groups": groups, "k": k, "config": config, "seed": seed, "categories": categories}
    found = acquire(ids, scores, vectors, **arguments)  # type: ignore[arg-type]  # one dict for two calls
    shuffled = random.Random(seed).sample(ids, n)
    assert acquire(shuffled, scores, dict(reversed(vectors.items())), **arguments) == found  # type: ignore[arg-type]  # as above
    chosen = picked(found)
    assert len(chosen) == len(set(chosen)) <= k
    assert len({groups[i] for i in chosen}) == len(chosen)
    assert all(float(vectors[a] @ vectors[b]) < 0.9 for a in chosen for b in chosen if a < b)
    assert all(scores[i] > 0 for i in chosen) or not any(scores.values())
    counts = Counter(categories[i] for i in chosen)
    assert most is None or all(count <= most for count in counts.values())
    assert 0.0 <= found.coverage <= 1.0
    assert 0.0 <= found.represented <= 1.0
    if len(chosen) < min(k, n):
        assert any("could be picked by discovery" in message for message in found.messages)


@pytest.mark.parametrize("name", NAMES)
def test_every_category_gets_its_minimum(name: str) -> None:
    ids, scores, vectors = pool(200, clusters=40)
    scores |= dict.fromkeys(ids, 0.9)
    categories = {i: "rare" if i in ids[:5] else "usual" for i in ids}
    scores |= dict.fromkeys(ids[:5], 0.1)
    config = SelectionConfig.model_validate({"strategy": name, "least_per_category": 3})
    found = acquire(ids, scores, vectors, groups={}, k=10, config=config, seed=1, categories=categories)
    assert Counter(categories[i] for i in picked(found))["rare"] >= 3


def test_labelled_cases_and_their_likes_are_not_picked_again() -> None:
    ids, scores, vectors = pool(60)
    scores = dict.fromkeys(ids, 1.0)
    config = SelectionConfig(outlier_share=0.0)
    first = picked(acquire(ids, scores, vectors, groups={}, k=3, config=config, seed=0))
    groups = {i: "same" if i in (first[0], ids[-1]) else i for i in ids}
    second = picked(acquire(ids, scores, vectors, groups=groups, k=3, config=config, seed=0, covered=first))
    assert not {*first, ids[-1]} & set(second)
    cluster = {i: int(i[1:]) % 6 for i in ids}
    assert {cluster[i] for i in first} | {cluster[i] for i in second} == set(range(6))


def test_a_share_of_the_picks_goes_to_disagreeing_cases_far_from_all() -> None:
    ids, scores, vectors = pool(120, clusters=2, spread=0.2)
    scores = dict.fromkeys(ids, 0.8)
    far = ids[:4]
    vectors |= dict(zip(far, np.eye(8, dtype=np.float32), strict=False))

    def reasons(share: float) -> dict[str, str]:
        config = SelectionConfig(outlier_share=share, nearest=1.0)
        found = acquire(ids, scores, vectors, groups={}, k=10, config=config, seed=0)
        return {pick.case_id: pick.reason for pick in found.picks}

    assert sum(reason == "isolated" for reason in reasons(0.3).values()) == 3
    assert not any(reason == "isolated" for reason in reasons(0.0).values())
    assert set(far) <= set(reasons(0.5))


def test_regions_name_what_is_far_and_what_no_pick_represents() -> None:
    ids, scores, vectors = pool(120, clusters=3, spread=0.05)
    for place in range(5):
        vectors[ids[place]] = np.eye(8, dtype=np.float32)[place]
    categories = {i: f"k{int(i[1:]) % 3}" for i in ids}
    scores = {i: 1.0 if categories[i] == "k0" and i not in ids[:5] else 0.0 for i in ids}
    found = acquire(ids, scores, vectors, groups={}, k=1, config=SelectionConfig(), seed=0, categories=categories)
    by_name = {region.name: region for region in found.regions}
    assert by_name["k0"].picks == 1
    assert by_name["k1"].picks == 0
    assert by_name["k1"].share == pytest.approx(40 / 120)
    assert set(ids[:5]) <= set(by_name["outliers"].case_ids)
    assert by_name["outliers"].evidence
    assert found.agreeing == sum(value == 0 for value in scores.values())
    cells = acquire(ids, scores, vectors, groups={}, k=1, config=SelectionConfig(), seed=0).regions
    assert sum(region.cases for region in cells if region.kind == "cell") == 120


def test_no_score_and_no_vector_is_no_candidate() -> None:
    ids, _, vectors = pool(6, clusters=6)
    del vectors[ids[1]]
    found = acquire(ids, dict.fromkeys(ids[1:], 1.0), vectors, groups={}, k=6, config=SelectionConfig(), seed=0)
    assert set(picked(found)) == set(ids[2:])
    assert any("1 case without a score" in message for message in found.messages)


@pytest.mark.parametrize(
    ("scores", "k", "expected", "message"),
    [
        ([0.5, 0.9, 0.1], 0, 0, "k is 0"),
        ([0.5, 0.9, 0.1], 9, 3, "the pool has 3 cases"),
        ([0.7, 0.7, 0.7], 2, 2, "same score"),
        ([0.0, 0.0, 0.0], 2, 2, "agrees on every case"),
        ([0.5, 0.0, 0.0], 2, 1, "Only 1 of 2 cases could be picked"),
        ([], 3, 0, "the pool has 0 cases"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_edges_say_what_is_done(name: str, scores: list[float], k: int, expected: int, message: str) -> None:
    ids = ids_of(len(scores))
    vectors = dict(zip(ids, np.eye(3, dtype=np.float32), strict=False))
    config = SelectionConfig.model_validate({"strategy": name})
    found = acquire(ids, dict(zip(ids, scores, strict=True)), vectors, groups={}, k=k, config=config, seed=0)
    assert len(found.picks) == expected
    assert any(message in said for said in found.messages)


def test_what_is_said_of_the_picks_is_what_the_strategy_does() -> None:
    ids = ids_of(3)
    vectors = dict(zip(ids, np.eye(3, dtype=np.float32), strict=True))
    for name, what in (("random", "in random order"), ("top", "in random order"), ("k-center", "diverse")):
        config = SelectionConfig.model_validate({"strategy": name})
        found = acquire(ids, dict.fromkeys(ids, 0.7), vectors, groups={}, k=2, config=config, seed=0)
        assert found.messages == (f"All 3 candidates have the same score: the picks are only {what}.",)


def test_vectors_are_not_missed_where_all_cases_are_like_covered_ones() -> None:
    ids = ids_of(3)
    vectors = dict(zip(ids, np.eye(3, dtype=np.float32), strict=True))
    found = acquire(ids, dict(zip(ids, (0.1, 0.5, 0.9), strict=True)), vectors, groups=dict.fromkeys(ids, "g"), k=2,
                     config=SelectionConfig(), seed=0, covered=ids[:1])  # fmt: skip
    assert found.picks == ()
    assert not any("No vectors" in message for message in found.messages)


@pytest.mark.parametrize("name", NAMES)
def test_without_vectors_disagreement_alone_decides_or_chance(name: str) -> None:
    ids = ids_of(6)
    scores = dict(zip(ids, [0.1, 0.9, 0.5, 0.9, 0.2, 0.3], strict=True))
    groups = {ids[1]: "a", ids[3]: "a"}
    config = SelectionConfig.model_validate({"strategy": name})
    found = acquire(ids, scores, {}, groups=groups, k=2, config=config, seed=0)
    assert len(found.picks) == 2
    assert any("No vectors" in message for message in found.messages)
    by = name if name in ("margin", "random") else "top"
    assert {pick.reason for pick in found.picks} == {f"by {by}"}
    assert any("the most disagreeing" in message for message in found.messages) == (by == "top")
    if name not in ("margin", "random"):
        assert set(picked(found)) in ({ids[1], ids[2]}, {ids[3], ids[2]})


@pytest.mark.parametrize("as_vectors", [False, True])
def test_duplicates_only_are_one_pick(as_vectors: bool) -> None:
    ids = ids_of(5)
    vectors = dict.fromkeys(ids, np.array([1, 0], dtype=np.float32)) if as_vectors else {}
    groups = {} if as_vectors else dict.fromkeys(ids, "a")
    found = acquire(ids, dict.fromkeys(ids, 0.5), vectors, groups=groups, k=3, config=SelectionConfig(), seed=0)
    assert len(found.picks) == 1
    assert any("Only 1 of 3 cases could be picked" in message for message in found.messages)


def test_a_large_pool_of_equals_is_chosen_from_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curator.selection.facility_location.DENSE", 60)
    monkeypatch.setattr("curator.selection.disagreement_coverage.DENSE", 60)
    ids, _, vectors = pool(300, clusters=10, spread=0.1)
    config = SelectionConfig(outlier_share=0.0)
    found = acquire(ids, dict.fromkeys(ids, 1.0), vectors, groups={}, k=10, config=config, seed=0)
    assert len({int(i[1:]) % 10 for i in picked(found)}) >= 9
    assert found.candidates == 300


def test_worth_embedding_are_the_most_disagreeing_groups() -> None:
    ids = ids_of(8)
    scores = dict(zip(ids, [0.1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], strict=True))
    groups = dict.fromkeys(ids[1:4], "a")
    config = SelectionConfig(candidates_per_pick=2)
    assert cases_to_embed(ids, scores, groups=groups, config=config, k=1) == tuple(ids[1:5])
    assert cases_to_embed(ids[::-1], scores, groups={}, config=config, k=1) == tuple(ids[1:3])


def test_equals_are_embedded_wherever_their_ids_put_them() -> None:
    """With two answers a case, a third of a pool disagrees alike, and ids often name the task: all tasks get their share."""
    ids = [f"{task}/{i:03}" for task in "abcd" for i in range(100)]
    chosen = cases_to_embed(ids, dict.fromkeys(ids, 1.0), groups={}, config=SelectionConfig(), k=20)
    assert len(chosen) == 100
    assert min(Counter(i[0] for i in chosen).values()) > 10
    assert chosen == cases_to_embed(ids[::-1], dict.fromkeys(ids, 1.0), groups={}, config=SelectionConfig(), k=20)
