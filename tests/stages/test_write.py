"""What an adaptive committee missed reaches the files of the run folder, and a fixed one leaves no word of it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curator.config import parse_config
from curator.progress import Silent
from curator.records import Category, Contrast
from curator.selection.adaptive_audit import MIN_IN_TOP, CascadeAudit
from curator.stages.artifacts import RunArtifacts
from curator.stages.write import write_run_folder
from curator.stats import MIN_FOR_CORRELATION
from curator.workflows import run as pipeline
from curator.workflows.run_result import RunResult

MISSED = CascadeAudit(
    cases=40, in_top=12, share=1 / 6, low=0.05, high=0.45, rank_correlation=2 / 3, calls=70, calls_full=152
)


@pytest.fixture
def facts(
    job: dict[str, Any], encoder: Any, write_logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RunArtifacts:
    """All that a run of a fixed committee knew when it came to writing."""
    seen: list[RunArtifacts] = []

    def write(folder: Path, run: RunArtifacts, progress: Any) -> Any:
        seen.append(run)
        return write_run_folder(folder, run, progress)

    monkeypatch.setattr(pipeline, "write_run_folder", write)
    pipeline.run(parse_config(job), out=tmp_path / "out", encoder=encoder, environ={})
    return seen[0]


def test_what_was_missed_is_in_every_file_that_tells_of_the_run(facts: RunArtifacts, tmp_path: Path) -> None:
    folder = tmp_path / "adaptive"
    summary = write_run_folder(folder, replace(facts, audit=MISSED), Silent())
    assert json.loads((folder / "summary.json").read_text())["adaptive"] == {
        "calls": 70, "calls_full": 152, "cases": 40, "least_cases": MIN_FOR_CORRELATION, "in_top": 12,
        "least_in_top": MIN_IN_TOP, "missed": 0.166667, "low": 0.05, "high": 0.45, "rank_correlation": 0.666667,
    }  # fmt: skip
    counts = json.loads((folder / "manifest.json").read_text())["counts"]
    assert (counts["calls"], counts["calls_full"]) == (70, 152)
    for name in ("report.md", "report.html"):
        assert "it made 70 of the 152 calls" in (folder / name).read_text()
    said = RunResult(folder, summary, sent=70, from_store=0, labels=0, warnings=()).to_text()
    assert "cases (152 by the whole committee): 70 requests" in said


def test_what_is_not_known_stays_unknown(facts: RunArtifacts, tmp_path: Path) -> None:
    missed = replace(MISSED, share=None, low=None, high=None, rank_correlation=None)
    adaptive = write_run_folder(tmp_path / "adaptive", replace(facts, audit=missed), Silent()).adaptive
    assert adaptive is not None
    assert (adaptive.missed, adaptive.low, adaptive.high, adaptive.rank_correlation) == (None, None, None, None)


def test_a_fixed_committee_says_nothing_of_it(facts: RunArtifacts, tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    summary = write_run_folder(folder, facts, Silent())
    assert summary.adaptive is None
    assert "calls_full" not in json.loads((folder / "manifest.json").read_text())["counts"]
    for name in ("report.md", "report.html"):
        page = (folder / name).read_text()
        assert "adaptive" not in page
        assert "whole committee" not in page
    said = RunResult(folder, summary, sent=1, from_store=0, labels=0, warnings=()).to_text()
    assert "whole committee" not in said


def test_the_page_names_the_rows_of_its_cases_in_the_queue_and_the_eval_set(
    facts: RunArtifacts, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    asked = tuple(case.id for case in facts.ingest.asked)
    categories = replace(
        facts.categories,
        categories=(Category("all", "all", (), asked),),
        contrasts={i: Contrast(i, "production", (), 1.0, "said so", "said not") for i in asked},
    )
    summary = write_run_folder(folder, replace(facts, categories=categories), Silent())
    page = (folder / "report.html").read_text(encoding="utf-8")
    cases = json.loads(page.split('id="cases">')[1].split("</script>")[0])["cases"]
    assert {case["id"] for case in cases} == set(asked)
    with (folder / "label_queue.csv").open(encoding="utf-8-sig", newline="") as file:
        queue = [row["case_id"] for row in csv.DictReader(file)]
    evals = [json.loads(line)["id"] for line in (folder / "eval_set.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {case["id"]: case["queue"] for case in cases if "queue" in case} == {i: n for n, i in enumerate(queue, 2)}
    assert {case["id"]: case["eval"] for case in cases if "eval" in case} == {i: n for n, i in enumerate(evals, 1)}
    assert queue
    assert evals
    assert all((case["given"], case["expected"]) == (["said ", ["so"]], ["said ", ["not"]]) for case in cases)
    shown = summary.categories[0].typical[0].contrast
    assert shown is not None
    assert [run.text for run in shown.expected] == ["said ", "not"]
