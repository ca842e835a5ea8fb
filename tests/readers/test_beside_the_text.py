"""What is beside a question or an answer: earlier turns, branches, attachments, feedback, the wrapper of a record."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import orjson
import pytest

from curator.records import Case
from tests.readers.reading_kit import read_all
from tests.readers.test_remedies import options_in


def written(path: Path, *records: Any) -> Path:
    path.write_bytes(b"\n".join(map(orjson.dumps, records)))
    return path


def table(path: Path, *rows: tuple[str, ...]) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path.write_text(text.getvalue())
    return path


def said(case: Case) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in case.messages]


BEFORE = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]


@pytest.mark.parametrize("history", [BEFORE, [*BEFORE, {"role": "user", "content": "Where?"}], [["Hi.", "Hello."]]])
def test_the_turns_before_a_question_are_asked_with_it(history: Any, tmp_path: Path) -> None:
    cell = orjson.dumps(history).decode()
    path = table(tmp_path / "a.csv", ("chat_history", "question", "answer"), (cell, "Where?", "Here."))
    (case,), reading, _ = read_all([path])
    assert said(case) == [("user", "Hi."), ("assistant", "Hello."), ("user", "Where?")]
    assert (case.target, dict(reading.account.unused)) == ("Here.", {})


def test_a_last_turn_of_the_history_that_is_not_the_question_is_kept(tmp_path: Path) -> None:
    cell = orjson.dumps([*BEFORE, {"role": "user", "content": "I mean you."}]).decode()
    (case,), _, _ = read_all(
        [table(tmp_path / "a.csv", ("chat_history", "question", "answer"), (cell, "Where?", "Here."))]
    )
    assert said(case)[-2:] == [("user", "I mean you."), ("user", "Where?")]


def test_of_turns_that_name_their_parents_the_last_branch_is_the_conversation(tmp_path: Path) -> None:
    turns = [("1", "0", "User", "Where?"), ("2", "1", "GPT", "There."), ("3", "1", "GPT", "Here.")]
    messages = [{"messageId": i, "parentMessageId": parent, "sender": who, "text": t} for i, parent, who, t in turns]
    (case,), reading, _ = read_all([written(tmp_path / "a.json", {"conversationId": "c", "messages": messages})])
    assert (said(case), case.target) == ([("user", "Where?")], "Here.")
    assert any("other branches" in note for note in reading.account.notes)


def test_the_text_of_an_attachment_is_part_of_the_question(tmp_path: Path) -> None:
    asked = {"sender": "human", "text": "Sum up.", "attachments": [{"file_name": "a.txt", "extracted_content": "One."}]}
    told = {"sender": "assistant", "text": "It says one.", "attachments": []}
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", {"uuid": "c", "chat_messages": [asked, told]})])
    assert said(case) == [("user", "Sum up.\nOne.")]


def test_a_conversation_inside_of_an_object_keeps_what_its_turns_say(tmp_path: Path) -> None:
    """As Open WebUI exports chats."""
    records = []
    for number, rating in enumerate((1, -1)):
        told = {
            "role": "assistant",
            "content": "Here.",
            "model": "m",
            "annotation": {"rating": rating, "reason": "So."},
        }
        asked = {"role": "user", "content": f"Where is {number}?", "timestamp": 1764000000}
        records.append({"id": f"c{number}", "user_id": "u", "chat": {"title": "t", "messages": [asked, told]}})
    cases, _, _ = read_all([written(tmp_path / "a.jsonl", *records)])
    assert [(case.user, case.model, case.feedback and case.feedback.thumb) for case in cases] == [
        ("Where is 0?", "m", "up"),
        ("Where is 1?", "m", "down"),
    ]
    assert cases[0].feedback is not None
    assert cases[0].feedback.comment == "So."


@pytest.mark.parametrize(
    ("up", "down"),
    [
        ({"value": 1, "weight": 1}, {"value": -1, "weight": 1}),
        ({"type": "thumbs_up"}, {"type": "thumbs_down"}),
        ({"sentiment": "positive", "text": "So."}, {"sentiment": "negative", "text": "So."}),
        ([{"label": "bad"}, {"label": "good"}], [{"label": "bad"}]),
    ],
)
def test_an_object_of_feedback_says_it_under_any_usual_key(up: Any, down: Any, tmp_path: Path) -> None:
    records = [
        {"prompt": f"Where is {n}?", "completion": "Here.", "model": "m", "feedback": f}
        for n, f in enumerate((up, down))
    ]
    cases, _, _ = read_all([written(tmp_path / "a.jsonl", *records)], format="chat")
    assert [case.feedback and case.feedback.thumb for case in cases] == ["up", "down"]


def test_a_prompt_that_was_blocked_was_filtered(tmp_path: Path) -> None:
    request = {"contents": [{"role": "user", "parts": [{"text": "Where?"}]}]}
    record = {"request": request, "response": {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}}}
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", record)])
    assert (case.target, case.finish_reason) == (None, "content_filter")


def test_a_row_with_a_column_for_each_attribute_is_a_span(tmp_path: Path) -> None:
    """As trace stores export their events."""
    parts = [{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in (("user", "Where?"), ("assistant", "Here."))]  # fmt: skip
    row = {
        "Timestamp": "2026-01-05T10:00:00Z",
        "trace.trace_id": "t1",
        "trace.span_id": "s1",
        "duration_ms": 900,
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": orjson.dumps(parts[:1]).decode(),
        "gen_ai.output.messages": orjson.dumps(parts[1:]).decode(),
    }
    (case,), reading, _ = read_all([written(tmp_path / "a.jsonl", row)])
    assert (reading.account.files[str(tmp_path / "a.jsonl")].reader, case.latency_s) == ("otlp", 0.9)
    assert (said(case), case.target, case.model) == ([("user", "Where?")], "Here.", "m")
    assert not reading.account.unused


def test_a_column_that_holds_whole_records_is_read_as_these(tmp_path: Path) -> None:
    """As a query over the invocation logs of Bedrock is downloaded."""
    asked = {"system": [{"text": "Be brief."}], "messages": [{"role": "user", "content": [{"text": "Where?"}]}]}
    told = {"output": {"message": {"role": "assistant", "content": [{"text": "Here."}]}}, "stopReason": "end_turn"}
    record = {
        "modelId": "m",
        "operation": "Converse",
        "input": {"inputBodyJson": asked},
        "output": {"outputBodyJson": told},
    }
    cell = orjson.dumps(record).decode()
    (case,), _, _ = read_all([table(tmp_path / "a.csv", ("@timestamp", "@message"), ("2026-01-05 10:00:00", cell))])
    assert (said(case), case.target) == ([("system", "Be brief."), ("user", "Where?")], "Here.")
    assert (case.model, case.finish_reason) == ("m", "stop")
    mapping = {"input": "@message.input.inputBodyJson", "target": "@message.output.outputBodyJson"}
    (mapped,), _, _ = read_all([tmp_path / "a.csv"], mapping=mapping)
    assert said(mapped) == said(case)


def test_cells_that_say_nothing_do_not_hide_a_rating(tmp_path: Path) -> None:
    header = ("Frage", "Antwort", "Bewertung", "Modell", "Benutzer")
    rows = [(f"Wo ist {n}?", "Hier.", ("5", "nan", "1")[n], "m", f"u{n}") for n in range(3)]
    path = table(tmp_path / "a.csv", header, *rows)
    refused, *_ = read_all([path])[2]
    assert not isinstance(refused, Case)
    cases, _, _ = read_all([path], **options_in(refused.remedy))  # type: ignore[union-attr]
    assert [case.feedback and case.feedback.thumb for case in cases] == ["up", None, "down"]
    assert {case.model for case in cases} == {"m"}
    assert all(case.user_id for case in cases)


def test_a_list_of_objects_is_neither_a_comment_nor_a_session(tmp_path: Path) -> None:
    record = {
        "id": 1,
        "subject": "An order",
        "comments": [{"author_id": 1, "body": "Where is it?"}],
        "thread": [{"a": 1}],
    }
    (refused,) = read_all([written(tmp_path / "a.jsonl", record)])[2]
    assert not isinstance(refused, Case)
    mapping = options_in(refused.remedy)["mapping"]  # type: ignore[union-attr]
    assert "comment" not in mapping
    assert "session" not in mapping


@pytest.mark.parametrize(("up", "down"), [("liked", "disliked"), ("thumbs_up", "thumbs_down")])
def test_where_each_thumb_has_a_flag_a_no_is_not_the_other_thumb(up: str, down: str, tmp_path: Path) -> None:
    flags = [(True, False), (False, True), (False, False)]
    records = [{"prompt": f"Where is {n}?", "completion": "Here.", up: u, down: d} for n, (u, d) in enumerate(flags)]
    cases, reading, _ = read_all([written(tmp_path / "a.jsonl", *records)])
    assert [case.feedback and case.feedback.thumb for case in cases] == ["up", "down", None]
    assert not reading.account.unused


def test_of_two_conversations_that_were_compared_the_winner_is_read(tmp_path: Path) -> None:
    asked = {"role": "user", "content": "Where?"}
    told = {side: [asked, {"role": "assistant", "content": f"In {side}."}] for side in "ab"}
    record = {
        "model_a": "m1",
        "model_b": "m2",
        "winner": "model_b",
        "conversation_a": told["a"],
        "conversation_b": told["b"],
    }
    (case,), reading, _ = read_all([written(tmp_path / "a.jsonl", record)])
    assert (case.target, case.model) == ("In b.", "m2")
    assert any("compared" in note for note in reading.account.notes)


def test_documents_whose_text_is_in_their_data_are_read(tmp_path: Path) -> None:
    request = {
        "model": "m",
        "messages": [{"role": "user", "content": "Where?"}],
        "documents": [{"id": "d", "data": {"text": "T."}}],
    }
    record = {
        "request": request,
        "response": {"message": {"role": "assistant", "content": [{"type": "text", "text": "Here."}]}},
    }
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", record)])
    assert [(document.id, document.text) for document in case.documents] == [("d", "T.")]


def test_lines_of_a_log_with_their_times_are_no_conversation(tmp_path: Path) -> None:
    lines: Any = {
        "stream": {"app": "x"},
        "values": [["1764000000000000000", "a line"], ["1764000001000000000", "another"]],
    }
    assert not read_all([written(tmp_path / "a.jsonl", lines)])[0]


def test_a_trace_of_mlflow_without_its_spans_is_its_question_and_answer(tmp_path: Path) -> None:
    told = {"choices": [{"message": {"role": "assistant", "content": "Here."}, "finish_reason": "stop"}]}
    feedback = {"assessment_name": "user thumbs", "source": {"source_type": "HUMAN"}, "feedback": {"value": "up"}}
    row = {
        "trace_id": "tr-1",
        "request": orjson.dumps({"messages": [{"role": "user", "content": "Where?"}]}).decode(),
        "response": orjson.dumps(told).decode(),
        "state": "OK",
        "request_time": 1764000000000,
        "execution_duration": 900,
        "assessments": [feedback],
        "spans": [],
    }
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", row)])
    assert (case.user, case.target, case.time, case.latency_s) == ("Where?", "Here.", 1764000000.0, 0.9)
    assert case.feedback is not None
    assert case.feedback.thumb == "up"


def test_steps_of_tools_retrievers_and_guardrails_are_no_questions(tmp_path: Path) -> None:
    steps = [
        {"type": "llm", "prompt": "Where?", "completion": "Here."},
        {"type": "tool", "input": "SELECT 1", "output": "1"},
        {"type": "retriever", "input": "Where?", "output": ["One text."]},
        {"type": "guardrail", "input": "Where?", "output": "pass"},
    ]
    cases, reading, _ = read_all([written(tmp_path / "a.jsonl", *steps)])
    assert [(case.user, case.target) for case in cases] == [("Where?", "Here.")]
    assert (sum(reading.account.others.values()), reading.account.rejected) == (3, 0)
    cases, _, _ = read_all(
        [written(tmp_path / "b.jsonl", {"span_type": "tool", "request": {"prompt": "x"}, "response": "y"})]
    )
    assert not cases


@pytest.mark.parametrize(
    "record",
    [
        {"inputs": {"query": "Where?"}, "outputs": {"result": "Here.", "source_documents": [{"page_content": "One."}]}},
        {"input": {"question": "Where?"}, "output": {"answer": "Here."}},
    ],
)
def test_an_answer_inside_of_an_object_is_named_by_the_remedy(record: Any, tmp_path: Path) -> None:
    (refused,) = read_all([written(tmp_path / "a.jsonl", record)])[2]
    assert not isinstance(refused, Case)
    (case,), _, _ = read_all([tmp_path / "a.jsonl"], **options_in(refused.remedy))  # type: ignore[union-attr]
    assert (case.user, case.target) == ("Where?", "Here.")
    assert len(case.documents) == ("outputs" in record)


def test_of_two_answers_none_is_named_as_the_answer(tmp_path: Path) -> None:
    record = {"prompt": "Where?", "response_a": "Here.", "response_b": "There.", "winner": "b"}
    (refused,) = read_all([written(tmp_path / "a.jsonl", record)])[2]
    assert not isinstance(refused, Case)
    assert "target" not in options_in(refused.remedy)["mapping"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text", ["[REDACTED]", "***", "<masked>", "A long text... [truncated 5,000 characters]", "A (300 more characters)"]
)
def test_a_question_that_the_logger_removed_or_shortened_is_set_aside(text: str, tmp_path: Path) -> None:
    (refused,) = read_all(
        [written(tmp_path / "a.jsonl", {"messages": [{"role": "user", "content": text}], "response": "x"})]
    )[2]
    assert not isinstance(refused, Case)
    assert "by the logger" in refused.reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text", ["The limit is (500 characters)", "A truncated cone (a frustum)", "**Here**", "Print [x]"]
)
def test_a_text_in_brackets_is_no_mark_of_a_logger(text: str, tmp_path: Path) -> None:
    record = {"messages": [{"role": "user", "content": text}], "response": text}
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", record)])
    assert (case.target, case.finish_reason) == (text, None)


def test_an_answer_that_the_logger_shortened_is_not_whole(tmp_path: Path) -> None:
    record = {"messages": [{"role": "user", "content": "Where?"}], "response": "Here and ... (truncated)"}
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", record)])
    assert case.finish_reason == "length"


def test_the_text_beside_a_question_is_its_document(tmp_path: Path) -> None:
    record = {"question": "Where?", "context": "It is in the box.", "answer": "There."}
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", record)])
    assert [document.text for document in case.documents] == ["It is in the box."]


def test_a_spoken_answer_is_its_transcript(tmp_path: Path) -> None:
    told = {"choices": [{"message": {"role": "assistant", "content": None, "audio": {"transcript": "Here."}}}]}
    record = {"request": {"messages": [{"role": "user", "content": "Where?"}]}, "response": told}
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", record)])
    assert case.target == "Here."
