from pathlib import Path

import pytest

from curator.errors import LogsError
from curator.logs.labels import read_labels
from curator.records import Reference

DATA = Path(__file__).parents[1] / "data" / "logs"


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_label_sample() -> None:
    found = read_labels([str(DATA / "labels.csv")])
    assert found.labels == {
        "c01": Reference("delivery", "label", "ana"),
        "c03": Reference("-5", "label", "ana"),
        "c04": Reference("'quoted' word", "label", "ben"),
    }
    assert [problem.source.line for problem in found.problems] == [7, 8]
    conflict, nameless = found.problems
    assert "another label for 'c05'" in conflict.reason
    assert f"{DATA / 'labels.csv'}:6" in conflict.reason
    assert nameless.reason == "the `case_id` is empty"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t"])
def test_the_guard_against_formulas_is_taken_off_csv_cells_alone(tmp_path: Path, first: str) -> None:
    csv = read_labels([write(tmp_path / "a.csv", f"case_id,label\nc1,'{first}x\nc2,''{first}x\n")])
    assert {case: label.text for case, label in csv.labels.items()} == {"c1": f"{first}x".strip(), "c2": f"''{first}x"}
    text = f"'{first}x".replace("\t", "\\t")
    jsonl = read_labels([write(tmp_path / "a.jsonl", f'{{"case_id": "c1", "label": "{text}"}}\n')])
    assert jsonl.labels["c1"].text == f"'{first}x"


def test_jsonl_with_values_that_are_not_text(tmp_path: Path) -> None:
    lines = ['{"case_id": "a", "label": 3}', '{"case_id": "b", "label": {"x": 1}}', '{"case_id": "c", "label": null}']
    found = read_labels([write(tmp_path / "a.jsonl", "\n".join([*lines, '{"id": "d", "label": "x"}', "broken"]))])
    assert {case: label.text for case, label in found.labels.items()} == {"a": "3", "b": '{"x":1}'}
    assert [problem.source.line for problem in found.problems] == [4, 5]
    assert "no `case_id` among the keys 'id', 'label'" in found.problems[0].reason


def test_labels_agree_or_cancel_each_other_across_files(tmp_path: Path) -> None:
    one = write(tmp_path / "1.csv", "case_id,label\nsame,x\ndisputed,x\n")
    two = write(tmp_path / "2.csv", "case_id;label\nsame; x \ndisputed;y\ndisputed;x\n")
    found = read_labels([one, two])
    assert found.labels.keys() == {"same"}
    assert len(found.problems) == 1


def test_no_label_yet(tmp_path: Path) -> None:
    found = read_labels([write(tmp_path / "a.csv", "case_id,label\nc1,\nc2,  \n")])
    assert (found.labels, found.problems) == ({}, ())


def test_a_missing_column(tmp_path: Path) -> None:
    with pytest.raises(LogsError) as caught:
        read_labels([write(tmp_path / "a.csv", "case_id,labels\nc1,x\n")])
    assert "there is no column 'label'; the columns are 'case_id', 'labels'" in caught.value.what
    assert "did you mean 'labels'?" in caught.value.remedy


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(LogsError, match="no such file"):
        read_labels([str(tmp_path / "gone.csv")])


@pytest.mark.parametrize(
    ("cell", "slice_"), [("random", "random"), ("disagreement", "disagreement"), ("", None), ("x", None)]
)
def test_a_label_remembers_the_slice_it_was_asked_for(tmp_path: Path, cell: str, slice_: str | None) -> None:
    found = read_labels([write(tmp_path / "a.csv", f"case_id,slice,label\nc1,{cell},x\n")])
    assert found.labels["c1"].slice == slice_
