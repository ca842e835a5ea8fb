import csv
import io
import json
from pathlib import Path

import pytest

from curator.errors import LogsError
from curator.labels.queue import queue_rows
from curator.labels.read import read_labels
from curator.labels.rows import probability_of
from curator.labels.spreadsheet import csv_chunks
from curator.records import CUT_NOTE, Case, Message, Pick, Source, fingerprint

DATA = Path(__file__).parents[1] / "data" / "logs"


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_label_sample() -> None:
    found = read_labels([str(DATA / "labels.csv")])
    assert {case_id: (label.text, label.by) for case_id, label in found.labels.items()} == {
        "c01": ("delivery", "ana"),
        "c03": ("-5", "ana"),
        "c04": ("'quoted' word", "ben"),
    }
    assert [problem.source.line for problem in found.rejected] == [7, 8]
    conflict, nameless = found.rejected
    assert "another label for 'c05'" in conflict.reason
    assert f"{DATA / 'labels.csv'}:6" in conflict.reason
    assert nameless.reason == "the `case_id` is empty"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t"])
def test_the_guard_against_formulas_is_taken_off_csv_cells_alone(tmp_path: Path, first: str) -> None:
    csv = read_labels([write(tmp_path / "a.csv", f"case_id,label\nc1,'{first}red\nc2,''{first}red\n")])
    assert csv.texts == {"c1": f"{first}red".strip(), "c2": f"''{first}red"}
    text = f"'{first}red".replace("\t", "\\t")
    jsonl = read_labels([write(tmp_path / "a.jsonl", f'{{"case_id": "c1", "label": "{text}"}}\n')])
    assert jsonl.labels["c1"].text == f"'{first}red"


def test_jsonl_with_values_that_are_not_text(tmp_path: Path) -> None:
    lines = ['{"case_id": "a", "label": 3}', '{"case_id": "b", "label": {"x": 1}}', '{"case_id": "c", "label": null}']
    found = read_labels([write(tmp_path / "a.jsonl", "\n".join([*lines, '{"no": "d", "label": "x"}', "broken"]))])
    assert found.texts == {"a": "3", "b": '{"x":1}'}
    assert [problem.source.line for problem in found.rejected] == [4, 5]
    assert "no `case_id` (or `id`) among the keys 'no', 'label'" in found.rejected[0].reason


def test_an_id_names_the_case_too(tmp_path: Path) -> None:
    assert read_labels([write(tmp_path / "a.jsonl", '{"id": "d", "label": "red"}\n')]).labels.keys() == {"d"}


def test_labels_agree_or_cancel_each_other_across_files(tmp_path: Path) -> None:
    one = write(tmp_path / "1.csv", "case_id,label\nsame,red\ndisputed,red\n")
    two = write(tmp_path / "2.csv", "case_id;label\nsame; red \ndisputed;blue\ndisputed;red\n")
    found = read_labels([one, two])
    assert found.labels.keys() == {"same"}
    assert len(found.rejected) == 1


def test_no_label_yet(tmp_path: Path) -> None:
    found = read_labels([write(tmp_path / "a.csv", "case_id,label\nc1,\nc2,  \n")])
    assert (found.labels, found.rejected) == ({}, ())


def test_a_missing_column(tmp_path: Path) -> None:
    with pytest.raises(LogsError) as caught:
        read_labels([write(tmp_path / "a.csv", "case_id,remark\nc1,x\n")])
    assert "no column 'verdict' or 'wrong' or 'label'; the columns are 'case_id', 'remark'" in caught.value.what


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(LogsError, match="no such file"):
        read_labels([str(tmp_path / "gone.csv")])


@pytest.mark.parametrize(
    ("cell", "slice_"), [("random", "random"), ("disagreement", "disagreement"), ("", None), ("x", None)]
)
def test_a_label_remembers_the_slice_it_was_asked_for(tmp_path: Path, cell: str, slice_: str | None) -> None:
    found = read_labels([write(tmp_path / "a.csv", f"case_id,slice,label\nc1,{cell},red\n")])
    assert found.labels["c1"].slice == slice_


