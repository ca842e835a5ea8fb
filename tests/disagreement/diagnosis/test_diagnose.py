"""Each pattern of answers gets its own name, with the numbers that speak for it, and no more certainty than it has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement.diagnosis.answer_pattern import AnswerPattern, answer_pattern, pairwise_difference
from curator.disagreement.diagnosis.diagnose import ADVICE, LEAST_GROUP, diagnose
from curator.disagreement.equivalence.word_kernel import word_distances
from curator.disagreement.members.votes import MemberKey, Vote, failed_vote
from curator.records import Diagnosis, DiagnosisName

WARM = 0.8


def votes(said: str, *, temperature: float | None = WARM) -> list[Vote]:
    """Answers from a drawing: groups `model.variant:answers`, an answer being one letter, `!` a refusal, `?` unreadable."""
    found = []
    for group in said.split():
        name, answers = group.split(":")
        model, variant = name.split(".")
        found += [
            Vote(
                MemberKey(model, variant, temperature),
                answer if answer in "!?" else f"={answer}",
                text=answer,
                readable=answer not in "!?",
                refused=answer == "!",
            )
            for answer in answers
        ]
    return found


def of(
    said: str, *, temperature: float | None = WARM, against: float | None = None, labels: Sequence[str] = ()
) -> AnswerPattern:
    return answer_pattern(
        votes(said, temperature=temperature), against=against, labels=[f"={label}" for label in labels]
    )


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("m.plain:aaa m.careful:bbb m.expert:aaa", "prompt-sensitive"),
        ("m.plain:aba m.careful:bab m.expert:aab", "sampling-unstable"),
        ("m.plain:abab", "sampling-unstable"),
        ("m.plain:aa m.careful:aa n.plain:bb n.careful:bb", "split-by-model"),
        ("m.plain:aaa n.plain:bbb", "split-by-model"),
        ("m.plain:aa m.careful:bb n.plain:aa n.careful:bb", "prompt-sensitive"),
        ("m.plain:abc m.careful:bca n.plain:cab n.careful:bac", "ambiguous"),
        ("m.plain:a?? m.careful:?a?", "format-broken"),
        ("m.plain:a!! m.careful:!a!", "refusing"),
        ("m.plain:!!! m.careful:???", "refusing"),
        ("m.plain:aaa m.careful:aaa", "stable"),
        ("m.plain:aaaaaaaab", "stable"),
        ("m.plain:a", "not-enough-data"),
        ("m.plain:a m.careful:b m.expert:a", "not-enough-data"),
    ],
)
def test_a_pattern_has_its_name_and_its_advice(said: str, name: DiagnosisName) -> None:
    found = diagnose([of(said)])
    assert found.name == name
    assert found.advice == ADVICE[name]
    assert re.search(r"\d", found.evidence)


def test_every_name_has_an_advice_of_its_own() -> None:
    assert set(ADVICE) == set(get_args(DiagnosisName))
    assert len(set(ADVICE.values())) == len(ADVICE)


def test_production_is_read_first_where_the_committee_is_united_against_it() -> None:
    assert diagnose([of("m.plain:aaa m.careful:aaa", against=1.0)]).name == "against-production"
    assert diagnose([of("m.plain:aaa m.careful:aab", against=0.8)]).name != "against-production"


def test_only_a_label_shows_a_shared_mistake() -> None:
    united = "m.plain:aaa m.careful:aaa"
    assert diagnose([of(united, against=0.0)]).name == "stable"
    assert diagnose([of(united, against=0.0, labels="a")]).name == "stable"
    wrong = diagnose([of(united, against=0.0, labels="b")])
    assert wrong.name == "consistently-wrong"
    assert "1 of 1 case with a label" in wrong.evidence


def test_labels_that_differ_make_the_input_ambiguous_for_certain() -> None:
    disputed = diagnose([of("m.plain:aaa m.careful:aaa", labels="ab")])
    assert (disputed.name, disputed.certain) == ("ambiguous", True)
    assert diagnose([of("m.plain:aaa m.careful:aaa", labels="aa")]).name == "stable"
    suggested = diagnose([of("m.plain:abc m.careful:bca n.plain:cab n.careful:bac", labels="a")])
    assert (suggested.name, suggested.certain) == ("ambiguous", False)


def test_models_that_were_asked_once_each_are_only_possibly_split() -> None:
    found = diagnose([of("m.plain:a n.plain:b o.plain:b", labels="a")])
    assert (found.name, found.certain) == ("split-by-model", False)
    assert "agrees most with the labels is m: 100% (n=1 case)" in found.evidence


def test_repeats_at_temperature_0_carry_no_signal() -> None:
    cold = diagnose([of("m.plain:aaaaa", temperature=0.0)])
    assert cold.name == "not-enough-data"
    assert "no signal" in cold.evidence
    for wrong in (of("m.plain:aaaaa", temperature=0.0, labels="b"), of("m.plain:aaaaa", temperature=0.0, against=1.0)):
        found = diagnose([wrong])
        assert (found.name, found.certain) == ("consistently-wrong" if wrong.labels else "against-production", False)
        assert "Repeats of one prompt at temperature 0 agree, which is not evidence" in found.evidence
    assert diagnose([of("m.plain:aaaaa")]).name == "stable"
    assert diagnose([of("m.plain:a m.careful:a", temperature=0.0)]).name == "stable"


def test_at_temperature_0_one_answer_of_each_prompt_tells_what_the_prompt_does() -> None:
    assert diagnose([of("m.plain:a m.careful:b m.expert:a", temperature=0.0)]).name == "prompt-sensitive"
    assert diagnose([of("m.plain:a m.careful:b m.expert:a", temperature=None)]).name == "not-enough-data"
    split = diagnose([of("m.plain:a n.plain:b", temperature=0.0)])
    assert (split.name, split.certain) == ("split-by-model", True)


def test_chance_does_not_pass_for_a_prompt_that_matters() -> None:
    """Two answers a prompt from one coin: the raw split puts most of it between the prompts, which is not there."""
    flips = ["aa ab", "ab ba", "bb ab", "ba aa", "ab bb", "aa bb", "ab ab", "bb aa", "ba ba", "aa aa", "bb bb", "ba ab"]
    cases = [of(f"m.plain:{one} m.careful:{other}") for one, other in map(str.split, flips)]
    found = diagnose(cases, least=LEAST_GROUP)
    assert found.name == "sampling-unstable"
    assert (found.between_variants or 0) > 0.1


def test_the_variant_that_agrees_most_is_named_by_the_labels_first() -> None:
    said = "m.plain:aaa m.careful:bbb m.expert:aaa"
    assert "with the majority" in diagnose([of(said)]).evidence
    assert "with the labels is careful: 100% (n=1 case)" in diagnose([of(said, labels="b")]).evidence
    alike = diagnose([of("m.plain:aaa m.careful:bbb")]).evidence
    assert "No variant agrees more" in alike
    mostly = diagnose([of("m.plain:aaaaa m.careful:bbb", labels="")]).evidence
    assert "is plain: 100%" in mostly


def test_a_group_pools_its_cases_and_is_silent_on_few() -> None:
    sensitive, stable = of("m.plain:aaa m.careful:bbb"), of("m.plain:aaa m.careful:aaa")
    assert diagnose([sensitive] * 2 + [stable], least=LEAST_GROUP).name == "prompt-sensitive"
    assert diagnose([sensitive] + [stable] * 9, least=LEAST_GROUP).name == "stable"
    few = diagnose([sensitive] * 2, least=LEAST_GROUP)
    assert (few.name, few.cases, few.answers) == ("not-enough-data", 2, 12)
    assert diagnose([], least=LEAST_GROUP).between_models is None


def test_failed_calls_are_no_answers() -> None:
    failing = [*votes("m.plain:a"), failed_vote(MemberKey("m", "plain", WARM))]
    assert diagnose([answer_pattern(failing)]).answers == 1


def test_the_number_of_answers_does_not_change_the_name() -> None:
    few, many = (
        of("m.plain:a m.careful:b m.expert:a", temperature=0.0),
        of(f"m.plain:{'a' * 20} m.careful:{'b' * 20} m.expert:{'a' * 20}", temperature=0.0),
    )
    assert diagnose([few]).name == diagnose([many]).name == "prompt-sensitive"


def text_votes(*texts: str) -> list[Vote]:
    return [Vote(MemberKey("m", "plain", WARM), None, text=text) for text in texts]


def test_free_text_is_calm_where_its_words_mostly_agree() -> None:
    alike = text_votes("Our shop opens at nine every morning.", "The shop opens at nine in the morning.")
    apart = text_votes("Our shop opens at nine every morning.", "Please send the parcel back to us.")
    assert diagnose([answer_pattern(alike)]).name == "stable"
    assert diagnose([answer_pattern(apart)]).name == "sampling-unstable"


def test_texts_are_against_production_where_they_are_further_from_it_than_from_each_other() -> None:
    said = text_votes(
        "Our shop opens at nine every morning.", "The shop opens at nine in the morning, daily, weekends too."
    )
    assert 0.3 < answer_pattern(said).pairwise_difference < 0.5
    assert diagnose([answer_pattern(said, against=0.55)]).name == "stable"
    assert diagnose([answer_pattern(said, against=0.9)]).name == "against-production"


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=9))
def test_unlike_is_the_share_of_pairs_that_differ(said: list[str]) -> None:
    pairs = [(one, other) for i, one in enumerate(said) for other in said[:i]]
    assert pairwise_difference(votes(f"m.plain:{''.join(said)}")) == pytest.approx(
        sum(a != b for a, b in pairs) / len(pairs)
    )
    texts = [f"the {word} one" for word in said]
    matrix, n = word_distances(texts), len(texts)
    assert pairwise_difference(text_votes(*texts)) == pytest.approx(matrix.sum() / (n * (n - 1)))


@given(st.lists(st.sampled_from(["m.plain", "m.careful", "n.plain"]), min_size=2, max_size=12), st.data())
def test_any_answers_get_a_diagnosis_whose_parts_add_up(members: list[str], data: st.DataObject) -> None:
    drawn = [f"{member}:{data.draw(st.sampled_from('ab!?'))}" for member in members]
    case = of(
        " ".join(drawn),
        against=data.draw(st.sampled_from([None, 0.0, 1.0])),
        labels=data.draw(st.sampled_from(["", "a"])),
    )
    found: Diagnosis = diagnose([case])
    assert case.decomposition is not None
    total = (found.between_models or 0) + (found.between_variants or 0) + (found.within or 0)
    assert total == pytest.approx(case.decomposition.total, abs=2e-6)
    assert found.advice
    assert "None" not in found.evidence
