"""A purge leaves no byte of a person's cases and answers, and nothing of the others is lost."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

import curator
from curator.cli import main
from curator.config import Config, parse_config
from curator.errors import ConfigError
from curator.records import hashed_id
from curator.stages.redact import Redaction
from curator.state.paths import StatePaths
from curator.state.pseudonyms import read_pseudonyms
from curator.state.refusals import Refusal, Refusals

MARK = "zeppelin quartz marmalade"
"""In every text of the person, and in none of the others."""


def answer_to(body: dict[str, Any]) -> str:
    """An answer that quotes the mark and the record, where the question has them."""
    asked = body["messages"][-1]["content"]
    return (
        f"I cannot help with {asked[asked.index(MARK) : asked.index(MARK) + len(MARK) + 4]}"
        if MARK in asked
        else "delivery"
    )


@pytest.fixture
def done(write_logs: Path, job: dict[str, Any], endpoint: Any, encoder: Any, tmp_path: Path) -> Config:
    """A complete run with labels, in which two of forty records are of the user `u-7`."""
    records = []
    for line in write_logs.read_text().splitlines():
        if not line.endswith("}") or "request" not in line:
            continue
        record = json.loads(line)
        name, theirs = record["id"], record["id"] in ("r3", "r20")
        mail = "zelda@private.example" if theirs else "bob@public.example"
        asked = record["request"]["messages"][1]["content"] + (f" {MARK} {name}" if theirs else "")
        answer = record["response"]["choices"][0]["message"]["content"]
        user = "u-7" if theirs else f"other-{name}"
        records.append({"id": name, "asked": f"{asked} {mail}", "answer": answer, "who": user})
    write_logs.write_text("".join(json.dumps(record) + "\n" for record in records))
    endpoint.answers["test-model"] = answer_to
    job["logs"] |= {"format": "mapped", "mapping": {"input": "asked", "target": "answer", "id": "id", "user": "who"}}
    job |= {"tasks": {}, "redaction": {"personal": ["mail"]}, "out": str(tmp_path / "out")}
    job["labelling"] = {"tools": ["csv", "jsonl"]}
    config = parse_config(job)
    curator.run(config, encoder=encoder)
    queue = tmp_path / "out" / "label_queue.jsonl"
    rows = [json.loads(line) for line in queue.read_text().splitlines()]
    queue.write_text("".join(json.dumps(row | {"verdict": "pass"}) + "\n" for row in rows))
    curator.run(config, encoder=encoder)
    return config


def holding(folder: Path, *needles: str) -> list[str]:
    """The files that hold one of the texts in any place, unused pages of databases included."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "logs.jsonl"]
    return [path.name for path in files if any(needle.encode() in unpacked(path) for needle in needles)]


