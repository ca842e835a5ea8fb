"""Labels that cannot be answers: they are listed with their rows, and never used."""

from __future__ import annotations

from pathlib import Path

import pytest

from curator.labels.merge import LabelSet
from curator.labels.read import read_labels


def read(tmp_path: Path, rows: str, header: str = "case_id,label", answers: tuple[str, ...] = ()) -> LabelSet:
    (tmp_path / "a.csv").write_text(f"{header}\n{rows}\n", encoding="utf-8")
    return read_labels([str(tmp_path / "a.csv")], answers=answers)


@pytest.mark.parametrize(
    "cell",
    [
        "#NAME?", "#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#BEZUG!", "#NV", "#N/D", "#\u00a1REF!",
        "#\u00bfNOMBRE?", "#\u0417\u041d\u0410\u0427!", "#\u0418\u041c\u042f?", "########", "Err:508", " #name? ",
    ],
)  # fmt: skip
def test_an_error_of_a_spreadsheet_is_never_an_answer(tmp_path: Path, cell: str) -> None:
    labels = read(tmp_path, f"c1,{cell}\nc2,red", answers=(cell,))
    assert labels.texts == {"c2": "red"}
    (rejected,) = labels.rejected
    assert (rejected.source.line, "an error of the spreadsheet" in rejected.reason) == (2, True)
    assert read(tmp_path, f'c1,"""{cell.strip()}"""').texts == {}


@pytest.mark.parametrize(
    "cell", ["nan", "NaN", "None", "NULL", "n/a", "N.A.", "TBD", "todo", "?", "??", "-", "x", "done", "\u2026"]
)
def test_a_placeholder_is_used_only_where_production_answers_so(tmp_path: Path, cell: str) -> None:
    labels = read(tmp_path, f"c1,{cell}")
    assert labels.texts == {}
    assert "is a placeholder, not an answer" in labels.rejected[0].reason
    assert read(tmp_path, f"c1,{cell}", answers=("red", cell.lower())).texts == {"c1": cell}
    assert read(tmp_path, f"c1,{cell},,\nc2,red,{cell},", "case_id,label,target,task").texts == {
        "c1": cell,
        "c2": "red",
    }


@pytest.mark.parametrize("cell", ["nan", "?", "yes"])
def test_the_remedy_of_quotes_leads_to_the_answer(tmp_path: Path, cell: str) -> None:
    (rejected,) = read(tmp_path, f"c1,{cell}").rejected
    assert "put it in quotes" in rejected.remedy
    assert read(tmp_path, f'c1,"""{cell}"""').texts == {"c1": cell}


@pytest.mark.parametrize("cell", ["ok", "Yes", "\U0001f44d", "\u2713", "pass", "wrong"])
def test_a_verdict_in_the_column_of_answers_is_said(tmp_path: Path, cell: str) -> None:
    labels = read(tmp_path, f"c1,{cell}")
    assert (labels.texts, labels.failures) == ({}, {})
    assert "is a verdict, not an answer" in labels.rejected[0].reason
    assert "into the column `verdict`" in labels.rejected[0].remedy


def test_a_question_of_yes_or_no_has_both_answers(tmp_path: Path) -> None:
    assert read(tmp_path, "c1,yes\nc2,False", answers=("No.",)).texts == {"c1": "yes", "c2": "False"}
    assert read(tmp_path, "c1,no,boolean", "case_id,label,kind").texts == {"c1": "no"}


def test_the_committee_s_answers_count_as_well(tmp_path: Path) -> None:
    rows = 'c1,none,"3 x red\n2 x None"'
    assert read(tmp_path, rows, "case_id,label,alternatives").texts == {"c1": "none"}


def test_a_doubted_label_leaves_its_verdict(tmp_path: Path) -> None:
    labels = read(tmp_path, "c1,#REF!,fail", "case_id,label,verdict")
    assert (labels.failures, labels.texts, len(labels.rejected)) == ({"c1": 1}, {}, 1)


@pytest.mark.parametrize(
    "cell", ["#hashtag", "# 5", "C#", "#1", "none of these", "-5", "3", "#fff", "x = 2", "Not applicable"]
)
def test_what_may_be_an_answer_is_used(tmp_path: Path, cell: str) -> None:
    assert read(tmp_path, f"c1,{cell}").texts == {"c1": cell}
