"""Files of labelling programs among the logs are named as such, and are labels."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import orjson
import pytest

from curator.labels.rows import read_label_rows
from curator.records import Label, RejectedRecord
from tests.readers.reading_kit import read_all

ASKED = {"messages": [{"role": "user", "content": "Capital of France?"}], "answer_a": "Paris", "case_id": "c1"}
CHOICE = {"from_name": "verdict", "to_name": "dialogue", "type": "choices", "value": {"choices": ["correct"]}}
EXPORTED = {"id": 1, "annotations": [{"id": 1, "completed_by": 1, "result": [CHOICE]}], "data": ASKED}
FLAT = {**ASKED, "id": 1, "verdict": "correct", "annotator": 1, "annotation_id": 2}
IMPORTED = {"data": ASKED, "predictions": [{"model_version": "m", "score": 0.4, "result": [CHOICE]}]}
PRODIGY = {"text": "Capital of France?", "case_id": "c1", "_input_hash": 1, "_task_hash": 2, "answer": "accept"}


def write(path: Path, rows: list[dict[str, Any]], *, as_list: bool) -> Path:
    lines = b"\n".join(map(orjson.dumps, rows))
    path.write_bytes(orjson.dumps(rows) if as_list else lines)
    return path


@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize("rows", [[EXPORTED], [FLAT, FLAT], [IMPORTED, {"data": ASKED}], [PRODIGY]])
def test_a_file_of_a_labelling_program_is_not_read_as_logs(tmp_path: Path, rows: Any, as_list: bool) -> None:
    file = write(tmp_path / "a.json", rows, as_list=as_list)
    cases, _, (rejected, *others) = read_all([file])
    assert not cases
    assert len(others) == len(rows) - 1
    assert isinstance(rejected, RejectedRecord)
    assert "labels" in rejected.reason
    assert "`labels: [FILE]`" in rejected.remedy


@pytest.mark.parametrize("row", [EXPORTED, FLAT, PRODIGY])
def test_the_file_is_read_as_labels(tmp_path: Path, row: Any) -> None:
    (label,) = read_label_rows(write(tmp_path / "a.json", [row], as_list=True))
    assert isinstance(label, Label)
    assert (label.case_id, label.failure) == ("c1", False)


def test_its_table_is_not_read_as_logs_either(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows(
            [["prompt", "response", "verdict", "annotator", "annotation_id"], ["Where?", "Here.", "correct", "1", "2"]]
        )
    assert not read_all([tmp_path / "a.csv"])[0]


def test_a_reader_or_a_mapping_that_is_named_reads_it(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", [FLAT], as_list=True)
    ((case,), _, _) = read_all([file], mapping={"input": "messages", "target": "answer_a"})
    assert (case.user, case.target) == ("Capital of France?", "Paris")
    assert read_all([file], format="chat")[0]


@pytest.mark.parametrize(
    "row",
    [
        {"data": {"messages": ASKED["messages"]}},
        {
            **ASKED,
            "annotator": "ann",
            "response": {"choices": [{"message": {"role": "assistant", "content": "Paris"}}]},
        },
    ],
)
def test_logs_in_an_envelope_or_with_annotators_are_logs(tmp_path: Path, row: Any) -> None:
    assert read_all([write(tmp_path / "a.jsonl", [row], as_list=False)])[0]
