"""Runs over logs in which production answered one question differently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curator.config import parse_config
from curator.workflows.plan import plan
from curator.workflows.run import run

QUESTIONS = (
    "my card was charged twice",
    "the parcel is late",
    "how do I send it back",
    "I forgot my password",
    "which size",
)


def write(path: Path, records: list[tuple[str, str]]) -> None:
    path.write_text(
        "".join(json.dumps({"input": text, "output": answer, "task": "route"}) + "\n" for text, answer in records)
    )


@pytest.fixture
def repeated(tmp_path: Path) -> list[tuple[str, str]]:
    """A question that was answered 60 times, 12 times of them wrong, and five that were answered once."""
    records = [("is my card blocked?", "login" if n % 5 == 0 else "billing") for n in range(60)]
    records += [(text, "returns") for text in QUESTIONS]
    write(tmp_path / "logs.jsonl", records)
    return records


def test_a_failure_rate_over_records_holds_where_one_question_was_answered_differently(
    job: dict[str, Any], endpoint: Any, encoder: Any, repeated: list[tuple[str, str]], tmp_path: Path
) -> None:
    config = parse_config(job | {"selection": {"k": 7, "random_share": 1.0}})
    first = run(config, out=tmp_path / "out", encoder=encoder, environ={})
    assert first.summary.counts.kept == 7
    assert first.sent == len(endpoint.bodies) == 6 * 4  # the question with two answers is asked once
    assert first.summary.counts.intake.contradicted == 1
    assert "24 answers of 2 members to 6 questions of 7 cases" in first.to_text()
    assert first.summary.committee.generations == 24
    assert "production gave different answers to 1 question" in first.to_text()
    queue = [json.loads(line) for line in (tmp_path / "out" / "label_queue.jsonl").read_text().splitlines()]
    labels = tmp_path / "labels.jsonl"
    verdicts = [{"case_id": r["case_id"], "verdict": "fail" if r["target"] == "login" else "pass"} for r in queue]
    labels.write_text("".join(json.dumps(verdict) + "\n" for verdict in verdicts))
    rate = run(config, out=tmp_path / "out", encoder=encoder, environ={}, labels=[str(labels)]).summary.failure_rate
    assert rate is not None
    assert rate.rate == pytest.approx(12 / len(repeated), abs=1e-6)


def test_every_answer_is_scored_against_the_same_committee(
    job: dict[str, Any], endpoint: Any, encoder: Any, repeated: list[tuple[str, str]], tmp_path: Path
) -> None:
    endpoint.answer = lambda: "billing"
    run(parse_config(job), out=tmp_path / "out", encoder=encoder, environ={})
    cases = [json.loads(line) for line in (tmp_path / "out" / "cases.jsonl").read_text().splitlines()]
    same = [row for row in cases if row["weight"] > 1]
    assert [(row["weight"], row["against_target"]) for row in same] == [(12, 1.0), (48, 0.0)]
    assert same[1]["question"] == same[0]["id"]
    assert [(a["text"], a["records"]) for a in same[0]["answers"]] == [("login", 12), ("billing", 48)]


def test_a_plan_and_a_sample_count_a_question_once(
    job: dict[str, Any], repeated: list[tuple[str, str]], tmp_path: Path
) -> None:
    assert plan(parse_config(job)).estimate.calls == 6 * 4
    sampled = job | {"logs": job["logs"] | {"sample": 3}}
    assert plan(parse_config(sampled)).estimate.calls == 3 * 4


def test_an_adaptive_committee_knows_every_answer(
    job: dict[str, Any], endpoint: Any, encoder: Any, repeated: list[tuple[str, str]], tmp_path: Path
) -> None:
    job["committee"]["adaptive"] = {}
    result = run(parse_config(job), out=tmp_path / "out", encoder=encoder, environ={})
    assert result.sent <= 6 * 4
    assert result.summary.counts.kept == 7
