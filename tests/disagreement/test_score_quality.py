"""The AUROC of a score by labels, its interval, and the verdict on it."""

from __future__ import annotations

import numpy as np
import pytest

from curator.disagreement.calibration import auroc
from curator.disagreement.score_quality import LEAST_OF_EACH, LabelledScore, auroc_with_interval, score_quality
from curator.records import PartQuality, Rate, ScoreQuality, ScoreVerdict, TaskQuality


def labelled(
    n: int, shift: float, *, seed: int = 0, task: str = "", offset: float = 0.0, base: float = 0.4
) -> list[LabelledScore]:
    """Cases whose failures have scores higher by `shift` standard deviations."""
    rng = np.random.default_rng(seed)
    failed = rng.random(n) < base
    scores = offset + rng.normal(size=n) + shift * failed
    return [
        LabelledScore(float(s), bool(f), length=10.0 * i, task=task)
        for i, (s, f) in enumerate(zip(scores, failed, strict=True))
    ]


def whole(cases: list[LabelledScore]) -> PartQuality:
    quality = score_quality(cases)
    assert quality is not None
    return quality.pooled


def test_the_area_is_that_of_all_pairs_with_ties_counting_a_half() -> None:
    rng = np.random.default_rng(1)
    values, failed, weights = rng.integers(0, 5, 80).astype(float), rng.random(80) < 0.4, rng.random(80) + 0.2
    area, low, high = auroc_with_interval(values, failed, weights, tasks=np.zeros(80, dtype=int), groups=np.arange(80))
    assert area == pytest.approx(auroc(values, failed, weights[None, :])[0])
    assert low < area < high


def test_the_variance_is_delongs_where_weights_are_equal() -> None:
    rng = np.random.default_rng(2)
    failed = np.arange(400) < 150
    values = rng.normal(size=400) + failed
    area, low, high = auroc_with_interval(
        values, failed, np.ones(400), tasks=np.zeros(400, dtype=int), groups=np.arange(400)
    )
    wins = (values[failed][:, None] > values[~failed][None, :]).astype(float)
    deviation = np.sqrt(wins.mean(axis=1).var(ddof=1) / 150 + wins.mean(axis=0).var(ddof=1) / 250)
    assert (high - low) / (2 * 1.96) == pytest.approx(deviation, rel=0.03)
    assert area == pytest.approx(wins.mean())


def test_the_interval_covers_the_true_area_as_often_as_it_says() -> None:
    covered = [
        low <= 0.7602 <= high  # two normal distributions one standard deviation apart
        for seed in range(300)
        if (rate := whole(labelled(80, 1.0, seed=seed)).score)
        and (low := rate.low) is not None
        and (high := rate.high) is not None
    ]
    assert len(covered) > 290
    assert 0.92 <= np.mean(covered) <= 0.995


def test_near_duplicates_widen_the_interval() -> None:
    cases = labelled(60, 0.7)
    twice = [case for case in cases for _ in range(2)]
    alone = whole(cases).score
    independent = whole(twice).score
    grouped = whole(
        [LabelledScore(c.score, c.failed, group=f"g{n}") for n, case in enumerate(cases) for c in (case, case)]
    ).score

    def width(rate: Rate) -> float:
        assert rate.low is not None
        assert rate.high is not None
        return rate.high - rate.low

    assert width(independent) < 0.8 * width(alone)
    assert width(grouped) == pytest.approx(width(alone), rel=0.05)


def test_weights_undo_a_selection_by_score() -> None:
    """Half of the easy cases are left out, and the others represent them."""
    everyone = labelled(4000, 1.0)
    kept = [
        LabelledScore(c.score, c.failed, weight=2.0 if c.score < 0 else 1.0)
        for n, c in enumerate(everyone)
        if c.score >= 0 or n % 2
    ]
    true, weighted = whole(everyone).score.value, whole(kept).score.value
    unweighted = whole([LabelledScore(c.score, c.failed) for c in kept]).score.value
    assert true is not None
    assert weighted is not None
    assert unweighted is not None
    assert abs(weighted - true) < 0.01 < abs(unweighted - true)


@pytest.mark.parametrize(
    ("n", "shift", "verdict"),
    [
        (200, 1.0, "better than chance"),
        (200, -1.0, "not better than chance"),
        (1000, 0.0, "not better than chance"),
        (40, 0.45, "open"),
    ],
)
def test_the_verdict_compares_with_chance(n: int, shift: float, verdict: ScoreVerdict) -> None:
    assert whole(labelled(n, shift, seed=3)).verdict == verdict


def test_an_open_comparison_says_how_many_labels_settle_it() -> None:
    quality = whole(labelled(40, 0.45, seed=3))
    assert quality.verdict == "open"
    assert 0 < quality.missing < 1000


def test_too_few_failures_give_a_number_of_missing_labels_instead_of_an_area() -> None:
    cases = [LabelledScore(n / 100, failed=n < 4) for n in range(40)]
    quality = whole(cases)
    assert quality.verdict == "not enough labels"
    assert quality.score == Rate(None, None, None, 40)
    # 4 of 40 failed, so that 6 more failures take about 55 labels.
    assert quality.missing == 55


def test_perfect_separation_still_has_an_interval() -> None:
    cases = [LabelledScore(float(n), failed=n >= LEAST_OF_EACH) for n in range(2 * LEAST_OF_EACH)]
    rate = whole(cases).score
    assert rate.value == 1.0
    assert rate.low is not None
    assert rate.low < 0.9


def test_scales_that_differ_between_tasks_lower_the_pooled_area_only() -> None:
    """Task b has higher scores and fewer failures."""
    cases = labelled(300, 1.2, task="a", base=0.6) + labelled(300, 1.2, seed=1, task="b", offset=4.0, base=0.1)
    quality = score_quality(cases)
    assert quality is not None
    assert quality.within is not None
    assert quality.pooled.score.value is not None
    assert quality.within.score.value is not None
    assert quality.within.score.value > 0.75
    assert quality.pooled.score.value < 0.5
    assert [t.task for t in quality.tasks] == ["a", "b"]


def test_a_task_without_failures_has_no_pairs_within() -> None:
    cases = labelled(100, 1.0, task="a") + [LabelledScore(5.0, failed=False, task="b")] * 30
    quality = score_quality(cases)
    assert quality is not None
    assert quality.within is not None
    assert quality.within.labels == 100


def test_a_length_that_is_not_known_for_all_gives_no_area() -> None:
    cases = labelled(100, 1.0)
    assert whole(cases).length.value is not None
    assert whole([*cases, LabelledScore(0.0, failed=False)]).length.value is None


def test_without_labels_there_is_nothing_to_measure() -> None:
    assert score_quality([]) is None


def part(verdict: ScoreVerdict) -> PartQuality:
    nothing = Rate(None, None, None, 0)
    return PartQuality(0, 0, nothing, nothing, verdict)


def test_a_settled_task_decides_for_itself_and_the_pool_for_the_others() -> None:
    tasks = (
        TaskQuality("good", part("better than chance")),
        TaskQuality("bad", part("not better than chance")),
        TaskQuality("few", part("not enough labels")),
    )
    every = {"good", "bad", "few", "unlabelled"}
    misleading = ScoreQuality(part("not better than chance"), None, tasks)
    fine = ScoreQuality(part("better than chance"), None, tasks)
    assert misleading.not_ranked(every) == {"bad", "few", "unlabelled"}
    assert fine.not_ranked(every) == {"bad"}
