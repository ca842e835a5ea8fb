"""A case as a trace: its texts are safe to send, its context comes back as it was, and its mark shows a change."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import orjson

from curator.labels.queue import QueueRow, queue_rows
from curator.labels.traced import CONTEXT, MARK, TracedCase, label_choices, read_context, trace_id, traced_cases
from curator.records import Case, Document, Message, Pick, Source

HOSTILE = "a\ud800b\x00\u202e<img>"


def row(**more: object) -> QueueRow:
    case = Case(
        "007", (Message("user", HOSTILE),), Source("a", 1), target=HOSTILE, task=HOSTILE,
        documents=(Document(HOSTILE, id=HOSTILE),),
    )  # fmt: skip
    picks = [Pick(case.id, 1, "random", 0.25, "eval")]
    (only,) = queue_rows(picks, cases={case.id: case}, scores={}, answers_of=lambda _: ())
    return replace(only, **more)


def test_hostile_texts_can_be_sent() -> None:
    traced = TracedCase.of(row(labels=("x", HOSTILE), category=HOSTILE), people=[HOSTILE, ""])
    assert b"<img>" in orjson.dumps([traced.inputs, traced.answer, traced.metadata])


def test_the_context_comes_back_as_text_or_read() -> None:
    traced = TracedCase.of(row())
    text = traced.metadata[CONTEXT]
    assert isinstance(text, str)
    for form in (text, orjson.loads(text)):
        context = read_context({CONTEXT: form})
        assert (context["case_id"], context["inclusion_probability"], context[MARK]) == ("007", 0.25, traced.mark)
    for other in (None, {}, {CONTEXT: "cut {"}, {CONTEXT: "[1]"}, {CONTEXT: {"mark": "x"}}):
        assert read_context(other) == {}


def test_the_mark_changes_with_all_that_is_shown() -> None:
    changes = ({}, {"target": "b"}, {"labels": ("x",)}, {"slice": "disagreement"}, {"category": "c"}, {"documents": ()})
    marks = [TracedCase.of(row(**change)).mark for change in changes]
    assert len(set(marks)) == len(marks)
    assert TracedCase.of(row()).mark == marks[0]


def test_a_case_of_two_people_is_traced_once_and_names_both() -> None:
    (traced,) = traced_cases([row(annotator="ana"), row(annotator="ben")])
    assert traced.metadata["assigned_to"] == "ana, ben"


def test_an_id_belongs_to_its_parts() -> None:
    assert trace_id("nightly", "c1") == trace_id("nightly", "c1") == UUID(trace_id("nightly", "c1").hex)
    assert len({trace_id("nightly", "c1"), trace_id("nightl", "yc1"), trace_id("nightly", "c1", "1")}) == 3


def test_people_choose_among_two_to_a_hundred_labels() -> None:
    assert label_choices([row(labels=("x", "y")), row(labels=("y", "z"))]) == ["x", "y", "z"]
    assert label_choices([row(labels=("x",))]) == []
    assert label_choices([row(labels=tuple(map(str, range(101))))]) == []
