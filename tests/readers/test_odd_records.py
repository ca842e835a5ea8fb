"""Records that the mutations of `benchmarks/ingest/mutations.py` showed to be read wrongly, each with its kind of fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from curator.records import OtherRecord, RejectedRecord, Source
from tests.readers.reading_kit import read_all


def span(number: int, **more: Any) -> dict[str, Any]:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.prompt": f"Where is {number}?", "gen_ai.completion": "Here."}
    return {"traceId": f"t{number}", "spanId": f"s{number}", "name": "chat", "attributes": attributes, **more}


def written(path: Path, *records: Any) -> list[Path]:
    path.write_bytes(b"\n".join(map(orjson.dumps, records)))
    return [path]


def test_damaged_elements_of_a_list_on_one_line_have_places_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        '[{"messages": [], "x": "\\ud800"}, {"prompt": "a", "completion": "b"}, {"messages": [], "x": "\\ud800"}]'
    )
    _, _, results = read_all([path])
    assert [result.source for result in results] == [Source(str(path), 1, part) for part in (1, 2, 3)]


def test_spans_of_several_batches_on_one_line_have_places_of_their_own(tmp_path: Path) -> None:
    traces = [{"traceId": f"t{n}", "spans": [span(2 * n), span(2 * n + 1)]} for n in range(2)]
    _, _, results = read_all(written(tmp_path / "a.json", traces), format="otlp")
    assert sorted(str(result.source).rpartition(", ")[2] for result in results) == [
        "part 1.1", "part 1.2", "part 2.1", "part 2.2",
    ]  # fmt: skip


@pytest.mark.parametrize("format_", ["otlp", "phoenix", "langsmith"])
def test_a_record_that_holds_nothing_is_counted(format_: str, tmp_path: Path) -> None:
    empty = {"post": [], "patch": []} if format_ == "langsmith" else {"traceId": "t", "spans": []}
    _, reading, results = read_all(written(tmp_path / "a.jsonl", empty, empty), format=format_)
    assert reading.account.records == len(results) == 2
    assert all(isinstance(result, OtherRecord | RejectedRecord) for result in results)


def test_a_number_too_large_for_what_it_counts_is_not_used(tmp_path: Path) -> None:
    odd = '{"max_tokens": 1e308, "messages": [{"role": "user", "content": "Where?"}]}'
    record = span(
        1, startTimeUnixNano=1e308, attributes={"llm.cost.total": "1e999", "span.type": "llm", "request_data": odd}
    )
    (case,), _, _ = read_all(written(tmp_path / "a.jsonl", record), format="otlp")
    assert (case.user, case.options, case.time, case.cost_usd) == ("Where?", {}, None, None)
    orjson.dumps(case)


@pytest.mark.parametrize("kind", [["a"], {"a": 1}])
def test_no_value_of_a_type_stops_the_recognition_of_a_format(
    kind: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record = {"type": kind, "payload": {"type": kind}, "prompt": "a", "completion": "b"}
    cases, _, _ = read_all(written(tmp_path / "a.jsonl", record))
    assert [case.target for case in cases] == ["b"]
    assert "cannot look at a record" not in caplog.text


ITEM = {"type": "response_item", "payload": {"type": "message", "role": "user", "content": "Where?"}}
REPLY = {"type": "response_item", "payload": {"type": "message", "role": "assistant", "content": "Here."}}


@pytest.mark.parametrize(
    ("format_", "records"),
    [
        ("otlp", [span(1)]),
        (
            "langsmith",
            [{"id": "r", "run_type": "chain", "inputs": {"input": "Where?"}, "outputs": {"output": "Here."}}],
        ),
        ("langfuse", [{"id": "o", "trace_id": "t", "type": "SPAN", "input": "Where?", "output": "Here."}]),
        ("transcripts", [ITEM, REPLY]),
        ("weave", [{"op_name": "weave:///a/op/llm.invoke:1", "id": "c", "inputs": {"q": "Where?"}, "output": "Here."}]),
    ],
)
def test_a_key_of_the_record_that_bears_content_is_named(
    format_: str, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    cases, reading, _ = read_all(written(tmp_path / "a.jsonl", *records), format=format_)
    assert len(cases) == 1
    plain = set(reading.account.unused)
    records = [*records[:-1], {**records[-1], "my_instructions": "in rhymes"}]
    _, reading, _ = read_all(written(tmp_path / "a.jsonl", *records), format=format_)
    assert reading.account.unused.keys() - plain == {"my_instructions"}
