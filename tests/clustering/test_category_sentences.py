"""Names and sentences of categories, by aspect and basis."""

from __future__ import annotations

import re
from itertools import product

import pytest

from curator.clustering.category_sentences import describe, describe_group, describe_topic, sides_of
from curator.records import AnswerSide, Difference
from curator.records.differences import ASPECTS, Aspect, Basis

BASES: tuple[Basis, ...] = ("production", "label", "committee")
EXAMPLES: dict[Aspect, tuple[Difference, ...]] = {
    "refusal": (Difference("refusal", "", "refuses", "answers"), Difference("refusal", "", "answers", "refuses")),
    "format": (Difference("format", "", "prose", "a record"),),
    "tool": (
        Difference("tool", "", "refund", "escalate"), Difference("tool", "", "refund", ""),
        Difference("tool", "", "", "escalate"),
    ),
    "argument": (
        Difference("argument", "refund.amount", "50", "5", "scaled"),
        Difference("argument", "refund.reason", "late", "broken"), Difference("argument", "refund.note", "", "x", "missing"),
    ),
    "field": (
        Difference("field", "status", "open", "closed"), Difference("field", "total", "12", "13"),
        Difference("field", "due_date", "3.5.2024", "5.3.2024", "day and month swapped"),
    ),
    "label": (Difference("label", "", "billing", "returns"),),
    "value": (
        Difference("value", "number", "12", "120", "scaled"), Difference("value", "answer", "Rome", "Paris"),
        Difference("value", "option", "A", "B"), Difference("value", "where"),
    ),
    "content": (
        Difference("content", "language", "German", "English"), Difference("content", "yes or no", "yes", "no"),
        Difference("content", "day", "14", "30"), Difference("content", "date", "May 3", "", "added"),
    ),
    "complaint": (Difference("complaint", "", "thumb down", "no complaint"),),
}  # fmt: skip
ALL = [(difference, basis, key) for aspect in ASPECTS for difference, basis in product(EXAMPLES[aspect], BASES) for key in difference.keys]  # fmt: skip


@pytest.mark.parametrize(
    ("difference", "basis", "key"), ALL, ids=lambda value: str(value) if isinstance(value, str) else ""
)
def test_every_aspect_and_basis_has_a_sentence(difference: Difference, basis: Basis, key: str) -> None:
    text = describe(key, [difference] * 7, basis, {}, ["lamp", "sofa"], {"lamp": "lamps"})
    values = {difference.given, difference.expected}
    assert text.sentence[0].isupper()
    assert not re.search(
        r"[{}]|  |: ?$|\bNone\b|''|another another|\b(as|where|in|with|and|of) (is|are|,)", text.sentence
    )
    assert not re.search(r"\b7\b", text.sentence), "counts belong to the figures"
    assert text.sentence.endswith("on inputs about lamps and sofa")
    assert "lamps" in text.name
    assert text.keywords == ("lamps", "sofa")
    if not any(any(map(str.isdigit, value)) for value in values) and difference.aspect != "content":
        assert not re.search(r"\d", text.sentence)


@pytest.mark.parametrize(
    ("difference", "key", "sentence"),
    [
        (Difference("tool", "", "refund", "handover"), 0, "Calls refund where handover is expected"),
        (Difference("tool", "", "", "handover"), 0, "Does not call handover where it is expected"),
        (Difference("label", "", "billing", "returns"), 0, "Answers billing where returns is expected"),
        (Difference("label", "", "billing", "returns"), 1, "Answers with another label"),
        (Difference("field", "status", "open", "closed"), 0, "Gives status as open where closed is expected"),
        (Difference("field", "total", "5", "50", "scaled"), 0, "Gives total scaled by a power of ten"),
        (Difference("field", "total", "5", "-5", "sign"), 0, "Gives total with the other sign"),
        (Difference("field", "note", "", "late", "missing"), 0, "Leaves out note"),
        (Difference("refusal", "", "refuses", "answers"), 0, "Refuses where an answer is expected"),
        (Difference("format", "", "prose", "a record"), 0, "Gives prose where a record is expected"),
        (Difference("content", "language", "German", "English"), 0, "Answers in German where English is expected"),
    ],
)
def test_a_sentence_says_what_fails(difference: Difference, key: int, sentence: str) -> None:
    assert describe(difference.keys[key], [difference] * 3, "production", {}, [], {}).sentence == sentence


def test_a_split_is_said_of_the_committee() -> None:
    split = [Difference("label", "", "billing", "returns")]
    sentence = describe("label::billing>returns", split, "committee", {}, [], {}).sentence
    assert sentence == "The committee is split between billing and returns"
    refusal = [Difference("refusal", "", "refuses", "answers")]
    sentence = describe("refusal::refuses>answers", refusal, "committee", {}, [], {}).sentence
    assert sentence == "The committee is split: a part of it refuses, and a part answers"


def test_free_text_is_described_by_the_words_of_both_sides() -> None:
    profile = {"says:vouche": 0.9, "says:coupon": 0.5, "omits:refund": 0.8, "topic:lamp": 0.7}
    words = {"vouche": "vouchers", "refund": "refunds"}
    both = describe("says:vouche", [], "production", profile, ["lamp"], words)
    assert (
        both.sentence == "Says \u201cvouchers, coupon\u201d where \u201crefunds\u201d is expected, on inputs about lamp"
    )
    assert both.name == "vouchers / coupon (lamp)"
    omitted = describe("omits:refund", [], "production", {"omits:refund": 0.8}, [], words)
    assert omitted.sentence == "Leaves out \u201crefunds\u201d"


def test_groups_and_topics_have_names() -> None:
    assert describe_group("route", None, "", "production").name == "rare failures of route"
    assert describe_group("", "field", "total", "production").sentence == "Gives other values of total"
    joined = describe_group("", "field", "", "committee").sentence
    assert joined == "The committee is split: a part of it gives other values in records, in several ways"
    part = describe_topic("billing", "Answers billing, on inputs about sofa", "lamp")
    assert (part.name, part.sentence) == ("billing (lamp)", "Answers billing, on inputs about lamp")


def test_sides_are_the_usual_values_with_their_shares() -> None:
    differences = [Difference("label", "", given, "returns") for given in ["billing"] * 6 + ["account"] * 3 + ["data"]]
    assert sides_of([("label", difference) for difference in differences]) == (
        AnswerSide("billing", "production", 0.6), AnswerSide("account", "production", 0.3),
        AnswerSide("returns", "label", 1.0),
    )  # fmt: skip
    assert sides_of([]) == ()
    complaint = Difference("complaint", "", "thumb down", "no complaint")
    assert [side.by for side in sides_of([("label", complaint)])] == ["production"]
    many = [("committee", Difference("value", "number", str(n), "0")) for n in range(30)]
    first = sides_of(many)[0]  # type: ignore[arg-type]
    assert (first.text, first.by, first.share) == ("such as 0", "committee", 1.0)
