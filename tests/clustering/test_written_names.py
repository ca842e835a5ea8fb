"""Names that a model wrote: what is refused, and which sample is taken."""

from __future__ import annotations

import pytest

from curator.clustering.written_names import (
    NAME_LIMIT,
    SENTENCE_LIMIT,
    Evidence,
    WrittenName,
    choose,
    clamp,
    distinct,
    gather_evidence,
)

FACTS = {
    "refund": ["create_refund instead of hand_over", "calls create_refund", "calls hand_over"],
    "currency": ["currency", "leaves out", "calls"],
    "dates": ["due_date", "day and month swapped", "calls"],
}
TEXTS = [
    "My name is Aoife and I want my money, please call Falcon today",
    "I want a refund of my order, says Aoife. Nothing else",
    "the refund of my order is late, Aoife promised it",
    "please send the order again as expected, today",
]
EVIDENCE = gather_evidence(FACTS, TEXTS, ["Name what is expected instead."])["refund"]


def test_a_name_becomes_one_line_without_quotes_and_full_stop() -> None:
    written = clamp(' "refund instead of\n handover." ', "calls create_refund where\nhand_over is expected.", EVIDENCE)
    assert written == WrittenName("Refund instead of handover", "Calls create_refund where hand_over is expected.")


GOOD = "Calls create_refund where hand_over is expected"


@pytest.mark.parametrize(
    ("name", "sentence", "reason"),
    [
        ("", GOOD, "not a reply of the form"),
        ("Refund " + "x" * NAME_LIMIT, GOOD, "too long"),
        ("Refund", "refund " * SENTENCE_LIMIT, "too long"),
        ("Refund above 500", GOOD, "figures or mark-up"),
        ("Refund of ²", GOOD, "figures or mark-up"),
        ("<b>Refund</b>", GOOD, "figures or mark-up"),
        ("**Refund**", GOOD, "figures or mark-up"),
        ("Refund\u202e", GOOD, "figures or mark-up"),
        ("Refund\u200b now", GOOD, "figures or mark-up"),
        ("Refund", f"{GOOD}, see www.example", "figures or mark-up"),
        ("Refund", f"{GOOD}, ask a@b.example", "figures or mark-up"),
        ("Refund for aoife", GOOD, "a word that only one case has, or a name"),
        ("Refund by falcon", GOOD, "a word that only one case has, or a name"),
        ("Everything is fine", GOOD, "no word of the evidence"),
        ("Refund", "Everything is fine", "no word of the evidence"),
        ("Calls", "Calls", "no word of the evidence"),  # a word of the templates
    ],
)
def test_a_name_that_does_not_fit_is_refused(name: str, sentence: str, reason: str) -> None:
    assert clamp(name, sentence, EVIDENCE) == reason


def test_words_that_several_cases_have_and_words_of_facts_and_prompt_are_not_private() -> None:
    for name in ("Refund of an order", "Refund instead", "Refund today"):
        assert isinstance(clamp(name, GOOD, EVIDENCE), WrittenName)
    assert EVIDENCE.private >= {"aoife", "falcon", "money"}
    assert not EVIDENCE.private & {"refund", "order", "instead", "expected", "and"}


def test_letters_of_all_languages_are_plain_text() -> None:
    evidence = Evidence(frozenset({"erstat"}), frozenset())
    assert clamp(
        "Erstattung f\u00fcr M\u00fcller\u2019s", "Erstattung \u2013 statt \u00dcbergabe", evidence
    ) == WrittenName("Erstattung f\u00fcr M\u00fcller\u2019s", "Erstattung \u2013 statt \u00dcbergabe")


def test_the_sample_nearest_to_the_others_is_taken() -> None:
    outlier = WrittenName("Warranty claims", "Rejects warranty claims")
    near = WrittenName("Refund instead of handover", "Creates a refund where a handover is expected")
    other = WrittenName("Refund where handover is due", "Creates a refund, no handover to an agent")
    assert choose([outlier, other, near]) in (near, other)
    assert choose([near, near]) == near
    assert choose([outlier]) == outlier


def test_more_than_half_of_the_samples_must_be_usable() -> None:
    good = WrittenName("Refund", GOOD)
    assert choose([good, good, "too long"]) == good
    assert choose([good, "too long", "no reply"]) == "no reply"
    assert choose([good, "too long"]) == "too long"
    assert choose(["too long", "no reply", "too long"]) == "too long"


def test_a_name_that_several_categories_got_names_none_of_them() -> None:
    one, other = WrittenName("Refund", GOOD), WrittenName("refund", GOOD)
    single, taken = WrittenName("Currency", GOOD), WrittenName("Other tools", GOOD)
    names = {"a": "x", "b": "y", "c": "currency", "d": "z", "e": "other tools"}
    results = distinct({"a": one, "b": other, "c": single, "d": taken}, names)
    assert results == {
        "a": "the name of another category",
        "b": "the name of another category",
        "c": single,  # the name that it has already
        "d": "the name of another category",
    }


def test_words_that_most_of_three_categories_share_and_words_of_templates_tell_nothing() -> None:
    facts = {"a": ["voucher refund", "calls"], "b": ["voucher order", "calls"], "c": ["delivery", "calls"]}
    assert gather_evidence(facts, [], [])["a"].telling == {"refund"}
    del facts["c"]
    assert gather_evidence(facts, [], [])["a"].telling == {"refund", "vouche"}
