"""What may be trained on, and that nothing held out is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.contamination.records import KINDS, Match
from curator.exporters import OPENAI_CHAT, export_rows
from curator.exporters.training_rows import TOO_LONG
from curator.exporters.trusted_targets import (
    ASKS_HELD_OUT,
    CONTINUES_HELD_OUT,
    CUT_OFF,
    DISLIKED,
    HELD_OUT,
    LEAKS,
    NO_TOOLS,
    SAME_QUESTION,
    UNTRUSTED,
    TrainingSet,
    trainable_cases,
    training_set,
)
from curator.records import Case, Feedback, JsonValue, Message, Reference, Source, Split, ToolCall

TOOLS: list[JsonValue] = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
CALLS = '{"tool_calls":[{"name":"weather","arguments":{"city":"Bonn"}}]}'


def case(name: str = "c1", **more: object) -> Case:
    made = Case(name, (Message("system", "s"), Message("user", f"ask {name}")), Source("a.jsonl", 3), group=name)
    return replace(made, **more)  # type: ignore[arg-type]


def made_of(*cases: Case, held_out: tuple[Case, ...] = (), eval_groups: tuple[str, ...] = ()) -> TrainingSet:
    def split(group: str) -> Split:
        return "eval" if group in eval_groups else "train"

    return training_set(cases, split_of_group=split, trusted_models=("teacher",), held_out=held_out)


def rows_of(made: TrainingSet) -> tuple[Any, ...]:
    return export_rows(OPENAI_CHAT, made.examples).rows


def test_a_row_is_the_conversation_the_trusted_answer_and_where_that_comes_from() -> None:
    made = made_of(case(reference=Reference("right", "label", "ann"), task="qa", target="wrong", model="teacher"))
    assert rows_of(made) == (
        {
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": "ask c1"},
                {"role": "assistant", "content": "right"},
            ],
            "metadata": {
                "case_id": "c1",
                "group": "c1",
                "task": "qa",
                "target_source": "label",
                "target_by": "ann",
                "source": "a.jsonl:3",
            },
        },
    )
    assert made.by_source == {"label": 1}
    assert made.excluded == {}


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        (case(target="x", model="student"), UNTRUSTED),
        (case(target="x"), UNTRUSTED),
        (case(target=" ", model="teacher"), UNTRUSTED),
        (case(model="teacher"), UNTRUSTED),
        (case(target="x", model="teacher", finish_reason="length"), CUT_OFF),
        (case(target="x", model="teacher", finish_reason="content_filter"), CUT_OFF),
        (case(target="x", model="teacher", feedback=Feedback(thumb="down")), DISLIKED),
        (case(target=CALLS, model="teacher"), NO_TOOLS),
    ],
)
def test_what_is_not_trusted_stays_out_with_its_reason(of: Case, reason: str) -> None:
    made = made_of(of)
    assert made.examples == ()
    assert made.excluded == {reason: 1}


def test_a_person_overrules_the_state_of_the_logged_answer() -> None:
    made = made_of(
        case("c1", target="x", model="teacher", finish_reason="length", reference=Reference("r", "correction")),
        case("c2", target="x", model="student", feedback=Feedback(thumb="down"), reference=Reference("r", "label")),
        case("c3", target="x", model="teacher", feedback=Feedback(thumb="up")),
    )
    assert made.by_source == {"correction": 1, "label": 1, "teacher": 1}
    assert [example.answer.content for example in made.examples] == ["r", "r", "x"]


def test_tool_calls_become_tool_calls() -> None:
    (row,) = rows_of(made_of(case(target=CALLS, model="teacher", options={"tools": TOOLS})))
    assert row["tools"] == TOOLS
    assert row["messages"][-1] == {  # type: ignore[index,call-overload]
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bonn"}'}}
        ],
    }


def test_json_that_is_no_tool_call_is_an_answer_like_any_other() -> None:
    for text in ('{"tool_calls": 3}', '{"tool_calls": [1]}', '["tool_calls"]', "{"):
        (row,) = rows_of(made_of(case(target=text, model="teacher")))
        assert row["messages"][-1] == {"role": "assistant", "content": text}  # type: ignore[index,call-overload]


def test_earlier_assistant_turns_are_not_trained_on() -> None:
    turns = (Message("user", "a"), Message("assistant", "unsure"), Message("user", "b"))
    (row,) = rows_of(made_of(case(messages=turns, reference=Reference("r", "label"))))
    assert [m.get("weight") for m in row["messages"]] == [None, 0, None, None]  # type: ignore[union-attr]


def test_nothing_of_a_held_out_group_comes_in() -> None:
    trusted = Reference("r", "label")
    made = made_of(
        case("c1", group="g1", reference=trusted),
        case("c2", group="g2", reference=trusted),
        case("c3", group="g3", reference=trusted),
        held_out=(case("old", group="g3"),),
        eval_groups=("g1",),
    )
    assert [example.case_id for example in made.examples] == ["c2"]
    assert made.excluded == {HELD_OUT: 2}


def test_a_conversation_that_goes_on_from_a_held_out_one_stays_out() -> None:
    first = (Message("user", "How  do I cancel?"),)
    longer = (
        Message("system", "s2"),
        Message("user", "How do I cancel?"),
        Message("assistant", "x"),
        Message("user", "And then?"),
    )
    trusted = Reference("r", "label")
    made = made_of(
        case("c1", messages=longer, reference=trusted),
        case("c2", messages=(Message("user", "How do I"),), reference=trusted),
        case("c3", messages=first),
        eval_groups=("c3",),
    )
    assert [example.case_id for example in made.examples] == ["c2"]
    assert made.excluded == {CONTINUES_HELD_OUT: 1, UNTRUSTED: 1}


@given(
    st.lists(
        st.builds(
            case,
            st.uuids().map(str),
            group=st.sampled_from("abcd"),
            target=st.sampled_from([None, "x", CALLS]),
            model=st.sampled_from([None, "teacher"]),
            finish_reason=st.sampled_from(["stop", "length"]),
            reference=st.sampled_from([None, Reference("r", "label")]),
        ),
        max_size=12,
    ),
    st.sets(st.sampled_from("abcd")),
)
def test_every_case_is_a_row_or_excluded_and_no_row_is_held_out(cases: list[Case], eval_groups: set[str]) -> None:
    made = made_of(*cases, eval_groups=tuple(eval_groups))
    assert len(made.examples) + sum(made.excluded.values()) == len(cases)
    assert sum(made.by_source.values()) == len(made.examples)
    assert not {example.group for example in made.examples} & eval_groups


def test_rows_pass_openais_own_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    path = _schema_file()
    if path is None:
        pytest.skip("OpenAI's schema file is not beside this checkout")
    schema = _nullable(json.loads(path.read_text(encoding="utf-8")))
    validator = jsonschema.Draft202012Validator({"$ref": "#/components/schemas/FineTuneChatRequestInput", **schema})
    history = (
        Message("user", "Weather?"),
        Message("assistant", "", (ToolCall("t1", "weather", "{}"),)),
        Message("tool", "rain", tool_call_id="t1"),
    )
    made = made_of(
        case("c1", reference=Reference("r", "label")),
        case("c2", target=CALLS, model="teacher", options={"tools": TOOLS}),
        case("c3", messages=history, target="It rains.", model="teacher", options={"tools": TOOLS}),
    )
    rows = rows_of(made)
    assert len(rows) == 3
    for row in rows:
        validator.validate(row)
    assert not validator.is_valid({"messages": []})


def _schema_file() -> Path | None:
    name = "data/log-samples/openai_finetune_batch_schemas_f7f4b05.json"
    beside = (parent / "shared" / name for parent in Path(__file__).resolve().parents)
    return next((path for path in beside if path.is_file()), None)


def _nullable(schema: JsonValue) -> JsonValue:
    """OpenAPI's `nullable: true` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _nullable(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


