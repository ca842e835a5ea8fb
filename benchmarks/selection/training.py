"""How many labels a student needs by each way of choosing them, against choosing at random.

    python benchmarks/selection/training.py --data DIR [--cache DIR] [--strategies NAME ...] [--pools NAME ...] [--seeds N]
        [--batch N] [--most N] [--penalty C] [--start own | random]

DIR holds `banking77/train.csv` and `test.csv`, and `clinc-oos/data_small.json` (150 intents in scope; `train` is the
pool). The student is always the same: logistic regression on MiniLM vectors with the penalty C (10 unless told
otherwise), fitted to the chosen labels alone and tested on the whole test set. A strategy starts with 100 labels and
gets a batch of 50 at a time. Random starts at random, and so do all with `--start random`; else each chooses its own
start where it can.

Labels saved are 1 - n / m: n labels reach, for the first time and between two batches by straight line, the mean accuracy
that m random labels reach. It is given for m = 500, 1,000 and 1,500, as mean and standard deviation over the seeds. A
seed draws 9 of 10 cases of the pool, which all strategies then share: else one that draws nothing at random would show
no spread. `--cache DIR` keeps the vectors.

`domains` and `binary` are clinc with its ten domains, and a random third of its intents against the rest, as classes;
`skewed` is banking77, pool and test alike, with classes from full size down to a tenth. They are not what the strategy
was built on: it must not lose on them.

Strategies of scikit-activeml run as well where it is installed: `pip install scikit-activeml`.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

from curator.config import EmbeddingConfig
from curator.encoders.sentence import embed, open_encoder
from curator.progress import Silent
from curator.selection.training_batch import next_batch
from curator.state.vectors import VectorCache

START = 100
TARGETS = (500, 1000, 1500)
SHOWN = (100, 200, 300, 400, 500, 700, 1000)
POOL_SHARE = 0.9
NEIGHBOURS = 20
RANDOM_DRAWS = 5

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pool:
    """Cases to choose from and to test on: unit vectors, and classes as numbers."""

    name: str
    vectors: NDArray[np.float32]
    classes: Ints
    test_vectors: NDArray[np.float32]
    test_classes: Ints


@dataclass(frozen=True)
class Turn:
    """What a strategy sees: the vectors, the labels so far, and the student's probabilities once it is fitted."""

    vectors: NDArray[np.float32]
    chosen: Ints
    classes: Ints
    probabilities: Floats | None
    seed: int

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


STRATEGIES: dict[str, Strategy] = {
    "random": at_random,
    "margin": margin,
    "entropy": entropy,
    "badge": badge,
    "facility": facility_location,
    "typiclust": typical,
    "typical-margin": typical_then_margin,
    "ours": ours,
}
OWN_START = {"facility", "typiclust", "typical-margin", "ours", "skactiveml-typiclust", "skactiveml-probcover"}
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
            if student:
                classes = np.unique(turn.classes)
                model = SklearnClassifier(_regression(10.0), classes=classes).fit(turn.vectors, labels)
                given = {"clf": model, "fit_clf": False}
            return np.asarray(query.query(X=turn.vectors, y=labels, batch_size=k, **given))  # type: ignore[attr-defined]

        return choose

    def margins(random_state: int) -> object:
        return UncertaintySampling(method="margin_sampling", random_state=random_state)

    with_student = {"margin": margins, "badge": Badge, "falcun": Falcun}
    without = {"typiclust": TypiClust, "probcover": ProbCover}
    found = {f"skactiveml-{name}": of(kind, student=True) for name, kind in with_student.items()}
    return found | {f"skactiveml-{name}": of(kind, student=False) for name, kind in without.items()}


def _regression(penalty: float) -> LogisticRegression:
    return LogisticRegression(C=penalty, max_iter=300)


