"""Helpers of the tests of spans: OTLP JSON from plain attributes, and the reading of lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from curator.readers.read import LogReading
from curator.records import Case, OtherRecord, RejectedRecord
from tests.readers.reading_kit import read_all

NANO = 10**9
START = 1_770_000_000


def any_value(value: Any) -> dict[str, Any]:
    """A value as OTLP JSON has it."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": pairs(value)}}
    return {"stringValue": value}


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def span(
    id_: int,
    attributes: dict[str, Any],
    *,
    parent: int | None = None,
    trace: int = 1,
    name: str = "span",
    at: float = 0.0,
    seconds: float = 1.0,
    events: list[tuple[str, dict[str, Any]]] | None = None,
    failed: bool = False,
) -> dict[str, Any]:
    """A span of OTLP JSON that begins `at` seconds after the start of the test."""
    begin = round((START + at) * NANO)
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{id_:016x}",
        "parentSpanId": "" if parent is None else f"{parent:016x}",
        "name": name,
        "startTimeUnixNano": str(begin),
        "endTimeUnixNano": str(begin + round(seconds * NANO)),
        "attributes": pairs(attributes),
        "events": [{"name": event, "attributes": pairs(values)} for event, values in events or []],
        "status": {"code": 2} if failed else {},
    }


def log(
    name: str, body: Any, *, id_: int | None = None, trace: int = 1, at: float = 0.0, **attributes: Any
) -> dict[str, Any]:
    """A log record of OTLP JSON."""
    return {
        "timeUnixNano": str(round((START + at) * NANO)),
        "severityNumber": 9,
        "eventName": name,
        "body": any_value(body),
        "attributes": pairs(attributes),
        "traceId": f"{trace:032x}",
        "spanId": "" if id_ is None else f"{id_:016x}",
    }


def batch(*spans: dict[str, Any]) -> dict[str, Any]:
    resource = {"attributes": pairs({"service.name": "shop"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "t"}, "spans": list(spans)}]}]}


def logs(*records: dict[str, Any]) -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}


def read_lines(
    folder: Path, *lines: Any, **options: Any
) -> tuple[list[Case], list[RejectedRecord], dict[str, int], LogReading]:
    """The cases, the rejected records and the counts of the others of JSON lines in one file."""
    file = folder / "log.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    cases, reading, results = read_all([file], **options)
    others: dict[str, int] = {}
    for result in results:
        if isinstance(result, OtherRecord):
            others[result.what] = others.get(result.what, 0) + 1
    return cases, [result for result in results if isinstance(result, RejectedRecord)], others, reading


def messages(case: Case) -> list[tuple[str, str]]:
    """The roles and texts of the question."""
    return [(message.role, message.content) for message in case.messages]
