"""The kind of a task, and the evidence for each reading of its answers."""

from __future__ import annotations

from dataclasses import dataclass

from curator.records.values import Kind


@dataclass(frozen=True, slots=True)
class ReadingEvidence:
    """The evidence for one reading in the sampled answers, over all pairs of members.

    Attributes:
        name: of the reading.
        coverage: the share of the answer pairs that it can read.
        agreement: how far two answers to one case agree, 0..1.
        chance: the same for answers to two different cases.
        weight: its share of the weights of all readings, 0..1.
    """

    name: str
    coverage: float
    agreement: float
    chance: float
    weight: float


@dataclass(frozen=True, slots=True)
class TaskReadings:
    """The kind and the readings of one task.

    Attributes:
        task: its name; "" for all cases of no large task.
        kind: of its answers; None where each record names its own.
        cases: the sampled cases that the weights were fitted to.
        frames: the frames around the answers, the outer ones first.
        readings: the heaviest first.
    """

    task: str
    kind: Kind | None
    cases: int
    frames: tuple[str, ...]
    readings: tuple[ReadingEvidence, ...]
