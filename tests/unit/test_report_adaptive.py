"""What the report says of an adaptive committee, in words and with its own numbers."""

from __future__ import annotations

from dataclasses import replace

from curator.report.summary import AdaptiveSummary
from curator.report.wording import adaptive_paragraph

MEASURED = AdaptiveSummary(
    calls=5_400, calls_full=10_000, cases=120, least_cases=10, in_top=24, least_in_top=10,
    missed=0.25, low=0.12, high=0.45, rank_correlation=0.87,
)  # fmt: skip


def test_what_was_saved_and_what_it_cost_stand_side_by_side() -> None:
    said = adaptive_paragraph(MEASURED)
    assert "5,400 calls were asked of the 10,000" in said
    assert "46% saved" in said
    assert "random share of 120 cases" in said
    assert "ranked out 25% (95% interval 12% to 45%, n=24)" in said
    assert "Spearman +0.87 (n=120)" in said
    assert "not how many wrong answers were missed" in said


def test_too_few_cases_give_no_figure_but_what_it_would_take() -> None:
    few = replace(MEASURED, cases=8, in_top=3, missed=None, low=None, high=None, rank_correlation=None)
    said = adaptive_paragraph(few)
    assert "not enough data (n=3 in the top by the whole committee, 10 are needed" in said
    assert "not enough data (n=8, 10 are needed)" in said


def test_cases_that_all_stand_alike_have_no_correlation() -> None:
    said = adaptive_paragraph(replace(MEASURED, rank_correlation=None))
    assert "not enough data (n=120, all of them stand alike in one)" in said


def test_without_a_random_share_nothing_is_told_of_what_was_missed() -> None:
    said = adaptive_paragraph(replace(MEASURED, cases=0))
    assert "n=0" in said
    assert "Spearman" not in said
