"""Measure the prediction of unknown systems from the K cases that `curator distil` keeps.

    python benchmarks/estimation/distil.py --data DIR [--draws 100]

Each family of systems (a model; a prompt with all its temperatures) is left out in turn; the cases are chosen by the
others, and the score of each system left out is predicted by the weighted mean over them. A cell gives the mean absolute
error in points and Kendall's tau between the true and the predicted scores of all systems, each predicted when it was
left out; the mean over draws for what is random (for difficulty and anchors over a tenth of them: other seeds).

random: K cases, plain mean. stratified: cases in order of their mean score, one at random from each K-th part.
anchors: the medoids of K k-means clusters of the cases' scores, weighted by their size (tinyBenchmarks, 2402.14992);
`curator distil` calls it choosing by pattern, and takes it where it predicts the known systems better when left out.
difficulty: what `curator distil` chooses and weighs else, and wherever few systems differ.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from benchmarks.estimation.system_sets import Floats, SystemSet, gsm8k, jhu, made_up, paraphrases
from curator.estimation.comparison.distillation import choose_cases, kendall

Choice = Callable[[Floats, int, int], tuple[NDArray[np.int64], Floats]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--draws", type=int, default=100, metavar="N")
    arguments = parser.parse_args()
    wanted = [
        (gsm8k(arguments.data), (20, 50, 100)),
        (jhu(arguments.data, temperatures=True), (10, 20, 40)),
        *[(one, (10, 20)) for one in paraphrases(arguments.data)],
        *[(_in_folds(made_up(seed, systems=count)), (30, 100)) for seed, count in enumerate((5, 12, 30, 50))],
    ]
    print("| set | cases | K | " + " | ".join(CHOICES) + " |\n|---|---|---|" + "---|" * len(CHOICES))
    for one, sizes in wanted:
        for k in sizes:
            cells = [cell(one, choice, k, draws_of(name, arguments.draws)) for name, choice in CHOICES.items()]
            print(f"| {one.name} | {len(one.scores):,} | {k} | " + " | ".join(cells) + " |", flush=True)


def draws_of(name: str, draws: int) -> int:
    return draws if name in ("random", "stratified") else max(1, draws // 10)


def cell(one: SystemSet, choice: Choice, k: int, draws: int) -> str:
    truth = one.scores.mean(axis=0)
    errors, ranks = [], []
    for seed in range(draws):
        predicted = left_out(one, choice, k, seed)
        errors.append(float(np.abs(predicted - truth).mean()))
        rank = kendall(truth, predicted)
        ranks.append(0.0 if rank is None else rank)
    return f"{100 * np.mean(errors):.1f} / {np.mean(ranks):.2f}"


def left_out(one: SystemSet, choice: Choice, k: int, seed: int) -> Floats:
    """Each system's predicted score, from a choice that did not know its family."""
    families = np.array(one.families)
    predicted = np.zeros(len(families))
    for family in np.unique(families):
        out = families == family
        rows, weights = choice(one.scores[:, ~out], k, seed)
        predicted[out] = weights @ one.scores[np.ix_(rows, out)]
    return predicted


def at_random(scores: Floats, k: int, seed: int) -> tuple[NDArray[np.int64], Floats]:
    rows = np.random.default_rng(seed).choice(len(scores), k, replace=False)
    return rows, np.full(k, 1 / k)


def stratified(scores: Floats, k: int, seed: int) -> tuple[NDArray[np.int64], Floats]:
    random = np.random.default_rng(seed)
    order = np.lexsort((random.random(len(scores)), scores.mean(axis=1)))
    parts = np.array_split(order, k)
    rows = np.array([random.choice(part) for part in parts])
    return rows, np.array([len(part) for part in parts]) / len(scores)


def anchors(scores: Floats, k: int, seed: int) -> tuple[NDArray[np.int64], Floats]:
    jittered = scores + 1e-4 * np.random.default_rng(seed).random(scores.shape)  # so that k distinct points are there
    found = KMeans(k, n_init=1, random_state=seed).fit(jittered)
    rows, weights = [], []
    for cluster in range(k):
        members = np.flatnonzero(found.labels_ == cluster)
        far = ((jittered[members] - found.cluster_centers_[cluster]) ** 2).sum(axis=1)
        rows.append(members[int(np.argmin(far))])
        weights.append(len(members) / len(scores))
    return np.array(rows), np.array(weights)


def by_difficulty(scores: Floats, k: int, seed: int) -> tuple[NDArray[np.int64], Floats]:
    chosen = choose_cases(scores, np.ones(len(scores)), k, seed=seed)
    return chosen.rows, chosen.weights


CHOICES: dict[str, Choice] = {
    "random": at_random,
    "stratified": stratified,
    "anchors": anchors,
    "difficulty": by_difficulty,
}


def _in_folds(one: SystemSet) -> SystemSet:
    """The made-up systems in five families: one turn each would take long and tell no more."""
    return SystemSet(one.name, one.scores, one.systems, tuple(str(i % 5) for i in range(len(one.systems))))


if __name__ == "__main__":
    main()
