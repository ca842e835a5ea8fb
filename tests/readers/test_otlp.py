"""The containers of OTLP JSON, and spans as SDKs print them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.readers.span_kit import batch, log, logs, read_lines, span

CALL = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": "Where?", "gen_ai.output.messages": "Here."}


def snake(value: Any) -> Any:
    """The keys of OTLP in snake case, as some writers have them."""
    if isinstance(value, dict):
        return {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): snake(item) for key, item in value.items()}
    return [snake(item) for item in value] if isinstance(value, list) else value


def base64_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: base64.b64encode(bytes.fromhex(item)).decode() if key in ("traceId", "spanId", "parentSpanId") else base64_ids(item)
            for key, item in value.items()
        }  # fmt: skip
    return [base64_ids(item) for item in value] if isinstance(value, list) else value


ROOT = span(1, {"openinference.span.kind": "CHAIN", "session.id": "s"})
BATCH = batch(ROOT, span(2, CALL, parent=1))


@pytest.mark.parametrize(
    "lines",
    [
        [BATCH],
        [snake(BATCH)],
        [base64_ids(BATCH)],
        [base64_ids(batch(ROOT)), batch(span(2, CALL, parent=1))],
        [ROOT, span(2, CALL, parent=1)],
        [{"resource": {"attributes": {}}, **snake(ROOT)}, snake(span(2, CALL, parent=1))],
        [{"batches": [{"scopeSpans": [{"spans": [ROOT, span(2, CALL, parent=1)]}]}]}],
        [{"resourceSpans": [{"instrumentationLibrarySpans": [{"spans": [ROOT, span(2, CALL, parent=1)]}]}]}],
    ],
    ids=["batch", "snake case", "base64", "mixed ids", "bare", "bare snake case", "tempo", "old"],
)
def test_a_batch_in_every_encoding(tmp_path: Path, lines: list[Any]) -> None:
    (case,), rejected, others, reading = read_lines(tmp_path, *lines)
    assert not rejected
    assert (case.user, case.target, case.time, case.latency_s) == ("Where?", "Here.", 1_770_000_000, 1.0)
    assert case.session, "the parent was not found"
    assert others == {"chain spans": 1}
    assert [file.reader for file in reading.account.files.values()] == ["otlp"]


PYTHON = {
    "name": "chat m", "context": {"trace_id": f"0x{1:032x}", "span_id": f"0x{2:016x}", "trace_state": "[]"}, "kind": "SpanKind.CLIENT",
    "parent_id": f"0x{1:016x}", "start_time": "2026-02-02T02:40:00.000000Z", "end_time": "2026-02-02T02:40:01.000000Z",
    "status": {"status_code": "ERROR"}, "attributes": CALL, "events": [], "links": [], "resource": {"attributes": {"service.name": "shop"}, "schema_url": ""},
}  # fmt: skip
JAVASCRIPT = {
    "resource": {"attributes": {"service.name": "shop"}}, "traceId": f"{1:032x}", "parentSpanContext": {"traceId": f"{1:032x}", "spanId": f"{1:016x}"},
    "name": "chat m", "id": f"{2:016x}", "kind": 2, "timestamp": 1_770_000_000_000_000, "duration": 1_000_000, "attributes": CALL, "status": {"code": 2}, "events": [], "links": [],
}  # fmt: skip
MEMORY = {
    "name": "chat m", "spanContext": {"traceId": f"{1:032x}", "spanId": f"{2:016x}"}, "parentSpanId": f"{1:016x}", "attributes": CALL | {"service.name": "shop"},
    "status": {"code": 2}, "startTime": [1_770_000_000, 0], "endTime": [1_770_000_001, 0], "events": [],
}  # fmt: skip


@pytest.mark.parametrize("line", [PYTHON, JAVASCRIPT, MEMORY], ids=["python", "javascript", "in memory"])
def test_spans_as_sdks_print_them(tmp_path: Path, line: dict[str, Any]) -> None:
    (case,), *_ = read_lines(tmp_path, ROOT, line)
    assert (case.target, case.time, case.latency_s, case.metadata["service"]) == ("Here.", 1_770_000_000, 1.0, "shop")
    assert case.session, "the parent was not found"
    (failed,), *_ = read_lines(tmp_path, {**line, "attributes": {**CALL, "gen_ai.output.messages": ""}})
    assert failed.failed_call


def test_a_damaged_span_costs_no_other_and_metrics_are_counted(tmp_path: Path) -> None:
    damaged = {**span(3, {}), "traceId": 5, "spanId": None}
    cases, (rejected,), others, _ = read_lines(
        tmp_path, batch(damaged, span(1, CALL)), {"resourceMetrics": [{"scopeMetrics": []}]}
    )
    assert len(cases) == 1
    assert "without ids" in rejected.reason
    assert others == {"batches of metrics or without a span": 1}


TRACE, SPAN, PARENT = f"{1:032x}", f"{2:016x}", f"{1:016x}"
MICROS = 1_770_000_000_000_000
JAEGER = {"traceID": TRACE, "processes": {}, "spans": [
    {"traceID": TRACE, "spanID": PARENT, "operationName": "agent", "references": [], "startTime": MICROS, "duration": 2_000_000,
     "tags": [{"key": "session.id", "type": "string", "value": "s"}], "logs": []},
    {"traceID": TRACE, "spanID": SPAN, "operationName": "chat", "references": [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": PARENT}],
     "startTime": MICROS, "duration": 1_000_000, "tags": [{"key": key, "type": "string", "value": value} for key, value in CALL.items()], "logs": []},
]}  # fmt: skip
CLICKHOUSE = [
    {"Timestamp": "2026-02-02 02:40:00.000000000", "TraceId": TRACE, "SpanId": PARENT, "ParentSpanId": "", "SpanName": "agent", "Duration": 2_000_000_000,
     "ResourceAttributes": {"service.name": "shop"}, "SpanAttributes": {"session.id": "s"}, "StatusCode": "Unset"},
    {"Timestamp": "2026-02-02 02:40:00.000000000", "TraceId": TRACE, "SpanId": SPAN, "ParentSpanId": PARENT, "SpanName": "chat", "Duration": 1_000_000_000,
     "ResourceAttributes": {"service.name": "shop"}, "SpanAttributes": CALL, "StatusCode": "Unset"},
]  # fmt: skip
LOGFIRE = [
    {"trace_id": TRACE, "span_id": id_, "parent_span_id": parent, "span_name": "x", "start_timestamp": "2026-02-02T02:40:00Z", "end_timestamp": "2026-02-02T02:40:01Z",
     "attributes": json.dumps(attributes), "otel_events": "[]", "otel_status_code": None, "is_exception": False}
    for id_, parent, attributes in ((PARENT, None, {"session.id": "s"}), (SPAN, PARENT, CALL))
]  # fmt: skip
AGENTS = [
    {"object": "trace.span", "id": "span_1", "trace_id": "trace_1", "parent_id": None, "started_at": "2026-02-02T02:40:00Z", "ended_at": "2026-02-02T02:40:01Z",
     "span_data": {"type": "agent", "name": "helper", "session.id": "s"}, "error": None},
    {"object": "trace.span", "id": "span_2", "trace_id": "trace_1", "parent_id": "span_1", "started_at": "2026-02-02T02:40:00Z", "ended_at": "2026-02-02T02:40:01Z",
     "span_data": {"type": "generation", "input": [{"role": "user", "content": "Where?"}], "output": [{"role": "assistant", "content": "Here."}], "model": "m"}, "error": None},
]  # fmt: skip


@pytest.mark.parametrize(
    "lines", [[JAEGER], CLICKHOUSE, LOGFIRE, AGENTS], ids=["jaeger", "clickhouse", "logfire", "agents"]
)
def test_the_rows_of_other_stores(tmp_path: Path, lines: list[Any]) -> None:
    (case,), rejected, others, _ = read_lines(tmp_path, *lines)
    assert not rejected
    assert (case.user, case.target, case.time, case.latency_s) == ("Where?", "Here.", 1_770_000_000, 1.0)
    assert case.session, "the parent was not found"
    assert sum(others.values()) == 1


def test_a_span_without_ids_is_read_alone(tmp_path: Path) -> None:
    (case,), *_ = read_lines(tmp_path, batch({**span(1, CALL), "traceId": None, "spanId": None}))
    assert case.target == "Here."


def test_other_log_records_are_counted(tmp_path: Path) -> None:
    cases, rejected, others, _ = read_lines(
        tmp_path, logs(log("started", "up and running"), log("gen_ai.user.message", {"content": "a?"}, id_=1))
    )
    assert others == {"other log records": 1}
    assert not rejected
    assert [case.target for case in cases] == [None]


def test_a_structured_value_keeps_its_types(tmp_path: Path) -> None:
    asked = [{"role": "user", "parts": [{"type": "text", "content": "7?"}]}]
    called = [
        {
            "role": "assistant",
            "parts": [
                {"type": "tool_call", "id": "c", "name": "f", "arguments": {"n": 7, "x": 0.5, "on": True, "of": ["a"]}}
            ],
        }
    ]
    (case,), *_ = read_lines(
        tmp_path, batch(span(1, CALL | {"gen_ai.input.messages": asked, "gen_ai.output.messages": called}))
    )
    assert json.loads(case.target or "")["tool_calls"][0]["arguments"] == {"n": 7, "x": 0.5, "on": True, "of": ["a"]}
