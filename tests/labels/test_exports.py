"""Exports of labelling programs: several people, skipped tasks, controls of every kind."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curator.labels.merge import LabelSet
from curator.labels.prodigy import PRODIGY
from curator.labels.queue import queue_rows
from curator.labels.read import read_labels
from curator.records import Case, Message, Pick, Source

Json = dict[str, Any]


def choice(verdict: str, control: str = "verdict") -> Json:
    return {"from_name": control, "to_name": "input", "type": "choices", "value": {"choices": [verdict]}}


def task(number: int, *annotations: Json, **data: str) -> Json:
    """A task as Label Studio exports it, with predictions that are no labels."""
    shown = {"case_id": f"c{number}", "input": "Why?", "target": "So.", **data}
    guess = [{"result": [choice("fail")], "model_version": "m"}]
    return {"id": number, "data": shown, "annotations": list(annotations), "predictions": guess, "meta": {}}


def by(person: Any, *results: Json, **more: Any) -> Json:
    return {"completed_by": person, "result": list(results), "was_cancelled": False, **more}


def read(tmp_path: Path, name: str, text: str) -> LabelSet:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    return read_labels([str(tmp_path / name)])


TASKS = [
    task(1, by(1, choice("pass")), by(2, choice("fail"))),
    task(2, by(1, choice("fail")), by({"id": 2, "email": "ben@example.org"}, choice("fail"))),
    task(3, by(1, was_cancelled=True)),
    task(4),
    task(5, by(1, {"from_name": "label", "type": "textarea", "value": {"text": ["Because."]}}), label="shown"),
]


def flat(tasks: list[Json]) -> list[Json]:
    """The rows of the CSV and the short JSON: one annotation each."""
    rows = []
    for item in tasks:
        for number, annotation in enumerate(item["annotations"], 1):
            cells = {result["from_name"]: result["value"]["choices"][0] for result in annotation["result"]}
            more = {"annotation_id": number, "annotator": annotation["completed_by"], "lead_time": 1.5, "verdict": ""}
            rows.append({**item["data"], "id": item["id"], **more, **cells})
    return rows


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_annotations_of_label_studio_are_labels_of_their_people(tmp_path: Path, form: str) -> None:
    text = "\n".join(map(json.dumps, TASKS)) if form == "jsonl" else json.dumps(TASKS, indent=1)
    labels = read(tmp_path, f"ls.{form}", text)
    assert labels.failures == {"c1": 0.5, "c2": 1}
    assert labels.texts == {"c5": "Because."}
    assert labels.unsure == ("c3",)
    assert labels.rejected == ()
    assert labels.agreement is not None
    assert (labels.agreement.cases, labels.agreement.disputed) == (2, ("c1",))
    (note,) = labels.notes
    assert "an export of Label Studio, 5 records with 6 annotations by 3 people ('1', '2', 'ben@example.org')" in note


@pytest.mark.parametrize("indent", [None, 1])
def test_a_single_task_is_not_taken_apart(tmp_path: Path, indent: int | None) -> None:
    for tasks in (TASKS[0], TASKS[:1]):
        assert read(tmp_path, "ls.json", json.dumps(tasks, indent=indent)).failures == {"c1": 0.5}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_rows_of_label_studio_name_their_person(tmp_path: Path, form: str) -> None:
    rows = [{**row, "labelled_by": "the one it was dealt to"} for row in flat(TASKS[:2])]
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    labels = read(tmp_path, f"ls.{form}", sheet.getvalue() if form == "csv" else "\n".join(map(json.dumps, rows)))
    assert labels.failures == {"c1": 0.5, "c2": 1}
    assert labels.rejected == ()


@pytest.mark.parametrize(
    ("cell", "failure"),
    [('{"choices": ["fail"]}', 1), ('[{"rating": 1}]', 0), ('[{"number": 0.25}]', 0.75), ("pass", 0)],
)
def test_a_control_s_value_in_a_cell_is_unwrapped(tmp_path: Path, cell: str, failure: float) -> None:
    row = {"case_id": "c1", "annotation_id": 1, "annotator": "ana", "verdict": cell}
    assert read(tmp_path, "ls.jsonl", json.dumps(row)).failures == {"c1": failure}


def test_an_input_that_is_json_stays_the_input(tmp_path: Path) -> None:
    row = {"case_id": "c1", "annotation_id": 1, "annotator": "ana", "verdict": "pass", "input": '{"text": "a"}'}
    assert read(tmp_path, "ls.jsonl", json.dumps({**row, "content_hash": ""})).rejected == ()


def test_decisions_of_prodigy_are_verdicts(tmp_path: Path) -> None:
    rows: list[Json] = [
        {"case_id": "c1", "answer": "accept", "label": "SHOWN"},
        {"meta": {"case_id": "c2"}, "answer": "reject", "label": "SHOWN"},
        {"case_id": "c3", "answer": "ignore"},
        {"case_id": "c4", "answer": "accept", "accept": ["fail"]},
        {"case_id": "c5", "answer": "accept", "accept": ["billing"]},
    ]
    hashes = {"text": "t", "_input_hash": 1, "_task_hash": 2, "_annotator_id": "ana"}
    labels = read(tmp_path, "p.jsonl", "\n".join(json.dumps({**hashes, **row}) for row in rows))
    assert labels.failures == {"c1": 0, "c2": 1, "c4": 1}
    assert labels.texts == {"c5": "billing"}
    assert labels.unsure == ("c3",)
    assert labels.labels["c1"].by == "ana"
    assert "an export of Prodigy, 5 records with 5 annotations by 1 person ('ana')" in labels.notes[0]


def test_the_time_of_an_annotation_is_read_and_remarks_in_the_data_are_not_a_person_s(tmp_path: Path) -> None:
    annotation = {
        "id": 1, "completed_by": 7, "was_cancelled": False, "lead_time": 8.5, "created_at": "2026-11-20T10:00:00Z",
        "result": [{"from_name": "verdict", "type": "choices", "value": {"choices": ["fail"]}}],
    }  # fmt: skip
    task = {"id": 1, "data": {"case_id": "c1", "comment": "of the log"}, "annotations": [annotation], "predictions": []}
    label = read(tmp_path, "ls.json", json.dumps([task])).labels["c1"]
    assert (label.seconds, label.at, label.note) == (8.5, "2026-11-20T10:00:00.000000+00:00", "")


def test_a_choice_in_prodigy_is_a_label_or_a_verdict_as_its_task_asks(tmp_path: Path) -> None:
    cases = {f"c{n}": Case(f"c{n}", (Message("user", "same text"),), Source("a", n), target="no") for n in range(3)}
    picks = [Pick(name, rank, "random", 0.5, "eval") for rank, name in enumerate(cases, 1)]
    rows = sorted(queue_rows(picks, cases=cases, scores={}, answers_of=lambda _: ()), key=lambda row: row.case_id)
    fixed = [replace(rows[0], labels=("yes", "no", "none")), replace(rows[1], labels=("yes", "no", "none")), rows[2]]
    tasks = [json.loads(line) for line in b"".join(PRODIGY.write(fixed)).splitlines()]
    assert len({task["_task_hash"] for task in tasks}) == len({task["_input_hash"] for task in tasks}) == 3
    assert [[option["id"] for option in task["options"]] for task in tasks] == [
        ["yes", "no", "none"], ["yes", "no", "none"], ["pass", "fail", "unsure"],
    ]  # fmt: skip
    for task, choice in zip(tasks, ("no", "none", "fail"), strict=True):
        task |= {"answer": "accept", "accept": [choice]}
    path = tmp_path / "label_queue.prodigy.jsonl"
    path.write_text("".join(json.dumps(task) + "\n" for task in tasks), encoding="utf-8")
    labels = read_labels([str(path)])
    assert labels.rejected == ()
    assert labels.texts == {"c0": "no", "c1": "none"}
    assert labels.failures == {"c2": 1.0}
