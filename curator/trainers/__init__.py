"""TRAINERS: the ways to make a model of labelled cases, by name.

A trainer is one file with a `Trainer` (`trainer.py`), and one line here. Another package adds one with an entry point in the group
`curator.trainers` that names a `Trainer`:

    [project.entry-points."curator.trainers"]
    my-trainer = "my_package:TRAINER"

Heavy packages are imported in the functions of a trainer.
"""

from __future__ import annotations

from curator.plugins import Registry
from curator.trainers.command import COMMAND
from curator.trainers.local import LOCAL
from curator.trainers.openai import OPENAI
from curator.trainers.student import STUDENT
from curator.trainers.trainer import Classifier, TrainedModel, Trainer, TrainingCost, TrainingJob, TrainingRow

TRAINERS: Registry[Trainer] = Registry(
    "trainer",
    Trainer,
    {trainer.name: trainer for trainer in (STUDENT, OPENAI, COMMAND, LOCAL)},
    group="curator.trainers",
)

__all__ = ["TRAINERS", "Classifier", "TrainedModel", "Trainer", "TrainingCost", "TrainingJob", "TrainingRow"]
