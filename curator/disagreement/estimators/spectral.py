"""Estimators over a matrix of similarities, read as a weighted graph, or over vectors.

A matrix W (n, n) holds similarities in 0..1, with W_ii = 1; it is read as symmetric, (W + W') / 2. D is the diagonal matrix
of its row sums. M = D^-1/2 W D^-1/2 has the eigenvalues 1 - lambda_k, where lambda_k are those of the normalised Laplacian
of Lin, Trivedi and Sun (TMLR 2024); U_Deg, U_EigV and U_Ecc are their measures. `rao_entropy` over 1 - W is
U_Deg / (1 - 1/n). All values but that of `eigen_score` are 0 where all answers are the same.

The answers are sorted before an eigen-solver is called, and its values are rounded to 12 decimals, so that permuting the
answers gives the same bits. If two answers have the same similarities in another arrangement, the order is not unique;
values then agree to 1e-11.
"""

from __future__ import annotations

from math import exp, fsum, log, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.estimators.similarities import row_order

_ROUNDING = 1e-12
"""Eigenvalues below this count as 0."""
_DECIMALS = 12
"""Later decimals of an eigen-solver are noise, which would rank cases that are equal."""

Floats = NDArray[np.float64]


def deg(similarities: Floats) -> float:
    """Return U_Deg over its largest value: 1 minus the mean similarity of two answers, in 0..1."""
    n = len(similarities)
    affinity = _affinity(similarities)
    return _unit((1 - fsum(affinity.ravel().tolist()) / n**2) / (1 - 1 / n)) if n > 1 else 0.0


def spectral_meanings(similarities: Floats) -> float:
    """Return U_EigV, a continuous number of meanings: sum_k max(0, 1 - lambda_k), in 1..n.

    For a partition into k classes it is k.
    """
    values = np.linalg.eigvalsh(_normalised(_ordered(similarities))).tolist()
    return round(fsum(value for value in values if value > 0), _DECIMALS)


def eigv(similarities: Floats) -> float:
    """Return U_EigV scaled to 0 (all the same) .. 1 (all different): (U_EigV - 1) / (n - 1)."""
    n = len(similarities)
    return _unit((spectral_meanings(similarities) - 1) / (n - 1)) if n > 1 else 0.0


def eccentricity(similarities: Floats, *, threshold: float | None = None) -> float:
    """Return the spread of the answers around their centre, in 0..1: U_Ecc / sqrt(n - 1).

    The coordinates of answer j are its entries (u_1j .. u_kj) in the eigenvectors. The published measure takes those with
    lambda_k < threshold = 0.9; its values cluster on square roots of integers, and many cases tie. Without a threshold
    each eigenvector counts with the root of max(0, 1 - lambda_k), which changes smoothly with the similarities.
    """
    n = len(similarities)
    if n < 2:
        return 0.0
    squares = [square for row in _coordinates(_ordered(similarities), threshold).tolist() for square in _squares(row)]
    return _unit(sqrt(fsum(squares) / (n - 1)))


def snne(similarities: Floats, *, temperature: float = 1.0) -> float:
    """Return the semantic nearest neighbour entropy, scaled to 0..1.

    U = -(1/n) sum_i ln sum_j exp(W_ij / temperature), i itself included (Nguyen, Payani and Mirzasoleiman, ACL Findings
    2025; there W is ROUGE-L). Before scaling it lies between -1/temperature - ln n and
    -1/temperature - ln(1 + (n - 1) e^(-1/temperature)). At a low temperature only the nearest neighbour counts; a high one
    gives `deg`.
    """
    n = len(similarities)
    if n < 2:
        return 0.0
    rows = _affinity(similarities).tolist()
    near = fsum(log(fsum(exp((value - 1) / temperature) for value in row)) for row in rows) / n
    isolated = log1p((n - 1) * exp(-1 / temperature))
    return _unit((log(n) - near) / (log(n) - isolated))


def kernel_language_entropy(similarities: Floats, *, time: float = 0.6) -> float:
    """Return the von Neumann entropy of the heat kernel, scaled to 0..1.

    -sum e ln e over the eigenvalues of K = exp(-time (D - W)), scaled to a diagonal of 1/n (Nikitin et al., NeurIPS 2024,
    KLE-heat). The paper adds both directions to W in 0..2 and takes time = 0.3, which is 0.6 for W in 0..1. The entropy is
    ln n where no two answers are alike, but above 0 where all are the same; here that value, of a complete graph, is
    subtracted, and the rest divided by ln n minus it.
    """
    n = len(similarities)
    if n < 2:
        return 0.0
    # Eigenvalues of the complete graph's kernel: one is `peak`, the n - 1 others are `peak * decay`.
    decay = exp(-time * n)
    peak = 1 / (1 + (n - 1) * decay)
    floor = -peak * log(peak) - (n - 1) * peak * decay * log(peak * decay) if decay > _ROUNDING else 0.0
    return _unit((_heat_entropy(_ordered(similarities), time) - floor) / (log(n) - floor))


def eigen_score(vectors: Floats, *, ridge: float = 1e-3) -> float:
    """Return the EigenScore of vectors E (n, d): the mean ln eigenvalue of E J E' + ridge I.

    J = I - 1 1' / d (INSIDE, Chen et al., ICLR 2024). In the paper E comes from a hidden layer; here from any encoder. The
    value is not scaled: for unit rows of mean 0 it runs from about ln(ridge) (all the same) to ln(1 + ridge) (all
    orthogonal), and longer rows give higher values. Compare it only between cases with equally many answers and one encoder.
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
    """Return the centred coordinates (n, k) of the answers in the eigenvectors that count."""
    values, vectors = np.linalg.eigh(_normalised(affinity))
    if threshold is None:
        kept = vectors * np.sqrt(np.where(values > _ROUNDING, values, 0.0))
    else:
        # The margin keeps an eigenvalue exactly at the threshold out, as lambda < threshold demands.
        kept = vectors[:, 1 - values < threshold - _ROUNDING]
    centred: Floats = kept - kept.mean(axis=0)
    return centred


def _unit(value: float) -> float:
    return min(1.0, max(0.0, round(value, _DECIMALS)))


def _squares(row: list[float]) -> list[float]:
    return [value * value for value in row]


def _normalised(affinity: Floats) -> Floats:
    """Return D^-1/2 W D^-1/2; no degree is 0, because each answer is like itself."""
    root = np.sqrt(affinity.sum(axis=1))
    normalised: Floats = affinity / np.outer(root, root)
    return normalised


def _ordered(similarities: Floats) -> Floats:
    """Return the symmetric matrix with the answers sorted by their similarities."""
    affinity = _affinity(similarities)
    order = np.lexsort(np.sort(affinity, axis=1).T)
    return affinity[np.ix_(order, order)]


def _affinity(similarities: Floats) -> Floats:
    """Return the symmetric matrix with ones on its diagonal.

    Raises:
        ValueError: the matrix is not square, or a similarity is outside 0..1.
    """
    if similarities.ndim != 2 or similarities.shape[0] != similarities.shape[1]:
        raise ValueError(f"similarities must be a square matrix, found the shape {similarities.shape}")
    if not (similarities >= 0).all() or not (similarities <= 1).all():
        raise ValueError("similarities must lie in 0..1; map a cosine with (1 + cos) / 2 first")
    affinity: Floats = (similarities + similarities.T) / 2
    np.fill_diagonal(affinity, 1.0)
    return affinity
