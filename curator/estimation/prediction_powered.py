"""Predictions of failure, such as a judge's verdicts, in the estimate of the failure rate.

The estimate is the mean of w j over the pool, which is known, plus the estimated mean of y - w j over it. With w = 0 it is the
estimate from labels alone, with w = 1 the prediction-powered one (Angelopoulos et al. 2023); tuned, it is PPI++ (Angelopoulos, Duchi &
Zrnic 2023), which survey sampling has as the difference estimator with the optimal coefficient (Cassel, Saerndal & Wretman 1976;
Montanari 1987). For a fixed w predictions cannot bias it, because they do not depend on the draw. A w that is tuned on the same labels
leaves a bias of the order 1 / labels, as in any regression estimator (Cochran 1977, 7.7), which is small beside the standard error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curator.estimation.sampling_frame import Floats, SamplingFrame
from curator.estimation.stage_estimate import Cell, LabelledStage

PRIOR_DEGREES = 4.0
"""Degrees of freedom, beside those of the labels, in the noise of the weight: a few labels say little of their own spread."""


def beyond_predictions(
    frame: SamplingFrame,
    stages: Sequence[LabelledStage],
    weights: Floats,
    y: Floats,
    predictions: Mapping[str, float],
) -> tuple[Floats, float]:
    """Return y - w (j - mean j), whose mean over the pool is that of y, and w.

    Args:
        frame: the pool.
        stages: with their labels.
        weights: of the stages.
        y: the labels, (N,), nan where there is none.
        predictions: j, by id; {} for none.
    """
    if not predictions:
        return y, 0.0
    predicted = predictions_of(frame, predictions)
    weight = tuned_weight(frame, stages, weights, y, predicted)
    return y - weight * (predicted - float(np.average(predicted, weights=frame.weights))), weight


def predictions_of(frame: SamplingFrame, predictions: Mapping[str, float]) -> Floats:
    """The prediction of each case, (N,); the mean of the others where a case has none."""
    values = np.array([predictions.get(case_id, np.nan) for case_id in frame.ids])
    given = ~np.isnan(values)
    mean = float(np.average(values[given], weights=frame.weights[given])) if given.any() else 0.0
    filled: Floats = np.where(given, values, mean)
    return filled


def tuned_weight(
    frame: SamplingFrame, stages: Sequence[LabelledStage], weights: Floats, y: Floats, predictions: Floats
) -> float:
    """The weight of the predictions that makes the variance smallest, 0 to 1.

    It is the regression of labels on predictions within the strata, each stratum with its part in the variance of the
    estimate. The weight is shrunk by its own noise, by a factor of the form of James and Stein (1961), to 0 where the labels show no relation.

    Args:
        frame: the pool.
        stages: with their labels.
        weights: of the stages.
        y: the labels, (N,), nan where there is none.
        predictions: of every case, (N,).
    """
    strata = [
        _Stratum.of(frame, cell, y, predictions, weight=float(weight))
        for stage, weight in zip(stages, weights, strict=True)
        for cell in stage.cells
        if weight and 1 < len(cell.places) < cell.cases
    ]
    products = sum(s.part * float(s.labels @ s.predicted) for s in strata)
    squares = sum(s.part * float(s.predicted @ s.predicted) for s in strata)
    if squares <= 0 or products <= 0:
        return 0.0
    slope = products / squares
    noise = sum(s.part**2 * s.noise_of_products(slope) for s in strata)
    degrees = sum(len(s.labels) - 1 for s in strata)
    noise *= (degrees + PRIOR_DEGREES) / max(degrees - 1, 1)
    return min(slope * max(0.0, 1 - noise / products**2), 1.0)


@dataclass(frozen=True, slots=True)
class _Stratum:
    """The centred labels and predictions of a stratum, (n,), and its part in the variance."""

    labels: Floats
    predicted: Floats
    part: float

    @classmethod
    def of(cls, frame: SamplingFrame, cell: Cell, y: Floats, predictions: Floats, *, weight: float) -> _Stratum:
        n = len(cell.places)
        scale = frame.weights[cell.places] * (cell.cases / cell.records)
        labels, predicted = scale * y[cell.places], scale * predictions[cell.places]
        share = weight * cell.records / float(frame.weights.sum())
        return cls(
            labels - labels.mean(), predicted - predicted.mean(), share**2 * (1 - n / cell.cases) / (n * (n - 1))
        )

    def noise_of_products(self, slope: float) -> float:
        """The estimated variance of labels @ predicted around slope x predicted @ predicted.

        n / (n - 1) because both are centred: in a stratum of two, both labels have one and the same residual.
        """
        n = len(self.labels)
        return n / (n - 1) * float(((self.predicted * (self.labels - slope * self.predicted)) ** 2).sum())
