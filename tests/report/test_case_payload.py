"""The cases that the page carries as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from curator.records import Case, Category, Diagnosis, Message, Reference, Score, Source, ToolCall
from curator.report.answer_groups import AnswerGroup
from curator.report.case_payload import PageCases, PageRecords, page_cases

EVIL = "</script><!--<script>alert(1)</script> & ${alert(2)} `x` \u2028\u2029"


def records(number: int, *, text: str = "hello", weight: int = 1, **rest: Any) -> PageRecords:
    cases = {
        f"c{i}": Case(
            f"c{i}",
            (
                Message("system", "Be brief."),
                Message("user", "first"),
                Message("assistant", "", (ToolCall("1", "look_up", '{"id": 3}'),)),
                Message("tool", "found"),
                Message("user", f"{text} {i}"),
            ),
            Source("logs/a.jsonl", i),
            target=text,
            task="route",
            reference=Reference("other", "label"),
            metadata={"plan": "pro", "api_key": "sk-1", "session_token": "t", "total_tokens": 7},
            weight=weight,
        )
        for i in range(number)
    }
    scores = {i: Score(i, n / number, 0.1, 0.1, 0.5, "label", "typed-1", "x", 0.5, 6) for n, i in enumerate(cases)}
    groups = (AnswerGroup(text, 2, ("plain",), is_target=True), *(AnswerGroup(f"{n}", 1, ("plain",)) for n in range(6)))
    return PageRecords(cases, scores, lambda _: groups, **rest)


def test_a_case_has_its_answers_its_place_in_the_files_and_what_can_be_filtered_by() -> None:
    diagnosis = Diagnosis("ambiguous", "", "", 1, 6, None, None, None)
    found = records(2, queue={"c1": 7}, eval_set={"c0": 3}, diagnoses={"c1": diagnosis})
    page = page_cases([Category("top", "t", (), ("c0", "c1")), Category("part", "p", (), ("c1",), parent="top")], found)
    second, first = page.rows
    assert (second["id"], second["in"], second["queue"], second["diagnosis"]) == ("c1", ["top", "part"], 7, "ambiguous")
    assert (first["in"], first["eval"], first["task"], first["kind"]) == (["top"], 3, "route", "label")
    assert "queue" not in first
    assert first["metadata"] == {"plan": "pro", "total_tokens": "7"}
    assert first["earlier"] == [["user", "first"], ["assistant", 'look_up({"id": 3})'], ["tool", "found"]]
    assert page.system_prompts[first["system"]] == ["Be brief."]  # type: ignore[index]
    assert (first["basis"], first["given"], first["expected"]) == ("label", [["hello"]], [["other"]])
    assert first["answers"][0] == {"text": ["hello"], "count": 2, "by": ["plain"], "target": True, "readable": True}  # type: ignore[index]
    assert (len(first["answers"]), first["more"]) == (5, 2)  # type: ignore[arg-type]


def test_a_small_category_is_carried_whole_and_the_rest_is_counted() -> None:
    categories = [
        Category("large", "", (), tuple(f"c{i}" for i in range(40))),
        Category("small", "", (), tuple(f"c{i}" for i in range(40, 45))),
    ]
    page = page_cases(categories, records(45), most=20)
    assert page.omitted == 25
    assert [row["id"] for row in page.rows if row["in"] == ["small"]] == ["c44", "c43", "c42", "c41", "c40"]
    assert [row["id"] for row in page.rows if row["in"] == ["large"]] == [f"c{i}" for i in range(39, 24, -1)]


@pytest.mark.parametrize("text", [EVIL, "x" * 9000])
def test_no_text_can_end_the_script_element_or_fill_the_page(text: str) -> None:
    script = page_cases([Category("a", EVIL, (), ("c0",))], records(1, text=text)).to_script().decode()
    assert not set("<>&\u2028\u2029") & set(script)
    assert len(script) < 5000
    shown = json.loads(script)["cases"][0]["input"]
    assert shown[0] == (EVIL.replace("\u2028\u2029", "\n\n") + " 0" if text == EVIL else "x" * 1200)


def test_a_page_without_cases_carries_an_empty_list() -> None:
    assert json.loads(PageCases().to_script())["cases"] == []
    assert page_cases([], records(1)) == PageCases()
