"""An active-learning loop with scikit-learn alone: the accuracy of ours, margin sampling and random choice by labels.

    python examples/loop_sklearn.py [--seeds N] [--rounds N] [--batch N]

The set is scikit-learn's handwritten digits. Each seed splits it into a pool and a test set; the labels of the pool are revealed
as the strategy asks for them. Every strategy gets the same learner and the same number of labels. Ours chooses its first batch
too (coverage); margin sampling needs a learner, and starts with random labels.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from curator.sklearn import UncertaintyCoverage

Array = NDArray[np.float64]
Query = Callable[[Array, Array, int, np.random.RandomState], NDArray[np.int64]]
LEARNER = LogisticRegression(C=10, max_iter=300)


def ours(rows: Array, labels: Array, k: int, random: np.random.RandomState) -> NDArray[np.int64]:
    """Cover the pool at first, then what the learner doubts."""
    strategy = UncertaintyCoverage(LEARNER, random_state=random)
    return np.asarray(strategy.query(rows, labels, batch_size=k))


def margin(rows: Array, labels: Array, k: int, random: np.random.RandomState) -> NDArray[np.int64]:
    """Take the rows between whose two likeliest classes the learner distinguishes least."""
    labelled = ~np.isnan(labels)
    if not labelled.any():
        return at_random(rows, labels, k, random)
    best = np.sort(LEARNER.fit(rows[labelled], labels[labelled]).predict_proba(rows), axis=1)
    lead = np.where(labelled, np.inf, best[:, -1] - best[:, -2])
    return np.argsort(lead)[:k]


def at_random(_: Array, labels: Array, k: int, random: np.random.RandomState) -> NDArray[np.int64]:
    """Take rows at random: the control arm."""
    return random.permutation(np.flatnonzero(np.isnan(labels)))[:k]


def curve(query: Query, *, seed: int, rounds: int, batch: int) -> list[float]:
    """The accuracy on the test set after each round."""
    pixels, digits = load_digits(return_X_y=True)
    pool, test, truth, test_truth = train_test_split(
        pixels / 16, digits, train_size=700, test_size=700, random_state=seed
    )
    random = np.random.RandomState(seed)
    labels = np.full(len(pool), np.nan)
    accuracies = []
    for _ in range(rounds):
        chosen = query(pool, labels, batch, random)
        labels[chosen] = truth[chosen]  # here a person labels
        labelled = ~np.isnan(labels)
        accuracies.append(float(LEARNER.fit(pool[labelled], labels[labelled]).score(test, test_truth)))
    return accuracies


def main() -> None:
    """Print the curves side by side."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--batch", type=int, default=20)
    settings = parser.parse_args()
    strategies: dict[str, Query] = {"ours": ours, "margin": margin, "random": at_random}
    print(f"mean accuracy over {settings.seeds} seeds\n{'labels':>8}" + "".join(f"{name:>9}" for name in strategies))
    arms = [
        np.mean(
            [curve(query, seed=s, rounds=settings.rounds, batch=settings.batch) for s in range(settings.seeds)], axis=0
        )
        for query in strategies.values()
    ]
    for number, accuracies in enumerate(zip(*arms, strict=True), start=1):
        print(f"{number * settings.batch:8}" + "".join(f"{accuracy:9.3f}" for accuracy in accuracies))


if __name__ == "__main__":
    main()
