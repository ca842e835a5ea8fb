"""The made-up domains on which the categories are judged."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.clustering.company_logs import Maker
from benchmarks.clustering.five_tools import five_tools
from benchmarks.clustering.free_text import free_text
from benchmarks.clustering.invoices import invoices
from benchmarks.clustering.made_up import MadeUpCase
from benchmarks.clustering.three_nights import three_nights
from curator.answers.record_fields import parse_record
from curator.answers.tool_calls import read_calls

MAKERS = (invoices, five_tools, free_text)
CASES = 600


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.name)
def test_a_longer_log_begins_with_the_shorter_one(maker: Maker) -> None:
    assert maker(40, 3).cases[:15] == maker(15, 3).cases
    assert maker(15, 4).cases != maker(15, 3).cases


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.name)
def test_every_mode_is_planted_as_often_as_its_share(maker: Maker) -> None:
    log = maker(CASES, 5)
    counts = Counter(case.mode for case in log.cases)
    assert {mode.id for mode in log.modes} == {planted.mode.id for planted in maker.planted} == set(counts) - {None}
    for planted in maker.planted:
        assert 0.01 <= planted.share <= 0.05
        assert abs(counts[planted.mode.id] - CASES * planted.share) < 4 * (CASES * planted.share) ** 0.5
    assert all(len(case.answers) == len(maker.seats) for case in log.cases)


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.name)
def test_a_mode_that_is_left_out_leaves_its_inputs(maker: Maker) -> None:
    every = [planted.mode.id for planted in maker.planted]
    log, null = maker(CASES, 5), maker(CASES, 5, without=every)
    assert not null.modes
    assert not any(case.mode for case in null.cases)
    assert [case.messages for case in null.cases] == [case.messages for case in log.cases]


def of_mode(maker: Maker, mode: str) -> list[MadeUpCase]:
    return [case for case in maker(CASES, 7).cases if case.mode == mode]


def test_production_swaps_day_and_month_and_the_committee_does_not() -> None:
    cases = of_mode(invoices, "day_month")
    shares = []
    for case in cases:
        given = parse_record(case.target)["issue_date"].split("-")
        dates = [
            answer["issue_date"].split("-") for answer in map(parse_record, (a.text for a in case.answers)) if answer
        ]
        shares.append(sum(date == [given[0], given[2], given[1]] for date in dates) / len(dates))
    assert 0.75 < sum(shares) / len(shares) < 0.95


def test_credit_notes_are_yaml_with_a_sign() -> None:
    for case in of_mode(invoices, "credit_sign"):
        assert parse_record(case.target)["amount"] > 0
        assert any(parse_record(answer.text)["amount"] < 0 for answer in case.answers)


def test_an_answer_of_the_agent_can_have_several_calls() -> None:
    cases = of_mode(five_tools, "no_notice")
    assert cases
    for case in cases:
        assert [call.name for call in read_calls(case.target)] == ["restart_service"]
        calls = [[call.name for call in read_calls(answer.text)] for answer in case.answers]
        assert ["notify", "restart_service"] in calls


def test_the_committee_is_split_in_a_mode_that_says_so() -> None:
    cases = of_mode(five_tools, "vpn_team")
    teams = Counter(call.arguments["team"] for case in cases for a in case.answers for call in read_calls(a.text))
    assert min(teams["network"], teams["identity"]) > 0.3 * teams.total()


def test_labels_are_right_where_the_committee_agrees_with_the_failure() -> None:
    cases = [case for case in of_mode(free_text, "contact") if case.label]
    assert len(cases) >= 3
    for case in cases:
        assert "payroll" in case.target.lower()
        assert "benefits desk" in (case.label or "")


def test_two_right_answers_in_free_text_have_other_words() -> None:
    null = free_text(200, 1, without=[planted.mode.id for planted in free_text.planted])
    assert sum(len({answer.text for answer in case.answers}) >= 5 for case in null.cases) > 0.9 * len(null.cases)


def test_a_failure_begins_in_the_third_night_and_another_one_ends() -> None:
    made = three_nights(five_tools, CASES, 1, begins="hours", ends="admin")
    modes = [{case.mode for case in night.cases} for night in made.nights]
    assert ["hours" in seen for seen in modes] == [False, False, True]
    assert ["admin" in seen for seen in modes] == [True, True, False]
    first, second, third = ([case.messages for case in night.cases] for night in made.nights)
    assert first != second != third
