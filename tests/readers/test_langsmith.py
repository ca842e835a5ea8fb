"""LangSmith: runs of every shape, batches, and feedback on runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curator.records import Case, RejectedRecord
from tests.readers.reading_kit import read_all

DATA = Path(__file__).parents[1] / "data" / "logs"
EXPORT = [DATA / "langsmith_runs.jsonl", DATA / "langsmith_feedback.jsonl"]


def run(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": "r", "trace_id": "r", "run_type": "llm", "name": "ChatOpenAI", "start_time": "2026-01-02T03:04:05",
        "inputs": {"messages": [{"role": "user", "content": "Where?"}]}, "outputs": {"content": "Here."},
    }  # fmt: skip
    return {**fields, **changes}


def one_case(path: Path, *rows: dict[str, Any]) -> Case:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (case,), _, _ = read_all([path])
    return case


def test_runs_and_feedback_are_one_log() -> None:
    cases, reading, results = read_all(EXPORT)
    found = {case.user: case for case in cases}
    rome = found["Hot in Rome?"]
    assert (rome.system, rome.target, rome.finish_reason) == ("Be brief.", "Yes, 34 degrees.", "stop")
    assert [(document.text, document.score) for document in rome.documents] == [("Rome: 34 degrees.", 0.7)]
    assert (rome.model, rome.options["max_tokens"], rome.metadata["correctness"]) == ("gpt-4o-mini", 100, 0.9)
    assert rome.session
    assert rome.feedback is not None
    assert rome.feedback.comment == "too short"
    oslo = found["Weather in Oslo?"]
    assert (oslo.finish_reason, oslo.feedback and oslo.feedback.rating) == ("tool_calls", 0.75)
    assert found["Hello?"].failed_call
    plan = found["Which plan has SSO?"]
    assert plan.target == "The business plan."
    assert plan.feedback is not None
    assert (plan.feedback.thumb, plan.feedback.correction) == ("down", "The enterprise plan.")
    assert len(cases) == 4
    (elsewhere,) = [result for result in results if isinstance(result, RejectedRecord)]
    assert "stored elsewhere" in elsewhere.reason
    assert reading.account.others["feedback whose call is not in the logs"] == 1


def test_an_update_completes_the_run_of_its_batch_or_of_another_record(tmp_path: Path) -> None:
    (case,), _, _ = read_all([DATA / "langsmith_batch.jsonl"])
    assert (case.user, case.target, case.latency_s) == ("howdy", "Howdy!", 1.0)
    asked = run(outputs={}, dotted_order="1")
    answer = {"choices": [{"message": {"role": "assistant", "content": "Here."}, "finish_reason": "stop"}]}
    case = one_case(tmp_path / "a.jsonl", asked, {"id": "r", "trace_id": "r", "dotted_order": "1", "outputs": answer})
    assert (case.user, case.target) == ("Where?", "Here.")


@pytest.mark.parametrize(
    "inputs", [{"prompt": "Where?"}, {"input": "Where?"}, {"prompts": ["Where?"]}, {"text": "Where?"}]
)
@pytest.mark.parametrize("outputs", [{"output": "Here."}, {"generations": [[{"text": "Here."}]]}, {"reply": "Here."}])
def test_texts_under_any_name(inputs: dict[str, Any], outputs: dict[str, Any], tmp_path: Path) -> None:
    case = one_case(tmp_path / "a.jsonl", run(inputs=inputs, outputs=outputs))
    assert (case.user, case.target) == ("Where?", "Here.")


def test_the_rows_of_a_bulk_export_hold_json_in_texts(tmp_path: Path) -> None:
    row = run(is_root=True, extra=json.dumps({"metadata": {"thread_id": "h"}}), feedback_stats="{}")
    row = {**row, "inputs": json.dumps(row["inputs"]), "outputs": json.dumps(row["outputs"]), "tags": ["a", "b"]}
    case = one_case(tmp_path / "a.jsonl", row)
    assert (case.user, case.target, case.metadata["tags"]) == ("Where?", "Here.", "a, b")
    assert case.session


@pytest.mark.parametrize(
    ("feedback", "thumb"),
    [
        ({"score": True, "feedback_source": {"type": "app"}}, "up"),
        ({"score": False, "feedback_source": {"type": "api"}}, "down"),
        ({"score": None, "value": "bad", "feedback_source": {"type": "app"}}, "down"),
        ({"score": True, "feedback_source": {"type": "model"}}, None),
    ],
)
def test_feedback_of_people_is_a_thumb(feedback: dict[str, Any], thumb: str | None, tmp_path: Path) -> None:
    case = one_case(tmp_path / "a.jsonl", run(), {"run_id": "r", "trace_id": "r", "key": "verdict", **feedback})
    assert (case.feedback.thumb if case.feedback else None) == thumb
