"""Langfuse: every export gives the same cases, and scores find their calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curator.records import Case, Reference
from tests.readers.reading_kit import read_all

DATA = Path(__file__).parents[1] / "data" / "logs"
BLOB = [DATA / f"langfuse_{name}.jsonl" for name in ("observations", "scores", "traces")]


def written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def observation(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": "o1", "traceId": "t1", "type": "GENERATION", "name": "chat", "startTime": "2026-01-02T03:04:05Z",
        "endTime": "2026-01-02T03:04:06Z", "model": "m", "input": [{"role": "user", "content": "Where?"}], "output": "Here.",
    }  # fmt: skip
    return {**fields, **changes}


def score(**changes: Any) -> dict[str, Any]:
    fields = {"id": "s", "traceId": "t1", "name": "user-feedback", "value": 1, "source": "API", "dataType": "NUMERIC"}
    return {**fields, **changes}


def by_question(cases: list[Case]) -> dict[str, Case]:
    return {case.user: case for case in cases}


def test_the_tables_of_the_blob_storage_are_one_log() -> None:
    cases, reading, _ = read_all(BLOB)
    found = by_question(cases)
    first = found["How do I cancel order 1?"]
    assert (first.system, first.target) == ("Answer in one line.", "Open order 1 and press cancel.")
    assert (first.task, first.model, first.options) == ("orders", "gpt-4o-mini", {"max_tokens": 200})
    assert (first.latency_s, first.cost_usd, first.time) == (1.0, 0.0002, 1772442001.0)
    assert first.session
    assert first.user_id
    assert first.feedback is not None
    assert (first.feedback.thumb, first.feedback.rating, first.feedback.comment) == ("down", 0.0, "did not work")
    assert first.reference == Reference("Orders that were sent cannot be cancelled.", "correction")
    refund = found["How long does a refund take?"]
    assert [(document.text, document.id, document.score) for document in refund.documents] == [
        ("Refunds take 5 days.", "doc-9", 0.83)
    ]
    assert (refund.target, refund.metadata["faithfulness"]) == ("Five days.", 0.4)
    weather = found["Weather in Oslo?"]
    assert json.loads(weather.target or "") == {"tool_calls": [{"arguments": {"city": "Oslo"}, "name": "weather"}]}
    assert len(weather.options["tools"]) == 1  # type: ignore[arg-type]
    assert found["How do I cancel order 2?"].failed_call
    assert found["Where is my parcel?"].target == "It arrives on Monday."
    assert len(cases) == 5
    others = reading.account.others
    assert (others["records that were logged twice"], others["evaluator spans"]) == (1, 1)
    assert others["scores whose call is not in the logs"] == 1
    assert reading.account.scales == {"user-rating": "1 to 5"}


def test_columns_of_scores_in_the_export_of_the_ui() -> None:
    cases, reading, _ = read_all([DATA / "langfuse_ui.csv"])
    assert [(case.user, case.target, case.feedback and case.feedback.thumb) for case in cases] == [
        ("Ticket 1: why?", "Because of 1.", "up"),
        ("Ticket 2: why?", "Because of 2.", "down"),
        ("Ticket 3: why?", "Because of 3.", "up"),
    ]
    assert reading.account.scales == {"user-feedback": "0 to 1", "stars": "1 to 5"}
    assert all(case.metadata["hallucination"] == 0.2 for case in cases)


def test_a_whole_trace_gives_the_case_of_its_generation() -> None:
    (case,), reading, _ = read_all([DATA / "langfuse_trace.jsonl"])
    assert case.user.startswith("Context: students pay 80%.")
    assert case.feedback is not None
    assert (case.feedback.thumb, case.feedback.comment, case.metadata["tags"]) == ("up", "quick", "vip")
    assert case.session
    assert reading.account.others["traces and their roots"] == 2


@pytest.mark.parametrize(
    ("changes", "thumb"),
    [
        ({"value": None, "stringValue": "bad", "dataType": "CATEGORICAL"}, "down"),
        ({"value": 0, "stringValue": "False", "dataType": "BOOLEAN"}, "down"),
        ({"value": 1, "dataType": "BOOLEAN", "source": "ANNOTATION", "name": "quality"}, "up"),
        ({"value": 0, "dataType": "BOOLEAN", "source": "EVAL"}, None),
        ({"value": 0, "dataType": "BOOLEAN", "name": "faithfulness"}, None),
    ],
)
def test_a_score_of_a_person_is_a_thumb_and_that_of_a_program_is_not(
    changes: dict[str, Any], thumb: str | None, tmp_path: Path
) -> None:
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", observation(), score(**changes))])
    assert (case.feedback.thumb if case.feedback else None) == thumb


def test_definitions_of_tools_among_the_messages_and_calls_in_additional_kwargs(tmp_path: Path) -> None:
    definition = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    asked = [{"role": "user", "content": "Where?"}, {"role": "tool", "content": definition}]
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    answer = {"role": "assistant", "content": "", "additional_kwargs": {"tool_calls": [call]}}
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", observation(input=json.dumps(asked), output=answer))])
    assert [message.role for message in case.messages] == ["user"]
    assert (case.target, len(case.options["tools"])) == ('{"tool_calls":[{"arguments":{},"name":"look"}]}', 1)  # type: ignore[arg-type]


def test_a_system_prompt_that_only_the_response_repeats(tmp_path: Path) -> None:
    output = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Here."}]}]
    response = {"object": "response", "instructions": "Be kind.", "output": output}
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", observation(output=json.dumps(response)))])
    assert (case.system, case.target) == ("Be kind.", "Here.")


def test_records_without_a_question_are_set_aside_with_a_remedy(tmp_path: Path) -> None:
    rows = [
        observation(id="a", input=None),
        observation(id="b", input={"topic": "cats", "style": "dry"}),
        observation(id="c", input=[{"role": "user", "content": "See @@@langfuseMedia:type=image/png|id=1@@@"}]),
    ]
    cases, _, results = read_all([written(tmp_path / "a.jsonl", *rows)])
    assert not cases
    assert [result.reason for result in results] == [  # type: ignore[union-attr]
        "a message has an image or a file that is stored elsewhere",
        "the input of the call is not in the export",
        "the input of the call is an object in which no text is the question, with the keys 'topic', 'style'",
    ]


def test_keys_that_are_not_used_are_named(tmp_path: Path) -> None:
    _, reading, _ = read_all([written(tmp_path / "a.jsonl", observation(guidance="Answer in French."))])
    assert list(reading.account.unused) == ["guidance"]
