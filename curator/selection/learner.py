"""A stand-in for the student, where nobody gives its class probabilities: logistic regression on the vectors."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

_C = 10.0
_MOST_STEPS = 300


def fit_student(
    vectors: NDArray[np.float32], indices: Sequence[int], labels: Sequence[Hashable]
) -> NDArray[np.float64] | None:
    """Class probabilities, (n, C), of all n unit vectors, (n, d), learned from those at `indices`.

    The penalty is weak (C = 10), as unit vectors are short: at the usual C = 1 the student hardly leaves even odds. None
    where the labels are of fewer than two classes.
    """
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    if len(numbers) < 2:
        return None
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_C, max_iter=_MOST_STEPS)
    places = list(indices)
    model.fit(vectors[places], np.array([numbers[label] for label in labels]))
    return cast("NDArray[np.float64]", np.asarray(model.predict_proba(vectors), dtype=np.float64))