def unpacked(path: Path) -> bytes:
    """The bytes of a file, those in a workbook unpacked."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as book:
        return b"".join(map(book.read, book.namelist()))


def test_no_byte_of_the_person_stays_and_the_others_do(done: Config, tmp_path: Path) -> None:
    theirs = Redaction(done, StatePaths.of(done)).hashed_id("u-7")
    assert "cases.jsonl" in holding(tmp_path, theirs)
    assert not holding(tmp_path, hashed_id("u-7"))  # who guesses an id could confirm it
    pseudonym = {v: k for k, v in read_pseudonyms(tmp_path / "pseudonyms.sqlite").items()}["zelda@private.example"]
    assert len(holding(tmp_path, MARK)) >= 5
    plan = curator.purge(done, users=["u-7"], dry_run=True)
    assert len(holding(tmp_path, MARK)) >= 5
    result = curator.purge(done, users=["u-7"])
    assert (result.cases, result.removed) == (plan.cases, plan.removed)
    assert len(result.cases) == 2
    assert not holding(tmp_path, MARK, pseudonym, "zelda@private", theirs, *result.cases)
    assert any("logs.jsonl" in sentence for sentence in result.left)
    for name in ("cases.jsonl", "recorded.jsonl"):
        assert (tmp_path / "out" / name).read_text().count("\n") > 10
    assert "bob@public.example" in read_pseudonyms(tmp_path / "pseudonyms.sqlite").values()
    assert b"delivery" in (tmp_path / "store.sqlite").read_bytes()
    archive = [json.loads(line) for line in (tmp_path / "out" / "labels" / "0001.jsonl").read_text().splitlines()]
    assert len(archive) >= 8


def test_a_hash_of_an_earlier_version_or_of_a_row_names_the_person_too(done: Config, tmp_path: Path) -> None:
    theirs = Redaction(done, StatePaths.of(done)).hashed_id("u-7")
    (tmp_path / "logs.jsonl").unlink()
    assert len(curator.purge(done, users=[theirs], dry_run=True).cases) == 2
    for path in (tmp_path / "out").rglob("cases.jsonl"):
        path.write_text(path.read_text().replace(theirs, hashed_id("u-7")))
    assert len(curator.purge(done, users=["u-7"], dry_run=True).cases) == 2


def test_refusals_that_may_quote_the_person_are_forgotten(done: Config, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    with Refusals(store) as refusals:
        refusals.add("ab" * 32, Refusal("test-model", "the prompt 'violet saxophone' is refused"))
        refusals.add("cd" * 32, Refusal("another-model", "violet saxophone"))
    curator.purge(done, users=["nobody-1"])
    curator.purge(done, users=["u-7"], dry_run=True)
    assert holding(tmp_path, "violet saxophone") == ["store.sqlite"]
    result = curator.purge(done, users=["u-7"])
    assert any("2 refusals" in what for place, what in result.removed if place == str(store))
    assert not holding(tmp_path, "violet saxophone")


def test_categories_of_another_config_that_quote_the_person_go_and_others_stay(done: Config, tmp_path: Path) -> None:
    quoting, other = tmp_path / "categories.nightly.json", tmp_path / "categories.weekly.json"
    row = next(row for row in (tmp_path / "out" / "recorded.jsonl").read_text().splitlines() if MARK in row)
    asked = json.loads(row)["input"][-1]["content"]
    quoting.write_text(json.dumps({"sentence": asked}))
    other.write_text(json.dumps({"sentence": "Orders that are late"}))
    result = curator.purge(done, users=["u-7"])
    assert str(quoting) in dict(result.removed)
    assert not quoting.exists()
    assert other.exists()


def test_a_case_goes_by_the_id_of_its_record_without_the_logs(
    done: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs.jsonl").unlink()
    (tmp_path / "curator.yaml").write_text(json.dumps(done.model_dump(mode="json", exclude_unset=True)))
    assert main(["purge", str(tmp_path / "curator.yaml"), "--id", "r3"]) == 0
    printed = capsys.readouterr().out
    assert "1 case found" in printed
    assert "store.sqlite" in printed
    assert not holding(tmp_path, f"{MARK} r3")
    assert holding(tmp_path, f"{MARK} r20")


def test_a_run_after_the_purge_buys_only_what_is_still_in_the_logs(done: Config, encoder: Any, tmp_path: Path) -> None:
    curator.purge(done, users=["u-7"])
    logs = tmp_path / "logs.jsonl"
    logs.write_text("".join(line + "\n" for line in logs.read_text().splitlines() if MARK not in line))
    result = curator.run(done, encoder=encoder)
    assert result.sent == 0
    assert not holding(tmp_path, MARK)


def test_an_unknown_person_removes_nothing(done: Config, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.jsonl")}
    result = curator.purge(done, users=["nobody-1"], ids=["r999"])
    assert (result.cases, result.removed) == ((), ())
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.jsonl")}


def test_a_purge_of_nobody_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing says whose"):
        curator.purge(parse_config({"committee": {"models": [{"name": "m", "provider": "local"}]}}))
