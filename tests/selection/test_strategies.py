"""The contract that every entry of STRATEGIES keeps."""

from __future__ import annotations

import random

import numpy as np
import pytest

from curator.config import SelectionConfig
from curator.estimation.sampling_frame import SamplingUnit
from curator.records import STRATEGY_NAMES, Case, Message, Source, stable_unit
from curator.selection.acquisition import Acquisition, acquire
from curator.selection.strategies import STRATEGIES
from curator.stages.pick import pick

N = 60
IDS = [f"c{i:04}" for i in range(N)]
RNG = np.random.default_rng(0)
ROWS = np.abs(RNG.normal(size=(N, 8)))  # positive cosines, so that no two distances are equal
VECTORS = dict(zip(IDS, (ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)).astype(np.float32), strict=True))
SCORES = {i: 0.01 + 0.98 * stable_unit("score", i) for i in IDS}

pytestmark = pytest.mark.parametrize("name", STRATEGIES)


def picked(name: str, k: int, *, ids: list[str] = IDS, seed: int = 0) -> Acquisition:
    config = SelectionConfig.model_validate({"strategy": name, "k": k, "nearest": 1.0})
    return acquire(ids, SCORES, VECTORS, groups={}, k=k, config=config, seed=seed)


def ids_of(acquisition: Acquisition) -> list[str]:
    return [case.case_id for case in acquisition.picks]


def test_the_entry_is_described_and_has_a_public_name(name: str) -> None:
    assert STRATEGIES[name].name == name
    assert STRATEGIES[name].meaning
    assert tuple(STRATEGIES) == STRATEGY_NAMES


def test_it_picks_k_distinct_cases_of_the_pool(name: str) -> None:
    chosen = ids_of(picked(name, 20))
    assert len(chosen) == len(set(chosen)) == 20
    assert set(chosen) <= set(IDS)


def test_k_may_be_0_or_more_than_the_pool(name: str) -> None:
    assert ids_of(picked(name, 0)) == []
    assert sorted(ids_of(picked(name, N + 5))) == IDS


def test_it_is_deterministic_and_the_order_of_the_pool_does_not_matter(name: str) -> None:
    shuffled = random.Random(1).sample(IDS, N)
    assert picked(name, 20) == picked(name, 20) == picked(name, 20, ids=shuffled)


def test_the_seed_decides_only_where_the_entry_says_so(name: str) -> None:
    differ = any(ids_of(picked(name, 20)) != ids_of(picked(name, 20, seed=seed)) for seed in (1, 2, 3))
    assert differ == STRATEGIES[name].random


def test_it_does_without_vectors_where_the_entry_says_so(name: str) -> None:
    config = SelectionConfig.model_validate({"strategy": name})
    reasons = {case.reason for case in acquire(IDS, SCORES, {}, groups={}, k=5, config=config, seed=0).picks}
    assert reasons == {"by top" if STRATEGIES[name].needs_vectors else f"by {name}"}


def test_every_pick_has_an_inclusion_probability(name: str) -> None:
    cases = [Case(i, (Message("user", f"question {i}"),), Source("pool.jsonl", n)) for n, i in enumerate(IDS, 1)]
    units = [SamplingUnit(i, {"score": SCORES[i]}) for i in IDS]
    config = SelectionConfig.model_validate({"strategy": name, "k": 30})
    picks = pick(cases, units, picked(name, 15), config, split=lambda _: "eval", seed=0).picks
    assert len({p.case_id for p in picks}) == 30
    assert all(0 < p.inclusion_probability <= 1 for p in picks)
    assert {p.inclusion_probability for p in picks if p.slice == "disagreement"} == {1.0}
