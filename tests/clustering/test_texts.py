"""What is embedded of a case: the question itself, not what the application puts around it."""

from __future__ import annotations

from curator.clustering.texts import embedding_texts
from curator.records import Case, Message, Source, ToolCall


def a_case(*messages: Message) -> Case:
    return Case("c1", messages, Source("f", 1))


def one(case: Case) -> str:
    (text,) = embedding_texts([case])
    return text


def test_what_is_embedded_is_the_last_user_turn_after_shortened_earlier_ones() -> None:
    case = a_case(
        Message("system", "You are a bank."),
        Message("user", "word " * 50),
        Message("assistant", "", (ToolCall("1", "balance", "{}"),)),
        Message("tool", "12  EUR"),
        Message("user", "And\nnow?"),
        Message("assistant", "left out"),
    )
    earlier, call, result, last = one(case).split("\n")
    assert earlier.startswith("word word")
    assert len(earlier) <= 84
    assert (call, result, last) == ("balance {}", "12 EUR", "And now?")


def test_a_long_turn_keeps_its_beginning_and_its_end() -> None:
    text = one(a_case(Message("user", "first " + "filler " * 1000 + "the question")))
    assert text.startswith("first filler")
    assert text.endswith("the question")
    assert len(text) < 1300


def test_a_case_without_user_turn_is_embedded_too() -> None:
    assert one(a_case(Message("assistant", "Hello"))) == "Hello"
    assert one(a_case(Message("system", "Be brief."))) == ""


def test_examples_that_many_cases_share_are_left_out() -> None:
    shots = (Message("user", "How big is it?"), Message("assistant", "product"))
    cases = [a_case(*shots, Message("user", f"question {i}")) for i in range(5)]
    assert embedding_texts(cases) == [f"question {i}" for i in range(5)]
    assert embedding_texts(cases[:4])[0] == "How big is it?\nproduct\nquestion 0"


def test_the_question_stays_however_often_it_is_asked() -> None:
    assert embedding_texts([a_case(Message("user", "Where is it?"))] * 9) == ["Where is it?"] * 9
