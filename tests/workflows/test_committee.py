from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

import curator
from curator.cli import main
from curator.errors import LogsError

Record = dict[str, Any]


def made(cases: int = 80) -> tuple[list[Record], dict[str, bool]]:
    """Three variants answer twice; production's answer is wrong where most of them contradict it."""
    rng = Random(0)
    records, wrong = [], {}
    for number in range(cases):
        chance = rng.random()
        generations = [
            {"text": "b" if rng.random() < chance else "a", "model": "org/m", "variant": f"v{place % 3}"}
            for place in range(6)
        ]
        records.append(
            {"id": f"c{number}", "input": "Which?", "kind": "label", "target": "a", "generations": generations}
        )
        wrong[f"c{number}"] = rng.random() < chance
    return records, wrong


@pytest.fixture(scope="module")
def result() -> curator.CommitteeResult:
    records, wrong = made()
    return curator.committee_advice(records, wrong)


def test_the_advice_has_figures_text_and_a_table(result: curator.CommitteeResult) -> None:
    figures = result.to_dict()
    assert json.loads(orjson.dumps(figures)) == figures
    assert figures["verdict"] == "add"
    assert figures["labels"] == figures["records"] == figures["cases"] == 80
    assert figures["sentence"] == result.to_text().splitlines()[-1]
    assert [row["name"] for row in result.table_rows()] == ["2 repeats per variant", "1 variant", "1 model"]
    assert [row["calls"] for row in result.table_rows()] == [480, 160, 480]
    assert "80 records, 6 answers a case; scores of 80 cases compared\n80 labels: " in result.to_text()
    assert "2 repeats per variant" in result.to_text()


def test_the_command_line_says_the_same(
    result: curator.CommitteeResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records, wrong = made()
    recorded, labels = tmp_path / "r.jsonl", tmp_path / "l.jsonl"
    recorded.write_bytes(b"\n".join(map(orjson.dumps, records)))
    labels.write_bytes(b"\n".join(orjson.dumps({"id": i, "wrong": w}) for i, w in wrong.items()))
    assert main(["committee", str(recorded), "--labels", str(labels)]) == 0
    assert capsys.readouterr().out.rstrip() == result.to_text()


def test_without_labels_there_is_no_auroc(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, made()[0])))
    assert main(["committee", str(path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["labels"], figures["auroc"]) == (0, None)
    assert figures["reliability"]["low"] < figures["reliability"]["value"] < 1


def test_a_run_folder_knows_what_an_answer_costs(tmp_path: Path) -> None:
    (tmp_path / "recorded.jsonl").write_bytes(b"\n".join(map(orjson.dumps, made()[0])))
    assert curator.committee_advice(tmp_path).advice.additions[0].usd is None
    members = [{"model": "org/m", "cost_usd": 2.4, "generations": 480}]
    (tmp_path / "summary.json").write_bytes(orjson.dumps({"committee": {"members": members}}))
    costs = [addition.usd for addition in curator.committee_advice(tmp_path).advice.additions]
    assert costs == pytest.approx([2.4, 0.8, 2.4])
    assert "($0.80)" in curator.committee_advice(tmp_path).to_text()


def test_few_records_and_labels_of_other_records_are_said(tmp_path: Path) -> None:
    records, _ = made(20)
    text = curator.committee_advice(records).to_text()
    assert text == "not enough data: at least 50 cases with 4 answers are needed, of 20 in all."
    with pytest.raises(LogsError, match="no record for a label"):
        curator.committee_advice(records, {"elsewhere": True})
    with pytest.raises(LogsError, match="no such file"):
        curator.committee_advice(tmp_path / "gone.jsonl")


def test_a_member_that_does_not_count_in_the_score_is_left_out() -> None:
    records, _ = made()
    for record in records:
        record["labels"] = ["a", "b"]
        for generation in record["generations"]:
            generation["text"] = "I cannot say." if generation["variant"] == "v2" else generation["text"]
    assert curator.committee_advice(records).advice.answers == 4
