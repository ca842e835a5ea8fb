"""Trainers: labelled cases in, a model out."""

from __future__ import annotations

from curator.trainers.trainer import Classifier, TrainedModel, Trainer, TrainingCost, TrainingJob, TrainingRow

__all__ = ["Classifier", "TrainedModel", "Trainer", "TrainingCost", "TrainingJob", "TrainingRow"]
