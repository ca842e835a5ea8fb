"""The contrasts of one case: production's, the committee's, and those of the members as placebos."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.disagreement.contrasts.answer_parts import form_of
from curator.records import KINDS, Difference, Kind
from curator.records.differences import WORDING
from tests.disagreement.contrasts.made_cases import contrasts

REFUSAL = "I'm sorry, but I can't help with that."
RETURNS = (
    "You can send it back within 30 days.",
    "Send it back to us within 30 days.",
    "Within 30 days you can send it back to us.",
    "Please send it back within 30 days.",
)
HOSTILE = (
    "\ud800\udfff",
    "x" * 100_000,
    '{"a": ' * 2_000,
    "9" * 5_000,
    "<script>alert(1)</script>",
    "\x00\x1b[2J",
    "",
    "١٢/٣",
)


def test_production_differs_from_most_of_the_committee() -> None:
    case = contrasts("label", ["billing", "billing", "billing", "returns"], "returns")
    assert case.production is not None
    assert case.production.basis == "production"
    assert case.production.differences == (Difference("label", "", "returns", "billing"),)
    assert case.production.strength == 0.75
    assert (case.production.given, case.production.expected) == ("returns", "billing")
    assert case.keys == {"label::returns>billing", "label:*"}
    assert case.committee is None


def test_a_label_comes_before_the_committee() -> None:
    case = contrasts("label", ["billing", "billing", "billing"], "billing", label="returns", failure=1.0)
    assert case.production is not None
    assert (case.production.basis, case.production.strength, case.production.expected) == ("label", 1, "returns")
    assert case.production.differences == (Difference("label", "", "billing", "returns"),)
    right = contrasts("label", ["returns", "returns", "returns"], "billing", label="billing", failure=0.0)
    assert right.production is not None
    assert right.production.basis == "production"


def test_a_label_and_its_answer_have_the_spelling_of_the_committee() -> None:
    answer = '{"due_date": "May 3", "x": 1}'
    case = contrasts(
        "json", [answer] * 3, '{"dueDate": "May 4", "x": 1}', label='{"DueDate": "May 3", "x": 1}', failure=1
    )
    assert case.production is not None
    assert case.production.differences == (Difference("field", "due_date", "May 4", "May 3"),)


@pytest.mark.parametrize(
    ("failure", "thumb_down", "reason"), [(1.0, False, "failed by label"), (None, True, "thumb down")]
)
def test_a_complaint_alone_is_a_contrast(failure: float | None, thumb_down: bool, reason: str) -> None:
    case = contrasts("label", ["billing"] * 3, "billing", failure=failure, thumb_down=thumb_down)
    assert case.production is not None
    assert case.production.basis == "label"
    assert case.production.differences == (Difference("complaint", "", reason, "no complaint"),)
    other = contrasts("label", ["billing"] * 3, "returns", failure=failure, thumb_down=thumb_down)
    assert other.production is not None
    assert {d.aspect for d in other.production.differences} == {"label"}


def test_agreement_has_no_contrast() -> None:
    case = contrasts("label", ["billing"] * 3, "billing", label="billing", failure=0.0)
    assert (case.production, case.committee, case.keys, dict(case.placebo_keys)) == (None, None, frozenset(), {})


def test_placebo_keys_count_the_members_that_differ_from_the_others() -> None:
    case = contrasts("label", ["billing", "billing", "billing", "returns"], "billing")
    assert case.members == 4
    assert dict(case.placebo_keys) == {"label::returns>billing": 1, "label:*": 1}
    assert case.spread == {"label:": 0.25}
    even = contrasts("label", ["billing", "billing", "returns", "returns"], "billing")
    assert even.placebo_keys["label:*"] == 4, "each is against two of the three others"
    answers = [f'{{"total": {total}, "note": "n{i}"}}' for i, total in enumerate((5, 5, 5, 50))]
    assert dict(contrasts("json", answers, answers[0]).placebo_keys) == {
        "field:total:scaled": 1, "field:total": 1, "field:*": 1,
    }  # fmt: skip


def test_the_two_groups_of_a_committee_and_the_prompt_that_dissents() -> None:
    case = contrasts("label", ["billing", "billing", "billing", "returns", "returns"], prompts="aabcc")
    assert case.committee is not None
    assert case.committee.differences == (Difference("label", "", "billing", "returns"),), (
        "in order: which is larger is chance"
    )
    assert case.committee.strength == pytest.approx(0.4)
    assert (case.committee.given, case.committee.expected, case.dissenter) == ("returns", "billing", "m/c")
    assert contrasts("label", ["billing", "billing", "billing", "returns", "returns"], prompts="aabbc").dissenter == ""
    assert case.production is None


@pytest.mark.parametrize("kind", ["label", "short"])
def test_two_even_groups_face_each_other_in_one_way(kind: Kind) -> None:
    """Else half the cases would be `returns>billing`, and half `billing>returns`."""
    left = contrasts(kind, ["billing", "billing", "returns", "returns"]).committee
    right = contrasts(kind, ["returns", "billing", "returns", "billing"]).committee
    assert left is not None
    assert right is not None
    assert left.differences == right.differences


def test_free_text_that_says_something_else_is_far_and_has_words_of_its_own() -> None:
    case = contrasts("text", RETURNS, "Only vouchers are given after 14 days.", question="Can I return the lamp?")
    assert case.production is not None
    assert set(case.production.differences) == {Difference("content", "day", "14", "30"), WORDING}
    assert {"says:vouche", "omits:send"} <= case.keys
    assert case.words["vouche"] == "vouchers"
    assert case.excess is not None
    assert case.excess > max(case.placebo_excess)
    assert len(case.placebo_excess) == case.members == 4


def test_a_text_like_those_of_the_members_is_not_far() -> None:
    case = contrasts("text", RETURNS[:3], "You can send it back to us within 30 days.")
    assert case.excess is not None
    assert case.excess <= max(case.placebo_excess) + 0.1
    assert case.production is not None
    assert case.production.differences == (WORDING,)
    assert not [key for key in case.keys if key.startswith(("says:", "omits:"))]


def test_words_of_the_question_are_not_words_of_the_answer() -> None:
    asked = contrasts("text", RETURNS, RETURNS[0] + " Vouchers too.", question="Do I get vouchers?")
    assert "says:vouche" not in asked.keys
    assert "says:vouche" in contrasts("text", RETURNS, RETURNS[0] + " Vouchers too.").keys


def test_the_words_of_one_member_are_its_placebo_keys() -> None:
    case = contrasts("text", [*RETURNS[:3], "Vouchers are possible."], RETURNS[3])
    assert case.placebo_keys["says:vouche"] == 1
    assert case.placebo_keys["omits:send"] == 1


def test_a_refusal_of_production_is_a_difference_of_texts() -> None:
    case = contrasts("text", RETURNS, REFUSAL)
    assert case.production is not None
    assert Difference("refusal", "", "refuses", "answers") in case.production.differences


@pytest.mark.parametrize("kind", KINDS)
def test_few_answers_or_none_are_enough(kind: Kind) -> None:
    assert contrasts(kind, []).production is None
    assert contrasts(kind, [], "yes").production is None
    assert contrasts(kind, [], "yes").members == 0
    assert contrasts(kind, ["yes"]).committee is None
    complaint = contrasts(kind, [], "yes", thumb_down=True).production
    assert complaint is not None
    assert complaint.differences[0].aspect == "complaint"
    one = contrasts(kind, ["12"], "13")
    assert (one.members, one.excess, one.placebo_excess, dict(one.placebo_keys)) == (1, None, (), {})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_only_texts(kind: Kind, text: str) -> None:
    for case in (contrasts(kind, ["yes", "yes", text], text), contrasts(kind, [text] * 3, "12", label=text, failure=1)):
        for contrast in filter(None, (case.production, case.committee)):
            assert all(max(map(len, (d.given, d.expected))) <= 60 for d in contrast.differences)


TEXTS = st.sampled_from(
    ["yes", "no", "12", "120", "", REFUSAL, "A", '{"a": 1, "b": 2}', '{"a": 10, "c": 2}', "refund(id=1)", "2024-05-03",
     "SELECT a FROM t", "SELECT b FROM t", *RETURNS]
)  # fmt: skip


@settings(max_examples=60)
@given(
    st.sampled_from(KINDS), st.lists(TEXTS, max_size=6), st.none() | TEXTS, st.none() | TEXTS, st.none() | st.just(1.0)
)
def test_the_figures_of_any_case_are_within_their_bounds(
    kind: Kind, texts: list[str], target: str | None, label: str | None, failure: float | None
) -> None:
    case = contrasts(kind, texts, target, label=label, failure=failure)
    assert case.members == len(texts)
    assert all(0 < count <= len(texts) for count in case.placebo_keys.values())
    assert all(0 <= spread < 1 for spread in case.spread.values())
    for contrast in filter(None, (case.production, case.committee)):
        assert contrast.differences
        assert 0 <= contrast.strength <= 1
    if len(set(texts)) == 1:
        assert not case.placebo_keys
        assert case.committee is None
        if target == texts[0] and failure is None and form_of(kind, [*texts, target]) != "text":
            assert case.production is None
