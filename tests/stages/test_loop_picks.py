"""The picks of a round: the held-out set, the random slice, and what `next_batch` chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from curator.errors import ConfigError
from curator.records import Case, Message, Source
from curator.records.loop import LoopCase
from curator.stages import loop_picks
from curator.stages.loop_picks import RoundPlan, embedded_cases, held_out_picks, training_picks
from tests.conftest import HashingEncoder


def pool_of(size: int, **more: Any) -> list[LoopCase]:
    """Cases of which every fourth may be held out."""
    return [
        LoopCase(
            Case(f"c{n}", (Message("user", f"word{n % 7} n{n}"),), Source("a", n), group=f"c{n}"),
            "eval" if n % 4 == 0 else "train", f"word{n % 7} n{n}", **more,
        )
        for n in range(size)
    ]  # fmt: skip


def plan(pool: Sequence[LoopCase], **more: Any) -> RoundPlan:
    given: dict[str, Any] = {"number": 1, "size": 20, "random_share": 0.25, "seed": 3, "taken": (), "answers": {}}
    return RoundPlan(pool, **(given | more))


def embed(texts: Sequence[str]) -> Any:
    return HashingEncoder().encode(texts)


def test_the_held_out_set_is_a_plain_random_sample() -> None:
    picks = held_out_picks(pool_of(80), 10, seed=1)
    assert len({pick.case_id for pick in picks}) == 10
    assert {pick.inclusion_probability for pick in picks} == {0.5}
    assert {int(pick.case_id[1:]) % 4 for pick in picks} == {0}
    assert picks != held_out_picks(pool_of(80), 10, seed=2)
    with pytest.raises(ConfigError, match="only 20 cases of 80 may be held out"):
        held_out_picks(pool_of(80), 30, seed=1)


def test_a_round_has_a_random_slice_and_leaves_out_what_was_taken() -> None:
    pool = pool_of(80)
    taken = [f"c{n}" for n in range(1, 20) if n % 4]
    picks = training_picks(plan(pool, taken=taken), embed, None)
    assert len(picks) == len({pick.case_id for pick in picks}) == 20
    drawn = [pick for pick in picks if pick.slice == "random"]
    assert len(drawn) == 5
    assert {pick.inclusion_probability for pick in drawn} == {5 / 45}
    assert not {pick.case_id for pick in picks} & {*taken}
    assert all(int(pick.case_id[1:]) % 4 for pick in picks)
    assert picks == training_picks(plan(pool, taken=taken), embed, None)


def test_cases_that_ask_a_held_out_question_are_never_chosen() -> None:
    pool = [*pool_of(40, leaks=True), *(item for item in pool_of(60) if int(item.case.id[1:]) >= 40)]
    assert {int(pick.case_id[1:]) >= 40 for pick in training_picks(plan(pool, size=100), embed, None)} == {True}


def test_the_random_arm_and_a_small_rest_are_drawn_whole() -> None:
    assert {pick.slice for pick in training_picks(plan(pool_of(80), random_share=1.0), embed, None)} == {"random"}
    assert len(training_picks(plan(pool_of(16), size=50), embed, None)) == 12


def test_doubted_cases_are_chosen_first() -> None:
    pool = pool_of(80)
    items = embedded_cases(pool, (), seed=3)
    sure = np.tile([0.98, 0.02], (len(items), 1))
    doubted = {n for n, item in enumerate(items) if int(item.case.id[1:]) % 7 == 3}
    sure[list(doubted)] = 0.5
    picks = training_picks(plan(pool, size=8, random_share=0.0), embed, sure)
    assert sum(int(pick.case_id[1:]) % 7 == 3 for pick in picks) >= 6
    assert "disagreement" in {pick.slice for pick in picks}


def test_a_large_pool_is_represented_by_random_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_picks, "MAX_POOL", 10)
    items = embedded_cases(pool_of(80), ["c77"], seed=3)
    assert len(items) in (10, 11)
    assert "c77" in {item.case.id for item in items}
    texts: list[str] = []
    training_picks(
        plan(pool_of(80), taken=["c77"], size=6, random_share=0.0), lambda t: embed(texts.extend(t) or t), None
    )
    assert len(texts) in (10, 11)


def test_a_round_has_its_size_though_all_near_duplicate_groups_are_labelled() -> None:
    pool = [replace(item, case=replace(item.case, group=f"g{n % 3}")) for n, item in enumerate(pool_of(80))]
    picks = training_picks(plan(pool, taken=["c1", "c2", "c3"]), embed, None)
    assert len(picks) == len({pick.case_id for pick in picks}) == 20
    seed = training_picks(plan(pool, number=0, random_share=0.0, size=10), embed, None)
    assert len({pool[int(pick.case_id[1:])].case.group for pick in seed[:3]}) == 3  # each group first


def test_cases_without_a_text_are_drawn_when_no_others_are_left() -> None:
    pool = [replace(item, text="") for item in pool_of(80)]
    assert len(training_picks(plan(pool, random_share=0.0, size=10), embed, None)) == 10
