"""The eval set of a run folder over nights with other logs."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from curator.config import parse_config
from curator.exporters.eval_set_rounds import CHANGES_FILE
from curator.state.registry import HeldOutRegistry
from curator.workflows.run import run
from curator.workflows.run_result import RunResult


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def night(job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path) -> Any:
    """A run on the first or the second half of the logs, in one folder."""
    lines = write_logs.read_text(encoding="utf-8").splitlines()

    def runs(first: int, last: int, **changes: Any) -> RunResult:
        write_logs.write_text("\n".join(lines[first:last]) + "\n", encoding="utf-8")
        return run(parse_config(job | changes), out=tmp_path / "out", encoder=encoder, environ={})

    return runs


def test_a_rotated_case_stays_and_takes_the_label_that_comes_back_later(night: Any, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    night(0, 21, logs={"paths": [str(tmp_path / "logs.jsonl")], "max_unreadable": 0.3})
    first = rows(folder / "eval_set.jsonl")
    case_id = next(row["id"] for row in first if row["reference"] is None)
    with (folder / "label_queue.csv").open(encoding="utf-8-sig", newline="") as file:
        queue = list(csv.DictReader(file))
    for row in queue:
        if row["case_id"] == case_id:
            row |= {"verdict": "fail", "label": "returns", "labelled_by": "ann", "note": "a parcel", "labelled_at": "2026-11-02T09:00:00Z"}  # fmt: skip
    with (folder / "label_queue.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, dict.fromkeys([*queue[0], "labelled_at"]))
        writer.writeheader()
        writer.writerows(queue)
    second = night(21, 42)
    after = {row["id"]: row for row in rows(folder / "eval_set.jsonl")}
    assert [row["id"] for row in first] == list(after)[: len(first)]
    assert len(after) > len(first)
    row = after[case_id]
    assert (row["verdict"], row["failure"], row["reference"], row["reference_by"]) == ("fail", 1.0, "returns", "ann")
    assert (row["labelled_by"], row["note"]) == (["ann"], "a parcel")
    assert row["labelled_at"].startswith("2026-11-02T09:00:00")
    assert "labels/" in row["label_source"]
    changes = rows(folder / CHANGES_FILE)
    assert {(c["round"], c["change"]) for c in changes} == {(1, "added"), (2, "added"), (2, "label changed")}
    assert [c["id"] for c in changes if c["change"] == "label changed"] == [case_id]
    assert "eval set, round 2" in second.to_text()
    assert not any("no such case" in warning for warning in second.warnings)
    before = (folder / "eval_set.jsonl").read_bytes(), (folder / CHANGES_FILE).read_bytes()
    assert night(21, 42).eval_set == ""
    assert ((folder / "eval_set.jsonl").read_bytes(), (folder / CHANGES_FILE).read_bytes()) == before


def test_the_set_is_held_out_under_another_registry_too(night: Any, tmp_path: Path) -> None:
    night(0, 42)
    held = {row["id"] for row in rows(tmp_path / "out" / "eval_set.jsonl")}
    night(0, 42, held_out={"registry": str(tmp_path / "other.sqlite")}, selection={"k": 12, "held_out_share": 0.0})
    trained = {row["metadata"]["case_id"] for row in rows(tmp_path / "out" / "finetune.jsonl")}
    assert {row["id"] for row in rows(tmp_path / "out" / "eval_set.jsonl")} >= held
    assert not trained & held
    with HeldOutRegistry(tmp_path / "other.sqlite") as registry:
        assert {entry.id for entry in registry.entries()[0] if entry.split == "eval"} >= held
