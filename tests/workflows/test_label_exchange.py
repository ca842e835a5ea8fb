"""A label queue goes out to a tool and comes back as labels that an estimate takes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import curator
from curator.errors import ConfigError
from curator.labels.archive import labels_in

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


@pytest.mark.parametrize("tool", ["csv", "jsonl"])
@pytest.mark.parametrize("into_folder", [True, False])
def test_labels_outlive_an_export_over_their_queue(tmp_path: Path, tool: str, into_folder: bool) -> None:
    folder = tmp_path / "selection"
    curator.select(RECORDS, folder, k=30)
    labels = "case_id,verdict\nc1,fail\n" if tool == "csv" else '{"case_id": "c1", "verdict": "fail"}\n'
    if tool == "csv":
        (folder / "label_queue.csv").write_text(labels)
    else:
        queue = (folder / "label_queue.jsonl").read_text()
        labels = queue.replace('"verdict":""', '"verdict":"fail"', 1)
        (folder / "label_queue.jsonl").write_text(labels)
    written = curator.export_labels(folder, tool, folder if into_folder else folder / f"label_queue.{tool}")
    assert written.rows == 30
    assert (folder / "labels" / f"0001.{tool}").read_text() == labels


def test_a_file_of_labels_that_cannot_be_archived_is_refused(tmp_path: Path) -> None:
    curator.select(RECORDS, tmp_path / "selection", k=30)
    returned = tmp_path / "from-ana.csv"
    curator.export_labels(tmp_path / "selection", "csv", returned)
    curator.export_labels(tmp_path / "selection", "csv", returned)
    returned.write_text("case_id,verdict\nc1,fail\n")
    with pytest.raises(ConfigError, match="holds labels, which would be lost"):
        curator.export_labels(tmp_path / "selection", "csv", returned)
    assert returned.read_text() == "case_id,verdict\nc1,fail\n"


def test_a_folder_without_a_queue_and_an_unknown_tool_say_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no label queue in"):
        curator.export_labels(tmp_path, "csv", tmp_path / "q.csv")
    with pytest.raises(ConfigError, match="label tool 'paper'"):
        curator.export_labels(tmp_path, "paper", tmp_path / "q.csv")


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_two_annotators_of_label_studio_are_averaged_in_an_estimate(tmp_path: Path, form: str) -> None:
    chosen = curator.select(RECORDS, tmp_path / "selection", k=30)
    tasks, rows = [], []
    for number, pick in enumerate(chosen.picks):
        data = {"case_id": pick.case_id, "input": "?", "target": "!"}
        said = {who: "fail" if number % 5 == 0 or (who == 2 and number % 4 == 1) else "pass" for who in (1, 2)}
        results = {
            who: [{"from_name": "verdict", "type": "choices", "value": {"choices": [verdict]}}]
            for who, verdict in said.items()
        }
        annotations = [{"completed_by": who, "was_cancelled": False, "result": results[who]} for who in said]
        tasks.append({"id": number, "data": data, "annotations": annotations, "predictions": []})
        rows += [{**data, "annotation_id": who, "annotator": who, "verdict": said[who]} for who in said]
    file = tmp_path / f"export.{form}"
    with file.open("w", encoding="utf-8", newline="") as out:
        if form == "csv":
            writer = csv.DictWriter(out, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        else:
            out.write(json.dumps(tasks, indent=1) if form == "json" else "\n".join(map(json.dumps, tasks)))
    result = curator.estimate(file, selection=tmp_path / "selection")
    assert result.rejected == ()
    assert result.drawn + result.certain == 30
    assert result.agreement is not None
    assert (result.agreement.cases, len(result.agreement.disputed)) == (30, 6)
    assert "an export of Label Studio" in result.to_text()


def test_the_settings_of_a_tool_are_written_beside_its_queue(tmp_path: Path) -> None:
    curator.select(RECORDS, tmp_path / "selection", k=30)
    written = curator.export_labels(tmp_path / "selection", "label-studio", f"{tmp_path}/out/")
    assert written.path.name == "label_queue.label-studio.json"
    assert len(json.loads(written.path.read_bytes())) == written.rows == 30
    assert b'<Choices name="verdict"' in written.path.with_name("label_queue.label-studio.xml").read_bytes()


def test_imported_labels_are_kept_once_and_read_by_the_named_tool(tmp_path: Path) -> None:
    folder = tmp_path / "selection"
    curator.select(RECORDS, folder, k=30)
    file = tmp_path / "back.export"
    task = {"case_id": "c1", "_task_hash": 1, "answer": "accept", "accept": ["fail"], "_annotator_id": "ana"}
    file.write_text(json.dumps(task) + "\n", encoding="utf-8")
    imported = curator.import_labels(file, "prodigy", run=folder)
    assert imported.failures == {"c1": 1}
    assert imported.kept == (folder / "labels" / "0001.back.export.prodigy.jsonl",)
    assert "kept as" in imported.to_text()
    assert labels_in(folder).failures == {"c1": 1}
    assert curator.import_labels(file, "prodigy", run=folder).kept == ()
    with pytest.raises(ConfigError, match="no folder"):
        curator.import_labels(file, run=tmp_path / "gone")
