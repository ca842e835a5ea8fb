"""Rows of the run folder: what is written is read back, and what does not fit is refused with a reason and a remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.errors import ConfigError, LogsError, RecordError
from curator.records import (
    KINDS,
    Case,
    Feedback,
    Generation,
    Message,
    Pick,
    Reference,
    ReferenceSource,
    Score,
    Slice,
    Source,
    Split,
    Thumb,
    dump_line,
)
from curator.records.token_logprobs import TokenLogprobs
from curator.run_folder.case_context import CaseContext
from curator.run_folder.cases import CaseRow, read_case_rows
from curator.run_folder.layout import CASES, SELECTION
from curator.run_folder.recorded import RecordedRow, read_record
from curator.run_folder.scores import ScoreRow
from curator.run_folder.selection import SelectionRow, read_selection

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
IDS = TEXTS.filter(bool)
UNITS = st.floats(0, 1)
MAYBE_UNITS = st.none() | UNITS
MAYBE_TEXTS = st.none() | TEXTS


def scores(case_id: str) -> st.SearchStrategy[Score]:
    return st.builds(
        Score, st.just(case_id), MAYBE_UNITS, MAYBE_UNITS, MAYBE_UNITS, MAYBE_UNITS, st.sampled_from(KINDS), TEXTS, MAYBE_TEXTS,
        MAYBE_UNITS, st.integers(0, 99), MAYBE_TEXTS, st.none() | st.dictionaries(TEXTS, UNITS, max_size=2),
        st.none() | st.dictionaries(TEXTS, MAYBE_UNITS, max_size=2),
    )  # fmt: skip


@st.composite
def case_rows(draw: st.DrawFn) -> CaseRow:
    case_id = draw(IDS)
    return CaseRow(
        id=case_id,
        weight=draw(st.integers(1, 2**40)),
        group=draw(TEXTS),
        split=draw(st.none() | st.sampled_from(get_args(Split))),
        log_id=draw(MAYBE_TEXTS),
        source=draw(TEXTS),
        task=draw(MAYBE_TEXTS),
        category=draw(MAYBE_TEXTS),
        slice=draw(st.none() | st.sampled_from(get_args(Slice))),
        characters=draw(st.none() | st.integers(0, 10**6)),
        thumb=draw(st.none() | st.sampled_from(get_args(Thumb))),
        metadata=draw(st.dictionaries(TEXTS, TEXTS | st.integers(-9, 9) | st.booleans() | UNITS, max_size=3)),
        score=draw(st.none() | scores(case_id)),
    )


PICKS = st.builds(
    Pick, IDS, st.integers(1, 999), st.sampled_from(get_args(Slice)), st.floats(0.001, 1), st.sampled_from(get_args(Split)),
    MAYBE_UNITS, st.integers(1, 9), st.none() | st.integers(0, 9), st.none() | st.integers(1, 99), MAYBE_TEXTS,
)  # fmt: skip
SELECTION_ROWS = st.builds(
    SelectionRow, PICKS, st.integers(1, 99), TEXTS, MAYBE_TEXTS, st.integers(0, 2**32), TEXTS,
    st.none() | st.sampled_from(KINDS), st.lists(TEXTS, max_size=3).map(tuple), TEXTS, MAYBE_TEXTS, MAYBE_TEXTS,
    st.none() | st.sampled_from(get_args(ReferenceSource)), MAYBE_UNITS,
)  # fmt: skip


@given(case_rows())
def test_a_case_row_survives_the_file(row: CaseRow) -> None:
    line = dump_line(row.to_json())
    assert CaseRow.from_json(orjson.loads(line)) == row
    assert dump_line(CaseRow.from_json(orjson.loads(line)).to_json()) == line


@given(IDS.map(str.strip).filter(bool).flatmap(scores))
def test_a_score_row_survives_the_file(score: Score) -> None:
    line = dump_line(ScoreRow(score).to_json())
    assert ScoreRow.from_json(orjson.loads(line)) == ScoreRow(score)
    assert dump_line(ScoreRow.from_json(orjson.loads(line)).to_json()) == line


def test_a_score_row_needs_an_id_and_a_score() -> None:
    assert ScoreRow.from_json({"case_id": 7, "disagreement": 1, "kind": "odd", "n": 5.0, "majority": 3}) == ScoreRow(
        Score("7", 1.0, None, None, None, "text", "", "3", None, 5)
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"disagreement": 0.5}, "no `case_id` (or `id`) among the keys 'disagreement'"),
        ({"id": "a"}, "neither `generations` nor `disagreement` is there"),
        ({"id": "a", "disagreement": 1.5}, "`disagreement` is 1.5"),
        ({"id": "a", "disagreement": True}, "`disagreement` is True, not a number or null"),
        ({"id": "a", "disagreement": 0.5, "n": "many"}, "`n` is 'many', not a number or null"),
    ],
)
def test_a_score_row_that_does_not_fit_is_refused(row: object, reason: str) -> None:
    with pytest.raises(RecordError) as refused:
        ScoreRow.from_json(row)
    assert refused.value.reason == reason
    assert refused.value.remedy


def test_the_context_of_a_case_leaves_out_values_of_another_type() -> None:
    row = {
        "input": "q", "source": "a.jsonl:3", "target": {"a": 1}, "task": 4, "kind": "odd", "feedback": {"thumb": "down"},
        "reference": "r", "reference_source": "teacher", "metadata": {"a": 1, "b": [1]}, "weight": 3.0, "group": 2,
        "category": ["x"], "labels": ["yes", 0],
    }  # fmt: skip
    assert CaseContext.from_json(row) == CaseContext(
        (Message("user", "q"),), "a.jsonl:3", '{"a":1}', "4", None, Feedback("down"), Reference("r", "teacher"), {"a": 1}, 3,
        "2", None, ("yes", "0"),
    )  # fmt: skip
    assert CaseContext.from_json({"feedback": "sideways", "reference": " ", "labels": "yes"}) == CaseContext()
    with pytest.raises(RecordError, match=r"`weight` is 1\.5"):
        CaseContext.from_json({"weight": 1.5})


@given(SELECTION_ROWS)
def test_a_selection_row_survives_the_file(row: SelectionRow) -> None:
    line = dump_line(row.to_json())
    assert SelectionRow.from_json(orjson.loads(line)) == row
    assert dump_line(SelectionRow.from_json(orjson.loads(line)).to_json()) == line


@given(st.lists(TEXTS, max_size=4), MAYBE_TEXTS, MAYBE_TEXTS, st.sampled_from(KINDS))
def test_a_recorded_row_is_what_score_reads(
    texts: list[str], target: str | None, reference: str | None, kind: Any
) -> None:
    case = Case("c1", (Message("system", "be short"), Message("user", "q")), Source("a.jsonl", 1), target=target)
    if reference is not None:
        case = replace(case, reference=Reference(reference, "label", slice="random", probability=0.25))
    case = replace(case, target_logprobs=TokenLogprobs((-1.0, -2.0), ("a", "b")))
    generations = [Generation("c1", text, "m", "plain", 0.5, logprobs=(-0.5,), tokens=("t",)) for text in texts]
    row = RecordedRow(case, kind, ("yes", "no"), generations, left_out=generations[:1], failed=["timeout"])
    record = read_record(dump_line(row.to_json()))
    assert (record.id, record.kind, record.target, record.question) == ("c1", kind, target, "q")
    assert [(a.text, a.prompt_id, a.model, a.temperature, a.logprobs, a.tokens) for a in record.answers] == [
        (text, "m/plain", "m", 0.5, (-0.5,), ("t",)) for text in texts
    ]
    assert record.target_logprobs == case.target_logprobs
    assert record.reference == reference
    assert record.reference_probability == (1.0 if reference is None else 0.25)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (None, "the row is null, not an object"),
        ([], "the row is list, not an object"),
        ({}, "`id` is missing"),
        ({"id": ""}, "`id` is '', not a text"),
        ({"id": "a", "weight": "2"}, "`weight` is '2', not a whole number"),
        ({"id": "a", "weight": True}, "`weight` is True, not a whole number"),
        ({"id": "a", "split": "test"}, "`split` is 'test', not one of eval, train"),
        ({"id": "a", "metadata": {"a": [1]}}, "`metadata` is dict, not an object of texts and numbers"),
        ({"id": "a", "disagreement": "high", "kind": "label"}, "`disagreement` is 'high', not a number or null"),
        ({"id": "a", "disagreement": 0.5}, "`kind` is missing"),
    ],
)
def test_a_case_row_that_does_not_fit_is_refused(row: object, reason: str) -> None:
    with pytest.raises(RecordError) as refused:
        CaseRow.from_json(row)
    assert refused.value.reason == reason
    assert refused.value.remedy


def test_a_damaged_file_is_named_with_its_line(tmp_path: Path) -> None:
    CASES.of(tmp_path).write_bytes(dump_line(CaseRow("a").to_json()) + b"{\n")
    with pytest.raises(LogsError, match=r"cases.jsonl', line 2: not valid JSON"):
        read_case_rows(tmp_path)
    SELECTION.of(tmp_path).write_bytes(b'{"id": "a"}\n')
    with pytest.raises(ConfigError, match=r"selection.jsonl', line 1: `rank` is missing"):
        read_selection(tmp_path)


def test_a_row_of_another_tool_may_leave_fields_out() -> None:
    assert CaseRow.from_json({"id": "a", "unknown": [1]}) == CaseRow("a")
