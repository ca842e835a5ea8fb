"""The cases that people disagree on go to one person, whose judgement decides them."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import pytest

from curator.errors import ConfigError
from curator.labels import JSONL
from curator.labels.adjudication import disputed_cases
from curator.labels.archive import labels_in
from curator.labels.merge import merge_rows
from curator.labels.queue import queue_rows
from curator.labels.read import read_labels
from curator.records import Case, Label, Message, Pick, Source, fingerprint
from curator.workflows.label_exchange import export_labels


def row(case_id: str, by: str, failure: float | None = None, text: str | None = None) -> Label:
    return Label(case_id, Source("a", 1), failure=failure, text=text, by=by)


SAID = (row("c1", "ana", 1.0), row("c1", "ben", 0.0), row("c2", "ana", 0.0), row("c2", "ben", 0.0), row("c3", "ana", text="x"),
        row("c3", "ben", text="y"))  # fmt: skip


def test_an_adjudicated_row_decides_in_whatever_order_it_comes() -> None:
    decisions = (row("c1", "Adjudication: eve", 0.0), row("c3", "adjudication", text="y"))
    assert merge_rows(SAID).failures == {"c1": 0.5, "c2": 0.0}
    assert disputed_cases(merge_rows(SAID)) == ("c1", "c3")
    for rows in itertools.islice(itertools.permutations([*SAID, *decisions]), 0, 40_000, 997):
        decided = merge_rows(rows)
        assert decided.failures == {"c1": 0.0, "c2": 0.0}
        assert decided.texts == {"c3": "y"}
        assert decided.rejected == ()
        assert disputed_cases(decided) == ()
        assert decided.agreement is not None
        assert decided.agreement.disputed == ("c1",)  # people still differ on it


def test_an_adjudicator_who_is_unsure_decides_nothing() -> None:
    undecided = merge_rows([*SAID, row("c1", "adjudication")])
    assert undecided.failures["c1"] == 0.5
    assert disputed_cases(undecided) == ("c1", "c3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cases = {f"c{n}": Case(f"c{n}", (Message("user", f"q{n}"),), Source("a", n), target="yes") for n in range(1, 4)}
    picks = [Pick(name, rank, "random", 0.25, "eval") for rank, name in enumerate(cases, 1)]
    rows = queue_rows(picks, cases=cases, scores={}, answers_of=lambda _: ())
    (tmp_path / JSONL.queue_name).write_bytes(b"".join(JSONL.write(rows)))
    return tmp_path


def test_only_disputed_cases_are_exported_and_their_decision_is_found(folder: Path) -> None:
    with pytest.raises(ConfigError, match="people disagree on no case"):
        export_labels(folder, "csv", folder, disputed=True)
    said = [("c1", "ana", "pass"), ("c1", "ben", "fail"), ("c2", "ana", "pass"), ("c2", "ben", "pass")]
    lines = [json.dumps({"case_id": i, "labelled_by": by, "verdict": verdict}) + "\n" for i, by, verdict in said]
    (folder / "label_queue.done.jsonl").write_text("".join(lines), encoding="utf-8")
    exported = export_labels(folder, "csv", f"{folder}/", disputed=True)
    assert (exported.path.name, exported.rows) == ("label_queue.adjudication.csv", 1)
    assert not read_labels([str(exported.path)]).touched
    with exported.path.open(encoding="utf-8-sig", newline="") as file:
        (cells,) = csv.DictReader(file)
    assert (cells["case_id"], cells["labelled_by"]) == ("c1", "adjudication")
    with exported.path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, cells)
        writer.writeheader()
        writer.writerow({**cells, "verdict": "fail"})
    decided = labels_in(folder)
    assert decided.failures == {"c1": 1.0, "c2": 0.0}
    assert decided.labels["c1"].slice == "random"
    assert disputed_cases(decided) == ()


def test_people_who_judged_different_answers_do_not_disagree(folder: Path) -> None:
    """The first one judged an answer that the queue has no more."""
    lines = [
        json.dumps({"case_id": "c1", "content_hash": fingerprint("c1", "q1", answer), "labelled_by": by, "verdict": verdict}) + "\n"
        for answer, by, verdict in (("no", "ana", "fail"), ("yes", "ben", "pass"))
    ]  # fmt: skip
    (folder / "label_queue.done.jsonl").write_text("".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError, match="people disagree on no case"):
        export_labels(folder, "csv", folder, disputed=True)


def test_disputed_cases_that_left_the_queue_are_named(folder: Path) -> None:
    lines = [
        json.dumps({"case_id": "gone", "labelled_by": by, "verdict": v}) + "\n"
        for by, v in (("a", "pass"), ("b", "fail"))
    ]
    (folder / "label_queue.done.jsonl").write_text("".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError, match="not in the label queue any more: gone"):
        export_labels(folder, "csv", folder, disputed=True)
