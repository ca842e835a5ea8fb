"""`categories.jsonl`: what is written is read back, and what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

import curator
from curator.errors import LogsError, RecordError
from curator.records import AnswerSide, CategoryChange, Diagnosis, Rate, dump_line
from curator.report.summary_cases import LabelSummary, VariantSummary
from curator.run_folder.categories import CategoryRow, read_category_rows
from curator.run_folder.layout import CATEGORIES

ROW = CategoryRow(
    id="c-1a2b", name="refund instead of handover", sentence="creates a refund where a handover is expected", parent="c-9",
    task="support", aspect="tool", basis="production",
    sides=(AnswerSide("create_refund", "production", 1.0), AnswerSide("handover", "committee", 0.8)),
    keywords=("refund",), cases=12, records=30, traffic_share=0.05, disagreement=0.81, spread=0.2, spread_within=0.05,
    spread_between=0.15, against_target=0.9, labels=LabelSummary(12, 6.5, Rate(0.541667, 0.3, 0.77, 12)),
    expected_failures=18.25, thumbs_down=0.5, corrected=2,
    diagnosis=Diagnosis("against-production", "look at it", "90% contradict", 12, 48, None, 0.1, 0.05, certain=False),
    best_variant=VariantSummary("careful", 0.9, "labels", 12), change=CategoryChange("grew", 9, 3, None, ("c-2",)),
    first_seen="2026-11-01", last_seen="2026-11-03", named_by="template", central=("a", "b", "c"), border="f",
    case_ids=("a", "b", "c", "d", "e", "f"), queue=("b",), eval_set=("a", "b"),
)  # fmt: skip
BARE = replace(
    ROW, parent=None, task="", aspect=None, basis="committee", sides=(), keywords=(), disagreement=None, spread=None,
    spread_within=None, spread_between=None, against_target=None, labels=LabelSummary(3, 1.0, Rate(None, None, None, 3)),
    expected_failures=None, thumbs_down=None, corrected=0, best_variant=None, change=None, first_seen="", last_seen="",
    border=None, queue=(), eval_set=(),
)  # fmt: skip


@pytest.mark.parametrize("row", [ROW, BARE])
def test_a_category_survives_the_file(row: CategoryRow) -> None:
    line = dump_line(row.to_json())
    assert CategoryRow.from_json(orjson.loads(line)) == row
    assert dump_line(CategoryRow.from_json(orjson.loads(line)).to_json()) == line


def test_a_missing_rate_has_its_reason() -> None:
    written = orjson.loads(dump_line(BARE.to_json()))["labels"]
    assert written["rate"] == {"value": None, "low": None, "high": None, "n": 3}
    assert written["reason"] == "not enough labels (3 of 10)"
    assert orjson.loads(dump_line(ROW.to_json()))["labels"]["reason"] is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cases": "many"}, "`cases`: "),
        ({"basis": "guess"}, "`basis`: "),
        ({"sides": [{"text": "x", "by": "stranger", "share": 1.0}]}, "`sides.0.by`: "),
        ({"labels": None}, "`labels`: "),
    ],
)
def test_a_row_that_does_not_fit_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(RecordError) as refused:
        CategoryRow.from_json(orjson.loads(dump_line(ROW.to_json())) | change)
    assert refused.value.reason.startswith(reason)
    assert refused.value.remedy


def test_a_folder_is_read_by_its_path_and_a_damaged_file_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(LogsError, match=r"holds no categories\.jsonl"):
        read_category_rows(tmp_path)
    CATEGORIES.of(tmp_path).write_bytes(dump_line(ROW.to_json()) + dump_line(BARE.to_json()))
    assert curator.read_categories(str(tmp_path)) == (ROW, BARE)
    CATEGORIES.of(tmp_path).write_bytes(dump_line(ROW.to_json()) + b"[]\n")
    with pytest.raises(LogsError, match=r"categories\.jsonl', line 2: "):
        curator.read_categories(tmp_path)
