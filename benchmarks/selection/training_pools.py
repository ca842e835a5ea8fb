"""Pools for `training.py`: cases to choose from, and cases to test on.

`banking77` and `clinc150` have the encoder's vectors, and their intents as classes. `domains` and `binary` are clinc150 with its ten
domains, and a random third of its intents against the rest, as classes. `skewed` is banking77, pool and test alike, with
classes from full size down to a tenth. `lexical` is banking77 with TF-IDF vectors (150 dimensions), which say less
of the classes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.lexical import LexicalEncoder
from curator.config import EmbeddingConfig
from curator.encoders.sentence import embed, open_encoder
from curator.progress import Silent
from curator.state.vectors import VectorCache

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Vectors = NDArray[np.float32]
Rows = Sequence[Sequence[str]]
Embed = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True)
class Pool:
    """Cases to choose from and to test on: unit vectors, and classes as numbers."""

    name: str
    vectors: Vectors
    classes: Ints
    test_vectors: Vectors
    test_classes: Ints


@dataclass(frozen=True)
class Source:
    """The folder of the public sets, the vectors' cache, and the most cases of a pool and of a test; None for all."""

    folder: Path
    cache: Path | None
    cases: int | None
    tests: int | None

    def banking(self) -> tuple[Rows, Rows]:
        """The questions of banking77 with their intents, to choose from and to test on."""
        parts = []
        for part in ("train", "test"):
            with (self.folder / "banking77" / f"{part}.csv").open(newline="", encoding="utf-8") as file:
                parts.append([(row["text"], row["category"]) for row in csv.DictReader(file)])
        return some(parts[0], self.cases), some(parts[1], self.tests)

    def clinc(self) -> tuple[Rows, Rows]:
        """The questions of clinc150 with their intents, without those out of scope."""
        sets = json.loads((self.folder / "clinc-oos" / "data_small.json").read_bytes())
        return some(sets["train"], self.cases), some(sets["test"], self.tests)

    def domains(self) -> dict[str, str]:
        """The domain of each intent of clinc150."""
        domains = json.loads((self.folder / "clinc-oos" / "domains.json").read_bytes())
        return {intent: domain for domain, intents in domains.items() for intent in intents}

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The encoder's vectors."""
        encoder = open_encoder(EmbeddingConfig())
        if self.cache is None:
            return encoder.encode(texts)
        self.cache.mkdir(parents=True, exist_ok=True)
        with VectorCache(self.cache / "vectors.sqlite") as stored:
            return embed(texts, encoder, stored, progress=Silent())


def banking(source: Source) -> Pool:
    return encoded("banking77", *source.banking(), source.encode)


def clinc(source: Source) -> Pool:
    return encoded("clinc150", *source.clinc(), source.encode)


def domains(source: Source) -> Pool:
    of = source.domains()
    parts = [[(text, of[intent]) for text, intent in rows] for rows in source.clinc()]
    return encoded("domains", *parts, source.encode)


def binary(source: Source) -> Pool:
    pool = clinc(source)
    flags = (np.random.default_rng(0).random(pool.classes.max() + 1) < 1 / 3).astype(np.int64)
    return replace(pool, name="binary", classes=flags[pool.classes], test_classes=flags[pool.test_classes])


def skewed(source: Source) -> Pool:
    pool = banking(source)
    share = np.random.default_rng(0).permutation(np.geomspace(0.1, 1, pool.classes.max() + 1))
    kept, tested = (thinned(classes, share) for classes in (pool.classes, pool.test_classes))
    return Pool("skewed", pool.vectors[kept], pool.classes[kept], pool.test_vectors[tested], pool.test_classes[tested])


def lexical(source: Source) -> Pool:
    train, test = source.banking()
    return encoded("lexical", train, test, LexicalEncoder([text for text, _ in train], least_texts=2).encode)


POOLS: dict[str, Callable[[Source], Pool]] = {
    "banking77": banking,
    "clinc150": clinc,
    "domains": domains,
    "binary": binary,
    "lexical": lexical,
    "skewed": skewed,
}


def some(rows: Rows, most: int | None) -> Rows:
    """At most so many of the rows, drawn at random, in their order."""
    kept = np.sort(np.random.default_rng(0).permutation(len(rows))[:most])
    return [rows[i] for i in kept]


def thinned(classes: Ints, share: Floats) -> Ints:
    """The places of the first cases of each class, as many as its share says and at least one."""
    own = [np.flatnonzero(classes == c) for c in range(len(share))]
    return np.concatenate([places[: max(1, round(s * len(places)))] for places, s in zip(own, share, strict=True)])


def encoded(name: str, train: Rows, test: Rows, encode: Embed) -> Pool:
    """The pool of these texts and labels."""
    number = {label: i for i, label in enumerate(sorted({label for _, label in train}))}
    test = [(text, label) for text, label in test if label in number]
    vectors = [encode([text for text, _ in rows]) for rows in (train, test)]
    classes = [np.array([number[label] for _, label in rows]) for rows in (train, test)]
    return Pool(name, vectors[0], classes[0], vectors[1], classes[1])
