"""A judge moves cases in the ranking only as far as the committee supports it."""

from __future__ import annotations

import numpy as np
import pytest

from curator.selection.judged_ranking import LEAST, judged_ranking

N = 400
GENERATOR = np.random.default_rng(5)
FAILED = GENERATOR.random(N) < 0.3
SCORES = {f"c{i}": float(x) for i, x in enumerate(np.clip(GENERATOR.normal(0.3 + 0.2 * FAILED, 0.2), 0, 1))}


def _verdicts(accuracy: float) -> dict[str, float]:
    right = np.random.default_rng(1).random(N) < accuracy
    return {f"c{i}": float(FAILED[i] == right[i]) for i in range(N)}


def _auroc(ranks: dict[str, float]) -> float:
    values = np.array([ranks[f"c{i}"] for i in range(N)])
    above = values[FAILED][:, None] - values[~FAILED][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)


def test_a_good_judge_helps_the_ranking_and_a_guessing_one_leaves_it_alone() -> None:
    alone = _auroc(SCORES)
    good = judged_ranking(SCORES, _verdicts(0.9))
    assert good.weight > 0
    assert _auroc(dict(good.ranks)) > alone + 0.05
    guessing = judged_ranking(SCORES, _verdicts(0.5))
    assert (guessing.weight, guessing.ranks) == (0, SCORES)


def test_a_judge_that_contradicts_the_committee_moves_nothing() -> None:
    assert judged_ranking(SCORES, _verdicts(0.1)).weight == 0


def test_the_numbers_stay_those_of_the_ranking_before() -> None:
    ranks = judged_ranking(SCORES, _verdicts(0.9)).ranks
    assert sorted(ranks.values()) == pytest.approx(sorted(SCORES.values()), abs=1e-3)


def test_cases_without_a_verdict_keep_their_order() -> None:
    verdicts = {i: v for i, v in _verdicts(0.9).items() if int(i[1:]) % 2}
    ranks = judged_ranking(SCORES, verdicts).ranks
    others = [i for i in SCORES if i not in verdicts]
    assert sorted(others, key=SCORES.__getitem__) == sorted(others, key=ranks.__getitem__)


def test_equal_cases_keep_one_number() -> None:
    scores = {f"c{i}": 0.5 if i % 4 else 0.9 for i in range(80)}
    ranks = judged_ranking(scores, {i: float(score > 0.6) for i, score in scores.items()}).ranks
    assert len(set(ranks.values())) == 2


@pytest.mark.parametrize("count", [0, 1, LEAST - 1])
def test_few_verdicts_say_nothing(count: int) -> None:
    verdicts = dict(list(_verdicts(1.0).items())[:count])
    assert judged_ranking(SCORES, verdicts).ranks == SCORES