def verdicts_of(tmp_path: Path, *cells: str) -> tuple[dict[str, float], list[str]]:
    rows = "".join(f"c{i},{cell}\n" for i, cell in enumerate(cells))
    found = read_labels([write(tmp_path / "a.csv", f"case_id,verdict\n{rows}")])
    return dict(found.failures), [p.reason for p in found.rejected]


@pytest.mark.parametrize(
    ("cell", "failure"),
    [
        ("pass", 0), (" Passed. ", 0), ("OK", 0), ("correct", 0), ("\U0001f44d\U0001f3fd", 0), ("\u2705", 0), ("TRUE", 0),
        ("1", 0), ("1.0", 0), ("100%", 0), ("fail", 1), ("wrong", 1), ("thumbs_down", 1), ("\u274c", 1), ("0", 1),
        ("0.25", 0.75), ("25%", 0.75), ('"0,25"', 0.75), (".5", 0.5), ("not ok", 1), ("no", 1),
    ],
)  # fmt: skip
def test_a_verdict_says_how_good_the_answer_is(tmp_path: Path, cell: str, failure: float) -> None:
    assert verdicts_of(tmp_path, cell) == ({"c0": failure}, [])


@pytest.mark.parametrize("cell", ["perhaps", "partly", "-1", "A"])
def test_an_unclear_verdict_is_told(tmp_path: Path, cell: str) -> None:
    found, problems = verdicts_of(tmp_path, cell, "pass")
    assert found == {"c1": 0}
    assert problems == [f"the verdict {cell!r} is not clear"]


def test_a_one_beside_larger_numbers_may_be_a_star_of_five(tmp_path: Path) -> None:
    found, problems = verdicts_of(tmp_path, "1", "5", "pass")
    assert found == {"c2": 0}
    assert problems == [
        "the verdict '1' is not clear, as other numbers of this file are above 1",
        "the verdict '5' is not clear",
    ]


def test_a_row_with_an_unclear_verdict_keeps_its_label(tmp_path: Path) -> None:
    found = read_labels(
        [write(tmp_path / "a.csv", "case_id,verdict,label\nc1,perhaps,red\nc2,unsure,\nc3,,\nc4,unsure,blue\n")]
    )
    assert found.texts.keys() == {"c1", "c4"}
    assert found.unsure == ("c2",)
    assert len(found.rejected) == 1
    assert found.touched


def test_people_are_averaged_and_one_who_contradicts_himself_is_not_used(tmp_path: Path) -> None:
    rows = "c1,pass,ana\nc1,fail,ben\nc2,pass,ana\nc2,fail,ana\nc3,unsure,ana\nc3,fail,ben\n"
    found = read_labels([write(tmp_path / "a.csv", f"case_id,verdict,labelled_by\n{rows}")])
    assert found.failures == {"c1": 0.5, "c3": 1}
    assert [(p.source.line, p.reason) for p in found.rejected] == [
        (5, f"another verdict for 'c2' than at {tmp_path / 'a.csv'}:4: 'ana' wrote fail, 'ana' pass")
    ]
    assert found.unsure == ()
    assert found.agreement is not None
    assert (found.agreement.cases, found.agreement.disputed) == (1, ("c1",))


def test_a_row_of_another_case_is_not_used(tmp_path: Path) -> None:
    mark = fingerprint("c1", "Where is it?")
    rows = f"c1,{mark},Where is it?,pass\nc2,{mark},Where is it?,fail\n"
    found = read_labels([write(tmp_path / "a.csv", f"case_id,content_hash,input,verdict\n{rows}")])
    assert found.failures == {"c1": 0}
    assert "the `content_hash` beside 'c2' is another case's" in found.rejected[0].reason


