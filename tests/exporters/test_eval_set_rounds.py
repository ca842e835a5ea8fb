"""An eval set that grows by rounds, and the account of its changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import LogsError
from curator.exporters.eval_set import EVAL_SET, EvalRow, with_label
from curator.exporters.eval_set_rounds import (
    BY_HAND,
    CHANGES_FILE,
    FILE_GONE,
    REPEATED,
    TRAINED_ON,
    EarlierEvalSet,
    EvalSetRound,
    next_round,
    read_eval_set,
)
from curator.exporters.exporter import export_rows
from curator.io.atomic import json_lines, write_atomic
from curator.records import Case, Label, Message, Reference, Source, Verdict
from curator.run_folder.layout import EVAL_SET_CHANGES


def row(name: str, target: str = "right", **values: object) -> EvalRow:
    return replace(EvalRow(name, (Message("user", f"question {name}"),), target=target, group=name), **values)  # type: ignore[arg-type]


def case(name: str, target: str = "right", label: Label | None = None) -> Case:
    made = Case(name, (Message("user", f"question {name}"),), Source("log", 1), target, group=name)
    if label is None:
        return made
    reference = Reference(label.text, "label", label.by or None, at=label.at) if label.text is not None else None
    verdict = Verdict(label.failure) if label.failure is not None else None
    return replace(made, reference=reference, verdict=verdict)


def label(name: str, failure: float, text: str | None = None, at: str = "2026-11-02T09:00:00+00:00") -> Label:
    return Label(name, Source("queue.csv", 2), failure, text, "ann", at=at, people=("ann",))


def write(folder: Path, made: EvalSetRound) -> None:
    write_atomic(folder / EVAL_SET.file_name, export_rows(EVAL_SET, made.rows).chunks())
    write_atomic(folder / CHANGES_FILE, json_lines(change.to_json() for change in made.changes))


def night(folder: Path, *names: str, labels: dict[str, Label] | None = None, logs: dict[str, str] | None = None,
          trained_on: frozenset[str] = frozenset()) -> EvalSetRound:  # fmt: skip
    """A run on a folder that draws the named cases; `logs` has the answer to each case of the night."""
    earlier, labels = read_eval_set(folder), labels or {}
    logs = dict.fromkeys(names, "right") if logs is None else logs
    cases = {c.id: replace(c, **_labels_of(labels.get(c.id))) for c in earlier.cases}  # type: ignore[arg-type]
    cases |= {name: case(name, target, labels.get(name)) for name, target in logs.items()}
    drawn = [with_label(row(name, logs[name]), cases[name], labels.get(name)) for name in names]
    made = next_round(earlier, drawn, cases=cases, labels=labels, trained_on=trained_on, date="2026-11-02")
    write(folder, made)
    return made


def _labels_of(given_label: Label | None) -> dict[str, object]:
    if given_label is None:
        return {}
    labelled = case("x", label=given_label)
    return {"reference": labelled.reference, "verdict": labelled.verdict}


def kinds(made: EvalSetRound) -> list[tuple[str, str, str]]:
    return [(change.change, change.id, change.reason) for change in made.new]


def test_cases_stay_though_their_logs_are_gone_and_new_ones_come_behind(tmp_path: Path) -> None:
    first = night(tmp_path, "b", "a")
    assert (first.to_text(), [r.round for r in first.rows]) == ("", [1, 1])
    second = night(tmp_path, "c", "a")
    assert [(r.id, r.round) for r in second.rows] == [("b", 1), ("a", 1), ("c", 2)]
    assert kinds(second) == [("added", "c", "drawn")]
    assert "round 2: 1 added, 0 labels changed, 0 removed; 3 cases in all" in second.to_text()
    again = night(tmp_path, "c", "a")
    assert (again.new, again.rows, again.to_text()) == ((), second.rows, "")


def test_a_label_reaches_a_case_whose_logs_are_gone_and_stays_without_its_file(tmp_path: Path) -> None:
    night(tmp_path, "a")
    labelled = night(tmp_path, "b", labels={"a": label("a", 1.0, "better")})
    (change,) = [change for change in labelled.new if change.change == "label changed"]
    assert (change.id, change.round) == ("a", 2)
    assert change.before == {
        "verdict": None,
        "failure": None,
        "reference": None,
        "reference_by": None,
        "labelled_by": [],
    }
    assert change.after == {"verdict": "fail", "failure": 1.0, "reference": "better", "reference_by": "ann", "labelled_by": ["ann"]}  # fmt: skip
    later = night(tmp_path, "a", "b")
    assert {r.id: (r.verdict, r.reference, r.labelled_at) for r in later.rows}["a"] == (
        "fail", "better", "2026-11-02T09:00:00+00:00",
    )  # fmt: skip
    assert later.new == ()


def test_the_answer_that_was_judged_stays_with_its_verdict(tmp_path: Path) -> None:
    given_label = {"a": label("a", 1.0)}
    night(tmp_path, "a", labels=given_label, logs={"a": "wrong"})
    other = night(tmp_path, "a", labels=given_label, logs={"a": "another"})
    assert [(r.target, r.verdict) for r in other.rows] == [("wrong", "fail")]
    judged_anew = {"a": label("a", 0.0, at="2026-11-03T09:00:00+00:00")}
    new = night(tmp_path, "a", labels=judged_anew, logs={"a": "another"})
    assert [(r.target, r.verdict) for r in new.rows] == [("another", "pass")]


def test_a_line_taken_out_by_hand_stays_out_until_it_is_back(tmp_path: Path) -> None:
    night(tmp_path, "a", "b")
    path = tmp_path / EVAL_SET.file_name
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[1])
    without = night(tmp_path, "a", "b", "c")
    assert kinds(without) == [("removed", "a", BY_HAND), ("added", "c", "drawn")]
    assert [r.id for r in without.rows] == ["b", "c"]
    assert "1 case no longer in eval_set.jsonl" in without.warnings[0]
    assert [r.id for r in night(tmp_path, "a").rows] == ["b", "c"]
    path.write_bytes(path.read_bytes() + lines[0])
    back = night(tmp_path, "b")
    assert [(change.change, change.id) for change in back.new] == [("added", "a")]


def test_the_line_of_a_removed_case_can_be_put_back(tmp_path: Path) -> None:
    night(tmp_path, "a", labels={"a": label("a", 1.0, "better")})
    removed = night(tmp_path, "b", trained_on=frozenset("a"))
    assert kinds(removed) == [("removed", "a", TRAINED_ON), ("added", "b", "drawn")]
    line = read_eval_set(tmp_path).changes[-2].row
    assert EvalRow.from_json(line).reference == "better"


def test_a_set_that_was_taken_away_begins_anew(tmp_path: Path) -> None:
    night(tmp_path, "a", "b")
    (tmp_path / EVAL_SET.file_name).unlink()
    anew = night(tmp_path, "b", "c")
    assert kinds(anew) == [("removed", "a", FILE_GONE), ("removed", "b", FILE_GONE), ("added", "b", "drawn"), ("added", "c", "drawn")]  # fmt: skip
    assert [r.id for r in night(tmp_path, "c").rows] == ["b", "c"]


def test_columns_of_others_and_lines_written_by_hand_stay(tmp_path: Path) -> None:
    night(tmp_path, "a")
    path = tmp_path / EVAL_SET.file_name
    (line,) = map(orjson.loads, path.read_bytes().splitlines())
    by_hand = [line | {"owner": "team x"}, {"id": "mine", "input": [{"role": "user", "content": "q"}], "slice": "random", "inclusion_probability": 1}, line | {"note": "b"}]  # fmt: skip
    path.write_bytes(b"\n".join(map(orjson.dumps, by_hand)))
    made = night(tmp_path, "a")
    assert [(r.id, dict(r.further)) for r in made.rows] == [("a", {"owner": "team x"}), ("mine", {})]
    assert [(change.change, change.id) for change in made.new] == [("removed", "a"), ("added", "mine")]
    assert made.new[0].reason == REPEATED


def test_cases_of_a_run_that_ended_early_are_drawn_anew_unless_labelled(tmp_path: Path) -> None:
    made = next_round(EarlierEvalSet(), [row("a"), row("b", failure=0.0)], cases={}, labels={})
    write_atomic(tmp_path / EVAL_SET.file_name, export_rows(EVAL_SET, made.rows).chunks())
    manifest = {"config": {"name": "n", "logs": {"paths": []}, "selection": {}}, "seed": 0, "stopped": "the budget"}
    (tmp_path / "manifest.json").write_bytes(orjson.dumps(manifest))
    complete = night(tmp_path, "c")
    assert [r.id for r in complete.rows] == ["b", "c"]
    assert {change.reason for change in complete.new} == {"drawn"}


def test_a_damaged_set_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / EVAL_SET.file_name).write_text('{"id": 1}\n')
    with pytest.raises(LogsError, match=r"eval_set.jsonl', line 1: `id` is 1") as error:
        read_eval_set(tmp_path)
    assert "move eval_set.jsonl and eval_set.changes.jsonl away together" in str(error.value.remedy)


def test_the_file_has_one_name() -> None:
    assert EVAL_SET_CHANGES.name == CHANGES_FILE


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True, max_size=4), max_size=6))
def test_no_case_is_ever_lost_and_the_changes_give_the_set(nights: list[list[str]]) -> None:
    earlier = EarlierEvalSet()
    for names in nights:
        made = next_round(earlier, map(row, names), cases={}, labels={})
        earlier = EarlierEvalSet({r.id: r for r in made.rows}, changes=made.changes)
    drawn = list(dict.fromkeys(name for names in nights for name in names))
    assert list(earlier.rows) == drawn == [change.id for change in earlier.changes]
