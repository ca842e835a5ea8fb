"""Estimators over a matrix of similarities: the answers as a weighted graph, 0 where all answers are one.

A matrix W (n, n) holds similarities in 0..1, with W_ii = 1; it is read as symmetric, (W + W') / 2. D is the diagonal of
its row sums; M = D^-1/2 W D^-1/2 has the eigenvalues 1 - lambda_k of the normalised Laplacian of Lin, Trivedi and Sun
(TMLR 2024), whose measures U_Deg, U_EigV and U_Ecc these are. `rao_entropy` over 1 - W is U_Deg / (1 - 1/n).

Answers are put into an order of their own before an eigen-solver sees them, and its values are rounded to 12 decimals:
permuting the answers gives the same bits. Where two answers have the same similarities in another arrangement the order
is not unique, and a rounding may fall the other way: the same to 1e-11.
"""

from __future__ import annotations

from math import exp, fsum, log, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.estimators.similarities import row_order

_ROUNDING = 1e-12
"""Eigenvalues below this are 0."""
_DECIMALS = 12
"""What an eigen-solver gives beyond these decimals is noise, which would rank cases that are equal."""

Floats = NDArray[np.float64]


def deg(similarities: Floats) -> float:
    """U_Deg over its largest value: one less the mean similarity of two different answers, in 0..1."""
    n = len(similarities)
    own = _affinity(similarities)
    return _unit((1 - fsum(own.ravel().tolist()) / n**2) / (1 - 1 / n)) if n > 1 else 0.0


def spectral_meanings(similarities: Floats) -> float:
    """U_EigV, a continuous number of meanings: sum_k max(0, 1 - lambda_k), in 1..n; k for a partition into k classes."""
    values = np.linalg.eigvalsh(_normalised(_ordered(similarities))).tolist()
    return round(fsum(value for value in values if value > 0), _DECIMALS)


def eigv(similarities: Floats) -> float:
    """U_EigV on a scale of 0 (all one) to 1 (all different): (U_EigV - 1) / (n - 1)."""
    n = len(similarities)
    return _unit((spectral_meanings(similarities) - 1) / (n - 1)) if n > 1 else 0.0


def eccentricity(similarities: Floats, *, threshold: float | None = None) -> float:
    """U_Ecc over its largest value sqrt(n - 1): how far the answers lie from their centre in the graph's own space.

    As published, the coordinates of answer j are (u_1j .. u_kj), the eigenvectors with lambda_k < threshold = 0.9; values
    then cluster on square roots of integers and tie. Without a threshold each eigenvector counts with the root of
    max(0, 1 - lambda_k) instead, which changes smoothly with the similarities.
    """
    n = len(similarities)
    if n < 2:
        return 0.0
    squares = [square for row in _coordinates(_ordered(similarities), threshold).tolist() for square in _squares(row)]
    return _unit(sqrt(fsum(squares) / (n - 1)))


def snne(similarities: Floats, *, temperature: float = 1.0) -> float:
    """Semantic nearest neighbour entropy, on a scale of 0 (all one) to 1 (all different).

    U = -(1/n) sum_i ln sum_j exp(W_ij / temperature), itself included (Nguyen, Payani and Mirzasoleiman, ACL Findings
    2025; there W is ROUGE-L), which lies between -1/temperature - ln n and the same with ln(1 + (n - 1) e^(-1/temperature)).
    A low temperature lets the nearest neighbour count alone; a high one gives `deg`.
    """
    n = len(similarities)
    if n < 2:
        return 0.0
    rows = _affinity(similarities).tolist()
    near = fsum(log(fsum(exp((value - 1) / temperature) for value in row)) for row in rows) / n
    alone = log1p((n - 1) * exp(-1 / temperature))
    return _unit((log(n) - near) / (log(n) - alone))