def curve(pool: Pool, strategy: Strategy, settings: argparse.Namespace, *, seed: int, own_start: bool) -> Floats:
    """Rows of (labels, accuracy)."""
    none = np.array([], np.int64)
    begin = strategy if own_start else at_random
    chosen = np.asarray(begin(Turn(pool.vectors, none, none, None, seed), START), np.int64)
    found = []
    while True:
        classes = pool.classes[chosen]
        student = _regression(settings.penalty).fit(pool.vectors[chosen], classes)
        found.append((len(chosen), student.score(pool.test_vectors, pool.test_classes)))
        if len(chosen) + settings.batch > min(settings.most, len(pool.classes)):
            return np.array(found)
        turn = Turn(pool.vectors, chosen, classes, student.predict_proba(pool.vectors), seed)
        chosen = np.concatenate([chosen, np.asarray(strategy(turn, settings.batch), np.int64)])
        assert len(np.unique(chosen)) == len(chosen), "a case was picked twice"  # noqa: S101


def needed(found: Floats, accuracy: float) -> float:
    """Labels that first reach the accuracy; nan where the curve ends below."""
    labels, reached = found.T
    if not (reached >= accuracy).any():
        return float("nan")
    i = int((reached >= accuracy).argmax())
    if i == 0:
        return float(labels[0])
    step = (accuracy - reached[i - 1]) / (reached[i] - reached[i - 1])
    return float(labels[i - 1] + step * (labels[i] - labels[i - 1]))


def random_accuracy(pool: Pool, penalty: float, counts: Sequence[int], *, seed: int) -> Floats:
    """The mean accuracy of so many random labels, over some draws."""
    found = []
    for draw in range(RANDOM_DRAWS):
        order = np.random.default_rng([seed, draw]).permutation(len(pool.classes))
        fits = [_regression(penalty).fit(pool.vectors[order[:n]], pool.classes[order[:n]]) for n in counts]
        found.append([fit.score(pool.test_vectors, pool.test_classes) for fit in fits])
    return np.mean(found, axis=0)


def drawn(pool: Pool, seed: int) -> Pool:
    """The part of the pool that a seed draws."""
    kept = np.random.default_rng([seed, 1]).permutation(len(pool.classes))[: int(POOL_SHARE * len(pool.classes))]
    return Pool(pool.name, pool.vectors[kept], pool.classes[kept], pool.test_vectors, pool.test_classes)


def report(pool: Pool, strategies: dict[str, Strategy], settings: argparse.Namespace) -> None:
    counts = [m for m in TARGETS if m <= POOL_SHARE * len(pool.classes)]
    shown = [n for n in SHOWN if n <= settings.most]
    pools = [drawn(pool, seed) for seed in range(settings.seeds)]
    targets = [random_accuracy(one, settings.penalty, counts, seed=seed) for seed, one in enumerate(pools)]
    of = " ".join(f"{m}: {a:.3f}" for m, a in zip(counts, np.mean(targets, axis=0), strict=True))
    print(f"\n{pool.name}: {len(pool.classes)} cases, {len(np.unique(pool.classes))} classes; random labels reach {of}")
    heads = "".join(f"{m:>12}" for m in counts)
    print(f"{'labels saved in % at':<22}{heads}   accuracy at" + "".join(f"{n:>6}" for n in shown))
    for name, strategy in strategies.items():
        own = settings.start == "own" and name in OWN_START
        curves = [curve(one, strategy, settings, seed=seed, own_start=own) for seed, one in enumerate(pools)]
        saved = 100 * np.array(
            [
                [1 - needed(found, a) / m for a, m in zip(target, counts, strict=True)]
                for found, target in zip(curves, targets, strict=True)
            ]
        )
        cells = "".join(
            f"{'-':>12}" if np.isnan(s).any() else f"{f'{s.mean():.1f} ±{s.std():.1f}':>12}" for s in saved.T
        )
        mean = dict(np.mean(curves, axis=0).tolist())
        accuracies = "".join(f"{mean[n]:6.3f}" if n in mean else f"{'-':>6}" for n in shown)
        print(f"{name:<22}{cells}              {accuracies}", flush=True)


