"""Requests and responses that are logged as events of their own, joined by the id of the call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from curator.readers.record_ids import pair_id
from curator.records import RejectedRecord
from tests.readers.reading_kit import read_all


def asked(question: str) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": question}]}


def told(answer: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer}
    return {"object": "chat.completion", "choices": [{"message": message, "finish_reason": "stop"}]}


def nested(kind: str, id_: str, body: Any) -> dict[str, Any]:
    return {"event": f"llm.{kind}", "request_id": id_, "payload": body}


def flat(kind: str, id_: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "correlation_id": id_, **body}


def written(path: Path, *records: Any) -> Path:
    path.write_bytes(b"\n".join(map(orjson.dumps, records)))
    return path


@pytest.mark.parametrize("event", [nested, flat])
def test_request_and_response_are_joined_by_the_id_of_the_call(event: Any, tmp_path: Path) -> None:
    records = [
        event("request", "1", asked("Where?")),
        event("request", "2", asked("When?")),
        event("response", "2", told("Now.")),
        event("response", "1", told("Here.")),
    ]
    cases, reading, _ = read_all([written(tmp_path / "a.jsonl", *records)])
    assert sorted((case.user, case.target) for case in cases) == [("When?", "Now."), ("Where?", "Here.")]
    assert (reading.account.rejected, sum(reading.account.others.values())) == (0, 2)


def test_an_attempt_that_failed_gives_way_to_the_answer(tmp_path: Path) -> None:
    failed = {"event": "llm.error", "request_id": "1", "error": "Rate limit reached"}
    records = [nested("request", "1", asked("Where?")), failed, nested("response", "1", told("Here."))]
    (case,), _, _ = read_all([written(tmp_path / "a.jsonl", *records)])
    assert (case.target, case.finish_reason) == ("Here.", "stop")
    (case,), _, _ = read_all([written(tmp_path / "b.jsonl", *records[:2])])
    assert (case.target, case.finish_reason) == (None, "error")


def test_a_request_without_its_response_keeps_its_earlier_answers(tmp_path: Path) -> None:
    body = asked("Where?")
    body["messages"] += [{"role": "assistant", "content": "Here."}, {"role": "user", "content": "Where is here?"}]
    cases, _, _ = read_all([written(tmp_path / "a.jsonl", nested("request", "1", body))])
    assert sorted((case.user, case.target) for case in cases if case.further) == [("Where?", "Here.")]


def test_one_event_of_a_stream_is_no_answer(tmp_path: Path) -> None:
    chunk = {"object": "chat.completion.chunk", "choices": [{"delta": {"content": "He"}, "finish_reason": None}]}
    records = [nested("request", "1", asked("Where?")), nested("chunk", "1", chunk)]
    cases, _, results = read_all([written(tmp_path / "a.jsonl", *records)])
    assert [case.target for case in cases] == [None]
    assert any(isinstance(result, RejectedRecord) and "one event" in result.reason for result in results)


TURN = {"id": "c-0", "role": "user", "content": "Where?"}


@pytest.mark.parametrize(
    ("record", "answers", "id_"),
    [
        ({"object": "chat.completion", "id": "c"}, True, "c"),
        ({"object": "chat.completion", "id": "c"}, False, None),
        ({"object": "event", "id": "c"}, True, None),
        ({"object": "list", "data": [TURN]}, False, "c"),
        ({"object": "page", "data": [TURN]}, False, None),
        ({"object": "list", "data": [{"id": "c-0", "role": "user"}]}, False, None),
        ({"object": "list", "data": [{"id": "c-0", "content": "Where?"}]}, False, None),
        ({"object": "list", "data": []}, False, None),
        ({"object": "list", "data": "c-0"}, False, None),
    ],
)
def test_only_records_of_batches_and_stored_completions_have_an_id_of_a_pair(
    record: Any, answers: bool, id_: str | None
) -> None:
    assert pair_id(record, answers=answers) == id_
