"""Logistic regression on the vectors: the learner where the caller gives no probabilities."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

_C = 10.0
_MAX_STEPS = 300


def fit_learner(
    vectors: NDArray[np.float32], indices: Sequence[int], labels: Sequence[Hashable]
) -> NDArray[np.float64] | None:
    """Class probabilities of all n vectors, (n, C), learned from the labelled ones.

    The penalty is weak (C = 10), as unit vectors are short: with the usual C = 1 the probabilities stay near even odds.
    None where the labels have fewer than two classes.

    Args:
        vectors: unit vectors, (n, d).
        indices: the places of the labelled ones.
        labels: theirs, in the same order.
    """
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    if len(numbers) < 2:
        return None
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_C, max_iter=_MAX_STEPS)
    places = list(indices)
    model.fit(vectors[places], np.array([numbers[label] for label in labels]))
    return cast("NDArray[np.float64]", np.asarray(model.predict_proba(vectors), dtype=np.float64))