def pools(folder: Path, cache: Path | None) -> dict[str, Callable[[], Pool]]:
    """The pools by name; each is read and embedded when it is asked for."""

    def banking() -> Pool:
        parts = []
        for part in ("train", "test"):
            with (folder / "banking77" / f"{part}.csv").open(newline="", encoding="utf-8") as file:
                parts.append([(row["text"], row["category"]) for row in csv.DictReader(file)])
        return _pool("banking77", parts[0], parts[1], cache)

    def clinc() -> Pool:
        sets = json.loads((folder / "clinc-oos" / "data_small.json").read_bytes())
        return _pool("clinc150", sets["train"], sets["test"], cache)

    def domains() -> Pool:
        found = json.loads((folder / "clinc-oos" / "domains.json").read_bytes())
        sets = json.loads((folder / "clinc-oos" / "data_small.json").read_bytes())
        of = {intent: domain for domain, intents in found.items() for intent in intents}
        return _pool("domains", *([(t, of[i]) for t, i in sets[part]] for part in ("train", "test")), cache)

    def binary() -> Pool:
        pool = clinc()
        yes = np.random.default_rng(0).random(pool.classes.max() + 1) < 1 / 3
        flags = yes.astype(np.int64)
        return Pool("binary", pool.vectors, flags[pool.classes], pool.test_vectors, flags[pool.test_classes])

    def skewed() -> Pool:
        pool = banking()
        share = np.random.default_rng(0).permutation(np.geomspace(0.1, 1, pool.classes.max() + 1))
        kept, tested = (_thinned(classes, share) for classes in (pool.classes, pool.test_classes))
        return Pool(
            "skewed", pool.vectors[kept], pool.classes[kept], pool.test_vectors[tested], pool.test_classes[tested]
        )

    return {"banking77": banking, "clinc150": clinc, "domains": domains, "binary": binary, "skewed": skewed}


def _thinned(classes: Ints, share: Floats) -> Ints:
    own = [np.flatnonzero(classes == c) for c in range(len(share))]
    return np.concatenate([places[: max(1, round(s * len(places)))] for places, s in zip(own, share, strict=True)])


def _pool(name: str, train: Sequence[Sequence[str]], test: Sequence[Sequence[str]], cache: Path | None) -> Pool:
    number = {label: i for i, label in enumerate(sorted({label for _, label in train}))}
    vectors = [_vectors([text for text, _ in rows], cache) for rows in (train, test)]
    classes = [np.array([number[label] for _, label in rows]) for rows in (train, test)]
    return Pool(name, vectors[0], classes[0], vectors[1], classes[1])


def _vectors(texts: Sequence[str], cache: Path | None) -> NDArray[np.float32]:
    encoder = open_encoder(EmbeddingConfig())
    if cache is None:
        return encoder.encode(texts)
    cache.mkdir(parents=True, exist_ok=True)
    with VectorCache(cache / "vectors.sqlite") as stored:
        return embed(texts, encoder, stored, progress=Silent())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of banking77/ and clinc-oos/")
    parser.add_argument("--cache", type=Path, help="folder that keeps the vectors")
    parser.add_argument("--pools", nargs="+", default=["banking77", "clinc150"])
    parser.add_argument("--strategies", nargs="+", help="all, unless named")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--most", type=int, default=1000, help="labels at which a strategy stops")
    parser.add_argument("--penalty", type=float, default=10.0, help="the student's C")
    parser.add_argument("--start", choices=["own", "random"], default="own")
    settings = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    known = STRATEGIES | peers()
    known_pools = pools(settings.data, settings.cache)
    if strange := [s for s in settings.strategies or () if s not in known] + [
        p for p in settings.pools if p not in known_pools
    ]:
        parser.error(f"{strange[0]!r} is unknown; there are {', '.join([*known, *known_pools])}")
    print(f"student: logistic regression, C = {settings.penalty:g}; {START} labels, then batches of {settings.batch}")
    for name in settings.pools:
        report(known_pools[name](), {s: known[s] for s in settings.strategies or known}, settings)


if __name__ == "__main__":
    main()