def test_a_held_out_question_inside_a_conversation_keeps_it_out() -> None:
    label = Reference("right", "label")
    held = case("c1", messages=(Message("user", "Can I pay by invoice, please?"),), reference=label)
    talk = (Message("user", "hi"), Message("assistant", "Hello!"), Message("user", "can i pay by INVOICE"))
    other = (Message("user", "hi"), Message("assistant", "Hello!"), Message("user", "Can I pay by card instead?"))
    leaky, fine = case("c2", messages=talk, reference=label), case("c3", messages=other, reference=label)
    made = made_of(held, leaky, fine, eval_groups=("c1",))
    assert [example.case_id for example in made.examples] == ["c3"]
    assert made.excluded == {HELD_OUT: 1, ASKS_HELD_OUT: 1}


def test_a_short_turn_that_a_held_out_case_shares_keeps_nothing_out() -> None:
    label = Reference("right", "label")
    held = case("c1", messages=(Message("user", "Yes, please."),), reference=label)
    talk = (Message("user", "Shall I?"), Message("assistant", "Do you want to?"), Message("user", "yes please"))
    assert len(made_of(held, case("c2", messages=talk, reference=label), eval_groups=("c1",)).examples) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_leak_is_left_out_with_its_kind(kind: str) -> None:
    cases = [case("c1", reference=Reference("r", "label")), case("c2", reference=Reference("r", "label"))]
    leak = Match("c1", "h", kind, 0.9, "ask c1", "asked")  # type: ignore[arg-type]
    made = training_set(cases, split_of_group=lambda _: "train", trusted_models=(), leaks=[leak])
    assert [example.case_id for example in made.examples] == ["c2"]
    assert made.excluded == {LEAKS[kind]: 1}  # type: ignore[index]