def kernel_language_entropy(similarities: Floats, *, time: float = 0.6) -> float:
    """Von Neumann entropy of the heat kernel, on a scale of 0 (all one) to 1 (all different).

    K = exp(-time (D - W)), scaled to a diagonal of 1/n; -sum e ln e over its eigenvalues (Nikitin et al., NeurIPS 2024,
    KLE-heat). There W adds both directions to 0..2 and time is 0.3, which is 0.6 for W in 0..1. The entropy is ln n where
    no answer is like another, but not 0 where all are one: the heat of a complete graph is subtracted here, and the rest
    divided by what remains of ln n.
    """
    n = len(similarities)
    if n < 2:
        return 0.0
    cold = exp(-time * n)
    peak = 1 / (1 + (n - 1) * cold)
    floor = -peak * log(peak) - (n - 1) * peak * cold * log(peak * cold) if cold > _ROUNDING else 0.0
    return _unit((_heat_entropy(_ordered(similarities), time) - floor) / (log(n) - floor))


def eigen_score(vectors: Floats, *, ridge: float = 1e-3) -> float:
    """EigenScore: the mean of the logs of the eigenvalues of E J E' + ridge I, J = I - 1 1' / d (Chen et al., ICLR 2024).

    There E is a hidden layer; with an external encoder no model is opened. Not on a scale of 0..1: for unit rows of mean
    0 it runs from about ln(ridge) (all one) to ln(1 + ridge) (all orthogonal), and longer rows give more. Compare it
    between cases of equally many answers from one encoder only.
    """
    rows = np.asarray(vectors, dtype=np.float64)[row_order(vectors)]
    centred = rows - rows.mean(axis=1, keepdims=True)
    return float(np.linalg.slogdet(centred @ centred.T + ridge * np.eye(len(rows)))[1]) / len(rows)


def _heat_entropy(affinity: Floats, time: float) -> float:
    values, vectors = np.linalg.eigh(np.diag(affinity.sum(axis=1)) - affinity)
    kernel = (vectors * np.exp(-time * values)) @ vectors.T
    root = np.sqrt(np.diag(kernel))
    spectrum = np.linalg.eigvalsh(kernel / np.outer(root, root) / len(affinity)).tolist()
    return fsum(-value * log(value) for value in spectrum if value > _ROUNDING)


def _coordinates(affinity: Floats, threshold: float | None) -> Floats:
    """The answers' coordinates (n, k) in the space of the eigenvectors that count, less their mean."""
    values, vectors = np.linalg.eigh(_normalised(affinity))
    if threshold is None:
        kept = vectors * np.sqrt(np.where(values > _ROUNDING, values, 0.0))
    else:
        # half a rounding keeps an eigenvalue at the threshold on its own side, as lambda < threshold says
        kept = vectors[:, 1 - values < threshold - _ROUNDING]
    centred: Floats = kept - kept.mean(axis=0)
    return centred


def _unit(value: float) -> float:
    return min(1.0, max(0.0, round(value, _DECIMALS)))


def _squares(row: list[float]) -> list[float]:
    return [value * value for value in row]


def _normalised(affinity: Floats) -> Floats:
    """D^-1/2 W D^-1/2; no degree is 0, as each answer is like itself."""
    root = np.sqrt(affinity.sum(axis=1))
    normalised: Floats = affinity / np.outer(root, root)
    return normalised


def _ordered(similarities: Floats) -> Floats:
    """The affinities with the answers sorted by their similarities, whatever order they came in."""
    own = _affinity(similarities)
    order = np.lexsort(np.sort(own, axis=1).T)
    return own[np.ix_(order, order)]


def _affinity(similarities: Floats) -> Floats:
    """The symmetric matrix with ones on its diagonal."""
    if similarities.ndim != 2 or similarities.shape[0] != similarities.shape[1]:
        raise ValueError(f"similarities must be a square matrix, found the shape {similarities.shape}")
    if not (similarities >= 0).all() or not (similarities <= 1).all():
        raise ValueError("similarities must lie in 0..1; map a cosine with (1 + cos) / 2 first")
    own: Floats = (similarities + similarities.T) / 2
    np.fill_diagonal(own, 1.0)
    return own
