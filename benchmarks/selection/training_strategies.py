"""The ways to choose what to label that `training.py` compares."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

from curator.selection.training_batch import next_batch

NEIGHBOURS = 20
SLICE = 0.1
"""`loop.random_share`, as it is by default."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Turn:
    """The input of a strategy: vectors, labels so far, and probabilities of a fitted learner.

    `inputs` are the vectors as the learner gets them; None where it gets them as they are.
    """

    vectors: NDArray[np.float32]
    chosen: Ints
    classes: Ints
    probabilities: Floats | None
    seed: int
    inputs: NDArray[np.float32] | None = None
    penalty: float = 30.0

    @property
    def open(self) -> Ints:
        """The places of the cases that have no label."""
        return np.setdiff1d(np.arange(len(self.vectors)), self.chosen)

    @property
    def generator(self) -> np.random.Generator:
        """Draws that are the same for each run of this turn."""
        return np.random.default_rng([self.seed, len(self.chosen)])

    @property
    def doubt(self) -> Floats:
        """1 - margin; 1 for all before the first label."""
        if self.probabilities is None:
            return np.ones(len(self.vectors))
        top = np.partition(self.probabilities, -2, axis=1)
        return 1 - (top[:, -1] - top[:, -2])


Strategy = Callable[[Turn, int], Sequence[int] | Ints]


def at_random(turn: Turn, k: int) -> Ints:
    return turn.generator.permutation(turn.open)[:k]


def margin(turn: Turn, k: int) -> Ints:
    return turn.open[np.argsort(-turn.doubt[turn.open], kind="stable")[:k]] if len(turn.chosen) else at_random(turn, k)


def entropy(turn: Turn, k: int) -> Ints:
    if turn.probabilities is None:
        return at_random(turn, k)
    p = turn.probabilities[turn.open]
    return turn.open[np.argsort((p * np.log(np.maximum(p, 1e-12))).sum(axis=1), kind="stable")[:k]]


def badge(turn: Turn, k: int) -> Ints:
    """k-means++ over the gradients of the last layer, (p - onehot) x vector, without writing them out (Ash et al. 2020)."""
    if turn.probabilities is None:
        return at_random(turn, k)
    places, draws = turn.open, turn.generator
    x, a = turn.vectors[places].astype(float), turn.probabilities[places].copy()
    a[np.arange(len(a)), a.argmax(axis=1)] -= 1
    square = (a**2).sum(axis=1) * (x**2).sum(axis=1)
    found = [int(square.argmax())]
    nearest = np.full(len(x), np.inf)
    while len(found) < k:
        last = found[-1]
        nearest = np.minimum(nearest, np.maximum(square + square[last] - 2 * (a @ a[last]) * (x @ x[last]), 0))
        nearest[found] = 0
        found.append(int(draws.choice(len(x), p=nearest / nearest.sum())))
    return places[found]


def facility_location(turn: Turn, k: int) -> list[int]:
    """Greedy facility location over margin squared, given the labelled ones."""
    similarity = np.maximum(turn.vectors @ turn.vectors.T, 0)
    weight = (turn.doubt**2).astype(np.float32)
    covered = similarity[turn.chosen].max(axis=0) if len(turn.chosen) else np.zeros(len(weight), np.float32)
    gains = np.concatenate(
        [np.maximum(similarity[i : i + 500] - covered, 0) @ weight for i in range(0, len(weight), 500)]
    )
    gains[turn.chosen] = -1
    found: list[int] = []
    while len(found) < k:  # lazy: the first stale gain that stays on top when it is computed anew
        order = np.argsort(-gains)
        best = -1.0
        for j in order:
            if gains[j] <= best:
                break
            gains[j] = np.maximum(similarity[j] - covered, 0) @ weight
            best = max(best, gains[j])
        pick = int(gains.argmax())
        found.append(pick)
        covered = np.maximum(covered, similarity[pick])
        gains[pick] = -1
    return found


