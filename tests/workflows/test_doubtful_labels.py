"""Labels in doubt in `curator compare`, from files of results to the queue for relabelling."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from curator.cli import main
from curator.errors import ConfigError
from curator.labels.read import read_labels
from curator.workflows.compare import compare_files
from curator.workflows.doubtful_labels import relabel_queue

WRONG = "c3"


@pytest.fixture
def results(tmp_path: Path) -> tuple[str, str]:
    """Eight systems on forty cases, one of them with a wrong label: results and eval set."""
    drawn = np.random.default_rng(4)
    rows, cases = [], []
    for number in range(40):
        case_id = f"c{number}"
        for system in range(8):
            right = system > 3 if case_id == WRONG else drawn.random() < 0.15 + 0.1 * system
            passed = not right if case_id == WRONG else right
            answer = "seven" if right else "eight"
            rows.append({"id": case_id, "system": f"s{system}", "passed": bool(passed), "answer": answer})
        cases.append({"id": case_id, "input": [{"role": "user", "content": f"How many? {number}"}], "target": "eight",
                      "reference": "eight", "reference_source": "label", "reference_by": "ann", "labelled_by": ["ann", "bob"],
                      "verdict": "pass", "failure": 0.0, "slice": "random", "inclusion_probability": 0.5})  # fmt: skip
    paths = tmp_path / "results.jsonl", tmp_path / "eval_set.jsonl"
    for path, lines in zip(paths, (rows, cases), strict=True):
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(paths[0]), str(paths[1])


def test_a_wrong_label_is_listed_with_its_author_and_the_answers(results: tuple[str, str]) -> None:
    comparison = compare_files([results[0]], eval_set=results[1])
    label = comparison.doubts.labels[0]
    assert (label.case_id, label.label_by, label.reference, label.verdict) == (WRONG, ("ann", "bob"), "eight", "pass")
    assert set(label.passed) == {"s0", "s1", "s2", "s3"}
    assert label.failed[-1] == "s7"
    assert label.answers["s7"] == "seven"
    text = comparison.to_text()
    assert "in doubt, as better systems fail and worse ones pass" in text
    assert "reference 'eight', verdict pass, by ann, bob" in text
    assert "4 systems answered 'seven'" in text
    listed = comparison.to_dict()["doubtful_labels"]
    assert json.loads(json.dumps(listed))["labels"][0]["case_id"] == WRONG


@pytest.mark.parametrize("name", ["again.jsonl", "again.csv", "again.xlsx"])
def test_the_doubtful_labels_alone_are_written_for_relabelling(
    results: tuple[str, str], tmp_path: Path, name: str
) -> None:
    comparison = compare_files([results[0]], eval_set=results[1])
    written = relabel_queue(comparison.doubts, results[1], tmp_path / name)
    assert written.rows == len(comparison.doubts.labels) < 10


def test_what_comes_back_decides_over_the_label_in_doubt(results: tuple[str, str], tmp_path: Path) -> None:
    comparison = compare_files([results[0]], eval_set=results[1])
    path = tmp_path / "label_queue.again.jsonl"
    relabel_queue(comparison.doubts, results[1], path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert not {"reference", "passed"} & rows[0].keys()
    assert [(answer["text"], answer["count"]) for answer in rows[0]["alternatives"]] == [("eight", 4), ("seven", 4)]
    path.write_text("".join(json.dumps(row | {"verdict": "fail", "label": "seven"}) + "\n" for row in rows[:1]))
    before = tmp_path / "before.jsonl"
    before.write_text(json.dumps({"case_id": WRONG, "verdict": "pass", "labelled_by": "ann"}) + "\n")
    label = read_labels([str(before), str(path)]).labels[WRONG]
    assert (label.failure, label.text) == (1.0, "seven")


def test_the_command_writes_the_queue_and_says_what_it_needs(
    results: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "again.csv")
    assert main(["compare", results[0], "--eval", results[1], "--relabel", out]) == 0
    assert "again.csv" in capsys.readouterr().err
    assert main(["compare", results[0], "--relabel", out]) == 2
    assert "--eval" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="no label tool writes 'again'"):
        relabel_queue(compare_files([results[0]]).doubts, results[1], tmp_path / "again")


def test_few_systems_are_said_to_be_too_few(results: tuple[str, str], tmp_path: Path) -> None:
    lines = Path(results[0]).read_text().splitlines()
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(line for line in lines if json.loads(line)["system"] < "s4"))
    comparison = compare_files([str(few)], eval_set=results[1])
    assert "labels in doubt: not enough data (" in comparison.to_text()
