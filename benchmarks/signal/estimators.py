"""Every estimator of the field and every baseline of `references.py`, as a value of one recorded case.

`classes` are those of the answers read as their kind, as the score reads them; ROUGE-L and Jaccard look at the raw texts
whatever the kind is. `disagreement.py` says how well each one ranks. Nothing is fitted here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.signal.references import BASELINES
from curator.answers.read import detect_kind, read_answer
from curator.disagreement.equivalence.classes import classes
from curator.disagreement.equivalence.word_kernel import word_distances
from curator.disagreement.estimators import alphabet as meanings
from curator.disagreement.estimators import partition as estimators
from curator.disagreement.estimators import spectral as graph
from curator.disagreement.estimators.lexical import jaccard_similarities, rouge_l_similarities
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
    input: str

    @property
    def everything(self) -> Sequence[str]:
        """The answers' texts, and the target's after them."""
        return [*self.texts, *([] if self.target is None else [self.target])]

    @cached_property
    def numbers(self) -> Sequence[int]:
        """The class of each answer, and of the target after them."""
        return classes([read_answer(t, self.kind, labels=self.labels, input=self.input) for t in self.everything])

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
    """The kernel over content words by which the score compares texts."""
    return 1 - word_distances(texts)


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
ESTIMATORS: Mapping[str, Value] = {**AGAINST, **ALONE, **RAW}
LENGTH = "length"


def read(record: Mapping[str, Any]) -> Read:
    """A record of contract 4, as the score reads it."""
    generations = [g if isinstance(g, dict) else {"text": g} for g in record["generations"]]
    said = [g for g in generations if g.get("text") is not None]
    texts, target = [g["text"] for g in said], record.get("target")
    kind, asked = record.get("kind"), record["input"]
    if kind not in KINDS:
        kind = detect_kind([*texts, *([] if target is None else [target])], input=asked)
    groups = [f"{g.get('model')}/{g.get('variant')}" for g in said]
    return Read(texts, groups, target, kind, tuple(record.get("labels") or ()), asked)