def test_trainable_are_the_cases_that_become_rows() -> None:
    cases = [
        case("c1", reference=Reference("r", "label")),
        case("c2"),
        case("c3", reference=Reference("r", "label"), group="held"),
        case("c4", target=CALLS, model="teacher"),
        case("c5", target=CALLS, model="teacher", options={"tools": TOOLS}),
    ]

    def split(group: str) -> Split:
        return "eval" if group == "held" else "train"

    found = trainable_cases(cases, split_of_group=split, trusted_models=("teacher",))
    made = training_set(cases, split_of_group=split, trusted_models=("teacher",))
    assert [c.id for c in found] == ["c1", "c5"] == [example.case_id for example in made.examples]


def test_a_question_that_production_answered_differently_gets_one_row() -> None:
    first = case(target="rare", model="teacher", weight=2)
    others = [
        replace(first, id=f"c1-{n}", target=text, question="c1", weight=n) for n, text in ((9, "often"), (1, "once"))
    ]
    made = made_of(first, *others, case("c2", target="x", model="teacher"))
    assert [example.answer.content for example in made.examples] == ["often", "x"]
    assert made.excluded == {SAME_QUESTION: 2}
    labelled = [first, others[0], replace(others[1], reference=Reference("right", "label"))]
    assert [example.answer.content for example in made_of(*labelled).examples] == ["right"]
    twice = [replace(c, reference=Reference("right", "label")) for c in labelled]
    assert len(made_of(*twice).examples) == 1


def test_a_row_that_a_trainer_would_cut_off_is_left_out() -> None:
    cases = (case(reference=Reference("short", "label")), case("c2", reference=Reference("long " * 200, "label")))
    made = training_set(cases, split_of_group=lambda _: "train", trusted_models=(), max_tokens=100)
    assert [example.answer.content for example in made.examples] == ["short"]
    assert made.excluded == {TOO_LONG: 1}
