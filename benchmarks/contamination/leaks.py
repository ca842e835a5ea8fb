"""Measure the leaks that are found and the false alarms, beside other methods.

    python benchmarks/contamination/leaks.py --data DIR [--cache DIR] [--repeats N]

DIR holds `decontaminator` (1,319 rephrasings of GSM8K questions), `gsm8k-model-solutions` (the questions themselves, in
the same order), `banking77` and `clinc-oos`.

1. Recall and false positives: half of the original questions are held out. Their rephrasings are leaks; the questions of
   the other half and *their* rephrasings are none. A leak counts as found only by its own original. Five halves
   (`--repeats`); each method with the threshold it is used with, and at the threshold that lets 1% of the unrelated pass.
   Four of the rephrasings in the data are empty, which nobody can find: the best recall there is .997.
2. All of the originals are held out: the recall on all rephrasings.
3. Intents: short questions of production, where many mean the same. The share of the test questions that is called a leak
   of the training questions, by threshold; and the share of what asks for other intents than all that is held out, which
   is a false positive.

`cosine` is the default encoder's. Nothing is sampled but the halves.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from curator.config import DedupeConfig, EmbeddingConfig, HeldOutConfig
from curator.contamination.details import Details, agreement, details_of
from curator.contamination.match import Embed, find_leaks
from curator.contamination.meaning import detail_bonus, embedded_text
from curator.contamination.records import HeldText, Match, TrainingRow
from curator.encoders.sentence import embed, open_encoder
from curator.progress import Silent
from curator.state.vectors import VectorCache
from curator.text.shingles import jaccard, normalise, shingles

SEED = 0
CHUNK = 512
Floats = NDArray[np.float64]
Score = Callable[[Sequence[str], Sequence[str]], Floats]
T = TypeVar("T")


@dataclass(frozen=True)
class Method:
    """A way to look for leaks: the score of every (row, held-out text), and the threshold that it is used with."""

    name: str
    score: Score
    threshold: float


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--cache", type=Path, default=Path(".curator"), help="folder that keeps the vectors")
    parser.add_argument("--repeats", type=int, default=5, help="halves to hold out")
    arguments = parser.parse_args()
    encoder = open_encoder(EmbeddingConfig())
    with VectorCache(arguments.cache / "vectors.sqlite") as cache:

        def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
            return embed(list(texts), encoder, cache, progress=Silent())

        originals = [
            row["question"]
            for row in _jsonl(arguments.data / "gsm8k-model-solutions" / "example_model_solutions.jsonl")
        ]
        rephrased = [row["text"] for row in _jsonl(arguments.data / "decontaminator" / "rephrase_gsm8k.jsonl")]
        halves(originals, rephrased, vectors, repeats=arguments.repeats)
        everything(originals, rephrased, vectors)
        intents(arguments.data, vectors)


def halves(originals: list[str], rephrased: list[str], vectors: Embed, *, repeats: int) -> None:
    """Part 1 of the module's docstring."""
    rng = np.random.default_rng(SEED)
    splits = [np.split(rng.permutation(len(originals)), [len(originals) // 2]) for _ in range(repeats)]
    print(f"\n# Rephrased GSM8K, half held out, mean over {repeats} halves\n")
    print("| method | threshold | recall | false positives | recall at 1% false positives | at .3% | AUROC |")
    print("|---|---|---|---|---|---|---|")
    for method in methods(vectors):
        leaks = method.score(rephrased, originals)  # of every row to every text, once
        twins = method.score(originals, originals)
        found = []
        for held, rest in splits:
            own = leaks[held, held]
            others = leaks[np.ix_(held, held)].copy()
            np.fill_diagonal(others, -1.0)
            own = np.where(own >= others.max(axis=1), own, -1.0)  # by another original it is not found
            none = np.concatenate([leaks[np.ix_(rest, held)].max(axis=1), twins[np.ix_(rest, held)].max(axis=1)])
            found.append(_rates(own, none, method.threshold))
        recall, false, at_1, at_3, auroc = np.mean(found, axis=0)
        print(
            f"| {method.name} | {method.threshold:g} | {recall:.3f} | {false:.4f} | {at_1:.3f} | {at_3:.3f} | {auroc:.4f} |"
        )
    reported = [_as_used(originals, rephrased, held, rest, vectors) for held, rest in splits]
    recall, false = np.mean([r[:2] for r in reported], axis=0)
    kinds = sum((r[2] for r in reported), Counter())
    print(f"| **curator, all kinds** | default | {recall:.3f} | {false:.4f} | | | |")
    print("\nleaks by kind:", dict(kinds))
    print("\nwhat was taken for a leak in the first half:\n")
    for match in reported[0][3]:
        print(
            f"* {match.kind} {match.similarity:.2f} {list(match.shared)}: {_short(match.question)} || {_short(match.held_text)}"
        )


def _rates(own: Floats, none: Floats, threshold: float) -> tuple[float, float, float, float, float]:
    cuts = [np.quantile(none, 1 - rate) for rate in (0.01, 0.003)]
    ranks = np.concatenate([own, none])
    _, places = np.unique(ranks, return_inverse=True)
    sizes = np.bincount(places)
    order = (np.cumsum(sizes) - (sizes - 1) / 2)[places]  # mean ranks, so that ties count a half
    auroc = (order[: len(own)].sum() - len(own) * (len(own) + 1) / 2) / (len(own) * len(none))
    return (
        float((own >= threshold).mean()),
        float((none >= threshold).mean()),
        *(float((own > cut).mean()) for cut in cuts),
        float(auroc),
    )


def _as_used(
    originals: list[str], rephrased: list[str], held: NDArray[np.int64], rest: NDArray[np.int64], vectors: Embed
) -> tuple[float, float, Counter[str], list[Match]]:
    """The product itself: recall, false positives, the leaks' kinds, and what was wrongly taken for one."""
    texts = [HeldText(str(i), originals[i]) for i in held.tolist()]
    rows = [_row(f"leak {i}", rephrased[i]) for i in held.tolist()]
    rows += [_row(f"none {i}", rephrased[i]) for i in rest.tolist()]
    rows += [_row(f"none, original {i}", originals[i]) for i in rest.tolist()]
    found = _found(rows, texts, vectors)
    right = [m for m in found if m.row == f"leak {m.held}"]
    wrong = [m for m in found if m.row.startswith("none")]
    return len(right) / len(held), len(wrong) / (2 * len(rest)), Counter(m.kind for m in right), wrong


def everything(originals: list[str], rephrased: list[str], vectors: Embed) -> None:
    """Part 2 of the module's docstring."""
    rows = [_row(str(i), text) for i, text in enumerate(rephrased)]
    found = _found(rows, [HeldText(str(i), text) for i, text in enumerate(originals)], vectors)
    own = sum(m.row == m.held for m in found)
    print(f"\nall {len(originals):,} held out: {len(found):,} of {len(rows):,} rephrasings are kept out"
          f" ({len(found) / len(rows):.3f}), {own:,} by their own original")  # fmt: skip


def intents(data: Path, vectors: Embed) -> None:
    """Part 3 of the module's docstring."""
    print("\n# Intents: share kept out of training\n")
    print("| set | held out | rows | at .85 | .88 (default) | .90 | .92 | .95 | wording alone |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, train, test in (("banking77", *_banking(data)), ("clinc", *_clinc(data))):
        held, rows = [t for t, _ in train], [t for t, _ in test]
        _print_shares(f"{name}, all of train", rows, held, vectors)
        few = np.random.default_rng(SEED).permutation(len(held))[:500].tolist()
        _print_shares(f"{name}, 500 of train", rows, [held[i] for i in few], vectors)
        labels = sorted({label for _, label in train})
        half = set(labels[::2])
        others = [t for t, label in test if label not in half]
        _print_shares(f"{name}, other intents only", others, [t for t, label in train if label in half], vectors)


def _print_shares(name: str, rows: list[str], held: list[str], vectors: Embed) -> None:
    made, texts = [_row(str(i), t) for i, t in enumerate(rows)], [HeldText(str(i), t) for i, t in enumerate(held)]
    shares = [
        len(_found(made, texts, vectors, HeldOutConfig(paraphrase_similarity=s))) for s in (0.85, 0.88, 0.9, 0.92, 0.95)
    ]
    shares.append(len(_found(made, texts, None)))
    print(
        f"| {name} | {len(held):,} | {len(rows):,} | "
        + " | ".join(f"{share / len(rows):.3f}" for share in shares)
        + " |"
    )


def _found(
    rows: Sequence[TrainingRow], texts: Sequence[HeldText], vectors: Embed | None, rules: HeldOutConfig | None = None
) -> tuple[Match, ...]:
    return find_leaks(rows, texts, dedupe=DedupeConfig(), rules=rules or HeldOutConfig(), embed=vectors)


def methods(vectors: Embed) -> list[Method]:
    """Return the methods that are compared; each scores all pairs."""
    return [
        Method("exact (normalised)", _pairwise(normalise, lambda a, b: float(a == b)), 1.0),
        Method(
            "MinHash, Jaccard of 4-grams (exact Jaccard)", _pairwise(lambda t: shingles(normalise(t)), jaccard), 0.7
        ),
        Method("13-gram overlap (GPT-3)", _pairwise(lambda t: _grams(t, 13), _shares_any), 1.0),
        Method("8-gram overlap", _pairwise(lambda t: _grams(t, 8), _shares_any), 1.0),
        Method("cosine alone, at .88", lambda a, b: _cosines(a, b, vectors), 0.88),
        Method("cosine alone, at its best threshold here", lambda a, b: _cosines(a, b, vectors), 0.8),
        Method(
            "curator, cosine and details", lambda a, b: _likeness(a, b, vectors), HeldOutConfig().paraphrase_similarity
        ),
    ]


def _pairwise(prepare: Callable[[str], T], score: Callable[[T, T], float]) -> Score:
    def scores(rows: Sequence[str], held: Sequence[str]) -> Floats:
        left, right = [prepare(text) for text in rows], [prepare(text) for text in held]
        return np.array([[score(a, b) for b in right] for a in left])

    return scores


def _grams(text: str, size: int) -> frozenset[int]:
    words = normalise(text).split()
    return frozenset(hash(tuple(words[i : i + size])) for i in range(len(words) - size + 1))


def _shares_any(a: frozenset[int], b: frozenset[int]) -> float:
    return float(not a.isdisjoint(b))


def _cosines(rows: Sequence[str], held: Sequence[str], vectors: Embed) -> Floats:
    left, right = (vectors([embedded_text(t) for t in texts]) for texts in (rows, held))
    return (left @ right.T).astype(np.float64)


def _likeness(rows: Sequence[str], held: Sequence[str], vectors: Embed) -> Floats:
    """Return the score of every pair that `meaning.paraphrases` compares with its threshold."""
    scores = _cosines(rows, held, vectors)
    left, right = [details_of(t) for t in rows], [details_of(t) for t in held]
    for i, j in np.argwhere(scores >= 0.6).tolist():
        scores[i, j] += _worth(left[i], right[j])
    return scores


def _worth(a: Details, b: Details) -> float:
    return detail_bonus(agreement(a, b))


def _row(name: str, text: str) -> TrainingRow:
    return TrainingRow(name, (text,), text)


def _short(text: str) -> str:
    return " ".join(text.split())[:110]


def _jsonl(path: Path) -> list[dict[str, str]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def _banking(data: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    parts = []
    for name in ("train", "test"):
        with (data / "banking77" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            parts.append([(row["text"], row["category"]) for row in csv.DictReader(file)])
    return parts[0], parts[1]


def _clinc(data: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    found = orjson.loads((data / "clinc-oos" / "data_small.json").read_bytes())
    return [tuple(x) for x in found["train"]], [tuple(x) for x in found["test"]]


if __name__ == "__main__":
    main()
