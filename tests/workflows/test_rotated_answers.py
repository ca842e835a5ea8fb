"""After log rotation another answer may have the id of a case: its old verdict is not applied, and is named."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from curator.config import parse_config
from curator.workflows.estimate import estimate
from curator.workflows.run import run
from curator.workflows.run_result import RunResult
from tests.workflows.test_labelled_nights import add_cases, label, queue_of


def night(job: dict[str, Any], folder: Path, encoder: Any) -> RunResult:
    return run(parse_config(job), out=folder, encoder=encoder, environ={})


def answer_anew(logs: Path, *, every: int) -> int:
    """Let production give another answer to some questions; return how many."""
    records = [json.loads(line) for line in logs.read_text(encoding="utf-8").splitlines()]
    for record in records[::every]:
        record["response"]["choices"][0]["message"]["content"] = "shipping"
    logs.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return len(records[::every])


@pytest.mark.usefixtures("endpoint")
def test_verdicts_on_answers_that_are_gone_are_not_applied(
    job: dict[str, Any], encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job["selection"] |= {"k": 16, "random_share": 0.75}
    add_cases(write_logs, 16, replace=True)
    folder = tmp_path / "out"
    night(job, folder, encoder)
    assert label(folder) == 16
    first = night(job, folder, encoder).summary.failure_rate
    assert first is not None
    assert first.labels == 16

    changed = answer_anew(write_logs, every=4)
    second = night(job, folder, encoder)
    rate = second.summary.failure_rate
    assert rate is not None
    assert rate.labels == 16 - changed
    told = " ".join(second.warnings)
    assert f"{changed} records: the verdict for " in told
    assert "is about another answer than the one that production gives now" in told
    assert estimate(folder, selection=folder).estimate.labels == 16 - changed
    with queue_of(folder).open(encoding="utf-8-sig", newline="") as file:
        open_again = [row for row in csv.DictReader(file) if not row["verdict"]]
    assert {row["answer"] for row in open_again} == {"shipping"}
    assert len(open_again) == changed

    label(folder)  # the remedy
    third = night(job, folder, encoder)
    rate = third.summary.failure_rate
    assert rate is not None
    assert rate.labels == 16
    assert "another answer" not in " ".join(third.warnings)


@pytest.mark.usefixtures("endpoint")
def test_a_run_folder_of_its_own_names_labels_of_earlier_nights_on_other_answers(
    job: dict[str, Any], encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job["selection"] |= {"k": 16, "random_share": 0.75}
    add_cases(write_logs, 16, replace=True)
    night(job, tmp_path / "one", encoder)
    label(tmp_path / "one")
    night(job, tmp_path / "one", encoder)
    changed = answer_anew(write_logs, every=4)
    add_cases(write_logs, 20, name="n")
    second = night(job, tmp_path / "two", encoder)
    assert second.summary.failure_rate is not None
    assert second.summary.failure_rate.labels == 16 - changed
    assert f"{changed} labels of earlier nights are about other answers" in " ".join(second.warnings)


@pytest.mark.usefixtures("endpoint")
def test_a_label_follows_its_answer_when_the_first_one_leaves_the_logs(
    job: dict[str, Any], encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job["selection"] |= {"k": 32, "random_share": 0.75}
    add_cases(write_logs, 16, replace=True)
    before = write_logs.read_text(encoding="utf-8")
    answer_anew(write_logs, every=1)
    after = write_logs.read_text(encoding="utf-8").replace('"id": "s', '"id": "t')
    write_logs.write_text(before + after, encoding="utf-8")
    folder = tmp_path / "out"
    night(job, folder, encoder)
    queue = queue_of(folder)
    with queue.open(encoding="utf-8-sig", newline="") as file:
        rows = [row | {"verdict": "fail" if row["answer"] == "billing" else "pass"} for row in csv.DictReader(file)]
    with queue.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    of_second = sum(row["answer"] == "shipping" for row in rows)
    assert of_second > 3
    write_logs.write_text(after, encoding="utf-8")  # the first answers are rotated away
    result = night(job, folder, encoder)
    assert result.labels == of_second
    cases = [json.loads(line) for line in (folder / "recorded.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [case["reference"] for case in cases if case.get("reference_source") == "label"] == ["shipping"] * of_second
