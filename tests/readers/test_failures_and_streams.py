"""What a record says of a failed call, streams of frameworks, and system prompts in unusual places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from curator.errors import RecordError
from curator.readers.replies import read_reply
from curator.records import Case
from tests.readers.reading_kit import read_all

ASKED = {"messages": [{"role": "user", "content": "Where?"}]}


def case_in(path: Path, *records: Any) -> Case:
    path.write_bytes(b"\n".join(map(orjson.dumps, records)))
    return read_all([path])[0][-1]


@pytest.mark.parametrize(
    "said",
    [
        {"status": {"code": 500}},
        {"http": {"status": 503}},
        {"success": False},
        {"ok": "false"},
        {"is_error": True},
        {"level": "ERROR"},
        {"severity": "error"},
        {"outcome": "timeout"},
        {"error_code": "rate_limited"},
    ],
)
def test_a_record_that_says_that_the_call_failed_has_no_answer(said: dict[str, Any], tmp_path: Path) -> None:
    case = case_in(tmp_path / "a.jsonl", {"request": ASKED, "response": "what the gateway wrote", **said})
    assert (case.target, case.finish_reason) == (None, "error")


@pytest.mark.parametrize(
    "said",
    [{"status": {"code": 200}}, {"http": {"status": 200}}, {"success": True}, {"is_error": False}, {"level": "INFO"}],
)
def test_a_record_that_says_that_it_went_well_keeps_its_answer(said: dict[str, Any], tmp_path: Path) -> None:
    assert case_in(tmp_path / "a.jsonl", {"request": ASKED, "response": "Here.", **said}).target == "Here."


@pytest.mark.parametrize(
    "text",
    [
        "error code: 1020",
        '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
        '{"success": false, "message": "Internal error"}',
    ],
)
def test_the_text_of_a_server_is_no_answer(text: str, tmp_path: Path) -> None:
    case = case_in(tmp_path / "a.jsonl", {"request": ASKED, "response": text})
    assert (case.target, case.finish_reason) == (None, "error")


UI = [
    {"type": "start"},
    {"type": "reasoning-delta", "delta": "hm"},
    {"type": "tool-input-delta", "delta": "{}"},
    *({"type": "text-delta", "delta": t} for t in ("He", "re.")),
]
STREAMS = {
    "lines of the AI SDK": 'f:{"messageId":"m"}\n0:"He"\n0:"re."\ne:{"finishReason":"stop"}\nd:{"finishReason":"stop"}\n',
    "events of the AI SDK": "".join(f"data: {orjson.dumps(e).decode()}\n\n" for e in [*UI, {"type": "finish"}]),
    "texts": 'event: data\ndata: "He"\n\nevent: data\ndata: "re."\n\nevent: end\n',
    "texts without quotes": "data: He\n\ndata: re.\n\ndata: end\n",
    "objects that say the end": 'data: {"token": "He"}\n\ndata: {"token": "re."}\n\ndata: {"done": true}\n',
    "objects": 'data: {"token": "He"}\n\ndata: {"token": "re."}\n\ndata: [DONE]\n',
}


@pytest.mark.parametrize("kind", STREAMS)
def test_the_stream_of_a_framework_is_put_together(kind: str) -> None:
    reply = read_reply(STREAMS[kind])
    assert (reply.text, reply.finish_reason) == ("Here.", "stop")


def test_a_stream_without_its_end_is_not_a_whole_answer() -> None:
    for stream in ('data: {"token": "He"}\n\ndata: {"token": "re"}\n', "data: He\n\ndata: re\n", '0:"He"\n0:"re"\n'):
        reply = read_reply(stream)
        assert (reply.text, reply.finish_reason) == ("Here", "length")


def test_a_stream_without_text_is_a_reply_without_text() -> None:
    reply = read_reply('f:{"messageId":"m"}\nd:{"finishReason":"content-filter"}\n')
    assert (reply.text or "", reply.finish_reason) == ("", "content_filter")


def test_an_error_in_a_stream_is_a_failed_call() -> None:
    assert read_reply('0:"He"\n3:"An error occurred."\n').finish_reason == "error"
    assert read_reply('data: {"token": "He"}\n\ndata: {"error": "overloaded"}\n').finish_reason == "error"


@pytest.mark.parametrize("data", ['{"x": 1}', '{"token": "He', "[1, 2]"])
def test_a_stream_of_an_unknown_form_is_set_aside(data: str) -> None:
    with pytest.raises(RecordError, match="a stream of events"):
        read_reply(f"event: a\ndata: {data}\n\nevent: b\ndata: {data}\n")


@pytest.mark.parametrize(
    "text", ["data: a table of two rows\nand more", "event: the wedding", "0: nothing", "a:b", "1:30 pm", "2:[3]"]
)
def test_a_text_that_begins_like_a_stream_is_an_answer(text: str) -> None:
    assert read_reply(text).text == text


def test_the_chunks_of_gemini_in_a_list_are_one_answer() -> None:
    chunks: Any = [{"candidates": [{"content": {"parts": [{"text": t}], "role": "model"}}]} for t in ("He", "re.")]
    chunks[-1]["candidates"][0]["finishReason"] = "STOP"
    reply = read_reply(chunks)
    assert (reply.text, reply.finish_reason) == ("Here.", "stop")


@pytest.mark.parametrize(
    "record",
    [
        {
            "request": {"model": "g", "contents": "Where?", "config": {"system_instruction": "Be brief."}},
            "response": "Here.",
        },
        {"system": "Be brief.", "request": ASKED, "response": "Here."},
        {"system_prompt": "Be brief.", "request": ASKED, "response": "Here."},
    ],
)
def test_a_system_prompt_in_the_options_or_beside_the_request_is_asked(record: Any, tmp_path: Path) -> None:
    case = case_in(tmp_path / "a.jsonl", record)
    assert [(message.role, message.content) for message in case.messages] == [
        ("system", "Be brief."),
        ("user", "Where?"),
    ]


def test_the_name_of_a_system_is_no_system_prompt(tmp_path: Path) -> None:
    case = case_in(tmp_path / "a.jsonl", {"system": "openai", "request": ASKED, "response": "Here."})
    assert [message.role for message in case.messages] == ["user"]


def test_messages_whose_speaker_and_conversation_are_objects_are_turns(tmp_path: Path) -> None:
    records = [
        {"type": "message", "from": {"id": who, "role": role}, "conversation": {"id": talk}, "text": text}
        for talk in ("c1", "c2")
        for who, role, text in (("u", "user", f"Where is {talk}?"), ("b", "bot", f"Here is {talk}."))
    ]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, records)))
    cases, _, _ = read_all([path])
    assert [(case.user, case.target, len(case.messages)) for case in cases] == [
        ("Where is c1?", "Here is c1.", 1),
        ("Where is c2?", "Here is c2.", 1),
    ]
