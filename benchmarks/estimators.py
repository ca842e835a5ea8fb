"""How well each estimator, and each baseline of `references.py`, finds wrong answers on recorded generations.

    python benchmarks/estimators.py --data DIR

DIR as in `disagreement.py`. Two tables of AUROCs, a column for each set, all answers of a case: first what does not look
at the target, then what does ("." where a set has none). `classes` are those of the answers read as their kind, as the
score reads them; ROUGE-L and Jaccard look at the raw texts whatever the kind is. Nothing is fitted here.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from disagreement import auroc, sets
from numpy.typing import NDArray
from references import BASELINES

from curator.disagreement import estimators, graph, meanings
from curator.disagreement.answers import detect_kind, read_answer
from curator.disagreement.equivalence import classes, distances
from curator.disagreement.lexical import jaccard_similarities, rouge_l_similarities
from curator.records import KINDS, Kind

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Read:
    """One case: its raw texts, the groups of its answers, the target's text; what is compared is worked out once."""

    texts: Sequence[str]
    groups: Sequence[str]
    target: str | None
    kind: Kind
    labels: Sequence[str]

    @property
    def everything(self) -> Sequence[str]:
        """The answers' texts, and the target's after them."""
        return [*self.texts, *([] if self.target is None else [self.target])]

    @cached_property
    def numbers(self) -> Sequence[int]:
        """The class of each answer, and of the target after them."""
        return classes([read_answer(text, self.kind, labels=self.labels) for text in self.everything])

    @cached_property
    def own(self) -> Sequence[int]:
        """The class of each answer."""
        return self.numbers[: len(self.texts)]

    @cached_property
    def matrices(self) -> Mapping[str, Floats]:
        """The similarities of all texts, the target's last."""
        return {name: similarities(self.everything) for name, similarities in WORDS.items()}

    def similarities(self, words: str) -> Floats:
        """Of the answers alone."""
        n = len(self.texts)
        return self.matrices[words][:n, :n]

    def to_target(self, words: str) -> float | None:
        """One less the mean similarity of the answers to the target."""
        return None if self.target is None else 1 - float(self.matrices[words][-1, :-1].mean())


Value = Callable[[Read], float | None]


def content(texts: Sequence[str]) -> Floats:
    """Jaccard of the content words, as the score compares texts."""
    return 1 - distances(texts)


WORDS = {"ROUGE-L": rouge_l_similarities, "Jaccard": jaccard_similarities, "content words": content}
GRAPH: Mapping[str, Callable[[Floats], float]] = {
    "Deg": graph.deg,
    "EigV": graph.eigv,
    "Ecc": graph.eccentricity,
    "Ecc < 0.9": lambda w: graph.eccentricity(w, threshold=0.9),
    "SNNE": graph.snne,
    "SNNE, 0.1": lambda w: graph.snne(w, temperature=0.1),
    "KLE": graph.kernel_language_entropy,
}
ALONE: Mapping[str, Value] = {
    "classes, semantic entropy": lambda c: estimators.semantic_entropy(c.own, c.groups).total,
    "classes, entropy within": lambda c: estimators.semantic_entropy(c.own, c.groups).within,
    "classes, entropy between": lambda c: estimators.semantic_entropy(c.own, c.groups).between,
    "classes, variation ratio": lambda c: estimators.variation_ratio(c.own),
    "classes, vote margin": lambda c: estimators.vote_margin(c.own),
    "classes, number of meanings": lambda c: meanings.share_of_meanings(c.own),
    "classes, missing mass": lambda c: meanings.missing_mass(c.own),
    "classes, alphabet size": lambda c: meanings.alphabet_size(c.own),
    "classes, alphabet entropy": lambda c: meanings.alphabet_entropy(c.own),
    "classes, Chao-Shen entropy": lambda c: meanings.chao_shen_entropy(c.own),
    **{
        f"{words}, {name}": lambda c, words=words, measure=measure: measure(c.similarities(words))
        for words in WORDS
        for name, measure in GRAPH.items()
    },
}


def smoothed_by_entropy(case: Read) -> float | None:
    """The smoothed share with the committee's own disagreement as its prior."""
    if case.target is None:
        return None
    prior = estimators.semantic_entropy(case.own, case.groups).total
    return estimators.smoothed_share_against(case.own, case.numbers[-1], prior=prior, strength=0.5)


AGAINST: Mapping[str, Value] = {
    "classes, share against": lambda c: None if c.target is None else estimators.share_against(c.own, c.numbers[-1]),
    "classes, smoothed share against": smoothed_by_entropy,
    **{f"{words}, distance": lambda c, words=words: c.to_target(words) for words in WORDS},
}


def mean_length(case: Read) -> float:
    return float(np.mean([len(text) for text in case.texts]))


RAW: Mapping[str, Value] = {
    f"baseline, {name}": lambda c, base=base: base(c.texts, c.target) for name, base in BASELINES.items()
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of NAME.recorded.jsonl and NAME.labels.jsonl")
    rows = {**ALONE, **RAW, "baseline, length": mean_length, **AGAINST}
    table: list[Mapping[str, float | None]] = []
    for name, records, wrong in sets(parser.parse_args().data):
        found = [
            (case, bad) for record, bad in zip(records, wrong, strict=True) if len((case := read(record)).texts) > 1
        ]
        print(f"{chr(65 + len(table))}  {name}: n={len(found)}, base rate {wrong.mean():.3f}", flush=True)
        table.append(areas(found, rows))
    for against in (False, True):
        print("\nagainst the target" if against else "\nthe committee alone")
        for name in rows:
            if (name in AGAINST or "target" in name) is against:
                print(
                    f"{name:<34}"
                    + "".join("      ." if (a := column[name]) is None else f"{a:7.3f}" for column in table)
                )


def areas(cases: Sequence[tuple[Read, bool]], rows: Mapping[str, Value]) -> Mapping[str, float | None]:
    """The AUROC of each row; None where it has no value."""
    values = np.array([[math.nan if (v := value(case)) is None else v for value in rows.values()] for case, _ in cases])
    wrong = np.array([bad for _, bad in cases])
    return {name: None if np.isnan(own).any() else auroc(own, wrong) for name, own in zip(rows, values.T, strict=True)}


def read(record: Mapping[str, Any]) -> Read:
    """A record of contract 4, as the score reads it."""
    generations = [g if isinstance(g, dict) else {"text": g} for g in record["generations"]]
    said = [g for g in generations if g.get("text") is not None]
    texts, target = [g["text"] for g in said], record.get("target")
    kind = record.get("kind")
    if kind not in KINDS:
        kind = detect_kind([*texts, *([] if target is None else [target])])
    groups = [f"{g.get('model')}/{g.get('variant')}" for g in said]
    return Read(texts, groups, target, kind, tuple(record.get("labels") or ()))


if __name__ == "__main__":
    main()
