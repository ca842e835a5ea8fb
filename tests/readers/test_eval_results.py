"""Rows of results are read by the same words and the same id as labels are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curator.errors import LogsError
from curator.labels.read import read_labels
from curator.labels.sheet import NAMES as COLUMNS
from curator.readers.eval_results import read_designs, read_rows, read_system_scores
from curator.readers.feedback import WORDS, YES_OR_NO
from curator.run_folder.recorded import read_record


def write(path: Path, row: dict[str, object]) -> str:
    path.write_text(json.dumps(row) + "\n")
    return str(path)


@pytest.mark.parametrize("word", [*WORDS, *YES_OR_NO, "Wrong", "RIGHT", True, False, 0, 1])
@pytest.mark.parametrize("key", ["wrong", "verdict"])
def test_every_command_reads_the_same_failure_in_a_row(tmp_path: Path, word: str | bool, key: str) -> None:
    labels = write(tmp_path / "labels.jsonl", {"id": "c", key: word})
    results = write(
        tmp_path / "results.jsonl", {"id": "c", "model": "m", "wrong" if key == "wrong" else "passed": word}
    )
    failure = read_labels([labels]).failures["c"]
    assert read_system_scores([results]).scores["m"]["c"] == 1 - failure


def test_a_word_for_a_failure_stays_one_in_a_column_that_asks_for_failures(tmp_path: Path) -> None:
    for key, word, score in (("wrong", "wrong", 0.0), ("failed", "failed", 0.0), ("failed", "passed", 1.0)):
        results = write(tmp_path / "m.jsonl", {"id": "c", key: word})
        assert read_system_scores([results]).scores == {"m": {"c": score}}


def test_a_row_with_two_ids_is_the_same_case_in_every_command(tmp_path: Path) -> None:
    row = {"id": "row-1", "case_id": "c1", "wrong": True, "model": "m", "weight": 2, "generations": ["a", "b"]}
    file = write(tmp_path / "rows.jsonl", row)
    assert set(read_labels([file]).failures) == {"c1"}
    assert set(read_system_scores([file]).scores["m"]) == {"c1"}
    assert set(read_designs(file)[0]) == {"c1"}
    assert [case_id for case_id, *_ in read_rows([file])] == ["c1"]
    assert read_record(json.dumps(row).encode()).id == "c1"


def test_no_column_of_a_label_queue_is_a_system(tmp_path: Path) -> None:
    queue = tmp_path / "queue.csv"
    queue.write_text(",".join(COLUMNS) + "\n" + ",".join("1" for _ in COLUMNS) + "\n")
    with pytest.raises(LogsError, match="no score among the keys"):
        read_system_scores([str(queue)])
