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


def test_a_check_names_costs_unanswered_cases_and_documents_that_are_not_asked(tmp_path: Path) -> None:
    documents: JsonValue = [{"text": "Parcels are kept for seven days."}]
    quoted = pair("Use this: Parcels are kept for seven days. How long?", "7 days.", documents=documents, cost=0.25)
    beside = pair("How long?", "7 days.", documents=documents, cost=0.5, prompt_tokens="17", marks_of_qa="12.5 good")
    result = curator.check(
        write(tmp_path / "a.jsonl", quoted, beside, {"messages": [{"role": "user", "content": "And now?"}]})
    )
    text = result.to_text()
    assert "2 with an answer, 0 failed calls, 1 without an answer" in text
    assert "the prompt quotes none of the documents in 1 case: the committee would be asked without them" in text
    assert "cost in the logs: $0.75 in 2 calls" in text
    assert set(result.account.unused) == {"marks_of_qa"}
    assert result.to_dict()["cost_usd"] == 0.75


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


def test_a_check_detects_the_kind_of_answers_of_each_task(tmp_path: Path) -> None:
    labels = ("Refund", "refund", "delivery")
    rows = [pair(f"What is topic {n} about, sir?", labels[n % 3], metadata={"task": "route"}) for n in range(60)]
    rows += [pair(f"What is {n} + {n}?", str(2 * n), metadata={"task": "sums"}) for n in range(20)]
    result = curator.check(write(tmp_path / "a.jsonl", *rows))
    assert result.answers["route"].kind == "label"
    assert dict(result.answers["route"].labels) == {"Refund": 40, "delivery": 20}
    assert result.answers["sums"].kind == "number"
    assert "kinds of answers: route: label (Refund, delivery); sums: number" in result.to_text()


def test_a_check_of_an_unknown_format_names_the_mapping_that_fits_and_was_tried(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", *({"subject": f"Where {n}?", "agent_text": f"There {n}."} for n in range(6)))
    result = curator.check(log)
    text = result.to_text()
    assert "1 file of no known format (jsonl, utf-8)" in text
    assert "6 records (first at" in text
    assert "what would help: `logs: {mapping: {input: subject, target: agent_text}}` gives 6 cases of" in text
    assert result.trial
    assert curator.check(log, config=LogsConfig.model_validate({"mapping": result.trial.fields})).account.cases == 6


def test_a_check_suggests_no_mapping_that_reads_nothing(tmp_path: Path) -> None:
    result = curator.check(write(tmp_path / "a.jsonl", *({"level": "info", "n": n} for n in range(6))))
    assert result.trial is None
    assert "what would help" not in result.to_text()


def test_a_check_shows_the_commonest_reasons_first_with_their_counts(tmp_path: Path) -> None:
    no_user = {"messages": [{"role": "system", "content": "Be brief."}]}
    log = write(tmp_path / "a.jsonl", *(pair(f"Where {n}?", "Here.") for n in range(9)), *([no_user] * 3))
    with log.open("a") as file:
        file.write('{"messages": [\n')
    text = curator.check(log).to_text()
    assert text.index("3 records (first at") < text.index("no user message") < text.index("1 record (at")
    assert "-> log the whole request, with at least one message of role `user`" in text


def test_a_check_shows_no_secret_in_names_of_keys_tasks_and_models(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", {**pair("Where?", "Here."), f"note for {KEY}": "x", "metadata": {"task": KEY}})
    result = curator.check(log)
    assert result.account.unused
    assert KEY not in result.to_text()
    assert KEY not in str(result.to_dict())


def test_a_check_names_skipped_files_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path / "logs.jsonl", pair("Where?", "Here."))
    (tmp_path / "README.md").write_text("Logs of May.")
    (skipped,) = curator.check(tmp_path).account.skipped
    assert f"1 file skipped: {skipped.file} ({skipped.reason})" in curator.check(tmp_path).to_text()
