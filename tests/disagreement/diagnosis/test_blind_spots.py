"""The noise floor and the share of the known failures that disagreement could not have seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from curator.answers.read import read_answer
from curator.disagreement.diagnosis.blind_spots import NEAR_ZERO, blind_share, noise_floor
from curator.disagreement.equivalence.comparers import WordComparer
from curator.disagreement.ground_truth import LEFT_OUT, failure_evidence, random_label_meanings
from curator.disagreement.members.case_answers import label_meaning
from curator.disagreement.members.votes import MemberKey, Vote, votes_of
from curator.records import Case, Feedback, Kind, Reference, Score, Source


def at(temperature: float, said: str, variant: str = "plain") -> list[Vote]:
    return [Vote(MemberKey("m", variant, temperature), f"={answer}", text=answer) for answer in said]


def test_the_floor_is_that_of_repeats_at_temperature_0_alone() -> None:
    votes = {f"c{i}": [*at(0.0, "aab" if i < 2 else "aaa"), *at(0.8, "abc")] for i in range(12)}
    found = noise_floor(votes)
    assert found.floor == pytest.approx(2 / 12 * 2 / 3, abs=1e-5)
    assert (found.differing.value, found.differing.n) == (pytest.approx(2 / 12, abs=1e-5), 12)
    assert found.spread is not None
    assert found.spread > 0.5
    assert (found.cold, found.one_prompt) == (False, True)


def test_prompts_that_were_asked_once_have_no_floor() -> None:
    votes = {f"c{i}": [*at(0.0, "a"), *at(0.0, "b", "careful")] for i in range(12)}
    found = noise_floor(votes)
    assert (found.floor, found.differing.n) == (None, 0)
    assert (found.cold, found.one_prompt) == (True, False)


def test_few_cases_have_no_floor_and_no_answers_are_not_cold() -> None:
    assert noise_floor({f"c{i}": at(0.0, "aa") for i in range(9)}).floor is None
    assert not noise_floor({}).cold


def case(name: str, *, target: str | None = "a", kind: Kind = "label", **more: object) -> Case:
    return replace(Case(name, (), Source("a.jsonl", 1), target=target, kind=kind), **more)  # type: ignore[arg-type]


def agrees(one: Case) -> bool | None:
    if one.kind == "text" or one.reference is None or one.target is None:
        return None
    return read_answer(one.reference.text, "label").key == read_answer(one.target, "label").key


def test_a_label_has_the_meaning_of_the_answers_that_say_the_same() -> None:
    compare = WordComparer("where is it?")
    texts = ("the red house", "a red house", "the blue house")
    answers = [read_answer(text, "short") for text in texts]
    votes = votes_of([MemberKey("m", "plain")] * 3, answers, "short", compare)
    assert votes[0].meaning == votes[1].meaning != votes[2].meaning
    for text, same in (("red house", votes[0].meaning), ("blue house", votes[2].meaning), ("a green tent", None)):
        found = label_meaning(read_answer(text, "short"), votes, answers, compare)
        assert (found == same) is (same is not None)


def failures(*cases: Case) -> dict[str, str]:
    return failure_evidence(cases, agrees)


DOWN = Feedback(thumb="down")


@pytest.mark.parametrize(
    ("one", "known_by"),
    [
        (case("c", reference=Reference("b", "label")), "label"),
        (case("c", reference=Reference("b", "label", slice="random")), "label"),
        (case("c", reference=Reference("b", "label", slice="disagreement")), LEFT_OUT),
        (case("c", reference=Reference("b", "correction")), "correction"),
        (case("c", reference=Reference("Answer: A", "label")), None),
        (case("c", feedback=DOWN), "thumb down"),
        (case("c", feedback=DOWN, reference=Reference("a", "label")), None),
        (case("c", feedback=Feedback(thumb="up")), None),
        (case("c", target=None, reference=Reference("b", "label")), None),
        (case("c", kind="text", target="It is red.", reference=Reference("It's a red one.", "label")), None),
        (case("c", kind="text", target="It is red.", reference=Reference("It is blue.", "correction")), "correction"),
        (case("c", kind="text", target="It is red.", feedback=DOWN, reference=Reference("It is  red.", "label")), None),
    ],
)
def test_a_failure_is_known_by_a_label_a_correction_or_a_thumb(one: Case, known_by: str | None) -> None:
    assert failures(one).get("c") == known_by


def test_only_labels_of_the_random_slice_judge_the_members() -> None:
    cases = [
        case("drawn", reference=Reference("b", "label", slice="random")),
        case("picked", reference=Reference("b", "label", slice="disagreement")),
        case("logged", reference=Reference("b", "label")),
        case("corrected", reference=Reference("b", "correction", slice="random")),
        case("prose", kind="text", reference=Reference("b", "label", slice="random")),
    ]
    assert random_label_meanings(cases, dict.fromkeys((one.id for one in cases if one.kind != "text"), "=b")) == {
        "drawn": "=b"
    }


def score(name: str, disagreement: float | None) -> Score:
    return Score(name, disagreement, 0.0, 0.0, 0.0, "label", "s", "a", 1.0, 4)


def test_the_blind_share_counts_known_failures_that_nobody_would_look_at() -> None:
    known = {f"c{i}": "label" if i % 2 else "thumb down" for i in range(20)}
    scores = {i: score(i, 0.0 if n < 4 else NEAR_ZERO if n == 4 else 0.06) for n, i in enumerate(known)}
    found = blind_share(known, scores)
    assert (found.unseen.value, found.unseen.n) == (0.25, 20)
    assert found.unseen.low is not None
    assert found.unseen.high is not None
    assert found.unseen.low < 0.25 < found.unseen.high
    assert found.by_source == {"label": 10, "thumb down": 10}


def test_failures_found_by_disagreement_and_unscored_ones_do_not_count() -> None:
    known = {"picked": LEFT_OUT, "unscored": "label", "gone": "label", "seen": "correction"}
    scores = {"picked": score("picked", 0.9), "unscored": score("unscored", None), "seen": score("seen", 0.5)}
    found = blind_share(known, scores)
    assert (found.unseen.value, found.unseen.n, found.left_out) == (None, 1, 1)
    assert found.by_source == {"correction": 1}
