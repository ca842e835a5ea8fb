"""Answers taken apart: records, tool calls, queries, values and texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.answers.read import read_answer
from curator.disagreement.contrasts.answer_parts import (
    TOOL,
    AnswerParts,
    Form,
    PartKey,
    facts_of,
    form_name,
    form_of,
    parts_of,
    quantities_in,
)
from curator.records import KINDS, Kind

REFUSAL = "I'm sorry, but I can't help with that."


def apart(text: str, form: Form, kind: Kind) -> AnswerParts:
    return parts_of(text, read_answer(text, kind), form, kind, meaning="class 0", question="")


def record(text: str) -> AnswerParts:
    return apart(text, "record", "json")


def fields(**values: str) -> dict[PartKey, frozenset[str]]:
    return {("field", name): frozenset(value.split("|")) for name, value in values.items()}


@pytest.mark.parametrize(
    "text",
    [
        '{"total": 12, "customer": "Acme", "note": null, "memo": ""}',
        'Here it is:\n```json\n{"customer": "ACME", "total": 12.0}\n```\nDone.',
        "```yaml\ncustomer: Acme\ntotal: 12\n```",
        "customer: Acme\ntotal: 12",
    ],
)
def test_notations_of_one_record_have_the_same_parts(text: str) -> None:
    assert record(text).parts == fields(total="12", customer="acme")


def test_spellings_of_a_field_are_one_part_and_keep_their_spelling() -> None:
    snake, camel = record('{"due_date": "May 3", "x": 1}'), record('{"dueDate": "May 3", "x": 1}')
    assert snake.parts == camel.parts
    assert (snake.shown["duedate"], camel.shown["duedate"]) == ("due_date", "dueDate")
    assert snake.shown["may 3"] == "May 3"


def test_items_of_a_list_are_the_values_of_one_part() -> None:
    parts = record('{"lines": [{"sku": "A"}, {"sku": "B", "size": {"cm": 4}}]}').parts
    assert parts == {**fields(**{"lines[].sku": "a|b", "lines[].size.cm": "4"})}


def test_the_whole_fields_of_a_record_that_is_cut_off_are_read() -> None:
    assert (
        record('{"customer": "Acme", "total": 12, "lines": [{"sku": "A').parts.items()
        >= fields(customer="acme").items()
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{a b c", "broken"), ("The total is twelve.", "prose"), ("", "empty"), (" \n", "empty"), (REFUSAL, "refusal")],
)
def test_an_answer_without_a_record_has_a_problem_and_no_parts(text: str, problem: str) -> None:
    assert record(text) == AnswerParts(problem)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "refund", "arguments": {"orderId": "A1", "amount": 20}}',
        '<tool_call>{"name": "refund", "arguments": {"order_id": "A1", "amount": 20.0}}</tool_call>',
        'refund(order_id="A1", amount=20)',
        '{"tool_calls": [{"function": {"name": "refund", "arguments": "{\\"order_id\\": \\"A1\\", \\"amount\\": 20}"}}]}',
        '```json\n[{"name": "refund", "arguments": {"order_id": "A1", "amount": 20}}]\n```',
    ],
)
def test_notations_of_one_call_have_the_same_parts(text: str) -> None:
    assert apart(text, "calls", "tool_call").parts == {
        TOOL: frozenset(("refund",)),
        ("argument", "refund.orderid"): frozenset(("a1",)),
        ("argument", "refund.amount"): frozenset(("20",)),
    }


def test_prose_among_calls_is_an_answer_without_a_call() -> None:
    assert apart("I would ask a colleague.", "calls", "tool_call").parts == {TOOL: frozenset()}


def test_several_calls_are_several_tools() -> None:
    text = '[{"name": "refund", "arguments": {"id": 1}}, {"name": "notify", "arguments": {}}]'
    assert apart(text, "calls", "tool_call").parts[TOOL] == {"refund", "notify"}


def test_a_value_is_known_by_its_meaning_and_has_a_spelling() -> None:
    assert apart("Approve", "value", "label") == AnswerParts(
        "", {("label", ""): frozenset(("class 0",))}, {"class 0": "approve"}
    )
    assert apart("Rome", "value", "short").shown == {"class 0": "Rome"}
    assert apart("no idea", "value", "number") == AnswerParts("unreadable")


def test_the_clauses_of_a_query_are_parts() -> None:
    left = apart("SELECT a FROM t WHERE x = 1", "query", "code").parts
    right = apart("SELECT a FROM t WHERE x = 2", "query", "code").parts
    assert left["value", "from"] == right["value", "from"]
    assert left["value", "where"] != right["value", "where"]


@pytest.mark.parametrize(
    ("kind", "texts", "form", "name"),
    [
        ("json", ["prose", "prose"], "record", "a record"),
        ("short", ['{"a": 1, "b": 2}', "no", "no"], "record", "a record"),
        ("short", ['{"a": 1, "b": 2}', "no", "no", "no"], "value", "a short answer"),
        ("short", ['{"answer": 1}'], "value", "a short answer"),
        ("text", ['{"name": "f", "arguments": {"a": 1}}', "no", "no"], "calls", "a tool call"),
        ("text", ["hello", "hi"], "text", "text"),
        ("code", ["SELECT a FROM t", "SELECT b FROM t"], "query", "a query"),
        ("code", ["SELECT a FROM t", "x = 1"], "value", "a code"),
        ("choice", ["A"], "value", "an option"),
        ("number", ["1"], "value", "a number"),
    ],
)
def test_the_form_of_a_third_of_the_answers_is_the_form_of_all(
    kind: Kind, texts: list[str], form: Form, name: str
) -> None:
    assert form_of(kind, texts) == form
    assert form_name(form, kind) == name


def test_numbers_of_a_text_are_facts_by_their_unit() -> None:
    facts = facts_of("You have 30 days, pay $1,250.50 or 4,50 EUR, and save 10% on 2 items.", "")
    assert facts["content", "day"] == {"30"}
    assert facts["content", "$"] == {"1250.5"}
    assert facts["content", "eur"] == {"4.5"}
    assert facts["content", "%"] == {"10"}
    assert facts["content", "item"] == {"2"}


def test_numbers_of_the_question_and_ids_are_not_facts() -> None:
    question = "I bought 2 lamps 30 days ago, order A-4711"
    assert ("content", "day") not in facts_of("You have 30 days.", question)
    assert facts_of("You have 14 days.", question)["content", "day"] == {"14"}
    assert list(quantities_in("A12 1234567 no-7 AB-4711-x 4x")) == [("4", "")]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("It arrives on 12 April 2024.", {"12 april 2024"}),
        ("It arrives on 12 March 2024 or 3. May.", {"12 march 2024", "3. may"}),
        ("It arrives by March 3 or on Monday.", {"march 3", "monday"}),
        ("Due 2024-05-01, else 01.06.2024.", {"2024-05-01", "01.06.2024"}),
        ("You may march on.", set()),
    ],
)
def test_dates_of_a_text_are_facts_and_not_quantities(text: str, dates: set[str]) -> None:
    facts = facts_of(text, "")
    assert facts.get(("content", "date"), frozenset()) == dates
    assert {subject for _, subject in facts} <= {"date", "language"}
    assert ("content", "date") not in facts_of(text, text)


def test_yes_no_and_the_language_are_facts() -> None:
    assert facts_of("Yes, you can.", "Can I?")["content", "yes or no"] == {"yes"}
    assert facts_of("No, that is not possible.", "Can I?")["content", "yes or no"] == {"no"}
    assert facts_of("Bitte senden Sie uns die Rechnung.", "")["content", "language"] == {"German"}
    assert facts_of("Ok.", "") == {}


@given(
    st.text(max_size=60) | st.sampled_from(['{"a": ', "[[[[", "f(", "\ud800", "1.2.3.4,5", "٣ يوم"]),
    st.sampled_from(KINDS),
)
def test_any_text_can_be_taken_apart_in_its_form(text: str, kind: Kind) -> None:
    parts = apart(text, form_of(kind, [text]), kind)
    assert not (parts.problem and parts.parts)


@pytest.mark.parametrize("text", ["It takes 8 to 10 days.", "It takes 8-10 days.", "Es dauert 8 bis 10 days."])
def test_both_numbers_of_a_range_have_its_unit(text: str) -> None:
    assert facts_of(text, "")["content", "day"] == {"8", "10"}