def typical(turn: Turn, k: int) -> Ints:
    """TypiClust (Hacohen et al. 2022): as many clusters as labels; the densest case of each of the k largest without one."""
    wanted = len(turn.chosen) + k
    cluster = KMeans(wanted, n_init=1, random_state=turn.seed).fit(turn.vectors).labels_
    sizes = np.bincount(cluster, minlength=wanted)
    sizes[cluster[turn.chosen]] = 0
    density = _density(turn.vectors)
    density[turn.chosen] = -1
    places = [np.flatnonzero(cluster == c) for c in np.argsort(-sizes, kind="stable")[:k]]
    return np.array([own[density[own].argmax()] for own in places])


def typical_then_margin(turn: Turn, k: int) -> Ints:
    """Typical cases for the start; then the least margins, ten for each pick, clustered, the least of each cluster."""
    if not len(turn.chosen):
        return typical(turn, k)
    near = margin(turn, 10 * k)
    cluster = KMeans(k, n_init=1, random_state=turn.seed).fit(turn.vectors[near]).labels_
    return np.array([near[np.flatnonzero(cluster == c)[0]] for c in range(k)])


def ours(turn: Turn, k: int) -> list[int]:
    labelled = dict(zip(turn.chosen.tolist(), turn.classes.tolist(), strict=True))
    batch = next_batch(turn.vectors, labelled, k, probabilities=turn.probabilities, seed=turn.seed)
    return [query.index for query in batch.queries]


def ours_with_slice(turn: Turn, k: int) -> list[int]:
    """A round of `curator loop`: a tenth is drawn at random first, but none of the start."""
    count = round(SLICE * k) if len(turn.chosen) else 0
    drawn = at_random(turn, count).tolist()
    labelled = dict.fromkeys((*turn.chosen.tolist(), *drawn), 0)  # with probabilities no class is looked at
    batch = next_batch(turn.vectors, labelled, k - count, probabilities=turn.probabilities, seed=turn.seed)
    return [*drawn, *(query.index for query in batch.queries)]


STRATEGIES: dict[str, Strategy] = {
    "random": at_random,
    "margin": margin,
    "entropy": entropy,
    "badge": badge,
    "facility": facility_location,
    "typiclust": typical,
    "typical-margin": typical_then_margin,
    "ours": ours,
    "ours-slice": ours_with_slice,
}
OWN_START = {
    "facility",
    "typiclust",
    "typical-margin",
    "ours",
    "ours-slice",
    "skactiveml-typiclust",
    "skactiveml-probcover",
}
"""They can choose before there is a label; the others start at random."""


def _density(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean cosine to the nearest neighbours."""
    rows = (vectors[i : i + 1000] @ vectors.T for i in range(0, len(vectors), 1000))
    return np.concatenate(
        [np.partition(r, -NEIGHBOURS - 1, axis=1)[:, -NEIGHBOURS - 1 : -1].mean(axis=1) for r in rows]
    )


def peers() -> dict[str, Strategy]:
    """The strategies of scikit-activeml that run at this size; none, with a hint, where it is not installed."""
    if importlib.util.find_spec("skactiveml") is None:
        print("scikit-activeml is not installed, its strategies are left out: pip install scikit-activeml")
        return {}
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import Badge, Falcun, ProbCover, TypiClust, UncertaintySampling

    def of(kind: Callable[..., object], *, student: bool) -> Strategy:
        def choose(turn: Turn, k: int) -> Ints:
            labels = np.full(len(turn.vectors), np.nan)
            labels[turn.chosen] = turn.classes
            query = kind(random_state=turn.seed)
            given = {}
            inputs = turn.vectors if turn.inputs is None or not student else turn.inputs
            if student:
                regression = LogisticRegression(C=turn.penalty, max_iter=300)
                model = SklearnClassifier(regression, classes=np.unique(turn.classes)).fit(inputs, labels)
                given = {"clf": model, "fit_clf": False}
            return np.asarray(query.query(X=inputs, y=labels, batch_size=k, **given))  # type: ignore[attr-defined]

        return choose

    def margins(random_state: int) -> object:
        return UncertaintySampling(method="margin_sampling", random_state=random_state)

    with_student = {"margin": margins, "badge": Badge, "falcun": Falcun}
    without = {"typiclust": TypiClust, "probcover": ProbCover}
    found = {f"skactiveml-{name}": of(kind, student=True) for name, kind in with_student.items()}
    return found | {f"skactiveml-{name}": of(kind, student=False) for name, kind in without.items()}
