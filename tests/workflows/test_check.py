from __future__ import annotations

from pathlib import Path

import orjson
import pytest

import curator
from curator.config import LogsConfig
from curator.errors import ExitCode, LogsError
from curator.records import JsonValue

KEY = "sk-proj-" + "a1B2c3D4e5F6g7H8i9J0" * 2


def write(path: Path, *rows: dict[str, JsonValue]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def pair(question: str, answer: str, **more: JsonValue) -> dict[str, JsonValue]:
    body: dict[str, JsonValue] = {"model": "gpt-x", "messages": [{"role": "user", "content": question}]}
    reply: dict[str, JsonValue] = {"role": "assistant", "content": answer}
    return {"request": body, "response": {"choices": [{"finish_reason": "stop", "message": reply}]}, **more}


def test_a_check_accounts_for_every_record_and_names_unused_keys(tmp_path: Path) -> None:
    failed = {**pair("Why?", ""), "response": {"error": {"code": "rate_limit_exceeded"}}, "status_code": 429}
    log = write(tmp_path / "a.jsonl", pair("Where?", "Here.", rating=5, remarks_of_qa="wrong"), failed, {"nothing": 1})
    result = curator.check(log)
    assert (result.account.records, result.account.cases, result.account.rejected) == (3, 2, 1)
    assert result.account.failed_calls == 1
    assert result.counts["answers"] == 1
    assert "remarks_of_qa" in result.account.unused
    assert any("rating" in warning for warning in result.warnings)
    text = result.to_text()
    assert "1 file read as chat (jsonl, utf-8)" in text
    assert "3 records: 2 cases, 1 set aside" in text
    assert "remarks_of_qa (1)" in text
    assert "models: gpt-x (2)" in text
    assert "user: Where?" in text
    assert "-> Here." in text
    assert result.to_dict()["unused_keys"]
    assert result.exit_code is ExitCode.UNREADABLE


def test_a_check_shows_no_secret(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", pair(f"My key is {KEY}, why is it refused?", f"{KEY} has expired."))
    result = curator.check(log)
    assert KEY not in result.to_text()
    assert KEY not in str(result.to_dict())
    assert result.exit_code is ExitCode.DONE


def test_a_check_counts_conversations_and_takes_a_mapping(tmp_path: Path) -> None:
    turns = [{"role": role, "content": text} for role, text in zip(("user", "assistant") * 2, "abcd", strict=True)]
    result = curator.check(write(tmp_path / "a.jsonl", {"messages": turns}))
    assert (result.account.records, result.account.cases, result.account.further) == (1, 2, 1)
    assert "(1 of the cases are earlier turns of conversations)" in result.to_text()
    mapped = curator.check(
        write(tmp_path / "b.jsonl", {"q": "Where?", "a": "Here."}),
        config=LogsConfig(mapping={"input": "q", "target": "a"}),  # type: ignore[arg-type]
    )
    assert mapped.first[0].target == "Here."


def test_a_check_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogsError):
        curator.check(tmp_path / "gone.jsonl")
