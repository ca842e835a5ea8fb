"""Label files that people and their spreadsheets changed: columns, rows and persons are still found."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.errors import LogsError
from curator.labels.columns import columns_by_role
from curator.labels.merge import LabelSet
from curator.labels.read import read_labels


def read(tmp_path: Path, text: str, name: str = "a.csv") -> LabelSet:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    return read_labels([str(tmp_path / name)])


@pytest.mark.parametrize(
    "header", ["Case ID,Verdict", " case_id , VERDICT ", "caseId,verdict (pass/fail)", "ID,Judgement", "case_id,verdit"]
)
def test_a_renamed_column_is_found(tmp_path: Path, header: str) -> None:
    assert read(tmp_path, f"{header}\nc1,fail\n").failures == {"c1": 1}


@pytest.mark.parametrize(
    "column",
    ["annotator", "labelled_by", "labeled_by", "Labeler", "Reviewer", "reviewer_name", "completed_by", "user", "Annotator ID",
     "Checked by", "rater", "_annotator_id", "reviewed by (initials)"],
)  # fmt: skip
def test_the_person_is_found_under_every_usual_name(tmp_path: Path, column: str) -> None:
    labels = read(tmp_path, f"id,{column},verdict\nc1,ana,pass\nc1,ben,fail\n")
    assert labels.failures == {"c1": 0.5}
    assert labels.rejected == ()
    assert labels.agreement is not None


def test_other_names_are_said_and_the_own_ones_are_not(tmp_path: Path) -> None:
    renamed = read(tmp_path, "Case,Reviewer,verdict\nc1,ana,pass\n")
    assert renamed.notes == (
        f"{tmp_path / 'a.csv'}: the columns are read as `case_id` from 'Case', `labelled_by` from 'Reviewer'",
    )
    assert read(tmp_path, "id,labelled_by,verdict\nc1,ana,pass\n").notes == ()


def test_of_two_columns_of_a_role_the_one_that_is_filled_in_counts(tmp_path: Path) -> None:
    labels = read(tmp_path, "case_id,label,correction\nc1,,red\nc2,blue,red\n")
    assert labels.texts == {"c1": "red", "c2": "blue"}


def test_a_column_of_another_meaning_is_not_taken() -> None:
    assert columns_by_role(("id", "table", "colour", "created_at")) == {"case_id": ("id",)}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_short_and_empty_rows_are_no_matter(tmp_path: Path, delimiter: str) -> None:
    rows = ["case_id,verdict,label,labelled_by", "c1,pass", "", ",,,", "c2,,red", "c3"]
    labels = read(tmp_path, "\r\n".join(rows).replace(",", delimiter))
    assert (labels.failures, labels.texts, labels.rejected) == ({"c1": 0}, {"c2": "red"}, ())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_files_of_every_spreadsheet_are_read(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = ["Case ID,Label,Reviewer", *(f"c{i},M\u00fcnchen ist sch\u00f6n {i},J\u00fcrgen" for i in range(8))]
    (tmp_path / "a.csv").write_bytes("\r\n".join(rows).replace(",", delimiter).encode(encoding))
    labels = read_labels([str(tmp_path / "a.csv")])
    assert labels.texts["c7"] == "M\u00fcnchen ist sch\u00f6n 7"
    assert labels.labels["c0"].by == "J\u00fcrgen"
    assert any("windows-1252" in note for note in labels.notes) == (encoding == "cp1252")
    assert "logs:" not in "".join(labels.notes)


def test_a_workbook_is_read_as_its_csv_is(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for row in [
        ["Labels of May"], ["Case ID", "Input", "Verdict", "Label", "Checked by"], ["c1", "a\nb", True, None, "ana"], [],
        ["c1", "a\nb", "fail", None, "ben"], ["c2", "q", None, "#NAME?"], ["c3", "q", None, 42], ["c4", "q", "perhaps"],
    ]:  # fmt: skip
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    labels = read_labels([str(tmp_path / "a.xlsx")])
    assert (labels.failures, labels.texts) == ({"c1": 0.5}, {"c3": "42"})
    assert [row.source.line for row in labels.rejected] == [6, 8]
    assert labels.agreement is not None


def test_rows_are_named_as_the_sheet_counts_them(tmp_path: Path) -> None:
    labels = read(tmp_path, 'case_id,input,verdict\nc1,"a\nb\nc",pass\n\nc2,"d\ne",perhaps\n')
    assert [(row.source.line, row.reason) for row in labels.rejected] == [(4, "the verdict 'perhaps' is not clear")]


def test_json_without_a_key_of_a_label_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LogsError) as caught:
        read(tmp_path, '{"id": "c1", "sentiment": "bad"}\n', "a.jsonl")
    assert "no column 'verdict' or 'wrong' or 'label'; the columns are 'id', 'sentiment'" in caught.value.what


def test_an_error_in_the_column_of_the_person_names_nobody(tmp_path: Path) -> None:
    assert read(tmp_path, "id,annotator,verdict\nc1,#N/A,pass\n").labels["c1"].by == ""


def test_the_only_column_of_verdicts_is_the_verdict_under_any_name(tmp_path: Path) -> None:
    rows = "c1,pass,seen,yes\nc2,,twice,yes\nc3,wrong,,no\n"
    labels = read(tmp_path, f"id,what ana thinks,remark,reviewed\n{rows}")
    assert labels.failures == {"c1": 0, "c3": 1}
    assert "`verdict` from 'what ana thinks'" in labels.notes[0]
    with pytest.raises(LogsError, match="no column 'verdict' or 'wrong' or 'label'"):
        read(tmp_path, "id,first,second\nc1,pass,fail\n")


def test_an_empty_cell_that_a_program_wrote_as_nan_is_empty(tmp_path: Path) -> None:
    header = "case_id,content_hash,slice,inclusion_probability,verdict,labelled_by"
    labels = read(tmp_path, f"{header}\nc1,nan,nan,nan,fail,nan\nc2,nan,nan,nan,NaN,nan\nc3,nan,nan,nan,<NA>,None\n")
    assert (labels.failures, labels.rejected) == ({"c1": 1}, ())
    assert (labels.labels["c1"].by, labels.labels["c1"].slice) == ("", None)
