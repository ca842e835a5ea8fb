"""The made-up logs: the same for a seed, a prefix of the longer one, and with the shares of failures that they promise."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from benchmarks.clustering.made_up import MadeUpLog
from benchmarks.clustering.support_desk import MODES, MODES_OF_A_LOG, support_desk

CASES = 1500


@pytest.fixture(scope="module")
def log() -> MadeUpLog:
    return support_desk(CASES, seed=3)


def test_a_seed_gives_the_same_log_and_a_longer_log_begins_with_it(log: MadeUpLog) -> None:
    assert support_desk(CASES, seed=3) == log
    assert support_desk(CASES + 50, seed=3).cases[:CASES] == log.cases
    assert support_desk(CASES, seed=4).cases != log.cases


def test_each_mode_has_its_share_of_the_traffic(log: MadeUpLog) -> None:
    counts = Counter(case.mode for case in log.cases if case.mode)
    assert set(counts) == {mode.id for mode in log.modes}
    assert len(log.modes) == MODES_OF_A_LOG
    assert 0.15 <= sum(counts.values()) / CASES <= 0.35
    assert all(0.008 <= count / CASES <= 0.05 for count in counts.values())


def test_the_seed_chooses_the_modes() -> None:
    chosen = {frozenset(mode.id for mode in support_desk(0, seed).modes) for seed in range(5)}
    assert len(chosen) > 1


def test_what_is_left_out_is_answered_rightly_and_its_inputs_stay(log: MadeUpLog) -> None:
    nothing = support_desk(CASES, seed=3, without=[mode.id for mode in MODES])
    assert nothing.modes == ()
    assert {case.mode for case in nothing.cases} == {None}
    assert [case.messages for case in nothing.cases] == [case.messages for case in log.cases]
    refunds = [i for i, case in enumerate(log.cases) if case.mode == "refund above the limit"]
    handed_over = sum(name(nothing.cases[i].target) == "handover" for i in refunds)
    assert handed_over > 0.8 * len(refunds)


def test_the_committee_opposes_production_in_most_modes(log: MadeUpLog) -> None:
    """Refunds above the limit: production creates them, most members hand over."""
    shown = [case for case in log.cases if case.mode == "refund above the limit"]
    assert {name(case.target) for case in shown} == {"create_refund"}
    members = Counter(name(answer.text) for case in shown for answer in case.answers)
    assert 0.7 <= members["handover"] / members.total() <= 0.97


def test_the_last_variant_fails_where_a_variant_splits_the_committee(log: MadeUpLog) -> None:
    shown = [case for case in log.cases if case.mode == "customer number as order"]
    wrong = Counter(a.prompt_id for case in shown for a in case.answers if '"order_id":"C-' in a.text)
    assert shown
    assert wrong["assistant/restated"] > 5 * max(wrong["assistant/plain"], wrong["assistant/careful"])


def test_the_committee_fails_with_production_where_labels_say_so(log: MadeUpLog) -> None:
    shown = [case for case in log.cases if case.mode == "always urgent"]
    agree = [answer for case in shown for answer in case.answers if '"priority":"urgent"' in compact(answer.text)]
    labels = [case.label for case in shown if case.label]
    assert len(agree) / sum(len(case.answers) for case in shown) > 0.85
    assert len(labels) > len(shown) / 2
    assert not [label for label in labels if '"priority":"urgent"' in compact(label)]


def name(text: str) -> str:
    """The name of the tool that an answer calls; "" for words."""
    return orjson.loads(text)["tool_calls"][0]["name"] if text.startswith('{"tool_calls"') else ""


def compact(text: str) -> str:
    return "".join(text.split())
