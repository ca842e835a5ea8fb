"""Records and bodies that are wrapped as text: by loggers, by proxies, by Python, by pandas."""

from __future__ import annotations

import base64
import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from curator.readers.json_text import behind_prefix, decoded
from curator.records import RejectedRecord
from tests.readers.reading_kit import read_all

ASKED = [("Where is the key?", "In the box."), ("When is it open?", "At nine."), ("Who has it?", "Ada.")]


def request(question: str) -> dict[str, Any]:
    return {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}],
    }


def response(answer: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer}
    return {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def dumped(value: object) -> str:
    return orjson.dumps(value).decode()


def call(question: str, answer: str) -> str:
    return dumped({"request": request(question), "response": response(answer)})


def checked(path: Path) -> list[Any]:
    cases, _, _ = read_all([path])
    assert [(case.user, case.target) for case in cases] == ASKED
    assert [case.messages[0].content for case in cases] == ["Be brief."] * len(ASKED)
    return cases


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("2026-01-05 10:00:00,123 INFO app.llm ", "app.log"),
        ("2026-01-05T10:00:00.123000000Z stdout F ", "pod.log"),
        ("[2026-01-05 10:00:00.123] [info] call: ", "app"),
        ("<14>1 2026-01-05T10:00:00.123Z host app - - - ", "syslog"),
    ],
)
def test_an_object_behind_the_prefix_of_a_logger_is_the_record(prefix: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("".join(f"{prefix}{call(*pair)}\n" for pair in ASKED))
    assert [case.time for case in checked(path)] == [1767607200.123] * len(ASKED)


@pytest.mark.parametrize(
    "line", [b'a,"{""x"": 1}"', b"plain text", b'{"a": 1', b'\0\0{"a": 1}', b'INFO {"a": 1} and {"b": 2}']
)
def test_other_lines_have_no_object_behind_a_prefix(line: bytes) -> None:
    assert behind_prefix(line) is None


def test_lines_that_are_encoded_twice_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f"{dumped(call(*pair))}\n" for pair in ASKED))
    checked(path)


def in_base64(value: object) -> str:
    return base64.b64encode(orjson.dumps(value)).decode()


def gzipped(value: object) -> str:
    return base64.b64encode(gzip.compress(orjson.dumps(value))).decode()


@pytest.mark.parametrize("packed", [in_base64, gzipped])
def test_bodies_in_base64_are_opened(packed: Callable[[object], str], tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    records = [{"request_body": packed(request(q)), "response_body": packed(response(a))} for q, a in ASKED]
    path.write_text("\n".join(map(dumped, records)))
    checked(path)


def test_a_text_that_only_begins_like_base64_stays_a_text() -> None:
    signed = "eyJhbGciOiJIUzI1NiJ9.e30.x"
    bomb = base64.b64encode(gzip.compress(b"[" + b" " * 70_000_000)).decode()
    assert (decoded(signed), decoded(bomb), decoded("eyJh")) == (signed, bomb, "eyJh")


def printed(answer: str) -> str:
    message = f"ChatCompletionMessage(content={answer!r}, role='assistant', tool_calls=None)"
    return f"ChatCompletion(id='c', choices=[Choice(finish_reason='stop', index=0, message={message})], created=1, model='m')"


def table(path: Path, *rows: tuple[str, ...]) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path.write_text(text.getvalue())
    return path


@pytest.mark.parametrize("answer", [lambda a: str(response(a)), printed])
def test_cells_that_python_printed_are_read(answer: Callable[[str], str], tmp_path: Path) -> None:
    rows = [(str(n), str(request(q)), answer(a)) for n, (q, a) in enumerate(ASKED)]
    checked(table(tmp_path / "a.csv", ("", "request", "response"), *rows))


def test_what_numpy_prints_of_objects_is_a_list_of_them() -> None:
    text = "[{'role': 'user', 'content': 'a\\n} {'}\n {'role': 'assistant', 'content': 'b', 'score': nan}]"
    assert decoded(text) == [
        {"role": "user", "content": "a\n} {"},
        {"role": "assistant", "content": "b", "score": None},
    ]


@pytest.mark.parametrize("text", ["{'a': open('x')}", "Response(a=x.y)", "Response(text='a'", "I(x=1)", "{'a': b'x'}"])
def test_what_is_no_literal_is_not_computed(text: str) -> None:
    assert decoded(text) in (text, {"a": None})


@pytest.mark.parametrize(
    "answer",
    [
        "content='In the box.' additional_kwargs={} response_metadata={'model': 'm'} id='run-1'",
        "Message(id='m', content=[TextBlock(text='x', kind=<Kind.TEXT: 1>)], role='assistant')",
        "<openai.types.chat.ChatCompletion object at 0x7f3e>",
    ],
)
def test_an_object_that_cannot_be_read_back_is_no_answer(answer: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(dumped({"messages": request("Where?")["messages"], "response": answer}))
    (result,) = read_all([path])[2]
    assert isinstance(result, RejectedRecord)
    assert "model_dump_json" in result.remedy


def test_the_key_of_the_response_is_the_one_that_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    envelopes = [
        {
            "request_head": "{}",
            "request_body": dumped(request(q)),
            "response_head": "{}",
            "response_body": dumped(response(a)),
        }
        for q, a in ASKED
    ]
    path.write_text("\n".join(map(dumped, envelopes)))
    checked(path)
    tables = [
        {
            "logging_time": "2026-01-05 10:00:00.123 UTC",
            "request_payload": [],
            "response_payload": [],
            "full_request": dumped({"contents": [{"role": "user", "parts": [{"text": q}]}], "systemInstruction": {"parts": [{"text": "Be brief."}]}}),
            "full_response": dumped({"candidates": [{"content": {"parts": [{"text": a}]}, "finishReason": "STOP"}]}),
        }
        for q, a in ASKED
    ]  # fmt: skip
    path.write_text("\n".join(map(dumped, tables)))
    assert {case.time for case in checked(path)} == {1767607200.0}


@pytest.mark.parametrize(
    ("key", "is_time"),
    [
        ("logging_time", True),
        ("indexed_time", True),
        ("eventDate", True),
        ("birth_date", False),
        ("delivery date", False),
    ],
)
def test_only_the_time_of_a_record_is_taken_for_its_time(key: str, is_time: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    calls = ({"request": request(question), "response": response(answer)} for question, answer in ASKED)
    path.write_text("".join(dumped(fields | {key: "2026-01-05T10:00:00Z"}) + "\n" for fields in calls))
    assert {case.time for case in checked(path)} == ({1767607200.0} if is_time else {None})
