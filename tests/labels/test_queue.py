"""The label queue, and that a spreadsheet neither runs nor spoils it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.config import LabellingConfig
from curator.labels.guard import guarded, unguarded
from curator.labels.queue import QueueRow, queue_rows, readable
from curator.labels.sheet import CELL_LIMIT, NAMES, NO_ANSWER
from curator.labels.spreadsheet import csv_chunks
from curator.records import (
    FORMULA_STARTS,
    Case,
    Category,
    Document,
    Message,
    Pick,
    Reference,
    Score,
    Source,
    ToolCall,
    fingerprint,
    fingerprint_fits,
)
from curator.report.answer_groups import AnswerGroup

CASE = Case("c1", (Message("system", "Route it."), Message("user", "Hi,\nrefund?")), Source("a", 1), target="=1+1")
SCORE = Score("c1", 2 / 3, 0.1, 0.2, 2 / 3, "label", "s-1", "refund", 0.75, 4)
ANSWERS = (AnswerGroup("refund", 3, ("plain",)), AnswerGroup("y" * 400, 1, ("careful",)))

ALONE = LabellingConfig()


def rows_of(*cases: Case, labelling: LabellingConfig = ALONE) -> list[QueueRow]:
    picks = [Pick(c.id, rank, "disagreement", 1.0, "eval") for rank, c in enumerate(cases)]
    return list(
        queue_rows(
            picks[::-1],
            cases={c.id: c for c in cases},
            scores={"c1": SCORE},
            answers_of=lambda _: ANSWERS,
            labels_of=lambda _: ("refund", "track"),
            categories=[Category("k", "money", (), ("c1",))],
            labelling=labelling,
        )
    )


def table_of(rows: list[QueueRow]) -> list[dict[str, str]]:
    data = b"".join(csv_chunks(rows))
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_row_shows_the_case_and_leaves_the_label_open() -> None:
    (row,) = table_of(rows_of(CASE))
    assert list(row.items()) == [
        ("question", "Hi,\nrefund?"),
        ("answer", "'=1+1"),
        ("verdict", ""),
        ("label", ""),
        ("note", ""),
        ("labelled_by", ""),
        ("batch", "1"),
        ("input", "[system]\nRoute it.\n\n[user]\nHi,\nrefund?"),
        ("alternatives", "3 x refund\n1 x " + "y" * 300 + " ..."),
        ("documents", ""),
        ("category", "money"),
        ("corrected_category", ""),
        ("allowed_labels", "refund\ntrack"),
        ("task", ""),
        ("kind", "label"),
        ("target", "'=1+1"),
        ("committee_majority", "refund"),
        ("agreement", "0.75"),
        ("disagreement", "0.6667"),
        ("split", "eval"),
        ("case_id", "c1"),
        ("content_hash", fingerprint("c1", "[system]\nRoute it.\n\n[user]\nHi,\nrefund?", "=1+1")),
        ("slice", "disagreement"),
        ("inclusion_probability", "1"),
    ]


def test_a_case_without_an_answer_says_so_and_one_question_is_shown_once() -> None:
    asked = replace(
        CASE, messages=(Message("user", "Where is it?"),), target=None, documents=(Document("Here.", "kb"),)
    )
    (row,) = table_of(rows_of(asked))
    assert (row["question"], row["answer"], row["input"], row["target"]) == ("Where is it?", NO_ANSWER, "", "")
    assert row["documents"] == "[kb]\nHere."


def test_a_case_with_a_reference_needs_no_label() -> None:
    labelled = replace(CASE, id="c2", reference=Reference("refund", "correction"))
    other = replace(CASE, id="c3")
    assert {row.case_id for row in rows_of(other, labelled, CASE)} == {"c3", "c1"}


def test_the_rows_come_batch_by_batch_with_those_who_label_them() -> None:
    cases = [replace(CASE, id=f"c{i}") for i in range(1, 9)]
    rows = rows_of(*cases, labelling=LabellingConfig(batch_size=4, annotators=("ana", "ben"), overlap=0.25))
    assert [(row.batch, row.annotator) for row in rows] == [
        *[(1, "ana")] * 4, (1, "ben"), *[(2, "ben")] * 4, (2, "ana"),
    ]  # fmt: skip
    assert {row.case_id for row in rows[:5]} == {"c1", "c2", "c3", "c4"}


def test_the_json_row_holds_every_text_as_it_is() -> None:
    row = rows_of(CASE)[0].to_json()
    assert set(row) == {*NAMES, "messages"} - {"question", "answer"}
    assert row["target"] == "=1+1"
    assert row["alternatives"] == [
        {"text": "refund", "count": 3, "is_target": False},
        {"text": "y" * 400, "count": 1, "is_target": False},
    ]


@given(st.text(max_size=20) | st.sampled_from(FORMULA_STARTS).flatmap(lambda c: st.just(c + "cmd|x")))
def test_no_cell_starts_a_formula_and_the_guard_comes_off_again(text: str) -> None:
    cell = guarded(text)
    assert not cell.startswith(FORMULA_STARTS)
    assert unguarded(cell) == text or text.startswith("'")


@pytest.mark.parametrize(
    "text",
    ["00123", "1E5", "3-4", "3/4", "1.50", "1.235e-05", "4.3.2026", "2026-04-03T10:00", "Mar-4", "4 March", "SEPT2", "10:30",
     "9 am", "50%", "$3", "1,000", "123456789012", " 7"],
)  # fmt: skip
def test_what_a_spreadsheet_would_change_is_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["7", "0", "0.25", "12345678901", "3 apples", "c0ffee12", "May", "no. 7", "30 days"])
def test_what_a_spreadsheet_leaves_alone_is_not_guarded(text: str) -> None:
    assert guarded(text) == text


@given(st.text(max_size=40))
def test_any_text_leaves_the_table_whole(text: str) -> None:
    (row,) = table_of(rows_of(replace(CASE, target=text, task=text)))
    assert set(row) == set(NAMES)
    assert row["case_id"] == "c1"
    assert "\x00" not in row["target"]


def test_a_row_comes_back_as_it_was_written() -> None:
    case = replace(
        CASE,
        messages=(
            Message("system", "Be kind."),
            Message("user", "Where?"),
            Message("assistant", "Who?"),
            Message("user", "I"),
        ),
        documents=(Document("Parcels take two days.", "kb-1", 0.7, {"page": 3}), Document("Nothing")),
    )
    (row,) = rows_of(case)
    back = QueueRow.from_json(orjson.loads(orjson.dumps(row.to_json())))
    assert replace(back, alternatives=row.alternatives) == row
    assert (row.question, row.documents[0].id, row.labels) == ("I", "kb-1", ("refund", "track"))


@pytest.mark.parametrize(("character", "fit"), [("x", CELL_LIMIT), ("\U0001f600", CELL_LIMIT // 2)])
def test_a_text_too_long_for_a_cell_is_cut_with_a_note(character: str, fit: int) -> None:
    (row,) = table_of(rows_of(replace(CASE, target=character * (fit + 7))))
    assert row["answer"].endswith(f"{character} [7 more characters: see the JSONL file]")
    assert len(row["answer"].encode("utf-16-le")) < 2 * 32_767


def test_tool_calls_can_be_read() -> None:
    calls = Message("assistant", "", (ToolCall("t", "weather", '{"city":"Bonn"}'),))
    assert readable([calls]) == '[assistant]\n-> weather({"city":"Bonn"})'


def test_a_fingerprint_tells_an_edited_text_and_another_cases_row() -> None:
    mark = fingerprint("c1", "Is it 1.5?")
    assert mark.startswith("t")
    assert fingerprint_fits(mark, "c1", "Is it 1.5?") == (True, True)
    assert fingerprint_fits(mark, "c1", "Is  it\r\n1.5 ?\x00") == (True, True)
    assert fingerprint_fits(mark, "c1", None) == (True, True)
    assert fingerprint_fits(mark, "c1", "Is it 15?") == (True, False)
    assert fingerprint_fits(mark, "c2", "Is it 1.5?") == (False, True)
    assert fingerprint_fits("h0123456789abcdef", "c2", "of an earlier version") == (True, True)


@pytest.mark.parametrize(
    ("chance", "cell"),
    [(1.0, "1"), (0.02914, "0.0291"), (0.000549, "0.000549"), (1.23456e-5, "'1.235e-05"), (0.0, "0")],
)
def test_the_chance_of_a_case_of_a_large_pool_keeps_its_digits(chance: float, cell: str) -> None:
    row = replace(rows_of(CASE)[0], inclusion_probability=chance)
    assert table_of([row])[0]["inclusion_probability"] == cell
