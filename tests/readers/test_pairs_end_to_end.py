"""Logs of gateways, as files, to cases: system prompts beside messages, streams, error pages, inference tables."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from curator.records import Case
from tests.readers.reading_kit import read_all

SYSTEM = "Reply in Spanish."


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def cases(path: Path, **options: Any) -> dict[str, Case]:
    found, _, _ = read_all([path], **options)
    return {case.log_id or "": case for case in found}


def ask(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


def test_a_system_prompt_beside_the_messages_is_asked(tmp_path: Path) -> None:
    answer = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hola."}]}
    rows: list[dict[str, Any]] = [
        {"id": "text", "request": ask("Hi", system=SYSTEM), "response": {**answer, "stop_reason": "end_turn"}},
        {
            "id": "blocks",
            "request": ask("Hello", system=[{"type": "text", "text": SYSTEM}]),
            "response": {**answer, "stop_reason": "max_tokens"},
        },
        {
            "id": "flat",
            "model": "m",
            "instructions": SYSTEM,
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "Who?"}]}],
            "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yo."}]}],
        },
        {
            "id": "gemini",
            "request": {
                "systemInstruction": {"parts": [{"text": SYSTEM}]},
                "contents": [{"role": "user", "parts": [{"text": "Ok?"}]}],
            },
            "response": {"candidates": [{"content": {"parts": [{"text": "Vale."}]}, "finishReason": "STOP"}]},
        },
    ]
    read = cases(write(tmp_path / "log.jsonl", rows))
    assert {case.system for case in read.values()} == {SYSTEM}
    assert [case.target for case in read.values()] == ["Hola.", "Hola.", "Yo.", "Vale."]
    assert [case.truncated for case in read.values()] == [False, True, False, False]


def test_streams_are_answers_and_failures_are_none(tmp_path: Path) -> None:
    chunk = {"id": "s", "choices": [{"index": 0, "delta": {"content": "Bon"}}]}
    last = {"id": "s", "choices": [{"index": 0, "delta": {"content": "n"}, "finish_reason": "stop"}]}
    stream = f"data: {json.dumps(chunk)}\n\ndata: {json.dumps(last)}\n\ndata: [DONE]\n\n"
    rows = [
        {"id": "stream", "status_code": 200, "request": ask("Capital?"), "response": stream},
        {"id": "cut", "status_code": 200, "request": ask("And?"), "response": f"data: {json.dumps(chunk)}\n\n"},
        {"id": "503", "status_code": 503, "request": ask("One?"), "response": "no healthy upstream"},
        {
            "id": "page",
            "request": ask("Two?"),
            "response": "<html><head><title>504 Gateway Time-out</title></head></html>",
        },
        {
            "id": "429",
            "request": ask("Three?"),
            "response": '{"error": {"message": "slow down", "code": "rate_limit"}}',
        },
        {"id": "json", "request": ask("As JSON?"), "response": '{"error_rate": 0.2, "status": "ok"}'},
    ]
    read = cases(write(tmp_path / "log.jsonl", rows))
    assert {id_: (case.target, case.finish_reason) for id_, case in read.items()} == {
        "stream": ("Bonn", "stop"),
        "cut": ("Bon", "length"),
        "503": (None, "error"),
        "page": (None, "error"),
        "429": (None, "error"),
        "json": ('{"error_rate": 0.2, "status": "ok"}', None),
    }


def test_an_inference_table_is_read_as_jsonl_and_as_csv(tmp_path: Path) -> None:
    def row(id_: str, request: Any, response: Any, status: int = 200) -> dict[str, Any]:
        texts = [value if isinstance(value, str) else json.dumps(value) for value in (request, response)]
        time = "2026-11-20T10:00:00Z"
        return {
            "databricks_request_id": id_, "request_time": time, "status_code": status, "request": texts[0],
            "response": texts[1], "execution_duration_ms": 1500, "served_entity_id": "e",
        }  # fmt: skip

    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Two."}]}
    steps = [
        {"type": "function_call", "call_id": "c", "name": "count", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "2"},
    ]
    asked = {"input": [{"role": "system", "content": "Count."}, {"role": "user", "content": "How many?"}]}
    events = [
        {"type": "response.output_text.delta", "delta": "Tw"},
        {"type": "response.output_item.done", "item": message},
    ]
    rows = [
        row("agent", asked, {"object": "response", "output": [*steps, message], "databricks_output": {"trace": {}}}),
        row("stream", asked, "\n".join(map(json.dumps, events))),
        row(
            "messages",
            ask("Soup?"),
            {"messages": [{"role": "assistant", "content": "Borscht"}], "databricks_output": {}},
        ),
        row("failed", asked, {"error_code": "BAD_REQUEST", "message": "no"}, 400),
        row("limit", ask("Salad?"), "Exceeded request limit, retry later", 429),
    ]
    with (tmp_path / "log.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    for path in (write(tmp_path / "log.jsonl", rows), tmp_path / "log.csv"):
        read = cases(path)
        assert {id_: case.target for id_, case in read.items()} == {
            "agent": "Two.", "stream": "Two.", "messages": "Borscht", "failed": None, "limit": None,
        }  # fmt: skip
        assert (read["agent"].system, read["agent"].user, read["agent"].latency_s) == ("Count.", "How many?", 1.5)
        assert read["failed"].failed_call
        assert read["limit"].failed_call