def test_an_edited_input_is_told_once_and_used(tmp_path: Path) -> None:
    rows = "".join(f"c{i},{fingerprint(f'c{i}', 'Where?')},Where not?,fail\n" for i in range(3))
    found = read_labels([write(tmp_path / "a.csv", f"case_id,content_hash,input,verdict\n{rows}")])
    assert found.failures.keys() == {"c0", "c1", "c2"}
    assert [p.reason for p in found.rejected] == [
        "the input was edited here and in 2 more records; the labels are used all the same"
    ]


@pytest.mark.parametrize("text", ["=1+1 is\r\nwhat?\x00 \u202e", "word " * 9000, "@", "don\u2019t\ud800 go"])
def test_what_the_queue_shows_comes_back_untouched(tmp_path: Path, text: str) -> None:
    case = Case("c1", (Message("user", text),), Source("a", 1))
    rows = list(
        queue_rows([Pick("c1", 1, "random", 0.5, "eval")], cases={"c1": case}, scores={}, answers_of=lambda _: ())
    )
    (table,) = csv.DictReader(io.StringIO(b"".join(csv_chunks(rows)).decode("utf-8-sig"), newline=""))
    sheet = io.StringIO(newline="")
    csv.writer(sheet).writerows([table.keys(), (table | {"verdict": "fail"}).values()])
    data = sheet.getvalue().encode()
    (tmp_path / "a.csv").write_bytes(data)
    assert (CUT_NOTE in data.decode()) == (len(text) > 40_000)
    found = read_labels([str(tmp_path / "a.csv")])
    assert (found.failures, found.rejected) == ({"c1": 1}, ())


def test_a_chance_with_a_decimal_comma_is_one() -> None:
    assert [probability_of(cell) for cell in ("0,25", "0.25", 0.25, "2", "?", None)] == [0.25, 0.25, 0.25, 1, 1, 1]


def test_what_a_person_adds_to_a_label_is_read(tmp_path: Path) -> None:
    row = {
        "case_id": "c1", "verdict": "fail", "note": "out of date", "corrected_category": "old prices", "labelled_by": "ana",
        "seconds": 12.5, "labelled_at": "2026-11-30T11:00:00+01:00",
    }  # fmt: skip
    found = read_labels([write(tmp_path / "label_queue.done.jsonl", json.dumps(row) + "\n")]).labels["c1"]
    assert (found.note, found.category, found.seconds) == ("out of date", "old prices", 12.5)
    assert found.at == "2026-11-30T10:00:00.000000+00:00"
    table = "case_id,verdict,Comment,corrected_category,seconds\nc1,pass,nan,nan,nan\nc2,,who knows,,x\nc3,,,,3\n"
    sheet = read_labels([write(tmp_path / "a.csv", table)])
    assert (sheet.labels["c1"].note, sheet.labels["c1"].category, sheet.labels["c1"].seconds) == ("", None, None)
    assert sheet.unsure == ("c2",)
    assert sheet.labels["c2"].note == "who knows"
    assert any("`note` from 'Comment'" in note for note in sheet.notes)


@pytest.mark.parametrize(
    "header", ["case_id,content_hash,input,target,verdict", "case_id,content_hash,conversation,answer,verdict"]
)
def test_the_columns_of_earlier_queues_are_read(tmp_path: Path, header: str) -> None:
    mark = fingerprint("c1", "[user]\nWhere?")
    found = read_labels([write(tmp_path / "a.csv", f'{header}\nc1,{mark},"[user]\nWhere?",there,pass\n')])
    assert (found.failures, found.rejected, found.notes) == ({"c1": 0}, (), ())


def test_an_edited_question_is_told(tmp_path: Path) -> None:
    mark = fingerprint("c1", "[user]\nWhere?")
    rows = f"Where?,pass,c1,{mark}\nWhen?,pass,c1,{mark}\n"
    found = read_labels([write(tmp_path / "a.csv", f"question,verdict,case_id,content_hash\n{rows}")])
    assert [(problem.source.line, problem.reason[:20]) for problem in found.rejected] == [(3, "the input was edited")]
