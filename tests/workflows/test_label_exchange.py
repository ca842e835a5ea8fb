"""A label queue goes out to a tool and comes back as labels that an estimate takes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import curator
from curator.errors import ConfigError

RECORDS = [
    {"id": f"c{i}", "input": f"{i} + 1?", "target": str(i + 1), "kind": "number",
     "generations": [str(i + 1), str(i + 1 + i % 3), str(i + 1 + i % 2)]}
    for i in range(40)
]  # fmt: skip


def test_a_queue_goes_out_and_comes_back(tmp_path: Path) -> None:
    chosen = curator.select(RECORDS, tmp_path / "selection", k=30)
    queue = curator.export_labels(chosen, "csv", tmp_path)
    assert (queue.path, queue.rows) == (tmp_path / "label_queue.csv", 30)
    assert queue.path.read_bytes() == (tmp_path / "selection" / "label_queue.csv").read_bytes()
    with queue.path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["verdict"] = "fail" if number % 3 == 0 else "pass"
    with queue.path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    returned = curator.import_labels(queue.path)
    assert (len(returned.labels), sum(returned.failures.values()), returned.rejected) == (30, 10, ())
    in_memory = curator.estimate(returned.failures, selection=chosen)
    assert in_memory.estimate.rate == curator.estimate(queue.path, selection=tmp_path / "selection").estimate.rate


def test_a_folder_without_a_queue_and_an_unknown_tool_say_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no label queue in"):
        curator.export_labels(tmp_path, "csv", tmp_path / "q.csv")
    with pytest.raises(ConfigError, match="label tool 'paper'"):
        curator.export_labels(tmp_path, "paper", tmp_path / "q.csv")
