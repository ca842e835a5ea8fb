"""Spans, traces and annotations of Phoenix."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from curator.records import Case
from tests.readers.reading_kit import read_all
from tests.readers.span_kit import messages, read_lines

ATTRIBUTES = {
    "llm.model_name": "m",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "Where?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Here.",
    "session.id": "s",
}


def row(
    id_: str, kind: str, attributes: dict[str, Any], parent: str | None = None, trace: str = "t1", second: int = 0
) -> dict[str, Any]:
    return {
        "id": f"U3Bhbjox{id_}", "name": "x", "context": {"trace_id": trace, "span_id": id_}, "span_kind": kind, "parent_id": parent,
        "start_time": f"2026-07-09T00:00:{second:02}+00:00", "end_time": f"2026-07-09T00:00:{second + 1:02}+00:00", "status_code": "OK",
        "status_message": "", "attributes": attributes, "events": [],
    }  # fmt: skip


SPANS = [
    row("a", "AGENT", {"input.value": "Where?", "output.value": "Here."}),
    row("r", "RETRIEVER", {"retrieval.documents": [{"document.content": "Here it is.", "document.score": 0.5}]}, "a"),
    row("b", "LLM", ATTRIBUTES, "a", second=3),
]
ANNOTATION = {
    "id": "U3BhbkFubm90YXRpb246MQ==", "span_id": "a", "name": "helpful", "annotator_kind": "HUMAN", "identifier": "", "source": "APP",
    "result": {"label": "good", "score": 1, "explanation": "nice"}, "metadata": {}, "user_id": None,
}  # fmt: skip
BY_MODEL = {
    **ANNOTATION,
    "name": "hallucination",
    "annotator_kind": "LLM",
    "result": {"label": "factual", "score": 0.0, "explanation": "long"},
}


def check(case: Case, *, feedback: bool = True) -> None:
    assert messages(case) == [("user", "Where?")]
    assert (case.target, case.model, case.latency_s) == ("Here.", "m", 1.0)
    assert [document.text for document in case.documents] == ["Here it is."]
    if feedback:
        assert case.feedback is not None
        assert (case.feedback.thumb, case.feedback.comment) == ("up", "nice")
        assert case.metadata["hallucination"] == 0.0


@pytest.mark.parametrize(
    "lines",
    [
        [*SPANS, ANNOTATION, BY_MODEL],
        [{"traceId": "t1", "spans": SPANS, "annotations": [ANNOTATION, BY_MODEL]}],
        [{"traceId": "t1", "spans": [{**SPANS[0], "annotations": [ANNOTATION, BY_MODEL]}, *SPANS[1:]]}],
        [{**SPANS[0], "annotations": [ANNOTATION, BY_MODEL]}, *SPANS[1:]],
        [*SPANS, *({"annotation_name": a["name"], "annotator_kind": a["annotator_kind"], "context.span_id": "a",
                    **{f"result.{key}": value for key, value in a["result"].items()}} for a in (ANNOTATION, BY_MODEL))],
    ],
    ids=["rows", "trace", "trace with annotated spans", "annotated rows", "dataframe of annotations"],
)  # fmt: skip
def test_spans_with_their_annotations(tmp_path: Path, lines: list[Any]) -> None:
    (case,), rejected, others, reading = read_lines(tmp_path, *lines)
    assert not rejected
    check(case)
    assert others == {"agent spans": 1, "retriever spans": 1, "annotations": 1, "annotations by models and programs": 1}
    assert [file.reader for file in reading.account.files.values()] == ["phoenix"]


def test_ids_of_spans_that_repeat_in_other_traces(tmp_path: Path) -> None:
    again = [{**span, "context": {**span["context"], "trace_id": "t2"}} for span in SPANS]
    cases, *_ = read_lines(tmp_path, *SPANS, *again)
    assert [len(case.documents) for case in cases] == [1, 1]


@pytest.mark.parametrize("text", [json.dumps, repr], ids=["JSON", "as Python prints it"])
def test_a_table_of_spans(tmp_path: Path, text: Any) -> None:
    flat = [
        {
            **{key: value for key, value in span.items() if key not in ("context", "attributes", "events")},
            **{f"context.{key}": value for key, value in span["context"].items()},
            **{
                f"attributes.{key}": text(value) if isinstance(value, list) else value
                for key, value in span["attributes"].items()
            },
        }
        for span in SPANS
    ]
    file = tmp_path / "spans.csv"
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(dict.fromkeys(key for span in flat for key in span)))
        writer.writeheader()
        writer.writerows(flat)
    (case,), reading, _ = read_all([file])
    assert [entry.reader for entry in reading.account.files.values()] == ["phoenix"]
    check(case, feedback=False)


def test_an_annotation_of_a_session_goes_to_its_last_answer(tmp_path: Path) -> None:
    later = row("c", "LLM", ATTRIBUTES | {"llm.output_messages.0.message.content": "There."}, trace="t2", second=9)
    rating = {"session_id": "s", "name": "user rating", "annotator_kind": "HUMAN", "result": {"label": "bad"}}
    cases, *_ = read_lines(tmp_path, *SPANS, later, rating)
    assert {case.target: case.feedback and case.feedback.thumb for case in cases} == {"Here.": None, "There.": "down"}
