"""What embeddings say of the answers: E (n, d), one row for each answer, from any encoder.

The rows are put into an order of their own before they are multiplied, so that permuting them gives the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

VERSIONS: Mapping[str, int] = {"cosine_similarities": 1, "eigen_score": 1}
"""The version of each measure, raised whenever a value of it changes."""

Floats = NDArray[np.float64]


def cosine_similarities(vectors: Floats) -> Floats:
    """(1 + cos) / 2 of every two rows: a matrix (n, n) in 0..1 for the estimators of `graph.py`.

    Equal rows have the similarity 1 exactly, and a row of zeros 1/2 to every other. It is a positive definite kernel,
    which cutting negative cosines off would not be.
    """
    order = _order(vectors)
    rows = np.asarray(vectors, dtype=np.float64)[order]
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(norms > 0, norms, 1.0)
    cosines = unit @ unit.T
    own = np.clip((1 + (cosines + cosines.T) / 2) / 2, 0.0, 1.0)
    own[(rows[:, None, :] == rows[None, :, :]).all(axis=2)] = 1.0
    back = np.argsort(order)
    return own[np.ix_(back, back)]


def eigen_score(vectors: Floats, *, ridge: float = 1e-3) -> float:
    """EigenScore: the mean of the logs of the eigenvalues of E J E' + ridge I, J = I - 1 1' / d (Chen et al., ICLR 2024).

    There E is a hidden layer; with an external encoder no model is opened. Not on a scale of 0..1: for unit rows of mean
    0 it runs from about ln(ridge) (all one) to ln(1 + ridge) (all orthogonal), and longer rows give more. Compare it
    between cases of equally many answers from one encoder only.
    """
    rows = np.asarray(vectors, dtype=np.float64)[_order(vectors)]
    centred = rows - rows.mean(axis=1, keepdims=True)
    return float(np.linalg.slogdet(centred @ centred.T + ridge * np.eye(len(rows)))[1]) / len(rows)


def _order(vectors: Floats) -> list[int]:
    keys = [row.tobytes() for row in np.asarray(vectors, dtype=np.float64)]
    return sorted(range(len(keys)), key=keys.__getitem__)
