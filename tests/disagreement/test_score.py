from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.answers.normalization import answer_part
from curator.disagreement.equivalence.comparers import VerdictComparer
from curator.disagreement.estimators.partition import Split
from curator.disagreement.score import SCORER, default_score, score_case
from curator.disagreement.signals import Signals
from curator.records import KINDS, Kind, Score
from curator.records.recorded import Answered

texts = st.sampled_from(
    ["18", "$18", "The answer is 3.", "B", "(b)", "yes", "I'm sorry, I can't.", "", '{"a": 1}', '{"a":1.0}', "red car"]
) | st.text(max_size=12)
committees = st.lists(
    st.builds(Answered, text=texts, prompt_id=st.sampled_from(["x", "y", "z"])), min_size=2, max_size=9
)
targets = st.none() | texts


def score(answers: list[str], *, target: str | None = None, kind: Kind = "number", groups: str = "") -> Score:
    named = [Answered(text, prompt_id=groups[i] if groups else "g") for i, text in enumerate(answers)]
    return score_case("c1", named, target=target, kind=kind)


@given(committees, targets, st.sampled_from(KINDS), st.randoms(use_true_random=False))
def test_the_order_of_the_answers_makes_no_difference(
    answers: list[Answered], target: str | None, kind: Kind, random: object
) -> None:
    shuffled = random.sample(answers, len(answers))  # type: ignore[attr-defined]
    assert score_case("c", answers, target=target, kind=kind) == score_case("c", shuffled, target=target, kind=kind)


@given(committees, targets, st.sampled_from(KINDS))
def test_every_number_is_within_its_bounds(answers: list[Answered], target: str | None, kind: Kind) -> None:
    result = score_case("c", answers, target=target, kind=kind)
    assert result.within is not None
    assert result.between is not None
    assert result.disagreement is not None
    assert result.agreement is not None
    assert result.within >= 0
    assert result.between >= 0
    assert result.within + result.between <= 1
    assert 0 <= result.disagreement <= 1
    assert 1 / result.n - 1e-12 <= result.agreement <= 1
    assert (result.against_target is None) is (target is None)
    assert result.against_target is None or 0 <= result.against_target <= 1


@given(texts, st.integers(2, 6), st.booleans(), st.sampled_from(KINDS))
def test_identical_answers_score_zero(text: str, n: int, with_target: bool, kind: Kind) -> None:
    answers = [Answered(text, prompt_id=f"g{i % 2}") for i in range(n)]
    result = score_case("c", answers, target=text if with_target else None, kind=kind)
    assert (result.within, result.between, result.agreement) == (0, 0, 1)
    assert result.against_target == (0 if with_target else None)
    silent = with_target and not answer_part(text)
    assert (result.disagreement == 0) is not silent


def test_an_empty_answer_of_production_is_evidence_of_failure_whatever_the_committee_says() -> None:
    empty, contradicted = score(["", "", ""], target=" "), score(["3", "3", "3"], target="4")
    assert empty.against_target == 0
    assert empty.disagreement == contradicted.disagreement


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_answers_give_a_reason_and_no_number(n: int) -> None:
    result = score(["18"] * n, target="17")
    numbers = (result.disagreement, result.within, result.between, result.against_target, result.agreement)
    assert numbers == (None,) * 5
    assert (result.majority, result.n, result.reason) == (None, n, "not enough answers")
    assert result.scorer == SCORER


def test_a_target_that_the_committee_contradicts_scores_higher_the_more_do_so() -> None:
    contradicted = [score(["3"] * k + ["4"] * (5 - k), target="4") for k in range(6)]
    assert [s.against_target for s in contradicted] == pytest.approx([k / 5 for k in range(6)])
    values = [s.disagreement for s in contradicted]
    assert values == sorted(values)
    assert values[0] == 0


def signals(total: float, against: float | None, n: int, wording: float | None = None) -> Signals:
    return Signals(n, Split(total, 0.0), against, "", 1.0, total, against, wording, 1.0, {})


def test_the_committees_disagreement_breaks_ties_of_the_share_and_never_outranks_it() -> None:
    assert default_score(signals(0.4, 0.5, 10)) > default_score(signals(0.2, 0.5, 10))
    assert default_score(signals(0.0, 0.6, 10)) > default_score(signals(1.0, 0.5, 10))
    assert default_score(signals(0.0, 1.0, 10)) > default_score(signals(0.0, 1.0, 2))
    assert default_score(signals(0.3, None, 10)) == 0.3


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (["yes", "Yes.", "**yes**"], "label"),
        (["$3", "3", "3.00"], "number"),
        (['{"a":1,"b":2}', '{"b":2.0,"a":1}'], "json"),
    ],
)
def test_bare_answers_that_mean_the_same_score_0(answers: list[str], kind: Kind) -> None:
    assert score(answers, kind=kind).disagreement == 0


