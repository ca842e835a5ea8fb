"""The predicted probability that each case fails.

It comes from the default score only, until there are enough labels to fit a model.
The prediction only decides which cases are drawn. A bad one costs precision; it does not bias the estimate.
"""

from __future__ import annotations

import numpy as np

from curator.estimation.sampling_frame import Floats, Ints, SamplingFrame

PRIOR_LOW, PRIOR_SPAN = 0.1, 0.8
"""Without labels P(fail) = .1 + .8 score: silent failures have low scores, and false alarms have high ones."""
MIN_LABELS = 8
"""With fewer labels no model is fitted."""
SLOPE, SLOPE_SD = 1.0, 1.4
"""Mean and standard deviation of the prior on the score's slope, in log-odds per standard deviation of the score.

On every recorded committee the odds double to triple per standard deviation. The width admits a score without any
relation to failure, or with an inverse one.
"""
SIGNAL_SD = 0.5
"""Standard deviation of the prior on any other covariate's slope: narrow, as these are not known to help."""
LEVEL_SD = 1.0
"""Standard deviation of a domain's random intercepts, in log-odds (a common value for mixed logits)."""
INTERCEPT_SD = 3.0
_STEPS, _LONGEST, _CLOSE = 25, 4.0, 1e-4
_ODDS = 12.0


def predict(frame: SamplingFrame, labelled: Ints, labels: Floats) -> Floats:
    """The predicted P(fail) of every case, (N,).

    The model is a logistic regression on the covariates with a Gaussian prior on each coefficient (ridge) and a random
    intercept for each level of a domain. Newton's method finds its mode.

    Args:
        frame: the pool.
        labelled: the places of the labelled cases, (n,).
        labels: theirs, graded 0..1, (n,).
    """
    if len(labelled) < MIN_LABELS:
        return np.clip(PRIOR_LOW + PRIOR_SPAN * frame.score, 0, 1)
    columns, mean, sd = _columns(frame, labelled)
    coefficients = _mode(columns[labelled], labels, mean, sd)
    return _share(columns @ coefficients)


def _columns(frame: SamplingFrame, labelled: Ints) -> tuple[Floats, Floats, Floats]:
    """The columns of the regression, and each coefficient's prior mean and standard deviation."""
    n = len(frame)
    spread = frame.score.std()
    score = (frame.score - frame.score.mean()) / spread if spread > 0 else np.zeros(n)
    parts = [np.ones((n, 1)), score[:, None], frame.covariates]
    mean = [0.0, SLOPE, *[0.0] * frame.covariates.shape[1]]
    sd = [INTERCEPT_SD, SLOPE_SD, *[SIGNAL_SD] * frame.covariates.shape[1]]
    for levels in frame.levels.values():
        # A level without labels keeps its prior mean, 0: it needs no column.
        seen = np.unique(levels[labelled])
        if len(seen) > 1:
            parts.append((levels[:, None] == seen).astype(float))
            mean += [0.0] * len(seen)
            sd += [LEVEL_SD] * len(seen)
    return np.column_stack(parts), np.array(mean), np.array(sd)


def _mode(x: Floats, y: Floats, mean: Floats, sd: Floats) -> Floats:
    penalty = 1 / sd**2
    b = mean.copy()
    for _ in range(_STEPS):
        p = _share(x @ b)
        gradient = x.T @ (y - p) - penalty * (b - mean)
        step = np.linalg.solve((x.T * (p * (1 - p))) @ x + np.diag(penalty), gradient)
        longest = np.abs(step).max()
        b = b + step * min(1.0, _LONGEST / max(longest, _CLOSE))
        if longest < _CLOSE:
            break
    return b


def _share(log_odds: Floats) -> Floats:
    share: Floats = 1 / (1 + np.exp(-np.clip(log_odds, -_ODDS, _ODDS)))
    return share
