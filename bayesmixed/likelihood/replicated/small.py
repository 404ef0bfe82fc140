"""Algebra of very many small matrices: entries come first, so that each is one long array, and no call is per matrix.

An array (k, k, ..) holds matrices; sums over k are written out.
"""

from __future__ import annotations

import numpy as np


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left right, entry by entry; the trailing axes broadcast."""
    rows, inner, columns = left.shape[0], left.shape[1], right.shape[1]
    entries = [[sum(left[i, j] * right[j, c] for j in range(inner)) for c in range(columns)] for i in range(rows)]
    return np.array(entries)


def applied(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """matrix (k, k, ..) times vector (k, ..)."""
    k = len(vector)
    return np.array([sum(matrix[i, j] * vector[j] for j in range(k)) for i in range(matrix.shape[0])])


def lower_root(matrix: np.ndarray) -> np.ndarray:
    """The Cholesky factor (k, k, ..); NaN where a matrix is not positive definite."""
    k, L = len(matrix), np.zeros_like(matrix)
    with np.errstate(invalid="ignore", divide="ignore"):
        for j in range(k):
            pivot = matrix[j, j] - sum(L[j, c] ** 2 for c in range(j))
            L[j, j] = np.sqrt(np.where(pivot > 0, pivot, np.nan))
            for i in range(j + 1, k):
                L[i, j] = (matrix[i, j] - sum(L[i, c] * L[j, c] for c in range(j))) / L[j, j]
    return L


def lower_inverse(L: np.ndarray) -> np.ndarray:
    """The inverse of a lower triangle (k, k, ..)."""
    k, inverse = len(L), np.zeros_like(L)
    with np.errstate(invalid="ignore"):
        for j in range(k):
            inverse[j, j] = 1 / L[j, j]
            for i in range(j + 1, k):
                inverse[i, j] = -sum(L[i, c] * inverse[c, j] for c in range(j, i)) / L[i, i]
    return inverse


def transposed(matrix: np.ndarray) -> np.ndarray:
    """The transpose of each matrix."""
    return matrix.swapaxes(0, 1)
