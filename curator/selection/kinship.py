"""How much a label of one case tells of another: a sparse kernel over the graph of nearest neighbours.

    S = D^-1/2 W D^-1/2,    A = (I + a S)^4,    K_ij = A_ij / sqrt(A_ii A_jj)

W joins each case to its nearest neighbours, with weights in the local scale of both (self-tuning: Zelnik-Manor and Perona
2004). A sums walks of up to four steps over that graph, a truncated diffusion kernel (Kondor and Lafferty 2002): two cases
are akin that are joined by many short walks, however dense or wide the group is that they stand in. So the kernel needs
no width, where that of a kernel over distances must fit the pool and the number of labels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NEIGHBOURS = 15
"""Neighbours in the graph: enough to join a group, few enough to keep groups of some tens of cases apart."""
KIN = 100
"""The most akin that are kept of each case; the rest of a row is small, and would cost memory."""
_STAY = 0.9
_SQUARINGS = 2
_ROWS = 1024
_DECIMALS = 5
_TIE = 1e-6
_LEAST_SCALE = 1e-3
_PAIRS = 200_000


@dataclass(frozen=True, slots=True)
class Kinship:
    """K, symmetric with ones on its diagonal, by rows: `kin[starts[i]:starts[i + 1]]` are akin to i, with their `values`."""

    starts: NDArray[np.int64]
    kin: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def row(self, i: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Which cases are akin to i, itself among them, and how much each, in 0..1."""
        part = slice(self.starts[i], self.starts[i + 1])
        return self.kin[part], self.values[part]

    def among_alike(self, probabilities: NDArray[np.float64]) -> Kinship:
        """K times the Bhattacharyya coefficient of the two cases' class probabilities, (n, C), rows summing to 1."""
        roots = np.sqrt(probabilities)
        rows = np.repeat(np.arange(len(self)), np.diff(self.starts))
        alike = [
            np.einsum("ij,ij->i", roots[rows[i : i + _PAIRS]], roots[self.kin[i : i + _PAIRS]])
            for i in range(0, len(rows), _PAIRS)
        ]
        return replace(self, values=self.values * np.concatenate(alike)) if alike else self


def kinship(vectors: NDArray[np.float32]) -> Kinship:
    """K of n unit vectors, (n, d)."""
    from scipy import sparse

    n = len(vectors)
    walks = sparse.identity(n, format="csr") + _STAY * _graph(vectors)
    for _ in range(_SQUARINGS):
        walks = _pruned((walks @ walks).tocsr(), KIN)
        walks = walks.maximum(walks.T).tocsr()
    scale = sparse.diags(1 / np.sqrt(walks.diagonal()))
    found = (scale @ walks @ scale).tocsr()
    found.sort_indices()
    return Kinship(found.indptr.astype(np.int64), found.indices.astype(np.int64), found.data)


def _graph(vectors: NDArray[np.float32]) -> csr_matrix:
    """S, (n, n): the symmetric graph of nearest neighbours, normalised."""
    from scipy import sparse

    n = len(vectors)
    k = min(NEIGHBOURS, n - 1)
    if k < 1:
        return sparse.csr_matrix((n, n))
    near, distance = _nearest(vectors, k)
    scale = np.maximum(distance[:, -1], _LEAST_SCALE)
    rows = np.repeat(np.arange(n), k)
    columns = near.ravel()
    weights = np.exp(-distance.ravel() / np.sqrt(scale[rows] * scale[columns]))
    joined = sparse.csr_matrix((weights, (rows, columns)), shape=(n, n))
    joined = joined.maximum(joined.T)
    root = sparse.diags(1 / np.sqrt(np.asarray(joined.sum(axis=1)).ravel()))
    return (root @ joined @ root).tocsr()


def _nearest(vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The k nearest others of each case, (n, k), nearest first, and their cosine distances.

    Of a tie the next ones in the order of the pool, counted from the case on, are taken: were it the first ones, many
    equal cases would all have the same neighbours, and the walks over these would join each case to each other.
    """
    n = len(vectors)
    near, distance = np.empty((n, k), np.int64), np.empty((n, k))
    for start in range(0, n, _ROWS):
        block = np.round(1 - vectors[start : start + _ROWS] @ vectors.T, _DECIMALS)
        here = np.arange(len(block))[:, None]
        block += _TIE / n * ((np.arange(n) - start - here) % n)
        block[here[:, 0], start + here[:, 0]] = np.inf
        found = np.argpartition(block, k - 1, axis=1)[:, :k]
        found = found[here, np.argsort(block[here, found], axis=1)]
        near[start : start + _ROWS], distance[start : start + _ROWS] = found, block[here, found]
    return near, np.maximum(distance, 0.0)


def _pruned(matrix: csr_matrix, most: int) -> csr_matrix:
    """The matrix with the `most` largest entries of each row."""
    keep = np.zeros(matrix.nnz, dtype=bool)
    for start, stop in zip(matrix.indptr, matrix.indptr[1:], strict=False):
        row = matrix.data[start:stop]
        if len(row) <= most:
            keep[start:stop] = True
        else:
            keep[start + np.argpartition(-row, most)[:most]] = True
    matrix.data[~keep] = 0.0
    matrix.eliminate_zeros()
    return matrix
