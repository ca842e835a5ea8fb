"""Pools of the recorded families: production's answers with a committee's, for `shares.py`.

A set of the folder `recorded` is a pool: its target's answers (or its majority's) are production's, and its labels say which of
them are wrong. The category of a case is a k-means cluster of the inputs' vectors. Where a set has several targets for one
question, a resample draws one of them, since a log of production has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.recorded_sets import Record, read, sets
from benchmarks.selection.discovery_pools import Embed, Pool, scored, topics

CASES_PER_TOPIC = 20
"""Cases of a topic in the mean: topics of a fixed number would be single cases in a small set."""
LEAST_QUESTIONS = 50
"""A smaller set is left out."""
RESAMPLED = 0.8
"""The share of the questions that a resample keeps."""


@dataclass(frozen=True)
class FamilyPool:
    """A pool with its family and, by case, the number of its question, (n,)."""

    pool: Pool
    family: str
    questions: NDArray[np.int64]

    def resampled(self, draw: int) -> Pool:
        """A random four fifths of the questions, with a random one of the cases of each."""
        rng = np.random.default_rng(draw)
        order = rng.permutation(len(self.questions))
        _, first = np.unique(self.questions[order], return_index=True)
        kept = np.sort(order[first[rng.permutation(len(first))[: round(RESAMPLED * len(first))]]])
        pool = self.pool
        return Pool(pool.name, pool.vectors[kept], pool.u[kept], pool.failed[kept], pool.categories[kept])


def family_pools(folder: Path, embed: Embed) -> Iterator[FamilyPool]:
    """Every recorded set with enough questions."""
    for recorded in sets(folder):
        labels = {label["id"]: label for label in read(folder / f"{recorded.name.split(',')[0]}.labels.jsonl")}
        clusters = [str(labels[record["id"]].get("cluster", record["id"])) for record in recorded.records]
        questions = np.unique(clusters, return_inverse=True)[1]
        if (size := int(questions.max()) + 1) < LEAST_QUESTIONS:
            continue
        vectors = embed([question(record) for record in recorded.records])
        pool = Pool(
            recorded.name,
            vectors,
            scored(recorded.records),
            recorded.wrong,
            topics(vectors, max(2, size // CASES_PER_TOPIC)),
        )
        yield FamilyPool(pool, recorded.family, questions)


def question(record: Record) -> str:
    """The input of a record, or the last message of its conversation."""
    asked = record["input"]
    return str(asked if isinstance(asked, str) else asked[-1]["content"])
