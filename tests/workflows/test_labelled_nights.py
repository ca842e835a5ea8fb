"""Labels of a night stay in the failure rate when logs are added, in another folder, and after their cases are gone."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from curator.config import parse_config
from curator.records import FailureRate
from curator.report.failure_rate import failure_rate
from curator.workflows.estimate import estimate
from curator.workflows.run import run
from curator.workflows.run_result import RunResult

TOPICS = ("a refund of the deposit", "the tracking page", "a broken zip", "the invoice address", "a voucher")


def night(job: dict[str, Any], tmp_path: Path, encoder: Any, out: str = "out", **options: Any) -> RunResult:
    return run(parse_config(job), out=tmp_path / out, encoder=encoder, environ={}, **options)


def rate_of(result: RunResult) -> FailureRate:
    rate = result.summary.failure_rate
    assert rate is not None
    return rate


def add_cases(logs: Path, number: int, *, name: str = "s", replace: bool = False) -> None:
    """Write records of a further night beside those that are there, or in their place."""
    records = [
        {
            "id": f"{name}{i}",
            "request": {
                "model": "prod",
                "messages": [
                    {"role": "system", "content": "Name the topic."},
                    {"role": "user", "content": f"{name}word{i} about {TOPICS[i % 5]}, item{i * 7} and {name}{i % 3}"},
                ],
            },
            "response": {
                "model": "prod",
                "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "billing"}}],
            },
            "metadata": {"task": "route"},
        }
        for i in range(number)
    ]
    before = "" if replace else logs.read_text(encoding="utf-8")
    logs.write_text(before + "".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def queue_of(folder: Path) -> Path:
    """The newest label queue: a new one stands beside one that was filled in."""
    return max(folder.glob("label_queue*.csv"), key=lambda path: (len(path.name), path.name))


def label(folder: Path) -> int:
    """Fill in the newest label queue: every third answer fails; give the number of labels."""
    queue = queue_of(folder)
    with queue.open(encoding="utf-8-sig", newline="") as file:
        rows = [row | {"verdict": "fail" if n % 3 == 0 else "pass"} for n, row in enumerate(csv.DictReader(file))]
    with queue.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


@pytest.fixture
def labelled(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> tuple[dict[str, Any], RunResult]:
    """A job with more to draw, and its first night with all labels."""
    job["selection"] |= {"k": 16, "random_share": 0.75}
    night(job, tmp_path, encoder)
    label(tmp_path / "out")
    return job, night(job, tmp_path, encoder)


def test_a_second_night_keeps_the_rate_of_the_first_and_says_what_is_new(
    labelled: tuple[dict[str, Any], RunResult], encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job, first = labelled
    before = rate_of(first)
    assert before.new_cases == 0
    add_cases(write_logs, 30)
    second = night(job, tmp_path, encoder)
    rate = rate_of(second)
    assert (rate.labels, rate.rate) == (before.labels, pytest.approx(before.rate))
    assert (rate.cases, rate.new_cases, rate.new_records) == (40, 30, 30)
    text = " ".join(failure_rate(second.summary))
    assert f"of the labelled period (40 cases up to {rate.until})" in text
    assert "New since then: 30 cases (30 log records) have too few labels" in text

    asked = label(tmp_path / "out")
    assert asked == 16  # none of the labelled cases is asked about again
    third = night(job, tmp_path, encoder)
    whole = rate_of(third)
    assert (whole.cases, whole.new_cases, whole.missing) == (70, 0, 0)
    assert whole.labels == before.labels + 16
    held_out = {json.loads(row)["id"] for row in (tmp_path / "out" / "eval_set.jsonl").read_text().splitlines()}
    chosen = [json.loads(row) for row in (tmp_path / "out" / "selection.jsonl").read_text().splitlines()]
    assert {row["id"] for row in chosen if row["split"] == "eval"} == held_out
    assert {row["stage"] for row in chosen} == {1, 2}

    selected = (tmp_path / "out" / "selection.jsonl").read_bytes()
    assert rate_of(night(job, tmp_path, encoder)) == whole
    assert (tmp_path / "out" / "selection.jsonl").read_bytes() == selected


def test_a_night_in_another_folder_knows_the_labels_as_well(
    labelled: tuple[dict[str, Any], RunResult], encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job, first = labelled
    add_cases(write_logs, 30)
    rate = rate_of(night(job, tmp_path, encoder, "two"))
    assert (rate.labels, rate.rate, rate.new_cases) == (rate_of(first).labels, pytest.approx(rate_of(first).rate), 30)
    asked = label(tmp_path / "two")
    found = estimate(tmp_path / "two" / "label_queue.csv", selection=tmp_path / "two").estimate
    assert (found.cases, found.labels) == (70, rate.labels + asked)
    whole = rate_of(night(job, tmp_path, encoder, "two"))
    assert (whole.labels, whole.rate) == (found.labels, pytest.approx(found.rate, abs=1e-6))


def test_the_rate_of_cases_that_left_the_logs_is_told_as_theirs(
    labelled: tuple[dict[str, Any], RunResult], encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job, first = labelled
    add_cases(write_logs, 30, replace=True)
    second = night(job, tmp_path, encoder)
    rate = rate_of(second)
    assert rate.gone
    assert (rate.labels, rate.rate) == (rate_of(first).labels, pytest.approx(rate_of(first).rate, abs=1e-6))
    assert (rate.cases, rate.new_cases) == (40, 30)
    assert "are no longer in the logs" in " ".join(failure_rate(second.summary))
    label(tmp_path / "out")
    now = rate_of(night(job, tmp_path, encoder))
    assert (now.gone, now.labels, now.cases) == (False, 16, 30)


def test_labels_that_come_a_night_late_count_for_the_night_of_their_draw(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job["selection"] |= {"k": 16, "random_share": 0.75}
    night(job, tmp_path, encoder, "one")
    add_cases(write_logs, 30)
    night(job, tmp_path, encoder, "two")
    label(tmp_path / "one")
    label(tmp_path / "two")
    files = [str(tmp_path / name / "label_queue.csv") for name in ("one", "two")]
    rate = rate_of(night(job, tmp_path, encoder, "two", labels=files))
    assert (rate.cases, rate.new_cases) == (70, 0)
    chosen = {
        json.loads(r)["id"] for f in ("one", "two") for r in (tmp_path / f / "selection.jsonl").read_text().splitlines()
    }
    assert rate.labels >= len(chosen) - 4  # the four corrections of users aside


def test_the_estimate_of_a_folder_says_what_it_does_not_cover_and_the_price_of_looking(
    labelled: tuple[dict[str, Any], RunResult], encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job, _ = labelled
    add_cases(write_logs, 30)
    night(job, tmp_path, encoder, "two")
    found = estimate(tmp_path / "out", selection=tmp_path / "two", any_time=True)
    text = found.to_text()
    assert "of 40 cases" in text
    assert "not covered   30 cases (30 log records), new since these labels were drawn" in text
    assert "You may look after every label" in text
    ends = found.to_dict()["any_time"]
    assert isinstance(ends, dict)
    assert ends["low"] <= found.estimate.low <= found.estimate.high <= ends["high"]
    assert "at any time" not in estimate(tmp_path / "out").to_text()
