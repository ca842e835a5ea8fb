"""A broken member is caught and left out; a healthy committee, and one with too few answers, is left alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.answers.read import read_answer
from curator.disagreement.members.agreement import agreements, plurality
from curator.disagreement.members.health import HALF, group_weights, member_health, split_by_weight
from curator.disagreement.members.votes import MemberKey, Vote, failed_vote, vote
from curator.records import Generation, Kind, MemberHealth
from curator.stats import rate, significantly_above

LABELS = ("billing", "delivery", "returns", "account")
REFUSAL = "I'm sorry, I cannot help with that."
MEMBERS = tuple(MemberKey("m", name, 0.8) for name in ("careful", "expert", "plain", "restated"))
Break = Callable[[random.Random, int, str], str]


def committee(
    cases: int = 120,
    *,
    broken: Mapping[MemberKey, Break] | None = None,
    right: float = 0.8,
    members: tuple[MemberKey, ...] = MEMBERS,
    labels: tuple[str, ...] = LABELS,
    repeats: int = 1,
) -> dict[str, list[Vote]]:
    """Members that mostly say the right label, but for the broken ones, whose answers are passed through their fault."""
    rng, found = random.Random(7), {}
    for number in range(cases):
        truth = LABELS[number % 4]
        own = []
        for member in members * repeats:
            text = truth if rng.random() < right else rng.choice(LABELS)
            text = (broken or {}).get(member, lambda _r, _n, t: t)(rng, number, text)
            own.append(vote(member, read_answer(text, "label", labels=labels), "label"))
        found[f"c{number}"] = own
    return found


def by_variant(health: tuple[MemberHealth, ...]) -> dict[str, MemberHealth]:
    return {member.variant: member for member in health}


def weights(votes: dict[str, list[Vote]], **more: dict[str, str]) -> dict[str, float]:
    return {name: member.weight for name, member in by_variant(member_health(votes, **more)).items()}


WELL = dict.fromkeys(("careful", "expert", "plain", "restated"), 1.0)


@pytest.mark.parametrize("right", [0.55, 0.8, 1.0])
@pytest.mark.parametrize("repeats", [1, 3])
def test_a_healthy_committee_is_left_alone(right: float, repeats: int) -> None:
    assert weights(committee(right=right, repeats=repeats)) == WELL


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (lambda r, n, t: "".join(r.choice("qzxw ") for _ in range(12)), "cannot be read"),
        (lambda r, n, t: "", "cannot be read"),
        (lambda r, n, t: REFUSAL if r.random() < 0.5 else t, "are refusals"),
        (lambda r, n, t: "billing", "its agreement with the other members is 0.00 beyond chance"),
        (lambda r, n, t: LABELS[n * 7919 % 11 % 4], "agreement with the other members"),
    ],
    ids=["garbage", "empty", "refusals", "constant", "random"],
)
def test_a_broken_member_is_left_out_with_the_reason(fault: Break, says: str) -> None:
    health = by_variant(member_health(committee(broken={MEMBERS[2]: fault})))
    assert {name: member.weight for name, member in health.items()} == WELL | {"plain": 0.0}
    assert says in health["plain"].reason
    assert "n=120" in health["plain"].reason
    assert health["expert"].reason == "nothing found"


def test_a_member_that_fails_now_and_then_counts_for_half() -> None:
    health = by_variant(member_health(committee(broken={MEMBERS[2]: lambda r, n, t: "" if r.random() < 0.2 else t})))
    assert {name: member.weight for name, member in health.items()} == WELL | {"plain": HALF}
    assert health["plain"].empty.value == health["plain"].unreadable.value


def test_a_fault_that_all_have_is_held_against_none() -> None:
    faults: dict[MemberKey, Break] = dict.fromkeys(MEMBERS, lambda r, n, t: "" if r.random() < 0.4 else t)
    assert weights(committee(broken=faults)) == WELL


def test_too_few_cases_judge_nobody() -> None:
    health = by_variant(member_health(committee(12, broken={MEMBERS[2]: lambda *_: ""})))
    assert {member.weight for member in health.values()} == {1.0}
    assert health["plain"].reason == "not enough data (n=12)"


def test_two_broken_members_do_not_hide_each_other() -> None:
    constant: Break = lambda r, n, t: "billing"  # noqa: E731
    broken = {MEMBERS[1]: constant, MEMBERS[2]: constant}
    found = weights(committee(400, broken=broken, members=(*MEMBERS, MemberKey("m", "stepwise", 0.8))))
    assert found == WELL | {"expert": 0.0, "plain": 0.0, "stepwise": 1.0}
    assert weights(committee(broken=broken)) == WELL  # two against two: nobody can tell which of them are broken


def test_of_two_members_none_is_the_odd_one_and_none_is_left_out() -> None:
    constant = committee(broken={MEMBERS[0]: lambda *_: "billing"}, members=MEMBERS[:2])
    assert weights(constant) == {"careful": 1.0, "expert": 1.0}
    garbage = by_variant(member_health(committee(broken={MEMBERS[0]: lambda *_: ""}, members=MEMBERS[:2])))
    assert (garbage["careful"].weight, garbage["expert"].weight) == (HALF, 1.0)
    assert "fewer than two members or answers would remain" in garbage["careful"].reason


def test_a_member_that_is_much_less_accurate_counts_for_half_and_is_never_left_out_for_it() -> None:
    truth = {f"c{number}": f"={LABELS[number % 4]}" for number in range(120)}
    guessing = committee(broken={MEMBERS[2]: lambda r, n, t: t if r.random() < 0.6 else r.choice(LABELS)}, right=0.95)
    health = by_variant(member_health(guessing, truth=truth))
    assert {name: member.weight for name, member in health.items()} == WELL | {"plain": HALF}
    assert "right on the labelled random cases" in health["plain"].reason
    assert health["plain"].accuracy.n == 120


def test_few_labels_judge_nobody() -> None:
    truth = {f"c{number}": f"={LABELS[number % 4]}" for number in range(15)}
    guessing = committee(broken={MEMBERS[2]: lambda r, n, t: t if r.random() < 0.6 else r.choice(LABELS)}, right=0.95)
    health = by_variant(member_health(guessing, truth=truth))
    assert health["plain"].weight == 1.0
    assert health["plain"].accuracy.n == 15


def test_a_member_alone_against_the_others_is_kept_where_the_labels_speak_for_it() -> None:
    wrong: Break = lambda r, n, t: LABELS[(n + 1) % 4]  # noqa: E731
    votes = committee(broken=dict.fromkeys(MEMBERS[1:], wrong), right=1.0)
    truth = {f"c{number}": f"={LABELS[number % 4]}" for number in range(120)}
    assert weights(votes)["careful"] == 0.0
    found = weights(votes, truth=truth)
    assert found["careful"] == 1.0
    assert {found[name] for name in ("expert", "plain", "restated")} == {HALF}


def test_failed_calls_are_counted_and_are_no_answers() -> None:
    votes = committee(30)
    for own in votes.values():
        own.append(failed_vote(MEMBERS[0]))
    careful = by_variant(member_health(votes))["careful"]
    assert (careful.answers, careful.failed, careful.weight) == (30, 30, 1.0)
    assert careful.unreadable.value == 0


def test_free_text_agrees_by_its_words() -> None:
    rng = random.Random(5)
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    votes: dict[str, list[Vote]] = {}
    for number in range(200):
        said = rng.sample(words, 8)
        texts = {member: " ".join(rng.sample(said, 7)) for member in MEMBERS[:3]} | {
            MEMBERS[3]: "we are open from nine to five"
        }
        votes[f"c{number}"] = [vote(member, read_answer(text, "text"), "text") for member, text in texts.items()]
    found = weights(votes)
    assert found == WELL | {"restated": 0.0}


@given(st.integers(0, 5), st.integers(1, 3))
def test_two_members_and_two_answers_always_stay(bad: int, repeats: int) -> None:
    faults: dict[MemberKey, Break] = dict.fromkeys(MEMBERS[: min(bad, 4)], lambda *_: "")
    votes = committee(25, broken=faults, repeats=repeats)
    health = member_health(votes)
    assert sum(member.weight > 0 for member in health) >= 2
    answers = {i: [generation(i, v.member, v.text) for v in own] for i, own in votes.items()}
    compared, left_out = split_by_weight(answers, health)
    for i, own in answers.items():
        assert len(compared[i]) >= 2
        assert len(compared[i]) + len(left_out.get(i, ())) == len(own)


def generation(case_id: str, member: MemberKey, text: str = "x") -> Generation:
    return Generation(case_id, text, member.model, member.variant, member.temperature)


def test_a_case_that_would_keep_one_answer_keeps_all() -> None:
    health = member_health(committee(broken={MEMBERS[2]: lambda *_: ""}))
    few = [generation("a", MEMBERS[0]), generation("a", MEMBERS[2])]
    many = [*few, generation("b", MEMBERS[1])]
    compared, left_out = split_by_weight({"a": few, "b": many}, health)
    assert compared["a"] == few
    assert compared["b"] == [many[0], many[2]]
    assert left_out == {"b": [many[1]]}


def test_a_group_counts_by_the_mean_weight_of_its_members() -> None:
    health = member_health(committee(broken={MEMBERS[2]: lambda *_: ""}))
    assert {"m/careful": 1.0, "m/expert": 1.0, "m/plain": 0.0}.items() <= group_weights(health).items()
    halved = [replace(h, weight=HALF) if h.variant == "expert" else h for h in health]
    assert group_weights(halved)["m/expert"] == HALF


def test_with_too_few_cases_every_member_counts_the_same() -> None:
    votes = dict(list(committee().items())[:5])
    assert set(group_weights(member_health(votes)).values()) == {1.0}


def test_kappa_takes_away_what_a_constant_answer_gets_for_nothing() -> None:
    members = (MemberKey("", "a"), MemberKey("", "b"), MemberKey("", "c"))
    votes = {
        f"c{i}": [
            Vote(members[0], right := "=no" if i % 10 else "=yes"),
            Vote(members[1], right),
            Vote(members[2], "=no"),
        ]
        for i in range(50)
    }
    found = agreements(votes)
    assert found[members[2]].share.value == pytest.approx(0.9)
    assert found[members[2]].kappa == pytest.approx(0.0)
    # the others' majority is tied with the constant one's on five cases of fifty
    assert found[members[0]].share.value == pytest.approx(0.95)


def test_nobody_is_measured_by_a_member_that_is_left_out() -> None:
    members = tuple(MemberKey("", name) for name in "abc")
    votes = {f"c{i}": [Vote(members[0], f"={i}"), Vote(members[1], f"={i}"), Vote(members[2], "=x")] for i in range(20)}
    assert agreements(votes)[members[0]].share.value == pytest.approx(0.5)
    without = agreements(votes, without={members[2]})
    assert without[members[0]].share.value == 1.0
    assert without[members[2]].share.value == 0.0


def test_a_tied_plurality_is_shared() -> None:
    assert plurality({"a": 1.0, "b": 1.0, "c": 0.5}) == {"a": 0.5, "b": 0.5}
    assert plurality({}) == plurality({"a": 0.0}) == {}


def test_rates_are_silent_on_few_cases_and_sure_only_where_the_interval_is() -> None:
    assert rate(3, 9).value is None
    # Wilson's interval for 8 of 10, from Newcombe (1998)
    assert (rate(8, 10).low, rate(8, 10).high) == (pytest.approx(0.4902, abs=1e-3), pytest.approx(0.9433, abs=1e-3))
    assert significantly_above(rate(30, 40), rate(15, 40))
    assert not significantly_above(rate(9, 12), rate(5, 12))
    assert not significantly_above(rate(5, 9), rate(0, 100))


@pytest.mark.parametrize(
    ("text", "kind", "readable", "refused", "empty"),
    [
        ("billing", "label", True, False, False),
        ("zz", "label", False, False, False),
        ("", "label", False, False, True),
        (REFUSAL, "label", False, True, False),
        (REFUSAL, "text", True, True, False),
        ("  ", "text", False, False, True),
    ],
)
def test_a_vote_says_what_kind_of_answer_it_is(
    text: str, kind: Kind, readable: bool, refused: bool, empty: bool
) -> None:
    found = vote(MEMBERS[0], read_answer(text, kind, labels=LABELS if kind == "label" else ()), kind)
    assert (found.readable, found.refused, found.empty) == (readable, refused, empty)
    assert (found.meaning is None) == (kind == "text")
