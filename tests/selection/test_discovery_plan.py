"""The division of discovery's budget by what labels say of the score and of each strategy."""

from __future__ import annotations

import pytest

from curator.config import SelectionConfig
from curator.records import PartQuality, Rate, ScoreQuality, ScoreVerdict, StrategyYield, TaskQuality
from curator.selection.acquisition import acquire
from curator.selection.discovery_plan import FLOOR, Arm, diversity_share, plan_discovery

IDS = [f"c{n:02}" for n in range(40)]


def part(verdict: ScoreVerdict) -> PartQuality:
    return PartQuality(40, 20, Rate(None, None, None, 40), Rate(None, None, None, 40), verdict)


def yielded(name: str, failures: float, labels: int) -> StrategyYield:
    return StrategyYield(name, labels, failures, failures / labels, labels)  # type: ignore[arg-type]  # a slice


def sizes(arms: tuple[Arm, ...]) -> list[tuple[str, int]]:
    return [(arm.slice, arm.k) for arm in arms]


def test_without_labels_all_picks_are_by_disagreement() -> None:
    plan = plan_discovery(dict.fromkeys(IDS, "a"), 10)
    assert sizes(plan.arms) == [("disagreement", 10)]
    assert plan.messages == ()


def test_a_score_that_is_not_better_than_chance_ranks_nothing() -> None:
    quality = ScoreQuality(part("not better than chance"), None, (TaskQuality("a", part("not better than chance")),))
    plan = plan_discovery(dict.fromkeys(IDS, "a"), 10, quality=quality)
    assert sizes(plan.arms) == [("diversity", 10)]
    assert "not better than chance: 10 discovery picks cover the inputs" in plan.messages[0]


def test_a_task_with_a_misleading_score_gets_its_share_of_the_picks() -> None:
    tasks = {i: "bad" if n < 10 else "good" for n, i in enumerate(IDS)}
    quality = ScoreQuality(part("better than chance"), None, (TaskQuality("bad", part("not better than chance")),))
    plan = plan_discovery(tasks, 20, quality=quality)
    assert sizes(plan.arms) == [("disagreement", 15), ("diversity", 5)]
    assert plan.arms[1].among == frozenset(IDS[:10])
    assert plan.arms[0].among.isdisjoint(IDS[:10])


@pytest.mark.parametrize(
    ("disagreement", "random", "share"),
    [((20, 25), (5, 25), FLOOR), ((2, 25), (12, 25), 1 - FLOOR), ((10, 25), (10, 25), 0.5)],
)
def test_the_share_follows_the_failures_so_far(
    disagreement: tuple[int, int], random: tuple[int, int], share: float
) -> None:
    assert diversity_share([yielded("disagreement", *disagreement), yielded("random", *random)]) == pytest.approx(
        share, abs=1e-3
    )


def test_more_labels_make_the_same_difference_more_certain() -> None:
    few = diversity_share([yielded("disagreement", 6, 10), yielded("random", 5, 10)])
    many = diversity_share([yielded("disagreement", 60, 100), yielded("random", 50, 100)])
    assert 0.5 > few > many > FLOOR


def test_without_labels_of_disagreement_nothing_is_known_of_its_yield() -> None:
    assert diversity_share([yielded("random", 5, 10)]) == 0


def test_no_strategy_starves_and_the_counts_are_shown() -> None:
    plan = plan_discovery(
        dict.fromkeys(IDS, "a"), 8, yields=[yielded("disagreement", 20, 20), yielded("random", 1, 20)]
    )
    assert sizes(plan.arms) == [("disagreement", 7), ("diversity", 1)]
    assert "20 of 20 labels by disagreement; 1 of 20 labels at random" in plan.messages[0]


def test_the_diverse_picks_do_not_depend_on_the_score() -> None:
    scores = {i: n / 40 for n, i in enumerate(IDS)}
    arms = (Arm("disagreement", 4, frozenset(IDS)), Arm("diversity", 4, frozenset(IDS[:20])))

    def picked(by: dict[str, float]) -> dict[str, list[str]]:
        picks = acquire(IDS, by, {}, groups={}, k=8, config=SelectionConfig(), seed=0, arms=arms).picks
        return {name: [p.case_id for p in picks if p.slice == name] for name in ("disagreement", "diversity")}

    ranked = picked(scores)
    assert set(ranked["disagreement"]) == set(IDS[-4:])
    assert len(ranked["diversity"]) == 4
    assert set(ranked["diversity"]) <= set(IDS[:20])
    reversed_scores = {i: 1 - score for i, score in scores.items() if i in IDS[:20]} | dict.fromkeys(IDS[20:], 1.0)
    assert picked(reversed_scores)["diversity"] == ranked["diversity"]


def test_any_first_part_of_the_picks_has_both_kinds() -> None:
    arms = (Arm("disagreement", 6, frozenset(IDS)), Arm("diversity", 3, frozenset(IDS)))
    scores = {i: n / 40 for n, i in enumerate(IDS)}
    picks = acquire(IDS, scores, {}, groups={}, k=9, config=SelectionConfig(), seed=0, arms=arms).picks
    assert len({p.case_id for p in picks}) == 9
    for first in (3, 6, 9):
        assert sum(p.slice == "diversity" for p in picks[:first]) == first // 3
