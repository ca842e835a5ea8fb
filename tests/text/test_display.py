"""Log texts made safe to show, counts, money, and answers put together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.report.answer_groups import AnswerGroup, GivenAnswer, group_answers
from curator.text.display import clean, cut, excerpt, money, one_line, plural


def test_what_hides_or_reorders_text_becomes_visible() -> None:
    assert clean("a\u202eb\u2066c\x00d\x1be\ud800f") == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf"
    assert clean("tab\tstays, x\r\ny\rz\u2028w") == "tab\tstays, x\ny\nz\nw"
    assert clean("שלום 👩‍👩‍👧 日本語") == "שלום 👩‍👩‍👧 日本語"


@given(st.text(), st.integers(0, 50))
def test_an_excerpt_says_how_much_is_missing(text: str, limit: int) -> None:
    shown = cut(text, limit)
    assert text.startswith(shown.text)
    assert len(shown.text) + shown.omitted == len(text)
    assert len(shown.text) <= limit


@given(st.text(alphabet=st.characters()), st.integers(1, 50))
def test_one_line_is_one_line_and_can_be_written(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    line.encode()


def test_one_line_shows_that_it_was_cut() -> None:
    assert one_line("four  words\nin all", 10) == "four word\u2026"
    assert excerpt("  ab\n", 2).text == "ab"


def test_answers_group_by_key_with_the_commonest_wording() -> None:
    given_answers = [
        GivenAnswer("cancel", "cancel", "plain"),
        GivenAnswer("Refund.", "refund", "plain"),
        GivenAnswer("refund", "refund", "careful"),
        GivenAnswer("refund", "refund", "plain"),
        GivenAnswer("???", "?", "careful", readable=False),
    ]
    assert group_answers(given_answers, target_key="cancel") == (
        AnswerGroup("refund", 3, ("plain", "careful")),
        AnswerGroup("cancel", 1, ("plain",), is_target=True),
        AnswerGroup("???", 1, ("careful",), readable=False),
    )


def test_a_count_agrees_with_its_noun() -> None:
    assert [plural(n, "file") for n in (0, 1, 2, 1234)] == ["0 files", "1 file", "2 files", "1,234 files"]
    assert [plural(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]


@pytest.mark.parametrize(
    ("usd", "shown", "at_most"),
    [
        (0, "$0", "$0"),
        (0.00001, "<$0.0001", "<$0.0001"),
        (0.00123, "$0.0012", "$0.0013"),
        (0.0149, "$0.01", "$0.02"),
        (3.2, "$3.20", "$3.20"),
        (1250.4, "$1,250", "$1,251"),
    ],
)
def test_money_has_one_form_and_a_limit_is_never_shown_too_low(usd: float, shown: str, at_most: str) -> None:
    assert money(usd) == shown
    assert money(usd, at_most=True) == at_most
