"""The run's report and summary say what `curator estimate` says, in the same words."""

from __future__ import annotations

import csv
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from curator.config import parse_config
from curator.report.failure_rate import anytime_sentence, unseen_sentence
from curator.report.judge_quality import judge_sentences
from curator.workflows.estimate import estimate
from curator.workflows.run import run
from tests.workflows.test_labelled_nights import add_cases, queue_of


def fill_in(folder: Path, corrected: dict[int, str]) -> dict[str, str]:
    """Label all rows: two of five fail; write categories into rows by their place."""
    queue = queue_of(folder)
    with queue.open(encoding="utf-8-sig", newline="") as file:
        rows = [row | {"verdict": "fail" if n % 5 < 2 else "pass"} for n, row in enumerate(csv.DictReader(file))]
    for n, category in corrected.items():
        rows[n]["corrected_category"] = category
    with queue.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return {rows[n]["case_id"]: category for n, category in corrected.items()}


def judged(logs: Path) -> None:
    """Give every record a verdict of a judge, who finds a third wrong."""
    records = [json.loads(line) for line in logs.read_text(encoding="utf-8").splitlines()]
    for n, record in enumerate(records):
        record["metadata"]["eval"] = "fail" if n % 3 == 0 else "pass"
    logs.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


@pytest.mark.usefixtures("endpoint")
def test_the_report_says_what_curator_estimate_says(
    job: dict[str, Any], encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job |= {"judge": {"recorded": "eval"}}
    job["selection"] |= {"k": 30, "random_share": 0.75}
    add_cases(write_logs, 50, replace=True)
    judged(write_logs)
    folder = tmp_path / "out"
    run(parse_config(job), out=folder, encoder=encoder, environ={})
    by_people = fill_in(folder, {0: "wrong team", 1: "Wrong  team", 5: "wrong team", 6: "too vague"})
    summary = run(parse_config(job), out=folder, encoder=encoder, environ={}).summary
    result = estimate(folder, selection=folder, any_time=True)
    rate, found = summary.failure_rate, result.estimate
    assert rate is not None
    assert rate.any_time == pytest.approx(found.anytime_interval(0.95), abs=1e-6)
    assert found.unseen is not None
    assert rate.unseen is not None
    assert (rate.unseen.kinds, rate.unseen.failures) == (found.unseen.kinds, found.unseen.failures)
    pooled = {part.value: part.pooled for part in found.domains["category"] if part.pooled is not None}
    assert {name: p.rate for name, p in rate.by_category.items()} == pytest.approx(
        {name: p.rate for name, p in pooled.items()}, abs=1e-6
    )
    assert "wrong team" in rate.by_category
    assert summary.judge is not None
    assert summary.judge == result.judge

    sentences = [
        anytime_sentence(rate.any_time or (0, 0), (rate.low or 0, rate.high or 0), 0.95),
        unseen_sentence(rate.unseen),
        *judge_sentences(summary.judge, rate.judge_weight),
    ]
    console = result.to_text()
    page = html.unescape(re.sub(r"<[^>]+>", "", (folder / "report.html").read_text(encoding="utf-8")))
    markdown = (folder / "report.md").read_text(encoding="utf-8").replace("\\", "")
    for sentence in sentences:
        assert sentence in console
        assert sentence in page
        assert sentence in markdown
    only_people = {category.name: category.labels for category in summary.by_people}
    assert only_people["wrong team"].moved_in == sum("team" in name.lower() for name in by_people.values()) == 3
    assert only_people["wrong team"].pooled == rate.by_category["wrong team"]
    assert "Categories that only people named: wrong team (3 of 3 labelled cases fail" in page
    assert json.loads((folder / "summary.json").read_text())["judge"]["labels"] == summary.judge.labels
