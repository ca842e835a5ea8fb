"""A logistic regression with effects of tasks, shrunk by the number of labels."""

from __future__ import annotations

import numpy as np
import pytest

from curator.disagreement.task_effects import LEAST_PER_TASK, Floats, fit_tasks


def drawn(
    intercepts: dict[str, float], n: int, *, slopes: dict[str, float] | None = None, seed: int = 0
) -> tuple[Floats, np.ndarray, list[str]]:
    """Cases whose log-odds are 1 + the task's slope times the first signal, plus the task's intercept."""
    rng = np.random.default_rng(seed)
    tasks = [task for task in intercepts for _ in range(n)]
    z = rng.normal(size=(len(tasks), 2))
    odds = np.array([intercepts[t] + (1 + (slopes or {}).get(t, 0.0)) * v for t, v in zip(tasks, z[:, 0], strict=True)])
    return z, rng.random(len(tasks)) < 1 / (1 + np.exp(-odds)), tasks


def test_one_task_gives_the_plain_ridge_fit() -> None:
    from sklearn.linear_model import LogisticRegression

    z, wrong, tasks = drawn({"a": 0.3}, 200)
    weights = np.random.default_rng(1).random(200) + 0.5
    fit = fit_tasks(z, wrong, weights, tasks, penalty=0.03)
    plain = LogisticRegression(C=0.03, max_iter=1000, tol=1e-10).fit(z, wrong, sample_weight=weights)
    assert fit.weights == pytest.approx(plain.coef_[0], abs=1e-4)
    assert fit.intercept == pytest.approx(plain.intercept_[0], abs=1e-4)
    assert fit.effects == {}


def test_tasks_that_fail_more_often_get_a_higher_intercept() -> None:
    z, wrong, tasks = drawn({"rare": -2.0, "usual": 0.0, "often": 2.0}, 150)
    effects = fit_tasks(z, wrong, np.ones(450), tasks, penalty=0.03).effects
    assert effects["rare"].intercept < -1 < effects["usual"].intercept < 1 < effects["often"].intercept


def test_a_task_whose_score_ranks_backwards_gets_a_lower_slope() -> None:
    z, wrong, tasks = drawn(dict.fromkeys("abcd", 0.0), 150, slopes={"d": -3.0})
    fit = fit_tasks(z, wrong, np.ones(600), tasks, penalty=0.03)
    assert fit.weights[0] + fit.effects["d"].slope < 0
    assert all(fit.weights[0] + fit.effects[task].slope > 0.4 for task in "abc")


def test_few_labels_are_shrunk_more_than_many() -> None:
    z, wrong, tasks = drawn({name: (-1.5 if name in "ab" else 1.5) for name in "abcd"}, 100)
    few_z, few_wrong, few_tasks = drawn({"few": 30.0}, LEAST_PER_TASK)  # all of them fail
    many_z, many_wrong, many_tasks = drawn({"many": 30.0}, 100)
    fit = fit_tasks(
        np.vstack([z, few_z, many_z]), np.concatenate([wrong, few_wrong, many_wrong]),
        np.ones(400 + LEAST_PER_TASK + 100), tasks + few_tasks + many_tasks, penalty=0.03,
    )  # fmt: skip
    assert 0.3 < fit.effects["few"].intercept < 0.7 * fit.effects["many"].intercept


def test_tasks_that_are_alike_share_one_fit() -> None:
    z, wrong, tasks = drawn(dict.fromkeys("abcdef", 0.5), 60)
    fit = fit_tasks(z, wrong, np.ones(360), tasks, penalty=0.03)
    assert max(abs(e.intercept) for e in fit.effects.values()) < 0.35


def test_an_unknown_task_gets_the_pooled_fit() -> None:
    z, wrong, tasks = drawn({"a": -1.0, "b": 1.0}, 100)
    rare = [*tasks[:-2], "rare", "rare"]
    fit = fit_tasks(z, wrong, np.ones(200), rare, penalty=0.03)
    assert "rare" not in fit.effects
    pooled = fit.intercept + z[:1] @ fit.weights
    assert fit.log_odds(z[:1], ["new"]) == pytest.approx(pooled)
    assert fit.log_odds(z[:1], ["rare"]) == pytest.approx(pooled)
    assert fit.log_odds(z[:1], ["b"])[0] > pooled[0]