def test_a_members_weight_changes_the_score_and_not_the_shares() -> None:
    answers = [Answered("1", "good"), Answered("1", "good"), Answered("2", "odd")]
    plain = score_case("c", answers, target="1", kind="number")
    odd_out = score_case("c", answers, target="1", kind="number", weights={"odd": 0.5})
    left_out = score_case("c", answers, target="1", kind="number", weights={"odd": 0.0})
    assert plain.disagreement is not None
    assert odd_out.disagreement is not None
    assert plain.disagreement > odd_out.disagreement > 0
    assert left_out.disagreement == 0
    assert plain.against_target == odd_out.against_target == left_out.against_target == pytest.approx(1 / 3)
    assert score_case("c", answers, target="1", kind="number", weights={"odd": 2.0, "good": 2.0}) == plain


def test_the_split_tells_prompt_sensitivity_from_sampling_noise() -> None:
    by_prompt = score(["1", "1", "2", "2"], groups="aabb")
    by_chance = score(["1", "2", "1", "2"], groups="aabb")
    assert (by_prompt.within, by_chance.between) == (0, pytest.approx(0))
    assert by_prompt.between == by_chance.within == pytest.approx(0.5)


def test_answers_of_one_prompt_are_not_compared_where_there_are_other_prompts() -> None:
    by_prompt = score(["1", "1", "2", "2"], groups="aabb")
    by_chance = score(["1", "2", "1", "2"], groups="aabb")
    assert (by_prompt.disagreement, by_chance.disagreement) == (1.0, 0.5)
    assert score(["1", "1", "2", "2"], groups="aaaa").disagreement == pytest.approx(2 / 3)


def test_the_majority_is_the_shortest_wording_of_the_largest_class() -> None:
    result = score(["The answer is $7 and that is all.", "7", "8", "7.0"])
    assert (result.majority, result.agreement) == ("7", 0.75)


def test_a_tie_of_classes_goes_to_the_targets() -> None:
    assert score(["1", "1", "2", "2"], target="2").majority == "2"
    assert score(["1", "1", "2", "2"], target="1").majority == "1"


def test_a_refusing_committee_contradicts_an_answer_and_agrees_with_a_refusal() -> None:
    refusals = ["I'm sorry, I can't say.", "I cannot help with that.", "As an AI, I have no answer."]
    assert score(refusals, target="18").against_target == 1
    assert score(refusals, target="I am unable to say").against_target == 0


def test_texts_are_graded_and_their_majority_is_the_medoid() -> None:
    answers = ["the parcel arrives on Monday", "Parcel arrives Monday", "it was never sent"]
    result = score(answers, target="never sent", kind="text")
    assert result.majority in answers[:2]
    # {parcel, arrives, monday} twice and {sent}: nothing in common
    assert result.agreement == pytest.approx(1 - 1 / 3)
    assert result.against_target == pytest.approx(2 / 3)
    assert result.between == 0
    assert result.within == pytest.approx(2 / 3)


def test_labels_are_those_of_the_task() -> None:
    answers = [Answered(text, prompt_id="g") for text in ("It is billing.", "billing or shipping", "SHIPPING")]
    result = score_case("c", answers, target="Billing", kind="label", labels=("billing", "shipping"))
    assert (result.majority, result.agreement) == ("billing", pytest.approx(2 / 3))
    assert result.against_target == pytest.approx(1 / 3)


def test_a_model_that_tells_short_answers_apart_is_believed() -> None:
    answers = [Answered(text, prompt_id="g") for text in ("King James", "James I")]
    nobody = VerdictComparer("who", lambda pairs: dict.fromkeys(pairs, False), "judge(j)")
    told = score_case("c", answers, target="King James", kind="short", compare=nobody)
    assert told.disagreement == pytest.approx((2 * 0.5 + 0.5) / 2.5, abs=0.005)


def test_structured_answers_say_in_which_fields_they_differ() -> None:
    answers = ['{"city": "Paris", "days": 3}', '{"city": "Paris", "days": 4}', '{"days": 5, "city": "Paris"}']
    assert score(answers, kind="json").fields == {"days": 1.0}
    assert score([answers[0], '{"days": 3.0, "city": "Paris"}'], kind="json").fields == {}
    assert score([answers[0], "no idea"], kind="json").fields is None
    assert score(["3", "4"]).fields is None
    call = '{"name": "book", "arguments": {"city": "%s", "days": 3}}'
    found = score([call % "Paris", call % "Rome", call % "Rome"], kind="tool_call").fields
    assert found == {"[0].arguments.city": pytest.approx(2 / 3)}


def test_of_very_many_fields_those_that_differ_most_are_told() -> None:
    names = [f"f{i:02}" for i in range(30)]
    answers = [orjson.dumps(dict.fromkeys(names, k) | {"most": j}).decode() for j, k in enumerate([0, 0, 1])]
    fields = score(answers, kind="json").fields
    assert fields is not None
    assert list(fields) == ["most", *names[:19]]
