"""Labels of near-duplicates that were merged: the kept case has what people wrote for either."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curator.config import parse_config
from curator.progress import Silent
from curator.records import Reference, Verdict
from curator.stages.ingest import IngestResult, ingest

Rows = list[dict[str, str]]
INPUT = "I sent the blue jacket back three weeks ago and the money has not arrived on my account"


def put(path: Path, rows: Rows) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture
def ingest_with(job: dict[str, Any], tmp_path: Path) -> Any:
    """Ingest two records of which one is merged; in the rows of archived queues `kept` and `merged` stand for their ids."""
    put(tmp_path / "logs.jsonl", [{"input": f"{INPUT}{end}", "output": "delivery"} for end in (".", "!")])
    config = parse_config(job)
    (record,) = ingest(config, (), (), Silent(), None).merged
    ids = {"kept": record.into, "merged": record.id}

    def with_queues(*queues: Rows) -> IngestResult:
        (tmp_path / "labels").mkdir()
        for number, rows in enumerate(queues, 1):
            put(tmp_path / "labels" / f"{number:04d}.jsonl", [{**row, "case_id": ids[row["case_id"]]} for row in rows])
        return ingest(config, (), (), Silent(), tmp_path)

    return with_queues


FAIL = {"case_id": "kept", "verdict": "fail"}
UNSURE = {"case_id": "merged", "verdict": "unsure"}
TEXT = {"case_id": "merged", "label": "returns"}


@pytest.mark.parametrize("queues", [([FAIL, UNSURE],), ([UNSURE, FAIL],), ([FAIL], [UNSURE]), ([UNSURE], [FAIL])])
def test_unsure_of_a_near_duplicate_does_not_replace_a_verdict(ingest_with: Any, queues: tuple[Rows, ...]) -> None:
    result = ingest_with(*queues)
    assert [case.verdict and case.verdict.failure for case in result.cases] == [1]
    assert result.labels == 1


@pytest.mark.parametrize("queues", [([FAIL, TEXT],), ([TEXT, FAIL],), ([FAIL], [TEXT]), ([TEXT], [FAIL])])
def test_the_right_answer_of_a_near_duplicate_is_kept_beside_a_verdict(
    ingest_with: Any, queues: tuple[Rows, ...]
) -> None:
    (case,) = ingest_with(*queues).cases
    assert (case.verdict, case.reference) == (Verdict(1), Reference("returns", "label"))


def test_two_verdicts_of_one_person_for_near_duplicates_are_reported(ingest_with: Any) -> None:
    result = ingest_with([FAIL, {"case_id": "merged", "verdict": "pass"}])
    assert [case.verdict for case in result.cases] == [None]
    assert "another verdict for" in result.warnings[0]
    assert "for its near-duplicate" in result.warnings[0]


def test_what_a_spreadsheet_made_of_a_label_is_said_and_never_trained_on(job: dict[str, Any], tmp_path: Path) -> None:
    topics = ("a refund", "two parcels", "my password", "an invoice", "the tariff", "opening hours")
    put(tmp_path / "logs.jsonl", [{"input": f"Something about {topic}", "output": "delivery"} for topic in topics])
    config = parse_config({**job, "tasks": {}})
    ids = [case.id for case in ingest(config, (), (), Silent(), None).cases]
    answers = ["#NAME?", "nan", "ok", "delivery", "NULL", "returns"]
    rows = "".join(f"{case_id},{answer}\n" for case_id, answer in zip(ids, answers, strict=True))
    (tmp_path / "back.csv").write_text(f"case_id,label\n{rows}gone1,returns\ngone2,returns\n")
    result = ingest(config, (), [str(tmp_path / "back.csv")], Silent(), None)
    assert [case.reference.text if case.reference else None for case in result.cases] == [
        None, None, None, "delivery", None, "returns",
    ]  # fmt: skip
    error, placeholders, verdict, others = result.warnings
    assert "back.csv:2: the label '#NAME?' is an error of the spreadsheet" in error
    assert "back.csv: 2 records: the label 'nan' is a placeholder, not an answer (at 3)" in placeholders
    assert "back.csv:4: the label 'ok' is a verdict" in verdict
    assert others == "2 labels: gone1, gone2 are not used: these logs hold no such case"
