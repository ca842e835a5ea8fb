"""The form of a trainer: an entry of TRAINERS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from curator.config import ModelConfig, TrainerConfig
from curator.progress import Progress
from curator.records import Message

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A case to train on: the conversation before the answer, and the right answer.

    `text` is what is embedded of the conversation, as for the pool (`clustering.texts.embedding_texts`). It must be made for the
    whole pool at once: which earlier turns are left out depends on the other cases.
    """

    case_id: str
    messages: tuple[Message, ...]
    answer: str
    text: str


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One training.

    Attributes:
        name: of the model that is to be made: letters, digits and hyphens.
        folder: of this job alone. It exists; a trainer keeps its files there and what it needs to go on after it was killed.
        file: the rows in OpenAI's chat format, as JSONL.
        rows: the same rows.
        config: the trainer's section of the config.
        seed: of random choices.
        embed: texts to unit vectors, (n, d).
        environ: the environment, for keys.
        pool: the texts of the cases that may be trained on, with and without a label, as in `TrainingRow.text`; of a large pool,
            those of 20,000 random ones.
    """

    name: str
    folder: Path
    file: Path
    rows: Sequence[TrainingRow]
    config: TrainerConfig
    seed: int
    embed: Embed
    environ: Mapping[str, str] = field(repr=False)
    pool: Sequence[str] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class TrainingCost:
    """The cost of a training before it starts.

    `usd` is None where no price exists for it, and 0 where it is free; `seconds` is None where it is not known.
    """

    tokens: int
    usd: float | None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A trained model.

    Attributes:
        trainer: the name of its trainer.
        model: the name that its endpoint knows it by, or a path within the job's folder.
        seconds: of training; of all processes together, if it was resumed.
        tokens: that were trained on, as billed; None where nothing says so.
        usd: the cost; None where no price exists.
        details: what identifies the job, such as its id; no secrets.
        notes: sentences for the user.
    """

    trainer: str
    model: str
    seconds: float
    tokens: int | None = None
    usd: float | None = 0.0
    details: Mapping[str, JsonValue] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Classifier(Protocol):
    """A model that gives each case a class."""

    @property
    def classes(self) -> Sequence[str]:
        """The answers that it can give, C of them."""

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of each class, (n, C), of n texts as in `TrainingRow.text`."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """A way to make a model of labelled cases.

    Attributes:
        name: the value of `loop.trainer.name`.
        description: one line for the documentation.
        check: refuses a config, or an installation, that cannot work; before anything is labelled or bought.
        cost: what a job will cost, before it starts.
        train: makes the model, or goes on with a job that was begun in the same folder; a job is never bought twice. It raises a
            `UserError` where it fails.
        serve: makes the model ready to answer for as long as the context is open: a classifier, or a model to ask through the engine.
        classifies: the model is a classifier.
    """

    name: str
    description: str
    check: Callable[[TrainerConfig, Mapping[str, str]], None]
    cost: Callable[[TrainingJob], TrainingCost]
    train: Callable[[TrainingJob, Progress], TrainedModel]
    serve: Callable[[TrainedModel, TrainingJob], AbstractContextManager[Classifier | ModelConfig]]
    classifies: bool = False
