"""Linear algebra of the tail's components: batches of small matrices, or one large one.

A large matrix goes through SciPy's LAPACK and BLAS only: NumPy brings another copy with threads of its own, and
two pools that wait for work on the same cores cost several times what they save. Row-major lower triangles are
handed over as column-major upper ones, so that nothing is copied.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas, lapack

from .batches import Batch


def factorise(batch: Batch, S: np.ndarray) -> tuple[np.ndarray, float]:
    """Lower Cholesky factors of (count, size, size) and the sum of their log-determinants log|S|.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where one is not positive definite.
    """
    if not batch.dense:
        half = np.linalg.cholesky(S)
        return half, 2 * float(np.sum(np.log(np.diagonal(half, axis1=1, axis2=2))))
    upper, info = lapack.dpotrf(S[0].T, lower=0, clean=0, overwrite_a=1)
    if info:
        raise np.linalg.LinAlgError("the tail is not positive definite")
    return upper.T[None], 2 * float(np.sum(np.log(np.diagonal(upper))))


def invert_factor(batch: Batch, half: np.ndarray, S: np.ndarray) -> np.ndarray:
    """S^-1 (count, size, size), of a dense component its lower triangle.

    From the factor and not from S: where S is far from the identity in some directions alone, the error is small
    beside S^-1 in each (Higham 2002, section 14.2), not only beside the largest of it.
    """
    if not batch.dense:
        inverse = np.linalg.inv(half)
        return inverse.transpose(0, 2, 1) @ inverse
    upper, _ = lapack.dpotri(half[0].T, lower=0, overwrite_c=1)
    return upper.T[None]


def solve_lower(batch: Batch, half: np.ndarray, right: np.ndarray) -> np.ndarray:
    """L^-1 right for (count, size, m)."""
    if not batch.dense:
        return np.linalg.solve(half, right)
    return lapack.dtrtrs(half[0].T, right[0], lower=0, trans=1)[0][None]


def inner(batch: Batch, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Sum over components of left' right for (count, size, m) each: (m, m)."""
    if not batch.dense:
        return (left.transpose(0, 2, 1) @ right).sum(axis=0)
    return blas.dgemm(1.0, left[0], right[0], trans_a=True)


def times(batch: Batch, symmetric: np.ndarray, right: np.ndarray) -> np.ndarray:
    """A right for (count, size, m)."""
    if not batch.dense:
        return symmetric @ right
    return blas.dsymm(1.0, symmetric[0].T, right[0], side=0, lower=0)[None]
