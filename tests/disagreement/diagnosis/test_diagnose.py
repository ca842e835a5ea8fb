"""Each cause gets its own name, with the figures that speak for it, and no more certainty than they support."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.answers.read import Answer, read_answer
from curator.disagreement.contrasts.case_contrasts import ContrastInput
from curator.disagreement.diagnosis.advice import (
    ADVICE,
    DECIDED_BY,
    LABELLED_AGAINST_PRODUCTION,
    PRODUCTION_IS_RIGHT,
    REFUSING,
    UNREADABLE,
)
from curator.disagreement.diagnosis.answer_pattern import NO_TOOL, AnswerPattern
from curator.disagreement.diagnosis.diagnose import LEAST_GROUP, diagnose, diagnose_category
from curator.disagreement.diagnosis.limits import LIMITS
from curator.disagreement.diagnosis.part_answers import common_part, part_pattern
from curator.disagreement.equivalence.comparers import Comparer, VerdictComparer, WordComparer
from curator.disagreement.members.case_answers import ComparableCase, group_case_answers
from curator.disagreement.members.votes import MemberKey
from curator.records import Contrast, Diagnosis, DiagnosisName, Difference, Kind

WORDS = {
    "!": "I'm sorry, but I can't help with that.",
    "?": "There is more than one side to this long message of theirs.",
}
UNITED = "m.plain@.8:aa m.careful@.8:aa"


def case_of(
    drawing: str,
    production: str | None = "a",
    label: str | None = None,
    *,
    failure: float | None = None,
    kind: Kind = "label",
    texts: dict[str, str] | None = None,
    compare: Comparer | None = None,
) -> ContrastInput:
    """A case from a drawing: groups `model.variant@temperature:answers`, an answer being one letter of `texts`.

    By default the letters are labels, `!` is a refusal and `?` cannot be read.
    """
    wordings = {**WORDS, **(texts or {})}

    def text(letter: str) -> str:
        return wordings.get(letter, letter)

    def read(letter: str) -> Answer:
        return read_answer(text(letter), kind, labels=list("abcd") if kind == "label" else ())

    members, letters = [], ""
    for group in drawing.split():
        name, answers = group.split(":")
        prompt, _, temperature = name.partition("@")
        model, variant = prompt.split(".")
        members += [MemberKey(model, variant, float(temperature) if temperature else None)] * len(answers)
        letters += answers
    target = None if production is None else read(production)
    reference = None if label is None else read(label)
    case = ComparableCase("case", "which?", tuple(map(read, letters)), target, reference)
    return ContrastInput(
        "case",
        "which?",
        group_case_answers(case, members, kind, compare or WordComparer("which?")),
        tuple(map(text, letters)),
        None if production is None else text(production),
        None if label is None else text(label),
        failure,
    )


def of(drawing: str, production: str | None = "a", label: str | None = None, **more: Any) -> AnswerPattern:
    return part_pattern(case_of(drawing, production, label, **more))


def group(*patterns: AnswerPattern, times: int = 12) -> Diagnosis:
    return diagnose([pattern for pattern in patterns for _ in range(times)], least=LEAST_GROUP)


def named(found: Diagnosis) -> tuple[DiagnosisName, bool]:
    return found.name, found.certain


@pytest.mark.parametrize(
    ("drawing", "production", "name"),
    [
        ("m.plain@.8:aaa m.careful@.8:bbb m.expert@.8:aaa", "a", "prompt-sensitive"),
        ("m.plain@.8:aa m.careful@.8:bb n.plain@.8:aa n.careful@.8:bb", "b", "prompt-sensitive"),
        ("m.plain@0:a m.careful@0:b n.plain@0:a n.careful@0:b", "a", "prompt-sensitive"),
        ("m.plain@0:a m.careful@0:b m.expert@0:a", "a", "prompt-sensitive"),
        ("m.plain@.8:aa m.careful@.8:aa n.plain@.8:bb n.careful@.8:bb", "a", "split-by-model"),
        ("m.plain@.8:a n.plain@.8:b o.plain@.8:a", "a", "split-by-model"),
        ("m.plain@0:a m.careful@0:a m.plain@1:ab m.careful@1:ca", "a", "sampling-unstable"),
        ("m.plain@0:a m.careful@0:b m.plain@1:ab m.careful@1:ba", "a", "ambiguous"),
        ("m.plain@.8:ab m.careful@.8:ba", "a", "cannot-tell"),
        ("m.plain@.8:a m.careful@.8:b", "a", "cannot-tell"),
        ("m.plain@.8:!!a m.careful@.8:!!a", "a", "refusing"),
        ("m.plain@.8:??a m.careful@.8:??a", "a", "format-broken"),
        (UNITED, "b", "against-production"),
        (UNITED, "!", "refusing"),
        (UNITED, "?", "format-broken"),
        (UNITED, "a", "stable"),
    ],
)
def test_a_group_of_one_pattern_has_its_name_its_advice_and_its_figures(
    drawing: str, production: str, name: DiagnosisName
) -> None:
    found = group(of(drawing, production))
    assert found.name == name
    assert found.certain
    assert found.advice
    assert re.search(r"\d", found.evidence)


def test_every_name_has_an_advice_of_its_own() -> None:
    assert set(ADVICE) == set(get_args(DiagnosisName))
    assert len(set(ADVICE.values())) == len(ADVICE)


def test_contradicted_production_is_never_called_stable() -> None:
    """68% of the answers contradicted production, and the report said that nothing shows."""
    contradicted, calm = of(UNITED, "b"), of(UNITED, "a")
    assert named(group(*[contradicted] * 17, *[calm] * 8, times=1)) == ("against-production", True)
    few = group(*[contradicted] * 3, *[calm] * 20, times=1)
    assert few.name == "cannot-tell"
    assert "13% (95% interval 5% to 32%) of the committee's answers contradict production's" in few.evidence


def test_a_lower_temperature_is_no_advice_where_the_committee_contradicts_production() -> None:
    """85% of the answers contradicted production, and the advice was to lower the temperature."""
    found = group(of("m.plain@.8:aaab m.careful@.8:aaaa", "c"))
    assert found.name == "against-production"
    assert found.advice == ADVICE["against-production"]


def test_a_lower_temperature_is_advised_where_one_was_measured_to_help() -> None:
    found = group(of("m.plain@0:a m.careful@0:a m.plain@1:ab m.careful@1:ca"))
    assert found.advice == "Lower the temperature."
    assert "differ in 83% of pairs at the highest temperature and in 0% of pairs at the lowest" in found.evidence


def test_one_temperature_does_not_tell_sampling_noise_from_an_unclear_input() -> None:
    for models in ("m.plain@.8:ab m.careful@.8:ba", "m.plain@.8:ab n.plain@.8:ba o.plain@.8:ab"):
        found = group(of(models))
        assert (found.name, found.advice) == ("cannot-tell", DECIDED_BY["cold"])
    one_prompt = group(of("m.plain@0:aa m.plain@1:ab"), of("m.plain@0:bb m.plain@1:ab"))
    assert (one_prompt.name, one_prompt.advice) == ("cannot-tell", DECIDED_BY["second prompt"])


def test_prompts_that_were_asked_once_do_not_tell_chance_from_the_prompt() -> None:
    found = group(of("m.plain@.8:a m.careful@.8:b"), of("m.plain@.8:a m.careful@.8:a"))
    assert (found.name, found.advice) == ("cannot-tell", DECIDED_BY["repeats"])


def test_a_variant_that_differs_on_other_cases_each_time_is_not_the_cause() -> None:
    """At temperature 0 each of three prompts is the odd one on a third of the cases."""
    odd = ["baa", "aba", "aab"]
    cases = [of(f"m.plain@0:{p} m.careful@0:{c} m.expert@0:{e}") for p, c, e in odd]
    assert group(*cases).name == "cannot-tell"


def test_chance_does_not_pass_for_a_prompt_that_matters() -> None:
    """Two answers a prompt from one coin: the raw split puts most of it between the prompts, which is not there."""
    flips = ["aa ab", "ab ba", "bb ab", "ba aa", "ab bb", "aa bb", "ab ab", "bb aa", "ba ba", "aa aa", "bb bb", "ba ab"]
    cases = [of(f"m.plain@.8:{one} m.careful@.8:{other}", None) for one, other in map(str.split, flips)]
    found = diagnose(cases, least=LEAST_GROUP)
    assert found.name == "cannot-tell"
    assert (found.between_variants or 0) > 0.1


def test_few_cases_suggest_and_do_not_prove() -> None:
    sensitive = of("m.plain@.8:aaa m.careful@.8:bbb")
    assert named(group(sensitive, times=3)) == ("prompt-sensitive", False)
    assert named(group(sensitive, times=12)) == ("prompt-sensitive", True)
    assert named(diagnose([sensitive])) == ("prompt-sensitive", False)
    for alone in (of(UNITED, "b"), of(UNITED, "!"), of(UNITED, "a"), of(UNITED, "a", "b", failure=1.0)):
        assert not diagnose([alone]).certain
    few = group(sensitive, times=2)
    assert (few.name, few.cases, few.answers) == ("not-enough-data", 2, 12)
    assert diagnose([], least=LEAST_GROUP).between_models is None
    assert diagnose([of("m.plain@.8:a")]).name == "not-enough-data"


def test_the_variant_that_agrees_most_is_named_by_the_labels_first() -> None:
    drawing = "m.plain@.8:aaa m.careful@.8:bbb m.expert@.8:aaa"
    assert "agrees most with the labels is careful: 100%, the others 0%" in group(of(drawing, "a", "b")).evidence
    alike = group(of("m.plain@.8:aaa m.careful@.8:bbb", "b")).evidence
    assert "No variant agrees more with the majority" in alike
    shared = group(of(drawing, "b")).evidence
    assert "Production agrees most with careful (100%)" in shared


def test_models_are_compared_by_labels_before_one_is_advised() -> None:
    split = "m.plain@.8:aa n.plain@.8:bb"
    assert group(of(split, "a")).advice != ADVICE["split-by-model"]
    assert group(of(split, "a", "b")).advice == ADVICE["split-by-model"]


class TestLabels:
    def test_a_group_is_not_judged_by_fewer_than_three_labels(self) -> None:
        calm, wrong = of(UNITED, "a"), of(UNITED, "a", "b", failure=1.0)
        for labels in (1, 2):
            found = group(*[wrong] * labels, *[calm] * 9, times=1)
            assert (found.name, found.advice) == ("cannot-tell", DECIDED_BY["labels"])
        found = group(*[wrong] * 6, *[calm] * 9, times=1)
        assert named(found) == ("consistently-wrong", True)
        assert (
            "the committee's majority is not the label on 6 of 6 cases and production fails on 6 of 6" in found.evidence
        )

    @pytest.mark.parametrize("drawing", [UNITED, "m.plain@.8:ab m.careful@.8:ba", "m.plain@.8:aaa m.careful@.8:bbb"])
    def test_a_label_that_cannot_be_read_changes_nothing(self, drawing: str) -> None:
        cases = [of(drawing)] * 5
        assert diagnose([*cases, of(drawing)], least=3) == diagnose([*cases, of(drawing, "a", "?")], least=3)

    def test_a_failing_label_forbids_stable(self) -> None:
        found = group(of(UNITED, "a", "b", failure=1.0), *[of(UNITED, "a", "a", failure=0.0)] * 19, times=1)
        assert found.name == "cannot-tell"
        assert "production fails on 1 of 20 cases" in found.evidence

    def test_verdicts_judge_a_committee_that_gives_production_s_answers(self) -> None:
        assert named(group(of(UNITED, "a", failure=1.0))) == ("consistently-wrong", True)
        assert group(of(UNITED, None, failure=1.0)).name == "cannot-tell"

    def test_the_advice_follows_the_side_that_the_labels_support(self) -> None:
        committee_right = group(of(UNITED, "b", "a", failure=1.0))
        assert (committee_right.name, committee_right.advice) == ("against-production", LABELLED_AGAINST_PRODUCTION)
        production_right = group(of(UNITED, "b", "b", failure=0.0))
        assert (production_right.name, production_right.advice) == ("consistently-wrong", PRODUCTION_IS_RIGHT)

    def test_people_who_do_not_agree_show_an_unclear_input(self) -> None:
        found = group(of(UNITED, "a", failure=0.5), times=4)
        assert found.name == "ambiguous"
        assert "On 4 of 4 cases with a verdict" in found.evidence
        assert group(of(UNITED, "a", failure=0.5), times=2).name != "ambiguous"


class TestSides:
    @pytest.mark.parametrize(("sign", "advice"), [("!", REFUSING), ("?", UNREADABLE)])
    def test_the_advice_follows_the_side_that_refuses_or_cannot_be_read(
        self, sign: str, advice: dict[str, str]
    ) -> None:
        every = f"m.plain@.8:{sign * 2} m.careful@.8:{sign * 2}"
        one_variant = f"m.plain@.8:aa m.careful@.8:{sign * 2} m.expert@.8:aa"
        one_model = f"m.plain@.8:{sign * 2} n.plain@.8:aa o.plain@.8:aa"
        assert group(of(UNITED, sign)).advice == advice["production"]
        assert group(of(every, "a")).advice == advice["committee"]
        assert group(of(every, sign)).advice == advice["both"]
        assert group(of(one_variant, "a")).advice == advice["variant"]
        assert group(of(one_model, "a")).advice == advice["model"]

    def test_the_evidence_has_the_share_of_each_side(self) -> None:
        found = group(of("m.plain@.8:aa m.careful@.8:!! m.expert@.8:aa", "a"))
        assert "100% (95% interval 76% to 100%) of the answers of variant careful" in found.evidence
        assert "33% (95% interval 14% to 61%) of the committee's answers" in found.evidence
        assert "of production's answers" in found.evidence

    def test_a_larger_difference_of_the_answers_comes_before_some_refusals(self) -> None:
        assert group(*[of(UNITED, "!")] * 4, *[of(UNITED, "b")] * 8, times=1).name == "against-production"


CALLS = {
    "a": '{"name": "create_refund", "arguments": {"order": "A1"}}',
    "b": '{"name": "create_refund", "arguments": {"order": "B2"}}',
    "h": 'hand_over(order="A1")',
    "w": "I have passed this on.",
}


class TestTools:
    def test_both_tools_are_named(self) -> None:
        found = group(of("m.plain@.8:hh m.careful@.8:hh", "a", kind="tool_call", texts=CALLS))
        assert named(found) == ("wrong-tool", True)
        assert (
            "Production calls create_refund where the committee calls hand_over on 12 of the 12 cases" in found.evidence
        )

    def test_no_tool_is_a_choice_too(self) -> None:
        found = group(of("m.plain@.8:hh m.careful@.8:hh", "w", kind="tool_call", texts=CALLS))
        assert f"Production calls {NO_TOOL} where the committee calls hand_over" in found.evidence

    def test_other_arguments_are_not_another_tool(self) -> None:
        assert group(of(UNITED, "b", kind="tool_call", texts=CALLS)).name == "against-production"

    def test_a_committee_that_wavers_between_tools_shows_no_wrong_tool(self) -> None:
        cases = [of(f"m.plain@.8:{x} m.careful@.8:{y}", "a", kind="tool_call", texts=CALLS) for x, y in ("ah", "ha")]
        assert group(*cases).name == "cannot-tell"


TEXTS = {
    "a": "Our shop opens at nine every morning.",
    "b": "The shop opens at nine in the morning, daily.",
    "c": "Please send the parcel back to us by post.",
}


class TestTexts:
    def test_words_alone_show_no_cause(self) -> None:
        found = group(of("m.plain@.8:ab m.careful@.8:ba", "b", kind="text", texts=TEXTS))
        assert (found.name, found.advice) == ("cannot-tell", DECIDED_BY["judge"])
        assert "other words may say the same" in found.evidence

    def test_words_suggest_and_do_not_prove(self) -> None:
        assert named(group(of("m.plain@.8:ab m.careful@.8:cc", "a", kind="text", texts=TEXTS))) == (
            "prompt-sensitive",
            False,
        )
        assert named(group(of("m.plain@.8:ab m.careful@.8:ba", "c", kind="text", texts=TEXTS))) == (
            "against-production",
            False,
        )

    def test_a_judge_decides(self) -> None:
        def decide(pairs: Sequence[object]) -> dict[object, bool]:
            return dict.fromkeys(pairs, True)

        judge = VerdictComparer("which?", decide, name="judge")  # type: ignore[arg-type]
        found = group(of("m.plain@.8:ab m.careful@.8:ba", "b", kind="text", texts=TEXTS, compare=judge))
        assert named(found) == ("stable", True)


RECORDS = {
    letter: f'{{"priority": "{priority}", "summary": "{summary}"}}'
    for letter, priority, summary in (
        ("a", "low", "the customer writes about a lamp"),
        ("b", "low", "a lamp was bought some weeks ago"),
        ("c", "low", "somebody asks us how to repair it"),
        ("u", "urgent", "one lamp that does not shine"),
    )
}
PRIORITY = Contrast("case", "production", (Difference("field", "priority", "urgent", "low"),), 1.0)


class TestParts:
    def test_an_answer_that_cannot_be_read_has_no_parts(self) -> None:
        damaged = {"d": '{"priority": "low", "summary": '}
        pattern = of("m.plain@.8:ab m.careful@.8:dd", "d", kind="json", texts=RECORDS | damaged)
        assert (pattern.unreadable, pattern.production) == (2, "unreadable")

    def test_a_field_of_free_text_is_not_a_difference(self) -> None:
        wordings = of("m.plain@.8:ab m.careful@.8:c", "a", kind="json", texts=RECORDS)
        assert (wordings.pairwise_difference, wordings.against) == (0, 0)
        assert of("m.plain@.8:ab m.careful@.8:c", "u", kind="json", texts=RECORDS).against == 1
        assert wordings.decomposition is not None
        assert wordings.decomposition.total > 0.9

    def test_a_category_is_diagnosed_by_the_field_in_which_it_differs(self) -> None:
        case = case_of("m.plain@.8:ab m.careful@.8:ca", "u", kind="json", texts=RECORDS)
        found = diagnose_category([case] * 12, [part_pattern(case)] * 12, [PRIORITY] * 12)
        assert named(found) == ("against-production", True)
        assert found.evidence.startswith("Compared by field priority. ")
        assert "spread" not in found.evidence

    def test_a_category_is_not_called_stable_by_a_part_that_does_not_differ(self) -> None:
        case = case_of(UNITED, "u", kind="json", texts=RECORDS)
        elsewhere = Contrast("case", "production", (Difference("field", "summary"),), 1.0)
        same = case_of(UNITED, "a", kind="json", texts=RECORDS | {"a": '{"priority": "low", "summary": "x"}'})
        assert diagnose_category([case] * 9, [part_pattern(case)] * 9, [PRIORITY] * 9).name == "against-production"
        found = diagnose_category([same] * 9, [part_pattern(case)] * 9, [elsewhere] * 9)
        assert not found.evidence.startswith("Compared by")

    def test_most_cases_have_to_differ_in_the_part(self) -> None:
        wording = Contrast("case", "production", (Difference("content", "wording"),), 1.0)
        assert common_part([PRIORITY, PRIORITY, wording]) == "field:priority"
        assert common_part([PRIORITY, wording]) is None
        assert common_part([wording]) is None
        assert common_part([]) is None

    def test_a_fact_of_a_text_is_compared_where_the_words_are_not(self) -> None:
        texts = {
            "a": "You have 14 days to return it.",
            "b": "Returns are possible for 14 days, please keep the box.",
            "c": "Please write to us about it.",
            "x": "Within 30 days you can send it back.",
        }
        days = Contrast("case", "production", (Difference("content", "day", "30", "14"),), 1.0)
        case = case_of("m.plain@.8:ab m.careful@.8:bc", "x", kind="text", texts=texts)
        found = diagnose_category([case] * 12, [part_pattern(case)] * 12, [days] * 12)
        assert named(found) == ("against-production", True)
        added = case_of("m.plain@.8:cc m.careful@.8:cc", "x", kind="text", texts=texts)
        assert named(diagnose_category([added] * 12, [part_pattern(added)] * 12, [days] * 12)) == named(found)

    def test_a_tool_is_compared_without_its_arguments(self) -> None:
        tool = Contrast("case", "production", (Difference("tool", "", "hand_over", "create_refund"),), 1.0)
        case = case_of("m.plain@.8:ab m.careful@.8:ba", "h", kind="tool_call", texts=CALLS)
        found = diagnose_category([case] * 12, [part_pattern(case)] * 12, [tool] * 12)
        assert named(found) == ("wrong-tool", True)
        assert found.evidence.startswith(
            "Compared by tool. Production calls hand_over where the committee calls create_refund"
        )


def test_an_unclear_input_is_not_certain_where_production_may_be_at_fault() -> None:
    scattered = "m.plain@0:a m.careful@0:b m.plain@1:ab m.careful@1:ba"
    assert group(of(scattered, "a")).name == "ambiguous"
    found = group(of(scattered, "c"))
    assert (found.name, found.advice) == ("cannot-tell", DECIDED_BY["labels"])


def test_repeats_of_one_prompt_at_temperature_0_are_no_evidence() -> None:
    cold = group(of("m.plain@0:aaaa", "a"))
    assert (cold.name, cold.advice) == ("cannot-tell", DECIDED_BY["second prompt"])
    assert "agree in any case, which is not evidence" in cold.evidence
    assert named(group(of("m.plain@0:aaaa", "b"))) == ("against-production", False)
    assert named(group(of("m.plain@0:aaaa", "a", "b", failure=1.0))) == ("consistently-wrong", False)
    assert group(of("m.plain@0:a m.careful@0:a", "a")).name == "stable"


def test_stable_without_production_is_not_certain() -> None:
    assert named(group(of(UNITED, None))) == ("stable", False)


def test_the_evidence_has_one_word_for_the_spread() -> None:
    found = group(of("m.plain@.8:aaa m.careful@.8:bbb"))
    assert "The committee's spread is 0.39: 0.00 between models + 0.39 between prompt variants" in found.evidence
    assert "own disagreement" not in found.evidence


def test_no_name_of_a_member_breaks_the_line() -> None:
    drawn = of("m.plain@.8:aaa m.careful@.8:bbb m.expert@.8:aaa")
    hostile = replace(drawn, variants={f"<b>\n{name}" + "x" * 99: rates for name, rates in drawn.variants.items()})
    found = group(hostile)
    assert "\n" not in found.evidence
    assert "x" * 70 not in found.evidence


MEMBERS = ["m.plain@0", "m.plain@1", "m.careful@0", "m.careful@1", "n.plain@1"]


@st.composite
def patterns(draw: st.DrawFn) -> AnswerPattern:
    members = draw(st.lists(st.sampled_from(MEMBERS), min_size=2, max_size=8))
    drawing = " ".join(f"{member}:{draw(st.sampled_from('aaab!?'))}" for member in members)
    return of(
        drawing,
        draw(st.sampled_from([None, "a", "b", "!", "?"])),
        draw(st.sampled_from([None, None, "a", "b", "?"])),
        failure=draw(st.sampled_from([None, 0.0, 1.0])),
    )


@settings(max_examples=60)
@given(st.lists(patterns(), min_size=1, max_size=12), st.integers(0, 99))
def test_properties_of_every_diagnosis(drawn: list[AnswerPattern], seed: int) -> None:
    found = diagnose(drawn, least=LEAST_GROUP)
    shuffled = Random(seed).sample(drawn, len(drawn))
    assert diagnose(shuffled, least=LEAST_GROUP) == found
    assert found.advice
    assert "None" not in found.evidence
    against = [p.against for p in drawn if p.against is not None]
    if found.name == "stable":
        assert sum(against) < LIMITS.differ * max(len(against), 1)
        assert not any(p.failure for p in drawn)
    split = [p.decomposition for p in drawn if p.decomposition is not None]
    if split:
        total = (found.between_models or 0) + (found.between_variants or 0) + (found.within or 0)
        assert total == pytest.approx(sum(parts.total for parts in split) / len(split), abs=3e-6)
