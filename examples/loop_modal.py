"""Our query strategy inside modAL: an `ActiveLearner` and a `Committee`, each beside random choice.

    pip install modAL-python 'scikit-learn<1.8'
    python examples/loop_modal.py [--seeds N] [--rounds N] [--batch N]

The set is scikit-learn's handwritten digits. Every arm starts with the same batch, chosen to cover the pool: modAL wants a fitted
learner before it asks.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from modAL.models import ActiveLearner, Committee
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from curator.sklearn import UncertaintyCoverage, uncertainty_coverage_sampling

# modAL 0.4.2 uses an old name of a parameter, of which scikit-learn 1.6 and 1.7 warn
warnings.filterwarnings("ignore", message="'force_all_finite' was renamed", category=FutureWarning)
Strategy = Callable[..., tuple[Any, Any]]


def at_random(_: Any, X_pool: Any, n_instances: int = 1, *, random_state: int) -> tuple[Any, Any]:  # noqa: ANN401, N803  modAL's names
    """Take rows at random: the control arm."""
    chosen = np.random.RandomState(random_state).permutation(len(X_pool))[:n_instances]
    return chosen, np.zeros(n_instances)


def learner(strategy: Strategy, rows: Any, labels: Any) -> ActiveLearner:  # noqa: ANN401  arrays
    """An active learner that was taught the first batch."""
    return ActiveLearner(LogisticRegression(C=10, max_iter=300), strategy, X_training=rows, y_training=labels)


def committee(strategy: Strategy, rows: Any, labels: Any) -> Committee:  # noqa: ANN401  arrays
    """A committee of two unlike learners."""
    forest = ActiveLearner(RandomForestClassifier(50, random_state=0), X_training=rows, y_training=labels)
    return Committee([learner(strategy, rows, labels), forest], query_strategy=strategy)


def curve(make: Callable[..., Any], strategy: Strategy, *, seed: int, rounds: int, batch: int) -> list[float]:
    """The accuracy on the test set after each round."""
    pixels, digits = load_digits(return_X_y=True)
    pool, test, truth, test_truth = train_test_split(
        pixels / 16, digits, train_size=700, test_size=700, random_state=seed
    )
    first = UncertaintyCoverage(random_state=seed).query(pool, np.full(len(pool), np.nan), batch_size=batch)
    model = make(partial(strategy, random_state=seed), pool[first], truth[first])
    left = np.setdiff1d(np.arange(len(pool)), first)
    accuracies = [float(model.score(test, test_truth))]
    for _ in range(rounds - 1):
        places, rows = model.query(pool[left], n_instances=batch)
        model.teach(rows, truth[left[places]])  # here a person labels
        left = np.delete(left, places)
        accuracies.append(float(model.score(test, test_truth)))
    return accuracies


def main() -> None:
    """Print the curves of a learner and of a committee."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--batch", type=int, default=20)
    settings = parser.parse_args()
    for name, make in (("ActiveLearner", learner), ("Committee", committee)):
        arms = [
            np.mean(
                [
                    curve(make, strategy, seed=seed, rounds=settings.rounds, batch=settings.batch)
                    for seed in range(settings.seeds)
                ],
                axis=0,
            )
            for strategy in (uncertainty_coverage_sampling, at_random)
        ]
        print(f"{name}: mean accuracy over {settings.seeds} seeds\n{'labels':>8}{'ours':>9}{'random':>9}")
        for number, (ours, random) in enumerate(zip(*arms, strict=True), start=1):
            print(f"{number * settings.batch:8}{ours:9.3f}{random:9.3f}")


if __name__ == "__main__":
    main()
