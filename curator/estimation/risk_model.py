"""How likely each case fails: from the default score alone, and better once there are labels.

The prediction decides which cases are drawn, and never what the estimate is: a bad one costs labels, not truth.
"""

from __future__ import annotations

import numpy as np

from curator.estimation.sampling_frame import Floats, Frame, Ints

PRIOR_LOW, PRIOR_SPAN = 0.1, 0.8
"""Without labels P(fail) = .1 + .8 score: cautious, as scores of silent failures and of false alarms are neither 0 nor 1."""
LEAST_LABELS = 8
"""With fewer labels nothing is fitted."""
SLOPE, SLOPE_SD = 1.0, 1.4
"""What a standard deviation of the score is worth in log-odds before labels are seen, and how sure of that we are.

The odds double to triple per standard deviation on every recorded committee; the width admits none, or an inverse score.
"""
SIGNAL_SD = 0.5
"""How much a standard deviation of any other signal may be worth: what is not known to help must show it."""
LEVEL_SD = 1.0
"""How far the levels of a category lie apart in log-odds, as a random intercept (a common value for mixed logits)."""
INTERCEPT_SD = 3.0
_STEPS, _LONGEST, _CLOSE = 25, 4.0, 1e-4
_ODDS = 12.0


def predict(frame: Frame, labelled: Ints, labels: Floats) -> Floats:
    """P(fail) of every case, (N,), from the labels (graded 0..1) of the cases at the places `labelled`.

    A logistic regression on the signals with a Gaussian prior on each coefficient (ridge) and a random intercept for each
    level of a category; its mode by Newton's method.
    """
    if len(labelled) < LEAST_LABELS:
        return np.clip(PRIOR_LOW + PRIOR_SPAN * frame.score, 0, 1)
    columns, mean, sd = _columns(frame, labelled)
    coefficients = _mode(columns[labelled], labels, mean, sd)
    return _share(columns @ coefficients)


def _columns(frame: Frame, labelled: Ints) -> tuple[Floats, Floats, Floats]:
    """The columns of the regression, and the mean and standard deviation of the prior on each one's coefficient."""
    n = len(frame)
    spread = frame.score.std()
    score = (frame.score - frame.score.mean()) / spread if spread > 0 else np.zeros(n)
    parts = [np.ones((n, 1)), score[:, None], frame.signals]
    mean = [0.0, SLOPE, *[0.0] * frame.signals.shape[1]]
    sd = [INTERCEPT_SD, SLOPE_SD, *[SIGNAL_SD] * frame.signals.shape[1]]
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
