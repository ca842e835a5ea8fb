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
    assert columns_by_role(("id", "table", "remark", "created_at")) == {"case_id": ("id",)}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_short_and_empty_rows_are_no_matter(tmp_path: Path, delimiter: str) -> None:
    rows = ["case_id,verdict,label,labelled_by", "c1,pass", "", ",,,", "c2,,red", "c3"]
    labels = read(tmp_path, "\r\n".join(rows).replace(",", delimiter))
    assert (labels.failures, labels.texts, labels.rejected) == ({"c1": 0}, {"c2": "red"}, ())


def test_rows_are_named_as_the_sheet_counts_them(tmp_path: Path) -> None:
    labels = read(tmp_path, 'case_id,input,verdict\nc1,"a\nb\nc",pass\n\nc2,"d\ne",perhaps\n')
    assert [(row.source.line, row.reason) for row in labels.rejected] == [(4, "the verdict 'perhaps' is not clear")]


def test_json_without_a_key_of_a_label_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LogsError) as caught:
        read(tmp_path, '{"id": "c1", "sentiment": "bad"}\n', "a.jsonl")
    assert "no column 'verdict' or 'wrong' or 'label'; the columns are 'id', 'sentiment'" in caught.value.what


def test_an_error_in_the_column_of_the_person_names_nobody(tmp_path: Path) -> None:
    assert read(tmp_path, "id,annotator,verdict\nc1,#N/A,pass\n").labels["c1"].by == ""
