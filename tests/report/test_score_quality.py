"""The words of the report for the quality of the score."""

from __future__ import annotations

from curator.records import PartQuality, Rate, ScoreQuality, ScoreVerdict, StrategyYield, TaskQuality
from curator.report.score_quality import QUALITY_HEAD, quality_rows, quality_sentences, slice_counts, yields_sentence

NOTHING = Rate(None, None, None, 20)


def part(verdict: ScoreVerdict, area: float, missing: int = 0) -> PartQuality:
    return PartQuality(80, 30, Rate(area, area - 0.1, area + 0.1, 80), Rate(0.55, 0.45, 0.65, 80), verdict, missing)


def test_the_score_stands_beside_length_and_chance() -> None:
    (sentence,) = quality_sentences(ScoreQuality(part("better than chance", 0.71), None, ()))
    assert sentence == (
        "The score ranks failures above passes better than chance: AUROC 0.71 (95% interval 0.61 to 0.81) on 80 labels, 30"
        " failures. The length of the answers alone has 0.55 (95% interval 0.45 to 0.65), chance 0.50."
    )


def test_a_misleading_score_names_its_consequence() -> None:
    (sentence,) = quality_sentences(ScoreQuality(part("not better than chance", 0.44), None, ()))
    assert sentence.startswith("The score is not better than chance: AUROC 0.44")
    assert "covers the inputs instead" in sentence


def test_too_few_labels_give_the_number_of_missing_ones() -> None:
    few = PartQuality(20, 4, NOTHING, NOTHING, "not enough labels", 30)
    (sentence,) = quality_sentences(ScoreQuality(few, None, ()))
    assert "not enough labels (20 labels, 4 failures)" in sentence
    assert "About 30 more labels of the random slice" in sentence
    assert quality_rows(ScoreQuality(few, None, ()))[0][3:] == ("-", "-", "0.50", "not enough labels: about 30 more")


def test_an_open_comparison_says_what_settles_it() -> None:
    (sentence,) = quality_sentences(ScoreQuality(part("open", 0.6, 45), None, ()))
    assert sentence.endswith("about 45 more labels of the random slice settle it.")


def test_no_label_of_the_random_slice_is_said() -> None:
    assert "not enough data" in quality_sentences(None)[0]


def test_each_task_has_a_row_and_a_misleading_one_a_sentence() -> None:
    tasks = (TaskQuality("checkout", part("not better than chance", 0.4)), TaskQuality("", part("open", 0.6, 9)))
    quality = ScoreQuality(part("better than chance", 0.7), part("better than chance", 0.65), tasks, "rest")
    text = " ".join(quality_sentences(quality))
    assert "On checkout the score is not better than chance: AUROC 0.40" in text
    assert "Compared within tasks only, the AUROC is 0.65" in text
    assert "No pick of discovery has a label yet" in text
    rows = quality_rows(quality)
    assert [row[0] for row in rows] == ["all cases", "all cases, compared within tasks", "checkout", "(no task)"]
    assert {len(row) for row in rows} == {len(QUALITY_HEAD)}


def test_the_failures_of_each_slice_are_counted() -> None:
    yields = [StrategyYield("random", 20, 5, 0.2, 12.0), StrategyYield("disagreement", 25, 18, 0.72, 25.0)]
    assert yields_sentence(yields) == (
        "Failures so far: 5 of 20 labels at random (20% by their weights); 18 of 25 labels by disagreement (72%)."
    )
    assert yields_sentence([]) == ""


def test_diversity_is_named_only_where_it_picked() -> None:
    assert slice_counts({"random": 5, "disagreement": 3, "diversity": 0}) == "3 by disagreement, 5 at random"
    assert slice_counts({"random": 5, "disagreement": 3, "diversity": 2}).count("2 by diversity") == 1
