"""The words that differ between two answers, and the two answers of a case that a page shows."""

from __future__ import annotations

import pytest

from curator.records import Case, Contrast, Message, Reference, Source
from curator.report.answer_groups import AnswerGroup
from curator.report.faced_answers import shown_contrast
from curator.report.word_diff import TextRun, shortened, word_diff


def marked(given: str, expected: str, *, limit: int = 400) -> tuple[str, str]:
    left, right = word_diff(given, expected, limit=limit)
    return _text(left), _text(right)


def _text(runs: tuple[TextRun, ...]) -> str:
    return "".join(f"[{run.text}]" if run.differs else run.text for run in runs)


@pytest.mark.parametrize(
    ("given", "expected", "left", "right"),
    [
        ("billing", "returns", "[billing]", "[returns]"),
        ('{"sum": 12.50, "in": "EUR"}', '{"sum": 12.5, "in": "USD"}', '{"sum": [12.50], "in": "[EUR]"}', '{"sum": [12.5], "in": "[USD]"}'),
        ("send it to Anna now", "send it to the desk now", "send it to [Anna] now", "send it to [the desk] now"),
        ("日本語です", "日本人です", "日本[語]です", "日本[人]です"),
        ("", "abc", "", "[abc]"),
        ("  same text ", "same text", "same text", "same text"),
        ("a\n\nb  c", "a b d", "a\n\nb  [c]", "a b [d]"),
        ("a\x07b", "a\u2028b", "a[\ufffd]b", "a\nb"),
    ],
)  # fmt: skip
def test_the_words_that_differ_are_marked(given: str, expected: str, left: str, right: str) -> None:
    assert marked(given, expected) == (left, right)


def test_answers_that_share_next_to_nothing_are_marked_as_a_whole() -> None:
    given = "I have sent the refund of 120 dollars to your card."
    expected = "Orders above the limit need a colleague, who will write to you."
    assert marked(given, expected) == (f"[{given}]", f"[{expected}]")


def test_a_difference_at_the_end_of_a_long_answer_is_shown() -> None:
    same = "word " * 3000
    left, right = marked(f"{same}yes, always", f"{same}no, always", limit=300)
    assert left.endswith("word [yes], always")
    assert right.endswith("word [no], always")
    assert len(left) < 150


def test_a_short_form_shows_the_difference_first() -> None:
    same = "equal words " * 10
    left, right = word_diff(f"{same}yes{' and more' * 30} {same}", f"{same}no {same}", limit=2000)
    brief = _text(shortened(left, context=12, differing=20))
    assert brief.startswith(" … equal words [yes and mo … ")
    assert len(brief) < 70
    assert _text(shortened(right, context=12, differing=20)) == " … equal words [no] equal words … "
    assert shortened(left[:1], context=1) == left[:1]


def test_each_side_is_cut() -> None:
    left, right = marked("a " * 2000, "b " * 2000, limit=50)
    assert len(left) <= 54
    assert len(right) <= 54


def case(target: str | None, reference: str | None = None) -> Case:
    trusted = Reference(reference, "label") if reference else None
    return Case("c1", (Message("user", "hello"),), Source("a.jsonl", 1), target=target, reference=trusted)


GROUPS = (AnswerGroup("hand over", 4, ("plain",)), AnswerGroup("refund", 2, ("plain",), is_target=True))


def test_production_faces_the_label_or_else_the_largest_group_of_other_answers() -> None:
    shown = shown_contrast(case("refund"), GROUPS, None)
    assert shown is not None
    assert (shown.basis, _text(shown.given), _text(shown.expected)) == ("production", "[refund]", "[hand over]")
    by_label = shown_contrast(case("refund", "close it"), GROUPS, None)
    assert by_label is not None
    assert (by_label.basis, _text(by_label.expected)) == ("label", "[close it]")
    alone = shown_contrast(case(None), (*GROUPS[:1], AnswerGroup("refund", 2, ())), None)
    assert alone is not None
    assert (alone.basis, _text(alone.given), _text(alone.expected)) == ("committee", "[refund]", "[hand over]")
    assert shown_contrast(case("refund"), GROUPS[1:], None) is None
    assert shown_contrast(case(None), GROUPS[:1], None) is None


def test_a_contrast_that_was_found_comes_first() -> None:
    contrast = Contrast("c1", "committee", (), 0.5, "a b", "a c")
    shown = shown_contrast(case("refund", "close it"), GROUPS, contrast)
    assert shown is not None
    assert (shown.basis, _text(shown.given), _text(shown.expected)) == ("committee", "a [b]", "a [c]")


def test_without_a_label_the_other_side_of_a_thumb_down_is_the_committee() -> None:
    contrast = Contrast("c1", "label", (), 1.0, "refund", "hand over")
    shown = shown_contrast(case("refund"), GROUPS, contrast)
    assert shown is not None
    assert shown.basis == "production"
    labelled = shown_contrast(case("refund", "hand over"), GROUPS, contrast)
    assert labelled is not None
    assert labelled.basis == "label"
